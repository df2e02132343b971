"""The 8-bit picture, whose cells keep their means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from demosaic.imaging.arrays import Floats
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.operators import cells, replicate
from demosaic.mosaic.quantise import quantise
from doubles import grids, normal


@st.composite
def outputs(draw: st.DrawFn) -> tuple[Floats, Floats, Grid]:
    """A float picture in grey levels, far out of range at times, and cells observed of another."""
    seed, height, width = (draw(st.integers(*ends)) for ends in ((0, 10_000), (1, 19), (1, 19)))
    grid = draw(grids())
    rng = np.random.default_rng(seed)
    spread = draw(st.sampled_from((0.3, 5.0, 60.0, 600.0)))
    shape = grid.shape(height, width)
    extremes = rng.choice((0, 1, 2, 127, 254, 255), size=(2, *shape))
    observed = np.where(rng.random((2, *shape)) < 0.5, extremes, rng.integers(0, 256, (2, *shape)))
    around = replicate(observed.astype(np.float32), grid, (height, width))
    restored = around + rng.normal(0, spread, around.shape)
    return restored.astype(np.float32), observed.astype(np.float32), grid


def exact_cells(picture: NDArray[np.uint8], grid: Grid) -> Floats:
    """Cell means of whole numbers, good to 1e-4 grey levels."""
    return cells(picture.astype(np.float32), grid)


@given(outputs())
def test_every_cell_of_a_quantised_picture_rounds_to_the_observed_colour(
    output: tuple[Floats, Floats, Grid],
) -> None:
    restored, observed, grid = output
    picture = quantise(restored, observed, grid)
    assert picture.dtype == np.uint8
    assert picture.shape == restored.shape
    assert np.abs(exact_cells(picture, grid) - observed).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("grid", [Grid.square(2, 1, 1), Grid(1, 2), Grid.square(3), Grid(5, 2)])
def test_every_cell_of_a_quantised_picture_has_exactly_the_sum_observed(grid: Grid) -> None:
    levels = np.array((5, 128, 250), np.float32)[:, None, None]  # two channels are often clipped
    target = np.clip(normal(0, 3, 64, 64) * 40 + levels, 0, 255)
    observed = np.rint(cells(target, grid))
    picture = quantise(target + normal(1, 3, 64, 64) * 20, observed, grid)
    wrong = np.abs(exact_cells(picture, grid) - observed) > 1e-3
    assert np.count_nonzero(wrong) == 0


def test_observed_means_between_two_levels_are_met_as_nearly_as_whole_numbers_can() -> None:
    grid = Grid.square(4)
    observed = np.random.default_rng(0).uniform(0, 255, (3, 8, 8)).astype(np.float32)
    picture = quantise(normal(1, 3, 32, 32) * 30 + 128, observed, grid)
    assert np.abs(exact_cells(picture, grid) - observed).max() <= 0.5 / 16 + 2e-3


def test_a_picture_that_agrees_already_is_only_rounded() -> None:
    grid = Grid.square(8, 3, 1)
    whole = np.random.default_rng(2).integers(0, 256, (3, 29, 22)).astype(np.float32)
    assert np.array_equal(quantise(whole, cells(whole, grid), grid), whole)
    inside = whole * 0.8 + 20.3
    near = quantise(inside, cells(inside, grid), grid)
    assert np.abs(near - inside).max() < 1


def test_pixels_half_way_between_two_levels_do_not_lose_their_sum() -> None:
    grid = Grid.square(8, 3, 1)
    halves = np.random.default_rng(2).integers(0, 255, (3, 29, 22)).astype(np.float32) + 0.5
    observed = np.rint(cells(halves, grid))
    picture = quantise(halves, observed, grid)
    assert np.abs(exact_cells(picture, grid) - observed).max() < 1e-4


def test_saturated_pixels_beside_a_half_keep_the_sum_of_their_cell() -> None:
    rng, grid = np.random.default_rng(821), Grid.square(12)
    observed = rng.integers(0, 256, (3, 5, 4)).astype(np.float32)
    restored = (rng.normal(0, rng.choice([20, 100, 300]), (3, 60, 48)) + 128).astype(np.float32)
    picture = quantise(np.clip(restored, 0, 255), observed, grid)
    assert np.abs(cells(picture.astype(np.float64), grid) - observed).max() < 1e-6


def test_a_quantised_picture_stays_as_near_as_the_cells_allow() -> None:
    grid = Grid.square(8)
    target = np.clip(normal(3, 3, 32, 32) * 60 + 128, 0, 255)
    restored = target + normal(4, 3, 32, 32) * 4
    picture = quantise(restored, np.rint(cells(target, grid)), grid)
    shift = np.abs(np.rint(cells(target, grid)) - cells(restored, grid)).max()
    clipped = np.abs(np.clip(restored, 0, 255) - restored).max()
    assert np.abs(picture - np.clip(restored, 0, 255)).max() < 1 + shift + clipped


@pytest.mark.parametrize("level", [0, 255])
def test_a_saturated_cell_comes_out_saturated(level: int) -> None:
    grid = Grid.square(4)
    restored = normal(8, 3, 8, 8) * 50 + 128
    observed = np.full((3, 2, 2), 100, np.float32)
    observed[:, 0, 1] = level
    picture = quantise(restored, observed, grid)
    assert np.array_equal(picture[:, :4, 4:], np.full((3, 4, 4), level))
    assert np.ptp(picture[:, 4:, :4].astype(int)) > 20  # the other cells keep their texture


def test_an_output_far_out_of_range_is_brought_back() -> None:
    grid = Grid.square(8)
    restored = normal(9, 3, 16, 16) * 5000
    observed = np.full((3, 2, 2), 77, np.float32)
    assert np.allclose(exact_cells(quantise(restored, observed, grid), grid), 77, atol=1e-3)
