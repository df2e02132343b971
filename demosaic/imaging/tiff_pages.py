"""Pictures of 8 and 16 bits to the pages of a TIFF file."""

import io
from collections.abc import Sequence

from isal import isal_zlib
from PIL import Image, TiffImagePlugin
from PIL.ExifTags import Base

from demosaic.imaging.metadata import Metadata
from demosaic.imaging.stored import COLOURS, Stored

_DEFLATED, _HORIZONTAL = 8, 2
_PHOTOMETRIC = {"L": 1, "RGB": 2, "CMYK": 5}


def encode_tiff(pages: Sequence[tuple[Stored, Metadata]]) -> bytes:
    """A TIFF file of pictures with their metadata."""
    file = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(file) as writer:
        for page, metadata in pages:
            writer.write(_page(page, metadata))
            writer.newFrame()
    return file.getvalue()


def _page(page: Stored, metadata: Metadata) -> bytes:
    """A TIFF file of one picture: one strip, deflated.

    EXIF is a TIFF file without a picture: only the tags of a picture (TIFF 6.0 §6) and the strip
    are missing. Pillow counts a strip's offset from the end of the tags. The package tifffile does
    not do this: it writes no EXIF beside a picture (it leaves out the tags Exif and GPSInfo).
    """
    height, width, channels = page.levels.shape
    strip = isal_zlib.compress(_differences(page), 1)
    tags = Image.Exif()
    if metadata.exif:
        tags.load(metadata.exif)
    tags.endian = "<"
    tags[Base.ImageWidth] = width
    tags[Base.ImageLength] = height
    tags[Base.BitsPerSample] = (8 * page.levels.itemsize,) * channels
    tags[Base.SamplesPerPixel] = channels
    tags[Base.Compression] = _DEFLATED
    tags[Base.Predictor] = _HORIZONTAL
    tags[Base.PhotometricInterpretation] = _PHOTOMETRIC[page.mode.removesuffix("A")]
    tags[Base.StripOffsets] = 0
    tags[Base.RowsPerStrip] = height
    tags[Base.StripByteCounts] = len(strip)
    if channels > COLOURS[page.mode]:
        tags[Base.ExtraSamples] = 2  # alpha, not multiplied in
    if metadata.xmp:
        tags[Base.XMLPacket] = metadata.xmp.encode()
    if metadata.profile:
        tags[Base.InterColorProfile] = metadata.profile
    if metadata.resolution and Base.XResolution not in tags:
        tags[Base.XResolution], tags[Base.YResolution] = metadata.resolution
        tags[Base.ResolutionUnit] = 2  # inches
    if metadata.comment and Base.ImageDescription not in tags:
        tags[Base.ImageDescription] = metadata.comment
    return tags.tobytes().removeprefix(b"Exif\0\0") + strip


def _differences(page: Stored) -> bytes:
    """The levels of the page, each less that of the pixel to its left (TIFF 6.0 §14), which halves
    a photo's file.
    """
    levels = page.levels.astype(page.levels.dtype.newbyteorder("<"))
    levels[:, 1:] -= page.levels[:, :-1]
    return levels.tobytes()
