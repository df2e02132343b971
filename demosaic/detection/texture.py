"""What has lines as a mosaic has them and is none: checked cloth, tiles, boards.

Of a mosaic, cells are about flat, every line parts cells of different colours, and cells are likest
to those next to them, as the places of a photo are.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.mosaic.grid import Edges, Grid

_Table = NDArray[np.float64]


_UNEVEN = 0.2  # of the squared step; mosaics through JPEG of quality 60 have 0.03, cloth 0.4

# Of the mean step; the median line of mosaics has 0.61 and more, a subdivided check's 0.5
_BARE = 0.55

_AGAIN = 0.7  # of the step to the next cell; mosaics have 1.1 and more, boards of two colours 0.1

_WIDE = 4.5  # pixels; the outermost of larger cells are what scaling and JPEG blend

_ROUNDING = 1.0  # squared grey levels


def is_woven(luma: NDArray[np.uint8], grid: Grid, *, unsure: bool) -> bool:
    """Whether cells on a grid over a plane (H, W) are no mosaic's: uneven, repeating or, where one
    is `unsure`, parted by lines of which most are bare, as a plain wall's in a mosaic are too.
    """
    cells = _Cells.of(luma, grid)
    return cells.uneven or cells.repeating or (unsure and cells.bare)


def is_repeating(luma: NDArray[np.uint8], grid: Grid) -> bool:
    """Whether cells are likest to those after the next, across and down: a board of two colours."""
    return _Cells.of(luma, grid).repeating


@dataclass(frozen=True)
class _Cells:
    """The grey levels inside the cells of a grid, (rows, columns)."""

    means: _Table
    variances: _Table

    @classmethod
    def of(cls, luma: NDArray[np.uint8], grid: Grid) -> "_Cells":
        rows, columns = grid.edges(luma.shape[0], luma.shape[1])
        across, down = _inner(columns, grid.width), _inner(rows, grid.height)
        area = np.outer(down[1] - down[0], across[1] - across[0])
        tables = cv2.integral2(luma, sdepth=cv2.CV_64F)
        means, squares = (_sums(table.astype(np.float64), down, across) / area for table in tables)
        return cls(means, squares - means**2)

    @property
    def uneven(self) -> bool:
        steps = [np.square(np.diff(self.means, axis=axis)) for axis in (0, 1)]
        step = float(np.mean([step.mean() for step in steps]))
        return float(np.median(self.variances)) > _UNEVEN * (step + _ROUNDING)

    @property
    def bare(self) -> bool:
        lines = [np.abs(np.diff(self.means, axis=axis)).mean(1 - axis) for axis in (0, 1)]
        return any(float(np.median(steps)) < _BARE * float(steps.mean()) for steps in lines)

    @property
    def repeating(self) -> bool:
        down, across = self.means, self.means.T
        if min(self.means.shape) < 3:
            return False
        return all(_apart(cells, 2) < _AGAIN * _apart(cells, 1) for cells in (down, across))


def _inner(edges: Edges, pitch: float) -> tuple[Edges, Edges]:
    """Where the inside of each cell along an axis begins and ends."""
    left_out = int(pitch > _WIDE)
    starts = np.minimum(edges[:-1] + left_out, edges[1:] - 1)
    return starts, np.maximum(edges[1:] - left_out, starts + 1)


def _sums(table: _Table, down: tuple[Edges, Edges], across: tuple[Edges, Edges]) -> _Table:
    """The sum over each rectangle, from a table of the sums above and left of each point."""
    (top, bottom), (left, right) = down, across
    high, low = table[bottom], table[top]
    sums: _Table = high[:, right] - high[:, left] - low[:, right] + low[:, left]
    return sums


def _apart(cells: _Table, way: int) -> float:
    """How much rows of cells so many rows apart differ, on average."""
    return float(np.abs(cells[way:] - cells[:-way]).mean())
