#!/usr/bin/env python3
"""Writes audit.lua.gz: how tensors print, indexing by random keys, NaN and infinity everywhere, promotion of every pair of
dtypes, with PyTorch's results. The cases beside those of make_tensor_cases.py that no one would write by hand.

    python3 Tests/Golden/make_audit_cases.py        (needs torch and numpy; not run by the tests)
"""
import itertools
import os
import random
import re
import sys

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from golden_case import BOOL, F32, F64, I32, I64, NAMES, U8, Var, Writer, values  # noqa: E402

W = Writer()
ALL = [F32, F64, I64, I32, U8, BOOL]
NAN, INF = float("nan"), float("inf")


def printed(t):
    """PyTorch's text in Lua's words."""
    return re.sub(r"\bTrue\b", "true", re.sub(r"\bFalse\b", "false", str(t).replace("torch.", "")))


def show(t, layout="c"):
    W.add("tostring", "tostring(x)", [Var("x", t, layout)], lambda made: printed(made["x"]), grad=False)


def printing():
    shapes = [(), (1,), (3,), (2, 3), (2, 1, 2), (2, 2, 2, 2), (0,), (2, 0), (1, 0, 3), (30,), (4, 30), (1001,), (8, 200), (12, 12, 12), (2, 2, 300), (1, 1001), (1001, 1)]
    for shape, dtype in itertools.product(shapes, ALL):
        show(values(shape, dtype))
    scales = [1e-45, 1e-30, 1e-7, 1e-5, 9e-5, 1e-4, 1e-3, 0.1, 1.0, 10.0, 999.0, 1000.0, 12345.678, 1e7, 1e8, 1.5e8, 1e9, 1e16, 3e38]
    for a in scales:
        for t in ([a], [a, 1.0], [a, -a], [a, 0.0], [-a, 2 * a, 0.5 * a], [a, NAN], [a, INF, -INF], [1.5, a, 1e3 * min(a, 1e30)]):
            for dtype in (F32, F64):
                show(torch.tensor(t, dtype=dtype))
    for t in ([NAN], [INF], [-INF], [NAN, INF], [NAN, 0.0], [0.0, -0.0], [-0.0], [1.0, -0.0], [NAN, 1.5], [INF, 2.0], [-INF, 0.25], [1e-4, 1.0], [1e-5, 1.0], [0.99999, 1.0],
              [1.00005, 2.0], [1000.0, 1.0], [1000.5, 1.0], [1001.0, 1.0], [123456.0], [1234567.0, 1.0], [99999999.0], [100000000.0], [100000001.0], [0.5, 500.0], [0.5, 500.5],
              [2.0**53], [1 / 3], [2 / 3, 200 / 3], [1e-10, 1e-9], [5e-324]):
        for dtype in (F32, F64):
            show(torch.tensor(t, dtype=dtype))
            show(torch.tensor(t + [-x for x in t], dtype=dtype).reshape(2, -1))
    for t in ([0], [-1, 10], [2**62, -2**63], [1000000, 1]):
        show(torch.tensor(t))
    for i in range(60):
        rng = random.Random(i)
        shape = tuple(rng.choice([1, 2, 3, 5, 7]) for _ in range(rng.randint(0, 4)))
        count = 1
        for n in shape:
            count *= n
        exponent = rng.choice([0, 0, 1, 3, 5, 9, -3, -6])
        data = [rng.choice([rng.gauss(0, 1), rng.gauss(0, 1) * 10**exponent, float(rng.randint(-99, 99))]) for _ in range(count)]
        if rng.random() < 0.25 and data:
            data[rng.randrange(count)] = rng.choice([NAN, INF, -INF])
        show(torch.tensor(data, dtype=rng.choice([F32, F64])).reshape(shape), rng.choice("ct"))


def python_key(part):
    return {"...": Ellipsis, "None": None}.get(part, part) if isinstance(part, str) else part


def slice_text(s):
    words = ["" if v is None else str(v) for v in (s.start, s.stop)]
    return ":".join(words + ([str(s.step)] if s.step is not None else []))


