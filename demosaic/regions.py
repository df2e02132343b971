"""Which mosaics of a picture are to be undone: those given by hand, or all that are found."""

from dataclasses import replace

import numpy as np

from demosaic.config import RestoreConfig
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.grids import Region, find_mosaic
from demosaic.images import Box, Pixels, crop
from demosaic.mosaic import Grid, cell_colours, paint_cells

_MISFIT = 0.03  # of a region's variance; JPEG at quality 60 leaves 0.005, a clean face 0.1 and more
_NOISE = 25.0  # squared grey levels; so much is JPEG or scaling, whatever the variance


def given_box(image: Pixels, config: RestoreConfig) -> Box | None:
    """The region asked for. Raises DemosaicError when it is not inside the picture."""
    if config.region is None:
        return None
    box = Box(*config.region)
    if not box.inside(image):
        raise DemosaicError(
            f"the region {box.x},{box.y},{box.width},{box.height} is not inside the picture of "
            f"{image.shape[1]} x {image.shape[0]} px"
        )
    return box


def regions_in(image: Pixels, config: RestoreConfig) -> list[Region]:
    """The mosaics to undo: the one given, or all that are found.

    Cells of a side that was given begin in the corner of the region, or of the picture.
    """
    box = given_box(image, config)
    if config.block:
        return [_given(image, box or Box.whole(image), Grid.square(config.block))]
    if box is None:
        found = find_mosaic(image)
    else:
        found = [_in_box(region, box) for region in find_mosaic(crop(image, box))[:1]]
    if not found:
        raise DemosaicError(
            "no mosaic found: mark it with --region X,Y,W,H and give the cell size with --block",
            NOTHING_TO_DO,
        )
    return found


def _given(image: Pixels, box: Box, grid: Grid) -> Region:
    """The mosaic that is said to fill a box. Raises DemosaicError when no such mosaic is there."""
    observed = crop(image, box)
    flat = paint_cells(cell_colours(observed, grid), grid, (box.height, box.width))
    inside = float(np.mean((observed.astype(np.float32) - flat) ** 2))
    if inside > max(_NOISE, _MISFIT * float(observed.var())):
        raise DemosaicError(
            f"no mosaic with cells of {grid.width} px that begin in the corner: "
            "leave out --block, and give the pixelated rectangle with --region",
            NOTHING_TO_DO,
        )
    return filled(box, grid)


def _in_box(region: Region, box: Box) -> Region:
    """The cells of a mosaic found in a part of a picture, all over that part."""
    grid = region.grid
    shifted = replace(grid, left=grid.left + region.box.x, top=grid.top + region.box.y)
    return filled(box, shifted, region.confidence)


def filled(box: Box, grid: Grid, confidence: float = 1.0) -> Region:
    """A mosaic that covers every pixel of a box."""
    return Region(box, grid, np.ones((box.height, box.width), bool), confidence)
