"""Training examples: faces varied a little and pixelated at random, in every way people pixelate.

Whatever cannot be known from a mosaic is drawn at random. A network that has seen every block,
offset, shape and sampler, and what JPEG does to them, needs no settings at use.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

from demosaic.config.rules import Sampler
from demosaic.imaging.arrays import Mask, Pixels, resize
from demosaic.imaging.encoding import jpeg_damaged
from demosaic.imaging.geometry import Box, crop, paste
from demosaic.models.inputs import Observation, observe
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import paint_cells, sample


@dataclass(frozen=True)
class DegradationConfig:
    """How faces are varied and pixelated. Ranges are uniform unless stated otherwise."""

    mirrored: float = 0.5
    """Share of the faces that are mirrored."""
    turn: float = 5.0
    """Degrees, either way. Small, as the next two are: detected faces vary by themselves."""
    scale: float = 0.08
    """Natural logarithm of the factor, either way."""
    shift: float = 0.04
    """Share of the side, either way, down and across."""
    gain: float = 0.15
    """Share of the brightness, either way."""
    offset: float = 12.0
    """Grey levels added, either way."""

    blocks: tuple[int, int] = (4, 32)
    """Smallest and largest side of a cell, pixels of the face; its logarithm is uniform."""
    easy_blocks: tuple[int, int] = (8, 20)
    """The same, of easy examples."""
    rectangles: float = 0.3
    """Share of the grids whose cells are not square."""
    elongation: float = 0.47
    """Natural logarithm of height over width of those, either way: by at most a factor of 1.6."""
    from_corner: float = 0.5
    """Share of the grids that begin in the corner of their box, as most programs place them; the
    others begin anywhere.
    """

    plain: float = 0.45
    """Share of the mosaics that are means, fill the picture and come in a lossless file. All shares
    below are of the other mosaics.
    """
    samplers: Mapping[Sampler, float] = field(
        default_factory=lambda: {"mean": 0.6, "centre": 0.2, "linear": 0.1, "top-left": 0.1}
    )
    """Share of each sampler."""
    trusted: float = 0.4
    """Share of the cells sampled at the centre or linearly that are still treated as means, as may
    happen at use.
    """
    whole: float = 0.5
    """Share that fills the picture."""
    boxes: float = 0.25
    """Share that fills a box; the rest are ellipses."""
    smallest: float = 3 / 8
    """The shortest side of a box or an ellipse, as a share of the picture's."""
    astray: float = 0.15
    """How far from the middle a box or an ellipse lies, as a share of the picture's side."""
    resized: float = 0.18
    """Share whose picture was resized after it was pixelated."""
    factors: tuple[float, float] = (0.6, 1.4)
    """By how much."""
    jpeg: float = 0.8
    """Share that comes in a JPEG file."""
    qualities: tuple[int, int] = (40, 98)
    """Of these files."""


DEGRADATION = DegradationConfig()

BLOCKS = DEGRADATION.blocks
"""Smallest and largest side of the cells that the default recipe is trained on, pixels."""


@dataclass(frozen=True)
class Example:
    """What a network is shown, and what it should make of it."""

    observation: Observation
    target: Pixels


def draw_example(
    face: Pixels,
    rng: np.random.Generator,
    *,
    easy: float = 0.0,
    config: DegradationConfig = DEGRADATION,
) -> Example:
    """A face (S, S, 3) varied and pixelated at random. A share `easy` (0..1) of the examples are
    plain mosaics of medium cells.
    """
    target = vary(face, rng, config)
    if rng.random() < easy:
        return Example(_plain(target, draw_grid(rng, config.easy_blocks, config)), target)
    return Example(pixelate_at_random(target, rng, config), target)


def vary(face: Pixels, rng: np.random.Generator, config: DegradationConfig = DEGRADATION) -> Pixels:
    """The face (S, S, 3) mirrored or not, turned, scaled, shifted, and in another light; same
    size.
    """
    if rng.random() < config.mirrored:
        face = np.ascontiguousarray(face[:, ::-1])
    side = face.shape[0]
    middle = (side - 1) / 2
    scale = np.exp(rng.uniform(-config.scale, config.scale))
    turn = rng.uniform(-config.turn, config.turn)
    motion = np.asarray(cv2.getRotationMatrix2D((middle, middle), turn, scale), np.float64)
    motion[:, 2] += rng.uniform(-config.shift, config.shift, 2) * side
    gain = rng.uniform(1 - config.gain, 1 + config.gain)
    offset = rng.uniform(-config.offset, config.offset)
    moved = cv2.warpAffine(face, motion, (side, side), borderMode=cv2.BORDER_REFLECT_101)
    light = np.clip(np.rint(np.arange(256) * gain + offset), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(moved, light), np.uint8)


