"""The mosaics of a picture to restore: those that the user gives, or all that are found."""

import math
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.config.restoration import RestoreConfig
from demosaic.detection.detector import find_mosaics
from demosaic.detection.known_cells import find_cells_of_size
from demosaic.detection.region import Place, Region, filled_place
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.imaging.arrays import Mask, Pixels
from demosaic.imaging.geometry import Box, crop
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours, paint_cells

_MISFIT = 0.03  # share of a region's variance within cells: JPEG 60 leaves 0.005, a clean face 0.1


_NOISE = 25.0  # squared grey levels; always allowed for JPEG or scaling


def regions_in(image: Pixels, config: RestoreConfig, mask: Mask | None = None) -> list[Region]:
    """The mosaics of a picture (H, W, 3) to restore: those that the config or a mask (H, W) gives,
    or all that are found; of a cell size only, if the config gives one.

    Raises DemosaicError when a place is not inside the picture, or there is no mosaic.
    """
    places = places_given(image, config, mask)
    if not places and config.block:
        return _all_with_cells(image, config.block, config)
    found = [_region(image, place, config) for place in places] or find_mosaics(image)
    if not found:
        raise DemosaicError(
            "no mosaic found: mark it with --region X,Y,W,H and give the cell size with --block",
            NOTHING_TO_DO,
        )
    return found


def _all_with_cells(
    image: Pixels, cell: tuple[float, float], config: RestoreConfig
) -> list[Region]:
    """The mosaics with cells of a size: the whole picture where it is one, or all that are found.
    Raises DemosaicError when there is none.
    """
    place = filled_place(Box.whole(image))
    grid = Grid(*cell, *(config.offset or _best_offset(image, cell)))
    if _fits(image, grid, place.hidden):
        return [Region(place.box, grid, place.hidden, 1.0)]
    is_whole = all(float(side).is_integer() for side in cell)
    found = find_cells_of_size(image, (int(cell[0]), int(cell[1]))) if is_whole else []
    if not found:
        raise _no_such_cells(grid, place)
    return found


def places_given(image: Pixels, config: RestoreConfig, mask: Mask | None = None) -> list[Place]:
    """The places that the config or a mask (H, W) gives; none if neither does. Raises DemosaicError
    when one is not inside the picture (H, W, 3).
    """
    if mask is not None:
        return list(_parts(image, mask))
    if config.regions == "whole":
        return [filled_place(Box.whole(image))]
    boxes = [Box(*region) for region in config.regions]
    for box in boxes:
        if not box.inside(image):
            raise DemosaicError(
                f"the region {_named(box)} is not inside the picture of {_size(image)} px"
            )
    return [filled_place(box) for box in boxes]


def _parts(image: Pixels, mask: Mask) -> Iterator[Place]:
    """The connected parts of a mask (H, W). Raises DemosaicError for one of another size."""
    if mask.shape != image.shape[:2]:
        raise DemosaicError(
            f"the mask has {_size(mask)} px and the picture {_size(image)}: give one of the same "
            "size"
        )
    if not mask.any():
        raise DemosaicError("the mask is black: paint the pixelated parts white")
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    for number in range(1, count):
        x, y, width, height, _ = (int(value) for value in boxes[number])
        box = Box(x, y, width, height)
        yield Place(box, crop(labels, box) == number)


def _size(plane: NDArray[np.generic]) -> str:
    return f"{plane.shape[1]} x {plane.shape[0]}"


def _named(box: Box) -> str:
    return ",".join(map(str, box.corners))


def _region(image: Pixels, place: Place, config: RestoreConfig) -> Region:
    """The mosaic at a given place. Raises DemosaicError when there is none."""
    observed = crop(image, place.box)
    if config.block is None:
        for found in find_mosaics(observed)[:1]:
            grid = found.grid
            grid = replace(grid, left=grid.left + found.box.x, top=grid.top + found.box.y)
            return Region(place.box, grid, place.hidden, found.confidence)
        raise DemosaicError(
            f"no mosaic found in {_named(place.box)}: give the pixelated rectangle with --region, "
            "and the cell size with --block",
            NOTHING_TO_DO,
        )
    grid = Grid(*config.block, *(config.offset or _best_offset(observed, config.block)))
    if not _fits(observed, grid, place.hidden):
        raise _no_such_cells(grid, place)
    return Region(place.box, grid, place.hidden, 1.0)


def _no_such_cells(grid: Grid, place: Place) -> DemosaicError:
    return DemosaicError(
        f"no mosaic with cells of {grid.width:g} x {grid.height:g} px in {_named(place.box)}: "
        "leave out --block, and give the pixelated rectangle with --region",
        NOTHING_TO_DO,
    )


def _fits(observed: Pixels, grid: Grid, hidden: Mask) -> bool:
    """Whether the hidden pixels of every cell have nearly one colour."""
    flat = paint_cells(cell_colours(observed, grid, hidden), grid, (len(hidden), hidden.shape[1]))
    shown = observed[hidden].astype(np.float32)
    misfit = float(np.mean((shown - flat[hidden]) ** 2))
    return misfit <= max(_NOISE, _MISFIT * float(shown.var()))


def _best_offset(observed: Pixels, block: tuple[float, float]) -> tuple[int, int]:
    """The offset (x, y) at which the cells' edges meet the largest steps; of equal ones the
    smallest.
    """
    levels = observed.astype(np.int16)
    down = np.abs(np.diff(levels, axis=0)).sum((1, 2))
    across = np.abs(np.diff(levels, axis=1)).sum((0, 2))
    return _best_start(across, block[0]), _best_start(down, block[1])


def _best_start(steps: NDArray[np.int64], cell: float) -> int:
    def met(start: int) -> int:
        edges, _ = Grid(cell, cell, 0, start).edges(len(steps) + 1, 1)
        return int(steps[edges[1:-1] - 1].sum())

    return max(range(min(math.ceil(cell), len(steps) + 1)), key=met)
