"""What training minimises: numbers computed by hand, and gradients that point the right way."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from demosaic.training.losses import log_error, path_error

FLOOR = 1e-5


def random(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# The logarithmic error


def test_the_error_is_the_mean_logarithm_of_each_picture_s_own() -> None:
    target = torch.zeros(2, 3, 4, 4)
    restored = torch.stack([torch.full((3, 4, 4), 0.1), torch.full((3, 4, 4), 0.5)])
    expected = (math.log(0.01 + FLOOR) + math.log(0.25 + FLOOR)) / 2
    found = float(log_error(restored, target, torch.ones(2, 1, 4, 4)))
    assert found == pytest.approx(expected, rel=1e-5)


def test_only_what_is_hidden_counts_and_only_its_pixels_are_averaged_over() -> None:
    target, restored = torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), 9.0)
    hidden = torch.zeros(1, 1, 4, 4)
    hidden[0, 0, 1, :3] = 1
    restored[0, :, 1, :3] = torch.tensor([0.3, 0.0, 0.0])
    expected = math.log(0.09 / 3 + FLOOR)
    assert float(log_error(restored, target, hidden)) == pytest.approx(expected, rel=1e-5)


def test_a_perfect_picture_and_one_with_nothing_hidden_have_the_lowest_error() -> None:
    target = random(0, 1, 3, 4, 4)
    lowest = pytest.approx(math.log(FLOOR), rel=1e-5)
    assert float(log_error(target, target, torch.ones(1, 1, 4, 4))) == lowest
    assert float(log_error(target + 1, target, torch.zeros(1, 1, 4, 4))) == lowest


def test_an_error_ten_times_as_large_costs_the_same_wherever_it_began() -> None:
    hidden, target = torch.ones(1, 1, 8, 8), torch.zeros(1, 3, 8, 8)
    costs = [
        float(log_error(random(0, 1, 3, 8, 8) * size, target, hidden)) for size in (0.1, 1, 10)
    ]
    steps = [costs[1] - costs[0], costs[2] - costs[1]]
    assert steps == pytest.approx([math.log(100)] * 2, rel=1e-2)


@given(st.integers(0, 10_000), st.integers(1, 4), st.floats(0.01, 1))
def test_the_error_of_a_batch_is_the_mean_of_those_of_its_pictures(
    seed: int, count: int, share: float
) -> None:
    restored, target = random(seed, count, 3, 5, 6), random(seed + 1, count, 3, 5, 6)
    hidden = (
        torch.rand(count, 1, 5, 6, generator=torch.Generator().manual_seed(seed)) < share
    ).float()
    together = float(log_error(restored, target, hidden))
    alone = [float(log_error(restored[[n]], target[[n]], hidden[[n]])) for n in range(count)]
    assert together == pytest.approx(sum(alone) / count, rel=1e-4, abs=1e-5)


def test_the_error_teaches_nothing_about_what_is_visible() -> None:
    restored = random(0, 1, 3, 4, 4).requires_grad_()
    hidden = torch.zeros(1, 1, 4, 4)
    hidden[0, 0, :2] = 1
    log_error(restored, random(1, 1, 3, 4, 4), hidden).backward()  # type: ignore[no-untyped-call]
    assert restored.grad is not None
    assert restored.grad[:, :, :2].all() and not restored.grad[:, :, 2:].any()


# The error along a flow's path


def test_the_error_of_a_path_is_a_share_of_the_mean_s_and_weighs_more_near_the_end() -> None:
    target, mean = torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 0.2)
    predicted = torch.stack([torch.full((3, 4, 4), 0.1), torch.full((3, 4, 4), 0.2)])
    time = torch.tensor([0.0, 0.9])
    shares = 0.01 / (0.04 + FLOOR), 0.04 / (0.04 + FLOOR)
    expected = (shares[0] / 1.02 + shares[1] / (0.01 + 0.02)) / 2
    found = float(path_error(predicted, target, mean, torch.ones(2, 1, 4, 4), time))
    assert found == pytest.approx(expected, rel=1e-5)


def test_the_error_of_a_path_counts_what_is_hidden_only() -> None:
    target, mean = torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), 0.2)
    predicted, hidden = torch.full((1, 3, 4, 4), 9.0), torch.zeros(1, 1, 4, 4)
    hidden[..., :2] = 1
    predicted[..., :2] = 0.1
    found = float(path_error(predicted, target, mean, hidden, torch.zeros(1)))
    assert found == pytest.approx(0.01 / (0.04 + FLOOR) / 1.02, rel=1e-5)
