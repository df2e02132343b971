"""A region as a network is shown it: cut out with what is round it, and scaled so that a cell has
whole pixels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demosaic.detection.region import Region
from demosaic.imaging.arrays import Floats, Pixels, resize, resize_mask
from demosaic.imaging.geometry import Box, crop, paste
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import paint_cells


@dataclass(frozen=True)
class Canvas:
    """A region and what is round it, scaled so that a cell has whole pixels."""

    picture: Pixels
    grid: Grid
    box: Box
    """Where in the picture the region is."""
    hidden: NDArray[np.bool_]
    """(H, W) of the picture."""


def canvas_of(
    image: Pixels, region: Region, colours: Floats, *, size: int, blocks: tuple[int, int]
) -> Canvas:
    """The region, its cells of these `colours` at a side within `blocks`, a quarter more of the
    picture on each side, the whole about `size` pixels large.
    """
    grid, place = region.grid, region.box
    around = place.grown(place.width // 4, place.height // 4, image)
    cells_across = max(around.width / grid.width, around.height / grid.height)
    block = int(np.clip(round(size / cells_across), *blocks))
    rows, columns = grid.edges(place.height, place.width)
    top, heights, bottom = _layout(rows, grid.height, block, (place.y, around.y, around.height))
    left, widths, right = _layout(columns, grid.width, block, (place.x, around.x, around.width))
    box = Box(left, top, sum(widths), sum(heights))
    picture = resize(crop(image, around), left + box.width + right, top + box.height + bottom)
    inside = resize_mask(region.hidden, box.width, box.height)
    whole = Grid(block, block, widths[0], heights[0])
    painted = paint_cells(colours, whole, (box.height, box.width))
    hidden = np.zeros(picture.shape[:2], bool)
    crop(hidden, box)[:] = inside
    piece = np.where(inside[:, :, None], painted, crop(picture, box))
    return Canvas(paste(picture, piece, box), whole, box, hidden)


def _layout(
    edges: NDArray[np.intp], cell: float, block: int, place: tuple[int, int, int]
) -> tuple[int, list[int], int]:
    """Pixels of the canvas along an axis: before the region, of each of its cells, and after it.

    `place`: where the region begins, where its surroundings do, and how long these are.
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
