"""Mosaics given by hand: where, of which cells, and what is said when they are not there."""

import numpy as np
import pytest

from demosaic.config.restoration import RestoreConfig
from demosaic.errors import NOTHING_TO_DO, PROBLEM, DemosaicError
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.encoding import jpeg_damaged
from demosaic.imaging.geometry import Box, crop
from demosaic.mosaic.grid import Grid
from demosaic.restoration.targets import regions_in
from doubles import cloudy_picture, mosaicked, texture


@pytest.fixture(scope="module")
def picture() -> Pixels:
    """80 x 96 px of noise with two mosaics in it."""
    made = texture(80, 96)
    made[8:40, 8:48] = mosaicked(32, 40, Grid(8, 4))
    made[45:75, 60:90] = mosaicked(30, 30, Grid(5, 5, 2, 3), seed=1)
    return made


def test_several_regions_are_taken_as_given(picture: Pixels) -> None:
    boxes = ((60, 45, 30, 30), (8, 8, 40, 32))
    found = regions_in(picture, RestoreConfig(regions=boxes))
    assert [region.box.corners for region in found] == list(boxes)
    assert [region.grid for region in found] == [Grid(5, 5, 2, 3), Grid(8, 4)]
    assert all(region.hidden.all() for region in found)


@pytest.mark.parametrize("left", range(5))
def test_cells_of_a_size_begin_where_they_fit_best(left: int) -> None:
    grid = Grid(5, 7, left, 4)
    whole = RestoreConfig(regions="whole", block=(5, 7))
    (region,) = regions_in(mosaicked(40, 33, grid), whole)
    assert (region.box, region.grid) == (Box(0, 0, 33, 40), grid)


@pytest.mark.parametrize("quality", [90, 75])
@pytest.mark.parametrize(("columns", "rows"), [(2, 2), (3, 3), (3, 4), (5, 4)])
def test_few_cells_are_found_in_a_jpeg_if_their_size_is_given(
    columns: int, rows: int, quality: int
) -> None:
    """Without it, 4 x 4 cells are needed there."""
    picture = cloudy_picture(3, 240, 200)
    box = Box(90, 50, 20 * columns, 20 * rows)
    crop(picture, box)[:] = mosaicked(box.height, box.width, Grid.square(20), seed=1)
    (region,) = regions_in(jpeg_damaged(picture, quality), RestoreConfig(block=(20, 20)))
    assert (region.box, region.grid) == (box, Grid.square(20))


@pytest.mark.parametrize("cell", [3, 8, 20, 64])
def test_a_picture_has_no_cells_of_any_size_given(cell: int) -> None:
    picture = jpeg_damaged(cloudy_picture(0, 240, 200), 75)
    with pytest.raises(DemosaicError, match="no mosaic with cells of") as caught:
        regions_in(picture, RestoreConfig(block=(cell, cell)))
    assert caught.value.exit_code == NOTHING_TO_DO


def test_cells_of_a_broken_size_fit_too() -> None:
    grid = Grid(5.5, 6.25)
    (region,) = regions_in(mosaicked(50, 44, grid), RestoreConfig(block=(5.5, 6.25)))
    assert region.grid == grid


def test_cells_larger_than_the_picture_are_refused_at_once() -> None:
    with pytest.raises(DemosaicError, match="no mosaic with cells of 1e"):
        regions_in(mosaicked(40, 40, Grid.square(8)), RestoreConfig(block=(1e30, 1e30)))


def test_cells_begin_at_the_offset_given() -> None:
    plain = np.full((32, 32, 3), 90, np.uint8)
    config = RestoreConfig(regions=((4, 4, 24, 24),), block=(8, 8), offset=(3, 5))
    (region,) = regions_in(plain, config)
    assert region.grid == Grid(8, 8, 3, 5)


def test_the_whole_picture_is_taken_when_asked() -> None:
    observed = mosaicked(64, 64, Grid(8, 8, 4, 4))
    (region,) = regions_in(observed, RestoreConfig(regions="whole"))
    assert (region.box, region.grid) == (Box(0, 0, 64, 64), Grid(8, 8, 4, 4))


def test_each_part_of_a_mask_is_a_mosaic(picture: Pixels) -> None:
    mask = np.zeros((80, 96), bool)
    mask[45:75, 60:90] = True
    mask[10:38, 10:46] = True
    mask[10:12, 10:12] = False  # a rounded corner
    first, second = regions_in(picture, RestoreConfig(), mask)
    assert (first.box, first.grid) == (Box(10, 10, 36, 28), Grid(8, 4, 6, 2))
    assert np.array_equal(first.hidden, mask[10:38, 10:46])
    assert (second.box, second.grid) == (Box(60, 45, 30, 30), Grid(5, 5, 2, 3))


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (np.ones((96, 80), bool), "the mask has 80 x 96 px and the picture 96 x 80"),
        (np.zeros((80, 96), bool), "the mask is black"),
    ],
)
def test_a_mask_that_says_nothing_is_refused(
    picture: Pixels, mask: np.ndarray[tuple[int, int], np.dtype[np.bool_]], said: str
) -> None:
    with pytest.raises(DemosaicError, match=said) as caught:
        regions_in(picture, RestoreConfig(), mask)
    assert caught.value.exit_code == PROBLEM


@pytest.mark.parametrize("block", [None, (8.0, 8.0)])
def test_a_region_without_a_mosaic_is_named(
    picture: Pixels, block: tuple[float, float] | None
) -> None:
    config = RestoreConfig(regions=((8, 8, 40, 32), (50, 0, 40, 40)), block=block and (8, 4))
    with pytest.raises(DemosaicError, match=r"no mosaic .*in 50,0,40,40") as caught:
        regions_in(picture, config)
    assert caught.value.exit_code == NOTHING_TO_DO
