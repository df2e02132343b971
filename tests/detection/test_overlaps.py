"""Mosaics that lie on one another through JPEG: each is found to its end.

The pictures have no plain areas; over these the cells of a mosaic cannot be seen.
"""

import numpy as np
import pytest

from demosaic.detection.detector import find_mosaics
from demosaic.detection.region import Region
from demosaic.imaging.arrays import Mask, Pixels
from demosaic.imaging.encoding import jpeg_damaged
from demosaic.imaging.geometry import Box, crop
from doubles import cloudy_picture


def pixelated(image: Pixels, box: Box, cell: int) -> Pixels:
    """The picture with the mean colour in each cell of a box."""
    shown = image.copy()
    for y in range(box.y, box.y + box.height, cell):
        for x in range(box.x, box.x + box.width, cell):
            piece = crop(shown, Box(x, y, cell, cell))
            piece[:] = np.rint(piece.mean((0, 1)))
    return shown


def shared(region: Region, mask: Mask) -> float:
    """The intersection of what is found and what is true, over their union."""
    found = np.zeros_like(mask)
    crop(found, region.box)[:] = region.hidden
    return float((found & mask).sum() / (found | mask).sum())


@pytest.mark.parametrize("quality", [90, 75])
@pytest.mark.parametrize("seed", range(5))
def test_what_is_seen_of_a_mosaic_past_the_corner_of_another_is_part_of_it(
    seed: int, quality: int
) -> None:
    """Columns that its upper rows alone show were left out."""
    under, top = Box(100, 60, 96, 96), Box(165, 110, 90, 90)
    picture = cloudy_picture(seed, 360, 300)
    shown = pixelated(pixelated(picture, under, 12), top, 10)
    found = {region.grid.width: region for region in find_mosaics(jpeg_damaged(shown, quality))}
    above, below = (np.zeros(picture.shape[:2], bool) for _ in range(2))
    crop(above, top)[:] = True
    crop(below, under)[:] = True
    assert set(found) == {10, 12}
    assert shared(found[10], above) > 0.95
    assert shared(found[12], below & ~above) > 0.9
