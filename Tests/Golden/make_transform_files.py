"""Makes Tests/Golden/data/affine.safetensors and scaled.safetensors with PyTorch.

Run by hand: python Tests/Golden/make_transform_files.py (needs torch, safetensors).
"""
import math
import os

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
torch.manual_seed(0)
image = torch.rand(1, 2, 7, 10, dtype=torch.float64)
fill = -0.5
cases = [
    ("turn", 30.0, (0, 0), 1.0, (0, 0)),
    ("move", 0.0, (2, -1), 1.0, (0, 0)),
    ("grow", 0.0, (0, 0), 1.7, (0, 0)),
    ("shear", 0.0, (0, 0), 1.0, (20, -10)),
    ("all", -75.0, (1, 2), 0.6, (15, 5)),
]


def inverse(angle, translate, scale, shear):
    """Inverse of T * R * Shear * Scale about the centre, by matrices (not by the closed form in the program)."""
    r, sx, sy = (math.radians(v) for v in (angle, shear[0], shear[1]))
    # As torchvision documents it: RSS = R(a) * ShearY(sy) * ShearX(sx) * scale, M = T * C * RSS * C^-1.
    rot = torch.tensor([[math.cos(r - sy) / math.cos(sy), -math.cos(r - sy) * math.tan(sx) / math.cos(sy) - math.sin(r)],
                        [math.sin(r - sy) / math.cos(sy), -math.sin(r - sy) * math.tan(sx) / math.cos(sy) + math.cos(r)]],
                       dtype=torch.float64) * scale
    inv = torch.linalg.inv(rot)
    t = torch.tensor(translate, dtype=torch.float64)
    return torch.cat([inv, (-inv @ t)[:, None]], 1)


out = {"image": image[0].float()}
h, w = image.shape[2:]
for name, angle, translate, scale, shear in cases:
    m = inverse(angle, translate, scale, shear)
    # From pixels about the centre to grid_sample's -1..1.
    s = torch.tensor([w / 2, h / 2], dtype=torch.float64)
    theta = torch.cat([m[:, :2] * s[None, :] / s[:, None], (m[:, 2] / s)[:, None]], 1)
    grid = F.affine_grid(theta[None], image.shape, align_corners=False)
    for mode in ["nearest", "bilinear"]:
        value = F.grid_sample(image - fill, grid, mode=mode, padding_mode="zeros", align_corners=False) + fill
        out[f"{name}.{mode}"] = value[0].float()
save_file(out, os.path.join(here, "affine.safetensors"))

pixels = torch.randint(0, 256, (2, 9, 13), dtype=torch.uint8)
scaled = {"pixels": pixels}
for h, w in [(5, 6), (18, 26), (9, 4)]:
    value = F.interpolate(pixels[None].double(), size=(h, w), mode="bilinear", antialias=True, align_corners=False)
    scaled[f"{h}x{w}"] = value[0].round().clamp(0, 255).to(torch.uint8)
save_file(scaled, os.path.join(here, "scaled.safetensors"))
