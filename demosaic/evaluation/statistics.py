"""Means and shares with their confidence intervals. Only here is scipy.stats known."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from demosaic.evaluation.events import Estimate

_CONFIDENCE = 0.95

_RESAMPLES = 1000


def share(hits: int, count: int) -> Estimate:
    """`hits` of `count` as a share, 0 to 1, with its 95 % interval (Wilson 1927), which has a width
    even where nothing was hit.
    """
    interval = stats.binomtest(hits, count).proportion_ci(_CONFIDENCE, method="wilson")
    return Estimate(hits / count, float(interval.low), float(interval.high))


def binomial_tail(hits: int, count: int, chance: float) -> float:
    """The probability of `hits` or more of `count`, each with the probability `chance`."""
    return float(stats.binom.sf(hits - 1, count, chance))


def least_significant(count: int, chance: float, limit: float) -> float:
    """The smallest share of `count` that comes by chance with less than the probability `limit`; 1
    when no smaller share does.
    """
    tails = stats.binom.sf(np.arange(count) - 1, count, chance)
    rare = np.flatnonzero(tails < limit)
    return int(rare[0]) / count if rare.size else 1.0


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of the values with its 95 % interval (Efron's percentile bootstrap); the same for
    the same values. A single value has an interval of no width.
    """
    known = np.asarray(values, np.float64)
    mean = low = high = float(known.mean())
    if known.size > 1:
        resampled = stats.bootstrap(
            (known,),
            np.mean,
            n_resamples=_RESAMPLES,
            confidence_level=_CONFIDENCE,
            method="percentile",
            rng=np.random.default_rng(0),
        )
        low, high = resampled.confidence_interval
    return Estimate(*(round(float(value), 5) for value in (mean, low, high)))
