"""What is damaged, too large or no picture is refused with the reason."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import people
from demosaic.errors import PROBLEM, DemosaicError
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.decoding import decode, decode_photo, read_image
from demosaic.imaging.encoding import encode_png
from demosaic.imaging.opening import NotAPicture
from doubles import encoded, texture

KINDS = ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF", "BMP", "GIF", "PPM"]


def huge_png() -> bytes:
    """A tiny file that says it is 100,000 pixels wide and high."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    body = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + body + b"\0\0\0\0IDAT\x35\xaf\x06\x1e"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"Dear diary,\n" * 20, "not a picture"),
        (
            encoded(Image.fromarray(texture(64, 64)), "JPEG")[:1500],
            "damaged picture (image file is",
        ),
        (encode_png(texture(64, 64))[:5000], "damaged picture (image file is truncated"),
        (huge_png(), "too large: 100000 x 100000 pixels"),
    ],
    ids=["empty", "text", "truncated jpeg", "truncated png", "huge"],
)
def test_what_is_no_picture_is_refused_with_the_reason(
    data: bytes, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(NotAPicture) as caught:
        decode(data)
    assert str(caught.value).startswith(reason)
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(DemosaicError) as caught_with_name:
        read_image(tmp_path / "a.jpg")
    assert str(caught_with_name.value).startswith(f"{tmp_path / 'a.jpg'}: {reason}")
    assert caught_with_name.value.exit_code == PROBLEM


TURNED = (0x0112, 3, struct.pack("<HH", 6, 0))


@pytest.mark.parametrize(
    "entry",
    [
        (0x0100, 2, b"ab\0\0"),
        (0x0128, 1, b"ab\0\0"),
        (0x011A, 2, b"ab\0\0"),
        (0x011A, 11, struct.pack("<f", float("nan"))),
        (0x8825, 2, b"ab\0\0"),
    ],
    ids=["width as text", "unit as bytes", "resolution as text", "resolution nan", "gps as text"],
)
def test_a_good_picture_with_bad_exif_is_a_picture_or_refused(
    entry: tuple[int, int, bytes],
) -> None:
    entries = [struct.pack("<HHI4s", tag, kind, 1, value) for tag, kind, value in (TURNED, entry)]
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + b"".join(entries) + bytes(4)
    data = encoded(Image.fromarray(texture(8, 6)), "JPEG", exif=exif)
    try:
        assert decode(data).shape in ((8, 6, 3), (6, 8, 3))
    except NotAPicture as error:
        assert str(error).startswith("damaged picture (")


@given(st.integers(0, 10_000))
def test_no_damaged_byte_makes_any_other_exception(seed: int) -> None:
    rng = np.random.default_rng(seed)
    exif = Image.Exif()
    exif[0x0112] = 6
    kind = str(rng.choice(["JPEG", "PNG", "WEBP", "GIF"]))
    options = {} if kind == "GIF" else {"exif": exif}
    data = bytearray(encoded(Image.fromarray(texture(9, 7)), kind, **options))
    for place in rng.integers(0, len(data), rng.integers(1, 4)):
        data[place] = rng.integers(0, 256)
    try:
        assert decode(bytes(data)).shape[2] == 3
    except NotAPicture as error:
        assert str(error)


@pytest.mark.parametrize("read", [decode, decode_photo])
def test_a_mistake_in_our_conversion_does_not_pass_for_a_damaged_picture(
    read: Callable[[bytes], Pixels], monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(image: Image.Image) -> Image.Image:
        raise TypeError("a mistake of ours")

    monkeypatch.setattr("demosaic.imaging.conversion.to_rgb", mistaken)
    with pytest.raises(TypeError, match=r"^a mistake of ours$"):
        read(encoded(Image.fromarray(texture(4, 4)), "PNG"))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_ends_too_early_is_refused_not_half_used(kind: str, share: float) -> None:
    data = encoded(Image.fromarray(people.photo(0, 0, 0).image).resize((200, 300)), kind)
    for read in (decode, decode_photo, lambda data: decode_photo(data, 4)):
        with pytest.raises(NotAPicture) as caught:
            read(data[: int(len(data) * share)])
        assert str(caught.value).startswith("damaged picture (")


def test_the_limit_of_size_that_a_program_set_in_pillow_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    data = encode_png(texture(64, 64))
    assert np.array_equal(decode(data), texture(64, 64))
    assert Image.MAX_IMAGE_PIXELS == 100
    with pytest.raises(Image.DecompressionBombError):
        Image.open(io.BytesIO(data))
