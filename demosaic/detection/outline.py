"""Which pixels are mosaic, where the lines between its cells and the middle of it are known.

On a photo there is as much on these lines as between them; in a mosaic there are steps on them and
calm between. Each pixel is judged by what lies around it. The outline is the box or the ellipse
that holds the most of what speaks for a mosaic and the least of what speaks against it.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.detection import ellipse
from demosaic.detection.ellipse import Cut, Ends
from demosaic.detection.lattice import SQUARE, Comb, Floats, Lattice
from demosaic.imaging.arrays import Mask
from demosaic.imaging.geometry import Box, crop

Levels = NDArray[np.uint8]

_Size = tuple[int, int]
"""Columns and rows."""


NOISE = 0.15
"""Grey levels; smaller steps are no evidence."""

DOUBT = 0.05
"""Of a pixel's or a column's evidence of 1; what is plain inside and out is rather outside."""

_NEAR = 7  # pixels over which calm is averaged, so many that an end of the mosaic stays sharp

_LEAST = 9  # pixels over which steps are averaged, and those of a cell at least

_USUAL = 65  # percentile of the core, of whose pixels some are less clear than the mosaic

_CLEAR = 0.12  # of the steps on lines; calmer ones are blurred at a mosaic's end

_PART = 0.4  # of a cell, within which steps on lines are everywhere in a mosaic

_MOST = 256  # pixels a side that are judged; those of larger parts are put together

# Of the evidence in each corner that an ellipse leaves of its box; 98 ellipses of 100 through JPEG
# have less, boxes taken for ellipses more: they went beyond the box at most of its sides
_CORNER = -0.15

_WHOLE = 0.95  # of a box's evidence; what a plain border of a picture that is all mosaic costs

# Of a box's evidence; where all that speaks for a mosaic is so little more, the box is one. Round
# ellipses, whose boxes have corners that are none, it is 1.21 and more, round 6 of 10 boxes less
_LITTLE_MORE = 1.15

_STRICTLY = 0.25  # how much of the evidence is the strict one, where an ellipse has its last place


def outlined(steps: tuple[Levels, Levels], lattice: Lattice, box: Box) -> tuple[Box, Mask]:
    """The box and the pixels (box.height, box.width) of the mosaic that a given box is or lies in;
    from the steps across and down of the picture, (H, W).
    """
    around = box.grown(box.width // 3, box.height // 3, steps[0])
    ample, strict = _evidence(
        (crop(steps[0], around), crop(steps[1], around)), lattice, box, around
    )
    inner = _within(box, around, strict)
    held = float(strict[inner].sum())
    if around == Box.whole(steps[0]) and strict.sum() > _WHOLE * held:
        return around, np.ones((around.height, around.width), bool)
    if strict.clip(0).sum() > _LITTLE_MORE * held:
        ends = ellipse.most_likely(ample, inner)
        if ellipse.held(strict, ends) > held and _is_cut_off(strict, ends):
            seen = (1 - _STRICTLY) * ample + _STRICTLY * strict
            size = seen.shape[1], seen.shape[0]
            ends = ellipse.cutting(ends, seen, _cut(steps, lattice, around, size))
            return ellipse.drawn(_placed(ends, around, size), steps[0])
    return box, np.ones((box.height, box.width), bool)


def _placed(ends: Ends, around: Box, size: _Size) -> Ends:
    """The ends in the picture of an ellipse in a part of it, seen at a size."""
    corner = np.array([around.x, around.y])
    places = ends.reshape(2, 2) * [around.width, around.height] / size + corner
    placed: Ends = places.astype(np.float32).ravel() - np.float32(0.5)
    return placed  # a step is seen in the pixel after it


def _is_cut_off(seen: Floats, ends: Ends) -> bool:
    """Whether there is a photo in every corner that an ellipse leaves of its box, of two at least
    that lie in the picture.
    """
    means = [float(part.mean()) for part in ellipse.corners(seen, ends) if part.size]
    return len(means) > 1 and max(means) < _CORNER


def _cut(steps: tuple[Levels, Levels], lattice: Lattice, around: Box, size: _Size) -> Cut:
    """Where in a part of a picture, at a size, cells may be cut through."""
    larger = np.maximum(crop(steps[0], around), crop(steps[1], around))
    columns = lattice.across.inner(around.x, around.x + around.width)
    flat = np.outer(lattice.down.inner(around.y, around.y + around.height), columns)
    across, down = size[0] / around.width, size[1] / around.height
    return Cut(
        _sized(np.sqrt(larger, dtype=np.float32) * flat, size),
        _sized(flat.astype(np.float32), size),
        (
            _lines(lattice.across, around.x, around.width) * np.float32(across),
            _lines(lattice.down, around.y, around.height) * np.float32(down),
        ),
        (lattice.across.pitch * across, lattice.down.pitch * down),
    )


def _lines(comb: Comb, first: int, count: int) -> Floats:
    """The middles of the pixels on lines, counted from the first of so many, and of those that lie
    so far beyond, where ellipses may end too.
    """
    lines = comb.lines(first - count, first + 2 * count)
    return (lines - first + 0.5).astype(np.float32)


def _within(box: Box, around: Box, plane: Floats) -> tuple[slice, slice]:
    """The rows and columns of a box in a plane of what is around it."""
    high, wide = plane.shape[0] / around.height, plane.shape[1] / around.width
    top, left = (box.y - around.y) * high, (box.x - around.x) * wide
    return (
        slice(round(top), round(top + box.height * high)),
        slice(round(left), round(left + box.width * wide)),
    )


def _evidence(
    steps: tuple[Levels, Levels], lattice: Lattice, core: Box, around: Box
) -> tuple[Floats, Floats]:
    """For each pixel of a part of a picture, or each few, what speaks for a mosaic, -1 to 1, where
    most of the core is one: once by the steps all round, so that a mosaic ends where calm ends; and
    once by the least of those about, so that what is calm beside a mosaic is none.
    """
    across_on, across_off = _marks(lattice.across, around.x, around.width)
    down_on, down_off = _marks(lattice.down, around.y, around.height)
    size = min(_MOST, around.width), min(_MOST, around.height)
    pitches = (
        lattice.across.pitch * size[0] / around.width,
        lattice.down.pitch * size[1] / around.height,
    )
    cell = _odd(max(_LEAST, pitches[0])), _odd(max(_LEAST, pitches[1]))
    edge = _mean(steps, (across_on, down_on), size, cell) + NOISE
    sparse = lattice.across.on_squares or lattice.down.on_squares
    near = 2 * SQUARE + 1 if sparse else _NEAR
    calm = _mean(steps, (across_off, down_off), size, (near, near)) + NOISE
    part = np.ones((_odd(_PART * pitches[1]), _odd(_PART * pitches[0])), np.uint8)
    least = np.asarray(cv2.erode(edge, part), np.float32)
    inside = _within(core, around, calm)
    share = max(_CLEAR, float(np.percentile(calm[inside] / edge[inside], _USUAL)))
    return _weighed(edge, calm, share), _weighed(least, calm, share)


def _weighed(edge: Floats, calm: Floats, share: float) -> Floats:
    """What speaks for a mosaic, where calm is such a share of the steps on lines, and against a
    photo, where it is all.
    """
    like_photo = np.log(edge / calm)
    like_mosaic = np.log(calm / (share * (edge - NOISE) + NOISE))
    seen: Floats = np.clip(np.maximum(like_photo, 0) - np.maximum(like_mosaic, 0), -1, 1)
    return seen - np.float32(DOUBT)


def _odd(length: float) -> int:
    """The sides of a window with a middle."""
    return 2 * int(length / 2) + 1


def _marks(comb: Comb, first: int, count: int) -> tuple[Floats, Floats]:
    """Which of so many pixels are on lines, and which not even beside them where cells are large
    enough.
    """
    on = np.zeros(count, np.float32)
    lines = comb.lines(max(1, first), first + count) - first
    on[lines] = 1
    return on, comb.calm(first, first + count).astype(np.float32)


def _mean(
    steps: tuple[Levels, Levels], marks: tuple[Floats, Floats], size: _Size, window: _Size
) -> Floats:
    """The mean step round each place of so many, of those across in marked columns and those down
    in marked rows.
    """
    (across, down), (columns, rows) = steps, marks
    marked = across * columns + down * rows[:, None]
    total = cv2.blur(_sized(marked, size), window)
    lanes, stripes = _sized(columns[None], (size[0], 1)), _sized(rows[:, None], (1, size[1]))
    count = cv2.blur(lanes, (window[0], 1)) + cv2.blur(stripes, (1, window[1]))
    mean: Floats = total / np.maximum(count, 1e-3)
    return mean


def _sized(plane: Floats, size: _Size) -> Floats:
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)