def random_key(rng, shape):
    """A key as Lua text and as Python sees it."""
    parts, lua = [], []
    used, dots = 0, False
    for n in shape:
        if rng.random() < 0.15:
            break
        kind = rng.choice(["int", "slice", "slice", "slice", "all", "none", "dots", "list", "mask"])
        if kind == "none":
            parts.append(None)
            lua.append('"None"')
        if kind == "dots" and not dots:
            dots = True
            parts.append(Ellipsis)
            lua.append('"..."')
            break
        if kind == "int" and n > 0:
            i = rng.randint(-n, n - 1)
            parts.append(i)
            lua.append(str(i))
        elif kind == "list" and n > 0:
            index = [rng.randint(-n, n - 1) for _ in range(3)]
            parts.append(torch.tensor(index))
            lua.append("tensor{" + ", ".join(map(str, index)) + "}")
        elif kind == "mask" and n > 2:
            mask = [rng.random() < 0.5 for _ in range(n)]
            mask[:3] = [True] * 3
            mask[3:] = [False] * (n - 3)
            rng.shuffle(mask)
            parts.append(torch.tensor(mask))
            lua.append("tensor{" + ", ".join("true" if m else "false" for m in mask) + "}")
        elif kind == "all":
            parts.append(slice(None))
            lua.append('":"')
        else:
            bound = lambda: rng.choice([None, None, rng.randint(-n - 2, n + 2)])  # noqa: E731
            s = slice(bound(), bound(), rng.choice([None, None, 1, 2, 3]))
            parts.append(s)
            lua.append('"' + slice_text(s) + '"')
        used += 1
    if not parts:
        return '"..."', Ellipsis
    plain = all(not isinstance(p, torch.Tensor) for p in parts)
    if plain and rng.random() < 0.5:
        return '"' + ", ".join(t.strip('"') for t in lua) + '"', tuple(parts)
    return "{" + ", ".join(lua) + "}", tuple(parts)


def indexing():
    for i in range(700):
        rng = random.Random(1000 + i)
        shape = tuple(rng.choice([1, 2, 3, 4, 5, 0]) if rng.random() < 0.9 else 3 for _ in range(rng.randint(1, 4)))
        dtype = rng.choice([F32, F64, I64, BOOL])
        x = Var("x", values(shape, dtype, seed=i), rng.choice("ccts"), grad=True)
        lua, key = random_key(rng, shape)
        W.add("index", f"x[{lua}]", [x], lambda made: made["x"][key])
        x = Var("x", values(shape, dtype, seed=i), rng.choice("ccts"))

        def assign(made, value):
            made["x"][key] = value
            return made["x"]

        # Of several values for one place PyTorch keeps any: only numbers, or keys that name no place twice.
        W.add("index", f"x[{lua}] = 1; return x", [x], lambda made: assign(made, 1), changed="x")
        if not any(isinstance(p, torch.Tensor) and p.dtype == I64 for p in (key if isinstance(key, tuple) else (key,))):
            try:
                part = x.make()[key].shape
            except (IndexError, RuntimeError):
                continue
            v = Var("v", values(part, dtype, seed=i + 1))
            W.add("index", f"x[{lua}] = v; return x", [x, v], lambda made: assign(made, made["v"]), changed="x")
            if len(part) > 1:
                w = Var("v", values(part[1:], dtype, seed=i + 2))
                W.add("index", f"x[{lua}] = v; return x", [x, w], lambda made: assign(made, made["v"]), changed="x")


UNARY = """abs sign exp exp2 expm1 log log2 log10 log1p sqrt rsqrt square reciprocal sin cos tan asin acos atan sinh cosh tanh sigmoid relu erf erfc floor ceil
round trunc frac neg isnan isinf isfinite logical_not nan_to_num""".split()
BINARY = "add sub mul div pow remainder floor_divide atan2 maximum minimum eq ne lt le gt ge logical_and logical_or logical_xor".split()
SPECIAL = [NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e-30, -1e30, 88.0, -104.0, 710.0]


def specials():
    for name, dtype in itertools.product(UNARY, (F32, F64)):
        x = Var("x", torch.tensor(SPECIAL, dtype=dtype))
        W.add(name, f"x:{name}()", [x], lambda made: getattr(torch, name)(made["x"]))
    for name in ("leaky_relu", "elu", "gelu", "silu", "softplus", "hardtanh"):
        # At infinity PyTorch's own formulas of these give NaN; here they give the limits.
        x = Var("x", torch.tensor([v for v in SPECIAL if name not in ("gelu", "silu") or abs(v) != INF]))
        W.add(name, f"x:{name}()", [x], lambda made: getattr(torch.nn.functional, name)(made["x"]))
    pairs = list(itertools.product(SPECIAL[:11], repeat=2))
    for name, dtype in itertools.product(BINARY, (F32, F64)):
        a, b = Var("a", torch.tensor([p[0] for p in pairs], dtype=dtype)), Var("b", torch.tensor([p[1] for p in pairs], dtype=dtype))
        W.add(name, f"a:{name}(b)", [a, b], lambda made: getattr(torch, name)(made["a"], made["b"]))
    rows = torch.tensor([[1.0, NAN, 3.0], [INF, 1.0, -INF], [NAN, NAN, NAN], [2.0, 2.0, 1.0], [INF, INF, 0.0], [-INF, -INF, -INF]])
    for name in "sum mean prod max min amax amin argmax argmin var std norm all any logsumexp median cumsum cumprod count_nonzero softmax log_softmax".split():
        x = Var("x", rows)
        if name in ("cumsum", "cumprod", "softmax", "log_softmax", "logsumexp"):
            W.add(name, f"x:{name}(1)", [x], lambda made: getattr(torch, name)(made["x"], 1))
        elif name == "norm":
            W.add(name, "x:norm(2, 1)", [x], lambda made: torch.norm(made["x"], 2, 1))
        else:
            W.add(name, f"x:{name}()", [x], lambda made: getattr(torch, name)(made["x"]))
            W.add(name, f"(x:{name}(1))", [x], lambda made: first(getattr(torch, name)(made["x"], 1)))
    x = Var("x", torch.tensor([NAN, 1.0, INF, -INF, 2.0]))
    W.add("sort", "(x:sort())", [x], lambda made: torch.sort(made["x"])[0])
    W.add("sort", "(x:sort(0, true))", [x], lambda made: torch.sort(made["x"], 0, True)[0])
    W.add("clamp", "x:clamp(-1, 1)", [x], lambda made: made["x"].clamp(-1, 1))
    W.add("clamp", "x:clamp(0/0, 1)", [x], lambda made: made["x"].clamp(NAN, 1))
    W.add("equal", "x:equal(x)", [x], lambda made: torch.equal(made["x"], made["x"].clone()))
    W.add("allclose", "x:allclose(x, {equal_nan = true})", [x], lambda made: torch.allclose(made["x"], made["x"], equal_nan=True))
    # How a number that is not finite becomes an integer is left open by C, and differs between machines.
    W.add("to", 'x:to("bool")', [x], lambda made: made["x"].to(BOOL))


