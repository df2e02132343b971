"""Cells padded for a network, and pictures of whole cells cropped to a grid."""

import numpy as np

from demosaic.mosaic.grid import Grid
from demosaic.mosaic.operators import replicate
from demosaic.mosaic.resampling import cropped_to_grid, padded_cells
from doubles import normal


def test_cells_are_padded_on_all_sides_with_the_outermost_ones() -> None:
    cells = normal(0, 3, 5, 6)
    padded, top, left = padded_cells(cells, 4)
    assert padded.shape == (3, 8, 8)
    assert (top, left) == (1, 1)
    assert np.array_equal(padded[:, 1:6, 1:7], cells)
    assert np.array_equal(padded, np.pad(cells, ((0, 0), (1, 2), (1, 1)), mode="edge"))


def test_a_multiple_of_cells_is_not_padded() -> None:
    cells = normal(0, 3, 4, 8)
    padded, top, left = padded_cells(cells, 4)
    assert np.array_equal(padded, cells)
    assert (top, left) == (0, 0)


def test_a_canvas_of_whole_cells_is_cropped_to_what_its_grid_shows() -> None:
    grid = Grid.square(4, 3, 1)
    cells = normal(0, 3, *grid.shape(10, 13))
    canvas = replicate(cells, Grid.square(4), (16, 16))
    assert np.array_equal(cropped_to_grid(canvas, grid, 13, 10), replicate(cells, grid, (10, 13)))


def test_a_smaller_canvas_is_enlarged_to_its_grid() -> None:
    canvas = np.full((3, 6, 8), 0.5, np.float32)
    shown = cropped_to_grid(canvas, Grid.square(4, 3, 1), 13, 10)
    assert shown.shape == (3, 10, 13)
    assert np.allclose(shown, 0.5)
