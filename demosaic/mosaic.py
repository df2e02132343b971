"""The mosaic as arithmetic.

A mean mosaic averages an image over the cells of a grid. Along each axis that is a matrix: with A =
the cell means and R = their replication over the pixels, A R = I, so mosaic(x) = R_h A_h x (R_w
A_w)^T. Every function takes NumPy arrays or torch tensors whose last two axes are height and width
and gives back the same kind; torch is never imported.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.config.rules import Sampler

if TYPE_CHECKING:
    import torch

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Edges = NDArray[np.intp]
"""Where cells begin and end along an axis of n pixels: 0, ..., n."""
Array = TypeVar("Array", Floats, Doubles, "torch.Tensor")

_ROUNDS = 40  # halving alone needs 34 to get from 1,000 grey levels to a cell of 64 x 64 pixels
_CLOSE = 0.25  # grey levels, of the sum of a cell: it then still rounds to the right one


@dataclass(frozen=True)
class Grid:
    """Cells of `width` x `height` pixels, one of whose corners lies at (`left`, `top`).

    The grid covers any image: cells cut by an edge have the pixels they have. Sides need not be
    whole, as in a mosaic of 12 cells over 200 pixels: then each edge lies at the nearest pixel.
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
        """Where rows and columns of cells begin and end in such an image: 0, ..., height and 0,
        ..., width.
        """
        return _edges(height, self.height, self.top), _edges(width, self.width, self.left)


@dataclass(frozen=True)
class Axis:
    """The matrices of a grid along one axis of an image, of n pixels in k cells."""

    averaging: Floats
    """(k, n): A."""
    smoothing: Floats
    """(n, k): B = U (A U)^-1."""

    @classmethod
    @lru_cache(maxsize=128)  # of faces of one size, half of all mosaics begin in their corner
    def of(cls, size: int, cell: float, offset: float) -> "Axis":
        """The axis of `size` pixels with cells of `cell`, one of which begins at `offset`."""
        return cls(
            _averaging(size, cell, offset).astype(np.float32),
            _smoothing(size, cell, offset).astype(np.float32),
        )


def cells(image: Array, grid: Grid) -> Array:
    """The mean of each cell, (..., rows, columns), of an image (..., height, width)."""
    height, width = image.shape[-2:]
    rows = _averaging(height, grid.height, grid.top)
    columns = _averaging(width, grid.width, grid.left)
    return _between(rows, image, columns)


def replicate(observed: Array, grid: Grid, size: tuple[int, int]) -> Array:
    """The image of `size` (height, width) whose every pixel has the value of its cell in
    `observed`.
    """
    height, width = size
    rows = _replication(height, grid.height, grid.top)
    columns = _replication(width, grid.width, grid.left)
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
    rows = _smoothing(height, grid.height, grid.top)
    columns = _smoothing(width, grid.width, grid.left)
    return _between(rows, observed, columns)


def reconcile(restored: Array, observed: Array, grid: Grid) -> Array:
    """The nearest image to `restored` (..., height, width) whose cell means are exactly `observed`.

    An orthogonal projection onto a set that holds the truth: it never raises the squared error.
    """
    height, width = restored.shape[-2:]
    return restored + replicate(observed - cells(restored, grid), grid, (height, width))


