"""The operators of a mean mosaic: cells, replicate, mosaic, base, reconcile."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from demosaic.mosaic.grid import Array, Grid, averaging_matrix, replication_matrix, smoothing_matrix


def cells(image: Array, grid: Grid) -> Array:
    """The mean of each cell, (..., rows, columns), of an image (..., height, width)."""
    height, width = image.shape[-2:]
    rows = averaging_matrix(height, grid.height, grid.top)
    columns = averaging_matrix(width, grid.width, grid.left)
    return _between(rows, image, columns)


def replicate(observed: Array, grid: Grid, size: tuple[int, int]) -> Array:
    """The image of `size` (height, width) whose every pixel has the value of its cell in
    `observed`.
    """
    height, width = size
    rows = replication_matrix(height, grid.height, grid.top)
    columns = replication_matrix(width, grid.width, grid.left)
    return _between(rows, observed, columns)


def mosaic(image: Array, grid: Grid) -> Array:
    """The image with every pixel replaced by the mean of its cell; same shape."""
    height, width = image.shape[-2:]
    return replicate(cells(image, grid), grid, (height, width))


def base(observed: Array, grid: Grid, size: tuple[int, int]) -> Array:
    """The smooth image of `size` (height, width) whose cell means are exactly `observed`, (...,
    rows, columns).

    Catmull-Rom interpolation U of coefficients chosen so that the means come out: B = U (A U)^-1.
    """
    height, width = size
    rows = smoothing_matrix(height, grid.height, grid.top)
    columns = smoothing_matrix(width, grid.width, grid.left)
    return _between(rows, observed, columns)


def reconcile(restored: Array, observed: Array, grid: Grid) -> Array:
    """The nearest image to `restored` (..., height, width) whose cell means are exactly `observed`.

    An orthogonal projection onto a set that holds the truth: it never raises the squared error.
    """
    height, width = restored.shape[-2:]
    return restored + replicate(observed - cells(restored, grid), grid, (height, width))


def _between(left: NDArray[Any], image: Array, right: NDArray[Any]) -> Array:
    """left @ image @ right^T in the kind, precision and place of `image`."""
    product: Array = _like(left, image) @ image @ _like(right, image).T
    return product


def _like(matrix: NDArray[Any], image: Any) -> Any:
    if isinstance(image, np.ndarray):
        return matrix.astype(image.dtype, copy=False)
    return image.new_tensor(matrix)
