#!/usr/bin/env python3
"""Writes tensor.lua.gz: cases for every function of the module `tensor`, with PyTorch's results.

    python3 Tests/Golden/make_tensor_cases.py        (needs torch and numpy; not run by the tests)
"""
import math
import os
import sys

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from golden_case import BOOL, F32, F64, I32, I64, U8, LETTERS, Raw, Var, Writer, call_text, substitute, values, variables  # noqa: E402

W = Writer()
ALL = [F32, F64, I64, I32, U8, BOOL]
INF, NAN = math.inf, math.nan


def var(name, shape, dtype=F32, layout="c", grad=True, **kw):
    return Var(name, values(shape, dtype, **kw), layout, grad)


def const(name, data, dtype=None, layout="c", grad=False):
    return Var(name, torch.tensor(data, dtype=dtype), layout, grad)


def torch_function(name):
    for place in (torch, torch.nn.functional):
        if callable(getattr(place, name, None)) and not isinstance(getattr(place, name), torch.dtype):
            return getattr(place, name)
    return lambda x, *a, **k: getattr(x, name)(*a, **k)


def call(name, *args, py=None, method=None, names=None, tol=None, fail=False, module="tensor", seed=None, **kw):
    """A call by name, in Lua as method when the first argument is a tensor."""
    method = isinstance(args[0], Var) if method is None and args else bool(method)
    f = py or torch_function(name)
    code = call_text(name, args, kw, method and module == "tensor", module)
    inputs = {v.name: v for v in variables(args + tuple(kw.values()))}
    W.add(names or [name], code, list(inputs.values()), lambda made: f(*substitute(args, made), **{k: substitute(v, made) for k, v in kw.items()}), tol=tol, must_fail=fail)


def twin(name, *args, **kw):
    """The in-place form on the first argument."""
    x = args[0]

    def run(made):
        t = made[x.name]
        out = getattr(t, name + "_")(*substitute(args[1:], made), **kw)
        assert out is t
        return out.detach()

    inputs = {v.name: v for v in variables(args + tuple(kw.values()))}
    W.add([name + "_"], call_text(name + "_", args, kw, True), list(inputs.values()), run, changed=x.name, grad=False)


def raw(names, code, py, *inputs, tol=None, fail=False, changed=None, grad=True):
    """Any Lua expression (or statements with `return`) beside a Python function of the same inputs."""
    W.add(names.split() if isinstance(names, str) else names, code, list(inputs), lambda made: py(*[made[v.name] for v in inputs]), tol=tol, must_fail=fail, changed=changed, grad=grad)


def check(names, code):
    """Lua that must give true: for what depends on random numbers or on the machine."""
    W.add(names.split(), code, [], lambda made: True)


def refuse(names, code, *inputs):
    """Lua that must be refused, where PyTorch cannot be asked in the same words."""
    def run(made):
        raise ValueError("refused")
    W.add(names.split(), code, list(inputs), run, must_fail=True)


# ---------------------------------------------------------------- elementwise functions of one tensor
POSITIVE = {"log", "log2", "log10", "log1p", "sqrt", "rsqrt"}
UNIT = {"asin", "acos"}
UNARY = """abs sign exp exp2 expm1 log log2 log10 log1p sqrt rsqrt square reciprocal sin cos tan asin acos atan sinh cosh
tanh sigmoid relu leaky_relu elu gelu silu softplus hardtanh erf erfc floor ceil round trunc frac neg isnan isinf isfinite
logical_not nan_to_num""".split()
IN_PLACE_UNARY = [n for n in UNARY if not n.startswith("is") and n not in ("gelu", "softplus", "hardtanh", "elu", "leaky_relu", "silu", "logical_not")]
ACTIVATIONS = {"relu": torch.relu, "leaky_relu": torch.nn.functional.leaky_relu, "elu": torch.nn.functional.elu, "gelu": torch.nn.functional.gelu,
               "silu": torch.nn.functional.silu, "softplus": torch.nn.functional.softplus, "hardtanh": torch.nn.functional.hardtanh}


def elementwise():
    for name in UNARY:
        domain = dict(low=0, high=3) if name in POSITIVE else dict(low=-1, high=1) if name in UNIT else {}
        f = ACTIVATIONS.get(name)
        for shape, dtype, layout in [((2, 3), F32, "c"), ((3, 4), F32, "t"), ((2, 5), F32, "s"), ((2, 3), F64, "c"), ((2, 2, 3), F64, "t"),
                                     ((), F32, "c"), ((), F64, "c"), ((0, 3), F32, "c"), ((1,), F64, "s"), ((19,), F32, "c")]:
            call(name, var("x", shape, dtype, layout, **domain), py=f)
        # PyTorch gives NaN for the limits of gelu and silu at infinity.
        if name not in ("gelu", "silu"):
            call(name, var("x", (8,), F32, special=True, grad=False), py=f)
            call(name, var("x", (8,), F64, special=True, grad=False), py=f)
        for dtype in (I64, I32, U8, BOOL):
            if f is None or dtype in (I64,):
                if f is not None and name not in ("relu",):
                    continue
                call(name, var("x", (2, 3), dtype), py=f)
    for name in IN_PLACE_UNARY:
        domain = dict(low=0, high=3) if name in POSITIVE else dict(low=-1, high=1) if name in UNIT else {}
        twin(name, var("x", (2, 3), F32, grad=False, **domain))
        twin(name, var("x", (2, 3), F64, "t", grad=False, **domain))
        twin(name, var("x", (2, 3), F32, "s", grad=False, **domain))
        twin(name, var("x", (2, 3), I64, grad=False))
        twin(name, var("x", (2, 3), F32, grad=True, **domain))  # a leaf: refused
    for name in ("leaky_relu", "elu", "silu", "hardtanh", "softplus", "gelu"):
        f = ACTIVATIONS[name]
        for layout in "cs":
            x = var("x", (2, 3), F32, layout, grad=False)
            raw([name + "_"], f"x:{name}_()", lambda t, f=f: t.copy_(f(t)), x, changed="x")
    twin("logical_not", var("x", (2, 3), I64, grad=False))
    twin("logical_not", var("x", (2, 3), BOOL, grad=False))
    x, d = var("x", (3, 4), F32), var("x", (3, 4), F64, "t")
    for t in (x, d):
        call("leaky_relu", t, 0.2, py=ACTIVATIONS["leaky_relu"])
        call("leaky_relu", t, negative_slope=0.3, py=ACTIVATIONS["leaky_relu"])
        call("elu", t, 0.5, py=ACTIVATIONS["elu"])
        call("elu", t, alpha=2, py=ACTIVATIONS["elu"])
        call("softplus", t, 2, py=ACTIVATIONS["softplus"])
        call("softplus", t, beta=0.5, threshold=1, py=ACTIVATIONS["softplus"])
        call("gelu", t, approximate="tanh", py=ACTIVATIONS["gelu"])
        call("hardtanh", t, -0.5, 0.7, py=ACTIVATIONS["hardtanh"])
        call("hardtanh", t, min_val=-2, py=ACTIVATIONS["hardtanh"])
        for decimals in (1, 2, -1):
            call("round", t, decimals=decimals)
        call("round", t, decimals=3)
    for dtype in (F32, F64):
        x = var("x", (8,), dtype, special=True)
        call("nan_to_num", x, 2.5)
        call("nan_to_num", x, nan=1, posinf=9, neginf=-9)
        call("nan_to_num", x, posinf=7)
    call("nan_to_num", var("x", (3,), I64), 3)
    for name in ("exp", "log", "sqrt", "sigmoid"):
        raw([name], f'tensor.{name}("a")', lambda: torch.exp("a"), fail=True)

    # clamp
    for dtype in (F32, F64, I64, I32, U8):
        for layout in "cst":
            x = var("x", (3, 4), dtype, layout)
            call("clamp", x, 0, 2)
        x = var("x", (3, 4), dtype)
        call("clamp", x, min=1)
        call("clamp", x, max=1)
        call("clamp", x, None, 1)
        call("clamp", x, 2, 1)
        twin("clamp", var("x", (3, 4), dtype, grad=False), 0, 1)
        call("clamp", x, 0.5, 1.5)
    x = var("x", (3, 4))
    call("clamp", x, var("a", (4,), low=-2, high=0), var("b", (3, 1), low=0, high=2))
    call("clamp", x, min=var("a", (4,), low=-2, high=0))
    call("clamp", x, max=var("a", (), low=-2, high=0))
    call("clamp", var("x", (8,), special=True), -1, 1)
    call("clamp", const("x", [-1.0, 0, 1, 2], grad=True), 0, 1)
    call("clamp", const("x", [1.0, 2]), NAN, 1.0)
    call("clamp", x, fail=True)
    call("clamp", var("x", (2, 3), BOOL), 0, 1)


# ---------------------------------------------------------------- elementwise functions of two tensors
OPERATORS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "^", "remainder": "%", "floor_divide": "//"}
BINARY = ["add", "sub", "mul", "div", "pow", "remainder", "floor_divide", "atan2", "maximum", "minimum"]
COMPARE = ["eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor"]


def second(name, shape, dtype, layout="c", **kw):
    """A second operand without zeros where it divides, small where it is an exponent."""
    if name in ("remainder", "floor_divide"):
        t = values(shape, dtype, **kw)
        return Var("y", torch.where(t == 0, torch.ones_like(t), t), layout, True)
    if name == "div":
        return var("y", shape, dtype, layout, low=1, high=4)
    if name == "pow":
        return var("y", shape, dtype, layout, low=0, high=3)
    return var("y", shape, dtype, layout, seed=1, **kw)


