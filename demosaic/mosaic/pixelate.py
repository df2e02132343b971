"""Pixelating pictures: taking the colours of cells, and painting cells."""

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.config.rules import Sampler
from demosaic.imaging.arrays import Doubles, Floats, Mask, Pixels
from demosaic.mosaic.grid import Grid, axis_edges


def pixelated(target: Pixels, grid: Grid) -> Pixels:
    """The mosaic (H, W, 3) of a picture (H, W, 3), its cells painted in their rounded means."""
    return paint_cells(cell_colours(target, grid), grid, (target.shape[0], target.shape[1]))


def cell_colours(picture: NDArray[np.uint8], grid: Grid, hidden: Mask | None = None) -> Floats:
    """The rounded mean of each cell, float32 (3, rows, columns) in 0..255, of a picture (H, W, 3).

    In a cell that has `hidden` pixels, a mask (H, W), only those count. Sums of whole numbers are
    exact, and faster than the matrix products of `operators.cells`.
    """
    sums, area = _sums(picture, grid), _areas(picture.shape[:2], grid)
    if hidden is not None and not hidden.all():
        counts = _sums(hidden.astype(np.uint8), grid)[:, :, None]
        some = counts > 0
        sums = np.where(some, _sums(picture * hidden[:, :, None], grid), sums)
        area = np.where(some, counts, area)
    colours: Floats = np.rint(sums / area).astype(np.float32).transpose(2, 0, 1)
    return colours


def cell_means(picture: NDArray[np.uint8], grid: Grid) -> Doubles:
    """The mean of each cell, float64 (3, rows, columns) in 0..255, of a picture (H, W, 3)."""
    means: Doubles = (_sums(picture, grid) / _areas(picture.shape[:2], grid)).transpose(2, 0, 1)
    return means


def cell_shares(hidden: Mask, grid: Grid) -> Doubles:
    """The share of each cell's pixels that a mask (H, W) hides, (rows, columns) in 0..1."""
    shares: Doubles = _sums(hidden.astype(np.uint8), grid) / _areas(hidden.shape, grid)[:, :, 0]
    return shares


def _sums(picture: NDArray[np.uint8], grid: Grid) -> Doubles:
    """The sum over each cell, (rows, columns, C), or (rows, columns) of a picture (H, W)."""
    rows, columns = grid.edges(picture.shape[0], picture.shape[1])
    above = cv2.integral(picture, sdepth=cv2.CV_64F)[np.ix_(rows, columns)]  # and left of edges
    return np.diff(np.diff(above, axis=0), axis=1)


def _areas(size: tuple[int, ...], grid: Grid) -> NDArray[np.uint32]:
    """The number of pixels in each cell, (rows, columns, 1)."""
    rows, columns = grid.edges(size[0], size[1])
    return np.outer(np.diff(rows), np.diff(columns))[:, :, None].astype(np.uint32)


def sample(picture: NDArray[np.uint8], grid: Grid, sampler: Sampler) -> Floats:
    """The colour of each cell, float32 (3, rows, columns) in 0..255, of a picture (H, W, 3), as
    programs compute it: the rounded mean, the centre or top-left pixel, or cv2's linear
    interpolation at the centre.
    """
    if sampler == "mean":
        return cell_colours(picture, grid)
    rows, columns = grid.edges(picture.shape[0], picture.shape[1])
    if sampler == "linear":
        small = cv2.resize(picture, (len(columns) - 1, len(rows) - 1))
    else:
        share = 0.5 if sampler == "centre" else 0.0
        down, across = ((e[:-1] + share * np.diff(e)).astype(int) for e in (rows, columns))
        small = picture[down][:, across]
    return small.transpose(2, 0, 1).astype(np.float32)


def paint_cells(colours: Floats, grid: Grid, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The mosaic (H, W, 3) of `size` (height, width) whose cells have the `colours`, (3, rows,
    columns) in 0..255.
    """
    rows = np.diff(axis_edges(size[0], grid.height, grid.top))
    columns = np.diff(axis_edges(size[1], grid.width, grid.left))
    tiles = colours.transpose(1, 2, 0).astype(np.uint8)
    return np.repeat(np.repeat(tiles, columns, axis=1), rows, axis=0)
