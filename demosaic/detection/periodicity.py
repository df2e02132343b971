"""Period and phase of evenly spaced edges along an axis."""

import math
from dataclasses import dataclass

import numpy as np

from demosaic.detection.lattice import LEAST, MOST, Comb, Floats

_FAINT = 1e-3  # of a profile's spread; a plain picture's is 0, those of mosaics 0.5 and more

_MULTIPLES = 12  # with 6 or 8, one in 80 cells is taken for a part of it; more only cost time

# Of the power that the best frequency holds; JPEG of quality 60 takes a third of the true one's
_NEARLY = 0.65

_SHARP = 32  # places of a line in a pixel; with 16, one box of 100 more has a line a pixel off

_SLIPPED = 1.3  # times what combs of one phase hold; of single mosaics they hold all but a quarter

_EQUAL = 1e-3  # rounding of sums

_BARELY = 0.1  # pixels that a pitch is off a whole one

_FINER = 0.87  # of the best score; half the true pitch has 0.73 of it, less the noise

_CLEARLY = 0.03  # of a correlation


def best_comb(profile: Floats) -> Comb | None:
    """The comb of 3 to 64 px that correlates best with a profile of steps; none, where the profile
    is flat, too short for three cells or without any.
    """
    size = len(profile)
    excess = profile - profile.mean()
    strength = float(excess.std())
    if size < 3 * LEAST or strength < _FAINT:
        return None
    excess /= strength
    frequency = _frequency(excess)
    guesses = [frequency * part for part in (2, 1, 1 / 2, 1 / 3)]
    possible = [guess for guess in guesses if 2.9 / size <= guess <= 1.1 / LEAST]
    combs = [_near(excess, guess) for guess in possible]
    best = max((comb.score for comb in combs), default=0.0)
    if best <= 0:
        return None
    enough = _FINER * best
    finest = min((comb for comb in combs if comb.score >= enough), key=lambda comb: comb.pitch)
    return _refined(excess, finest)


def _near(excess: Floats, frequency: float) -> Comb:
    """The comb of nearly a frequency that correlates best, to half a pixel at the last line."""
    fine = round(1 / frequency)
    pitches = 1 / (frequency + np.arange(-fine, fine + 1) / (2 * fine * len(excess)))
    return _highest(excess, pitches, _Starts(0, math.ceil(2 / frequency), 2))


def _refined(excess: Floats, broken: Comb) -> Comb:
    """The comb near one that correlates best, of whole pixels if such a one does."""
    count = int(len(excess) / broken.pitch) + 1
    pitches = broken.pitch + np.arange(-8, 9) / (32 * count)
    broken = _highest(excess, pitches, _Starts(broken.start - 0.75, 13, 8))
    side = round(broken.pitch)
    whole = _highest(excess, np.array([side]), _Starts(0, side, 1))
    # With noise, some broken side is always a little better than the true whole one
    return whole if whole.score > broken.score - _CLEARLY else broken


def sharpened(comb: Comb, profile: Floats) -> Comb:
    """The comb that correlates best with a profile of steps, of those whose lines lie at most half
    a pixel beside the first of one and a pixel beside its last.
    """
    excess = profile - profile.mean()
    strength = float(excess.std())
    if strength < _FAINT:
        return comb
    pitches = comb.pitch + np.arange(-_SHARP // 2, _SHARP // 2 + 1) * comb.pitch / (
        _SHARP * len(profile)
    )
    first = (comb.start - 0.5) % comb.pitch
    return _highest(excess / strength, pitches, _Starts(first, _SHARP + 1, _SHARP))


def _frequency(excess: Floats) -> float:
    """The frequency of 3 to 64 px whose multiples hold most of a profile's power."""
    size = len(excess)
    padded = 1 << math.ceil(math.log2(2 * _MULTIPLES * size))  # so that the last multiple is met
    spectrum = np.fft.rfft(excess, padded)
    power = spectrum.real**2 + spectrum.imag**2
    power -= power.mean()
    first, last = int(padded / min(MOST, size / 3)), int(padded * (1 / LEAST + 0.1 / size))
    held = np.zeros(last + 1 - first)
    for multiple in range(1, _MULTIPLES + 1):
        part = power[multiple * first : multiple * last + 1 : multiple]
        held[: len(part)] += part
    enough = held.max() - (1 - _NEARLY) * abs(held.max())
    return float(first + np.nonzero(held >= enough)[0][-1]) / padded


