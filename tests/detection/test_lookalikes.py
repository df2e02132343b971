"""A pattern that repeats is no mosaic, but it must be long enough to repeat."""

import numpy as np

from demosaic.detection.lookalikes import is_pattern
from demosaic.mosaic.grid import Grid


def test_two_rows_of_cells_are_too_few_to_repeat() -> None:
    luma = np.random.default_rng(0).integers(0, 256, (2, 8), np.uint8).repeat(8, 0).repeat(8, 1)
    assert not is_pattern(luma, Grid(8, 8))