def binary():
    for name in BINARY + COMPARE:
        domain = dict(low=0.5, high=3) if name == "pow" else {}
        for a, b, la, lb in [((2, 3), (2, 3), "c", "c"), ((3, 4), (4,), "c", "c"), ((3, 1), (4,), "s", "c"), ((2, 3), (), "t", "c"),
                             ((3, 4), (3, 4), "t", "c"), ((2, 1, 3), (4, 1), "c", "s"), ((0, 3), (3,), "c", "c"), ((), (), "c", "c"), ((3, 4), (3, 4), "s", "t")]:
            for dtype in (F32, F64):
                call(name, var("x", a, dtype, la, **domain), second(name, b, dtype, lb))
        for da in ALL:
            for db in ALL:
                if name in ("atan2", "logical_xor", "lt", "ge", "minimum") and da != db and (da, db) not in ((I64, F32), (U8, I32)):
                    continue
                if name == "pow" and da in (I64, I32, U8):
                    call(name, var("x", (2, 3), da, low=0, high=3), second(name, (2, 3), db))
                else:
                    call(name, var("x", (2, 3), da, **domain), second(name, (2, 3), db))
        # 0-d tensors and numbers do not raise the dtype within a category.
        for da, db in [(F32, F64), (I32, I64), (U8, I64), (I64, F64), (BOOL, I64), (F32, I64), (U8, F64)]:
            if name == "atan2" and da == U8:
                continue  # PyTorch's gradient squares x in uint8, which wraps
            call(name, var("x", (2, 3), da, **domain), second(name, (), db))
        if name in ("maximum", "minimum", "atan2"):
            call(name, var("x", (8,), F32, special=True, grad=False), const("y", [1.0, NAN, 2, -INF, 0, 3, 4, 5]))
            continue
        for dtype in ALL:
            if name == "pow" and dtype == BOOL:
                continue
            for number in (2, 1.5):
                f = torch_function(name)
                if name.startswith("logical"):
                    raw([name], f"x:{name}({number})", lambda x, n=number, f=f: f(x, torch.tensor(n)), var("x", (2, 3), dtype))
                    continue
                raw([name], f"x:{name}({number})", lambda x, n=number, f=f: f(x, n), var("x", (2, 3), dtype, **domain))
        call(name, var("x", (2, 3)), var("y", (2, 4)), fail=True)
        call(name, var("x", (8,), F32, special=True, grad=False), const("y", [1.0, NAN, 2, -INF, 3, 3, 4, 5]))
    for name, sign in OPERATORS.items():
        f = torch_function(name)
        for x in (var("x", (2, 3), F32, low=0.5, high=3), var("x", (2, 3), F64, "t", low=0.5, high=3), var("x", (2, 3), I64, low=1, high=3)):
            raw([name], f"x {sign} 2", lambda x, f=f: f(x, 2), x)
            raw([name], f"2 {sign} x", lambda x, f=f: f(torch.tensor(2, dtype=x.dtype), x) if f is torch.floor_divide else f(2, x) if name in ("pow", "remainder", "floor_divide") else {"add": 2 + x, "sub": 2 - x, "mul": 2 * x, "div": 2 / x}[name], x)
            raw([name], f"x {sign} y", f, x, second(name, (2, 3), F32))
            raw([name], f"0.5 {sign} x", lambda x, n=name: {"add": lambda: 0.5 + x, "sub": lambda: 0.5 - x, "mul": lambda: 0.5 * x, "div": lambda: 0.5 / x,
                                                            "pow": lambda: torch.pow(0.5, x), "remainder": lambda: torch.remainder(0.5, x),
                                                            "floor_divide": lambda: torch.floor_divide(torch.tensor(0.5), x)}[n](), x)
    raw("neg", "-x", lambda x: -x, var("x", (2, 3)))
    raw("neg", "-x", lambda x: -x, var("x", (2, 3), I64))
    raw("neg", "-x", lambda x: -x, var("x", (2, 3), BOOL), fail=True)
    # in place
    for name in COMPARE:
        for dtype, layout in [(F32, "c"), (F64, "s"), (I64, "c"), (BOOL, "c")]:
            twin(name, var("x", (3, 4), dtype, layout, grad=False), second(name, (4,), dtype))
    raw("std", "x:std(false)", lambda x: x.std(False), var("x", (3, 4)))
    raw("var", "x:var(false)", lambda x: x.var(False), var("x", (3, 4)))
    for name in ("add", "sub", "mul", "div", "pow", "remainder", "floor_divide", "atan2"):
        for dtype, layout in [(F32, "c"), (F64, "t"), (F32, "s"), (I64, "c"), (U8, "c")]:
            x = var("x", (3, 4), dtype, layout, grad=False, **(dict(low=1, high=3) if name == "pow" else {}))
            twin(name, x, second(name, (3, 4), dtype))
            twin(name, x, second(name, (4,), dtype))
        twin(name, var("x", (4,), F32, grad=False), second(name, (3, 4), F32))  # would grow: refused
        twin(name, var("x", (3, 4), I64, grad=False), second(name, (3, 4), F32))  # float into integer: refused
        twin(name, var("x", (3, 4), F32, grad=True), second(name, (3, 4), F32))  # a leaf: refused
        if name != "atan2":
            raw([name + "_"], f"x:{name}_(2)", lambda x, n=name: getattr(x, n + "_")(2), var("x", (2, 3), F32, grad=False, low=1, high=3), changed="x")
            raw([name + "_"], f"local y = x * 1.5; y:{name}_(2); return y", lambda x, n=name: getattr(x * 1.5, n + "_")(2), var("x", (2, 3), F64, low=1, high=3))
    for dtype in (F32, F64, I64):
        x, y = var("x", (2, 3), dtype), var("y", (3,), dtype, seed=4)
        call("add", x, y, alpha=2)
        call("sub", x, y, alpha=3)
        twin("add", var("x", (2, 3), dtype, grad=False), y, alpha=2)
    call("add", var("x", (2,), I64), var("y", (2,), I64), alpha=0.5, fail=True)
    call("sub", var("x", (2,), BOOL), var("y", (2,), BOOL), fail=True)
    for mode in ("floor", "trunc"):
        for dtype in (F32, F64, I64, I32, U8):
            call("div", var("x", (3, 4), dtype, low=-9, high=9), second("remainder", (4,), dtype), rounding_mode=mode)
    call("div", var("x", (3, 4)), second("div", (3, 4), F32), rounding_mode="floor")
    for name in ("remainder", "floor_divide"):
        call(name, const("x", [1, 2]), const("y", [1, 0]), fail=True)
        call(name, const("x", [1.0, -2.0, 0.0]), const("y", [0.0, 0.0, 0.0]))
    call("div", const("x", [1, -2, 0]), const("y", [0, 0, 0]))
    refuse("floor_divide", "tensor({1, 2}, {dtype = 'int32'}) // tensor(1 << 32)")
    refuse("remainder", "tensor({1, 2}, {dtype = 'int32'}) % (1 << 32)")
    raw("round", "x:round({decimals = 400}) == nil", lambda x: False, const("x", [1.5]))
    raw("slice", "x:slice(0, 0, 2, math.maxinteger)", lambda x: x[0:2:2**62], const("x", [1.5, 2.5]))
    call("div", const("x", [1, 2]), const("y", [1, 0]), rounding_mode="trunc", fail=True)
    call("pow", const("x", [2, 3]), const("y", [-1, 2]))
    raw("pow", "x:pow(-1)", lambda x: x.pow(-1), const("x", [2, 3]), fail=True)
    for e in (0, 1, 2, 3, 0.5, -1, -2.5):
        call("pow", var("x", (6,), F32, low=0.5, high=3), e)
        call("pow", const("x", [0.0, 1.0, -2.0, 2.0], F64, grad=True), e)
    raw("add", "x + 1", lambda x: x + 1, const("x", [2**31 - 1, -(2**31)], I32))
    raw("mul", "x * x", lambda x: x * x, const("x", [2**62, -(2**62) + 1, 3**39], I64))
    raw("add", "x + y", lambda x, y: x + y, const("x", [200, 255], U8), const("y", [100, 1], U8))
    raw("sub", "x - y", lambda x, y: x - y, const("x", [2, 5], U8), const("y", [3, 1], U8))
    # lerp
    for dtype in (F32, F64):
        for layout in "cst":
            x, y = var("x", (3, 4), dtype, layout), var("y", (3, 4), dtype, seed=2)
            call("lerp", x, y, 0.3)
            call("lerp", x, y, 0.8)
            call("lerp", x, y, var("w", (4,), dtype, low=0, high=1))
        call("lerp", var("x", (4,), dtype), var("y", (3, 4), dtype, seed=2), 0.25)
        twin("lerp", var("x", (3, 4), dtype, grad=False), var("y", (4,), dtype, grad=False), 0.5)
    call("lerp", var("x", (2,), I64), var("y", (2,), I64), 0.5, fail=True)
    call("lerp", var("x", (2,), F32), var("y", (2,), F64), 0.5, fail=True)
    # where, equal, allclose, isclose
    for da, db in [(F32, F32), (F64, F32), (I64, F32), (I32, I64), (BOOL, BOOL), (U8, I64)]:
        c = var("c", (3, 4), BOOL)
        raw("where", "tensor.where(c, x, y)", torch.where, c, var("x", (3, 4), da), var("y", (4,), db, seed=3))
        raw("where", "tensor.where(c, x, y)", torch.where, c, var("x", (), da), var("y", (3, 1), db, "s", seed=3))
    raw("where", "tensor.where(c, x, 0)", lambda c, x: torch.where(c, x, 0), var("c", (3, 4), BOOL, "t"), var("x", (3, 4), F32, "s"))
    raw("where", "tensor.where(c, 1.5, x)", lambda c, x: torch.where(c, 1.5, x), var("c", (3, 4), BOOL), var("x", (3, 4), I64))
    raw("where", "tensor.where(c, 1, 0)", lambda c: torch.where(c, 1, 0), var("c", (2, 3), BOOL))
    raw("where", "tensor.where(c)", lambda c: {"list": list(torch.where(c))}, var("c", (2, 3), BOOL))
    raw("where", "tensor.where(c, x, x)", torch.where, const("c", [1.0, 0]), const("x", [1.0, 2]), fail=False) if False else None
    raw("where", "tensor.where(c, x, y)", torch.where, var("c", (2, 3), BOOL), var("x", (2,)), var("y", (3,)), fail=True)
    for d in (F32, I64, BOOL, F64):
        raw("equal", "x:equal(y)", torch.equal, var("x", (2, 3), d), var("y", (2, 3), d))
        raw("equal", "x:equal(y)", torch.equal, var("x", (2, 3), d), var("y", (3, 2), d))
        raw("equal", "x:equal(y)", torch.equal, var("x", (2, 3), d), var("y", (2, 3), d, seed=5))
    raw("equal", "x:equal(y)", torch.equal, const("x", [NAN]), const("y", [NAN]))
    for pair in ([1.0, 2.0], [1.0, 2.00001]), ([1.0], [1.001]), ([NAN], [NAN]), ([INF, -INF], [INF, -INF]), ([INF], [1.0]), ([0.0], [1e-9]):
        x, y = const("x", pair[0]), const("y", pair[1])
        call("allclose", x, y)
        call("allclose", x, y, 1e-2)
        call("allclose", x, y, rtol=1e-6, atol=0.1)
        call("allclose", x, y, equal_nan=True)
        call("isclose", x, y)
        call("isclose", x, y, equal_nan=True)
        call("isclose", x, y, atol=1e-2)
    call("isclose", const("x", [1, 2, 3]), const("y", [1, 2, 4]))
    call("allclose", const("x", [1.0]), const("y", [1.0], F64), fail=True)
    call("isclose", const("x", [1.0, 2.0, 3.0]), const("y", [[1.0], [3.0]]))


# ---------------------------------------------------------------- reductions
def reductions():
    SHAPES = [((3, 4), "c"), ((2, 3, 4), "c"), ((3, 4), "t"), ((2, 3, 4), "s"), ((2, 3, 4), "t")]
    for name in ("sum", "mean", "prod", "amax", "amin", "std", "var", "norm", "all", "any", "count_nonzero"):
        keep = {} if name == "count_nonzero" else dict(keepdim=True)
        dtypes = (F32, F64) if name in ("mean", "std", "var", "norm") else ALL
        f = (lambda x, *a, **k: torch.norm(x, *a, **k)) if name == "norm" else torch_function(name)
        p = (2,) if name == "norm" else ()
        for shape, layout in SHAPES:
            for dtype in (F32, F64):
                x = var("x", shape, dtype, layout)
                call(name, x, *p, py=f)
                for dim in (0, -1):
                    call(name, x, *p, dim, py=f)
                    if name in ("std", "var"):
                        call(name, x, dim, keepdim=True)
                        call(name, x, dim, False)
                        call(name, x, dim, True, True)
                    elif keep:
                        call(name, x, *p, dim, True, py=f)
            if name not in ("prod",) and len(shape) == 3:
                call(name, x, *p, [0, 2], py=f)
                if keep:
                    if name not in ("std", "var"):
                        call(name, x, *p, [0, 1], True, py=f)
                    call(name, x, *p, **({} if p else {}), dim=[1, 2], keepdim=True, py=f) if name != "count_nonzero" else None
        for dtype in dtypes:
            call(name, var("x", (2, 3), dtype), *p, py=f)
            call(name, var("x", (2, 3), dtype), *p, 1, py=f)
            call(name, var("x", (), dtype), *p, py=f)
            call(name, var("x", (), dtype), *p, 0, py=f)
            call(name, var("x", (0,), dtype), *p, py=f)
            call(name, var("x", (0, 3), dtype), *p, 0, py=f)
            call(name, var("x", (0, 3), dtype), *p, 1, py=f)
        call(name, var("x", (2, 3)), *p, 2, py=f, fail=True)
        call(name, var("x", (2, 3)), *p, -3, py=f, fail=True)
        if name not in ("prod",):
            call(name, var("x", (2, 3)), *p, [0, 0], py=f, fail=True)
        call(name, var("x", (8,), F32, special=True, grad=False), *p, py=f)
    call("mean", var("x", (2, 3), I64), fail=True)
    for dtype in (U8, I32):
        call("sum", var("x", (2, 3), I64), 0, dtype=dtype)
        call("sum", var("x", (2, 3), I64), dtype=dtype)
        call("prod", var("x", (2, 3), I64), 1, dtype=dtype)
    call("sum", var("x", (2, 3), BOOL), dtype=U8)
    for dtype in (F64, F32, I64):
        call("sum", var("x", (2, 3), I32), dtype=dtype)
        call("sum", var("x", (2, 3), F32, grad=dtype != I64), 0, dtype=dtype)
        call("prod", var("x", (2, 3), I32), dtype=dtype)
        call("prod", var("x", (2, 3), F32, grad=dtype != I64), 1, dtype=dtype)
        call("cumsum", var("x", (2, 3), F32, grad=dtype != I64), 1, dtype=dtype)
        call("cumprod", var("x", (2, 3), I32), 1, dtype=dtype)
        if dtype != I64:
            call("mean", var("x", (2, 3), I64), dtype=dtype)
            call("softmax", var("x", (2, 3), F32), 1, dtype=dtype)
            call("log_softmax", var("x", (2, 3), F32), 1, dtype=dtype)
    call("prod", const("x", [[0.0, 2, 3], [0, 0, 4], [1, 2, 3]], F64, grad=True), 1)
    call("prod", const("x", [0.0, 2, 3], F64, grad=True))
    for name in ("std", "var"):
        for kw in (dict(unbiased=False), dict(correction=0), dict(correction=2), dict(unbiased=True)):
            for dtype in (F32, F64):
                py = lambda x, unbiased=None, correction=None, n=name: getattr(torch, n)(x, unbiased=unbiased) if unbiased is not None else getattr(torch, n)(x, correction=correction)
                call(name, var("x", (3, 4), dtype), py=py, **kw)
                py = lambda x, d, unbiased=None, correction=None, n=name: getattr(torch, n)(x, d, unbiased=unbiased) if unbiased is not None else getattr(torch, n)(x, d, correction=correction)
                call(name, var("x", (3, 4), dtype, "t"), 1, py=py, **kw)
        call(name, var("x", (1,)))
        call(name, var("x", (3, 1)), 1)
        call(name, var("x", (3,), I64), fail=True)
    for p in (0, 1, 2, 3, 0.5, -1, INF, -INF, "fro"):
        for dtype in (F32, F64):
            if p != "fro":
                call("norm", var("x", (3, 4), dtype), p, py=torch.norm)
                call("norm", var("x", (3, 4), dtype, "t"), p, 1, py=torch.norm)
                call("norm", var("x", (3, 4), dtype), p, 0, True, py=torch.norm)
            else:
                call("norm", var("x", (3, 4), dtype), p, py=torch.norm)
    call("norm", const("x", [0.0, 0.0], F64, grad=True), py=torch.norm)
    call("norm", const("x", [1, 2]), py=torch.norm, fail=True)
    for name in ("max", "min"):
        for dtype in ALL:
            for shape, layout in [((3, 4), "c"), ((2, 3, 4), "t"), ((3, 4), "s")]:
                x = var("x", shape, dtype, layout)
                call(name, x)
                call("arg" + name, x)
                for dim in (0, -1):
                    raw([name], f"x:{name}({dim})", lambda x, d=dim, n=name: distinct(tuple(getattr(x, n)(d)), x, d), x)
                    call("a" + name, x, dim)
                    raw(["arg" + name], f"x:arg{name}({dim}, true)", lambda x, d=dim, n=name: first(x, n, d), x)
            raw([name], f"x:{name}(1, true)", lambda x, n=name: distinct(tuple(getattr(x, n)(1, True)), x, 1), var("x", (3, 4), dtype))
            raw([name], f"x:{name}({{dim = 0, keepdim = true}})", lambda x, n=name: distinct(tuple(getattr(x, n)(dim=0, keepdim=True)), x, 0), var("x", (3, 4), dtype))
        for dtype in (F32, F64):
            call(name, var("x", (3, 4), dtype), var("y", (4,), dtype))
            call(name, const("x", [1.0, 3, 3, 2], dtype, grad=True))
            call("a" + name, const("x", [[1.0, 3, 3, 2], [2, 2, 2, 2]], dtype, grad=True), 1)
            call(name, const("x", [[1.0, NAN, 3], [2, 5, 1]], dtype, grad=True), 1, py=lambda x, d, n=name: tuple(getattr(x, n)(d)))
            call("arg" + name, const("x", [1.0, NAN, 3, NAN], dtype))
        raw([name], f"x:{name}(0)", lambda x, n=name: tuple(getattr(x, n)(0)), var("x", ()))
        call("arg" + name, var("x", ()), 0)
        call("arg" + name, var("x", ()))
        call(name, var("x", (0,)), fail=True)
        call(name, var("x", (0, 3)), 0, fail=True)
        raw([name], f"x:{name}(0)", lambda x, n=name: tuple(getattr(x, n)(0)), var("x", (3, 0)))
        call("arg" + name, var("x", (0,)), fail=True)
        call("arg" + name, var("x", (3, 0)), 0)
        call("a" + name, var("x", (0, 3)), 0, fail=True)
        call("arg" + name, var("x", (2, 3)), 2, fail=True)
        call(name, var("x", (2, 3)), 2, fail=True)
    for dtype in (F32, F64):
        for layout in "cst":
            x = var("x", (2, 3, 4), dtype, layout)
            for dim in (0, 1, -1):
                call("logsumexp", x, dim)
                call("softmax", x, dim)
                call("log_softmax", x, dim)
                call("cumsum", x, dim)
                call("cumprod", x, dim)
            call("logsumexp", x, [0, 2], True)
            call("logsumexp", x, [0, 1])
        for name in ("softmax", "log_softmax", "cumsum", "cumprod", "logsumexp"):
            call(name, var("x", (), dtype), 0)
            call(name, var("x", (0, 3), dtype), 1)
            call(name, var("x", (0, 3), dtype), 0)
            call(name, var("x", (2, 3), dtype), 2, fail=True)
        call("softmax", const("x", [1000.0, 1001, -1000], dtype, grad=True), 0)
        call("log_softmax", const("x", [1000.0, 1001, -1000], dtype, grad=True), 0)
        call("logsumexp", const("x", [[1000.0, 1001], [-INF, -INF], [INF, 1]], dtype), 1)
        call("cumprod", const("x", [[0.0, 2, 3, 1], [1, 0, 3, 2], [1, 0, 0, 2]], dtype, grad=True), 1)
    for name in ("cumsum", "cumprod"):
        for dtype in (I64, I32, U8, BOOL):
            call(name, var("x", (2, 3), dtype), 1)
            call(name, var("x", (2, 3), dtype), 0)
        for layout in "cst":
            twin(name, var("x", (2, 3), F32, layout, grad=False), 1)
        twin(name, var("x", (2, 3), I64, grad=False), 0)
    call("softmax", var("x", (3,), I64), 0, fail=True)
    call("logsumexp", var("x", (3,), I64), 0)


