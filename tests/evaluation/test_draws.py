"""Draws are judged by what is known of them: here, of drawn noise."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest

from demosaic.evaluation.draws import BLOCKS, FACES, REALISMS, judge_draws
from demosaic.events import Event, WorkDone, WorkStarted, ignore
from demosaic.imaging.arrays import Floats, Pixels, to_float
from demosaic.models.compute import Compute
from demosaic.models.model import TwoStageModel
from demosaic.mosaic.grid import Grid
from doubles import COMPUTE, OUR_CARD, our_model

TRUE = 12.0
"""Standard deviation of the faces around their mean, grey levels."""


@dataclass(frozen=True)
class Sampler(TwoStageModel):
    """Knows the mean of all faces, a ramp, and draws from around it."""

    deviation: float = TRUE

    @property
    def draws(self) -> bool:
        return True

    def draw_face(
        self,
        observed: Pixels,
        grid: Grid,
        seeds: Sequence[int],
        compute: Compute,
        *,
        realism: float = 1.0,
    ) -> Floats:
        return np.stack([to_float(face(seed, realism * self.deviation)) for seed in seeds])


def sampler(deviation: float = TRUE) -> Sampler:
    model = our_model()
    assert isinstance(model, TwoStageModel)
    return Sampler(model.generator, OUR_CARD, deviation)


def face(seed: int, deviation: float) -> Pixels:
    """A ramp with noise of its own."""
    ramp = np.linspace(80, 170, 96)[:, None, None] + np.zeros((96, 96, 3))
    noise = np.random.default_rng(seed).normal(0, deviation, ramp.shape)
    return np.rint(ramp + noise).clip(0, 255).astype(np.uint8)


def scores_of(deviation: float) -> dict[int, tuple[float, float, float, float]]:
    """By cell size: spread, coverage, dB of a draw under the mean, and detail of a draw."""
    model = sampler(deviation)
    targets = [face(seed, TRUE) for seed in range(1000, 1004)]
    with ThreadPoolExecutor(2) as pool:
        found = judge_draws({"one": model}, targets, COMPUTE, pool, ignore)
    assert [one.block for one in found] == [*BLOCKS]
    assert all(one.faces == 4 and one.method == "one" for one in found)
    return {
        one.block: (
            one.spread,
            one.covered,
            one.realisms[0].psnr - one.realisms[-1].psnr,
            one.realisms[-1].detail[0],
        )
        for one in found
    }


def test_draws_from_the_truth_are_calibrated_three_db_down_and_as_sharp() -> None:
    for spread, covered, cost, detail in scores_of(TRUE).values():
        assert spread == pytest.approx(1, abs=0.03)
        assert covered == pytest.approx(0.8, abs=0.03)  # levels are whole: equal ones count
        assert cost == pytest.approx(3.01, abs=0.15)
        assert detail == pytest.approx(1, abs=0.03)


def test_draws_that_are_too_alike_are_found_too_sure() -> None:
    for spread, covered, cost, detail in scores_of(TRUE / 2).values():
        assert spread == pytest.approx(0.5, abs=0.03)
        assert covered < 0.6
        assert cost == pytest.approx(0.97, abs=0.15)
        assert detail == pytest.approx(0.5, abs=0.03)


def test_the_mean_of_draws_comes_near_the_mean() -> None:
    with ThreadPoolExecutor(1) as pool:
        (found, *_) = judge_draws({"one": sampler()}, [face(9, TRUE)], COMPUTE, pool, ignore)
    assert [at.realism for at in found.realisms] == [*REALISMS]
    below = found.realisms[0].psnr - found.mean_psnr
    assert below == pytest.approx(10 * np.log10(10 / 9), abs=0.05)


def test_progress_counts_each_face_and_a_model_that_does_not_draw_is_left_out() -> None:
    models = {"one": sampler(), "two": our_model()}
    heard: list[Event] = []
    with ThreadPoolExecutor(2) as pool:
        found = judge_draws(models, [face(1, TRUE)] * (FACES + 3), COMPUTE, pool, heard.append)
    assert {one.method for one in found} == {"one"}
    assert {one.faces for one in found} == {FACES}
    assert heard[0] == WorkStarted("draws", FACES * len(BLOCKS))
    assert heard[1:] == [WorkDone(1)] * (FACES * len(BLOCKS))
