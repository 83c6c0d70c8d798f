#!/usr/bin/env python3
"""Writes functions.lua.gz: gradients of gradients, and ways of padding and resizing, with PyTorch's results.

    python3 Tests/Golden/make_function_cases.py        (needs torch and numpy; not run by the tests)
"""
import os
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from golden_case import F32, F64, I64, Var, Writer, values  # noqa: E402

W = Writer()
HEAD = 'local F = require("nn").functional; '


def var(name, shape, dtype=F64, layout="c", **kw):
    return Var(name, values(shape, dtype, **kw), layout, True)


def const(name, data, dtype=I64):
    return Var(name, torch.tensor(data, dtype=dtype))


def raw(names, code, py, *inputs, tol=None, fail=False):
    W.add(names.split(), HEAD + "return " + code, list(inputs), lambda made: py(*[made[v.name] for v in inputs]), tol=tol, must_fail=fail)


def twice(names, code, py, *inputs, tol=None):
    """First gradients of a sum of squares, recorded; the case's own gradients are theirs."""
    wanted = [v for v in inputs if v.grad]

    def run(made):
        y = py(*[made[v.name] for v in inputs])
        return torch.autograd.grad((y * y).sum(), [made[v.name] for v in wanted], create_graph=True)

    listed = ", ".join(v.name for v in wanted)
    lua = HEAD + f"local y = {code}; return table.unpack(tensor.grad((y * y):sum(), {{{listed}}}, {{create_graph = true}}))"
    W.add(names.split() + ["grad"], lua, list(inputs), run, tol=tol)


