"""The EXIF of an edited picture: a new thumbnail, and every other byte in its place."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from demosaic.imaging.exif import with_new_thumbnail

OLD = Image.new("RGB", (64, 48), (200, 0, 0))
NEW = Image.new("RGB", (640, 480), (0, 0, 200))


def jpeg(image: Image.Image, quality: int = 95) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def exif_with(entries: dict[int, int], thumbnail: bytes, order: str = ">") -> bytes:
    """EXIF with a maker's note in its first directory and a thumbnail after its second, which has
    these entries; 0 stands for the place of the thumbnail.
    """
    note = b"the place of this must not change"
    start = 8 + 2 + 12 + 4 + len(note)
    place = start + 2 + 12 * len(entries) + 4
    data = (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(order + "I", 8)
    data += struct.pack(order + "HHHII", 1, 0x927C, 7, len(note), 26)
    data += struct.pack(order + "I", start) + note
    data += struct.pack(order + "H", len(entries))
    for tag, value in entries.items():
        data += struct.pack(order + "HHII", tag, 4, 1, value or place)
    return data + bytes(4) + thumbnail + b"what follows"


def thumbnail_in(exif: bytes, length: int) -> Image.Image:
    return Image.open(io.BytesIO(exif[-length - len(b"what follows") :])).convert("RGB")


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_thumbnail_is_made_anew_and_nothing_else_changes(order: str) -> None:
    old = jpeg(OLD)
    exif = exif_with({0x201: 0, 0x202: len(old)}, old, order)
    new = with_new_thumbnail(exif, NEW)
    assert len(new) == len(exif)
    where = [place for place, pair in enumerate(zip(new, exif, strict=True)) if len({*pair}) > 1]
    assert where[0] >= exif.index(b"this must not change")
    assert new.endswith(b"what follows")
    thumbnail = thumbnail_in(new, len(old))
    assert thumbnail.size == (64, 48)
    assert np.asarray(thumbnail).mean((0, 1)) == pytest.approx((0, 0, 200), abs=4)


@pytest.mark.parametrize(
    ("entries", "thumbnail"),
    [
        ({0x201: 0, 0x202: 20}, jpeg(OLD)[:20]),  # too short for any picture
        ({0x111: 0, 0x117: 64 * 48 * 3}, OLD.tobytes()),  # not compressed
        ({0x201: 0}, jpeg(OLD)),  # of unknown length
    ],
)
def test_a_thumbnail_that_cannot_be_made_anew_is_gone(
    entries: dict[int, int], thumbnail: bytes
) -> None:
    exif = exif_with(entries, thumbnail)
    new = with_new_thumbnail(exif, NEW)
    assert len(new) == len(exif)
    assert thumbnail[:20] not in new
    assert b"the place of this must not change" in new
    read = Image.Exif()
    read.load(new)
    assert read.get_ifd(1) == {}


def test_exif_without_a_thumbnail_stays_and_damaged_exif_goes() -> None:
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    data = exif.tobytes().removeprefix(b"Exif\0\0")
    assert with_new_thumbnail(data, NEW) == data
    assert with_new_thumbnail(data[:9], NEW) == b""
    assert with_new_thumbnail(b"no EXIF", NEW) == b""
