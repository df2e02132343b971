"""A pixelated face restored by an exported model with numpy and onnxruntime alone, for models of
the default recipe: python restore_with_onnx.py MODEL.onnx FACE.png BLOCK RESULT.png. The mosaic
fills the picture, whose sides are the model's, and its cells of BLOCK px begin in the corner.
"""

import sys

import numpy as np
import onnxruntime
from PIL import Image

model, face, block, result = sys.argv[1:]
session = onnxruntime.InferenceSession(model)
names = [one.name for one in session.get_inputs()]
side, cell = session.get_inputs()[0].shape[-1], int(block)
picture = np.asarray(Image.open(face).convert("RGB"), np.float32) / 127.5 - 1
if picture.shape != (side, side, 3):
    sys.exit(f"{face}: give a picture of {side} x {side} px")

# The matrices of the cells along an axis: their means, and a smooth image (Catmull-Rom) with these
edges = np.append(np.arange(0, side, cell), side)
count, centres = len(edges) - 1, (edges[:-1] + edges[1:] - 1) / 2
means = np.repeat(np.eye(count), np.diff(edges), axis=0).T / np.diff(edges)[:, None]
unit = np.eye(count)
before, after = np.maximum(np.arange(count) - 1, 0), np.minimum(np.arange(count) + 1, count - 1)
slopes = (np.eye(count)[after] - np.eye(count)[before]) / (centres[after] - centres[before])[
    :, None
]
pixels = np.clip(np.arange(side), centres[0], centres[-1])
left = np.clip(np.searchsorted(centres, pixels, side="right") - 1, 0, count - 2)
gap = (centres[left + 1] - centres[left])[:, None]
t = (pixels - centres[left])[:, None] / gap
ends = (2 * t**3 - 3 * t**2 + 1) * np.eye(count)[left] + (3 * t**2 - 2 * t**3) * np.eye(count)[
    left + 1
]
smooth = ends + gap * ((t**3 - 2 * t**2 + t) * slopes[left] + (t**3 - t**2) * slopes[left + 1])
smooth = smooth @ np.linalg.inv(means @ smooth)

# What a quarter as fine tells of the cells: phase, size, place in the picture, that means are exact
colours = means @ picture.transpose(2, 0, 1) @ means.T
angle = 2 * np.pi * (np.arange(side // 4) * 4 + 2) / cell
phase, place = np.stack([np.sin(angle), np.cos(angle)]), np.linspace(-1, 1, side // 4)
guide = np.ones((9, side // 4, side // 4))
guide[0:2], guide[2:4] = phase[:, :, None], phase[:, None, :]
guide[4:6], guide[6], guide[7] = (np.log2(cell) - 3.5) / 1.5, place[:, None], place[None, :]

inputs = {"seen": smooth @ colours @ smooth.T, "hidden": np.ones((1, side, side)), "guide": guide}
inputs |= {"colours": colours, "means_down": means[None], "means_across": means[None]}
inputs |= {"smooth_down": smooth[None], "smooth_across": smooth[None], "pull": np.ones((1, 1, 1))}
inputs["white"] = np.random.default_rng(0).normal(
    size=(4, side, side)
)  # another seed, another draw
taken = {name: inputs[name][None].astype(np.float32) for name in names}
(restored,) = session.run(["restored"], taken)
levels = np.clip((restored[0].transpose(1, 2, 0) + 1) * 127.5, 0, 255)
Image.fromarray(np.rint(levels).astype(np.uint8)).save(result)
