"""A mosaic and its surroundings as a network sees them: scaled so that a cell has whole pixels."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from demosaic.imaging.arrays import Floats, Mask, Pixels, resize, resize_mask
from demosaic.imaging.geometry import Box, crop, paste
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import paint_cells


class Mosaic(Protocol):
    """A mosaic in a picture; what detection finds is one."""

    @property
    def box(self) -> Box:
        """The smallest rectangle around it."""

    @property
    def grid(self) -> Grid:
        """Its cells, from the corner of the box."""

    @property
    def hidden(self) -> Mask:
        """(box.height, box.width): which pixels are mosaic."""


@dataclass(frozen=True)
class Canvas:
    """A mosaic and its surroundings, scaled so that a cell has whole pixels."""

    picture: Pixels
    """(H, W, 3)."""
    grid: Grid
    box: Box
    """Where in the picture the mosaic is."""
    hidden: Mask
    """(H, W): which pixels of the picture are mosaic."""

    def mirrored(self) -> "Canvas":
        """The same with left and right exchanged."""
        box, grid = self.box, self.grid
        return Canvas(
            np.ascontiguousarray(self.picture[:, ::-1]),
            Grid(grid.width, grid.height, box.width - grid.left, grid.top),
            Box(self.picture.shape[1] - box.x - box.width, box.y, box.width, box.height),
            np.ascontiguousarray(self.hidden[:, ::-1]),
        )

    def moved(self, down: int, across: int) -> "Canvas":
        """The same so many pixels further down and to the right; copies of the pixels at the edge
        are above and before it.
        """
        box, more = self.box, ((down, 0), (across, 0))
        return Canvas(
            np.pad(self.picture, (*more, (0, 0)), mode="edge"),
            self.grid,
            Box(box.x + across, box.y + down, box.width, box.height),
            np.pad(self.hidden, more),
        )


def canvas_of(
    image: Pixels, mosaic: Mosaic, colours: Floats, *, size: int, blocks: tuple[int, int]
) -> Canvas:
    """The mosaic of an image (H, W, 3) with its cells painted in `colours` (3, rows, columns),
    0..255, and a quarter more of the image on each side.

    The longer side is about `size` pixels, except that a cell's side stays within `blocks`.
    """
    grid, place = mosaic.grid, mosaic.box
    around = _around(image, place)
    block = cell_shown(image, mosaic, size=size, blocks=blocks)
    rows, columns = grid.edges(place.height, place.width)
    top, heights, bottom = _layout(rows, grid.height, block, (place.y, around.y, around.height))
    left, widths, right = _layout(columns, grid.width, block, (place.x, around.x, around.width))
    box = Box(left, top, sum(widths), sum(heights))
    picture = resize(crop(image, around), left + box.width + right, top + box.height + bottom)
    inside = resize_mask(mosaic.hidden, box.width, box.height)
    whole = Grid(block, block, widths[0], heights[0])
    painted = paint_cells(colours, whole, (box.height, box.width))
    hidden = np.zeros(picture.shape[:2], bool)
    crop(hidden, box)[:] = inside
    piece = np.where(inside[:, :, None], painted, crop(picture, box))
    return Canvas(paste(picture, piece, box), whole, box, hidden)


def cell_shown(image: Pixels, mosaic: Mosaic, *, size: int, blocks: tuple[int, int]) -> int:
    """The side of a cell in the canvas of these arguments, pixels."""
    grid, around = mosaic.grid, _around(image, mosaic.box)
    cells_across = max(around.width / grid.width, around.height / grid.height)
    return int(np.clip(round(size / cells_across), *blocks))


def _around(image: Pixels, place: Box) -> Box:
    return place.grown(place.width // 4, place.height // 4, image)


def _layout(
    edges: NDArray[np.intp], cell: float, block: int, place: tuple[int, int, int]
) -> tuple[int, list[int], int]:
    """The canvas's pixels along an axis: before the mosaic, of each of its cells, and after it.

    `place`: the start of the mosaic, the start of its surroundings, and their length, in pixels.
    """
    start, first, length = place
    before, after = start - first, first + length - start - int(edges[-1])
    return round(before * block / cell), _scaled(edges, cell, block), round(after * block / cell)


def _scaled(edges: NDArray[np.intp], cell: float, block: int) -> list[int]:
    """The sides of cells when a whole one has `block` pixels; those cut by an edge have fewer."""
    sides = [block] * (len(edges) - 1)
    for end in (0, -1):
        part = float(np.diff(edges)[end])
        if part < cell - 1:
            sides[end] = max(1, min(block - 1, round(part * block / cell)))
    return sides
