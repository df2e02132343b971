"""What of a cell its colour shows: its mean, or the pixel in its top left corner.

The two cannot be told inside a mosaic, but where it ends: of what is seen round a cell, the pixel
beside its top left corner is likest to a cell that shows that corner, while a mean is like all of
it, and as like beside one end of an edge as beside the other.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.config import Sampler
from demosaic.grids import Region
from demosaic.images import Pixels, crop
from demosaic.mosaic import Edges, Floats, Grid, cell_colours, cell_shares, paint_cells

_NEARER = 2.3  # 1 % of mosaics of means have more; of those of corners 98 %, 93 % in JPEG of 75
_END = 0.17  # of a cell's edge: of 3 pixels one
_FEWEST = 4  # cells at the border, below which nothing is told
_NOISE = 0.5  # grey levels, so that nothing is read off a plain wall

_Table = NDArray[np.integer[Any] | np.floating[Any]]
_Places = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Rows and columns."""


def sampler_of(image: Pixels, region: Region) -> Sampler:
    """What the cells of a mosaic in a picture (H, W, 3) show: `top-left`, or `mean` where nothing
    speaks against it.
    """
    ratio = _corner_to_ring(image, region) * _near_to_far(image, region)
    across, down = region.box.width / region.grid.width, region.box.height / region.grid.height
    # Chance moves the ratio of few cells further from 1
    return "top-left" if -math.log(ratio) * math.sqrt(across + down) > _NEARER else "mean"


def _corner_to_ring(image: Pixels, region: Region) -> float:
    """How unlike cells at the border are what is seen at their top left corner, as a part of how
    unlike what is seen all round them they are.
    """
    box, around = region.box, region.box.grown(1, 1, image)
    piece, seen = crop(image, around), np.ones((around.height, around.width), bool)
    seen[box.y - around.y :, box.x - around.x :][: box.height, : box.width] = ~region.hidden
    rows, columns = region.grid.edges(box.height, box.width)
    rows, columns = rows + box.y - around.y, columns + box.x - around.x
    sums = cv2.integral(piece * seen[:, :, None], sdepth=cv2.CV_64F)
    counts = cv2.integral(seen.astype(np.uint8))[:, :, None]
    starts = (rows[:-1] - 1, columns[:-1] - 1)
    corner, of_corner = _means(sums, counts, starts, (rows[:-1] + 1, columns[:-1] + 1))
    ring, of_ring = _means(sums, counts, starts, (rows[1:] + 1, columns[1:] + 1))
    colours = cell_colours(crop(image, box), region.grid, region.hidden).transpose(1, 2, 0)
    told = (of_corner > 0) & (of_ring > of_corner) & (cell_shares(region.hidden, region.grid) > 0)
    if told.sum() < _FEWEST:
        return 1.0
    return _level(np.abs(colours - corner)[told]) / _level(np.abs(colours - ring)[told])


def _level(unlike: _Table) -> float:
    return float(unlike.mean()) + _NOISE


