"""Means and top-left pixels are distinguished at a mosaic's border; top-left pixels are centred."""

import cv2
import numpy as np
import pytest

import people
from demosaic.config.restoration import RestoreConfig
from demosaic.config.rules import Sampler
from demosaic.detection.region import Region, filled
from demosaic.detection.sampler import (
    SamplerDecision,
    centre_cells,
    decide_sampler,
    top_left_evidence,
)
from demosaic.imaging.arrays import Pixels, resize
from demosaic.imaging.encoding import jpeg_damaged
from demosaic.imaging.geometry import Box, crop
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.operators import cells, mosaic
from demosaic.mosaic.pixelate import paint_cells, sample
from demosaic.restoration.image import restore_regions
from doubles import COMPUTE, our_model

BOX = Box(72, 60, 95, 116)


@pytest.fixture(scope="module")
def photos() -> list[Pixels]:
    """The faces of some drawn people, as large as press photos have them, with BOX over each."""
    drawn = [people.photo(0, number, 0) for number in range(4)]
    cut = []
    for photo in drawn:
        x, y, width, _ = (round(side) for side in photo.faces[0].box)
        image = np.pad(photo.image, ((400, 400), (400, 400), (0, 0)), mode="reflect")
        around = crop(image, Box(x + 400 - width, y + 400 - width, 3 * width, 3 * width))
        cut.append(resize(around, 240, 240))
    return cut


def pixelated(photo: Pixels, region: Region, sampler: Sampler) -> Pixels:
    box, grid, made = region.box, region.grid, photo.copy()
    piece = paint_cells(sample(crop(photo, box), grid, sampler), grid, (box.height, box.width))
    crop(made, box)[region.hidden] = piece[region.hidden]
    return made


