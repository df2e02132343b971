"""What training minimises: numbers computed by hand, and gradients that point the right way."""

import math
from collections.abc import Callable, Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from demosaic.training.losses import feature_distance, gradient_penalty, log_error, relativistic

FLOOR = 1e-5


def random(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def maps(seed: int, count: int = 2) -> list[Tensor]:
    """Scores for patches of several sizes, two pictures."""
    return [random(seed, 2, 1, 8 >> size, 8 >> size) for size in range(3)]


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


# What a critic is taught


def test_equal_scores_cost_the_logarithm_of_two() -> None:
    assert float(relativistic(maps(0), maps(0))) == pytest.approx(math.log(2), rel=1e-6)


def test_scores_far_above_cost_nothing_and_far_below_their_distance() -> None:
    above = [one + 50 for one in maps(0)]
    assert float(relativistic(above, maps(0))) == pytest.approx(0, abs=1e-6)
    assert float(relativistic(maps(0), above)) == pytest.approx(50, rel=1e-6)


def test_scores_are_compared_picture_by_picture_and_patch_by_patch() -> None:
    better = [torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5]])]
    worse = [torch.tensor([[0.0, 3.0]]), torch.tensor([[0.5]])]
    first = (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(5))) / 2
    expected = (first + math.log(2)) / 2
    assert float(relativistic(better, worse)) == pytest.approx(expected, rel=1e-6)


def test_lowering_the_cost_raises_the_better_and_lowers_the_worse() -> None:
    better, worse = ([one.requires_grad_() for one in maps(seed)] for seed in (1, 2))
    relativistic(better, worse).backward()  # type: ignore[no-untyped-call]
    assert all(one.grad is not None and (one.grad < 0).all() for one in better)
    assert all(one.grad is not None and (one.grad > 0).all() for one in worse)


def test_a_flat_critic_is_not_rough_and_a_linear_one_as_rough_as_it_is_steep() -> None:
    assert float(gradient_penalty(maps(0), maps(0), 0.05)) == 0
    image, noise = random(0, 4, 1, 64, 64), 0.05 * random(1, 4, 1, 64, 64)
    for slope in (0.5, 3.0):
        found = float(gradient_penalty([slope * image], [slope * (image + noise)], 0.05))
        assert found == pytest.approx(slope**2, rel=0.05)


def test_the_same_critic_is_as_rough_under_any_noise() -> None:
    image, noise = random(0, 4, 1, 64, 64), random(1, 4, 1, 64, 64)
    found = [
        float(gradient_penalty([image], [image + size * noise], size)) for size in (0.01, 0.05, 0.2)
    ]
    assert found == pytest.approx([found[0]] * 3, rel=1e-3)


def test_features_are_as_far_apart_as_their_mean_absolute_difference() -> None:
    first = [torch.zeros(1, 2, 2, 2), torch.zeros(1, 4)]
    second = [torch.full((1, 2, 2, 2), 3.0), torch.tensor([[1.0, -1.0, 0.0, 0.0]])]
    assert float(feature_distance(first, second)) == pytest.approx((3 + 0.5) / 2)
    assert float(feature_distance(second, first)) == pytest.approx((3 + 0.5) / 2)
    assert float(feature_distance(first, first)) == 0


LISTS: dict[str, Callable[[Sequence[Tensor], Sequence[Tensor]], Tensor]] = {
    "relativistic": relativistic,
    "gradient_penalty": lambda a, b: gradient_penalty(a, b, 0.1),
    "feature_distance": feature_distance,
}


@pytest.mark.parametrize("name", LISTS)
def test_every_map_weighs_the_same_whatever_its_size(name: str) -> None:
    first, second = maps(1), maps(2)
    alone = [float(LISTS[name]([a], [b])) for a, b in zip(first, second, strict=True)]
    assert float(LISTS[name](first, second)) == pytest.approx(sum(alone) / 3, rel=1e-5)


@pytest.mark.parametrize("name", LISTS)
def test_as_many_maps_are_needed_on_both_sides(name: str) -> None:
    with pytest.raises(ValueError, match="shorter"):
        LISTS[name](maps(1), maps(2)[:2])
