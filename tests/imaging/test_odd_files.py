"""Files that a folder of photos really contains; they lie beside a checkout, not in it."""

from pathlib import Path

import numpy as np
import pytest

from demosaic.faces.analysis import Examined, examine
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.imaging.decoding import decode, decode_photo, photo_size
from demosaic.imaging.opening import NotAPicture
from demosaic.records import read

ODD_FILES = Path(__file__).parents[3] / "shared" / "odd_files"
pytestmark = pytest.mark.skipif(
    not ODD_FILES.is_dir(), reason="the odd files lie beside a checkout only"
)

REFUSED = {
    "README.md": "not a picture",
    "broken.png": "not a picture",
    "broken_data_stream.png": "damaged picture (unrecognized data stream contents",
    "decompression_bomb.gif": "too large: 65535 x 66601 pixels",
    "empty.heic": "empty file",
    "truncated.heic": "damaged picture (file is truncated)",
    "truncated_image.png": "damaged picture (image file is truncated)",
    "truncated_jpeg.jpg": "damaged picture (image file is truncated (8 bytes not processed))",
}
SIZES = {
    "Portrait_6.jpg": (1200, 1800),
    "exif_gps.jpg": (8, 8),
    "frozenpond.mpo": (640, 480),
    "hopper_bad_exif.jpg": (500, 500),
    "icc_profile_big.jpg": (425, 250),
    "pil_sample_cmyk.jpg": (100, 100),
    "tiff_16bit_RGB.tiff": (100, 40),
    "zPug_3.heic": (64, 64),
}
"""Of what is no 128 x 128 px."""
IN_COLOUR = [
    "hopper.avif",
    "hopper.bmp",
    "hopper.gif",
    "hopper.ppm",
    "hopper.tif",
    "hopper.webp",
    "hopper_jpg.tif",
    "hopper_orientation_6.webp",
    *(f"hopper_orientation_{number}.jpg" for number in range(2, 9)),
]
IN_GREY = ["hopper_16bit.pgm", "hopper_gray.jpg"]


def names() -> list[str]:
    """The odd files, of a checkout that has them."""
    return sorted(path.name for path in ODD_FILES.iterdir()) if ODD_FILES.is_dir() else []


def data(name: str) -> bytes:
    return (ODD_FILES / name).read_bytes()


@pytest.fixture(scope="module")
def detector() -> ShortRangeDetector:
    return ShortRangeDetector(0.3)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_no_whole_picture_is_refused_with_its_own_reason(name: str) -> None:
    for decoder in (decode, decode_photo):
        with pytest.raises(NotAPicture) as caught:
            decoder(data(name))
        assert str(caught.value).startswith(REFUSED[name])


@pytest.mark.parametrize("name", [name for name in names() if name not in REFUSED])
def test_every_other_file_is_a_picture_of_the_size_in_its_header(name: str) -> None:
    width, height = SIZES.get(name, (128, 128))
    assert photo_size(data(name)) == (width, height)
    for image in (decode(data(name)), decode_photo(data(name))):
        assert image.dtype == np.uint8
        assert image.shape == (height, width, 3)
    quarter = decode_photo(data(name), 4)
    assert quarter.shape == (-(-height // 4), -(-width // 4), 3)


@pytest.mark.parametrize("name", IN_COLOUR)
def test_one_portrait_in_every_format_and_turn_is_one_picture(name: str) -> None:
    portrait = decode_photo(data("hopper.png")).astype(int)
    assert np.abs(decode_photo(data(name)) - portrait).mean() < 8  # some were saved twice


@pytest.mark.parametrize("name", IN_GREY)
def test_a_portrait_in_grey_has_its_levels(name: str) -> None:
    grey = decode_photo(data("hopper.png")).astype(int) @ (0.299, 0.587, 0.114)
    assert np.abs(decode_photo(data(name)) - grey[..., None]).mean() < 4


def test_the_red_of_an_inverted_cmyk_jpeg_is_red() -> None:
    red, green, blue = decode_photo(data("pil_sample_cmyk.jpg")).max(axis=(0, 1))
    assert red > 240 and max(green, blue) < 60


@pytest.mark.parametrize("name", [*IN_COLOUR, *IN_GREY])
def test_the_face_is_found_upright_whatever_holds_it(
    name: str, detector: ShortRangeDetector
) -> None:
    (face,) = examine(data(name), detector).faces
    assert face.angle == 0
    assert face.score > 0.8
    middle = face.box.x + face.box.width / 2, face.box.y + face.box.height / 2
    assert np.hypot(middle[0] - 63, middle[1] - 49) < 10


@pytest.mark.parametrize("name", names())
def test_whatever_is_examined_gives_a_record_that_reads_back(
    name: str, detector: ShortRangeDetector
) -> None:
    examined = examine(data(name), detector)
    assert read(Examined, examined.as_record(), "here") == examined
    assert REFUSED.get(name, "").startswith(examined.reason)
    assert bool(examined.reason) == (name in REFUSED)