def cell_colours(
    picture: NDArray[np.uint8], grid: Grid, hidden: NDArray[np.bool_] | None = None
) -> Floats:
    """The rounded mean colour of each cell, float (3, rows, columns) in 0..255, of an 8-bit picture
    (H, W, 3): of its pixels that are `hidden` (H, W), where there are any.

    The same as `cells`, in whole numbers: for pictures, sums are exact and faster than products.
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
    """The mean of each cell, (3, rows, columns) in 0..255, of an 8-bit picture (H, W, 3): the same
    as `cells`, from exact sums.
    """
    means: Doubles = (_sums(picture, grid) / _areas(picture.shape[:2], grid)).transpose(2, 0, 1)
    return means


def cell_shares(hidden: NDArray[np.bool_], grid: Grid) -> Doubles:
    """The share of each cell's pixels that are hidden, (rows, columns) in 0..1, of a mask
    (H, W).
    """
    shares: Doubles = _sums(hidden.astype(np.uint8), grid) / _areas(hidden.shape, grid)[:, :, 0]
    return shares


def _sums(picture: NDArray[np.uint8], grid: Grid) -> Doubles:
    """The sum over each cell, (rows, columns, C) or (rows, columns), as the picture is."""
    rows, columns = grid.edges(picture.shape[0], picture.shape[1])
    above = cv2.integral(picture, sdepth=cv2.CV_64F)[np.ix_(rows, columns)]  # and left of an edge
    return np.diff(np.diff(above, axis=0), axis=1)


def _areas(size: tuple[int, ...], grid: Grid) -> NDArray[np.uint32]:
    """The pixels of each cell, (rows, columns, 1)."""
    rows, columns = grid.edges(size[0], size[1])
    return np.outer(np.diff(rows), np.diff(columns))[:, :, None].astype(np.uint32)


def sample(picture: NDArray[np.uint8], grid: Grid, sampler: Sampler) -> Floats:
    """The colour of each cell, float (3, rows, columns) in 0..255, as programs take it: the rounded
    mean, one pixel, or what cv2's linear interpolation finds there.
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
    """The 8-bit mosaic (H, W, 3) of `size` (height, width) with cell colours (3, rows, columns)."""
    rows = np.diff(_edges(size[0], grid.height, grid.top))
    columns = np.diff(_edges(size[1], grid.width, grid.left))
    tiles = colours.transpose(1, 2, 0).astype(np.uint8)
    return np.repeat(np.repeat(tiles, columns, axis=1), rows, axis=0)


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


def _between(left: NDArray[Any], image: Array, right: NDArray[Any]) -> Array:
    """left @ image @ right^T in the kind, precision and place of `image`."""
    product: Array = _like(left, image) @ image @ _like(right, image).T
    return product


def _like(matrix: NDArray[Any], image: Any) -> Any:
    if isinstance(image, np.ndarray):
        return matrix.astype(image.dtype, copy=False)
    return image.new_tensor(matrix)


@lru_cache(maxsize=32)
def _edges(size: int, cell: float, offset: float) -> Edges:
    """Where cells begin and end along an axis of `size` pixels: 0, ..., size."""
    lines = np.floor(offset + np.arange(size / cell + 1) * cell + 0.5).astype(np.intp)
    return np.concatenate([[0], lines[(lines > 0) & (lines < size)], [size]])


@lru_cache(maxsize=32)
def _replication(size: int, cell: float, offset: float) -> NDArray[np.float64]:
    edges = _edges(size, cell, offset)
    return np.repeat(np.eye(len(edges) - 1), np.diff(edges), axis=0)


@lru_cache(maxsize=32)
def _averaging(size: int, cell: float, offset: float) -> NDArray[np.float64]:
    edges = _edges(size, cell, offset)
    means: Doubles = _replication(size, cell, offset).T / np.diff(edges)[:, None]
    return means


@lru_cache(maxsize=32)
def _smoothing(size: int, cell: float, offset: float) -> NDArray[np.float64]:
    """B = U (A U)^-1."""
    upsampling = _catmull_rom(size, cell, offset)
    return upsampling @ np.linalg.inv(_averaging(size, cell, offset) @ upsampling)


def _catmull_rom(size: int, cell: float, offset: float) -> NDArray[np.float64]:
    """Cubic Hermite interpolation from the cells' centres to the pixels, flat beyond the outermost
    centres.

    The tangent at a centre is the slope between its neighbours (Catmull and Rom 1974), which also
    holds for the uneven spacing that cells cut by an edge bring.
    """
    edges = _edges(size, cell, offset)
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
