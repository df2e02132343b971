"""Uploaded pictures opened, and what is wrong with one in words for the page."""

from collections.abc import Iterator
from contextlib import contextmanager

from demosaic.app.uploads import Upload
from demosaic.errors import DemosaicError
from demosaic.imaging.decoding import read_size
from demosaic.imaging.original import Original, read_original

MOST_PIXELS = 60_000_000
"""Pixels of a picture; each takes some 40 bytes while it is worked on."""

_SUFFIXES = {
    "PNG": ".png",
    "JPEG": ".jpg",
    "MPO": ".jpg",
    "WEBP": ".webp",
    "GIF": ".gif",
    "TIFF": ".tif",
    "AVIF": ".avif",
}


def refuse_too_large(upload: Upload) -> None:
    """Raise DemosaicError for a file that is no picture, and for one that has too many pixels. Only
    its header is read.
    """
    with explained(upload):
        width, height = read_size(upload.source)
    refuse_pixels(width, height)


def refuse_pixels(width: int, height: int) -> None:
    """Raise DemosaicError for a size that takes too much memory."""
    if width * height > MOST_PIXELS:
        raise DemosaicError(
            f"This picture has {width} x {height} pixels. "
            f"At most {MOST_PIXELS // 10**6} million are opened here."
        )


def opened(upload: Upload) -> Original:
    """The picture of an upload, with all that its file has. Raises DemosaicError."""
    with explained(upload):
        return read_original(upload.source)


def result_suffix(original: Original) -> str:
    """With which suffix the result is written: that of the same format, or `.png` where that is
    only read.
    """
    return _SUFFIXES.get(original.format, ".png")


def has_frames(original: Original) -> bool:
    """Whether a file has several pictures of equal rank: frames or pages."""
    return len(original.pages) > 1 and original.format != "MPO"


@contextmanager
def explained(upload: Upload) -> Iterator[None]:
    """Raises a DemosaicError anew without the name of our temporary file."""
    try:
        yield
    except DemosaicError as error:
        text = str(error).replace(f"{upload.source}: ", "").replace(str(upload.source), "the file")
        raise DemosaicError(text, error.exit_code) from error
