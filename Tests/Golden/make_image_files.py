"""Makes Tests/Golden/data/images (a folder of classes) and what Pillow reads from them.

Run by hand: python Tests/Golden/make_image_files.py (needs numpy, pillow, safetensors).
"""
import os

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "images")
for folder in ["cats", "dogs/deeper", "empty"]:
    os.makedirs(os.path.join(here, folder), exist_ok=True)
y, x = np.mgrid[0:5, 0:6]
rgb = np.stack([x * 40, y * 50, (x + y) * 20], -1).astype(np.uint8)
rng = np.random.default_rng(0)
files = {
    "cats/a.png": Image.fromarray(rgb),
    "cats/b.png": Image.fromarray(rng.integers(0, 256, (5, 6), dtype=np.uint8)),
    "cats/c.PNG": Image.fromarray(rgb[::-1].copy()).convert("P", palette=Image.ADAPTIVE),
    "dogs/d.jpg": Image.fromarray(rgb),
    "dogs/deeper/e.jpeg": Image.fromarray(rgb[..., 0].copy()),
}
out = {}
for name, image in files.items():
    path = os.path.join(here, name)
    image.save(path, **({"quality": 95} if "jp" in name else {}))
    with Image.open(path) as back:
        out[name + ".rgb"] = np.ascontiguousarray(np.asarray(back.convert("RGB")).transpose(2, 0, 1))
        out[name + ".grey"] = np.ascontiguousarray(np.asarray(back.convert("RGB").convert("L")))[None]
# What cannot be read: cut off, no image at all, a name that lies.
data = open(os.path.join(here, "cats/a.png"), "rb").read()
open(os.path.join(here, "cats/cut.png"), "wb").write(data[: len(data) // 2])
data = open(os.path.join(here, "dogs/d.jpg"), "rb").read()
open(os.path.join(here, "dogs/cut.jpg"), "wb").write(data[: len(data) - 40])
open(os.path.join(here, "dogs/text.png"), "w").write("no image")
save_file(out, os.path.join(here, "..", "images.safetensors"))
open(os.path.join(here, "empty", ".keep"), "w").close()
