"""The samples that a validation shows: pictures of some validation faces, and the sheet of them."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from demosaic.evaluation.validation import restored_pictures
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.heat import heat_map, spread_of
from demosaic.imaging.sheets import contact_sheet, headed
from demosaic.models.compute import Compute
from demosaic.models.restorer import Restorer
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import pixelated

_BLOCKS = (16, 8, 24)

DRAWS = 4
"""The spread is the standard deviation of so many; two are shown."""

_MOST_SPREAD = 48.0
"""Grey levels that have the brightest colour."""

_NARROW = 3  # pictures in a row; two such rows stand side by side


Row = Mapping[str, Pixels]
"""Pictures (H, W, 3) of one face, by name."""


def sample_rows(restorer: Restorer, targets: Iterable[Pixels], compute: Compute) -> list[Row]:
    """For each face its mosaic, the mean and the original, with blocks of 16, 8 and 24 px in turn;
    with a second stage also two draws and the spread of several.
    """
    return [
        _row(restorer, target, Grid.square(_BLOCKS[number % len(_BLOCKS)]), compute)
        for number, target in enumerate(targets)
    ]


def _row(restorer: Restorer, target: Pixels, grid: Grid, compute: Compute) -> Row:
    observed = pixelated(target, grid)
    (mean,) = restored_pictures(restorer, [observed], grid, compute)
    if not restorer.sharp:
        return {"mosaic": observed, "mean": mean, "original": target}
    draws = restored_pictures(restorer, [observed] * DRAWS, grid, compute, 1.0, range(DRAWS))
    spread = heat_map(spread_of(draws), _MOST_SPREAD)
    return {
        "mosaic": observed,
        "mean": mean,
        "a draw": draws[0],
        "another draw": draws[1],
        "spread of draws": spread,
        "original": target,
    }


def samples_sheet(rows: Sequence[Row], side: int) -> Pixels:
    """The rows as one picture below the names of their columns, pictures of `side` px."""
    names = [*rows[0]]
    columns = 2 if len(names) <= _NARROW else 1
    pictures = [np.hstack([*row.values()]) for row in rows]
    return headed(contact_sheet(pictures, columns, side), names * columns)
