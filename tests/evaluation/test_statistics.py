"""Means and shares, and how sure they are."""

import math

import numpy as np
import pytest

from demosaic.evaluation.events import Estimate
from demosaic.evaluation.statistics import binomial_tail, estimate, least_significant, share


def test_shares_have_wilsons_interval() -> None:
    found = share(7, 100)
    assert (found.mean, round(found.low, 4), round(found.high, 4)) == (0.07, 0.0343, 0.1375)
    nothing = share(0, 100)
    assert (nothing.mean, nothing.low, round(nothing.high, 4)) == (0, 0, 0.0370)


@pytest.mark.parametrize(("hits", "count"), [(0, 7), (3, 7), (40, 200), (200, 200)])
def test_wilsons_interval_is_that_of_the_formula(hits: int, count: int) -> None:
    z = 1.959964
    rate, spread = hits / count, z**2 / count
    half = z * math.sqrt(rate * (1 - rate) / count + spread / (4 * count))
    found = share(hits, count)
    assert found.low * (1 + spread) == pytest.approx(rate + spread / 2 - half, abs=1e-6)
    assert found.high * (1 + spread) == pytest.approx(rate + spread / 2 + half, abs=1e-6)


def test_a_tail_is_the_sum_of_the_probabilities_in_it() -> None:
    assert binomial_tail(0, 10, 0.3) == pytest.approx(1)
    assert binomial_tail(2, 2, 0.5) == pytest.approx(0.25)
    terms = [math.comb(200, hits) * 0.01**hits * 0.99 ** (200 - hits) for hits in range(9, 201)]
    assert binomial_tail(9, 200, 0.01) == pytest.approx(math.fsum(terms), rel=1e-10)


def test_the_least_significant_share_is_the_first_that_chance_hardly_brings() -> None:
    assert least_significant(10, 0.5, 0.02) == 0.9  # P(10) = .001, P(9 and more) = .011, then .055
    assert least_significant(3, 0.5, 0.01) == 1.0


def test_an_estimate_is_the_mean_with_two_standard_errors_round_it() -> None:
    values = np.random.default_rng(1).normal(20, 2, 400)
    found = estimate(values.tolist())
    assert found.mean == pytest.approx(values.mean(), abs=1e-4)
    assert found.high - found.mean == pytest.approx(1.96 * 2 / 20, rel=0.2)
    assert found.mean - found.low == pytest.approx(1.96 * 2 / 20, rel=0.2)
    assert estimate([3.0]) == Estimate(3.0, 3.0, 3.0)


def test_an_estimate_resamples_the_values_a_thousand_times() -> None:
    values = np.random.default_rng(2).normal(25, 3, 37)
    drawn = np.random.default_rng(0).integers(37, size=(1000, 37))
    low, high = np.percentile(values[drawn].mean(1), (2.5, 97.5))
    rounded = (round(float(number), 5) for number in (values.mean(), low, high))
    assert estimate(values.tolist()) == Estimate(*rounded)
