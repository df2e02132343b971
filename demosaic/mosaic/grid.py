"""Grids of cells, and the matrices that a grid is along each axis of an image.

A mean mosaic averages an image over the cells of a grid. Along an axis of n pixels in k cells that
is a matrix: A, (k, n), takes the means of the cells and R, (n, k), replicates them over the pixels,
so mosaic(x) = R_h A_h x (R_w A_w)^T, and A R = I. A third matrix, B = U (A U)^-1, (n, k),
interpolates smoothly between the cells and keeps their means; U is Catmull-Rom interpolation from
the cells' centres.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from demosaic.imaging.arrays import Doubles, Floats

if TYPE_CHECKING:
    import torch


Edges = NDArray[np.intp]
"""Where k cells begin and end along an axis of n pixels: 0, ..., n, (k + 1,)."""

Array = TypeVar("Array", Floats, Doubles, "torch.Tensor")
"""An image, (..., height, width), or its cells, (..., rows, columns)."""


@dataclass(frozen=True)
class Grid:
    """Cells of `width` x `height` pixels, one of them with its corner at (`left`, `top`).

    The grid covers an image of any size; cells at its border may be cut. Sides need not be whole
    numbers, as in a mosaic of 12 cells over 200 pixels: each edge is then rounded to a pixel. The
    corner is kept modulo the sides. Raises ValueError for a side of less than one pixel.
    """

    width: float
    height: float
    left: float = 0
    top: float = 0

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a cell has at least one pixel, not {self.width} x {self.height}")
        object.__setattr__(self, "left", self.left % self.width)
        object.__setattr__(self, "top", self.top % self.height)

    @classmethod
    def square(cls, block: int, left: int = 0, top: int = 0) -> "Grid":
        """Square cells with a side of `block` pixels."""
        return cls(block, block, left, top)

    def shape(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of cells in an image of `height` x `width` pixels."""
        rows, columns = self.edges(height, width)
        return len(rows) - 1, len(columns) - 1

    def edges(self, height: int, width: int) -> tuple[Edges, Edges]:
        """Where rows and columns of cells begin and end in an image of `height` x `width` pixels:
        0, ..., height and 0, ..., width.
        """
        return axis_edges(height, self.height, self.top), axis_edges(width, self.width, self.left)


@dataclass(frozen=True)
class Axis:
    """The matrices of a grid along one axis of an image, of n pixels in k cells, as float32."""

    averaging: Floats
    """(k, n): A."""
    smoothing: Floats
    """(n, k): B = U (A U)^-1."""

    @classmethod
    @lru_cache(maxsize=128)  # half of all mosaics on faces of one size begin in the corner
    def of(cls, size: int, cell: float, offset: float) -> "Axis":
        """The axis of `size` pixels with cells of `cell` pixels, one of them from `offset` on."""
        return cls(
            averaging_matrix(size, cell, offset).astype(np.float32),
            smoothing_matrix(size, cell, offset).astype(np.float32),
        )


@lru_cache(maxsize=32)
def axis_edges(size: int, cell: float, offset: float) -> Edges:
    """Where cells of `cell` pixels, one of them from `offset` on, begin and end along an axis of
    `size` pixels: 0, ..., size.
    """
    lines = np.floor(offset + np.arange(size / cell + 1) * cell + 0.5).astype(np.intp)
    return np.concatenate([[0], lines[(lines > 0) & (lines < size)], [size]])


@lru_cache(maxsize=32)
def replication_matrix(size: int, cell: float, offset: float) -> Doubles:
    """R, (n, k): gives each of n pixels the value of its cell, one of k."""
    edges = axis_edges(size, cell, offset)
    return np.repeat(np.eye(len(edges) - 1), np.diff(edges), axis=0)


@lru_cache(maxsize=32)
def averaging_matrix(size: int, cell: float, offset: float) -> Doubles:
    """A, (k, n): the means of k cells from n pixels."""
    edges = axis_edges(size, cell, offset)
    means: Doubles = replication_matrix(size, cell, offset).T / np.diff(edges)[:, None]
    return means


@lru_cache(maxsize=32)
def smoothing_matrix(size: int, cell: float, offset: float) -> Doubles:
    """B = U (A U)^-1, (n, k): the smooth n pixels whose means over the k cells are those given."""
    upsampling = _catmull_rom(size, cell, offset)
    return upsampling @ np.linalg.inv(averaging_matrix(size, cell, offset) @ upsampling)


def _catmull_rom(size: int, cell: float, offset: float) -> Doubles:
    """U, (n, k): cubic Hermite interpolation from the cells' centres to the pixels, constant beyond
    the outermost centres.

    The tangent at a centre is the slope between its neighbours (Catmull and Rom 1974). That also
    works for the uneven spacing next to a cell that is cut.
    """
    edges = axis_edges(size, cell, offset)
    centres = (edges[:-1] + edges[1:] - 1) / 2
    values = np.eye(len(centres))
    if len(centres) == 1:
        return np.ones((size, 1))
    before, after = (
        np.maximum(np.arange(len(centres)) - 1, 0),
        np.minimum(np.arange(len(centres)) + 1, len(centres) - 1),
    )
    tangents = (values[after] - values[before]) / (centres[after] - centres[before])[:, None]
    pixels = np.clip(np.arange(size), centres[0], centres[-1])
    left = np.clip(np.searchsorted(centres, pixels, side="right") - 1, 0, len(centres) - 2)
    gap = (centres[left + 1] - centres[left])[:, None]
    t = (pixels - centres[left])[:, None] / gap
    upsampling: Doubles = (
        (2 * t**3 - 3 * t**2 + 1) * values[left]
        + (t**3 - 2 * t**2 + t) * gap * tangents[left]
        + (3 * t**2 - 2 * t**3) * values[left + 1]
        + (t**3 - t**2) * gap * tangents[left + 1]
    )
    return upsampling