def slip(profile: Floats, comb: Comb) -> int | None:
    """Where the lines of a profile go on at another phase, as where two mosaics meet; None where
    one comb is nearly as good. What was taken for one, counted from the first pixel, may have half
    the pitch or not quite a whole one, so that it meets the lines of both.
    """
    excess = np.maximum(profile - profile.mean(), 0)
    one = float(excess[comb.lines(1, len(profile))].sum())
    most, place = 0.0, None
    for pitch, enough in _slipping(comb.pitch).items():
        before = _held(excess, pitch)
        both = before.max(0) + (before[:, -1:] - before).max(0)
        least = math.ceil(2 * pitch)
        inner = both[least : len(profile) - least]
        if len(inner) and inner.max() > max(most, enough * one, _SLIPPED * before[:, -1].max()):
            most = float(inner.max())  # as much is held from the last line before to the next one
            place = least + int(np.nonzero(inner > most - _EQUAL)[0][-1])
    return place


def _slipping(pitch: float) -> dict[float, float]:
    """Pitches that lines of two phases may have, and how much of what one comb holds they must."""
    tries = {pitch: _SLIPPED}
    for times, enough in ((1, 1.05), (2, 0.9)):  # more than half: every other line is of one phase
        whole = round(times * pitch)
        broken = abs(times * pitch - whole) >= _BARELY
        tries.setdefault(times * pitch if broken else whole, enough)
    return tries


def _held(excess: Floats, pitch: float) -> Floats:
    """What the combs of a pitch hold of a profile before each pixel, and before its end."""
    size, a_pixel = len(excess), 1 if float(pitch).is_integer() else 4
    starts = np.arange(math.ceil(pitch * a_pixel))
    steps = np.arange(size / pitch + 1) * pitch
    places = np.floor(starts[:, None] / a_pixel + steps + 0.5).astype(np.intp)
    comb, line = np.nonzero((places > 0) & (places < size))
    held = np.zeros((len(starts), size + 1), np.float32)
    held[comb, places[comb, line] + 1] = excess[places[comb, line]]
    return held.cumsum(1)


@dataclass(frozen=True)
class _Starts:
    """Where combs may start: at so many places from the first on, so many of them a pixel."""

    first: float
    count: int
    a_pixel: int


def _highest(excess: Floats, pitches: Floats, starts: _Starts) -> Comb:
    """The middle of the combs that correlate best with a profile of mean 0 and variance 1, where
    its first pixel counts for nothing: a mosaic's end may have a step or not.
    """
    size, most = len(excess), int(len(excess) / pitches.min()) + 2
    first = starts.first + 0.5  # rounded down, it is the nearest
    # With each pixel drawn out, the steps that combs of one pitch meet lie beside one another, and
    # a row of them is read at once: 3 to 50 times as fast as one by one
    drawn = np.zeros((1 + size + 1) * starts.a_pixel + starts.count, np.float32)
    drawn[2 * starts.a_pixel : (1 + size) * starts.a_pixel] = excess[1:].repeat(starts.a_pixel)
    rows: Floats = np.ndarray(
        (len(drawn) - starts.count + 1, starts.count), drawn.dtype, drawn, strides=(4, 4)
    )
    places = np.floor((first + 1 + pitches * np.arange(most)[:, None]) * starts.a_pixel)
    sums = rows[np.minimum(places, len(rows) - 1).astype(np.intp)].sum(0)
    at = first + np.arange(starts.count) / starts.a_pixel
    lines = _below(size, at, pitches) - _below(1, at, pitches)
    scores = sums / np.sqrt(np.maximum(lines * (size - lines), 1))
    pitch, start = np.nonzero(scores > scores.max() - 1e-4)
    # A start a cell further on misses no line either
    alike = start < start.min() + starts.a_pixel
    return Comb(
        float(pitches[pitch[alike]].mean()),
        float(at[start[alike]].mean() - 0.5),
        float(scores.max()),
    )


def _below(end: int, starts: Floats, pitches: Floats) -> Floats:
    """How many lines combs have below a pixel, (pitches, starts)."""
    return np.maximum(np.ceil((end - starts) / pitches[:, None]), 0)
