"""Period and phase of the lines in a profile of steps along one axis.

The spectrum of the profile gives the frequency (`_frequency`). Lines with nearby periods are then
correlated with the profile itself, first coarsely, then in fractions of a pixel.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from demosaic.detection.lattice import MAX_PERIOD, MIN_PERIOD, Lines
from demosaic.detection.thresholds import PERIOD
from demosaic.imaging.arrays import Floats

Places = NDArray[np.float64]
"""Pixels along the profile, with fractions."""

_FRACTIONS = (2, 1, 1 / 2, 1 / 3)
"""Of the strongest frequency: those that the true one may be."""


def best_lines(profile: Floats) -> Lines | None:
    """The lines, 3 to 64 px apart, that correlate best with a profile of steps (n,).

    None where the profile is flat, shorter than three cells, or correlates with no lines.
    """
    size = len(profile)
    excess = profile - profile.mean()
    deviation = float(excess.std())
    if size < 3 * MIN_PERIOD or deviation < PERIOD.flat_profile:
        return None
    excess /= deviation
    frequency = _frequency(excess)
    guesses = [frequency * fraction for fraction in _FRACTIONS]
    possible = [guess for guess in guesses if 2.9 / size <= guess <= 1.1 / MIN_PERIOD]
    found = [_lines_near(excess, guess) for guess in possible]
    best = max((lines.score for lines in found), default=0.0)
    if best <= 0:
        return None
    enough = PERIOD.shorter_period * best
    shortest = min((one for one in found if one.score >= enough), key=lambda one: one.period)
    return _refined(excess, shortest)


def _lines_near(excess: Floats, frequency: float) -> Lines:
    """The lines of nearly a frequency that correlate best, to half a pixel at the last line."""
    period = round(1 / frequency)
    periods = 1 / (frequency + np.arange(-period, period + 1) / (2 * period * len(excess)))
    return _best_correlated(excess, periods, _Phases(0, math.ceil(2 / frequency), 2))


def _refined(excess: Floats, lines: Lines) -> Lines:
    """The lines near some that correlate best; of a whole period if those are about as good."""
    count = int(len(excess) / lines.period) + 1
    periods = lines.period + np.arange(-8, 9) / (32 * count)
    fractional = _best_correlated(excess, periods, _Phases(lines.phase - 0.75, 13, 8))
    side = round(fractional.period)
    whole = _best_correlated(excess, np.array([side], np.float64), _Phases(0, side, 1))
    # With noise, some fractional period is always a little better than the true whole one
    enough = fractional.score - PERIOD.whole_period_margin
    return whole if whole.score > enough else fractional


def sharpened(lines: Lines, profile: Floats) -> Lines:
    """The lines that correlate best with a profile of steps (n,), of those that lie at most half a
    pixel beside the first of the given lines and a pixel beside the last.
    """
    excess = profile - profile.mean()
    deviation = float(excess.std())
    if deviation < PERIOD.flat_profile:
        return lines
    count = PERIOD.positions_per_pixel
    periods = lines.period + np.arange(-count // 2, count // 2 + 1) * lines.period / (
        count * len(profile)
    )
    first = (lines.phase - 0.5) % lines.period
    return _best_correlated(excess / deviation, periods, _Phases(first, count + 1, count))


def _frequency(excess: Floats) -> float:
    """The frequency, per pixel, whose harmonics have the most power in a profile of mean 0; of
    those that have nearly the most, the highest.
    """
    size = len(excess)
    # Padded until even the last harmonic of each frequency is sampled
    padded = 1 << math.ceil(math.log2(2 * PERIOD.harmonics * size))
    spectrum = np.fft.rfft(excess, padded)
    power = spectrum.real**2 + spectrum.imag**2
    power -= power.mean()
    first = int(padded / min(MAX_PERIOD, size / 3))
    last = int(padded * (1 / MIN_PERIOD + 0.1 / size))
    summed = np.zeros(last + 1 - first)
    for harmonic in range(1, PERIOD.harmonics + 1):
        part = power[harmonic * first : harmonic * last + 1 : harmonic]
        summed[: len(part)] += part
    enough = summed.max() - (1 - PERIOD.near_peak) * abs(summed.max())
    return float(first + np.nonzero(summed >= enough)[0][-1]) / padded


def phase_change(profile: Floats, lines: Lines) -> int | None:
    """The pixel from which the lines of a profile (n,) have another phase, as where two mosaics
    meet; None where one phase is nearly as good.

    Lines fitted to both mosaics may have half the period of either, or nearly a whole one, to meet
    the lines of both; so these periods are tried too.
    """
    excess = np.maximum(profile - profile.mean(), 0)
    met_by_one = float(excess[lines.positions(1, len(profile))].sum())
    most, place = 0.0, None
    for period, gain in _periods_of_two(lines.period).items():
        before = _met_before(excess, period)
        both = before.max(0) + (before[:, -1:] - before).max(0)
        margin = math.ceil(2 * period)
        inner = both[margin : len(profile) - margin]
        enough = max(most, gain * met_by_one, PERIOD.phase_change * float(before[:, -1].max()))
        highest = float(inner.max(initial=0))
        if highest > enough:
            most = highest  # the same from the last line of one to the first of the other
            place = margin + int(np.nonzero(inner > most - PERIOD.rounding)[0][-1])
    return place


def _periods_of_two(period: float) -> dict[float, float]:
    """The periods that lines of two phases may have, each with how much more of the steps they
    must meet than the lines of one phase.
    """
    gains = {period: PERIOD.phase_change}
    for times, gain in ((1, PERIOD.near_period_change), (2, PERIOD.double_period_change)):
        whole = round(times * period)
        is_fractional = abs(times * period - whole) >= PERIOD.whole_period
        gains.setdefault(times * period if is_fractional else whole, gain)
    return gains


def _met_before(excess: Floats, period: float) -> Floats:
    """(phases, n + 1): the sum of a profile (n,) on the lines of each phase before each pixel."""
    size, per_pixel = len(excess), 1 if float(period).is_integer() else 4
    phases = np.arange(math.ceil(period * per_pixel))
    offsets = np.arange(size / period + 1) * period
    places = np.floor(phases[:, None] / per_pixel + offsets + 0.5).astype(np.intp)
    phase, line = np.nonzero((places > 0) & (places < size))
    met = np.zeros((len(phases), size + 1), np.float32)
    met[phase, places[phase, line] + 1] = excess[places[phase, line]]
    return met.cumsum(1)


@dataclass(frozen=True)
class _Phases:
    """`count` phases from `first` on, `per_pixel` of them a pixel."""

    first: float
    count: int
    per_pixel: int


def _best_correlated(excess: Floats, periods: Places, phases: _Phases) -> Lines:
    """The middle of the lines that correlate best with a profile (n,) of mean 0 and variance 1.

    Its first pixel does not count: a mosaic's end may have a step or not.
    """
    size = len(excess)
    first = phases.first + 0.5  # rounded down, a line is then the nearest pixel
    sums = _sums_on_lines(excess, periods, phases)
    at = first + np.arange(phases.count) / phases.per_pixel
    counts = _lines_below(size, at, periods) - _lines_below(1, at, periods)
    scores = sums / np.sqrt(np.maximum(counts * (size - counts), 1))
    period, phase = np.nonzero(scores > scores.max() - PERIOD.ties)
    # A phase one period on is as good, so only ties within a pixel are averaged
    near = phase < phase.min() + phases.per_pixel
    return Lines(
        float(periods[period[near]].mean()),
        float(at[phase[near]].mean() - 0.5),
        float(scores.max()),
    )


def _sums_on_lines(excess: Floats, periods: Places, phases: _Phases) -> Floats:
    """(periods, phases): the sum of a profile (n,), without its first pixel, on the lines of each
    period and phase.

    Each pixel is repeated `per_pixel` times. Then the values that all phases meet at one line are
    neighbours and are read as one window: 3 to 50 times as fast as one by one.
    """
    size, per_pixel = len(excess), phases.per_pixel
    repeated = np.zeros((1 + size + 1) * per_pixel + phases.count, np.float32)
    repeated[2 * per_pixel : (1 + size) * per_pixel] = excess[1:].repeat(per_pixel)
    windows = sliding_window_view(repeated, phases.count)
    numbers = np.arange(int(size / periods.min()) + 2)[:, None]
    # The profile begins one pixel into `repeated`, and half a pixel rounds to the nearest
    starts = np.floor((phases.first + 0.5 + 1 + periods * numbers) * per_pixel)
    sums: Floats = windows[np.minimum(starts, len(windows) - 1).astype(np.intp)].sum(0)
    return sums


def _lines_below(end: int, phases: Places, periods: Places) -> Places:
    """(periods, phases): how many lines lie below a pixel."""
    return np.maximum(np.ceil((end - phases) / periods[:, None]), 0)