def second_gradients():
    for dtype, layout in ((F64, "s"), (F32, "c")):
        tol = 2e-4 if dtype == F32 else None
        x, w, b = var("x", (2, 4, 6, 5), dtype, layout), var("w", (6, 4, 3, 3), dtype), var("b", (6,), dtype)
        twice("conv2d", "F.conv2d(x, w, b)", lambda x, w, b: F.conv2d(x, w, b), x, w, b, tol=tol)
        twice("conv2d", "F.conv2d(x, w, b, 2, 1)", lambda x, w, b: F.conv2d(x, w, b, 2, 1), x, w, b, tol=tol)
        twice("conv2d", "F.conv2d(x, w, nil, {padding = {2, 1}, dilation = 2})", lambda x, w: F.conv2d(x, w, padding=(2, 1), dilation=2), x, w, tol=tol)
        twice("conv2d", "F.conv2d(x, w, b, {groups = 2, padding = 1})", lambda x, w, b: F.conv2d(x, w, b, groups=2, padding=1), x, var("w", (6, 2, 3, 3), dtype), b, tol=tol)
        s, k = var("s", (2, 4, 9), dtype, layout), var("k", (6, 4, 3), dtype)
        twice("conv1d", "F.conv1d(s, k, b, 2, 1)", lambda s, k, b: F.conv1d(s, k, b, 2, 1), s, k, b, tol=tol)
        t = var("t", (4, 3, 3, 3), dtype)
        twice("conv_transpose2d", "F.conv_transpose2d(x, t, nil, 2, 1, 1)", lambda x, t: F.conv_transpose2d(x, t, None, 2, 1, 1), x, t, tol=tol)
        twice("max_pool2d", "F.max_pool2d(x * x, 2)", lambda x: F.max_pool2d(x * x, 2), x, tol=tol)
        twice("max_pool2d", "F.max_pool2d(x * x, 3, 2, 1)", lambda x: F.max_pool2d(x * x, 3, 2, 1), x, tol=tol)
        twice("max_pool1d", "F.max_pool1d(s * s, 3, 2)", lambda s: F.max_pool1d(s * s, 3, 2), s, tol=tol)
        twice("avg_pool2d", "F.avg_pool2d(x * x, 3, 2, 1)", lambda x: F.avg_pool2d(x * x, 3, 2, 1), x, tol=tol)
        twice("avg_pool2d", "F.avg_pool2d(x * x, 3, 2, 1, {count_include_pad = false})", lambda x: F.avg_pool2d(x * x, 3, 2, 1, count_include_pad=False), x, tol=tol)
        twice("adaptive_avg_pool2d", "F.adaptive_avg_pool2d(x * x, {4, 3})", lambda x: F.adaptive_avg_pool2d(x * x, (4, 3)), x, tol=tol)
        twice("adaptive_avg_pool2d", "F.adaptive_avg_pool2d(x * x, 1)", lambda x: F.adaptive_avg_pool2d(x * x, 1), x, tol=tol)
        twice("adaptive_max_pool2d", "F.adaptive_max_pool2d(x * x, {4, 3})", lambda x: F.adaptive_max_pool2d(x * x, (4, 3)), x, tol=tol)
        g, h = var("g", (4,), dtype), var("h", (4,), dtype, seed=3)
        mean, spread = Var("m", values((4,), dtype, seed=5)), Var("v", values((4,), dtype, low=1, high=3))
        tol = 1e-3 if dtype == F32 else 1e-8
        twice("batch_norm", "F.batch_norm(x, nil, nil, g, h, true)", lambda x, g, h: F.batch_norm(x, None, None, g, h, True), x, g, h, tol=tol)
        twice("batch_norm", "F.batch_norm(x, m, v, g, h)", lambda x, m, v, g, h: F.batch_norm(x, m, v, g, h), x, mean, spread, g, h, tol=tol)
        twice("group_norm", "F.group_norm(x, 2, g, h)", lambda x, g, h: F.group_norm(x, 2, g, h), x, g, h, tol=tol)
        twice("instance_norm", "F.instance_norm(x, nil, nil, g, h)", lambda x, g, h: F.instance_norm(x, weight=g, bias=h), x, g, h, tol=tol)
        l = var("l", (3, 4), dtype, layout)
        twice("layer_norm", "F.layer_norm(l, 4, g, h)", lambda l, g, h: F.layer_norm(l, (4,), g, h), l, g, h, tol=tol)
        twice("rms_norm", "F.rms_norm(l, 4, g)", lambda l, g: F.rms_norm(l, (4,), g), l, g, tol=tol)
    l, n = var("l", (5, 4)), var("n", (2, 4, 3))
    y, z = const("y", [1, 3, 0, 2, 2]), const("z", [[0, 1, 3], [2, 2, 1]])
    c = Var("c", values((4,), F64, low=1, high=3))
    twice("cross_entropy", "F.cross_entropy(l, y)", lambda l, y: F.cross_entropy(l, y), l, y)
    twice("cross_entropy", 'F.cross_entropy(l, y, {reduction = "sum", ignore_index = 2})', lambda l, y: F.cross_entropy(l, y, reduction="sum", ignore_index=2), l, y)
    twice("cross_entropy", "F.cross_entropy(l, y, c, {label_smoothing = 0.2, ignore_index = 2})", lambda l, y, c: F.cross_entropy(l, y, c, label_smoothing=0.2, ignore_index=2), l, y, c)
    twice("cross_entropy", 'F.cross_entropy(n, z, {reduction = "none", label_smoothing = 0.1})', lambda n, z: F.cross_entropy(n, z, reduction="none", label_smoothing=0.1), n, z)
    w, at = var("w", (6, 3)), const("at", [[0, 5, 2], [2, 2, 1]])
    twice("embedding", "F.embedding(at, w * w)", lambda at, w: F.embedding(at, w * w), at, w)
    twice("embedding", "F.embedding(at, w * w, {padding_idx = 2})", lambda at, w: F.embedding(at, w * w, padding_idx=2), at, w)
    x = var("x", (2, 3, 4, 5))
    for mode in ("nearest", "bilinear", "bicubic", "area"):
        twice("interpolate", f'F.interpolate(x * x, {{size = {{3, 7}}, mode = "{mode}"}})', lambda x, mode=mode: F.interpolate(x * x, (3, 7), mode=mode), x)
    a = var("a", (3, 4))
    twice("cumprod", "a:cumprod(1)", lambda a: a.cumprod(1), a)
    zero = Var("a", torch.tensor([[1.5, 0, 2, -1], [0, 0, 1, 2]], dtype=F64), "c", True)
    twice("cumprod", "a:cumprod(1)", lambda a: a.cumprod(1), zero)
    twice("linalg.svd", "select(2, tensor.linalg.svd(a, {full_matrices = false}))", lambda a: torch.linalg.svd(a, full_matrices=False)[1], a, tol=1e-8)
    flat = Var("a", torch.tensor([[1, 2, 3], [2, 4, 6], [1, 0, 1]], dtype=F64), "c", True)
    twice("linalg.det", "tensor.linalg.det(a) + a:sum()", lambda a: torch.linalg.det(a) + a.sum(), flat, tol=1e-7)
    m = var("m", (3, 3))
    twice("linalg.eigh", "(tensor.linalg.eigh(m + m:t()))", lambda m: torch.linalg.eigh(m + m.t())[0], m, tol=1e-8)
    twice("linalg.eigh", "select(2, tensor.linalg.eigh(m + m:t())):abs():square()", lambda m: torch.linalg.eigh(m + m.t())[1].abs().square(), m, tol=1e-7)

    # Views and places that were written to.
    def written(x):
        t = x * x
        t[0, 1] = x[1, 0] * 3
        return t

    x = var("x", (2, 3, 4))
    twice("copy_", "(function() local t = x * x; t[{0, 1}] = x[{1, 0}] * 3; return t end)()", written, x)

    def put(x, i):
        t = x * x
        t[i] = x[0] * x[1]
        return t

    twice("copy_", "(function() local t = x * x; t[i] = x[0] * x[1]; return t end)()", put, x, const("i", [1, 0]))

    # The gradient penalty of a critic (Gulrajani et al. 2017).
    def penalty(x, w, b, v):
        y = F.leaky_relu(F.conv2d(x, w, b, 2, 1), 0.2)
        y = F.layer_norm(y, tuple(y.shape[1:])).flatten(1) @ v
        g, = torch.autograd.grad(y.sum(), x, create_graph=True)
        return ((g.flatten(1).norm(2, 1) - 1) ** 2).mean()

    x, w, b, v = var("x", (2, 3, 6, 6)), var("w", (4, 3, 3, 3)), var("b", (4,)), var("v", (36,))
    code = (
        "local y = F.leaky_relu(F.conv2d(x, w, b, 2, 1), 0.2); y = F.layer_norm(y, {4, 3, 3}):flatten(1):matmul(v); "
        "local g = tensor.grad(y:sum(), x, {create_graph = true}); return ((g:flatten(1):norm(2, 1) - 1) ^ 2):mean()"
    )
    W.add(["grad", "conv2d", "leaky_relu"], HEAD + code, [x, w, b, v], lambda made: penalty(*[made[k] for k in "xwbv"]), tol=1e-8)


