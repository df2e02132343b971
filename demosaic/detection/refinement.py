"""Lines and ends of a mosaic along one axis, to the pixel.

Most programs make cells that fill a box: then its two ends and the number of cells say where every
line is. An end has a step, as a line has, and nothing beyond it is evidence for a mosaic. All
hypotheses near the coarse fit are scored, and the best one is taken.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from demosaic.detection import jpeg_blocks
from demosaic.detection.lattice import Lines, Positions
from demosaic.detection.periodicity import sharpened
from demosaic.detection.thresholds import REFINEMENT
from demosaic.imaging.arrays import Doubles, Floats

_Ends = NDArray[np.intp]
"""(N, 2): the first pixel of a mosaic and the one after its last."""


@dataclass(frozen=True)
class _Rounding:
    """How a program rounds the edges of cells that fill a box."""

    added_length: float
    """Pixels that all cells together are longer."""
    phase: float
    """Pixels by which the first line lies after the first pixel."""


_ROUNDINGS = (
    _Rounding(0, 0),  # to the nearest pixel
    _Rounding(0, -0.01),  # to the nearest, halves down
    _Rounding(0, -0.49),  # down
    _Rounding(0, 0.49),  # up
    _Rounding(0.04, 0.49),  # up, by an error of 1e-6 even edges that fall on whole pixels
)


@dataclass(frozen=True)
class _Hypotheses:
    """N ways in which lines and ends may lie, one an element of each array (N,)."""

    period: Doubles
    phase: Doubles
    low: Doubles
    """The first pixel of the mosaic."""
    high: Doubles
    """The pixel after its last."""
    penalty: Doubles
    """What speaks against it, whatever the steps, in steps of one line."""

    def and_those(self, other: "_Hypotheses") -> "_Hypotheses":
        """These hypotheses, then the other ones."""
        return _Hypotheses(
            np.concatenate([self.period, other.period]),
            np.concatenate([self.phase, other.phase]),
            np.concatenate([self.low, other.low]),
            np.concatenate([self.high, other.high]),
            np.concatenate([self.penalty, other.penalty]),
        )

    def penalised(self, by: Doubles | float) -> "_Hypotheses":
        """The hypotheses with more speaking against them, (N,) or the same for all."""
        return replace(self, penalty=self.penalty + by)


def refine_axis(
    lines: Lines, profile: Floats, evidence: Floats, low: int, high: int
) -> tuple[Lines, int, int]:
    """The lines between a mosaic's cells, its first pixel and the pixel after its last.

    All are about known: `lines`, `low` and `high`. `profile` (n,) is the root of the mean step in
    each column of the picture, `evidence` (n,) what speaks for a mosaic there, about -1..1.
    """
    strength = _line_strength(profile, lines, low, high)
    sharp = sharpened(lines.shifted(-low - 1), strength[low + 1 : high - 1]).shifted(low + 1)
    ends = _ends_near(lines if lines.is_whole else sharp, low, high, len(profile))
    tried = _filling(lines, ends).and_those(_with_cut_cells(sharp, ends))
    moved = np.add(np.abs(tried.low - low) > 1, np.abs(tried.high - high) > 1, dtype=np.float64)
    tried = tried.penalised(REFINEMENT.unusual * moved)
    if lines.is_whole:
        unchanged = _with_cut_cells(lines, np.array([(low, high)]))
        bonus = REFINEMENT.unusual + REFINEMENT.changed_lines
        tried = tried.and_those(unchanged.penalised(-bonus))
    best = int(np.argmax(_scores(strength, evidence, tried)))
    found = Lines(float(tried.period[best]), float(tried.phase[best]), lines.score)
    return found, int(tried.low[best]), int(tried.high[best])


def _line_strength(profile: Floats, lines: Lines, low: int, high: int) -> Floats:
    """(n + 1,): the step in each column, scaled so that those on lines are 1 on average and those
    between lines 0; 0 at the ends of the picture.
    """
    on_lines = lines.positions(low + 1, high)
    between = np.zeros(len(profile), bool)
    between[low + 1 : high] = True
    between[on_lines] = False
    strength = np.zeros(len(profile) + 1, np.float32)
    if len(on_lines) > 0 and between.any():
        calm = profile[between].mean()
        step = max(float(profile[on_lines].mean() - calm), 1e-3)
        strength[1:-1] = np.minimum((profile[1:] - calm) / step, REFINEMENT.max_step)
    return strength


def _ends_near(lines: Lines, low: int, high: int, size: int) -> _Ends:
    """The first and last pixels, in all combinations, that a mosaic about here may have."""
    firsts, lasts = (_positions_near(lines, end, size) for end in (low, high))
    ends: _Ends = np.stack(np.meshgrid(firsts, lasts), 2).reshape(-1, 2)
    return ends


def _positions_near(lines: Lines, end: int, size: int) -> Positions:
    """The pixels within one of an end and, where the period is fractional, within one of the lines
    next to it.
    """
    reach = math.ceil(lines.period)
    others = lines.positions(end - reach, end + reach + 1)[: 0 if lines.is_whole else None]
    places = np.append(others, end)[:, None] + np.arange(-1, 2)
    near: Positions = np.unique(places.clip(0, size))
    return near


def _filling(lines: Lines, ends: _Ends) -> _Hypotheses:
    """Cells that fill the stretch between two ends, about as long as those of the given lines."""
    length = ends[:, 1] - ends[:, 0]
    count = np.rint(length / lines.period)
    fits = (count > 1) & (np.abs(count * lines.period - length) <= 2 - lines.is_whole)
    ends, length, count = ends[fits], length[fits], count[fits]
    low, high = np.tile(ends.astype(np.float64), (len(_ROUNDINGS), 1)).T
    return _Hypotheses(
        np.concatenate([(length + rounding.added_length) / count for rounding in _ROUNDINGS]),
        np.concatenate([ends[:, 0] + rounding.phase for rounding in _ROUNDINGS]),
        low,
        high,
        np.zeros_like(low),
    )


def _with_cut_cells(lines: Lines, ends: _Ends) -> _Hypotheses:
    """The same lines with several ends, at which the first and the last cell may be cut."""
    positions = lines.positions(int(ends.min()), int(ends.max()) + 2)
    slivers = np.isin(ends + np.array([1, -1]), positions).sum(1)
    low, high = ends.T.astype(np.float64)
    return _Hypotheses(
        np.full_like(low, lines.period),
        np.full_like(low, lines.phase),
        low,
        high,
        np.asarray(REFINEMENT.unusual + REFINEMENT.sliver * slivers, np.float64),
    )


def _scores(strength: Floats, evidence: Floats, tried: _Hypotheses) -> Floats:
    """(N,): the steps on the lines and at the ends of each hypothesis, and the evidence between its
    ends, less its penalty.
    """
    period, phase, low, high = (
        values[:, None] for values in (tried.period, tried.phase, tried.low, tried.high)
    )
    first = np.ceil((low + 1.5 - phase) / period)  # the line of a sliver is already an end
    numbers = first + np.arange(np.ceil((high - low) / period).max())
    places = np.floor(phase + numbers * period + 0.5)
    inside = places < high - 1
    on_lines = strength[(places * inside).astype(np.intp)].sum(1)  # strength[0] is 0
    at_ends = strength - REFINEMENT.unusual * jpeg_blocks.on_edge(np.arange(len(strength)))
    at_ends[[0, -1]] = 0
    starts, stops = tried.low.astype(np.intp), tried.high.astype(np.intp)
    sums = np.append(0, np.cumsum(evidence))
    between = REFINEMENT.evidence * (sums[stops] - sums[starts])
    scores: Floats = on_lines + at_ends[starts] + at_ends[stops] + between - tried.penalty
    return scores
