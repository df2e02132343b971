"""Arrays become PNG, WebP and JPEG files."""

import io
import os
import struct
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import people
from demosaic.imaging.decoding import decode, read_image
from demosaic.imaging.encoding import encode_png, encode_webp, write_jpeg
from doubles import texture

RED = (200, 40, 10)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_a_png_read_by_pillow_has_the_same_pixels(height: int, width: int, seed: int) -> None:
    image = texture(height, width, seed)
    with Image.open(io.BytesIO(encode_png(image))) as opened:
        assert (opened.format, opened.mode) == ("PNG", "RGB")
        assert np.array_equal(np.asarray(opened), image)


def test_a_png_of_a_view_has_the_view_s_pixels() -> None:
    view = texture(20, 20)[3:14:2, ::-1]
    assert np.array_equal(decode(encode_png(view)), view)


def test_a_png_holds_nothing_but_pixels() -> None:
    data, kinds, place = encode_png(texture(4, 4)), [], 8
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        kinds.append(data[place + 4 : place + 8])
        place += 12 + length
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]


def test_a_webp_of_a_mosaic_is_exact_and_small() -> None:
    mosaic = np.kron(texture(16, 16), np.ones((16, 16, 1), np.uint8))
    data = encode_webp(mosaic)
    assert np.array_equal(decode(data), mosaic)
    assert len(data) < 2000


def test_a_webp_of_a_photo_is_near_and_smaller_than_a_png() -> None:
    photo = people.photo(0, 0, 0).image
    data = encode_webp(photo)
    assert len(data) < len(encode_png(photo)) / 4
    assert np.abs(decode(data).astype(int) - photo).mean() < 3


def test_a_jpeg_written_is_near_and_leaves_no_litter(tmp_path: Path) -> None:
    smooth = np.full((32, 48, 3), RED, np.uint8)
    write_jpeg(tmp_path / "a.jpg", smooth)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - RED).max() <= 4
    assert os.listdir(tmp_path) == ["a.jpg"]  # noqa: PTH208