def padding():
    for dtype in (F32, F64):
        for layout in "ct":
            x, p = var("x", (2, 3, 5), dtype, layout), var("p", (2, 2, 4, 5), dtype, layout)
            for mode in ("reflect", "replicate", "circular"):
                for widths in ((2, 1), (0, 3), (0, 0), (-1, 2)):
                    if mode != "circular" or min(widths) >= 0:
                        raw("pad", f'F.pad(x, {{{widths[0]}, {widths[1]}}}, "{mode}")', lambda x, w=widths, m=mode: F.pad(x, w, mode=m), x)
                raw("pad", f'p:pad({{1, 2, 3, 0}}, {{mode = "{mode}"}})', lambda p, m=mode: F.pad(p, (1, 2, 3, 0), mode=m), p)
    x = var("x", (2, 3, 5))
    for code, py in (
        ('F.pad(x, {5, 0}, "reflect")', lambda x: F.pad(x, (5, 0), mode="reflect")),
        ('F.pad(x, {6, 0}, "circular")', lambda x: F.pad(x, (6, 0), mode="circular")),
        ('F.pad(x, {1, 1, 1, 1, 1, 1}, "reflect")', lambda x: F.pad(x, (1, 1, 1, 1, 1, 1), mode="reflect")),
        ('F.pad(x, {1}, "replicate")', lambda x: F.pad(x, (1,), mode="replicate")),
        ('F.pad(x, {1, 1}, "reflect", 2)', lambda x: F.pad(x, (1, 1), mode="reflect", value=2)),
    ):
        raw("pad", code, py, x, fail=True)
    raw("flip", "x:flip(0, 2)", lambda x: x.flip(0, 2), x)
    raw("flip", "x:flip(-1)", lambda x: x.flip(-1), x)
    c = const("c", [[True, False, True, True, False]], torch.bool)
    raw("where", "x:where(c, 2.5)", lambda x, c: x.where(c, 2.5), x, c)
    raw("where", "x:where(c, x * x)", lambda x, c: x.where(c, x * x), x, c)
    W.add(["randint"], "local r = tensor.randint(-1, 5, 20, 3); return #r == 20 and r:size(1) == 3 and r:min():item() == -1 and r:max():item() == 4", [], lambda made: True)
    W.add(["randint"], "return #tensor.randint(0, 5, 7) == 7 and #tensor.randint(5, {7}) == 7 and #tensor.randint{low = 0, high = 5, size = {7}} == 7", [], lambda made: True)
    raw("norm", 'm:norm("nuc")', lambda m: m.norm("nuc"), var("m", (3, 4)), tol=1e-9)
    raw("norm", 'x:norm("nuc", {0, 2})', lambda x: x.norm("nuc", dim=(0, 2)), x, tol=1e-9)
    raw("norm", 'x:norm("nuc", {0, 2}, true)', lambda x: x.norm("nuc", dim=(0, 2), keepdim=True), x, tol=1e-9)
    for dtype in (F32, F64):
        special = Var("x", values((8,), dtype, special=True))
        raw("silu", "x:silu()", F.silu, special)
        raw("gelu", 'x:gelu{approximate = "tanh"}', lambda x: F.gelu(x, approximate="tanh"), special)
    raw("gelu", "x:gelu()", F.gelu, Var("x", values((8,), F64, special=True)))


