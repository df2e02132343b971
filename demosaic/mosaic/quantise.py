"""Rounding a picture to 8 bits so that each cell keeps its mean."""

import numpy as np
from numpy.typing import NDArray

from demosaic.imaging.arrays import Doubles, Floats
from demosaic.mosaic.grid import Edges, Grid
from demosaic.mosaic.operators import cells

_ROUNDS = 40  # bisection alone needs 34 for a cell of 64 x 64 px, from a bracket of 1,000 levels
_CLOSE = 0.25  # levels: with so small an error the sum of a cell still rounds to the right one


def finish(
    restored: Floats, colours: Floats, grid: Grid, consistency: float = 1.0
) -> NDArray[np.uint8]:
    """The 8-bit picture (H, W, 3) of a network's output, (3, H, W) in [-1, 1], with its cell means
    moved towards `colours`, (3, rows, columns) in 0..255.

    `consistency`, 0..1, says how far: at 0 the means stay, at 1 they round to `colours`.
    """
    levels: Floats = (restored + 1) * np.float32(127.5)
    if consistency < 1:
        means = cells(np.clip(levels, 0, 255), grid)
        colours = means + np.float32(consistency) * (colours - means)
    return np.ascontiguousarray(quantise(levels, colours, grid).transpose(1, 2, 0))


def quantise(restored: Floats, observed: Floats, grid: Grid) -> NDArray[np.uint8]:
    """The 8-bit picture (C, H, W) near `restored` whose cell means round to `observed`, (C, rows,
    columns); both are in levels, 0..255.

    Clipping and rounding alone move the mean of a textured cell by whole levels. So the unclipped
    pixels of a cell are first shifted together until its mean is right within the range; then each
    pixel is rounded up or down so that the sum of its cell stays.
    """
    edges = grid.edges(restored.shape[-2], restored.shape[-1])
    shifted = _project_to_range(
        restored.astype(np.float64), np.clip(observed.astype(np.float64), 0, 255), *edges
    )
    return _round_keeping_sums(shifted, *edges)


def _project_to_range(image: Doubles, observed: Doubles, rows: Edges, columns: Edges) -> Doubles:
    """The image (C, H, W) plus one shift for each cell, clipped to 0..255, with the cell means
    `observed`, (C, rows, columns).

    The mean is a piecewise linear function of the shift, which never falls. Newton's steps find its
    root in a few rounds. A step that leaves the bracket of the root (or finds all pixels of the
    cell clipped) is replaced by a bisection.
    """
    area = np.outer(np.diff(rows), np.diff(columns))
    wanted = observed * area
    low = np.full(observed.shape, -256.0 - image.max())
    high = np.full(observed.shape, 256.0 - image.min())
    shift = np.clip((wanted - _cell_sums(image, rows, columns)) / area, low, high)
    for _ in range(_ROUNDS):
        moved = image + _over_pixels(shift, rows, columns)
        inside = np.clip(moved, 0, 255)
        missing = wanted - _cell_sums(inside, rows, columns)
        if np.abs(missing).max(initial=0) < _CLOSE:
            break
        low, high = np.where(missing > 0, shift, low), np.where(missing < 0, shift, high)
        free = _cell_sums((moved == inside).astype(image.dtype), rows, columns)
        newton = shift + missing / np.maximum(free, 1e-9)
        shift = np.where((newton > low) & (newton < high), newton, (low + high) / 2)
    return inside


def _round_keeping_sums(image: Doubles, rows: Edges, columns: Edges) -> NDArray[np.uint8]:
    """The image (C, H, W) with every pixel rounded up or down, so that the sum of each cell becomes
    the nearest whole number.

    In reading order, each pixel is the increase of its cell's rounded running sum: it receives what
    the pixel before lost. Sorting the remainders of a cell would come a little nearer, in ten times
    the time.
    """
    along = np.cumsum(image, axis=2)
    strips = np.add.reduceat(image, columns[:-1], axis=2)  # the sum of each row in a cell
    above = np.cumsum(strips, axis=1) - strips
    above -= np.repeat(above[:, rows[:-1]], np.diff(rows), axis=1)  # within the cell
    before = np.concatenate([np.zeros_like(along[:, :, :1]), along[:, :, columns[1:-1] - 1]], 2)
    exact = along + np.repeat(above - before, np.diff(columns), axis=2)
    # All halves go up, those too that miss one by an error of arithmetic: else 255 more than a half
    # would be 254 or 256 more
    sums = np.floor(np.round(exact, 6) + 0.5)
    carried = np.roll(sums[:, :, columns[1:] - 1], 1, axis=1)  # from the row before
    carried[:, rows[:-1]] = 0
    rounded = np.diff(sums, axis=2, prepend=0)
    rounded[:, :, columns[:-1]] = sums[:, :, columns[:-1]] - carried
    return np.asarray(np.clip(rounded, 0, 255), np.uint8)


def _cell_sums(image: Doubles, rows: Edges, columns: Edges) -> Doubles:
    """The sum of each cell, (C, rows, columns), of an image (C, H, W)."""
    sums: Doubles = np.add.reduceat(np.add.reduceat(image, rows[:-1], axis=1), columns[:-1], axis=2)
    return sums


def _over_pixels(values: Doubles, rows: Edges, columns: Edges) -> Doubles:
    """The image (C, H, W) in which every pixel has the value of its cell, (C, rows, columns)."""
    return np.repeat(np.repeat(values, np.diff(columns), axis=2), np.diff(rows), axis=1)
