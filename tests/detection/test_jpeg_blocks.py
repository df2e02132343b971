"""Which pixels of a mosaic are calm, where JPEG's blocks have edges of their own."""

import numpy as np
import pytest

from demosaic.detection import jpeg_blocks
from demosaic.detection.lattice import Lines


@pytest.mark.parametrize(
    ("lines", "calm"),
    [
        (Lines(5.5, 0), [2, 3, 4, 8, 9]),
        (Lines(4.5, 0), [1, 2, 3, 4, 6, 7, 8, 10, 11]),
        (Lines(24, 8), [0, 16, 24]),
    ],
)
def test_calm_pixels_are_neither_on_lines_nor_beside_those_of_large_cells(
    lines: Lines, calm: list[int]
) -> None:
    """Where all lines are edges of JPEG's blocks, only the other edges are compared with them."""
    size = 12 if lines.period < 8 else 32
    assert np.nonzero(jpeg_blocks.calm_pixels(lines, 0, size))[0].tolist() == calm
