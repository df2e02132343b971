"""Files to arrays and back. Only here, and in `edits`, are EXIF turns, colour modes, bit depths and
file formats known.
"""

import io
import math
import os
import struct
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, UnidentifiedImageError

from demosaic.errors import DemosaicError
from demosaic.imaging.arrays import Pixels, to_grey

_MAX_BYTES = 1_000_000_000  # a video, then; reading it would take so much memory

_MAX_PIXELS = 300_000_000  # a decompression bomb beyond; the largest phone cameras make 200 million

DAMAGED = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    TypeError,
    RuntimeError,
    MemoryError,
    struct.error,
    ImageCms.PyCMSError,
)
"""What Pillow raises on damaged files."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

EXIF_ORIENTATION = 0x0112

_MODE_OF_COLOURS = {"RGB ": "RGB", "CMYK": "CMYK", "GRAY": "L"}  # of an ICC profile


def read_bytes(path: Path) -> bytes:
    """What is in the file. Raises DemosaicError when it cannot be read."""
    try:
        if path.is_dir():  # `find_images` lists those that cannot be entered: say why not
            os.scandir(path).close()
        if path.stat().st_size > _MAX_BYTES:
            raise DemosaicError(f"{path} is no picture: it is larger than any")
        return path.read_bytes()
    except OSError as error:
        raise DemosaicError(f"cannot read {path}: {error.strerror}") from error


def read_image(path: Path) -> Pixels:
    """The picture in a file, upright. Raises DemosaicError that names the file when it holds
    none.
    """
    try:
        return decode(read_bytes(path))
    except NotAPicture as error:
        raise DemosaicError(f"{path}: {error}") from error


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Where the picture in a file is brighter than half. Raises DemosaicError that names the
    file.
    """
    return to_grey(read_image(path)) > 127


class NotAPicture(DemosaicError):
    """The bytes are no picture, or a damaged one."""


def decode(data: bytes) -> Pixels:
    """The upright RGB picture in the bytes of a file, told by content, not name; its values as
    stored, whatever its profile and transparency say. Raises NotAPicture.
    """
    with _picture_in(data) as image:
        _load(image)
        return np.asarray(to_rgb(upright(image)))


