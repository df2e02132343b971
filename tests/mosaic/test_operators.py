"""The mosaic's arithmetic, against plain loops and against the theorems it claims."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from demosaic.imaging.arrays import Floats
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.operators import base, cells, mosaic, reconcile, replicate
from doubles import grids, normal

SMALL = 2e-5  # float32 sums of a few hundred values of the order of one


@st.composite
def images(draw: st.DrawFn) -> Floats:
    """Two channels of noise, of any odd or even size."""
    height, width = draw(st.integers(1, 23)), draw(st.integers(1, 23))
    return normal(draw(st.integers(0, 10_000)), 2, height, width)


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
    image = normal(0, 2, height, width)
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
    observed = normal(seed, 2, *grid.shape(*image.shape[1:]))
    agreeing = reconcile(image, observed, grid)
    assert np.allclose(cells(agreeing, grid), observed, rtol=0, atol=SMALL)
    assert np.allclose(reconcile(agreeing, observed, grid), agreeing, rtol=0, atol=2 * SMALL)


@given(images(), grids(), st.integers(0, 10_000))
def test_reconcile_never_raises_the_squared_error_against_a_picture_with_these_cells(
    target: Floats, grid: Grid, seed: int
) -> None:
    restored = target + normal(seed, *target.shape)
    agreeing = reconcile(restored, cells(target, grid), grid)
    before, after = np.square(restored - target).sum(), np.square(agreeing - target).sum()
    assert after <= before * (1 + 1e-5) + SMALL


@given(images(), grids(), st.integers(0, 10_000))
def test_no_picture_with_these_cells_is_nearer_than_the_reconciled_one(
    restored: Floats, grid: Grid, seed: int
) -> None:
    other = normal(seed, *restored.shape)
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
    image = normal(5, 2, 3, *shape)
    expected, given_back = with_numpy(image), with_torch(torch.from_numpy(image))
    assert isinstance(expected, np.ndarray)
    assert expected.dtype == np.float32
    assert given_back.dtype == torch.float32
    assert np.allclose(given_back.numpy(), expected, rtol=0, atol=SMALL)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_flow_through_every_function(name: str) -> None:
    _, with_torch = FUNCTIONS[name]
    shape = GRID.shape(15, 11) if name in ("replicate", "base") else (15, 11)
    image = torch.from_numpy(normal(6, 1, *shape)).double().requires_grad_()
    assert torch.autograd.gradcheck(with_torch, (image,))


def test_bf16_pictures_stay_bf16() -> None:
    image = torch.from_numpy(normal(7, 1, 16, 16)).bfloat16()
    assert mosaic(image, Grid.square(4)).dtype == torch.bfloat16
