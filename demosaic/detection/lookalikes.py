"""What has lines as a mosaic has them and is none: checked fabric, tiled walls, boards, QR codes.

In a mosaic cells are about flat, every line separates cells of different colours, and cells are
most like those next to them, as the places of a photo are.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.detection.lattice import margin
from demosaic.detection.thresholds import LOOKALIKE
from demosaic.imaging.arrays import Doubles
from demosaic.mosaic.grid import Edges, Grid


def is_lookalike(luma: NDArray[np.uint8], grid: Grid, *, unsure: bool) -> bool:
    """Whether the cells of a grid over a grey plane (H, W) are no mosaic's.

    They are uneven inside, repeat, have two tones or joints between them. If `unsure`, bare lines
    decide too; a mosaic over a plain wall has these as well.
    """
    cells = _CellLevels.of(luma, grid)
    if cells.are_uneven or cells.are_pattern or (unsure and cells.have_bare_lines):
        return True
    return _have_joints(luma, grid, cells)


def _have_joints(luma: NDArray[np.uint8], grid: Grid, cells: "_CellLevels") -> bool:
    """Whether the steps on lines over a grey plane (H, W) are larger than the differences of the
    cells beside them, as at the joints of tiles.
    """
    rows, columns = (edges[1:-1] for edges in grid.edges(luma.shape[0], luma.shape[1]))
    if not (len(rows) and len(columns)):
        return False
    on_lines = (
        cv2.absdiff(luma[:, columns], luma[:, columns - 1]).mean(),
        cv2.absdiff(luma[rows], luma[rows - 1]).mean(),
    )
    between = (_mean_difference(cells.means.T, 1), _mean_difference(cells.means, 1))
    return all(
        step > LOOKALIKE.joint * difference + LOOKALIKE.joint_noise
        for step, difference in zip(on_lines, between, strict=True)
    )


def is_pattern(luma: NDArray[np.uint8], grid: Grid) -> bool:
    """Whether cells over a grey plane (H, W) repeat as on a chequered board, or have two tones as
    in a code of black and white modules.
    """
    return _CellLevels.of(luma, grid).are_pattern


@dataclass(frozen=True)
class _CellLevels:
    """Mean and variance of the grey levels inside each cell, (rows, columns)."""

    means: Doubles
    variances: Doubles

    @classmethod
    def of(cls, luma: NDArray[np.uint8], grid: Grid) -> "_CellLevels":
        rows, columns = grid.edges(luma.shape[0], luma.shape[1])
        across, down = _insides(columns, grid.width), _insides(rows, grid.height)
        area = np.outer(down[1] - down[0], across[1] - across[0])
        tables = cv2.integral2(luma, sdepth=cv2.CV_64F)
        means, squares = (
            _rectangle_sums(table.astype(np.float64), down, across) / area for table in tables
        )
        return cls(means, squares - means**2)

    @property
    def are_uneven(self) -> bool:
        """Whether grey levels inside a cell vary too much beside the steps between cells."""
        squares = [np.square(np.diff(self.means, axis=axis)) for axis in (0, 1)]
        squared_step = float(np.mean([square.mean() for square in squares]))
        limit = LOOKALIKE.uneven * (squared_step + LOOKALIKE.rounding)
        return float(np.median(self.variances)) > limit

    @property
    def have_bare_lines(self) -> bool:
        """Whether the typical line has a much smaller step than the mean one, on either axis."""
        lines = [np.abs(np.diff(self.means, axis=axis)).mean(1 - axis) for axis in (0, 1)]
        return any(
            float(np.median(steps)) < LOOKALIKE.bare * float(steps.mean()) for steps in lines
        )

    @property
    def are_pattern(self) -> bool:
        """Whether they repeat or have two tones."""
        return self._repeat or self._have_two_tones

    @property
    def _have_two_tones(self) -> bool:
        """Whether nearly all of many cells are about as dark as the darkest, or as light as the
        lightest.
        """
        if self.means.size < LOOKALIKE.many_cells:
            return False
        dark, light = np.percentile(self.means, [5, 95])
        distance = np.minimum(np.abs(self.means - dark), np.abs(self.means - light))
        like_either = (distance < LOOKALIKE.same_tone * (light - dark)).mean()
        return bool(light - dark > LOOKALIKE.min_tones and like_either > LOOKALIKE.two_tones)

    @property
    def _repeat(self) -> bool:
        """Whether cells are more like those after the next than like the next, on both axes."""
        if min(self.means.shape) < 4:  # three may be those of a face, left and right of its middle
            return False
        return all(
            _mean_difference(cells, 2) < LOOKALIKE.repeating * _mean_difference(cells, 1)
            for cells in (self.means, self.means.T)
        )


def _insides(edges: Edges, period: float) -> tuple[Edges, Edges]:
    """The first pixels of the cells along an axis and those after their last, without margins."""
    left_out = margin(period)
    starts = np.minimum(edges[:-1] + left_out, edges[1:] - 1)
    return starts, np.maximum(edges[1:] - left_out, starts + 1)


def _rectangle_sums(
    table: Doubles, down: tuple[Edges, Edges], across: tuple[Edges, Edges]
) -> Doubles:
    """The sum over each rectangle (rows, columns), from a summed-area table (H + 1, W + 1)."""
    (top, bottom), (left, right) = down, across
    high, low = table[bottom], table[top]
    sums: Doubles = high[:, right] - high[:, left] - low[:, right] + low[:, left]
    return sums


def _mean_difference(cells: Doubles, distance: int) -> float:
    """The mean absolute difference of rows of cells `distance` apart."""
    return float(np.abs(cells[distance:] - cells[:-distance]).mean())
