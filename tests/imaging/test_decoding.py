"""Picture files become arrays."""

from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

import people
from demosaic.errors import DemosaicError
from demosaic.imaging.decoding import decode_photo, photo_size, read_image, read_size, taken_at
from demosaic.imaging.encoding import encode_png
from doubles import encoded, texture

KINDS = ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF", "BMP", "GIF", "PPM"]


def test_a_picture_is_recognised_by_its_content_not_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encode_png(texture(3, 3)))
    assert np.array_equal(read_image(tmp_path / "a.jpg"), texture(3, 3))


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(DemosaicError, match=r"cannot read .*gone\.jpg"):
        read_image(tmp_path / "gone.jpg")


def test_the_size_of_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("Dear diary")
    with pytest.raises(DemosaicError, match=r"a\.jpg: not a picture"):
        read_size(tmp_path / "a.jpg")


def test_a_date_that_is_none_is_no_date() -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "yesterday"
    assert taken_at(encoded(Image.fromarray(texture(4, 4)), "JPEG", exif=exif)) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_photo_in_every_format_is_the_same_picture(kind: str) -> None:
    image = np.asarray(Image.fromarray(people.photo(0, 0, 0).image).resize((200, 300)))
    data = encoded(Image.fromarray(image), kind)
    assert photo_size(data) == (200, 300)
    assert np.abs(decode_photo(data).astype(int) - image).mean() < 6  # a GIF has 256 colours


def test_the_first_picture_of_several_is_the_photo() -> None:
    for kind in ("MPO", "TIFF", "PNG"):
        first, second = (Image.fromarray(texture(16, 16, seed)) for seed in (1, 2))
        data = encoded(first.copy(), kind, save_all=True, append_images=[second])
        assert np.array_equal(decode_photo(data), decode_photo(encoded(first, kind)))


@pytest.mark.parametrize("reduce", [2, 4, 8])
@pytest.mark.parametrize("kind", ["JPEG", "MPO", "PNG", "TIFF"])
@pytest.mark.parametrize(("width", "height"), [(203, 301), (160, 64), (9, 9)])
def test_a_reduced_photo_has_the_means_of_its_pixels(
    width: int, height: int, kind: str, reduce: int
) -> None:
    image = people.photo(0, 0, 0).image[100 : 100 + height, 100 : 100 + width]
    data = encoded(Image.fromarray(image), kind)
    small = decode_photo(data, reduce)
    assert small.shape == (-(-height // reduce), -(-width // reduce), 3)
    rows, columns = height // reduce, width // reduce
    whole = image[: rows * reduce, : columns * reduce]
    means = whole.reshape(rows, reduce, columns, reduce, 3).mean(axis=(1, 3))
    assert np.abs(small[:rows, :columns] - means).mean() < 2
    assert np.array_equal(small, decode_photo(data, reduce))


def test_a_jpeg_with_sixteen_bit_tables_and_a_progressive_one_are_jpegs() -> None:
    image = people.photo(0, 0, 0).image[:200, :200]
    for options in ({"qtables": [[300] * 64, [300] * 64]}, {"progressive": True}):
        data = encoded(Image.fromarray(image), "JPEG", **options)
        assert np.abs(decode_photo(data, 2).astype(int) - image[::2, ::2]).mean() < 30
    assert b"\xff\xc2" in data
