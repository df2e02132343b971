"""Upright ellipses, by their ends: the one that holds the most evidence of a mosaic, and its edge.

Evidence says which pixels are mosaic, to half a cell or so: it is gathered over some pixels, and
what is plain beside a mosaic is like one. An ellipse cuts through cells; so along its edge there
are steps where else the cells would be flat, and these tell it to the pixel.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from demosaic.imaging.arrays import Floats, Mask
from demosaic.imaging.geometry import Box, crop

Ends = NDArray[np.float32]
"""Left, top, right and bottom."""


# Of the ends of an ellipse: one end, or two of one axis, the same way or apart
_WAYS = np.array([*np.eye(4), [1, 0, 1, 0], [0, 1, 0, 1], [-1, 0, 1, 0], [0, -1, 0, 1]], np.float32)

_ROUNDS = 3  # of sweeps over these

_PART = 0.8  # of a cell, within which an edge is looked for, and of so many pixels at least:

_LEAST = 6

_HELD = 30  # steps, as roots, that all of the evidence is worth; 10 and 60 find fewer

# The same, of an end on a line, as most programs make ellipses; at 0.2, of ellipses that end
# elsewhere in JPEG of quality 60 as many are missed as without looking at edges
_ON_LINE = 0.1

_BESIDE = 0.6  # pixels from a line, on which an end still lies


_angles = (np.arange(256, dtype=np.float32) + 0.5) * (2 * np.pi / 256)

_COSINES, _SINES = np.cos(_angles), np.sin(_angles)


@dataclass(frozen=True)
class Cut:
    """Where the cells of a mosaic may be cut through."""

    steps: Floats
    """(H, W): the root of the step in each pixel; 0 on lines between cells."""
    flat: Floats
    """(H, W): the share of each pixel that is not on lines."""
    lines: tuple[Floats, Floats]
    """Where columns and rows of cells begin."""
    cell: tuple[float, float]
    """Width and height."""

    def along(self, ends: Ends) -> Floats:
        """The mean step along the edges of ellipses (N, 4)."""
        left, top, right, bottom = ends.T[:, :, None]
        wide, high = (right - left) / 2, (bottom - top) / 2
        x = np.floor((left + right) / 2 + wide * _COSINES).astype(np.intp)
        y = np.floor((top + bottom) / 2 + high * _SINES).astype(np.intp)
        seen = (x > 0) & (y > 0) & (x < self.steps.shape[1]) & (y < self.steps.shape[0])
        length = np.hypot(wide * _SINES, high * _COSINES) * seen  # of the edge round each place
        at = y * seen, x * seen
        mean: Floats = (self.steps[at] * length).sum(1) / np.maximum(
            (self.flat[at] * length).sum(1), 1
        )
        return mean

    def on_lines(self, ends: Ends) -> NDArray[np.intp]:
        """How many ends of each ellipse (N, 4) lie on lines."""
        near = [
            np.abs(ends[:, axis::2, None] - self.lines[axis]).min(2) < _BESIDE for axis in (0, 1)
        ]
        count: NDArray[np.intp] = np.concatenate(near, 1).sum(1)
        return count


def most_likely(seen: Floats, inner: tuple[slice, slice]) -> Ends:
    """The ellipse that holds the most evidence of a plane (H, W), from one in a box on."""
    sums, (rows, columns) = _sums(seen), inner
    ends = np.array([columns.start, rows.start, columns.stop, rows.stop], np.float32)
    moves = np.concatenate([_WAYS, -_WAYS])
    most, step = _held(sums, ends[None])[0], (ends[2:] - ends[:2]).max() // 8
    while step:
        tried = ends + step * moves
        held = _held(sums, tried)
        if held.max() > most:
            most, ends = held.max(), tried[held.argmax()]
        else:
            step //= 2
    return ends


def cutting(ends: Ends, seen: Floats, cut: Cut) -> Ends:
    """The ellipse near one along whose edge cells are cut, and that holds most of the evidence."""
    sums = _sums(seen)
    scale = _HELD / _held(sums, ends[None])[0]

    def worth(tried: Ends) -> Floats:
        likely: Floats = scale * _held(sums, tried) + _ON_LINE * cut.on_lines(tried)
        return likely + cut.along(tried)

    for _ in range(_ROUNDS):
        before = ends
        for way in _WAYS:
            reach = int(max(_LEAST, np.ceil(_PART * cut.cell[np.flatnonzero(way)[0] % 2])))
            tried = ends + np.arange(-reach, reach + 1, dtype=np.float32)[:, None] * way
            tried = tried[(tried[:, 2:] - tried[:, :2]).min(1) > _LEAST]
            ends = tried[worth(tried).argmax()]
        if (ends == before).all():
            break
    return ends


def held(seen: Floats, ends: Ends) -> float:
    """How much evidence of a plane (H, W) an ellipse holds."""
    return float(_held(_sums(seen), ends[None])[0])


def corners(seen: Floats, ends: Ends) -> list[Floats]:
    """The pixels of a plane in each corner that an ellipse leaves of its box; of some, none."""
    outside = ~_inside(ends, (seen.shape[0], seen.shape[1]))
    left, top, right, bottom = (max(0, int(end)) for end in np.rint(ends))
    columns, rows = (left, (left + right) // 2, right), (top, (top + bottom) // 2, bottom)
    places = [(slice(*one), slice(*other)) for one in pairwise(rows) for other in pairwise(columns)]
    return [seen[place][outside[place]] for place in places]


def drawn(ends: Ends, plane: NDArray[np.uint8]) -> tuple[Box, Mask]:
    """The box and the pixels of an ellipse, as far as a plane goes."""
    left, top, right, bottom = np.rint(ends).astype(int).tolist()
    box = Box(left, top, right - left, bottom - top).clipped(Box.whole(plane))
    corner = np.array([box.x, box.y, box.x, box.y], np.float32)
    return box, _inside(ends - corner, (box.height, box.width))


def oval(mask: Mask) -> Mask:
    """The ellipse that a mask is most like."""
    seen = np.where(mask, np.float32(1), np.float32(-1))
    ends = most_likely(seen, (slice(0, mask.shape[0]), slice(0, mask.shape[1])))
    box, inside = drawn(ends, mask.astype(np.uint8))
    like = np.zeros_like(mask)
    crop(like, box)[:] = inside
    return like


def _sums(seen: Floats) -> Floats:
    """The sums along each row, from 0."""
    return np.pad(np.cumsum(seen, axis=1), ((0, 0), (1, 0)))


def _held(sums: Floats, ends: Ends) -> Floats:
    """How much evidence ellipses (N, 4) hold, from the sums of it along each row."""
    left, top, right, bottom = ends.T[:, :, None]
    rows = np.arange(len(sums))
    half = _half(rows, top, bottom) * (right - left)
    places = (left + right) / 2 + np.stack([half, -half])
    high, low = np.rint(places).astype(np.intp).clip(0, sums.shape[1] - 1)
    held: Floats = (sums[rows, high] - sums[rows, low]).sum(1)
    return held


def _inside(ends: Ends, size: tuple[int, int]) -> Mask:
    """Which pixels of a plane (height, width) an ellipse has."""
    left, top, right, bottom = ends
    half = _half(np.arange(size[0]), top, bottom) * (right - left)
    inside: Mask = np.abs(np.arange(size[1]) + 0.5 - (left + right) / 2) < half[:, None]
    return inside


def _half(rows: NDArray[np.intp], top: Floats, bottom: Floats) -> Floats:
    """Half the width of an ellipse in each row, as a part of its greatest."""
    beside = (rows + np.float32(0.5) - (top + bottom) / 2) / np.maximum(1, bottom - top)
    half: Floats = np.sqrt(np.maximum(0, 0.25 - beside**2))
    return half
