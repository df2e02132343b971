"""The colours that programs give to cells."""

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from demosaic.config.rules import Sampler
from demosaic.imaging.arrays import Pixels
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours, sample


def test_a_cell_has_the_colour_of_its_hidden_pixels_or_of_all_where_none_is() -> None:
    picture = np.zeros((2, 4, 3), np.uint8)
    picture[0, 0], picture[1, 1], picture[:, 2:] = 90, 30, 12
    hidden = np.zeros((2, 4), bool)
    hidden[0, 0] = hidden[1, 1] = True
    assert cell_colours(picture, Grid.square(2), hidden)[:, 0].tolist() == [[60, 12]] * 3
    assert cell_colours(picture, Grid.square(2))[:, 0].tolist() == [[30, 12]] * 3


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
