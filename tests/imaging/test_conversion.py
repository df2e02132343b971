"""Every mode, turn, bit depth, transparency and profile comes as upright RGB."""

import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from demosaic.imaging.arrays import Pixels
from demosaic.imaging.decoding import decode, decode_photo, photo_size
from demosaic.imaging.opening import NotAPicture
from doubles import INVERSE, encoded, swapped_profile, texture


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_turn_gives_the_same_upright_picture(orientation: int) -> None:
    upright = texture(6, 4)
    stored = Image.fromarray(upright)
    if orientation in INVERSE:
        stored = stored.transpose(INVERSE[orientation])
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    assert np.array_equal(decode(encoded(stored, "PNG", exif=exif)), upright)


RED = (200, 40, 10)

GREY = Image.linear_gradient("L").resize((16, 16))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: GREY, np.repeat(np.asarray(GREY)[..., None], 3, 2)),
        (lambda: GREY.convert("LA"), np.repeat(np.asarray(GREY)[..., None], 3, 2)),
        (lambda: Image.new("RGBA", (3, 2), (*RED, 90)), np.full((2, 3, 3), RED)),
        (lambda: Image.new("RGB", (3, 2), RED).quantize(4), np.full((2, 3, 3), RED)),
        (lambda: Image.new("1", (3, 2), 1), np.full((2, 3, 3), 255)),
    ],
    ids=["grey", "grey with alpha", "alpha", "palette", "one bit"],
)
def test_every_mode_comes_as_rgb(make: Callable[[], Image.Image], expected: Pixels) -> None:
    image = decode(encoded(make(), "PNG"))
    assert image.dtype == np.uint8
    assert np.array_equal(image, expected)


def test_a_palette_with_transparency_is_read_without_a_warning() -> None:
    palette = Image.new("RGB", (3, 2), RED).quantize(4)
    image = decode(encoded(palette, "PNG", transparency=bytes([90, 0, 0, 0])))
    assert np.array_equal(image, np.full((2, 3, 3), RED))


def test_sixteen_bit_grey_keeps_its_range() -> None:
    levels = np.linspace(0, 65535, 16 * 16).reshape(16, 16).astype(np.uint16)
    image = decode(encoded(Image.fromarray(levels), "PNG"))
    assert image.shape == (16, 16, 3)
    assert np.array_equal(image, np.repeat((levels >> 8)[..., None], 3, 2))


def test_a_cmyk_jpeg_has_its_colours() -> None:
    image = decode(encoded(Image.new("RGB", (16, 16), RED).convert("CMYK"), "JPEG", quality=95))
    assert image.shape == (16, 16, 3)
    assert np.abs(image.astype(int) - RED).max() <= 4


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_every_turn_is_undone_once_in_every_format_that_has_one(
    kind: str, orientation: int
) -> None:
    """A TIFF is turned by Pillow, a HEIC by libheif."""
    upright = np.kron(texture(5, 3), np.ones((16, 16, 1), np.uint8))
    stored = Image.fromarray(upright)
    if orientation in INVERSE:
        stored = stored.transpose(INVERSE[orientation])
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    data = encoded(stored, kind, exif=exif.tobytes(), quality=95)
    assert photo_size(data) == (48, 80)
    assert np.abs(decode_photo(data).astype(int) - upright).mean() < 8
    assert decode_photo(data, 4).shape == (20, 12, 3)


def test_what_is_transparent_is_seen_over_white_and_kept_as_it_is_stored() -> None:
    data = encoded(Image.new("RGBA", (3, 2), (*RED, 51)), "PNG")
    assert np.array_equal(decode(data), np.full((2, 3, 3), RED))
    over_white = [round(0.2 * level + 0.8 * 255) for level in RED]
    assert np.array_equal(decode_photo(data), np.full((2, 3, 3), over_white))
    palette = Image.new("RGB", (3, 2), RED).quantize(4)
    clear = encoded(palette, "PNG", transparency=bytes(4))
    assert np.array_equal(decode_photo(clear), np.full((2, 3, 3), 255))


def test_the_colours_of_a_profile_are_seen_in_srgb_and_kept_as_they_are_stored() -> None:
    data = encoded(Image.new("RGB", (3, 2), RED), "PNG", icc_profile=swapped_profile())
    assert np.array_equal(decode(data), np.full((2, 3, 3), RED))
    assert np.abs(decode_photo(data).astype(int) - RED[::-1]).max() <= 3


@pytest.mark.parametrize(
    "profile",
    [
        b"no profile at all",
        swapped_profile()[:200],
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ],
    ids=["foreign", "truncated", "of another kind of picture", "sRGB itself"],
)
def test_a_profile_that_says_nothing_changes_nothing(profile: bytes) -> None:
    data = encoded(Image.new("RGB", (3, 2), RED), "PNG", icc_profile=profile)
    assert np.array_equal(decode_photo(data), np.full((2, 3, 3), RED))


def test_a_palette_with_more_transparency_than_colours_is_a_damaged_picture() -> None:
    """Pillow finds out only when it converts the picture, long after it has read it."""
    data = encoded(Image.new("P", (16, 16)), "PNG")
    kind_and_alpha = b"tRNS" + bytes(300)
    length, checksum = (n.to_bytes(4, "big") for n in (300, zlib.crc32(kind_and_alpha)))
    place = data.index(b"IDAT") - 4
    damaged = data[:place] + length + kind_and_alpha + checksum + data[place:]
    with pytest.raises(NotAPicture, match="damaged picture"):
        decode_photo(damaged)
