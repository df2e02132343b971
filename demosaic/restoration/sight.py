"""What one frame of a clip shows of a mosaicked face."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demosaic.detection.region import Region
from demosaic.imaging.arrays import Doubles, Floats, Pixels, to_grey
from demosaic.imaging.geometry import Box, crop
from demosaic.models.noise import Spectrum
from demosaic.mosaic.operators import cells, mosaic
from demosaic.mosaic.pixelate import cell_means, cell_shares
from demosaic.restoration.motion import Points

_ROUNDED = 0.4
"""Grey levels squared: how uncertain a cell's colour is in a clip without loss, from the rounding
of colours and from what registration leaves.
"""

_CODED = 4.0
"""Times the variance of grey levels within cells, which only coding leaves: how much more uncertain
the colours of a coded clip are. H.264 at crf 12 to 28 changes them by 0.5 to 0.9 levels (2026-11).
"""


@dataclass(frozen=True)
class Sight:
    """A mosaic in one frame: its cells, and what the network makes of them alone."""

    picture: Pixels
    """The frame, (H, W, 3)."""
    region: Region
    mean: Floats
    """(box.height, box.width, 3), grey levels: the mean of all faces that fit the cells."""
    places: Points
    """(n,): the centres of the whole cells, pixels from the corner of the frame."""
    colours: Doubles
    """(n, 3): their colours, grey levels."""
    noise: float
    """How uncertain these are, grey levels squared."""
    spectrum: Spectrum
    """Of the errors of `mean`."""

    @property
    def box(self) -> Box:
        """Where in the frame the mosaic is."""
        return self.region.box

    @property
    def cell(self) -> complex:
        """Width and height of a cell, pixels."""
        return complex(self.region.grid.width, self.region.grid.height)

    @property
    def centre(self) -> complex:
        """The centre of the mosaic."""
        box = self.box
        return complex(box.x + box.width / 2, box.y + box.height / 2)

    def covers(self, points: Points) -> NDArray[np.bool_]:
        """Which points of the frame are mosaic, (n,)."""
        x, y = np.rint(points.real) - self.box.x, np.rint(points.imag) - self.box.y
        inside = (x >= 0) & (y >= 0) & (x < self.box.width) & (y < self.box.height)
        hidden = self.region.hidden[
            np.clip(y, 0, self.box.height - 1).astype(int),
            np.clip(x, 0, self.box.width - 1).astype(int),
        ]
        return np.asarray(inside & hidden, np.bool_)


def sight(picture: Pixels, region: Region, mean: Floats, spectrum: Spectrum) -> Sight:
    """What a frame (H, W, 3) shows of a mosaic; for the other arguments see `Sight`."""
    grid, box = region.grid, region.box
    piece = crop(picture, box)
    rows, columns = grid.edges(box.height, box.width)
    whole = np.outer(np.diff(rows) > grid.height - 1, np.diff(columns) > grid.width - 1)
    whole &= cell_shares(region.hidden, grid) == 1
    down, across = (rows[:-1] + rows[1:] - 1) / 2, (columns[:-1] + columns[1:] - 1) / 2
    centres = box.x + across[None, :] + 1j * (box.y + down[:, None])
    means = cell_means(piece, grid)
    noise = _ROUNDED + _CODED * _roughness(piece, region)
    return Sight(picture, region, mean, centres[whole], means[:, whole].T, noise, spectrum)


def _roughness(piece: Pixels, region: Region) -> float:
    """The median over the cells of the variance of grey levels within one."""
    grey = to_grey(piece).astype(np.float32)
    variances = cells((grey - mosaic(grey, region.grid)) ** 2, region.grid)
    return float(np.median(variances[cell_shares(region.hidden, region.grid) == 1]))