def _means(
    sums: _Table, counts: _Table, starts: _Places, ends: _Places
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean colour, (rows, columns, 3), of the pixels seen in each rectangle from a start to an
    end, and how many those are, from tables of the sums above and left of each point.
    """

    def inside(table: _Table) -> NDArray[np.float64]:
        (top, left), (bottom, right) = (
            [np.clip(at, 0, size - 1) for at, size in zip(places, table.shape, strict=False)]
            for places in (starts, ends)
        )
        low, high = table[top], table[bottom]
        made: NDArray[np.float64] = (
            high[:, right] - low[:, right] - high[:, left] + low[:, left]
        ).astype(np.float64)
        return made

    count = inside(counts)
    return inside(sums) / np.maximum(count, 1), count[:, :, 0]


def _near_to_far(image: Pixels, region: Region) -> float:
    """How unlike cells are what is seen beside the ends of their edges that are nearer to the top
    left corner, as a part of how unlike what is beside the other ends they are.
    """
    sides = list(_sides(image, region))
    unlike, place = (np.concatenate(some) for some in zip(*sides, strict=True))
    near, far = unlike[place < _END], unlike[place > 1 - _END]
    return _level(near) / _level(far) if len(near) and len(far) else 1.0


def _sides(image: Pixels, region: Region) -> Iterator[tuple[Floats, Floats]]:
    """Of the pixels seen right above a mosaic, left of it, below it and right of it: how far each
    is from the colour of its cell, grey levels, and how far along the cell's edge it lies, 0..1.
    """
    box, around = region.box, region.box.grown(1, 1, image)
    y, x, size = box.y - around.y, box.x - around.x, (box.height, box.width)
    hidden = np.zeros((around.height, around.width), bool)
    hidden[y:, x:][: box.height, : box.width] = region.hidden
    colours = cell_colours(crop(image, box), region.grid, region.hidden)
    shown = crop(image, around).astype(np.float32)
    painted = np.zeros_like(shown)
    painted[y:, x:][: box.height, : box.width] = paint_cells(colours, region.grid, size)
    rows, columns = region.grid.edges(*size)
    for edges, start, turn in ((columns, x, False), (rows, y, True)):
        sides = [plane.swapaxes(0, 1) if turn else plane for plane in (shown, painted)]
        inside = hidden.T if turn else hidden
        for way in (1, -1):
            seen, cells = (plane[::way] for plane in sides)
            down, along = np.nonzero(inside[::way][1:] & ~inside[::way][:-1])
            unlike = np.abs(seen[down, along] - cells[down + 1, along]).mean(1)
            yield unlike, _along(edges)[along - start]


def _along(edges: Edges) -> Floats:
    """How far along its cell each pixel of an axis lies, 0..1."""
    sides = np.diff(edges)
    places: Floats = np.arange(edges[-1], dtype=np.float32) - edges[:-1].repeat(sides) + 0.5
    along: Floats = places / sides.repeat(sides).astype(np.float32)
    return along


def centred(image: Pixels, region: Region) -> tuple[Region, Floats]:
    """A mosaic of top left pixels with its grid moved by half a cell, so that each colour is that
    of the middle of its cell; and the colours, (3, rows, columns) in 0..255.

    A corner that is not hidden has the colour that is seen there.
    """
    box, grid = region.box, region.grid
    moved = Grid(grid.width, grid.height, grid.left - grid.width / 2, grid.top - grid.height / 2)
    counts = moved.shape(box.height, box.width)
    down = _corners(counts[0], grid.height, moved.top)
    across = _corners(counts[1], grid.width, moved.left)
    rows, columns = grid.edges(box.height, box.width)
    row = np.searchsorted(rows, np.clip(down, 0, box.height - 1), side="right") - 1
    column = np.searchsorted(columns, np.clip(across, 0, box.width - 1), side="right") - 1
    shown = cell_colours(crop(image, box), grid, region.hidden)[:, row][:, :, column]
    y, x = (
        np.clip(start + places, 0, size - 1)
        for start, places, size in ((box.y, down, image.shape[0]), (box.x, across, image.shape[1]))
    )
    hidden = np.zeros(image.shape[:2], bool)
    crop(hidden, box)[:] = region.hidden
    beyond = (box.y + down != y)[:, None] | (box.x + across != x)[None, :]  # of the picture
    mosaic = hidden[y][:, x] | beyond
    colours = np.where(mosaic, shown, image[y][:, x].transpose(2, 0, 1)).astype(np.float32)
    return replace(region, grid=moved), colours


def _corners(count: int, cell: float, offset: float) -> NDArray[np.intp]:
    """The middles of so many cells along an axis, one of which begins at `offset`; those of cells
    cut by an end may lie beyond it.
    """
    first = offset if np.floor(offset + 0.5) > 0 else offset + cell  # where the second one begins
    middles: NDArray[np.intp] = np.floor(first - cell / 2 + np.arange(count) * cell + 0.5).astype(
        np.intp
    )
    return middles
