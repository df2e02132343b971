"""A photo is decoded upright and its faces found, or the reason is given."""

import hashlib
import io
import json

import numpy as np
import pytest
from PIL import Image

import people
from demosaic.config.rules import LEAST_SCORE
from demosaic.faces.analysis import Examined, examine
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.imaging.arrays import Pixels, resize
from demosaic.imaging.encoding import encode_png
from demosaic.records import read


@pytest.fixture(scope="module")
def detector() -> ShortRangeDetector:
    return ShortRangeDetector(LEAST_SCORE)


def saved(image: Pixels, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, **options)
    return file.getvalue()


def test_a_photo_is_examined_in_its_upright_pixels(detector: ShortRangeDetector) -> None:
    photo = people.photo(0, 0, 0)
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = np.rot90(photo.image)
    examined = examine(saved(stored, exif=exif), detector)
    assert (examined.height, examined.width) == photo.image.shape[:2]
    (face,) = examined.faces
    x, y, side, _ = photo.faces[0].box
    assert abs(face.box.x + face.box.width / 2 - x - side / 2) < 0.25 * side
    assert abs(face.box.y + face.box.height / 2 - y - side / 2) < 0.25 * side
    assert face.angle == 0
    assert (examined.reason, examined.detail) == ("", "")


def test_what_is_examined_survives_json(detector: ShortRangeDetector) -> None:
    for data in (
        saved(people.photo(0, 0, 0).image),
        saved(people.photo(1, 0, 0).image[::-1]),
        b"",
        b"text",
    ):
        examined = examine(data, detector)
        assert read(Examined, json.loads(json.dumps(examined.as_record())), "here") == examined


@pytest.mark.parametrize(
    ("data", "reason", "detail"),
    [
        (b"", "empty file", "empty file"),
        (b"Dear diary", "not a picture", "not a picture"),
        (saved(np.zeros((90, 90, 3), np.uint8))[:60], "damaged picture",
         "damaged picture (image file is truncated)"),
    ],
)  # fmt: skip
def test_what_is_no_photo_is_examined_with_its_reason(
    data: bytes, reason: str, detail: str, detector: ShortRangeDetector
) -> None:
    examined = examine(data, detector)
    assert examined == Examined(reason=reason, detail=detail)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_face_is_where_it_is_however_large_the_photo(
    kind: str, detector: ShortRangeDetector
) -> None:
    """A JPEG is decoded smaller, other formats are shrunk."""
    photo = people.photo(0, 0, 0).image
    once = examine(saved(photo, kind), detector)
    height, width = photo.shape[:2]
    large = resize(photo, 4 * width, 4 * height)
    four_times = examine(saved(large, kind), detector)
    assert (four_times.width, four_times.height) == (4 * width, 4 * height)
    (small,), (big,) = once.faces, four_times.faces
    assert abs(big.box.x - 4 * small.box.x) < 0.06 * big.box.width
    assert abs(big.box.width - 4 * small.box.width) < 0.06 * big.box.width
    assert np.allclose(big.keypoints, 4 * np.array(small.keypoints), atol=0.05 * big.box.width)


def photo(level: int = 0) -> tuple[bytes, str]:
    """A photo and its hash."""
    data = encode_png(np.full((200, 250, 3), level, np.uint8))
    return data, hashlib.sha256(data).hexdigest()
