"""The sheet of samples that a validation of the default recipe writes."""

from collections.abc import Iterable

import numpy as np

from demosaic.evaluation.validation import restored_pictures
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.heat import heat_map
from demosaic.imaging.sheets import contact_sheet
from demosaic.models.compute import Compute
from demosaic.models.restorer import Restorer
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import pixelated

_BLOCKS = (16, 8, 24)

_DRAWS = 4
"""The spread is the standard deviation of so many; two are shown."""

_MOST_SPREAD = 48.0
"""Grey levels that have the brightest colour."""


def samples_sheet(
    restorer: Restorer, targets: Iterable[Pixels], side: int, compute: Compute
) -> Pixels:
    """Rows of [mosaic | mean | original], pictures of `side` px, with blocks of 16, 8 and 24 px.
    With a second stage they are [mosaic | mean | draw | another | spread of several | original].
    """
    rows = [
        _row(restorer, target, Grid.square(_BLOCKS[number % len(_BLOCKS)]), compute)
        for number, target in enumerate(targets)
    ]
    return contact_sheet(rows, 1 if restorer.sharp else 2, side)


def _row(restorer: Restorer, target: Pixels, grid: Grid, compute: Compute) -> Pixels:
    observed = pixelated(target, grid)
    mean = restored_pictures(restorer, [observed], grid, compute)
    if not restorer.sharp:
        return np.hstack([observed, *mean, target])
    draws = restored_pictures(restorer, [observed] * _DRAWS, grid, compute, 1.0, range(_DRAWS))
    spread = np.std(draws, axis=0, dtype=np.float32).mean(2)
    return np.hstack([observed, *mean, *draws[:2], heat_map(spread, _MOST_SPREAD), target])
