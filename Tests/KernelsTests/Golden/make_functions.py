"""Writes functions.txt: values of the element-wise functions from mpmath (200 bits), rounded once.

Each line: function, dtype, argument bits, [second argument bits,] result bits (hexadecimal).
Run with: python3 make_functions.py   (needs numpy and mpmath)
"""
import pathlib
import mpmath as mp
import numpy as np

mp.mp.prec = 3000  # enough to reduce 1e300 mod pi/2
rng = np.random.default_rng(20240601)
root2 = mp.sqrt(2)
functions = {
    "exp": mp.exp, "exp2": lambda x: mp.power(2, x), "expm1": mp.expm1,
    "log": mp.log, "log2": lambda x: mp.log(x, 2), "log10": mp.log10, "log1p": mp.log1p,
    "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "asin": mp.asin, "acos": mp.acos, "atan": mp.atan,
    "sinh": mp.sinh, "cosh": mp.cosh, "tanh": mp.tanh, "erf": mp.erf, "erfc": mp.erfc,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)), "silu": lambda x: x / (1 + mp.exp(-x)),
    "gelu": lambda x: x * mp.erfc(-x / root2) / 2,
    "gelu_tanh": lambda x: x / (1 + mp.exp(-2 * mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3))),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "rsqrt": lambda x: 1 / mp.sqrt(x), "sqrt": mp.sqrt, "reciprocal": lambda x: 1 / x,
}
spans = {"exp": (-104, 89), "exp2": (-150, 128), "expm1": (-20, 89), "sinh": (-91, 91), "cosh": (-91, 91), "asin": (-1, 1),
         "acos": (-1, 1), "softplus": (-30, 19), "gelu_tanh": (-3, 9), "erfc": (-5, 9.9), "gelu": (-12, 12)}
positive = {"log", "log2", "log10", "rsqrt", "sqrt"}


def arguments(name, dtype):
    low, high = spans.get(name, (-10, 10))
    if dtype is np.float64 and name in ("exp", "exp2", "expm1", "sinh", "cosh"):
        low, high = low * 7.8, high * 7.8
    tiny = np.exp(rng.uniform(-60, -2, 14)) * rng.choice([-1, 1], 14)
    x = np.concatenate([rng.uniform(low, high, 40), tiny])
    if name in ("sin", "cos", "tan"):
        x = np.concatenate([x, rng.uniform(-1e5, 1e5, 20), np.exp(rng.uniform(10, 85, 20)), [1e30, 1e22, np.pi / 2, np.pi, 22, 355]])
        if dtype is np.float64:
            x = np.concatenate([x, np.exp(rng.uniform(85, 700, 20)), [6381956970095103 * 2.0**797, 2.0**20, 1e300]])
    if name in positive:
        x = np.abs(x)
        x = np.concatenate([x, np.exp(rng.uniform(-85, 85, 20)), [1e-42, 1, 1.0000001, 0.9999999, 2, 8, 0.125]])
    if name == "log1p":
        x = np.where(x <= -1, -x, x)
    x = x.astype(dtype)
    if name in ("asin", "acos"):
        x = np.clip(x, -1, 1)
    return x


def bits(v, dtype):
    return f"{int(np.array(v, dtype).view(np.uint32 if dtype is np.float32 else np.uint64)):x}"


def rounded(v, dtype):
    """v rounded once to dtype (mpmath rounds to 24 or 53 bits; subnormal results go through the double)."""
    if dtype is np.float32 and mp.mpf(2) ** -125 < abs(v) < mp.mpf(2) ** 127:
        with mp.workprec(24):
            return np.float32(float(+v))
    return dtype(float(v))


lines = []
for dtype, tag in ((np.float32, "f32"), (np.float64, "f64")):
    for name, f in functions.items():
        for x in arguments(name, dtype):
            y = rounded(f(mp.mpf(float(x))), dtype)
            if np.isfinite(y):
                lines.append(f"{name} {tag} {bits(x, dtype)} {bits(y, dtype)}")
    for name, f in (("pow", mp.power), ("atan2", mp.atan2)):
        for _ in range(60):
            if name == "pow":
                x, z = dtype(np.exp(rng.uniform(-20, 20))), dtype(rng.uniform(-4, 4) * (1 if dtype is np.float32 else 8))
            else:
                x, z = (dtype(rng.normal() * 10.0 ** rng.integers(-20, 20)) for _ in range(2))
            y = rounded(f(mp.mpf(float(x)), mp.mpf(float(z))), dtype)
            if np.isfinite(y):
                lines.append(f"{name} {tag} {bits(x, dtype)} {bits(z, dtype)} {bits(y, dtype)}")
pathlib.Path(__file__).with_name("functions.txt").write_text("\n".join(lines) + "\n")
print(len(lines), "values")
