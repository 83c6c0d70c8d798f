"""Golden cases: one expression in Lua and in Python, run by PyTorch here and by `host` in the tests.

Each case is a line of Lua, a table:
  n  the documented names that it covers          c  the Lua expression (or the body of a function)
  i  inputs by variable: {dtype, shape, values, layout, requires gradient}
  o  expected results: {dtype, shape, values}, or numbers, strings and booleans as they are; {list = {...}}
  g  expected gradients by variable, of the weighted sum of all floating-point results
  e  true when the call must fail                 t  relative tolerance where the usual one does not fit
  a  the variable whose contents are compared too (in-place operations)
"""
import gzip
import io
import math
import warnings
import zlib

import numpy as np
import torch

warnings.filterwarnings("ignore")
torch.set_num_threads(1)

F32, F64 = torch.float32, torch.float64
I64, I32, U8, BOOL = torch.int64, torch.int32, torch.uint8, torch.bool
CODES = {F32: "f", F64: "d", I64: "l", I32: "i", U8: "u", BOOL: "b"}
NAMES = {F32: "float32", F64: "float64", I64: "int64", I32: "int32", U8: "uint8", BOOL: "bool"}
LETTERS = {v: k for k, v in CODES.items()}


def numbers(values, dtype):
    """Values of a dtype as Lua source, as short as they can be written exactly."""
    out = []
    for v in values:
        if dtype in (F32, F64):
            v = np.float32(v) if dtype == F32 else np.float64(v)
            if np.isnan(v):
                out.append("0/0")
            elif np.isinf(v):
                out.append("1/0" if v > 0 else "-1/0")
            elif v == 0 and np.signbit(v):
                out.append("-0.0")
            else:
                text = min(np.format_float_positional(v, trim="-"), np.format_float_scientific(v, trim="-"), key=len)
                out.append(text if any(c in text for c in ".e") else text + "." if False else text)
        else:
            out.append(str(int(v)))
    return "{" + ",".join(out) + "}"


def shape_text(shape):
    return "{" + ",".join(map(str, shape)) + "}"


def tensor_text(t, extra=""):
    flat = t.detach().contiguous().reshape(-1)
    return f'{{"{CODES[t.dtype]}",{shape_text(t.shape)},{numbers(flat.tolist() if t.dtype != F32 else flat.numpy(), t.dtype)}{extra}}}'


class Var:
    """An input. layout: c contiguous, t dimensions stored in reverse, s every second element, e expanded."""

    def __init__(self, name, tensor, layout="c", grad=False):
        self.name, self.base, self.layout, self.grad = name, tensor, layout, grad and tensor.is_floating_point()

    def make(self):
        t = self.base
        if self.layout == "t":
            order = list(range(t.ndim))[::-1]
            t = t.permute(order).contiguous().permute(order)
        elif self.layout == "s" and t.ndim > 0:
            big = torch.zeros(*t.shape[:-1], 2 * t.shape[-1], dtype=t.dtype)
            big[..., ::2] = t
            t = big[..., ::2]
        else:
            t = t.clone()
        t = t.detach()
        if self.grad:
            t.requires_grad_()
        return t

    def lua(self):
        extra = "" if self.layout == "c" and not self.grad else f',"{self.layout}"' + (",1" if self.grad else "")
        return tensor_text(self.base, extra)

    def __repr__(self):
        return self.name


class Raw(str):
    """Text that goes into Lua as it is."""


def lua_value(v):
    if isinstance(v, (Var, Raw)):
        return str(v)
    if v is None:
        return "nil"
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, torch.dtype):
        return f'"{NAMES[v]}"'
    if isinstance(v, str):
        return '"' + v.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(v, float):
        if math.isinf(v):
            return "1/0" if v > 0 else "-1/0"
        return "0/0" if math.isnan(v) else repr(v)
    if isinstance(v, (list, tuple)):
        return "{" + ", ".join(map(lua_value, v)) + "}"
    return str(v)


def call_text(name, args, kwargs, method, module="tensor"):
    words = [lua_value(a) for a in (args[1:] if method else args)]
    if kwargs:
        words.append("{" + ", ".join(f"{k} = {lua_value(v)}" for k, v in kwargs.items()) + "}")
    head = f"{args[0]}:{name}" if method else f"{module}.{name}"
    return f"{head}({', '.join(words)})"


def variables(args):
    for a in args:
        if isinstance(a, Var):
            yield a
        elif isinstance(a, (list, tuple)):
            yield from variables(a)


def substitute(value, made):
    if isinstance(value, Var):
        return made[value.name]
    if isinstance(value, list):
        return [substitute(v, made) for v in value]
    if isinstance(value, tuple):
        return tuple(substitute(v, made) for v in value)
    return value