def distinct(result, x, dim):
    """max/min along a dim; PyTorch's position of equal values is not defined, ours is the first."""
    v, i = result
    if x.ndim and x.shape[dim] > 1:
        keep = v if v.ndim == x.ndim else v.unsqueeze(dim)
        first_hit = (x.detach() == keep.detach()).to(torch.uint8).argmax(dim, keepdim=v.ndim == x.ndim)
        return v, first_hit
    return v, i


def first(x, name, dim):
    v = getattr(x, name)(dim, keepdim=True)[0]
    return (x == v).to(torch.uint8).argmax(dim, keepdim=True)


# ---------------------------------------------------------------- shapes
def shapes():
    for dtype, layout in [(F32, "c"), (F64, "t"), (F32, "s"), (I64, "t"), (BOOL, "c")]:
        x = var("x", (2, 3, 4), dtype, layout)
        call("reshape", x, 6, 4, py=lambda x, *s: x.reshape(*s))
        call("reshape", x, [-1, 8], py=lambda x, *s: x.reshape(*s))
        call("reshape", x, -1, py=lambda x, *s: x.reshape(*s))
        call("flatten", x)
        call("flatten", x, 1)
        call("flatten", x, 0, 1)
        call("flatten", x, start_dim=1, end_dim=-1)
        call("unflatten", x, 2, [2, 2])
        call("unflatten", x, -1, [-1, 4])
        call("transpose", x, 0, 1)
        call("transpose", x, -1, 0)
        call("permute", x, 2, 0, 1, py=lambda x, *d: x.permute(*d))
        call("permute", x, [1, 0, -1], py=lambda x, d: x.permute(d))
        call("unsqueeze", x, 0)
        call("unsqueeze", x, -1)
        call("unsqueeze", x, 2)
        call("narrow", x, 1, 1, 2)
        call("narrow", x, -1, 0, 0)
        call("narrow", x, 0, -1, 1)
        call("select", x, 0, 1)
        call("select", x, -1, -2)
        call("flip", x, 0, py=lambda x, d: x.flip(d))
        call("flip", x, [0, 2])
        call("roll", x, 1)
        call("roll", x, [1, -2], [0, 2])
        call("roll", x, 5, 1)
        call("repeat_interleave", x, 2)
        call("repeat_interleave", x, 2, 1)
        call("repeat_interleave", x, const("r", [1, 0, 2]), 1)
        call("tile", x, 2, py=lambda x, *d: x.tile(*d))
        call("tile", x, 2, 1, 2, py=lambda x, *d: x.tile(*d))
        call("tile", x, [2, 1, 1, 1], py=lambda x, d: x.tile(d))
        raw("slice", "x:slice(2, 1, 4, 2)", lambda x: x[:, :, 1:4:2], x)
        raw("slice", "x:slice(1, nil, -1)", lambda x: x[:, :-1], x)
        raw("slice", "x:slice(0, 1)", lambda x: x[1:], x)
        raw("slice", "x:slice(1, 5, 9)", lambda x: x[:, 5:9], x)
        raw("split", "x:split(2, 2)", lambda x: {"list": list(x.split(2, 2))}, x)
        raw("split", "x:split(2, 1)", lambda x: {"list": list(x.split(2, 1))}, x)
        raw("split", "x:split({1, 3}, 2)", lambda x: {"list": list(x.split([1, 3], 2))}, x)
        raw("split", "x:split(1)", lambda x: {"list": list(x.split(1))}, x)
        raw("chunk", "x:chunk(2, 1)", lambda x: {"list": list(x.chunk(2, 1))}, x)
        raw("chunk", "x:chunk(5, -1)", lambda x: {"list": list(x.chunk(5, -1))}, x)
        raw("chunk", "x:chunk(2)", lambda x: {"list": list(x.chunk(2))}, x)
        raw("unbind", "x:unbind()", lambda x: {"list": list(x.unbind())}, x)
        raw("unbind", "x:unbind(-1)", lambda x: {"list": list(x.unbind(-1))}, x)
        call("contiguous", x)
        call("clone", x)
        call("detach", x)
        call("diagonal", x)
        call("diagonal", x, 1, 0, 2)
        call("diagonal", x, offset=-1, dim1=1, dim2=2)
        raw("T", "x.T", lambda x: x.permute(2, 1, 0), x)
        y = var("y", (1, 3, 1), dtype, layout)
        call("squeeze", y)
        call("squeeze", y, 0)
        call("squeeze", y, 1)
        call("squeeze", y, [0, 2])
        call("expand", y, 2, 3, 4, py=lambda x, *s: x.expand(*s))
        call("expand", y, [5, -1, 3, 2], py=lambda x, s: x.expand(s)) if False else call("expand", y, [5, -1, -1, 2], py=lambda x, s: x.expand(5, 1, 3, 2))
        call("expand_as", y, var("x", (2, 3, 4), dtype))
        m = var("m", (2, 3), dtype, layout)
        call("t", m)
        raw("t", "v:t()", lambda v: v.t(), var("v", (3,), dtype))
        raw("cat", "tensor.cat({m, m}, 0)", lambda m: torch.cat([m, m]), m)
        raw("cat", "tensor.cat({m, z}, -1)", lambda m, z: torch.cat([m, z], -1), m, var("z", (2, 1), dtype))
        raw("cat", "tensor.cat({m, z})", lambda m, z: torch.cat([m, z]), m, var("z", (0,), dtype))
        raw("stack", "tensor.stack({m, m})", lambda m: torch.stack([m, m]), m)
        raw("stack", "tensor.stack({m, m}, {dim = -1})", lambda m: torch.stack([m, m], -1), m)
        raw("hstack", "tensor.hstack{m, m}", lambda m: torch.hstack([m, m]), m)
        raw("hstack", "tensor.hstack{v, v}", lambda v: torch.hstack([v, v]), var("v", (3,), dtype))
        raw("hstack", "tensor.hstack{v, v}", lambda v: torch.hstack([v, v]), var("v", (), dtype))
        raw("vstack", "tensor.vstack{m, m}", lambda m: torch.vstack([m, m]), m)
        raw("vstack", "tensor.vstack{v, m}", lambda v, m: torch.vstack([v, m]), var("v", (3,), dtype), m)
        raw("vstack", "tensor.vstack{v, v}", lambda v: torch.vstack([v, v]), var("v", (), dtype))
        raw("broadcast_tensors", "local l = tensor.broadcast_tensors(m, v); return {l[1]:clone(), l[2]:clone()}", lambda m, v: {"list": [t.clone() for t in torch.broadcast_tensors(m, v)]}, m, var("v", (3,), dtype))
        raw("broadcast_tensors", "tensor.broadcast_tensors(a, b)", lambda a, b: {"list": list(torch.broadcast_tensors(a, b))}, var("a", (2, 1), dtype), var("b", (3,), dtype))
        raw("meshgrid", "tensor.meshgrid(a, b)", lambda a, b: {"list": list(torch.meshgrid(a, b, indexing="ij"))}, var("a", (2,), dtype), var("b", (3,), dtype))
        raw("meshgrid", 'tensor.meshgrid(a, b, {indexing = "xy"})', lambda a, b: {"list": list(torch.meshgrid(a, b, indexing="xy"))}, var("a", (2,), dtype), var("b", (3,), dtype))
        pad = torch.nn.functional.pad
        call("pad", x, [1, 2], py=pad)
        call("pad", x, [1, 0, 2, 1], py=pad)
        call("pad", x, [-1, 1], py=pad)
        call("pad", x, [1, 1], value=1, py=lambda x, p, value: pad(x, p, value=value))
        call("pad", x, [1, 1, 0, 0, 0, 1], "constant", 2, py=lambda x, p, m, v: pad(x, p, m, v))
    for d in (F32, I64):
        raw("view", "x:view(3, 2)", lambda x: x.view(3, 2), var("x", (2, 3), d))
        raw("view", "x:view({-1})", lambda x: x.view(-1), var("x", (2, 3), d))
        raw("view", "x:view(-1)", lambda x: x.view(-1), var("x", (2, 3), d, "t"), fail=True)
        raw("view", "x:view(2, 3, 1)", lambda x: x.view(2, 3, 1), var("x", (2, 3), d, "t"))
        raw("view", "x:view(2, 2, 2)", lambda x: x.view(2, 2, 2), var("x", (2, 4), d, "s"))
        raw("reshape", "x:reshape({})", lambda x: x.reshape(()), var("x", (1, 1), d))
        raw("reshape", "x:reshape(0, 7)", lambda x: x.reshape(0, 7), var("x", (3, 0), d))
        raw("reshape", "x:reshape(4, -1)", lambda x: x.reshape(4, -1), var("x", (0, 4), d))
    for code, f in [("x:reshape(5)", lambda x: x.reshape(5)), ("x:reshape(-1, -1)", lambda x: x.reshape(-1, -1)), ("x:reshape(-2)", lambda x: x.reshape(-2)),
                    ("x:reshape(4, -1)", lambda x: x.reshape(4, -1)), ("x:transpose(0, 2)", lambda x: x.transpose(0, 2)), ("x:permute(0)", lambda x: x.permute(0)),
                    ("x:permute(0, 0)", lambda x: x.permute(0, 0)), ("x:unsqueeze(3)", lambda x: x.unsqueeze(3)), ("x:squeeze(2)", lambda x: x.squeeze(2)),
                    ("x:narrow(1, 2, 2)", lambda x: x.narrow(1, 2, 2)), ("x:narrow(0, 0, -1)", lambda x: x.narrow(0, 0, -1)), ("x:select(0, 2)", lambda x: x.select(0, 2)),
                    ("x:select(0, -3)", lambda x: x.select(0, -3)), ("x:flip({0, 0})", lambda x: x.flip([0, 0])), ("x:flip(2)", lambda x: x.flip(2)),
                    ("x:expand(2, 4)", lambda x: x.expand(2, 4)), ("x:expand(3)", lambda x: x.expand(3)), ("x:expand(-1, 2, 3)", lambda x: x.expand(-1, 2, 3)),
                    ("x:split(0)", lambda x: x.split(0)), ("x:split({1, 3})", lambda x: x.split([1, 3])), ("x:split(-1)", lambda x: x.split(-1)),
                    ("x:chunk(0)", lambda x: x.chunk(0)), ("x:flatten(1, 0)", lambda x: x.flatten(1, 0)), ("x:unflatten(1, {2, 2})", lambda x: x.unflatten(1, (2, 2))),
                    ("x:roll({1, 2})", lambda x: x.roll((1, 2))), ("x:roll({1, 2}, {0})", lambda x: x.roll((1, 2), (0,))),
                    ("x:repeat_interleave(-1)", lambda x: x.repeat_interleave(-1)), ("x:repeat_interleave(tensor{1, 2, 3}, 0)", lambda x: x.repeat_interleave(torch.tensor([1, 2, 3]), 0)),
                    ("x:tile(-1)", lambda x: x.tile(-1)), ("tensor.cat({x, x:t()})", lambda x: torch.cat([x, x.t()])), ("tensor.cat({x, x}, 2)", lambda x: torch.cat([x, x], 2)),
                    ("tensor.cat({})", lambda x: torch.cat([])), ("tensor.stack({x, x:t()})", lambda x: torch.stack([x, x.t()])), ("tensor.stack({})", lambda x: torch.stack([])),
                    ("x:unsqueeze(0):t()", lambda x: x.unsqueeze(0).t()), ("x:diagonal(0, 0, 0)", lambda x: x.diagonal(0, 0, 0)),
                    ("x:pad({1})", lambda x: torch.nn.functional.pad(x, [1])), ("x:pad({-2, -2})", lambda x: torch.nn.functional.pad(x, [-2, -2])),
                    ("tensor.meshgrid(x)", lambda x: torch.meshgrid(x)), ("tensor.broadcast_tensors(x, x:t())", lambda x: torch.broadcast_tensors(x, x.t())),
                    ("x:expand_as(x:t())", lambda x: x.expand_as(x.t())), ("x:view(4)", lambda x: x.view(4)), ("tensor.hstack({})", lambda x: torch.hstack([])),
                    ("tensor.vstack({})", lambda x: torch.vstack([])), ("tensor.vstack{x, x:t()}", lambda x: torch.vstack([x, x.t()])),
                    ("x:slice(2, 0, 1)", lambda x: x.narrow(2, 0, 1)), ("x:slice(0, 0, 1, 0)", lambda x: torch.tensor(list(range(3))[0:1:0]))]:
        names = [code.split("(")[0].split(".")[-1].split(":")[-1].split("{")[0]]
        raw(names, code, f, var("x", (2, 3)), fail=True)
    raw("cat", "tensor.cat({x, y})", lambda x, y: torch.cat([x, y]), var("x", (2,), I64), var("y", (2,), F32))
    raw("cat", "tensor.cat({x, y})", lambda x, y: torch.cat([x, y]), var("x", (2,), U8), var("y", (3,), I32))
    raw("stack", "tensor.stack({x, y})", lambda x, y: torch.stack([x, y]), var("x", (2,), F32), var("y", (2,), F64))
    raw("cat", "tensor.cat({x, x})", lambda x: torch.cat([x, x]), var("x", ()), fail=True)
    raw("narrow", "x:narrow(0, 0, 1)", lambda x: x.narrow(0, 0, 1), var("x", ()), fail=True)
    for name in ("select", "unbind", "split", "chunk"):
        arg = {"select": "0, 0", "unbind": "", "split": "1", "chunk": "1"}[name]
        raw([name], f"x:{name}({arg})", lambda x, n=name, a=arg: getattr(x, n)(*[int(k) for k in a.split(",") if k]), var("x", ()), fail=True)
    # Views share memory.
    raw("view", "local v = x:view(6); v[0] = 9; return x", lambda x: (x.view(6).__setitem__(0, 9), x)[1], var("x", (2, 3), grad=False))
    raw("transpose", "x:transpose(0, 1):zero_(); return x", lambda x: (x.transpose(0, 1).zero_(), x)[1], var("x", (2, 3), grad=False))
    raw("expand", "local e = x:expand(2, 3); e:zero_()", lambda x: x.expand(2, 3).add_(1), var("x", (1, 3), grad=False), fail=True)
    raw("contiguous", "x:contiguous():data_ptr() == x:data_ptr()", lambda x: True, var("x", (2, 3)))
    raw("is_contiguous", "x:is_contiguous()", lambda x: x.is_contiguous(), var("x", (2, 3)))
    raw("is_contiguous", "x:is_contiguous()", lambda x: x.is_contiguous(), var("x", (2, 3), F32, "t"))
    raw("is_contiguous", "x:is_contiguous()", lambda x: x.is_contiguous(), var("x", (0, 3), F32))
    raw("data_ptr", "x:data_ptr() == x:view(6):data_ptr()", lambda x: True, var("x", (2, 3)))
    raw("data_ptr", "x:clone():data_ptr() == x:data_ptr()", lambda x: False, var("x", (2, 3)))


