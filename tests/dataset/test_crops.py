"""A photo that was looked at is cropped by whatever options."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

import people
from dataset_doubles import POINTS, WHOLE, a_face, cut_out, portrait, reasons, saved
from demosaic.config.dataset import BuildConfig, Offset
from demosaic.config.rules import LEAST_SCORE, Sampler
from demosaic.dataset.crops import PhotoResult, cut
from demosaic.dataset.near_duplicates import likeness
from demosaic.faces.analysis import Examined, examine
from demosaic.faces.detector import Face
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.imaging.arrays import Pixels, resize
from demosaic.imaging.decoding import decode, decode_photo
from demosaic.imaging.geometry import Box
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import paint_cells, sample


def target(result: PhotoResult) -> Pixels:
    ((_, picture),) = result.kept
    return decode(picture)[:, decode(picture).shape[1] // 2 :]


@pytest.fixture(scope="module")
def detector() -> ShortRangeDetector:
    return ShortRangeDetector(LEAST_SCORE)


def test_one_look_serves_every_score(detector: ShortRangeDetector) -> None:
    data = saved(people.photo(0, 0, 0).image)
    examined = examine(data, detector)
    (face,) = examined.faces
    result = cut(data, examined, "a.png", "hash", BuildConfig(min_score=face.score))
    assert len(result.kept) == 1
    strict = BuildConfig(min_score=min(1.0, face.score + 0.001))
    assert reasons(cut(data, examined, "a.png", "hash", strict)) == [("no face", "")]


def test_a_pair_says_how_it_was_made() -> None:
    data = saved(portrait())
    result = cut_out(data, BuildConfig(margin=1.6), a_face(Box(156, 160, 160, 200)))
    ((pair, picture),) = result.kept
    assert (pair.crop, pair.enlarged, pair.angle) == (320, 0.8, 0)
    assert (pair.box, pair.keypoints, pair.score) == ((156, 160, 160, 200), POINTS, 0.9)
    assert 0.2 < pair.sharpness < 1
    assert (pair.split, pair.group) == ("spare", "")  # until all pairs are grouped
    assert pair.likeness == (likeness(decode(picture)[:, 256:]), likeness(portrait()))
    assert pair.burst == ()
    assert decode(picture).shape == (256, 512, 3)


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_a_face_that_lies_is_cropped_upright(angle: int) -> None:
    config, box = BuildConfig(size=256, margin=1.6), Box(176, 176, 160, 160)
    upright = cut_out(saved(portrait()), config, a_face(box))
    lying = np.ascontiguousarray(np.rot90(portrait(), -angle // 90))
    turned = cut_out(saved(lying), config, a_face(box, angle=angle))
    assert np.array_equal(target(turned), target(upright))
    assert turned.kept[0][0].likeness == upright.kept[0][0].likeness
    assert turned.kept[0][0].angle == angle


@pytest.mark.parametrize(("side", "reduce"), [(1020, 1), (1280, 1), (2100, 2), (4200, 4)])
def test_a_jpeg_is_decoded_no_larger_than_the_crop_needs(
    side: int, reduce: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The crop is a quarter of the photo's side."""
    image = resize(portrait(), side, side)
    face = a_face(Box(*[round(side * 0.4)] * 2, *[round(side * 0.25 / 1.25)] * 2))
    data = saved(image, "JPEG", quality=95)
    config = BuildConfig(margin=1.25)
    asked: list[int] = []

    def watched(data: bytes, scale: int) -> Pixels:
        asked.append(scale)
        return decode_photo(data, scale)

    monkeypatch.setattr("demosaic.dataset.crops.decoded", watched)
    small = target(cut_out(data, config, face))
    assert asked == [reduce]
    monkeypatch.setattr("demosaic.dataset.crops.reduction", lambda side, needed: 1)
    full = target(cut_out(data, config, face))
    assert np.abs(small.astype(int) - full).mean() < 2