def decode_photo(data: bytes, reduce: int = 1) -> Pixels:
    """The upright picture in the bytes of a file as it is to be seen: in sRGB by its profile, what
    is transparent over white.

    `reduce`, 1, 2, 4 or 8, makes the sides so many times shorter (rounded up): by area means, and
    where it is a JPEG while it is decoded, which takes a third of the time. Raises NotAPicture.
    """
    with _picture_in(data) as image:
        size = math.ceil(image.width / reduce), math.ceil(image.height / reduce)
        _load(image, draft=(image.width // reduce, image.height // reduce))
        seen = to_rgb(_in_srgb(_flattened(upright(image))))
        if sorted(seen.size) != sorted(size):
            seen = seen.reduce(reduce)
        return np.asarray(seen)


def photo_size(data: bytes) -> tuple[int, int]:
    """Width and height of the upright picture in the bytes of a file, from its header. Raises
    NotAPicture.
    """
    with _picture_in(data) as image, _decoding():
        width, height = image.size
        turned = image.format != "TIFF" and image.getexif().get(EXIF_ORIENTATION, 1) >= 5
        return (height, width) if turned else (width, height)


def taken_at(data: bytes) -> datetime | None:
    """When a photo was taken, as its EXIF says; None where it does not."""
    try:
        with _picture_in(data) as image, _decoding():
            when = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
    except NotAPicture:
        return None
    try:
        return datetime.strptime(str(when), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None


@contextmanager
def _picture_in(data: bytes) -> Iterator[Image.Image]:
    """The picture in the bytes of a file, its pixels not yet read. Raises NotAPicture.

    Only errors of opening it become NotAPicture; those of the caller's block pass through.
    """
    if not data:
        raise NotAPicture("empty file")
    if _is_cut_short(data):
        raise NotAPicture("damaged picture (file is truncated)")
    with ExitStack() as stack:
        with _decoding():
            image = stack.enter_context(opened(io.BytesIO(data)))
        if image.width * image.height > _MAX_PIXELS:
            raise NotAPicture(f"too large: {image.width} x {image.height} pixels")
        yield image


@contextmanager
def _decoding() -> Iterator[None]:
    """Turns what Pillow raises on a damaged file into NotAPicture, which says why in a few words.

    Put only Pillow's own reading inside: a mistake of ours must not pass for a damaged picture.
    """
    try:
        yield
    except UnidentifiedImageError as error:
        raise NotAPicture("not a picture") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NotAPicture("too large") from error
    except DAMAGED as error:
        raise NotAPicture(f"damaged picture ({' '.join(str(error).split())})") from error


def _load(image: Image.Image, draft: tuple[int, int] | None = None) -> None:
    """Read the pixels and the orientation, which Pillow puts off until they are used. Raises
    NotAPicture.

    `draft` is the width and height that a JPEG may be decoded at, or larger.
    """
    with _decoding():
        if draft and image.format in ("JPEG", "MPO"):
            image.draft(None, draft)
        image.load()
        turn_of(image)


def _is_cut_short(data: bytes) -> bool:
    """Whether a HEIC or AVIF file ends inside one of its boxes (ISO/IEC 14496-12 §4.2).

    libheif hands out what it finds up to there. Other decoders see for themselves.
    """
    if data[4:8] != b"ftyp":
        return False
    place = 0
    while data[place + 4 : place + 8] in (b"ftyp", b"meta", b"mdat", b"free"):
        length = int.from_bytes(data[place : place + 4], "big")
        if length == 1:  # it follows in 64 bits
            length = int.from_bytes(data[place + 8 : place + 16], "big")
        if length < 8:  # 0 is a box that goes to the end
            return False
        place += length
    return place > len(data)


@contextmanager
def opened(source: Path | io.BytesIO) -> Iterator[Image.Image]:
    """The picture in a file, lazily; what Pillow warns of (bad EXIF, say) is not shown."""
    _register_heif()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(source) as image:
            yield image


@cache
def _register_heif() -> None:
    """Let Pillow read HEIC; once, at the first picture, so that importing this room does no
    work.
    """
    import pillow_heif

    pillow_heif.register_heif_opener()
    Image.MAX_IMAGE_PIXELS = (
        None  # our own limit, above, says what is wrong in one line and warns never
    )


def upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF says. Pillow's own exif_transpose also rewrites it, and fails on bad EXIF.

    Loaded first, as Pillow turns a TIFF by itself then, and drops the orientation.
    """
    image.load()
    turn = turn_of(image)
    return image if turn is None else image.transpose(turn)


def turn_of(image: Image.Image) -> Image.Transpose | None:
    """How a picture, once loaded, is to be turned, as its EXIF says; None where it is upright."""
    return _TURNS.get(image.getexif().get(EXIF_ORIENTATION, 1))


def _flattened(image: Image.Image) -> Image.Image:
    """What is transparent, over white."""
    if not image.has_transparency_data:
        return image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")


def _in_srgb(image: Image.Image) -> Image.Image:
    """The colours that the embedded profile means; as they are when it is none or a broken one."""
    profile = image.info.get("icc_profile")
    transform = _to_srgb(profile, image.mode) if profile else None
    if transform is None:
        return image
    with _decoding():  # a damaged profile may show only here
        return transform.apply(image)


@lru_cache(maxsize=8)  # an album has few profiles, and reading one takes longer than a small photo
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """What turns the colours of a picture of `mode` into sRGB; None when nothing is to be done."""
    try:
        held = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        fits = _MODE_OF_COLOURS.get(held.profile.xcolor_space) == mode
        if not fits or ImageCms.getProfileDescription(held).startswith("sRGB"):
            return None
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.ImageCmsTransform(held, ImageCms.ImageCmsProfile(srgb), mode, "RGB")
    except DAMAGED:
        return None


def to_rgb(image: Image.Image) -> Image.Image:
    """In 8 bits of red, green and blue, whatever the mode."""
    if image.mode[0] not in "IF":
        return image if image.mode == "RGB" else image.convert("RGB")
    # 16-bit or float grey, which Pillow's own conversion clips at 255: of 16 bits the upper 8, as
    # Pillow takes them of colours
    grey = np.asarray(image, dtype=np.float32)
    step = 1 if grey.max(initial=0) <= 255 else 256
    levels = np.clip(grey / step, 0, 255).astype(np.uint8)
    return Image.fromarray(levels).convert("RGB")


def read_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture file as stored, from its header. Raises DemosaicError."""
    try:
        with opened(path) as image:
            width, height = image.size
            return width, height
    except DAMAGED as error:
        raise DemosaicError(f"{path}: not a picture") from error