def pixelate_at_random(
    target: Pixels, rng: np.random.Generator, config: DegradationConfig = DEGRADATION
) -> Observation:
    """A mosaic of any block, offset and shape over the target (S, S, 3), as a file may hold it.

    Damage comes in combinations: a network learns less from mosaics that are each damaged a little
    in one of many ways.
    """
    grid = draw_grid(rng, config.blocks, config)
    if rng.random() < config.plain:
        return _plain(target, grid)
    box, hidden = draw_region(target.shape[0], rng, config)
    samplers: list[Sampler] = list(config.samplers)
    sampler = samplers[rng.choice(len(samplers), p=list(config.samplers.values()))]
    piece = paint_cells(sample(crop(target, box), grid, sampler), grid, (box.height, box.width))
    if rng.random() < config.resized:
        piece = _resized(piece, rng, config.factors)
    picture = np.where(hidden[:, :, None], paste(target, piece, box), target)
    if rng.random() < config.jpeg:
        picture = jpeg_damaged(picture, int(rng.integers(*config.qualities, endpoint=True)))
    # When cells are known to be their top-left pixels, `restore` moves the grid by half a cell:
    # such a cell is then its centre pixel
    consistent = sampler in ("mean", "top-left") or rng.random() < config.trusted
    return observe(picture, grid, box=box, hidden=hidden, consistency=float(consistent))


def _plain(target: Pixels, grid: Grid) -> Observation:
    height, width = target.shape[:2]
    return observe(paint_cells(sample(target, grid, "mean"), grid, (height, width)), grid)


def draw_grid(
    rng: np.random.Generator, blocks: tuple[int, int], config: DegradationConfig = DEGRADATION
) -> Grid:
    """A grid whose cells have sides within `blocks`, pixels."""
    smallest, largest = blocks
    width = int(np.exp(rng.uniform(np.log(smallest), np.log(largest + 1))))
    height = width
    if rng.random() < config.rectangles:
        ratio = np.exp(rng.uniform(-config.elongation, config.elongation))
        height = int(np.clip(width * ratio, smallest, largest))
    if rng.random() < config.from_corner:
        return Grid(width, height)
    return Grid(width, height, int(rng.integers(width)), int(rng.integers(height)))


def draw_region(
    side: int, rng: np.random.Generator, config: DegradationConfig = DEGRADATION
) -> tuple[Box, Mask]:
    """What is pixelated in a picture of `side` x `side` pixels: all, a box, or the ellipse in a
    box. The box, and a mask (side, side) of the pixels.
    """
    hidden = np.ones((side, side), np.uint8)
    kind = rng.random()
    if kind < config.whole:
        return Box(0, 0, side, side), hidden.astype(bool)
    shortest = int(side * config.smallest)
    width, height = (int(length) for length in rng.integers(shortest, side + 1, 2))
    x, y = (_start(side, length, rng, config.astray) for length in (width, height))
    box = Box(x, y, width, height)
    hidden[:] = 0
    inside = crop(hidden, box)
    if kind < config.whole + config.boxes:
        inside[:] = 1
    else:
        middle, axes = (width // 2, height // 2), (width // 2, height // 2)
        cv2.ellipse(inside, middle, axes, 0, 0, 360, (1,), -1)
    return box, hidden.astype(bool)


def _start(side: int, length: int, rng: np.random.Generator, astray: float) -> int:
    """Where something of this length begins that lies near the middle, where the face is."""
    start = (side - length) / 2 + rng.uniform(-astray, astray) * side
    return int(np.clip(start, 0, side - length))


def _resized(mosaic: Pixels, rng: np.random.Generator, factors: tuple[float, float]) -> Pixels:
    """The mosaic as it looks after its picture was resized, brought back to its size."""
    height, width = mosaic.shape[:2]
    factor = rng.uniform(*factors)
    other = resize(mosaic, max(1, round(width * factor)), max(1, round(height * factor)))
    return resize(other, width, height)