# ---------------------------------------------------------------- creation and conversion
def creation():
    for name in ("zeros", "ones", "empty", "full"):
        fill = ["7"] if name == "full" else []
        g = {"zeros": torch.zeros, "ones": torch.ones, "empty": torch.zeros, "full": lambda s, **k: torch.full(s, 7, **k)}[name]
        for shape in ([2, 3], [], [0, 2], [4], [1, 2, 1]):
            text = "{" + ", ".join(map(str, shape)) + "}"
            raw([name], f"tensor.{name}({', '.join([text] + fill)})", lambda s=shape, g=g: g(s))
            for letter, dtype in LETTERS.items():
                if len(shape) == 2:
                    raw([name], f"tensor.{name}({', '.join([text] + fill)}, {{dtype = \"{str(dtype)[6:]}\"}})", lambda s=shape, g=g, d=dtype: g(s, dtype=d))
        raw([name], f"tensor.{name}({', '.join(['{2, -1}'] + fill)})", lambda g=g: g([2, -1]), fail=True)
        refuse(name, f"tensor.{name}({', '.join(['{2}'] + fill)}, {{dtype = \"float16x\"}})")
        refuse(name, f"tensor.{name}({', '.join(['{1 << 40, 1 << 40}'] + fill)})")
        raw([name], f"tensor.{name}({', '.join(['{2}'] + fill)}, {{requires_grad = true}})" + ".requires_grad", lambda: True) if name != "full" else None
        refuse(name, f"tensor.{name}({', '.join(['{2}'] + fill)}, {{dtype = \"int64\", requires_grad = true}})")
    for name in ("zeros", "ones", "empty"):
        raw([name], f"tensor.{name}(2, 3)", lambda n=name: (torch.zeros if n == "empty" else getattr(torch, n))(2, 3))
        raw([name], f"tensor.{name}(3, {{dtype = \"int32\"}})", lambda n=name: (torch.zeros if n == "empty" else getattr(torch, n))(3, dtype=I32))
    for text, value in [("2.5", 2.5), ("true", True), ("-3", -3)]:
        raw("full", f"tensor.full({{2, 2}}, {text})", lambda v=value: torch.full((2, 2), v))
        raw("full", f"tensor.full({{}}, {text}, {{dtype = \"float64\"}})", lambda v=value: torch.full((), v, dtype=F64))
    for dtype in ALL:
        x = var("x", (2, 3), dtype, "t", grad=False)
        for name in ("zeros_like", "ones_like"):
            call(name, x, method=False)
            call(name, x, method=False, dtype=F64)
        call("full_like", x, 1, method=False)
        call("full_like", x, 2, method=False, dtype=F32)
        raw("to", 'x:to("float64")', lambda x: x.to(F64), x)
        raw("to", 'x:to("uint8")', lambda x: x.abs().to(U8) if x.dtype in (F32, F64) else x.to(U8), x) if dtype not in (F32, F64) else None
        raw("to", "x:to(y)", lambda x, y: x.to(y.dtype), x, var("y", (1,), I32))
        for name in ("float", "double", "long", "int", "bool"):
            call(name, x)
        if dtype not in (F32, F64):
            call("byte", x)
        else:
            raw("byte", "x:abs():byte()", lambda x: x.abs().byte(), x)
        raw("numel", "x:numel()", lambda x: x.numel(), x)
        raw("size", "x:size()", lambda x: x.size(), x)
        raw("size", "x:size(-1)", lambda x: x.size(-1), x)
        raw("dim", "x:dim()", lambda x: x.dim(), x)
        raw("stride", "x:stride()", lambda x: list(x.stride()), x)
        raw("stride", "x:stride(0)", lambda x: x.stride(0), x)
        raw("tolist", "x:tolist()", lambda x: x.tolist(), x)
        raw("item", "y:item()", lambda y: y.item(), var("y", (), dtype))
        raw("item", "y:item()", lambda y: y.item(), var("y", (1, 1), dtype))
        raw("tolist", "y:tolist()", lambda y: y.tolist(), var("y", (), dtype))
        raw("shape", "x.shape", lambda x: x.shape, x)
        raw("dtype", "x.dtype", lambda x: str(x.dtype)[6:], x)
        raw("ndim", "x.ndim", lambda x: x.ndim, x)
        raw("clone", "x:clone()", lambda x: x.clone(), x)
        raw("copy_", "x:copy_(y)", lambda x, y: x.copy_(y), var("x", (2, 3), dtype, grad=False), var("y", (3,), F32, low=0, high=3, grad=False), changed="x")
        raw("copy_", "x:copy_(y)", lambda x, y: x.copy_(y), var("x", (2, 3), dtype, "s", grad=False), var("y", (2, 1), I64, low=0, high=3, grad=False), changed="x")
        raw("zero_", "x:zero_()", lambda x: x.zero_(), var("x", (2, 3), dtype, "s", grad=False), changed="x")
        raw("fill_", "x:fill_(1)", lambda x: x.fill_(1), var("x", (2, 3), dtype, "t", grad=False), changed="x")
        raw("fill_", "x:fill_(y)", lambda x, y: x.fill_(y), var("x", (2, 3), dtype, grad=False), const("y", 2), changed="x")
        raw("float", "x:float().dtype", lambda x: "float32", x)
    raw("to", 'x:to("float64")', lambda x: x.to(F64), var("x", (2, 3), F32))
    raw("double", "x:double()", lambda x: x.double(), var("x", (2, 3), F32, "t"))
    raw("long", "x:long()", lambda x: x.long(), const("x", [1.9, -1.9, 0.5]))
    refuse("to", 'x:to("complex")', var("x", (2,)))
    raw("copy_", "x:copy_(y)", lambda x, y: x.copy_(y), var("x", (2, 3), grad=False), var("y", (2,)), fail=True)
    raw("fill_", "x:fill_(y)", lambda x, y: x.fill_(y), var("x", (2, 3), grad=False), var("y", (2,)), fail=True)
    raw("zero_", "x:zero_()", lambda x: x.zero_(), var("x", (2, 3)), fail=True)
    raw("item", "x:item()", lambda x: x.item(), var("x", (2,)), fail=True)
    raw("item", "x:item()", lambda x: x.item(), var("x", (0,)), fail=True)
    raw("size", "x:size(2)", lambda x: x.size(2), var("x", (2, 3)), fail=True)
    raw("tolist", "x:tolist()", lambda x: x.tolist(), var("x", (0, 3)))
    raw("tolist", "#x:tolist()", lambda x: 2, var("x", (2, 0)))
    raw("is_leaf", "x.is_leaf", lambda x: x.is_leaf, var("x", (2,)))
    raw("is_leaf", "(x * 2).is_leaf", lambda x: (x * 2).is_leaf, var("x", (2,)))
    raw("requires_grad", "(x * 2).requires_grad", lambda x: True, var("x", (2,)))
    raw("requires_grad", "x.requires_grad", lambda x: x.requires_grad, var("x", (2,), grad=False))
    raw("requires_grad", "x.requires_grad = false; return x.requires_grad", lambda x: False, var("x", (2,)))
    raw("requires_grad_", "x:requires_grad_().requires_grad", lambda x: True, var("x", (2,), grad=False))
    raw("requires_grad_", "x:requires_grad_(false).requires_grad", lambda x: False, var("x", (2,)))
    raw("requires_grad_", "x:requires_grad_()", lambda x: x.requires_grad_(), var("x", (2,), I64), fail=True)
    raw("grad", "x:sum():backward(); return x.grad", lambda x: (x.sum().backward(), x.grad)[1], var("x", (2, 3)), grad=False)
    raw("grad", "return x.grad == nil", lambda x: True, var("x", (2, 3)))
    raw("shape", "#x", lambda x: len(x), var("x", (3, 2)))
    refuse("shape", "#x", var("x", ()))
    raw("T", "x.T", lambda x: x.T, var("x", (2, 3)))
    # arange, linspace, eye
    for a in [(5,), (2, 6), (1, 2, 0.5), (5, 0, -2), (0.5, 3), (0,), (3, 3), (1, 10, 3), (-3,) if False else (-3, 3), (0, 1, 0.25), (10, 0, -3)]:
        raw("arange", f"tensor.arange({', '.join(map(str, a))})", lambda a=a: torch.arange(*a))
    for dtype in (F32, F64, I64, I32, U8):
        raw("arange", f'tensor.arange(0, 6, 2, {{dtype = "{str(dtype)[6:]}"}})', lambda d=dtype: torch.arange(0, 6, 2, dtype=d))
        raw("linspace", f'tensor.linspace(0, 10, 5, {{dtype = "{str(dtype)[6:]}"}})', lambda d=dtype: torch.linspace(0, 10, 5, dtype=d))
        raw("eye", f'tensor.eye(3, {{dtype = "{str(dtype)[6:]}"}})', lambda d=dtype: torch.eye(3, dtype=d))
    for a in [(0, 1, 0), (1, 5), (0, 5, -1), (5, 0, 1)][2:]:
        raw("arange", f"tensor.arange({', '.join(map(str, a))})", lambda a=a: torch.arange(*a), fail=True)
    raw("arange", "tensor.arange(0, 1, 0)", lambda: torch.arange(0, 1, 0), fail=True)
    raw("arange", "tensor.arange(0, 1/0)", lambda: torch.arange(0, INF), fail=True)
    for a in [(0, 1, 5), (3, -3, 7), (2, 2, 3), (0, 1, 1), (0, 1, 0), (-1, 1, 2), (0.1, 0.7, 11)]:
        raw("linspace", f"tensor.linspace({', '.join(map(str, a))})", lambda a=a: torch.linspace(*a))
    raw("linspace", "tensor.linspace(0, 1, -1)", lambda: torch.linspace(0, 1, -1), fail=True)
    for a in [(3,), (2, 4), (4, 2), (0,), (3, 0)]:
        raw("eye", f"tensor.eye({', '.join(map(str, a))})", lambda a=a: torch.eye(*a))
    raw("eye", "tensor.eye(-1)", lambda: torch.eye(-1), fail=True)
    # the constructor
    for text, data in [("{1, 2}", [1, 2]), ("{1, 2.5}", [1, 2.5]), ("{true, false}", [True, False]), ("{{1, 2}, {3, 4}}", [[1, 2], [3, 4]]), ("3", 3), ("2.5", 2.5),
                       ("true", True), ("{}", []), ("{{}, {}}", [[], []]), ("{{{1}}}", [[[1]]]), ("{1.0, 2.0}", [1.0, 2.0]), ("{-1, 0/0, 1/0}", [-1, NAN, INF]), ("{1, true}", [1, True])]:
        raw("tensor", f"tensor({text})", lambda d=data: torch.tensor(d))
        for dtype in (F64, I32):
            if "0/0" not in text:
                raw("tensor", f'tensor({text}, {{dtype = "{str(dtype)[6:]}"}})', lambda d=data, t=dtype: torch.tensor(d, dtype=t))
    for text, data in [("{{1, 2}, {3}}", [[1, 2], [3]]), ("{1, {2}}", [1, [2]]), ("{{1}, 2}", [[1], 2])]:
        raw("tensor", f"tensor({text})", lambda d=data: torch.tensor(d), fail=True)
    for bad in ('"x"', '{"a"}', "{1, print}", "nil", "{x = 1}", "print"):
        refuse("tensor", f"tensor({bad})")
    refuse("tensor", "local t = {}; t[1] = t; return tensor(t)")
    raw("tensor", "tensor({x, x})", lambda x: torch.stack([x, x]), var("x", (2,), F64, grad=False))
    raw("tensor", "tensor(x)", lambda x: x.clone(), var("x", (2, 3), I32))
    raw("tensor", "tensor({1.5}, {requires_grad = true}).requires_grad", lambda: True)
    for letter, dtype in LETTERS.items():
        raw("one_hot", "tensor.one_hot(x)", lambda x: torch.nn.functional.one_hot(x), const("x", [0, 2, 1])) if letter == "l" else None
    oh = torch.nn.functional.one_hot
    refuse("one_hot", "tensor.one_hot(tensor{1}, math.mininteger)")
    refuse("one_hot", "tensor.one_hot(tensor{math.maxinteger})")
    raw("one_hot", "tensor.one_hot(x, 5)", lambda x: oh(x, 5), const("x", [[0, 2], [1, 4]]))
    raw("one_hot", "tensor.one_hot(x, {num_classes = 3})", lambda x: oh(x, num_classes=3), const("x", 2))
    raw("one_hot", "tensor.one_hot(x, 3)", lambda x: oh(x, 3), const("x", [], I64))
    raw("one_hot", "tensor.one_hot(x, 2)", lambda x: oh(x, 2), const("x", [0, 2]), fail=True)
    raw("one_hot", "tensor.one_hot(x)", lambda x: oh(x), const("x", [0, -1]), fail=True)
    raw("one_hot", "tensor.one_hot(x)", lambda x: oh(x), const("x", [0.0, 1.0]), fail=True)
    raw("is_tensor", "tensor.is_tensor(x)", lambda x: True, var("x", (2,)))
    raw("is_tensor", "tensor.is_tensor(3)", lambda: False)
    raw("is_tensor", "tensor.is_tensor({1})", lambda: False)


