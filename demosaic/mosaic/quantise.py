"""Rounding to 8 bits so that each cell keeps its mean."""

import numpy as np
from numpy.typing import NDArray

from demosaic.imaging.arrays import Doubles, Floats
from demosaic.mosaic.grid import Edges, Grid
from demosaic.mosaic.operators import cells

_ROUNDS = 40  # halving alone needs 34 to get from 1,000 grey levels to a cell of 64 x 64 pixels

_CLOSE = 0.25  # grey levels, of the sum of a cell: it then still rounds to the right one


def finish(
    restored: Floats, colours: Floats, grid: Grid, consistency: float = 1.0
) -> NDArray[np.uint8]:
    """The 8-bit picture (H, W, 3) near a network's output, (3, H, W) in [-1, 1], whose cell means
    are pulled so far (0..1) to `colours`; all the way, they round to them.
    """
    levels: Floats = (restored + 1) * np.float32(127.5)
    if consistency < 1:
        means = cells(np.clip(levels, 0, 255), grid)
        colours = means + np.float32(consistency) * (colours - means)
    return np.ascontiguousarray(quantise(levels, colours, grid).transpose(1, 2, 0))


def quantise(restored: Floats, observed: Floats, grid: Grid) -> NDArray[np.uint8]:
    """The 8-bit picture (C, H, W) near `restored` whose cell means round to `observed` (C, rows,
    columns).

    Both are in grey levels, 0..255. Clipping and rounding alone move the mean of a textured cell by
    whole levels; so the unclipped pixels of a cell are shifted together until its mean is right
    within the range, and then each pixel is rounded so that the sum of its cell stays.
    """
    edges = grid.edges(restored.shape[-2], restored.shape[-1])
    shifted = _project_to_range(
        restored.astype(np.float64), np.clip(observed.astype(np.float64), 0, 255), *edges
    )
    return _round_keeping_sums(shifted, *edges)


def _project_to_range(image: Doubles, observed: Doubles, rows: Edges, columns: Edges) -> Doubles:
    """The image plus one shift a cell, clipped to 0..255, with the means `observed`.

    The mean grows with the shift along straight pieces: Newton's steps find it in a few rounds, and
    where one leaves the bracket of all shifts still possible (or nothing is left unclipped to
    shift), the bracket is halved instead.
    """
    area = np.outer(np.diff(rows), np.diff(columns))
    wanted = observed * area
    low = np.full(observed.shape, -256.0 - image.max())
    high = np.full(observed.shape, 256.0 - image.min())
    shift = np.clip((wanted - _added_up(image, rows, columns)) / area, low, high)
    for _ in range(_ROUNDS):
        moved = image + _spread(shift, rows, columns)
        inside = np.clip(moved, 0, 255)
        missing = wanted - _added_up(inside, rows, columns)
        if np.abs(missing).max(initial=0) < _CLOSE:
            break
        low, high = np.where(missing > 0, shift, low), np.where(missing < 0, shift, high)
        free = _added_up((moved == inside).astype(image.dtype), rows, columns)
        newton = shift + missing / np.maximum(free, 1e-9)
        shift = np.where((newton > low) & (newton < high), newton, (low + high) / 2)
    return inside


def _round_keeping_sums(image: Doubles, rows: Edges, columns: Edges) -> NDArray[np.uint8]:
    """Every pixel (C, H, W) rounded up or down, so that the sum of each cell is rounded too.

    In the order of reading, a pixel is what the rounded sum of its cell grows by: what one pixel
    loses the next one gets. Sorting the remainders of a cell would come a little nearer, in ten
    times the time.
    """
    along = np.cumsum(image, axis=2)
    strips = np.add.reduceat(image, columns[:-1], axis=2)  # a cell's part of each row
    above = np.cumsum(strips, axis=1) - strips
    above -= np.repeat(above[:, rows[:-1]], np.diff(rows), axis=1)  # within the cell
    before = np.concatenate([np.zeros_like(along[:, :, :1]), along[:, :, columns[1:-1] - 1]], 2)
    sums = np.rint(along + np.repeat(above - before, np.diff(columns), axis=2))
    carried = np.roll(sums[:, :, columns[1:] - 1], 1, axis=1)  # from the row before
    carried[:, rows[:-1]] = 0
    rounded = np.diff(sums, axis=2, prepend=0)
    rounded[:, :, columns[:-1]] = sums[:, :, columns[:-1]] - carried
    return np.clip(rounded, 0, 255).astype(np.uint8)


def _added_up(image: Doubles, rows: Edges, columns: Edges) -> Doubles:
    """The sum of each cell, (C, rows, columns), of an image (C, H, W)."""
    sums: Doubles = np.add.reduceat(np.add.reduceat(image, rows[:-1], axis=1), columns[:-1], axis=2)
    return sums


def _spread(values: Doubles, rows: Edges, columns: Edges) -> Doubles:
    """The image (C, H, W) whose every pixel has the value of its cell."""
    return np.repeat(np.repeat(values, np.diff(columns), axis=2), np.diff(rows), axis=1)
