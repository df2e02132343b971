"""Colours as a file has them, as a viewer shows them, and back."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demosaic.imaging.arrays import Pixels
from demosaic.imaging.colours import shown_colours, stored_colours
from demosaic.imaging.geometry import Box
from demosaic.imaging.stored import Stored, stored_in
from doubles import INVERSE, swapped_profile, texture


def stored(image: Image.Image, kind: str = "PNG", **options: object) -> Stored:
    """A picture as it is read from a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    with Image.open(file) as opened:
        return stored_in(opened)


def edited(page: Stored) -> tuple[Stored, Pixels]:
    """The picture with a box of other colours, and what is to be shown."""
    shown = page.shown.copy()
    shown[4:9, 5:11] = np.clip(shown[4:9, 5:11] * 0.5 + 60, 0, 255)
    return page.edited(shown), shown


SEVERAL = Image.fromarray(texture(16, 20))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "1", "P", "CMYK"])
def test_a_picture_keeps_its_mode_and_all_that_is_not_edited(mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    page = stored(SEVERAL.convert(mode), kind)
    assert page.mode == {"1": "L", "P": "RGB"}.get(mode, mode)
    after, wanted = edited(page)
    assert after.mode == page.mode
    same = np.ones((16, 20), bool)
    same[4:9, 5:11] = False
    assert np.array_equal(after.levels[same], page.levels[same])
    if mode not in ("L", "LA", "1"):
        assert np.abs(after.shown.astype(int) - wanted).mean() < 0.5
    if page.alpha is not None:
        assert np.array_equal(after.levels[:, :, -1], page.levels[:, :, -1])
    assert np.array_equal(page.edited(page.shown).levels, page.levels)


def test_grey_is_shown_in_grey_and_takes_the_luma_of_colours() -> None:
    page = stored(Image.fromarray(np.full((2, 2), 90, np.uint8)))
    assert page.shown.tolist() == [[[90, 90, 90]] * 2] * 2
    colours = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [90, 90, 90]]], np.uint8)
    assert page.edited(colours).levels.tolist() == [[[76], [150]], [[29], [90]]]


def test_a_palette_of_grey_is_grey_and_transparency_is_alpha() -> None:
    image = Image.frombytes("P", (2, 1), b"\0\1")
    image.putpalette(bytes([10, 10, 10, 200, 200, 200]))
    assert stored(image).levels.tolist() == [[[10], [200]]]
    assert stored(image, transparency=0).levels.tolist() == [[[10, 0], [200, 255]]]


def test_the_colours_of_a_profile_are_shown_and_come_back() -> None:
    page = stored(SEVERAL, icc_profile=swapped_profile())
    assert np.array_equal(page.levels, texture(16, 20))
    apart = page.shown.astype(int) - texture(16, 20)[:, :, ::-1]
    assert np.abs(apart).mean() < 8  # red and blue have changed places
    after, wanted = edited(page)
    assert np.abs(after.shown.astype(int) - wanted).max() <= 3
    assert after.profile == page.profile


def test_a_profile_of_another_mode_counts_as_none_and_stays() -> None:
    page = stored(SEVERAL.convert("L"), icc_profile=swapped_profile())
    assert np.array_equal(page.shown[:, :, 0], page.levels[:, :, 0])
    assert page.profile == swapped_profile()


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_picture_is_shown_upright_and_edited_as_it_lies(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    page = stored(SEVERAL.transpose(INVERSE[orientation]), exif=exif)
    assert np.array_equal(page.shown, texture(16, 20))
    assert page.size == (20, 16)
    after, wanted = edited(page)
    assert np.array_equal(after.shown, wanted)
    assert after.turn is not None
    assert np.array_equal(np.asarray(after.as_image().transpose(after.turn)), wanted)


def test_black_ink_stays_and_the_others_give_the_colour() -> None:
    before = np.array([[20, 60, 100, 40], [0, 0, 0, 200], [255, 0, 255, 0]], np.uint8)
    wanted = np.array([[120, 130, 140], [30, 40, 50], [0, 255, 0]], np.uint8)
    found = stored_colours(wanted, before, "CMYK", None)
    assert np.array_equal(found[:, 3], before[:, 3])
    assert np.abs(shown_colours(found[None], "CMYK", None)[0].astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_what_is_painted_leaves_nothing_of_what_was_there(mode: str) -> None:
    """Several inks show one colour, and 16 bits have lower ones."""
    channels = {"L": 1, "RGB": 3, "CMYK": 4}[mode]
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 65_536, (16, 20, channels), dtype=np.uint16)
    if mode == "CMYK":
        levels = (levels >> 8).astype(np.uint8)
    page = Stored(levels, mode, step=1 if mode == "CMYK" else 257)

    def paint(colours: Pixels) -> Pixels:
        result = colours.copy()
        result[2:8, 3:13] = colours[2:8, 3:13].mean((0, 1)).astype(np.uint8)
        return result

    painted = page.painted(paint, [Box(3, 2, 10, 6)])
    hidden = painted.levels[2:8, 3:13].reshape(-1, channels)
    assert len(np.unique(hidden, axis=0)) == 1
    assert np.abs(hidden[0] / page.step - levels[2:8, 3:13].mean((0, 1)) / page.step).max() < 2
    outside = np.ones((16, 20), bool)
    outside[2:8, 3:13] = False
    assert np.array_equal(painted.levels[outside], levels[outside])


def test_a_picture_goes_from_mode_to_mode_and_keeps_its_profile_while_it_fits() -> None:
    page = stored(SEVERAL.convert("CMYK"), "TIFF", icc_profile=b"of inks")
    assert (page.in_mode("RGB").mode, page.in_mode("RGB").profile) == ("RGB", None)
    grey = stored(SEVERAL.convert("LA"))
    assert np.array_equal(grey.in_mode("RGBA").levels[:, :, 3], grey.levels[:, :, 1])
    assert grey.in_mode("L").levels.shape == (16, 20, 1)


def test_what_pillow_reads_as_floats_is_grey_of_eight_bits(tmp_path: Path) -> None:
    Image.fromarray(np.linspace(0, 200, 12, dtype=np.float32).reshape(3, 4)).save(
        tmp_path / "a.tif"
    )
    with Image.open(tmp_path / "a.tif") as image:
        page = stored_in(image)
    assert (page.mode, page.levels.dtype.name, page.levels[2, 3, 0]) == ("L", "uint8", 200)