def first(r):
    return r if isinstance(r, torch.Tensor) else r[0]


def promotion():
    for name, a, b in itertools.product(BINARY, ALL, ALL):
        x, y = Var("x", values((3,), a, low=1, high=4)), Var("y", values((3,), b, low=1, high=4, seed=1))
        W.add(name, f"x:{name}(y)", [x, y], lambda made: getattr(torch, name)(made["x"], made["y"]))
        zero = Var("y", values((), b, low=1, high=4, seed=1))
        W.add(name, f"x:{name}(y)", [x, zero], lambda made: getattr(torch, name)(made["x"], made["y"]))
    numeric = [n for n in BINARY if not n.startswith("logical") and n not in ("atan2", "maximum", "minimum")]
    for name, a, (text, number) in itertools.product(numeric, ALL, [("2", 2), ("2.5", 2.5)]):
        x = Var("x", values((3,), a, low=1, high=4))
        W.add(name, f"x:{name}({text})", [x], lambda made: getattr(torch, name)(made["x"], number))
    for a, b in itertools.product(ALL, ALL):
        x, y, c = Var("x", values((3,), a)), Var("y", values((3,), b, seed=1)), Var("c", torch.tensor([True, False, True]))
        W.add("where", "tensor.where(c, x, y)", [x, y, c], lambda made: torch.where(made["c"], made["x"], made["y"]))
        W.add("cat", "tensor.cat{x, y}", [x, y], lambda made: torch.cat([made["x"], made["y"]]))
        W.add("to", f'x:to("{NAMES[b]}")', [Var("x", values((3,), a, low=0, high=3))], lambda made: made["x"].to(b))


def overflow():
    for dtype, texts in [(U8, ["300", "-256", "255", "-255", "256.0", "-1", "0/0", "1/0"]), (I32, ["1 << 31", "-(1 << 31)", "2^31", "0/0"]), (I64, ["2^63", "0/0", "-1/0", "-2^63"])]:
        for text in texts:
            number = eval(text.replace("0/0", "NAN").replace("1/0", "INF").replace("^", ".0**"))  # noqa: S307
            name = NAMES[dtype]
            x = Var("x", values((3,), dtype))
            attempt("tensor", f'tensor({{{text}}}, {{dtype = "{name}"}})', [], lambda made: torch.tensor([number], dtype=dtype))
            attempt("full", f'tensor.full({{2}}, {text}, {{dtype = "{name}"}})', [], lambda made: torch.full((2,), number, dtype=dtype))
            attempt("fill_", f"x:fill_({text})", [x], lambda made: made["x"].fill_(number))
            attempt("index", f"x[1] = {text}; return x", [x], lambda made: stored(made["x"], number))
    for low, high in [(None, 2**40), (-2**40, None), (-2**40, 2**40), (1, 2**40), (None, 300), (-5, None)]:
        for dtype in (I32, U8, I64):
            x = Var("x", values((4,), dtype, low=0, high=9))
            arguments = ", ".join("nil" if v is None else str(v) for v in (low, high))
            attempt("clamp", f"x:clamp({arguments})", [x], lambda made: made["x"].clamp(low, high))


def attempt(name, code, inputs, run):
    """A case whether PyTorch accepts or refuses the call."""
    try:
        run({v.name: v.make() for v in inputs})
        refused = False
    except (RuntimeError, OverflowError):
        refused = True

    def tried(made):
        try:
            return run(made)
        except OverflowError as e:
            raise RuntimeError(str(e))

    W.add(name, code, inputs, tried, must_fail=refused)


def stored(x, number):
    x[1] = number
    return x


overflow()
printing()
indexing()
specials()
promotion()
W.save(os.path.join(os.path.dirname(os.path.abspath(__file__)), "audit.lua.gz"))