def randomness():
    for name, args in [("rand", "2, 3"), ("randn", "2, 3"), ("rand", "{4}"), ("randn", "{0, 2}"), ("rand", "{}"), ("randn", "1000")]:
        check(name, f"tensor.manual_seed(3); local a = tensor.{name}({args}); tensor.manual_seed(3); return a:equal(tensor.{name}({args}))")
    check("rand", "local r = tensor.rand(1000); return r:min():item() >= 0 and r:max():item() < 1 and math.abs(r:mean():item() - 0.5) < 0.05")
    check("rand", 'return tensor.rand(3, {dtype = "float64"}).dtype == "float64"')
    check("randn", "tensor.manual_seed(1); local r = tensor.randn(10000); return math.abs(r:mean():item()) < 0.05 and math.abs(r:std():item() - 1) < 0.05")
    check("rand_like randn_like", 'local x = tensor.zeros(2, 3, {dtype = "float64"}); return tensor.rand_like(x).dtype == "float64" and #tensor.randn_like(x) == 2')
    check("rand_like", "return tensor.rand_like(tensor.zeros(5)):lt(1):all():item()")
    check("randn_like", "return tensor.randn_like(tensor.zeros(5, 2)).shape[2] == 2")
    check("randint", "local r = tensor.randint(3, 7, {1000}); return r:min():item() == 3 and r:max():item() == 6 and r.dtype == 'int64'")
    check("randint", "local r = tensor.randint(5, {100}); return r:min():item() >= 0 and r:max():item() <= 4")
    check("randint", "return tensor.randint(0, 2, {3, 4}, {dtype = 'float32'}).dtype == 'float32'")
    check("randperm", "local p = tensor.randperm(50); return (p:sort()):equal(tensor.arange(50)) and not p:equal(tensor.arange(50))")
    check("randperm", "return tensor.randperm(0):numel() == 0")
    check("bernoulli", "local b = tensor.bernoulli(tensor.full({1000}, 0.25)); return math.abs(b:mean():item() - 0.25) < 0.06 and b:mul(b):equal(b)")
    check("bernoulli", "return tensor.bernoulli(tensor{0.0, 1.0}):equal(tensor{0.0, 1.0})")
    check("bernoulli_", "local b = tensor.zeros(1000):bernoulli_(0.75); return math.abs(b:mean():item() - 0.75) < 0.06")
    check("bernoulli_", "local x = tensor.zeros(3); return x:bernoulli_(1) == x and x:sum():item() == 3")
    check("multinomial", "return tensor.multinomial(tensor{0.0, 1.0, 0.0}, 3, true):equal(tensor{1, 1, 1})")
    check("multinomial", "local m = tensor.multinomial(tensor.ones(2, 6), 6); return (m:sort(1)):equal(tensor.stack{tensor.arange(6), tensor.arange(6)})")
    check("normal_", "tensor.manual_seed(2); local x = tensor.zeros(10000):normal_(3, 2); return math.abs(x:mean():item() - 3) < 0.1 and math.abs(x:std():item() - 2) < 0.1")
    check("normal_", "local x = tensor.zeros(3); return x:normal_() == x and not x:equal(tensor.zeros(3))")
    check("uniform_", "local x = tensor.zeros(1000):uniform_(-2, 4); return x:min():item() >= -2 and x:max():item() < 4 and math.abs(x:mean():item() - 1) < 0.3")
    check("uniform_", "local x = tensor.zeros(4):uniform_(); return x:ge(0):all():item() and x:lt(1):all():item()")
    check("manual_seed", "tensor.manual_seed(5); local a = tensor.randn(4); tensor.manual_seed(6); return not a:equal(tensor.randn(4))")
    for code in ("tensor.randint(3, 3, {2})", "tensor.randint(5, 2, {2})", "tensor.randperm(-1)", "tensor.bernoulli(tensor{1.5})", "tensor.bernoulli(tensor{1, 0})",
                 "tensor.multinomial(tensor{0.0, 0.0}, 1)", "tensor.multinomial(tensor{1.0, 0.0}, 2)", "tensor.multinomial(tensor{-1.0, 2.0}, 1)", "tensor.zeros(2):normal_(0, -1)",
                 "tensor.zeros(2):uniform_(2, 1)", "tensor.zeros(2):bernoulli_(2)", "tensor.rand(-1)", "tensor.randn({2, -3})", "tensor.manual_seed('x')",
                 "tensor.rand(2, {dtype = 'int64'})", "tensor.randn(2, {dtype = 'int64'})", "tensor.rand_like(tensor{1, 2})", "tensor.randn_like(tensor{1, 2})"):
        refuse(code.split("(")[0].split(".")[1] if ":" not in code else code.split(":")[1].split("(")[0], code)


# ---------------------------------------------------------------- gather, scatter, sort, count
def indexing():
    i = const("i", [[0, 1, 0], [2, 0, 1]])
    for dtype in ALL:
        x, y = var("x", (3, 4), dtype), var("y", (3, 4), dtype, "t", seed=7)
        for t in (x, Var("x", y.base, "t", True), var("x", (3, 4), dtype, "s")):
            call("gather", t, 0, i)
            call("gather", t, 1, const("i", [[3, 0], [1, 1], [2, 2]]))
            call("scatter", t, 0, i, var("y", (3, 4), dtype, seed=7))
            call("scatter", t, -1, const("i", [[3], [1], [0]]), 1)
            call("index_select", t, 0, const("i", [2, 0, 2]))
            call("index_select", t, -1, const("i", [3]))
            call("masked_select", t, var("c", (3, 4), BOOL))
            call("masked_select", t, const("c", [True, False, True, True]))
            call("masked_fill", t, var("c", (3, 4), BOOL), 1)
            call("masked_fill", t, const("c", [True, False, True, True]), const("w", 1))
            call("take", t, const("i", [[0, -1], [5, 11]]))
            call("take_along_dim", t, const("i", [[0], [1], [3]]), 1)
            call("tril", t)
            call("triu", t)
            call("tril", t, 1)
            call("triu", t, -1)
            call("diag", t)
            call("diag", t, 1)
            call("index_fill", t, 1, const("i", [0, -1]), 1)
            if dtype != BOOL:
                call("scatter_add", t, 1, const("i", [[0, 0, 1], [2, 3, 3], [1, 1, 1]]), var("y", (3, 4), dtype, seed=7))
                call("index_add", t, 0, const("i", [2, 0, 2, 1]), var("z", (4, 4), dtype, seed=8))
                call("index_add", t, 1, const("i", [1, 1]), var("z", (3, 2), dtype, "t", seed=8), alpha=2)
        x = var("x", (3, 4), dtype, grad=False)
        xs = var("x", (3, 4), dtype, "s", grad=False)
        for t in (x, xs):
            twin("scatter", t, 0, i, var("y", (3, 4), dtype, seed=7, grad=False))
            twin("scatter", t, 1, const("i", [[3], [1], [0]]), 1)
            twin("masked_fill", t, var("c", (3, 4), BOOL), 1)
            twin("index_fill", t, 0, const("i", [1]), 1)
            twin("tril", t)
            twin("triu", t, 1)
            if dtype != BOOL:
                twin("scatter_add", t, 1, const("i", [[0, 0, 1], [2, 3, 3], [1, 1, 1]]), var("y", (3, 4), dtype, seed=7, grad=False))
                twin("index_add", t, 0, const("i", [2, 0]), var("z", (2, 4), dtype, seed=8, grad=False))
        call("diag", var("v", (3,), dtype))
        call("diag", var("v", (3,), dtype, "s"), -1)
        raw("nonzero", "x:nonzero()", lambda x: x.nonzero(), x)
        raw("nonzero", "x:nonzero({as_tuple = true})", lambda x: {"list": list(x.nonzero(as_tuple=True))}, x)
        raw("nonzero", "x:nonzero()", lambda x: x.nonzero(), var("x", (), dtype))
    x3 = var("x", (2, 3, 4), F64)
    call("gather", x3, 1, const("i", [[[0, 2, 1], [1, 1, 0]]]))
    call("gather", x3, 2, const("i", [[[3], [0]], [[1], [2]]]))
    call("scatter_add", x3, 0, const("i", [[[0, 1], [1, 1]]]), var("y", (2, 3, 4), F64, seed=1))
    call("scatter", x3, 2, const("i", [[[3], [0]], [[1], [2]]]), var("y", (2, 3, 4), F64, seed=1))
    call("index_select", x3, 1, const("i", [1, 1, 0]))
    call("index_add", x3, 1, const("i", [2, 0]), var("y", (2, 2, 4), F64, seed=1))
    call("tril", x3, -1)
    call("triu", x3, 2)
    call("take_along_dim", x3, const("i", [5, 23, 0]))
    call("take_along_dim", x3, const("i", [[[0, -1]]]), 2)
    call("masked_select", x3, var("c", (3, 1), BOOL))
    for reduce in ("add", "multiply"):
        call("scatter", var("x", (3, 4), F32, grad=False), 1, const("i", [[0, 0], [1, 2], [3, 3]]), var("y", (3, 4), F32, seed=1, grad=False), reduce=reduce)
        call("scatter", var("x", (3, 4), I64), 1, const("i", [[0, 0], [1, 2], [3, 3]]), 2, reduce=reduce)
    e = const("i", [], I64)
    call("gather", var("x", (3,)), 0, e)
    call("index_select", var("x", (3, 2)), 0, e)
    call("take", var("x", (3, 2)), e)
    call("take", const("x", [], F32), e)
    call("index_add", var("x", (3, 2)), 0, e, var("y", (0, 2)))
    call("gather", var("x", ()), 0, const("i", [0, 0]))
    call("gather", var("x", ()), 0, const("i", 0))
    call("index_select", var("x", ()), 0, const("i", [0]))
    call("take", var("x", ()), const("i", [[0]]))
    call("masked_select", var("x", ()), const("c", True))
    call("masked_fill", var("x", ()), const("c", [True, False]), 3)
    twin("masked_fill", var("x", (), grad=False), const("c", [True, False]), 3)
    call("masked_fill", const("x", [1, 2]), const("c", [True, False]), 3.5)
    call("diag", var("x", (2, 3)), 5)
    call("diag", var("x", (0, 3)))
    call("tril", var("x", (0, 3)))
    call("triu", var("x", (2, 0, 3)))
    call("tril", var("x", (2, 3)), 100)
    call("triu", var("x", (2, 3)), -100)
    x = var("x", (2, 3))
    for bad in ([[2, 0, 0]], [[-1, 0, 0]], [[0, 0, 0, 0]], [0, 1], [[0.0, 1.0, 0.0]]):
        call("gather", x, 0, const("i", bad), fail=True)
        call("scatter", x, 0, const("i", bad), var("y", (2, 3), seed=1), fail=True)
    call("gather", x, 2, const("i", [[0]]), fail=True)
    call("scatter", x, 0, const("i", [[0, 1]]), var("y", (2, 3), F64), fail=True)
    call("scatter_add", x, 0, const("i", [[0, 1]]), var("y", (2, 3), I64), fail=True)
    call("scatter_add", x, 0, const("i", [[0, 5]]), var("y", (2, 3)), fail=True)
    call("scatter_add", x, 0, const("i", [[0, 1, 0], [0, 1, 0]]), var("y", (1, 3)), fail=True)
    for bad in ([2], [-1], [[0]], [0.0]):
        call("index_select", x, 0, const("i", bad), fail=True)
    call("index_select", x, 2, const("i", [0]), fail=True)
    call("index_add", x, 0, const("i", [2]), var("y", (1, 3)), fail=True)
    call("index_add", x, 0, const("i", [0, 1]), var("y", (1, 3)), fail=True)
    call("index_add", x, 0, const("i", [0]), var("y", (1, 3), F64), fail=True)
    call("masked_select", x, const("c", [1, 0, 1]), fail=True)
    call("masked_select", x, const("c", [True, False]), fail=True)
    call("masked_fill", x, const("c", [1, 0, 1]), 0, fail=True)
    call("masked_fill", x, const("c", [True, False, True]), const("w", [1.0]), fail=True)
    call("index_fill", x, 0, const("i", [2]), 0, fail=True)
    call("take", x, const("i", [6]), fail=True)
    call("take", x, const("i", [-7]), fail=True)
    call("take", const("x", [], F32), const("i", [0]), fail=True)
    refuse("take_along_dim", "x:take_along_dim(i, 0)", x, const("i", [[2]]))  # PyTorch wraps around
    call("take_along_dim", x, const("i", [0]), 0, fail=True)
    call("tril", var("x", (3,)), fail=True)
    call("triu", var("x", ()), fail=True)
    call("diag", var("x", ()), fail=True)
    call("diag", var("x", (2, 2, 2)), fail=True)
    for code, f in INDEX:
        for dtype, layout in [(F32, "c"), (F64, "t"), (I64, "s")]:
            raw("index", f"x[{code}]", f, var("x", (4, 5, 3), dtype, layout), const("j", [0, 2, -1]), const("c", [True, False, True, True]))
    for code, f in ASSIGN:
        for dtype, layout in [(F32, "c"), (F64, "t"), (I64, "s")]:
            raw("index", code + "; return x", f, var("x", (4, 5, 3), dtype, layout, grad=False), const("j", [0, 2, -1]), const("c", [True, False, True, True]), changed="x")
    for code, f in [("4", lambda x: x[4]), ("-5", lambda x: x[-5]), ('"0, 0, 0, 0"', lambda x: x[0, 0, 0, 0]), ("tensor{4}", lambda x: x[torch.tensor([4])]),
                    ("tensor{true, false}", lambda x: x[torch.tensor([True, False])]), ('"..., ..."', lambda x: x[..., ...] if False else x[9]),
                    ("tensor{0.5}", lambda x: x[torch.tensor([0.5])]), ("{tensor{0, 1}, tensor{0, 1, 2}}", lambda x: x[torch.tensor([0, 1]), torch.tensor([0, 1, 2])])]:
        raw("index", f"x[{code}]", f, var("x", (4, 5, 3)), fail=True)
    raw("index", "x[0]", lambda x: x[0], var("x", ()), fail=True)
    raw("index", "local y = x * 1; y[0] = 0; return y", lambda x: zeroed(x * 1), var("x", (3, 2), F64))
    raw("index", "local y = x * 1; y[m] = v; return y", lambda x, m, v: put(x * 1, m, v), var("x", (3, 2), F64), const("m", [True, False, True]), var("v", (2, 2), F64, seed=1))
    raw("index", "x[0] = 1", lambda x: x.__setitem__(0, 1), var("x", (3,)), fail=True)
    raw("iter", "local s = {}; for i, r in x:iter() do s[#s + 1] = r * i end; return s", lambda x: {"list": [r * i for i, r in enumerate(x)]}, var("x", (3, 2)))
    raw("iter", "local n = 0; for i, r in x:iter() do n = n + 1 end; return n", lambda x: 0, var("x", (0, 2)))
    raw("iter", "x:iter()", lambda x: iter(x), var("x", ()), fail=True)


