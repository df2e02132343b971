"""Flat rectangles of a lossless file are grouped into mosaics."""

import numpy as np
import pytest

from demosaic.detection.flat_cells import FlatCells, group_cells
from demosaic.detection.lossless import find_flat_mosaics


@pytest.mark.parametrize(("crowd", "groups"), [(200, 200), (201, 0)])
def test_more_mosaics_than_a_crowd_has_are_none(crowd: int, groups: int) -> None:
    """To compare each with each other would take minutes."""
    corner, row, column = np.mgrid[:crowd, :4, :4].reshape(3, -1).astype(np.int32)
    x, y = corner % 20 * 40 + column * 5, corner // 20 * 40 + row * 5
    side, number = np.full_like(x, 5), np.arange(len(x), dtype=np.int32)
    assert len(group_cells(FlatCells(x, y, side, side, number))) == groups


def test_flat_cells_of_two_widths_have_no_lattice() -> None:
    """Half of them are 4 px wide and half 12: the mean is no cell's width."""
    colours = np.random.default_rng(0).integers(0, 256, (6, 16, 3), dtype=np.uint8)
    shown = colours.repeat(8, axis=0).repeat([4, 12] * 8, axis=1)
    assert list(find_flat_mosaics(shown)) == []