def resizing():
    for dtype in (F32, F64):
        x, s = var("x", (2, 3, 5, 7), dtype), var("s", (2, 3, 7), dtype)
        for size in ((3, 4), (10, 14), (5, 1), (8, 6)):
            text = f"{{{size[0]}, {size[1]}}}"
            for mode in ("bicubic", "area", "nearest-exact"):
                raw("interpolate", f'F.interpolate(x, {{size = {text}, mode = "{mode}"}})', lambda x, z=size, m=mode: F.interpolate(x, z, mode=m), x)
            raw("interpolate", f'F.interpolate(x, {{size = {text}, mode = "bicubic", align_corners = true}})', lambda x, z=size: F.interpolate(x, z, mode="bicubic", align_corners=True), x)
        for factor in (2, 0.5, 1.7):
            for mode in ("bicubic", "area", "nearest-exact"):
                raw("interpolate", f'F.interpolate(x, {{scale_factor = {factor}, mode = "{mode}"}})', lambda x, f=factor, m=mode: F.interpolate(x, scale_factor=f, mode=m), x)
        for mode in ("area", "nearest-exact"):
            raw("interpolate", f'F.interpolate(s, {{size = 4, mode = "{mode}"}})', lambda s, m=mode: F.interpolate(s, 4, mode=m), s)
        raw("interpolate", 'F.interpolate(s, {size = 4, mode = "bicubic"})', lambda s: F.interpolate(s, 4, mode="bicubic"), s, fail=True)
        raw("interpolate", 'F.interpolate(x, {size = 4, mode = "area", align_corners = true})', lambda x: F.interpolate(x, 4, mode="area", align_corners=True), x, fail=True)


second_gradients()
padding()
resizing()
W.save(os.path.join(os.path.dirname(os.path.abspath(__file__)), "functions.lua.gz"))