def zeroed(y):
    y[0] = 0
    return y


def put(y, m, v):
    y[m] = v
    return y


def assigned(f):
    def run(x, j, c):
        f(x, j, c)
        return x
    return run


def setter(key, value):
    def f(x, j, c):
        x[key(j, c)] = value(x, j, c)
    return assigned(f)


S = slice
INDEX = [
    ("0", lambda x, j, c: x[0]), ("-1", lambda x, j, c: x[-1]), ('"1"', lambda x, j, c: x[1]), ('"1:3"', lambda x, j, c: x[1:3]), ('":, 1"', lambda x, j, c: x[:, 1]),
    ('"1:3, :, -1"', lambda x, j, c: x[1:3, :, -1]), ('"..., 0"', lambda x, j, c: x[..., 0]), ('"None"', lambda x, j, c: x[None]), ('":, None, ::2"', lambda x, j, c: x[:, None, ::2]),
    ('"::2, 1:, :-1"', lambda x, j, c: x[::2, 1:, :-1]), ('"-2:"', lambda x, j, c: x[-2:]), ('"3:1"', lambda x, j, c: x[3:1]), ('"0, 1, 2"', lambda x, j, c: x[0, 1, 2]),
    ('"1, ..., None"', lambda x, j, c: x[1, ..., None]), ("{1, {1, 3}, \":\"}", lambda x, j, c: x[1, 1:3, :]), ("{{0, 4, 2}, -1}", lambda x, j, c: x[0:4:2, -1]),
    ("j", lambda x, j, c: x[j]), ("c", lambda x, j, c: x[c]), ("{j, 0}", lambda x, j, c: x[j, 0]), ('{":", j}', lambda x, j, c: x[:, j]), ("{j, j}", lambda x, j, c: x[j, j]),
    ('{j, ":", j}', lambda x, j, c: x[j, :, j]), ('{c, ":", 1}', lambda x, j, c: x[c, :, 1]), ('{"None", j}', lambda x, j, c: x[None, j]), ('{"...", j}', lambda x, j, c: x[..., j]),
    ("{j:reshape(3, 1), j}", lambda x, j, c: x[j.reshape(3, 1), j]), ("x:gt(0)", lambda x, j, c: x[x > 0]), ('{"1:", j}', lambda x, j, c: x[1:, j]),
    ("{0, j}", lambda x, j, c: x[0, j]), ("{c, j}", lambda x, j, c: x[c, j]), ("tensor.zeros(0, {dtype = \"int64\"})", lambda x, j, c: x[torch.zeros(0, dtype=torch.int64)]),
    ("{j, \"None\", j}", lambda x, j, c: x[j, None, j]), ("{\":\", j, 1}", lambda x, j, c: x[:, j, 1]), ("{0, \":\", j}", lambda x, j, c: x[0, :, j]),
]
ASSIGN = [
    ("x[0] = 7", setter(lambda j, c: 0, lambda x, j, c: 7)), ('x["1:3, :, -1"] = 5', setter(lambda j, c: (S(1, 3), S(None), -1), lambda x, j, c: 5)),
    ("x[c] = 0", setter(lambda j, c: c, lambda x, j, c: 0)), ("x[j] = x[0]", setter(lambda j, c: j, lambda x, j, c: x[0].clone())), ("x[x:gt(0)] = 1", setter(lambda j, c: 0, lambda x, j, c: 0) if False else assigned(lambda x, j, c: x.__setitem__(x > 0, 1))),
    ('x[{":", j}] = 2', setter(lambda j, c: (S(None), j), lambda x, j, c: 2)), ('x["..., 0"] = tensor.arange(5)', setter(lambda j, c: (Ellipsis, 0), lambda x, j, c: torch.arange(5).to(x.dtype))),
    ("x[{j, j}] = 3", setter(lambda j, c: (j, j), lambda x, j, c: 3)), ('x["::2"] = x["1::2"]', setter(lambda j, c: S(None, None, 2), lambda x, j, c: x[1::2].clone())),
    ("x[{0, 1, 2}] = -4", setter(lambda j, c: (0, 1, 2), lambda x, j, c: -4)), ("x[{0, 1}] = {1, 2, 3}", setter(lambda j, c: (0, 1), lambda x, j, c: torch.tensor([1, 2, 3]).to(x.dtype))),
    ("x[{j, \":\", j}] = 6", setter(lambda j, c: (j, S(None), j), lambda x, j, c: 6)),
]


def sorting():
    for dtype in ALL:
        for layout in "cst":
            x = var("x", (3, 4), dtype, layout)
            for args in ((), (0,), (-1, True), (0, True)):
                raw("sort", f"x:sort({', '.join(str(a).lower() for a in args)})", lambda x, a=args: tuple(torch.sort(x, dim=a[0] if a else -1, descending=len(a) > 1, stable=True)), x)
                raw("argsort", f"x:argsort({', '.join(str(a).lower() for a in args)})", lambda x, a=args: torch.argsort(x, dim=a[0] if a else -1, descending=len(a) > 1, stable=True), x)
            raw("sort", "x:sort({dim = 1, descending = true, stable = true})", lambda x: tuple(torch.sort(x, dim=1, descending=True, stable=True)), x)
            for k, dim, largest in ((2, -1, True), (3, 0, False), (1, 1, True), (0, 1, True), (4, 1, False)):
                raw("topk", f"x:topk({k}, {dim}, {str(largest).lower()})", lambda x, k=k, d=dim, g=largest: stable_top(x, k, d, g), x)
            for k in (1, 2, 3):
                raw("kthvalue", f"x:kthvalue({k}, 0)", lambda x, k=k: stable_kth(x, k, 0), x)
            raw("kthvalue", "x:kthvalue(2, {keepdim = true})", lambda x: tuple(t.unsqueeze(-1) for t in stable_kth(x, 2, -1)), x)
            if dtype != BOOL:
                raw("median", "x:median()", lambda x: x.median(), x)
                raw("median", "x:median(1)", lambda x: stable_kth(x, 2, 1), x)
                raw("median", "x:median(0, true)", lambda x: tuple(t.unsqueeze(0) for t in stable_kth(x, 2, 0)), x)
            y = Var("x", (values((3, 4), dtype, seed=9) / 2).floor().to(dtype) if dtype != BOOL else values((3, 4), dtype, seed=9), layout, True)
            raw("mode", "x:mode()", lambda x: tuple(torch.mode(x)), y)
            raw("mode", "x:mode(0)", lambda x: tuple(torch.mode(x, 0)), y)
            raw("mode", "x:mode(1, true)", lambda x: tuple(torch.mode(x, 1, True)), y)
            y = Var("x", y.base, layout)
            raw("unique", "x:unique()", lambda x: torch.unique(x), y)
            raw("unique", "x:unique(true, true)", lambda x: torch.unique(x, return_inverse=True), y)
            raw("unique", "x:unique({return_counts = true})", lambda x: torch.unique(x, return_counts=True), y)
            raw("unique", "x:unique({return_inverse = true, return_counts = true})", lambda x: torch.unique(x, return_inverse=True, return_counts=True), y)
            raw("unique", "x:unique({dim = 0})", lambda x: torch.unique(x, dim=0), y)
            raw("unique", "x:unique({dim = 1, return_inverse = true, return_counts = true})", lambda x: torch.unique(x, dim=1, return_inverse=True, return_counts=True), y)
    big = values((200,), F32, low=-9, high=9)
    for d in (F32, F64, I64, I32):
        x = Var("x", (big * 16).to(d) if d in (I64, I32) else big.to(d), "c", True)
        raw("sort", "x:sort()", lambda x: tuple(torch.sort(x, stable=True)), x)
        raw("sort", "x:sort(0, true)", lambda x: tuple(torch.sort(x, descending=True, stable=True)), x)
    for d in (F32, F64):
        n = const("x", [3.0, NAN, 1, -INF, INF, -0.0, 0.0, NAN], d)
        for code, f in [("x:sort()", lambda x: tuple(torch.sort(x, stable=True))), ("x:sort(0, true)", lambda x: tuple(torch.sort(x, descending=True, stable=True))),
                        ("x:topk(3)", lambda x: (torch.topk(x, 3)[0], torch.tensor([1, 7, 4]))), ("x:topk(2, 0, false)", lambda x: stable_top(x, 2, 0, False)), ("x:median()", lambda x: x.median()),
                        ("x:median(0)", lambda x: tuple(x.median(0))), ("x:kthvalue(2)", lambda x: (torch.kthvalue(x, 2)[0], torch.tensor(5))), ("x:unique()", lambda x: torch.unique(x))]:
            raw(code.split(":")[1].split("(")[0], code, f, n)
        raw("mode", "x:mode()", lambda x: tuple(torch.mode(x)), const("x", [NAN, NAN, 1.0], d))
        raw("mode", "x:mode()", lambda x: tuple(torch.mode(x)), const("x", [3.0, 3, 1, 1, 2], d))
        raw("median", "x:median()", lambda x: x.median(), const("x", [2.0, 2, 1, 3, 2], d, grad=True))
    raw("sort", "x:sort()", lambda x: tuple(x.sort()), var("x", ()))
    raw("topk", "x:topk(1)", lambda x: tuple(x.topk(1)), var("x", ()))
    raw("kthvalue", "x:kthvalue(1)", lambda x: tuple(x.kthvalue(1)), var("x", ()))
    raw("median", "x:median()", lambda x: x.median(), var("x", ()))
    raw("mode", "x:mode()", lambda x: tuple(x.mode()), var("x", ()))
    raw("unique", "x:unique()", lambda x: x.unique(), var("x", ()))
    raw("sort", "x:sort()", lambda x: tuple(x.sort()), var("x", (0, 3)))
    raw("sort", "x:sort(0)", lambda x: tuple(x.sort(0)), var("x", (0, 3)))
    raw("median", "x:median()", lambda x: x.median(), var("x", (0,), grad=False))
    raw("median", "x:median(0)", lambda x: tuple(x.median(0)), var("x", (3, 0)))
    raw("unique", "x:unique()", lambda x: x.unique(), var("x", (0,)))
    raw("topk", "x:topk(0)", lambda x: tuple(x.topk(0)), var("x", (2, 0)))
    for code, f, shape in [("x:sort(2)", lambda x: x.sort(2), (2, 3)), ("x:argsort(-3)", lambda x: x.argsort(-3), (2, 3)), ("x:topk(4)", lambda x: x.topk(4), (2, 3)),
                           ("x:topk(-1)", lambda x: x.topk(-1), (2, 3)), ("x:kthvalue(0)", lambda x: x.kthvalue(0), (2, 3)), ("x:kthvalue(4)", lambda x: x.kthvalue(4), (2, 3)),
                           ("x:median(0)", lambda x: x.median(0), (0, 3)), ("x:mode(0)", lambda x: x.mode(0), (0, 3)), ("x:mode(5)", lambda x: x.mode(5), (2, 3)),
                           ("x:unique({dim = 4})", lambda x: x.unique(dim=4), (2, 3))]:
        raw(code.split(":")[1].split("(")[0], code, f, var("x", shape), fail=True)
    # counting
    for d in (I64, I32, U8):
        x = const("x", [1, 1, 3, 0, 5], d)
        call("bincount", x)
        call("bincount", x, minlength=8)
        call("bincount", x, const("w", [0.5, 1.5, 2, 3, 4]))
        call("bincount", x, const("w", [0.5, 1.5, 2, 3, 4], F64), 7)
        call("bincount", x, const("w", [1, 2, 3, 4, 5]))
    call("bincount", const("x", [], I64))
    call("bincount", const("x", [], I64), minlength=3)
    call("bincount", const("x", [-1, 2]), fail=True)
    call("bincount", const("x", [[1, 2]]), fail=True)
    call("bincount", const("x", [1, 2]), const("w", [1.0]), fail=True)
    call("bincount", const("x", [1, 2]), minlength=-1, fail=True)
    for d in (F32, F64):
        for layout in "cs":
            x = var("x", (3, 5), d, layout, grad=False)
            call("histc", x, 4)
            call("histc", x, 5, -1, 2)
            call("histc", x, bins=3, min=-2, max=2)
            call("histc", x)
        call("histc", const("x", [1.0, 1.0], d), 4)
        call("histc", const("x", [], d), 4)
        call("histc", const("x", [1.0, NAN, 2], d), 4, 0, 3)
        call("histc", const("x", [0.0, 1, 2, 3], d), 3, 0, 3)
        call("histc", const("x", [1.0, INF], d), 4, fail=True)
        call("histc", const("x", [1.0], d), 0, fail=True)
        call("histc", const("x", [1.0], d), 2, 3, 1, fail=True)
    for d in (F32, F64, I64, I32, U8):
        s = const("s", [1, 3, 3, 5], d)
        raw("searchsorted", "tensor.searchsorted(s, x)", torch.searchsorted, s, const("x", [[0, 3], [4, 9]], d))
        raw("searchsorted", "tensor.searchsorted(s, x, {right = true})", lambda s, x: torch.searchsorted(s, x, right=True), s, const("x", [0, 3, 5], d))
        raw("searchsorted", 'tensor.searchsorted(s, x, {side = "right", out_int32 = true})', lambda s, x: torch.searchsorted(s, x, side="right", out_int32=True), s, const("x", [0, 3, 5], d))
        raw("searchsorted", "tensor.searchsorted(s, 3)", lambda s: torch.searchsorted(s, 3), s)
        raw("searchsorted", "tensor.searchsorted(s, x)", torch.searchsorted, const("s", [[1, 3, 5], [2, 4, 6]], d), const("x", [[3, 3], [4, 7]], d))
        raw("searchsorted", "tensor.searchsorted(s, x, {sorter = p})", lambda s, x, p: torch.searchsorted(s, x, sorter=p), const("s", [5, 1, 3], d), const("x", [2, 4], d), const("p", [1, 2, 0]))
    raw("searchsorted", "tensor.searchsorted(s, x)", torch.searchsorted, const("s", [1.0, 3, 5]), const("x", [NAN, INF, -INF]))
    raw("searchsorted", "tensor.searchsorted(s, x)", torch.searchsorted, const("s", [], F32), const("x", [1.0]))
    raw("searchsorted", "tensor.searchsorted(s, x)", torch.searchsorted, const("s", [[1.0, 3], [2, 4]]), const("x", [1.0, 2]), fail=True)
    raw("searchsorted", 'tensor.searchsorted(s, x, {side = "left", right = true})', lambda s, x: torch.searchsorted(s, x, side="left", right=True), const("s", [1.0, 3]), const("x", [1.0, 2]), fail=True)


