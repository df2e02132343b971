"""Means and shares with the interval they lie in."""

import math
from collections.abc import Sequence

import numpy as np

from demosaic.evaluation.events import Estimate

_Z = 1.96  # standard deviations to either side hold 95 of 100


def share(hits: int, count: int) -> Estimate:
    """`hits` of `count`, with the interval that holds the true share in 95 of 100 cases (Wilson
    1927), which has a width even where nothing was hit.
    """
    rate, spread = hits / count, _Z**2 / count
    middle = (rate + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(rate * (1 - rate) / count + spread / (4 * count)) / (1 + spread)
    return Estimate(rate, max(0.0, middle - half), min(1.0, middle + half))


def binomial_tail(hits: int, count: int, chance: float) -> float:
    """How probable `hits` and more of `count` are by `chance` alone."""
    return math.fsum(
        math.comb(count, k) * chance**k * (1 - chance) ** (count - k)
        for k in range(hits, count + 1)
    )


def least_told(count: int, chance: float, limit: float) -> float:
    """The smallest share of `count` that chance brings with less than the probability `limit`; 1
    when even all of them are no more than that.
    """
    telling = (hits for hits in range(count) if binomial_tail(hits, count, chance) < limit)
    return next(telling, count) / count


_RESAMPLES = 1000


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of faces' values, and the 2.5th and 97.5th percentile of the means of as many faces
    drawn from them with replacement (Efron's bootstrap); the same for the same values.
    """
    known = np.asarray(values, np.float64)
    drawn = np.random.default_rng(0).integers(len(known), size=(_RESAMPLES, len(known)))
    low, high = np.percentile(known[drawn].mean(1), (2.5, 97.5))
    return Estimate(*(round(float(value), 5) for value in (known.mean(), low, high)))