def test_a_portrait_is_decoded_once(
    detector: ShortRangeDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its crop alone could be decoded at an eighth."""
    asked: list[int] = []

    def watched(data: bytes, scale: int) -> Pixels:
        asked.append(scale)
        return decode_photo(data, scale)

    monkeypatch.setattr("demosaic.faces.analysis.decode_photo", watched)
    data = saved(resize(portrait(), 3000, 3000), "JPEG")
    result = cut(data, examine(data, detector), "a.jpg", "hash", BuildConfig(min_sharpness=0))
    assert [pair.crop > 8 * 256 for pair, _ in result.kept] == [True]
    assert asked == [4]


def test_examining_first_changes_no_pixel_of_a_pair(detector: ShortRangeDetector) -> None:
    photo = people.photo(0, 0, 0).image
    data = saved(resize(photo, 3 * photo.shape[1], 3 * photo.shape[0]), "JPEG")
    examined = examine(data, detector)
    first = cut(data, examined, "a.jpg", "hash", BuildConfig())
    examine(saved(portrait()), detector)
    assert cut(data, examined, "a.jpg", "hash", BuildConfig()) == first
    assert len(first.kept) == 1


def test_a_share_of_the_face_gives_cells_of_so_many_pixels() -> None:
    face = a_face(Box(156, 160, 160, 200))  # 160 px of the picture
    for share, side in ((1 / 10, 16), (1 / 12, 13), (0.001, 2)):
        config = BuildConfig(margin=1.6, block=share, min_sharpness=0)
        ((pair, _),) = cut_out(saved(portrait()), config, face).kept
        assert (pair.block, pair.offset) == ((side, side), (0, 0))


def test_random_choices_for_a_pair_depend_on_its_id_alone() -> None:
    config = BuildConfig(size=64, blocks=(8, 11), offset="random", min_sharpness=0)
    data, examined = saved(portrait()), Examined(512, 512, (WHOLE,))
    drawn = []
    for number in range(60):
        again = [cut(data, examined, name, f"{number}", config).kept[0][0] for name in "ab"]
        first, second = ((pair.block, pair.offset) for pair in again)
        assert first == second
        drawn.append(first)
    assert {block for block, _ in drawn} == {(side, side) for side in (8, 9, 10, 11)}
    for (side, _), offset in drawn:
        assert max(offset) < side
    assert len({left for _, (left, _) in drawn}) == len({top for _, (_, top) in drawn}) == 11


@pytest.mark.parametrize("offset", ["corner", "random"])
@pytest.mark.parametrize("sampler", ["mean", "centre", "top-left", "linear"])
def test_the_left_half_is_what_the_recipe_makes_of_the_right(
    sampler: Sampler, offset: Offset
) -> None:
    config = BuildConfig(block=12, sampler=sampler, offset=offset, min_sharpness=0)
    ((pair, picture),) = cut_out(saved(portrait()), config, WHOLE).kept
    assert (pair.sampler, pair.offset != (0, 0)) == (sampler, offset == "random")
    observed, target = np.hsplit(decode(picture), 2)
    colours = sample(np.ascontiguousarray(target), pair.grid, sampler)
    assert pair.grid == Grid(12, 12, *pair.offset)
    assert np.array_equal(observed, paint_cells(colours, pair.grid, (256, 256)))


def test_what_cannot_be_used_is_left_out_with_its_reason() -> None:
    examined = Examined(reason="empty file", detail="empty file")
    result = cut(b"", examined, "a.jpg", "hash", BuildConfig())
    assert (result.kept, reasons(result)) == ((), [("empty file", "empty file")])


def test_the_largest_faces_of_a_photo_are_kept() -> None:
    boxes = [Box(20, 20, 100, 100), Box(200, 200, 160, 160), Box(30, 300, 120, 120)]
    faces = [a_face(box) for box in boxes]
    config = BuildConfig(size=128, max_per_photo=2, min_sharpness=0)
    result = cut_out(saved(portrait()), config, *faces, a_face(Box(-9, 0, 300, 300)))
    assert [pair.box[0] for pair, _ in result.kept] == [200, 30]
    assert reasons(result) == [
        ("too many faces", "the photo has 3"),
        ("face cut by the border", ""),
    ]
    assert result.skipped[0].box == (20, 20, 100, 100)
    assert len(cut_out(saved(portrait()), replace(config, max_per_photo=0), *faces).kept) == 3


@pytest.mark.parametrize(("most", "kept"), [(1.59, 0), (1.61, 1)])
def test_a_face_that_would_be_enlarged_too_much_is_left_out(most: float, kept: int) -> None:
    config = BuildConfig(margin=1.6, max_enlarge=most, min_sharpness=0)
    result = cut_out(saved(portrait()), config, a_face(Box(200, 200, 100, 100)))
    assert [pair.enlarged for pair, _ in result.kept] == [1.6] * kept
    assert reasons(result) == [("enlarged too much", "1.6 times")] * (1 - kept)


@dataclass(frozen=True)
class Nobody:
    """A detector that finds nothing."""

    def detect(self, image: Pixels) -> Sequence[Face]:
        return []


def test_a_photo_of_nobody_has_no_face() -> None:
    data = saved(portrait())
    examined = examine(data, Nobody())
    assert examined == Examined(512, 512)
    assert reasons(cut(data, examined, "a.png", "hash", BuildConfig())) == [("no face", "")]
