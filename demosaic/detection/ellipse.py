"""Upright ellipses: the one with the most evidence for a mosaic in it, and its exact edge.

Evidence at a pixel is gathered over its neighbours, so it places an ellipse to half a cell or so,
and what is plain beside a mosaic resembles one. But an ellipse cuts through cells: along its edge
there are steps where cells would be flat, and these place it to the pixel.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from demosaic.detection.thresholds import ELLIPSE
from demosaic.imaging.arrays import Floats, Mask
from demosaic.imaging.geometry import Box, crop

Ends = NDArray[np.float32]
"""(4,) or (N, 4): the left, upper, right and lower end of an ellipse, pixels."""


# One end, both of an axis the same way, or both apart
_MOVES = np.array(
    [*np.eye(4), [1, 0, 1, 0], [0, 1, 0, 1], [-1, 0, 1, 0], [0, -1, 0, 1]], np.float32
)

_ANGLES = (np.arange(256, dtype=np.float32) + 0.5) * (2 * np.pi / 256)
_COSINES, _SINES = np.cos(_ANGLES), np.sin(_ANGLES)


@dataclass(frozen=True)
class CellCuts:
    """What shows where the cells of a mosaic are cut through."""

    steps: Floats
    """(H, W): the root of the step in each pixel; 0 on lines between cells."""
    inside: Floats
    """(H, W): the share of each pixel that is not on lines, 0..1."""
    lines: tuple[Floats, Floats]
    """Where columns and rows of cells begin, pixels."""
    cell: tuple[float, float]
    """Width and height, pixels."""

    def mean_step(self, ends: Ends) -> Floats:
        """(N,): the mean step along the edges of ellipses (N, 4), where they are not on lines."""
        left, top, right, bottom = ends.T[:, :, None]
        half_width, half_height = (right - left) / 2, (bottom - top) / 2
        x = np.floor((left + right) / 2 + half_width * _COSINES).astype(np.intp)
        y = np.floor((top + bottom) / 2 + half_height * _SINES).astype(np.intp)
        seen = (x > 0) & (y > 0) & (x < self.steps.shape[1]) & (y < self.steps.shape[0])
        arc = np.hypot(half_width * _SINES, half_height * _COSINES) * seen
        at = y * seen, x * seen
        mean: Floats = (self.steps[at] * arc).sum(1) / np.maximum((self.inside[at] * arc).sum(1), 1)
        return mean

    def ends_on_lines(self, ends: Ends) -> NDArray[np.intp]:
        """(N,): how many ends of each ellipse (N, 4) lie on lines."""
        near = [
            np.abs(ends[:, axis::2, None] - self.lines[axis]).min(2) < ELLIPSE.line_distance
            for axis in (0, 1)
        ]
        count: NDArray[np.intp] = np.concatenate(near, 1).sum(1)
        return count


def most_evident(evidence: Floats, inner: tuple[slice, slice]) -> Ends:
    """The ellipse (4,) with the most evidence of a plane (H, W) in it, by hill climbing from the
    one in a box of rows and columns.
    """
    sums, (rows, columns) = _row_sums(evidence), inner
    ends = np.array([columns.start, rows.start, columns.stop, rows.stop], np.float32)
    moves = np.concatenate([_MOVES, -_MOVES])
    most, step = _evidence_in(sums, ends[None])[0], (ends[2:] - ends[:2]).max() // 8
    while step:
        tried = ends + step * moves
        found = _evidence_in(sums, tried)
        if found.max() > most:
            most, ends = found.max(), tried[found.argmax()]
        else:
            step //= 2
    return ends


def refined(ends: Ends, evidence: Floats, cuts: CellCuts) -> Ends:
    """The ellipse (4,) near one with much of the evidence (H, W) in it, whose edge cuts cells."""
    sums = _row_sums(evidence)
    scale = ELLIPSE.evidence / _evidence_in(sums, ends[None])[0]

    def scores(tried: Ends) -> Floats:
        likely: Floats = scale * _evidence_in(sums, tried)
        likely = likely + ELLIPSE.on_line * cuts.ends_on_lines(tried)
        return likely + cuts.mean_step(tried)

    for _ in range(ELLIPSE.rounds):
        before = ends
        for move in _MOVES:
            side = cuts.cell[np.flatnonzero(move)[0] % 2]
            reach = int(max(ELLIPSE.min_search, np.ceil(ELLIPSE.search * side)))
            tried = ends + np.arange(-reach, reach + 1, dtype=np.float32)[:, None] * move
            tried = tried[(tried[:, 2:] - tried[:, :2]).min(1) > ELLIPSE.min_side]
            ends = tried[scores(tried).argmax()]
        if (ends == before).all():
            break
    return ends


def evidence_in(evidence: Floats, ends: Ends) -> float:
    """The sum of the evidence (H, W) in an ellipse (4,)."""
    return float(_evidence_in(_row_sums(evidence), ends[None])[0])


def corners(evidence: Floats, ends: Ends) -> list[Floats]:
    """The evidence (n,) in each of the four corners that an ellipse (4,) leaves of its box; a
    corner outside the plane (H, W) has none.
    """
    outside = ~_inside(ends, (evidence.shape[0], evidence.shape[1]))
    left, top, right, bottom = (max(0, int(end)) for end in np.rint(ends))
    columns, rows = (left, (left + right) // 2, right), (top, (top + bottom) // 2, bottom)
    places = [(slice(*one), slice(*other)) for one in pairwise(rows) for other in pairwise(columns)]
    return [evidence[place][outside[place]] for place in places]


def rasterised(ends: Ends, plane: NDArray[np.uint8]) -> tuple[Box, Mask]:
    """The box and the pixels (box.height, box.width) of an ellipse (4,), as far as a plane goes."""
    left, top, right, bottom = np.rint(ends).astype(int).tolist()
    box = Box(left, top, right - left, bottom - top).clipped(Box.whole(plane))
    corner = np.array([box.x, box.y, box.x, box.y], np.float32)
    return box, _inside(ends - corner, (box.height, box.width))


def nearest_ellipse(mask: Mask) -> Mask:
    """(H, W): the ellipse that shares the most pixels with a mask (H, W) and has few others."""
    evidence = np.where(mask, np.float32(1), np.float32(-1))
    ends = most_evident(evidence, (slice(0, mask.shape[0]), slice(0, mask.shape[1])))
    box, inside = rasterised(ends, mask.astype(np.uint8))
    nearest = np.zeros_like(mask)
    crop(nearest, box)[:] = inside
    return nearest


def _row_sums(evidence: Floats) -> Floats:
    """(H, W + 1): the sum of each row before each pixel."""
    return np.pad(np.cumsum(evidence, axis=1), ((0, 0), (1, 0)))


def _evidence_in(sums: Floats, ends: Ends) -> Floats:
    """(N,): the sum of the evidence in ellipses (N, 4), from its sums along each row."""
    left, top, right, bottom = ends.T[:, :, None]
    rows = np.arange(len(sums))
    half = _half_width(rows, top, bottom) * (right - left)
    places = (left + right) / 2 + np.stack([half, -half])
    high, low = np.rint(places).astype(np.intp).clip(0, sums.shape[1] - 1)
    found: Floats = (sums[rows, high] - sums[rows, low]).sum(1)
    return found


def _inside(ends: Ends, size: tuple[int, int]) -> Mask:
    """(height, width): which pixels of a plane of that size lie in an ellipse (4,)."""
    left, top, right, bottom = ends
    half = _half_width(np.arange(size[0]), top, bottom) * (right - left)
    inside: Mask = np.abs(np.arange(size[1]) + 0.5 - (left + right) / 2) < half[:, None]
    return inside


def _half_width(rows: NDArray[np.intp], top: Floats, bottom: Floats) -> Floats:
    """Half the width of an ellipse in each row, as a share of its greatest, 0..0.5."""
    offset = (rows + np.float32(0.5) - (top + bottom) / 2) / np.maximum(1, bottom - top)
    half: Floats = np.sqrt(np.maximum(0, 0.25 - offset**2))
    return half