def stable_top(x, k, dim, largest):
    """topk with the first of equals, which PyTorch leaves open."""
    i = torch.argsort(x, dim=dim, descending=largest, stable=True).narrow(dim, 0, k)
    return x.gather(dim, i), i


def stable_kth(x, k, dim):
    i = torch.argsort(x, dim=dim, stable=True).select(dim, k - 1)
    return x.gather(dim, i.unsqueeze(dim)).squeeze(dim), i


# ---------------------------------------------------------------- products and linear algebra
def products():
    for dtype in (F32, F64, I64, I32):
        for la, lb in ("cc", "tc", "ct", "ts", "ss"):
            a, b = var("a", (3, 4), dtype, la), var("b", (4, 5), dtype, lb)
            call("matmul", a, b)
            call("mm", a, b)
            call("mv", a, var("v", (4,), dtype, lb))
            call("addmm", var("c", (5,), dtype), a, b)
            call("addmm", var("c", (3, 5), dtype, la), a, b, beta=2, alpha=3)
            p, q = var("p", (2, 3, 4), dtype, la), var("q", (2, 4, 2), dtype, lb)
            call("bmm", p, q)
            call("matmul", p, q)
            call("baddbmm", var("c", (3, 1), dtype), p, q)
            call("baddbmm", var("c", (2, 3, 2), dtype), p, q, beta=0, alpha=2)
        v, w = var("v", (4,), dtype, "s"), var("w", (4,), dtype, seed=3)
        call("dot", v, w)
        call("matmul", v, w)
        call("outer", v, var("w", (3,), dtype))
        call("matmul", v, var("b", (4, 2), dtype))
        call("matmul", var("a", (3, 4), dtype), v)
        call("matmul", v, var("q", (2, 4, 2), dtype))
        call("matmul", var("p", (2, 3, 4), dtype), v)
        call("matmul", var("p", (2, 1, 3, 4), dtype), var("q", (3, 4, 2), dtype))
        call("matmul", var("p", (2, 3, 4), dtype), var("b", (4, 2), dtype))
        call("matmul", var("a", (3, 4), dtype), var("q", (2, 4, 2), dtype))
        for s, t in [((0, 4), (4, 2)), ((3, 0), (0, 2)), ((2, 0, 3), (2, 3, 0))]:
            call("matmul", var("a", s, dtype), var("b", t, dtype))
        call("dot", var("v", (0,), dtype), var("w", (0,), dtype))
        call("mm", var("a", (3, 0), dtype), var("b", (0, 2), dtype))
        call("addmm", var("c", (3, 2), dtype), var("a", (3, 0), dtype), var("b", (0, 2), dtype))
        call("outer", var("v", (0,), dtype), var("w", (2,), dtype))
        twin("addmm", var("c", (3, 5), dtype, grad=False), var("a", (3, 4), dtype, grad=False), var("b", (4, 5), dtype, grad=False))
        twin("baddbmm", var("c", (2, 3, 2), dtype, grad=False), var("p", (2, 3, 4), dtype, grad=False), var("q", (2, 4, 2), dtype, grad=False))
    for name, s, t in [("matmul", (3, 4), (3, 4)), ("mm", (3, 4), (4,)), ("mm", (3, 4), (5, 2)), ("bmm", (2, 3, 4), (3, 4, 2)), ("bmm", (3, 4), (4, 2)), ("mv", (3, 4), (3,)),
                       ("dot", (3,), (4,)), ("dot", (3, 1), (3,)), ("outer", (3, 1), (3,)), ("matmul", (), (3,)), ("matmul", (2, 3, 4), (3, 4, 2)), ("mv", (4,), (4,))]:
        call(name, var("a", s), var("b", t), fail=True)
    for name in ("matmul", "mm"):
        call(name, var("a", (2, 2), F32), var("b", (2, 2), F64), fail=True)
    call("dot", var("a", (2,), F32), var("b", (2,), I64), fail=True)
    call("addmm", var("c", (2, 2)), var("a", (3, 4)), var("b", (4, 5)), fail=True)
    call("baddbmm", var("c", (2, 2)), var("a", (3, 4)), var("b", (4, 5)), fail=True)
    for eq, shp in [("ij,jk->ik", [(2, 3), (3, 4)]), ("ij,jk", [(2, 3), (3, 4)]), ("ij->ji", [(2, 3)]), ("ij->", [(2, 3)]), ("ij->j", [(2, 3)]), ("ii", [(3, 3)]), ("ii->i", [(3, 3)]),
                    ("i,j->ij", [(2,), (3,)]), ("i,i", [(3,), (3,)]), ("bij,bjk->bik", [(2, 3, 4), (2, 4, 2)]), ("ij,ij->ij", [(2, 3), (2, 3)]), ("ij,ij->", [(2, 3), (2, 3)]),
                    ("...ij,...jk->...ik", [(2, 3, 4), (4, 2)]), ("...i->...", [(2, 3, 4)]), ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]), ("abc,cd->abd", [(2, 2, 3), (3, 2)]),
                    ("bhid,bhjd->bhij", [(2, 2, 3, 2), (2, 2, 2, 2)]), ("i,ij,j->", [(2,), (2, 3), (3,)]), ("iji->j", [(2, 3, 2)]), ("ab,cd->abcd", [(2, 2), (2, 2)]),
                    ("ij,kj->ik", [(2, 3), (4, 3)]), ("Ab,bC->AC", [(2, 3), (3, 2)]), ("i j, j k -> i k", [(2, 3), (3, 2)]), ("ijk,ikl->ijl", [(1, 2, 3), (4, 3, 2)]), ("...,...->...", [(2, 3), (3,)]),
                    ("ij,jk->ik", [(0, 3), (3, 2)]), ("ij,jk->ik", [(2, 0), (0, 2)]), (",i->i", [(), (3,)]), ("->", [()]), ("ba", [(2, 3)]), ("i...->...i", [(2, 3)])]:
        for dtype, layout in ((F64, "c"), (F32, "t"), (F64, "s")):
            vs = [var("abc"[k], s, dtype, layout, seed=k) for k, s in enumerate(shp)]
            raw("einsum", f'tensor.einsum("{eq}", {", ".join(v.name for v in vs)})', lambda *t, e=eq: torch.einsum(e, *t), *vs)
    vs = [var("a", (2, 3), I64), var("b", (3, 2), I64)]
    raw("einsum", 'tensor.einsum("ij,jk->ik", a, b)', lambda a, b: torch.einsum("ij,jk->ik", a, b), *vs)
    for eq in ("ij,jk->iz", "ij", "ij,jk->ii", "ij,kj->ik", "i1,jk", "ij,jk,kl->il", "ijk,jk->i"):
        raw("einsum", f'tensor.einsum("{eq}", a, b)', lambda a, b, e=eq: torch.einsum(e, a, b), var("a", (2, 3)), var("b", (3, 4)), fail=True)