def ellipse(box: Box, grid: Grid) -> Region:
    hidden = np.zeros((box.height, box.width), np.uint8)
    middle = (box.width // 2, box.height // 2)
    cv2.ellipse(hidden, middle, middle, 0, 0, 360, (1,), -1)
    return Region(box, grid, hidden.astype(bool), 1.0)


@pytest.mark.parametrize(
    ("block", "quality"), [(6, None), (10, None), (10, 90), (10, 75), (20, None), (20, 60)]
)
@pytest.mark.parametrize("sampler", ["top-left", "mean", "centre"])
def test_the_sampler_is_recognised_at_the_border(
    photos: list[Pixels], block: int, sampler: Sampler, quality: int | None
) -> None:
    for photo in photos:
        for region in (filled(BOX, Grid.square(block)), ellipse(BOX, Grid.square(block))):
            picture = pixelated(photo, region, sampler)
            picture = jpeg_damaged(picture, quality) if quality else picture
            expected = "top-left" if sampler == "top-left" else "mean"
            assert decide_sampler(picture, [region]).sampler == expected


@pytest.mark.parametrize("sampler", ["top-left", "mean"])
def test_what_is_no_cell_is_no_evidence(photos: list[Pixels], sampler: Sampler) -> None:
    """A place that was found with a row and a column of a rough photo too many."""
    region = filled(BOX, Grid.square(10))
    larger = filled(Box(BOX.x - 10, BOX.y - 10, BOX.width + 10, BOX.height + 10), region.grid)
    for number, photo in enumerate(photos):
        spots = np.random.default_rng(number).integers(-30, 30, photo.shape).astype(float)
        rough = np.clip(photo + cv2.GaussianBlur(spots, (0, 0), 1.5) * 3, 0, 255)
        picture = pixelated(rough.astype(np.uint8), region, sampler)
        assert decide_sampler(picture, [larger]).sampler == sampler


def test_a_mosaic_without_evidence_is_like_the_other_one_of_the_picture(
    photos: list[Pixels],
) -> None:
    telling, plain = filled(BOX, Grid.square(10)), filled(Box(4, 180, 40, 40), Grid.square(10))
    photo = photos[0].copy()
    photo[170:, :64] = 90
    picture = pixelated(pixelated(photo, telling, "top-left"), plain, "top-left")
    assert decide_sampler(picture, [plain]).sampler == "mean"
    assert decide_sampler(picture, [telling, plain]).sampler == "top-left"


def test_the_cells_of_one_mosaic_are_no_photo_beside_another(photos: list[Pixels]) -> None:
    left = filled(Box(BOX.x, BOX.y, 40, BOX.height), Grid.square(8))
    right = filled(Box(BOX.x + 40, BOX.y + 3, 55, BOX.height), Grid.square(8))
    for photo in photos:
        picture = pixelated(pixelated(photo, left, "top-left"), right, "top-left")
        apart = top_left_evidence(picture, [left]) + top_left_evidence(picture, [right])
        assert top_left_evidence(picture, [left, right]) > max(0, apart)


def test_a_mosaic_that_fills_the_picture_is_taken_for_means(photos: list[Pixels]) -> None:
    region = filled(Box.whole(photos[0]), Grid.square(12))
    assert decide_sampler(pixelated(photos[0], region, "top-left"), [region]).sampler == "mean"


def test_in_jpeg_colours_that_may_be_top_left_pixels_are_enforced_in_part(
    photos: list[Pixels],
) -> None:
    """Spots that have nothing to do with those beside them cannot be predicted."""
    spots = np.random.default_rng(1).normal(120, 20, (200, 240, 3)).clip(0, 255).astype(np.uint8)
    region = filled(BOX, Grid.square(10))
    unclear = pixelated(spots, region, "mean")
    assert decide_sampler(unclear, [region]) == SamplerDecision("mean", 1)
    assert decide_sampler(jpeg_damaged(unclear, 90), [region]) == SamplerDecision("mean", 0.25)
    oval = ellipse(BOX, Grid.square(10))  # shows more of what is round it
    clear = pixelated(photos[0], oval, "mean")
    assert decide_sampler(jpeg_damaged(clear, 90), [oval]) == SamplerDecision("mean", 1)


def test_in_jpeg_a_mosaic_that_fills_the_picture_is_of_means(photos: list[Pixels]) -> None:
    region = filled(Box.whole(photos[0]), Grid.square(12))
    picture = jpeg_damaged(pixelated(photos[0], region, "top-left"), 90)
    assert decide_sampler(picture, [region]) == SamplerDecision("mean", 1)


def test_a_picture_without_a_mosaic_is_no_evidence(photos: list[Pixels]) -> None:
    assert top_left_evidence(photos[0], []) == 0


def test_a_mosaic_before_a_plain_wall_is_taken_for_means() -> None:
    wall = np.full((200, 240, 3), 120, np.uint8)
    region = filled(BOX, Grid.square(10))
    assert decide_sampler(pixelated(wall, region, "top-left"), [region]).sampler == "mean"


@pytest.mark.parametrize(
    "grid", [Grid.square(8), Grid.square(7, 3, 5), Grid(9, 6, 8, 1), Grid(7.5, 8.25, 3.2, 4)]
)
@pytest.mark.parametrize("box", [BOX, Box(0, 0, 120, 90), Box(141, 120, 99, 120)])
def test_top_left_pixels_become_the_middles_of_moved_cells(box: Box, grid: Grid) -> None:
    """On a picture that rises evenly: the mean of each whole cell is then what is in its middle."""
    y, x = np.mgrid[:240, :240].astype(np.float32)
    rising = np.stack([x, y, x + y], axis=2) / 3
    region = filled(box, grid)
    whole = np.rint(rising).astype(np.uint8)
    moved, colours = centre_cells(pixelated(whole, region, "top-left"), region)
    assert moved.box == box
    assert moved.grid.width == grid.width
    true = cells(crop(rising, box).transpose(2, 0, 1), moved.grid)
    assert colours.shape == true.shape
    assert np.abs(colours - true)[:, 1:-1, 1:-1].max() <= 1.5


def test_centring_brings_the_mosaic_nearer_to_the_photo(photos: list[Pixels]) -> None:
    for photo in photos:
        region = filled(BOX, Grid.square(10))
        picture = pixelated(photo, region, "top-left")
        moved, colours = centre_cells(picture, region)
        true = crop(photo, BOX).transpose(2, 0, 1).astype(np.float32)
        as_means = mosaic(crop(picture, BOX).transpose(2, 0, 1).astype(np.float32), region.grid)
        as_middles = paint_cells(colours, moved.grid, (BOX.height, BOX.width)).transpose(2, 0, 1)
        assert np.mean((as_middles - true) ** 2) < 0.8 * np.mean((as_means - true) ** 2)


@pytest.mark.parametrize("given", [None, "top-left"])
def test_top_left_pixels_are_restored_nearer_to_the_photo_than_when_taken_for_means(
    photos: list[Pixels], given: Sampler | None
) -> None:
    """By a new model, which gives back the smooth image of the colours in their places."""
    region, model = filled(BOX, Grid.square(10)), our_model(wild=False)
    for photo in photos:
        picture = pixelated(photo, region, "top-left")
        found, as_means = (
            restore_regions(picture, [region], model, RestoreConfig(sampler=sampler), COMPUTE)
            for sampler in (given, "mean")
        )
        assert found.regions[0].sampler == "top-left"
        error, worse = (
            np.square(made.picture.astype(float) - photo).mean() for made in (found, as_means)
        )
        assert error < 0.8 * worse