def result_text(value):
    if isinstance(value, torch.Tensor):
        return tensor_text(value)
    if isinstance(value, torch.Size):
        return lua_value(list(value))
    if isinstance(value, dict):
        return "{list={" + ",".join(result_text(v) for v in value["list"]) + "}}"
    return lua_value(value)


class Writer:
    def __init__(self):
        self.lines, self.names, self.skipped = [], {}, []

    def add(self, names, code, inputs, run, *, tol=None, changed=None, must_fail=False, grad=True):
        """Runs the Python side and notes the case. `run` gets the inputs as tensors by name."""
        names = [names] if isinstance(names, str) else names
        made = {v.name: v.make() for v in inputs}
        error, results = None, None
        try:
            results = run(made)
        except (RuntimeError, TypeError, ValueError, IndexError) as e:
            error = e
            # A dtype that PyTorch has no loop for: ours may have one.
            if not must_fail and ("not implemented for" in str(e) or "does not support bool" in str(e)):
                self.skipped.append((code, str(e)[:80]))
                return
        if must_fail and error is None:
            raise SystemExit(f"expected PyTorch to refuse {code}")
        parts = [f'n="{" ".join(names)}"', f"c={quote(code)}"]
        if inputs:
            parts.append("i={" + ",".join(f"{v.name}={v.lua()}" for v in inputs) + "}")
        if error is not None:
            if not must_fail and isinstance(error, TypeError):
                raise SystemExit(f"{code}: {error}")
            parts.append("e=true")
        else:
            outs = list(results) if isinstance(results, tuple) and not isinstance(results, torch.Size) else [results]
            parts.append("o={" + ",".join(result_text(r) for r in outs) + "}")
            if changed:
                parts.append(f'a="{changed}"')
            grads = self.gradients(outs, made, inputs) if grad else None
            if grads:
                parts.append("g={" + ",".join(f"{k}={tensor_text(g)}" for k, g in grads.items()) + "}")
        if tol:
            parts.append(f"t={tol}")
        self.lines.append("{" + ",".join(parts) + "}")
        for n in names:
            self.names[n] = self.names.get(n, 0) + 1

    @staticmethod
    def gradients(outs, made, inputs):
        flat = []
        for r in outs:
            flat += r["list"] if isinstance(r, dict) else [r]
        flat = [r for r in flat if isinstance(r, torch.Tensor) and r.requires_grad and r.grad_fn is not None]
        wanted = [v for v in inputs if v.grad]
        if not flat or not wanted:
            return None
        loss = 0
        for r in flat:
            k = torch.arange(r.numel())
            loss = loss + (r.reshape(-1) * (((k * 7) % 5 - 2) / 2 + 0.25).to(r.dtype)).sum()
        try:
            found = torch.autograd.grad(loss, [made[v.name] for v in wanted], allow_unused=True)
        except (RuntimeError, NotImplementedError):
            return None
        return {v.name: torch.zeros_like(made[v.name]) if g is None else g for v, g in zip(wanted, found)}

    def save(self, path):
        data = ("\n".join(self.lines) + "\n").encode()
        buffer = io.BytesIO()
        with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, compresslevel=9) as f:
            f.write(data)
        with open(path, "wb") as f:
            f.write(buffer.getvalue())
        print(f"{path}: {len(self.lines)} cases, {len(data)} bytes, {len(buffer.getvalue())} packed, {len(self.skipped)} skipped")


def quote(text):
    level = ""
    while f"]{level}]" in text or text.endswith("]" + level):
        level += "="
    return f"[{level}[{text}]{level}]" if '"' in text or "\n" in text or "\\" in text else f'"{text}"'


def values(shape, dtype=F32, low=-3, high=3, seed=0, special=False):
    """Repeatable inputs with few digits; floats are distinct where there is room."""
    count = int(np.prod(shape)) if len(shape) else 1
    rng = np.random.RandomState(zlib.crc32(repr((tuple(shape), str(dtype), low, high, seed)).encode()) % 2**31)
    if dtype == BOOL:
        data = rng.randint(0, 2, count)
    elif dtype in (F32, F64):
        steps = int((high - low) * 16)
        data = low + rng.choice(steps, count, replace=count > steps) / 16 if count else np.zeros(0)
        if special and count >= 6:
            data[:6] = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0]
    else:
        low, high = int(low), int(high)
        if dtype == U8:
            low, high = max(low, 0), max(high, low + 2, 3)
        data = rng.randint(low, high + 1, count)
    return torch.tensor(data, dtype=dtype).reshape(tuple(shape))
