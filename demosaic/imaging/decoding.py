"""Picture files to arrays."""

import math
import os
import stat
from datetime import datetime
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from demosaic.errors import DemosaicError
from demosaic.imaging import conversion
from demosaic.imaging.arrays import Mask, Pixels, to_grey
from demosaic.imaging.opening import DAMAGED, NotAPicture, decoding, opened, picture_in

_MAX_BYTES = 1_000_000_000  # anything larger is a video, and would not fit into memory


def read_bytes(path: Path) -> bytes:
    """The content of a file. Raises DemosaicError when it cannot be read, has more than 1 GB, or is
    a pipe or a device, which may never end.
    """
    try:
        if path.is_dir():  # `find_images` lists folders that cannot be entered: say why not
            os.scandir(path).close()
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise DemosaicError(f"{path}: not a picture (it is no regular file)")
        if about.st_size > _MAX_BYTES:
            raise DemosaicError(f"{path}: not a picture (it has more than 1 GB)")
        return path.read_bytes()
    except OSError as error:
        raise DemosaicError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:  # a zero byte in the name
        raise DemosaicError(f"cannot read {path}: {error}") from error


def read_image(path: Path) -> Pixels:
    """The picture in a file, (H, W, 3), decoded as by `decode`. Raises DemosaicError that names
    the file when it contains none.
    """
    try:
        return decode(read_bytes(path))
    except NotAPicture as error:
        raise DemosaicError(f"{path}: {error}") from error


def read_mask(path: Path) -> Mask:
    """Where the picture in a file is brighter than half, (H, W). Raises DemosaicError that names
    the file when it contains none.
    """
    return to_grey(read_image(path)) > 127


def read_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture file as stored, from its header. Raises DemosaicError."""
    try:
        with opened(path) as image:
            width, height = image.size
            return width, height
    except DAMAGED as error:
        raise DemosaicError(f"{path}: not a picture") from error


def decode(data: bytes) -> Pixels:
    """The upright picture (H, W, 3) in the bytes of a file, whose format its content tells.

    Its values are those stored, whatever its profile and transparency say. Raises NotAPicture.
    """
    with picture_in(data) as image:
        _load(image)
        return np.asarray(conversion.to_rgb(conversion.upright(image)))


def decode_photo(data: bytes, reduce: int = 1) -> Pixels:
    """The upright picture (H, W, 3) in the bytes of a file as a viewer shows it: converted from its
    profile to sRGB, transparent parts over white. Raises NotAPicture.

    `reduce` of 1, 2, 4 or 8 divides the sides, rounded up. Pixels then have the means of areas; a
    JPEG is reduced while it is decoded, which takes a third of the time.
    """
    with picture_in(data) as image:
        size = math.ceil(image.width / reduce), math.ceil(image.height / reduce)
        _load(image, draft=(image.width // reduce, image.height // reduce))
        seen = conversion.to_rgb(
            conversion.in_srgb(conversion.over_white(conversion.upright(image)))
        )
        if sorted(seen.size) != sorted(size):
            with decoding():
                seen = seen.reduce(reduce)
        return np.asarray(seen)


def photo_size(data: bytes) -> tuple[int, int]:
    """Width and height of the upright picture in the bytes of a file, from its header. Raises
    NotAPicture.
    """
    with picture_in(data) as image, decoding():
        width, height = image.size
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        turned = image.format != "TIFF" and orientation >= 5
        return (height, width) if turned else (width, height)


def taken_at(data: bytes) -> datetime | None:
    """When a photo was taken, by its EXIF; None when that does not say."""
    try:
        with picture_in(data) as image, decoding():
            when = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
    except NotAPicture:
        return None
    try:
        return datetime.strptime(str(when), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None


def _load(image: Image.Image, draft: tuple[int, int] | None = None) -> None:
    """Read the pixels and the orientation, which Pillow puts off until they are used. Raises
    NotAPicture.

    `draft` is the least width and height to decode a JPEG at.
    """
    with decoding():
        if draft and image.format in ("JPEG", "MPO"):
            image.draft(None, draft)
        image.load()
        conversion.turn_of(image)
