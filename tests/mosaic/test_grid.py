"""Grids of cells."""

import pytest

from demosaic.mosaic.grid import Grid


def test_a_grid_is_the_same_wherever_a_whole_number_of_cells_away() -> None:
    assert Grid(4, 6, 9, -2) == Grid(4, 6, 1, 4)


@pytest.mark.parametrize(("width", "height"), [(0, 4), (4, 0), (-1, 4)])
def test_a_cell_has_at_least_one_pixel(width: int, height: int) -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        Grid(width, height)
