"""Faces turned a little and pixelated in every way that people pixelate, drawn as training goes.

What cannot be known from a mosaic is drawn at random: a network that has seen every block, offset,
shape and sampler, and what JPEG makes of them, needs to be told none of it beforehand.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.config.rules import Sampler
from demosaic.imaging.arrays import Pixels, resize
from demosaic.imaging.encoding import jpeg_damaged
from demosaic.imaging.geometry import Box, crop, paste
from demosaic.models.inputs import Observation, observe
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import paint_cells, sample

BLOCKS = (4, 32)
"""Cell sides drawn, pixels of the face, smallest and largest."""


# Degrees, share, share of the side. Detected faces vary by themselves: with nearly twice as much, S
# had learnt .03 dB less after 400 steps
_TURN, _SCALE, _SHIFT = 5.0, 0.08, 0.04

_GAIN, _OFFSET = 0.15, 12.0  # share, grey levels

_RECTANGLES = 0.3

_PLAIN = 0.45  # of the mosaics: means that fill the picture, in a file without loss

# and of the others:
_SAMPLERS: dict[Sampler, float] = {"mean": 0.6, "centre": 0.2, "linear": 0.1, "top-left": 0.1}

_TRUSTED = 0.4  # of the cells that are no means and yet taken for means, as at use they may be

_WHOLE, _BOXES = 0.5, 0.25  # the rest are ellipses

_SMALLEST = 3 / 8  # of the side, of a box or an ellipse

_ASTRAY = 0.15  # of the side, from the middle

_JPEG, _QUALITIES = 0.8, (40, 98)

_RESIZED, _FACTORS = 0.18, (0.6, 1.4)

_EASY_BLOCKS = (8, 20)


@dataclass(frozen=True)
class Example:
    """What a network is shown, and what it should make of it."""

    observation: Observation
    target: Pixels


def draw_example(face: Pixels, rng: np.random.Generator, *, easy: float = 0.0) -> Example:
    """A face (S, S, 3) varied and pixelated at random; `easy` of them, 0..1, plainly, in middling
    cells.
    """
    target = vary(face, rng)
    if rng.random() < easy:
        return Example(_plainly(target, _grid(rng, _EASY_BLOCKS)), target)
    return Example(pixelate_at_random(target, rng), target)


def vary(face: Pixels, rng: np.random.Generator) -> Pixels:
    """The face mirrored half of the time, turned, scaled, shifted, and in other light."""
    if rng.random() < 0.5:
        face = np.ascontiguousarray(face[:, ::-1])
    side = face.shape[0]
    middle = (side - 1) / 2
    scale = np.exp(rng.uniform(-_SCALE, _SCALE))
    turn = rng.uniform(-_TURN, _TURN)
    motion = np.asarray(cv2.getRotationMatrix2D((middle, middle), turn, scale), np.float64)
    motion[:, 2] += rng.uniform(-_SHIFT, _SHIFT, 2) * side
    gain, offset = rng.uniform(1 - _GAIN, 1 + _GAIN), rng.uniform(-_OFFSET, _OFFSET)
    moved = cv2.warpAffine(face, motion, (side, side), borderMode=cv2.BORDER_REFLECT_101)
    light = np.clip(np.rint(np.arange(256) * gain + offset), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(moved, light), np.uint8)


def pixelate_at_random(target: Pixels, rng: np.random.Generator) -> Observation:
    """A mosaic of any block, offset and shape over the target, as it may reach us in a file.

    What can befall it comes together: of mosaics that are each a little damaged in one way of many,
    a network learns less.
    """
    grid = _grid(rng, BLOCKS)
    if rng.random() < _PLAIN:
        return _plainly(target, grid)
    box, hidden = _region(target.shape[0], rng)
    sampler: Sampler = rng.choice(list(_SAMPLERS), p=list(_SAMPLERS.values()))
    piece = paint_cells(sample(crop(target, box), grid, sampler), grid, (box.height, box.width))
    if rng.random() < _RESIZED:
        piece = _resized(piece, rng)
    picture = np.where(hidden[:, :, None], paste(target, piece, box), target)
    if rng.random() < _JPEG:
        picture = jpeg_damaged(picture, int(rng.integers(*_QUALITIES, endpoint=True)))
    # Where it is known that each cell is its top left pixel, `restore` moves the grid by half a
    # cell, and it is the middle one
    consistent = sampler in ("mean", "top-left") or rng.random() < _TRUSTED
    return observe(picture, grid, box=box, hidden=hidden, consistency=float(consistent))


def _plainly(target: Pixels, grid: Grid) -> Observation:
    height, width = target.shape[:2]
    return observe(paint_cells(sample(target, grid, "mean"), grid, (height, width)), grid)


def _grid(rng: np.random.Generator, blocks: tuple[int, int]) -> Grid:
    """Half of all grids begin in the corner of their box, as most programs have it."""
    smallest, largest = blocks
    width = int(np.exp(rng.uniform(np.log(smallest), np.log(largest + 1))))
    height = width
    if rng.random() < _RECTANGLES:
        height = int(np.clip(width * np.exp(rng.uniform(-0.47, 0.47)), smallest, largest))
    if rng.random() < 0.5:
        return Grid(width, height)
    return Grid(width, height, int(rng.integers(width)), int(rng.integers(height)))


def _region(side: int, rng: np.random.Generator) -> tuple[Box, NDArray[np.bool_]]:
    """What is pixelated: all, a box, or the ellipse in a box; and which pixels those are."""
    hidden = np.ones((side, side), np.uint8)
    kind = rng.random()
    if kind < _WHOLE:
        return Box(0, 0, side, side), hidden.astype(bool)
    width, height = (int(length) for length in rng.integers(int(side * _SMALLEST), side + 1, 2))
    x, y = (_start(side, length, rng) for length in (width, height))
    box = Box(x, y, width, height)
    hidden[:] = 0
    inside = crop(hidden, box)
    if kind < _WHOLE + _BOXES:
        inside[:] = 1
    else:
        middle, axes = (width // 2, height // 2), (width // 2, height // 2)
        cv2.ellipse(inside, middle, axes, 0, 0, 360, (1,), -1)
    return box, hidden.astype(bool)


def _start(side: int, length: int, rng: np.random.Generator) -> int:
    """Where something so long begins that lies about the middle, where the face is."""
    start = (side - length) / 2 + rng.uniform(-_ASTRAY, _ASTRAY) * side
    return int(np.clip(start, 0, side - length))


def _resized(mosaic: Pixels, rng: np.random.Generator) -> Pixels:
    """The mosaic as it looks after its picture was resized, brought back to its size."""
    height, width = mosaic.shape[:2]
    factor = rng.uniform(*_FACTORS)
    other = resize(mosaic, max(1, round(width * factor)), max(1, round(height * factor)))
    return resize(other, width, height)
