"""The mosaic's arithmetic, against plain loops and against the theorems it claims."""

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from demosaic.config.rules import Sampler
from demosaic.imaging.arrays import Floats, Pixels
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.operators import base, cells, mosaic, reconcile, replicate
from demosaic.mosaic.pixelate import cell_colours, sample
from demosaic.mosaic.quantise import quantise

SMALL = 2e-5  # float32 sums of a few hundred values of the order of one


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Cells of any shape, up to larger than any image here, anywhere."""
    side, offset = st.integers(1, 30), st.integers(-40, 40)
    return Grid(draw(side), draw(side), draw(offset), draw(offset))


@st.composite
def images(draw: st.DrawFn) -> Floats:
    """Two channels of noise, of any odd or even size."""
    height, width = draw(st.integers(1, 23)), draw(st.integers(1, 23))
    return noise(draw(st.integers(0, 10_000)), 2, height, width)


def noise(seed: int, *shape: int) -> Floats:
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def looped_mosaic(image: Floats, grid: Grid) -> NDArray[np.float64]:
    """The definition: pixels whose distances from the grid's corner fall into one cell."""
    channels, height, width = image.shape
    result = np.empty(image.shape)
    row = [(y - grid.top) // grid.height for y in range(height)]
    column = [(x - grid.left) // grid.width for x in range(width)]
    for channel in range(channels):
        for y in range(height):
            for x in range(width):
                members = [
                    float(image[channel, v, u])
                    for v in range(height)
                    for u in range(width)
                    if row[v] == row[y] and column[u] == column[x]
                ]
                result[channel, y, x] = sum(members) / len(members)
    return result


@pytest.mark.parametrize(
    ("height", "width", "grid"),
    [
        (12, 12, Grid.square(4)),
        (13, 11, Grid.square(4)),
        (13, 11, Grid.square(4, 1, 3)),
        (7, 10, Grid(3, 5, 2, 4)),
        (6, 9, Grid.square(40)),
        (6, 9, Grid.square(40, 3, 5)),
        (6, 9, Grid.square(40, 30, 30)),
        (5, 6, Grid.square(1)),
        (1, 9, Grid(2, 7, 1, 0)),
        (8, 8, Grid(3, 3, -1, -4)),
    ],
)
def test_a_mosaic_agrees_with_a_plain_double_loop(height: int, width: int, grid: Grid) -> None:
    image = noise(0, 2, height, width)
    assert np.allclose(mosaic(image, grid), looped_mosaic(image, grid), rtol=0, atol=SMALL)


@given(images(), grids())
def test_cells_replicated_are_the_mosaic_and_the_grid_knows_their_number(
    image: Floats, grid: Grid
) -> None:
    height, width = image.shape[1:]
    colours = cells(image, grid)
    assert colours.shape == (2, *grid.shape(height, width))
    assert np.array_equal(replicate(colours, grid, (height, width)), mosaic(image, grid))


@given(images(), grids())
def test_a_mosaic_of_a_mosaic_is_the_same_mosaic(image: Floats, grid: Grid) -> None:
    once = mosaic(image, grid)
    assert np.allclose(mosaic(once, grid), once, rtol=0, atol=SMALL)


@given(images(), grids())
def test_a_mosaic_keeps_the_mean_colour(image: Floats, grid: Grid) -> None:
    kept = mosaic(image, grid).mean(axis=(1, 2), dtype=np.float64)
    assert np.allclose(kept, image.mean(axis=(1, 2), dtype=np.float64), rtol=0, atol=SMALL)


@given(images(), grids())
def test_the_base_has_exactly_the_cell_means_it_was_given(image: Floats, grid: Grid) -> None:
    height, width = image.shape[1:]
    observed = cells(image, grid)
    smooth = base(observed, grid, (height, width))
    assert smooth.shape == image.shape
    assert np.allclose(cells(smooth, grid), observed, rtol=0, atol=5 * SMALL)


@given(st.floats(-1, 1, width=32), st.integers(1, 23), st.integers(1, 23), grids())
def test_the_base_of_one_colour_is_that_colour(
    colour: float, height: int, width: int, grid: Grid
) -> None:
    observed = np.full((1, *grid.shape(height, width)), colour, np.float32)
    assert np.allclose(base(observed, grid, (height, width)), colour, rtol=0, atol=SMALL)


def test_the_base_is_nearer_to_a_smooth_picture_than_the_mosaic() -> None:
    y, x = np.mgrid[:64, :64]
    image = np.sin(x / 9 + y / 13)[None].astype(np.float32)
    grid = Grid.square(8, 3, 5)
    smooth = base(cells(image, grid), grid, (64, 64))
    assert np.square(smooth - image).mean() < 0.1 * np.square(mosaic(image, grid) - image).mean()


@given(images(), grids(), st.integers(0, 10_000))
def test_reconcile_gives_exactly_the_observed_means(image: Floats, grid: Grid, seed: int) -> None:
    observed = noise(seed, 2, *grid.shape(*image.shape[1:]))
    agreeing = reconcile(image, observed, grid)
    assert np.allclose(cells(agreeing, grid), observed, rtol=0, atol=SMALL)
    assert np.allclose(reconcile(agreeing, observed, grid), agreeing, rtol=0, atol=2 * SMALL)


@given(images(), grids(), st.integers(0, 10_000))
def test_reconcile_never_raises_the_squared_error_against_a_picture_with_these_cells(
    target: Floats, grid: Grid, seed: int
) -> None:
    restored = target + noise(seed, *target.shape)
    agreeing = reconcile(restored, cells(target, grid), grid)
    before, after = np.square(restored - target).sum(), np.square(agreeing - target).sum()
    assert after <= before * (1 + 1e-5) + SMALL


@given(images(), grids(), st.integers(0, 10_000))
def test_no_picture_with_these_cells_is_nearer_than_the_reconciled_one(
    restored: Floats, grid: Grid, seed: int
) -> None:
    other = noise(seed, *restored.shape)
    agreeing = reconcile(restored, cells(other, grid), grid)
    distance = np.square(agreeing - restored).sum()
    assert distance <= np.square(other - restored).sum() * (1 + 1e-5) + SMALL
    # Pythagoras: the way to the projection is at a right angle to the set projected onto
    way, along = agreeing - restored, other - agreeing
    assert abs(float((way * along).sum())) <= 1e-3 * (1 + float(np.square(restored - other).sum()))


GRID = Grid(3, 4, 2, 1)

FUNCTIONS: dict[str, tuple[Callable[[Floats], Floats], Callable[[torch.Tensor], torch.Tensor]]] = {
    "cells": (lambda x: cells(x, GRID), lambda x: cells(x, GRID)),
    "mosaic": (lambda x: mosaic(x, GRID), lambda x: mosaic(x, GRID)),
    "replicate": (lambda x: replicate(x, GRID, (15, 11)), lambda x: replicate(x, GRID, (15, 11))),
    "base": (lambda x: base(x, GRID, (15, 11)), lambda x: base(x, GRID, (15, 11))),
    "reconcile": (
        lambda x: reconcile(x, cells(x * x, GRID), GRID),
        lambda x: reconcile(x, cells(x * x, GRID), GRID),
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_numpy_and_torch_give_the_same(name: str) -> None:
    with_numpy, with_torch = FUNCTIONS[name]
    shape = GRID.shape(15, 11) if name in ("replicate", "base") else (15, 11)
    image = noise(5, 2, 3, *shape)
    expected, given_back = with_numpy(image), with_torch(torch.from_numpy(image))
    assert isinstance(expected, np.ndarray)
    assert expected.dtype == np.float32
    assert given_back.dtype == torch.float32
    assert np.allclose(given_back.numpy(), expected, rtol=0, atol=SMALL)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_flow_through_every_function(name: str) -> None:
    _, with_torch = FUNCTIONS[name]
    shape = GRID.shape(15, 11) if name in ("replicate", "base") else (15, 11)
    image = torch.from_numpy(noise(6, 1, *shape)).double().requires_grad_()
    assert torch.autograd.gradcheck(with_torch, (image,))


def test_bf16_pictures_stay_bf16() -> None:
    image = torch.from_numpy(noise(7, 1, 16, 16)).bfloat16()
    assert mosaic(image, Grid.square(4)).dtype == torch.bfloat16


def test_a_grid_is_the_same_wherever_a_whole_number_of_cells_away() -> None:
    assert Grid(4, 6, 9, -2) == Grid(4, 6, 1, 4)


@pytest.mark.parametrize(("width", "height"), [(0, 4), (4, 0), (-1, 4)])
def test_a_cell_has_at_least_one_pixel(width: int, height: int) -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        Grid(width, height)


# The 8-bit picture


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
    target = np.clip(noise(0, 3, 64, 64) * 40 + levels, 0, 255)
    observed = np.rint(cells(target, grid))
    picture = quantise(target + noise(1, 3, 64, 64) * 20, observed, grid)
    wrong = np.abs(exact_cells(picture, grid) - observed) > 1e-3
    assert np.count_nonzero(wrong) == 0


def test_observed_means_between_two_levels_are_met_as_nearly_as_whole_numbers_can() -> None:
    grid = Grid.square(4)
    observed = np.random.default_rng(0).uniform(0, 255, (3, 8, 8)).astype(np.float32)
    picture = quantise(noise(1, 3, 32, 32) * 30 + 128, observed, grid)
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


def test_a_quantised_picture_stays_as_near_as_the_cells_allow() -> None:
    grid = Grid.square(8)
    target = np.clip(noise(3, 3, 32, 32) * 60 + 128, 0, 255)
    restored = target + noise(4, 3, 32, 32) * 4
    picture = quantise(restored, np.rint(cells(target, grid)), grid)
    shift = np.abs(np.rint(cells(target, grid)) - cells(restored, grid)).max()
    clipped = np.abs(np.clip(restored, 0, 255) - restored).max()
    assert np.abs(picture - np.clip(restored, 0, 255)).max() < 1 + shift + clipped


@pytest.mark.parametrize("level", [0, 255])
def test_a_saturated_cell_comes_out_saturated(level: int) -> None:
    grid = Grid.square(4)
    restored = noise(8, 3, 8, 8) * 50 + 128
    observed = np.full((3, 2, 2), 100, np.float32)
    observed[:, 0, 1] = level
    picture = quantise(restored, observed, grid)
    assert np.array_equal(picture[:, :4, 4:], np.full((3, 4, 4), level))
    assert np.ptp(picture[:, 4:, :4].astype(int)) > 20  # the other cells keep their texture


def test_an_output_far_out_of_range_is_brought_back() -> None:
    grid = Grid.square(8)
    restored = noise(9, 3, 16, 16) * 5000
    observed = np.full((3, 2, 2), 77, np.float32)
    assert np.allclose(exact_cells(quantise(restored, observed, grid), grid), 77, atol=1e-3)


def test_a_cell_has_the_colour_of_its_hidden_pixels_or_of_all_where_none_is() -> None:
    picture = np.zeros((2, 4, 3), np.uint8)
    picture[0, 0], picture[1, 1], picture[:, 2:] = 90, 30, 12
    hidden = np.zeros((2, 4), bool)
    hidden[0, 0] = hidden[1, 1] = True
    assert cell_colours(picture, Grid.square(2), hidden)[:, 0].tolist() == [[60, 12]] * 3
    assert cell_colours(picture, Grid.square(2))[:, 0].tolist() == [[30, 12]] * 3


# What programs take of a cell


def pixels(side: int) -> Pixels:
    """A picture of noise."""
    return np.random.default_rng(side).integers(0, 256, (side, side, 3)).astype(np.uint8)


def in_cells(image: Pixels, grid: Grid) -> list[list[Pixels]]:
    """The cells of a picture, cut out one by one."""
    rows, columns = grid.edges(*image.shape[:2])
    return [
        [image[top:bottom, left:right] for left, right in pairwise(columns)]
        for top, bottom in pairwise(rows)
    ]


PICKS: dict[Sampler, Callable[[Pixels], NDArray[np.uint8]]] = {
    "centre": lambda cell: cell[cell.shape[0] // 2, cell.shape[1] // 2],
    "top-left": lambda cell: cell[0, 0],
}


@pytest.mark.parametrize("grid", [Grid.square(4), Grid(7, 5), Grid(7, 5, 3, 2), Grid.square(40)])
@pytest.mark.parametrize("sampler", PICKS)
def test_a_pixel_of_each_cell_is_taken_as_the_sampler_says(sampler: Sampler, grid: Grid) -> None:
    image = pixels(33)
    found = sample(image, grid, sampler)
    expected = [[PICKS[sampler](cell) for cell in row] for row in in_cells(image, grid)]
    assert found.dtype == np.float32
    assert np.array_equal(found.transpose(1, 2, 0), np.array(expected))


def test_the_mean_of_each_cell_is_taken_rounded() -> None:
    image, grid = pixels(33), Grid(7, 5, 3, 2)
    expected = [[np.rint(cell.mean((0, 1))) for cell in row] for row in in_cells(image, grid)]
    assert np.array_equal(sample(image, grid, "mean").transpose(1, 2, 0), np.array(expected))


def test_linear_interpolation_takes_the_middle_of_each_cell() -> None:
    """Of cells with even sides, the mean of their four innermost pixels, as cv2 has it."""
    image = pixels(32)
    found = sample(image, Grid.square(8), "linear").transpose(1, 2, 0)
    inner = [
        [cell[3:5, 3:5].astype(float).mean((0, 1)) for cell in row]
        for row in in_cells(image, Grid.square(8))
    ]
    assert np.abs(found - np.array(inner)).max() <= 0.75
    assert np.array_equal(found, cv2.resize(image, (4, 4)))


@pytest.mark.parametrize("sampler", ["mean", "centre", "top-left", "linear"])
@pytest.mark.parametrize("grid", [Grid.square(4), Grid(7.3, 5, 3, 2), Grid.square(50)])
def test_every_sampler_gives_a_colour_for_each_cell(sampler: Sampler, grid: Grid) -> None:
    found = sample(pixels(40), grid, sampler)
    assert found.shape == (3, *grid.shape(40, 40))
    assert (found.min() >= 0) and (found.max() <= 255)
    assert np.array_equal(found, np.rint(found))
