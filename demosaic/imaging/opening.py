"""Picture files opened with Pillow: which are too large, damaged or no pictures at all."""

import io
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from PIL import Image, ImageCms, UnidentifiedImageError

from demosaic.errors import DemosaicError

_MAX_PIXELS = (
    300_000_000  # more is a decompression bomb; the largest phone cameras make 200 million
)

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


class NotAPicture(DemosaicError):
    """The bytes are no picture, or a damaged one."""


@contextmanager
def picture_in(data: bytes) -> Iterator[Image.Image]:
    """The picture in the bytes of a file, its pixels not yet read. Raises NotAPicture.

    Only errors of opening it become NotAPicture; those of the caller's block pass through.
    """
    if not data:
        raise NotAPicture("empty file")
    if _is_cut_short(data):
        raise NotAPicture("damaged picture (file is truncated)")
    with ExitStack() as stack:
        with decoding():
            image = stack.enter_context(opened(io.BytesIO(data)))
        refuse_too_large(image, 1)
        yield image


def refuse_too_large(image: Image.Image, count: int) -> None:
    """Raise NotAPicture when so many pictures of this size have more pixels than are read."""
    if image.width * image.height * count > _MAX_PIXELS:
        times = f"{count} times " if count > 1 else ""
        raise NotAPicture(f"too large: {times}{image.width} x {image.height} pixels")


@contextmanager
def decoding() -> Iterator[None]:
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


@contextmanager
def opened(source: Path | io.BytesIO) -> Iterator[Image.Image]:
    """The picture in a file, its pixels not yet read, of any size. Raises what Pillow does.

    Pillow's warnings (of bad EXIF, say) are not shown.
    """
    _register_heif()
    with warnings.catch_warnings(), ExitStack() as stack:
        warnings.simplefilter("ignore")
        try:
            image = stack.enter_context(Image.open(source))
        except Image.DecompressionBombError:
            stack.enter_context(_any_size())
            image = stack.enter_context(Image.open(source))
        yield image


_changing_the_limit = threading.RLock()


@contextmanager
def _any_size() -> Iterator[None]:
    """Lift Pillow's limit of a picture's size, which is one for the whole process, in this block.

    It is below the pictures of large phone cameras, and its message does not say the size.
    """
    with _changing_the_limit:
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


@cache
def _register_heif() -> None:
    """Let Pillow read HEIC. Called with the first picture, so that importing does no work."""
    import pillow_heif

    pillow_heif.register_heif_opener()


def _is_cut_short(data: bytes) -> bool:
    """Whether a HEIC or AVIF file ends inside one of its boxes (ISO/IEC 14496-12 §4.2).

    libheif returns the part of the picture that is there. Decoders of other formats notice.
    """
    if data[4:8] != b"ftyp":
        return False
    place = 0
    while data[place + 4 : place + 8] in (b"ftyp", b"meta", b"mdat", b"free"):
        length = int.from_bytes(data[place : place + 4], "big")
        if length == 1:  # the length follows in 64 bits
            length = int.from_bytes(data[place + 8 : place + 16], "big")
        if length < 8:  # 0: the box goes to the end of the file
            return False
        place += length
    return place > len(data)
