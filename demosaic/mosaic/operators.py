"""The operators of a mean mosaic: cells, replicate, mosaic, base, reconcile.

All take NumPy arrays or torch tensors and return the same kind in the same precision, on the same
device. torch is never imported.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from demosaic.mosaic.grid import Array, Grid, averaging_matrix, replication_matrix, smoothing_matrix


def cells(image: Array, grid: Grid) -> Array:
    """The mean of each cell, (..., rows, columns), of an image, (..., height, width)."""
    height, width = image.shape[-2:]
    rows = averaging_matrix(height, grid.height, grid.top)
    columns = averaging_matrix(width, grid.width, grid.left)
    return _between(rows, image, columns)


def replicate(observed: Array, grid: Grid, size: tuple[int, int]) -> Array:
    """The image, (..., height, width) of `size` (height, width), in which every pixel has the value
    of its cell in `observed`, (..., rows, columns).
    """
    height, width = size
    rows = replication_matrix(height, grid.height, grid.top)
    columns = replication_matrix(width, grid.width, grid.left)
    return _between(rows, observed, columns)


def mosaic(image: Array, grid: Grid) -> Array:
    """The image, (..., height, width), with every pixel replaced by the mean of its cell."""
    height, width = image.shape[-2:]
    return replicate(cells(image, grid), grid, (height, width))


def base(observed: Array, grid: Grid, size: tuple[int, int]) -> Array:
    """The smooth image, (..., height, width) of `size` (height, width), with exactly the cell means
    `observed`, (..., rows, columns).

    It is the Catmull-Rom interpolation of the coefficients that give these means: B = U (A U)^-1.
    """
    height, width = size
    rows = smoothing_matrix(height, grid.height, grid.top)
    columns = smoothing_matrix(width, grid.width, grid.left)
    return _between(rows, observed, columns)


def reconcile(restored: Array, observed: Array, grid: Grid) -> Array:
    """The image nearest to `restored`, (..., height, width), that has exactly the cell means
    `observed`, (..., rows, columns).

    This is the orthogonal projection onto a set that contains the true image, so it never raises
    the squared error.
    """
    height, width = restored.shape[-2:]
    return restored + replicate(observed - cells(restored, grid), grid, (height, width))


def _between(left: NDArray[Any], image: Array, right: NDArray[Any]) -> Array:
    """left @ image @ right^T, of the kind and precision and on the device of `image`."""
    product: Array = _like(left, image) @ image @ _like(right, image).T
    return product


def _like(matrix: NDArray[Any], image: Any) -> Any:
    """The matrix, of the kind and precision and on the device of `image`."""
    if isinstance(image, np.ndarray):
        return matrix.astype(image.dtype, copy=False)
    return image.new_tensor(matrix)
