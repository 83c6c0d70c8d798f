"""Makes the small files in Tests/Golden/data with the libraries whose formats they are.

Run by hand: python Tests/Golden/make_data_files.py (needs numpy, torch, safetensors).
"""
import gzip
import os
import struct

import numpy as np
import torch
from safetensors.torch import save_file

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
os.makedirs(here, exist_ok=True)


def path(name):
    return os.path.join(here, name)


# .npy: every element type, orders, shapes. Values are small integers, or thirds.
def values(dtype, shape):
    count = int(np.prod(shape))
    if dtype == "b1":
        return (np.arange(count) % 3 == 0).reshape(shape)
    if dtype[0] == "f":
        return ((np.arange(count) - 2) / 3).astype(dtype).reshape(shape)
    start = 0 if dtype[0] == "u" else -2
    return (np.arange(count) + start).astype(dtype).reshape(shape)


for dtype in ["b1", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]:
    np.save(path(f"{dtype}.npy"), values(dtype, (2, 3)))
np.save(path("big_endian.npy"), values("f8", (2, 3)).astype(">f8"))
np.save(path("fortran.npy"), np.asfortranarray(values("f4", (2, 3, 4))))
np.save(path("scalar.npy"), np.float64(1 / 3))
np.save(path("empty.npy"), np.zeros((0, 5), dtype="i4"))
np.save(path("vector.npy"), values("i8", (7,)))
np.savez(path("stored.npz"), a=values("f4", (2, 3)), b=values("i8", (4,)))
np.savez_compressed(path("deflated.npz"), a=values("f4", (20, 30)), b=values("u1", (100,)))

# safetensors: as PyTorch writes it.
tensors = {
    "fc.weight": (torch.arange(6).reshape(2, 3) - 2).float() / 3,
    "fc.bias": torch.tensor([1 / 3, -2 / 3], dtype=torch.float64),
    "half": (torch.arange(6) - 2).half() / 3,
    "bf": (torch.arange(6) - 2).bfloat16() / 3,
    "i8": torch.tensor([-128, 127], dtype=torch.int8),
    "i16": torch.tensor([-32768, 32767], dtype=torch.int16),
    "i32": torch.tensor([-(2**31), 2**31 - 1], dtype=torch.int32),
    "i64": torch.tensor([-(2**63), 2**63 - 1]),
    "u8": torch.tensor([0, 255], dtype=torch.uint8),
    "flags": torch.tensor([True, False, True]),
    "e4m3": torch.tensor([-448.0, 0.015625, 1.5]).to(torch.float8_e4m3fn),
    "e5m2": torch.tensor([-57344.0, 0.0625, 1.5]).to(torch.float8_e5m2),
    "scalar": torch.tensor(2.5),
    "none": torch.zeros(0, 3),
}
save_file(tensors, path("torch.safetensors"), metadata={"format": "pt", "note": 'quo"te \u00e9'})
# What our writer must give byte for byte: types that both have.
own = {k: tensors[k] for k in ["fc.weight", "fc.bias", "i32", "i64", "u8", "flags", "scalar", "none"]}
save_file(own, path("own.safetensors"), metadata={"format": "pt"})
# All 65,536 halves as floats would be large: every 97th is as good.
bits = np.arange(0, 65536, 97, dtype=np.uint16)
half = torch.from_numpy(bits.view(np.int16).copy()).view(torch.float16)
bf = torch.from_numpy(bits.view(np.int16).copy()).view(torch.bfloat16)
save_file({"half": half, "bf": bf}, path("narrow.safetensors"))
save_file({"half": half.float(), "bf": bf.float()}, path("narrow_as_float.safetensors"))
# Narrowing: floats of many sizes, and what PyTorch makes of them.
rng = np.random.default_rng(0)
wide = np.concatenate([
    (rng.standard_normal(500) * 10.0 ** rng.integers(-9, 6, 500)).astype(np.float32),
    np.array([65504, 65519.99, 65520, 1e6, -1e6, 5.9604645e-08, 2.9802322e-08, 2.98023e-08, 0, -0.0,
              np.inf, -np.inf, 1.00048828125, 1.00146484375, 3.4e38], dtype=np.float32),
])
wide = torch.from_numpy(wide)
save_file({"wide": wide, "half": wide.half(), "bf": wide.bfloat16()}, path("narrowing.safetensors"))


# IDX, as its author's page describes it.
def idx(name, code, array):
    header = struct.pack(">BBBB", 0, 0, code, array.ndim) + b"".join(struct.pack(">I", n) for n in array.shape)
    body = header + array.tobytes()
    with open(path(name), "wb") as f:
        f.write(gzip.compress(body, mtime=0) if name.endswith(".gz") else body)


idx("u8.idx", 0x08, values("u1", (3, 4)))
idx("u8.idx.gz", 0x08, values("u1", (3, 4)))
idx("i8.idx", 0x09, values("i1", (3, 4)))
idx("i16.idx", 0x0B, values("i2", (3, 4)).astype(">i2"))
idx("i32.idx", 0x0C, values("i4", (3, 4)).astype(">i4"))
idx("f32.idx", 0x0D, values("f4", (3, 4)).astype(">f4"))
idx("f64.idx.gz", 0x0E, values("f8", (3, 4)).astype(">f8"))
