"""Evenly spaced lines along one axis, and the lattice that lines along both axes make.

A line is the first pixel of a column or a row of cells.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demosaic.imaging.arrays import Floats
from demosaic.imaging.geometry import Box
from demosaic.mosaic.grid import Grid

Positions = NDArray[np.intp]
"""Pixels along an axis."""

MIN_PERIOD, MAX_PERIOD = 3, 64
"""Pixels of a cell along an axis."""

_BLENDED_PERIOD = 4.5
"""Pixels; in larger cells the pixels beside a line are left out, as JPEG and scaling blend them."""


@dataclass(frozen=True)
class Lines:
    """Lines at the pixels nearest to `phase + k * period`, for all whole k."""

    period: float
    phase: float
    score: float = 1.0
    """0..1: the correlation with a profile of steps, or the share of observed lines that it has."""

    def positions(self, low: int, high: int) -> Positions:
        """The lines from pixel `low` to below `high`, ascending."""
        first = np.ceil((low - 0.5 - self.phase) / self.period)
        last = np.ceil((high - 0.5 - self.phase) / self.period)
        places = np.floor(self.phase + np.arange(first, last) * self.period + 0.5)
        inside: Positions = places[(places >= low) & (places < high)].astype(np.intp)
        return inside

    def inside_cells(self, low: int, high: int) -> NDArray[np.bool_]:
        """(high - low,): which pixels are neither on a line nor within the margin of one."""
        inside = np.ones(high - low, bool)
        lines = self.positions(low - 1, high + 1) - low
        reach = margin(self.period)
        for beside in range(-reach, reach + 1):
            near = lines + beside
            inside[near[(near >= 0) & (near < len(inside))]] = False
        return inside

    @property
    def is_whole(self) -> bool:
        """Whether the period is a whole number of pixels."""
        return float(self.period).is_integer()

    def slivers(self, low: int, high: int) -> set[int]:
        """The lines that leave a cell of one pixel at an end of the stretch `low` to `high`."""
        return {low + 1, high - 1} & set(self.positions(low + 1, high).tolist())

    def shifted(self, by: int) -> "Lines":
        """The lines moved by so many pixels."""
        return Lines(self.period, self.phase + by, self.score)


@dataclass(frozen=True)
class Lattice:
    """The lines between columns of cells and those between rows, in picture pixels."""

    across: Lines
    """Along the x axis."""
    down: Lines
    """Along the y axis."""

    @classmethod
    def of_grid(cls, grid: Grid, box: Box) -> "Lattice":
        """The lattice of a grid that is counted from the corner of a box."""
        across = Lines(grid.width, box.x + grid.left)
        return cls(across, Lines(grid.height, box.y + grid.top))

    def grid(self, box: Box) -> Grid:
        """The cells, counted from the corner of a box."""
        return Grid(
            _as_int_if_whole(self.across.period),
            _as_int_if_whole(self.down.period),
            _as_int_if_whole((self.across.phase - box.x) % self.across.period),
            _as_int_if_whole((self.down.phase - box.y) % self.down.period),
        )

    @property
    def transposed(self) -> "Lattice":
        """The lattice of the picture with rows and columns exchanged."""
        return Lattice(self.down, self.across)

    def positions(self, box: Box) -> tuple[Positions, Positions]:
        """The lines between columns and between rows in a box, counted from its corner; a line on
        the left or upper end itself is left out.
        """
        return (
            self.across.positions(box.x + 1, box.x + box.width) - box.x,
            self.down.positions(box.y + 1, box.y + box.height) - box.y,
        )


def margin(period: float) -> int:
    """Pixels beside each line whose values may be blended with the next cell: 0 or 1."""
    return int(period > _BLENDED_PERIOD)


def _as_int_if_whole(value: float) -> float:
    return int(value) if float(value).is_integer() else value


def lines_through(positions: Positions, period: float) -> Lines | None:
    """The lines of about a period through all of these pixels (n,), ascending.

    Of all periods that fit, a whole one, or else the middle one. Where none fits all pixels, as
    where a program rounds halves now up, now down, the lines that meet most of them; `score` is the
    share met. None for fewer than three pixels.
    """
    if len(positions) < 3:
        return None
    numbers = np.concatenate([[0], np.cumsum(np.rint(np.diff(positions) / period))])
    first, second = np.nonzero(numbers[None] > numbers[:, None])
    if len(first) == 0:
        return None
    distance, cells = positions[second] - positions[first], numbers[second] - numbers[first]
    least, most = float(((distance - 1) / cells).max()), float(((distance + 1) / cells).min())
    if least >= most:  # the outermost may be ends of the mosaic, which need not be lines
        inner = (first > 0) & (second < len(positions) - 1)
        if not inner.any():
            return None
        most = float(((distance + 1) / cells)[inner].min())
    whole = float(np.rint((least + most) / 2))
    chosen = whole if least < whole < most else (least + most) / 2
    return _best_phase(positions, numbers, chosen)


def filling_lines(lines: Lines, low: int, high: int) -> Lines:
    """Lines of cells that fill the stretch from `low` to `high`, as most programs make them, if
    they have the given lines in it; else the given ones.
    """
    inner = lines.positions(low + 1, high)
    far = inner[(inner - low > lines.period / 2) & (high - inner > lines.period / 2)]
    filling = lines_through(np.concatenate([[low], far, [high]]), lines.period)
    fits = filling is not None and filling.score == 1
    return filling if filling and fits and _may_be_fractional(lines, low, high) else lines


def _best_phase(positions: Positions, numbers: Floats, period: float) -> Lines:
    """The lines of a period of which the most have these positions and numbers."""
    offsets = positions - numbers * period
    phases = np.linspace(offsets[1:].max() - 0.5, offsets[:-1].min() + 0.5, 65)[1:-1]
    met = np.floor(phases[:, None] + numbers * period + 0.5) == positions
    share = met[:, 1:-1].mean(1) + 0.01 * met.mean(1)
    best = phases[share > share.max() - 1e-6]
    return Lines(period, float(best[len(best) // 2]), float(met.mean(1).max()))


def _may_be_fractional(lines: Lines, low: int, high: int) -> bool:
    """Whether the period is fractional, or whole with a cell of one pixel left over at an end."""
    return bool(lines.slivers(low, high)) or not lines.is_whole