def linalg():
    L = torch.linalg

    def lin(name, *args, py=None, **kw):
        call(name, *args, py=py or getattr(L, name), names=["linalg." + name], module="tensor.linalg", method=False, **kw)

    def spd(name, shape, dtype, layout="c"):
        t = values(shape, dtype)
        return Var(name, t @ t.transpose(-1, -2) + torch.eye(shape[-1], dtype=dtype), layout, True)

    def sym(name, shape, dtype, layout="c"):
        t = values(shape, dtype)
        return Var(name, t + t.transpose(-1, -2), layout, True)

    def regular(name, shape, dtype, layout="c"):
        return Var(name, values(shape, dtype) + 4 * torch.eye(shape[-1], dtype=dtype), layout, True)

    for dtype in (F32, F64):
        loose = dict(tol=2e-3) if dtype == F32 else dict(tol=1e-8)
        for layout in "cst":
            for shape in ((3, 3), (2, 3, 3), (1, 1), (5, 5), (2, 1, 2, 2)):
                lin("det", regular("A", shape, dtype, layout), **loose)
                lin("inv", regular("A", shape, dtype, layout), **loose)
                lin("cholesky", spd("A", shape, dtype, layout), **loose)
                lin("solve", regular("A", shape, dtype, layout), var("B", shape[:-1] + (2,), dtype, layout, seed=4), **loose)
                raw("linalg.eigh", "local w, v = tensor.linalg.eigh(A); return w, v:abs(), v:matmul(w:unsqueeze(-1) * v:transpose(-2, -1))", lambda A: (lambda w, v: (w, v.abs(), v @ (w.unsqueeze(-1) * v.mT)))(*L.eigh(A)),
                    sym("A", shape, dtype, layout), **loose)
            lin("cholesky", spd("A", (3, 3), dtype, layout), upper=True, **loose)
            lin("solve", regular("A", (3, 3), dtype, layout), var("b", (3,), dtype), **loose)
            lin("solve", regular("A", (2, 3, 3), dtype, layout), var("b", (3, 2), dtype), **loose)
            lin("solve", regular("A", (2, 3, 3), dtype, layout), var("b", (2, 3), dtype), **loose)
            lin("solve", regular("A", (3, 3), dtype, layout), var("B", (2, 3), dtype), left=False, **loose)
            for shape in ((3, 4), (4, 3), (3, 3), (2, 4, 3), (2, 3, 4), (1, 3)):
                A = var("A", shape, dtype, layout)
                raw("linalg.qr", "local q, r = tensor.linalg.qr(A); return q:matmul(r), q:transpose(-2, -1):matmul(q), r:abs()", lambda A: (lambda q, r: (q @ r, q.mT @ q, r.abs()))(*L.qr(A)), A, **loose)
                raw("linalg.qr", 'local q, r = tensor.linalg.qr(A, "complete"); return q:matmul(r), r:abs()', lambda A: (lambda q, r: (q @ r, r.abs()))(*L.qr(A, "complete")), Var("A", A.base, layout), **loose)
                raw("linalg.qr", '(select(2, tensor.linalg.qr(A, "r"))):abs()', lambda A: L.qr(A, "r")[1].abs(), Var("A", A.base, layout), **loose)
                raw("linalg.svd", "local u, s, vh = tensor.linalg.svd(A, false); return u:abs(), s, vh:abs(), (u * s:unsqueeze(-2)):matmul(vh)",
                    lambda A: (lambda u, s, vh: (u.abs(), s, vh.abs(), (u * s.unsqueeze(-2)) @ vh))(*L.svd(A, full_matrices=False)), A, **loose)
                raw("linalg.svd", "local u, s, vh = tensor.linalg.svd(A); return s, u:matmul(u:transpose(-2, -1)), vh:matmul(vh:transpose(-2, -1))",
                    lambda A: (lambda u, s, vh: (s, u @ u.mT, vh @ vh.mT))(*L.svd(A)), Var("A", A.base, layout), **loose)
                raw("linalg.svd", "(select(2, tensor.linalg.svd(A)))", lambda A: L.svdvals(A), A, **loose)
            raw("linalg.eigh", 'tensor.linalg.eigh(A, "U")', lambda A: (L.eigh(A, "U")[0],), Var("A", values((1, 1), dtype), layout)) if False else None
            raw("linalg.eigh", '(tensor.linalg.eigh(A, "U"))', lambda A: L.eigh(A, "U")[0], Var("A", values((3, 3), dtype), layout), **loose)
            raw("linalg.eigh", "(tensor.linalg.eigh(A))", lambda A: L.eigh(A)[0], sym("A", (4, 4), dtype, layout), **loose)
            for x in (var("A", (3, 4), dtype, layout), var("A", (2, 3, 4), dtype, layout)):
                lin("norm", x, **loose)
                for p in ("fro", "nuc", 1, -1, 2, -2, INF, -INF):
                    if x.base.ndim == 2:
                        lin("norm", x, p, **loose)
                    lin("norm", x, p, [-2, -1], **loose)
                    lin("norm", x, p, [0, 1], True, **loose)
                for p in (0, 1, 2, 3.5, INF, -INF):
                    lin("norm", x, p, 1, **loose)
                lin("norm", x, dim=-1, keepdim=True, **loose)
            lin("norm", var("v", (5,), dtype, layout), **loose)
            for p in (0, 1, 2, 0.5, -1, INF):
                lin("norm", var("v", (5,), dtype, layout), p, **loose)
        for name in ("det", "inv", "cholesky"):
            lin(name, var("A", (0, 0), dtype))
            lin(name, var("A", (0, 3, 3), dtype))
            lin(name, var("A", (2, 3), dtype), fail=True)
            lin(name, var("A", (3,), dtype), fail=True)
        lin("det", const("A", [[1.0, 2], [2, 4]], dtype), **loose)  # PyTorch loses the gradient of singular matrices
        lin("det", const("A", [[0.0, 2, 1], [3, 0, 1], [1, 1, 0]], dtype, grad=True), **loose)
        lin("inv", const("A", [[1.0, 2], [2, 4]], dtype), fail=True)
        lin("solve", const("A", [[0.0, 0], [0, 1]], dtype), const("b", [1.0, 2], dtype), fail=True)
        lin("cholesky", const("A", [[1.0, 2], [2, 1]], dtype), fail=True)
        lin("solve", var("A", (3, 3), dtype), var("b", (4,), dtype), fail=True)
        lin("solve", var("A", (2, 3), dtype), var("b", (2,), dtype), fail=True)
        lin("norm", var("A", (2, 3, 4), dtype), "fro", fail=True)
        lin("norm", var("A", (2, 3), dtype), 3, fail=True)
        lin("norm", var("A", (3,), dtype), "fro", fail=True)
        lin("norm", var("A", (2, 3), dtype), "abc", fail=True)
        for name in ("qr", "svd", "eigh"):
            raw("linalg." + name, f"tensor.linalg.{name}(A)", lambda A, n=name: getattr(L, n)(A), var("A", (3,), dtype), fail=True)
        raw("linalg.eigh", "tensor.linalg.eigh(A)", lambda A: L.eigh(A), var("A", (2, 3), dtype), fail=True)
        for shape in ((0, 3), (3, 0), (0, 3, 2)):
            raw("linalg.qr", "tensor.linalg.qr(A)", lambda A: tuple(L.qr(A)), var("A", shape, dtype, grad=False))
            raw("linalg.svd", "tensor.linalg.svd(A, false)", lambda A: tuple(L.svd(A, full_matrices=False)), var("A", shape, dtype, grad=False))
        raw("linalg.eigh", "tensor.linalg.eigh(A)", lambda A: tuple(L.eigh(A)), var("A", (0, 0), dtype, grad=False))
        lin("norm", const("A", [1, 2]), fail=True)
        lin("norm", const("A", [1, 2]), dtype=F64) if False else None
        lin("norm", const("A", [1.0, 2]), dtype=F64)
    for name in ("det", "inv", "cholesky"):
        lin(name, const("A", [[1, 2], [3, 4]]), fail=True)
    lin("solve", var("A", (2, 2), F32), var("b", (2,), F64), fail=True)


# ---------------------------------------------------------------- gradients
def autograd():
    x, d = var("x", (2, 3), F64), var("x", (2, 3), F32)
    for t in (x, d):
        raw("backward", "(x * x):sum():backward(); return x.grad", lambda x: ((x * x).sum().backward(), x.grad)[1], t, grad=False)
        raw("backward", "(x * x):backward(x:detach()); return x.grad", lambda x: ((x * x).backward(x.detach()), x.grad)[1], t, grad=False)
        raw("backward", "local y = (x * x):sum(); y:backward({retain_graph = true}); y:backward(); return x.grad", lambda x: (lambda y: (y.backward(retain_graph=True), y.backward(), x.grad)[2])((x * x).sum()), t, grad=False)
        raw("grad", "tensor.grad((x ^ 3):sum(), x)", lambda x: torch.autograd.grad((x**3).sum(), x)[0], t, grad=False)
        raw("grad", "local g = tensor.grad((x ^ 3):sum(), x, {create_graph = true}); return tensor.grad(g:sum(), x)", lambda x: torch.autograd.grad(torch.autograd.grad((x**3).sum(), x, create_graph=True)[0].sum(), x)[0], t, grad=False)
        raw("grad", "tensor.grad({x:sin(), x:exp()}, {x}, {grad_outputs = {x:detach(), x:detach()}})", lambda x: {"list": list(torch.autograd.grad([x.sin(), x.exp()], [x], grad_outputs=[x.detach(), x.detach()]))}, t, grad=False)
        raw("grad", "(tensor.grad(x:sum(), tensor.zeros(2, {requires_grad = true}), {allow_unused = true}) == nil)", lambda x: True, t, grad=False)
        raw("no_grad", "tensor.no_grad(function() return (x * 2).requires_grad end)", lambda x: False, t)
        raw("no_grad", "tensor.no_grad(function(a, b) return a + b end, 3, 4)", lambda x: 7, t)
        raw("enable_grad", "tensor.no_grad(function() return tensor.enable_grad(function() return x * 2 end) end)", lambda x: x * 2, t)
        raw("is_grad_enabled", "tensor.is_grad_enabled()", lambda x: True, t)
        raw("is_grad_enabled", "tensor.no_grad(tensor.is_grad_enabled)", lambda x: False, t)
        raw("set_grad_enabled", "local old = tensor.set_grad_enabled(false); local r = (x * 2).requires_grad; tensor.set_grad_enabled(old); return old, r", lambda x: (True, False), t)
        raw("register_hook", "x:register_hook(function(g) return g * 2 end); x:sum():backward(); return x.grad", lambda x: (x.register_hook(lambda g: g * 2), x.sum().backward(), x.grad)[2], t, grad=False)
        raw("register_hook", "local y = x * 3; y:register_hook(function(g) return g * 5 end); return y", lambda x: (lambda y: (y.register_hook(lambda g: g * 5), y)[1])(x * 3), t)
        raw("register_hook", "local h = x:register_hook(function(g) return g * 2 end); h:remove(); x:sum():backward(); return x.grad", lambda x: (x.register_hook(lambda g: g * 2).remove(), x.sum().backward(), x.grad)[2], t, grad=False)
        raw("retain_grad", "local y = x * 3; y:retain_grad(); (y * y):sum():backward(); return y.grad", lambda x: (lambda y: (y.retain_grad(), (y * y).sum().backward(), y.grad)[2])(x * 3), t, grad=False)
        raw("detach", "(x:detach() * x):sum():backward(); return x.grad", lambda x: ((x.detach() * x).sum().backward(), x.grad)[1], t, grad=False)
        raw("Function", "local f = tensor.Function{forward = function(ctx, a) ctx:save_for_backward(a); return a * a end, backward = function(ctx, g) return 2 * g * ctx.saved_tensors[1] end}; return f(x)", lambda x: x * x, t)
        raw("Function", "local f = tensor.Function{forward = function(ctx, a, k, b) ctx.k = k; return a * k, b + k end, backward = function(ctx, g, h) return g * ctx.k, nil, h end}; local p, q = f(x, 3, x); return p, q", lambda x: (x * 3, x + 3), t)
        raw("custom_node", "local y = x:detach() * 4; return tensor.custom_node('quad', {x}, {y}, function(g) return g[1] * 4 end)[1]", lambda x: x * 4, t)
        raw("add_hook", "local id = tensor.add_hook(x, function(g) return g * 2 end); x:sum():backward(); return x.grad", lambda x: torch.full_like(x, 2).detach(), t, grad=False)
        raw("remove_hook", "local id = tensor.add_hook(x, function(g) return g * 2 end); tensor.remove_hook(x, id); x:sum():backward(); return x.grad", lambda x: torch.ones_like(x).detach(), t, grad=False)
    for code in ("x:backward()", "tensor.zeros(2):sum():backward()", "local y = (x * x):sum(); y:backward(); y:backward()", "(x * x):backward(tensor.ones(2))",
                 "local y = x:exp(); y:add_(1); y:sum():backward()", "local z = x * 1; local y = z * z; z:mul_(2); y:sum():backward()", "x:add_(1)"):
        refuse("backward", code, x)
    refuse("grad", "tensor.grad(x:sum(), tensor.zeros(2))", x)
    refuse("grad", "tensor.grad(x:sum(), tensor.zeros(2, {requires_grad = true}))", x)
    refuse("register_hook", "tensor.zeros(2):register_hook(function() end)")
    refuse("retain_grad", "tensor.zeros(2):retain_grad()")
    refuse("Function", "tensor.Function{forward = function() end}")
    check("gradcheck", 'return tensor.gradcheck(function(a) return a:sin() end, tensor.randn(3, {dtype = "float64", requires_grad = true}))')
    check("gradcheck", 'local bad = tensor.Function{forward = function(ctx, a) return a * 2 end, backward = function(ctx, g) return g * 3 end}; return not pcall(tensor.gradcheck, bad, tensor.ones(2, {dtype = "float64", requires_grad = true}))')
    check("gradcheck", 'local bad = tensor.Function{forward = function(ctx, a) return a * 2 end, backward = function(ctx, g) return g * 3 end}; return tensor.gradcheck(bad, tensor.ones(2, {dtype = "float64", requires_grad = true}), {raise_exception = false}) == false')
    check("memory", "local m = tensor.memory(); local x = tensor.zeros(1000, 100); local n = tensor.memory(); return n.live - m.live >= 400000 and n.peak >= n.live and m.cached >= 0 and #x == 1000")
    check("get_num_threads set_num_threads", "local n = tensor.get_num_threads(); tensor.set_num_threads(1); local one = tensor.get_num_threads(); tensor.set_num_threads(n); return one == 1 and n >= 1 and tensor.get_num_threads() == n")
    refuse("set_num_threads", "tensor.set_num_threads(0)")
    for dtype in ALL:
        for shape in ((), (3,), (2, 3), (2, 2, 2), (0,), (2, 0)):
            x = var("x", shape, dtype, grad=False)
            raw("tensor", "tostring(x)", lambda x: repr(x).replace("dtype=torch.", "dtype=").replace("True", "true").replace("False", "false"), x)
    for data in ([1.0, 2], [1.5, 1e-5], [1e9, 1.0], [NAN, INF, -INF, 1], [1e-8], [0.1, 0.25], [-1.0, 100000.0], [[1.0, -2.5], [1000.125, 0]]):
        raw("tensor", "tostring(x)", lambda x: repr(x), const("x", data))
    raw("tensor", "tostring(tensor.arange(2000))", lambda: repr(torch.arange(2000)))
    raw("tensor", "tostring(tensor.zeros(40, 50))", lambda: repr(torch.zeros(40, 50)))
    raw("tensor", '"a" .. tensor{1, 2}', lambda: "a" + repr(torch.tensor([1, 2])))


def unquoted(text):
    return text


for family in (elementwise, binary, reductions, shapes, creation, randomness, indexing, sorting, products, linalg, autograd):
    before = len(W.lines)
    family()
    print(f"{family.__name__}: {len(W.lines) - before}")
W.save(os.path.join(os.path.dirname(os.path.abspath(__file__)), "tensor.lua.gz"))
for code, why in W.skipped[:400]:
    if "-v" in sys.argv:
        print("skipped", code, why)
