"""Mosaics tracked through pictures, and their restored pixels without flicker."""

from collections.abc import Callable
from itertools import count

import numpy as np
import pytest

from demosaic.detection.detector import find_mosaics
from demosaic.detection.region import Region, filled
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.geometry import Box
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours
from demosaic.restoration.tracking import RestoredRegion, stabilise, track
from doubles import texture
from drawn_clip import BLOCK, FACE, FRAMES, hidden, pixelated, place

Look = Callable[[Pixels], list[Region]]


def boxes(pictures: list[Pixels], find: Look = find_mosaics) -> list[list[Box]]:
    """The boxes of the tracked mosaics, by picture."""
    return [[one.box for one in regions] for *_, regions in track(enumerate(pictures), find)]


def otherwise(number: int, instead: list[Region]) -> Look:
    """A look that says something else of one picture."""
    looks = count()
    return lambda picture: instead if next(looks) == number else find_mosaics(picture)


def test_a_mosaic_that_moves_is_tracked_with_its_cells(frames: list[Pixels]) -> None:
    found = [regions for *_, regions in track(enumerate(hidden(frames)), find_mosaics)]
    assert [[one.box for one in regions] for regions in found] == [
        [place(number)] for number in range(FRAMES)
    ]
    assert all(one.grid == Grid.square(BLOCK) for regions in found for one in regions)


def test_a_mosaic_in_a_single_picture_is_found(frames: list[Pixels]) -> None:
    seen = frames[:2] + hidden(frames)[2:3] + frames[3:5]
    assert boxes(seen) == [[], [], [place(2)], [], []]


@pytest.mark.parametrize("lost", [0, 2, 4])
def test_a_mosaic_that_one_detection_misses_is_taken_from_the_others(
    frames: list[Pixels], lost: int
) -> None:
    assert boxes(hidden(frames)[:5], otherwise(lost, [])) == [[place(n)] for n in range(5)]


def test_a_mosaic_of_which_one_detection_misses_a_part_stays_whole(frames: list[Pixels]) -> None:
    part = filled(Box(place(2).x, place(2).y, FACE - BLOCK, FACE), Grid.square(BLOCK))
    assert boxes(hidden(frames)[:5], otherwise(2, [part])) == [[place(n)] for n in range(5)]


@pytest.mark.parametrize("joined", [1, 4])
def test_two_mosaics_that_one_detection_merges_stay_two(frames: list[Pixels], joined: int) -> None:
    one, other = Box(20, 40, 84, 96), Box(116, 64, 96, 108)
    pictures = [pixelated(pixelated(frame, one), other) for frame in frames[:5]]
    both = filled(Box(20, 40, 192, 132), Grid.square(BLOCK))
    for found in boxes(pictures, otherwise(joined, [both])):
        assert sorted(found, key=lambda box: box.x) == [one, other]


def region() -> Region:
    return Region(Box(4, 4, 32, 32), Grid.square(8), np.ones((32, 32), bool), 1.0)


def test_detail_stays_where_cells_stay_and_follows_where_they_change() -> None:
    then = np.full((40, 40, 3), 100, np.uint8)
    now = then.copy()
    now[4:36, 20:36] = 180  # the right half changes
    first, second = (texture(40, 40, seed) // 4 + 90 for seed in (1, 2))
    _, before = stabilise(then, first.astype(np.uint8), [region()], [])
    shown, _ = stabilise(now, second.astype(np.uint8), [region()], before)
    left, right = (slice(4, 36), slice(4, 12)), (slice(4, 36), slice(30, 36))

    def apart(other: Pixels, part: tuple[slice, slice]) -> float:
        return float(np.abs(shown.astype(int) - other)[part].mean())

    assert apart(first.astype(np.uint8), left) < apart(second.astype(np.uint8), left)
    assert apart(second.astype(np.uint8), right) < 3
    outside = np.ones((40, 40), bool)
    outside[4:36, 4:36] = False
    assert np.array_equal(shown[outside], second[outside])


def test_a_stabilised_picture_has_the_cells_of_its_own_frame() -> None:
    then, now = (np.full((40, 40, 3), level, np.uint8) for level in (100, 103))
    one = region()
    piece = (texture(40, 40) // 8 + 90).astype(np.uint8)
    colours = cell_colours(piece[4:36, 4:36], one.grid)
    old = RestoredRegion(
        one, cell_colours(then[4:36, 4:36], one.grid), piece[4:36, 4:36] + np.float32(0)
    )
    shown, _ = stabilise(now, piece, [one], [old])
    lighter = cell_colours(shown[4:36, 4:36], one.grid) - colours
    assert np.abs(lighter - 0.7 * 3 * np.exp(-((3 / 6) ** 2))).max() < 1.5
