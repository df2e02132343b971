"""Pictures of 16 bits a channel, which Pillow neither reads nor writes in colour."""

from collections.abc import Callable

import cv2
import numpy as np
from isal import isal_zlib
from PIL import Image, TiffImagePlugin
from PIL.ExifTags import Base

from demosaic.imaging.arrays import Levels, Pixels
from demosaic.imaging.conversion import to_rgb, turn_of, upright
from demosaic.imaging.encoding import encode_png
from demosaic.imaging.metadata import Metadata

_PNG_BIT_DEPTH_AT = 24  # its byte in the file, as IHDR always comes first


def edited_levels(image: Pixels, original: Image.Image, data: bytes) -> Levels | None:
    """An edited picture (H, W, 3) in the 16 bits of its original, which `data` contains: unedited
    pixels as stored there, edited ones as 8 bits say. None when the original has no 16 bits.
    """
    levels = _sixteen_bits(original, data)
    if levels is None:
        return None
    before, colours = np.asarray(to_rgb(upright(original))), levels[:, :, :3]
    # Pillow and cv2 differ about premultiplied alpha, and about grey dark enough for 8 bits
    if colours.shape != before.shape:
        return None
    if np.any(np.abs((colours // 257).astype(np.int16) - before) > 1):
        return None
    edited = np.any(image != before, axis=2)
    colours[edited] = image[edited].astype(np.uint16) * 257
    return levels


def _sixteen_bits(original: Image.Image, data: bytes) -> Levels | None:
    """The upright picture in the bytes of a PNG or TIFF of 16 bits; None in those of any other.

    cv2 reads it, as Pillow reads no colours of more than 8 bits. Like Pillow, cv2 turns a TIFF by
    itself; asked for the unchanged pixels of a PNG it does not turn them.
    """
    if not _has_sixteen_bits(original, data):
        return None
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.dtype != np.uint16:
        return None
    if stored.ndim == 2:
        order = cv2.COLOR_GRAY2RGB
    elif stored.shape[2] == 3:
        order = cv2.COLOR_BGR2RGB
    else:
        order = cv2.COLOR_BGRA2RGBA if original.has_transparency_data else cv2.COLOR_BGRA2RGB
    levels = np.asarray(cv2.cvtColor(stored, order), np.uint16)
    original.load()  # as in `upright`
    turn = turn_of(original)
    if turn is None:
        return levels
    planes = (Image.fromarray(plane).transpose(turn) for plane in cv2.split(levels))
    return np.stack([np.asarray(plane, np.uint16) for plane in planes], axis=2)


def _has_sixteen_bits(original: Image.Image, data: bytes) -> bool:
    if isinstance(original, TiffImagePlugin.TiffImageFile):
        return set(original.tag_v2.get(Base.BitsPerSample, ())) == {16}
    return original.format == "PNG" and data[_PNG_BIT_DEPTH_AT] == 16


def _encode_png(levels: Levels, metadata: Metadata) -> bytes:
    """A PNG file of the picture, its metadata in chunks (PNG, third edition, §11.3)."""
    chunks = []
    if metadata.profile:
        chunks.append((b"iCCP", b"ICC Profile\0\0" + isal_zlib.compress(metadata.profile)))
    if metadata.exif:
        chunks.append((b"eXIf", metadata.exif.tobytes().removeprefix(b"Exif\0\0")))
    if metadata.xmp:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp.encode()))
    return encode_png(levels, chunks)


def _encode_tiff(levels: Levels, metadata: Metadata) -> bytes:
    """A TIFF file of the picture with its metadata: one strip, deflated.

    EXIF is a TIFF file without a picture: only the tags of a picture (TIFF 6.0 §6) and the strip
    are missing. Pillow counts a strip's offset from the end of the tags. The package tifffile does
    not do this: it writes no EXIF beside a picture (it leaves out the tags Exif and GPSInfo).
    """
    height, width, channels = levels.shape
    strip = isal_zlib.compress(np.ascontiguousarray(levels, "<u2"), 1)
    tags = metadata.exif
    tags.endian = "<"
    tags[Base.ImageWidth] = width
    tags[Base.ImageLength] = height
    tags[Base.BitsPerSample] = (16,) * channels
    tags[Base.SamplesPerPixel] = channels
    tags[Base.Compression] = 8  # deflated
    tags[Base.PhotometricInterpretation] = 2  # RGB
    tags[Base.StripOffsets] = 0
    tags[Base.RowsPerStrip] = height
    tags[Base.StripByteCounts] = len(strip)
    if channels == 4:
        tags[Base.ExtraSamples] = 2  # alpha, not multiplied in
    if metadata.xmp:
        tags[Base.XMLPacket] = metadata.xmp.encode()
    if metadata.profile:
        tags[Base.InterColorProfile] = metadata.profile
    return tags.tobytes().removeprefix(b"Exif\0\0") + strip


ENCODERS: dict[str, Callable[[Levels, Metadata], bytes]] = {
    "PNG": _encode_png,
    "TIFF": _encode_tiff,
}
"""Functions from a picture (H, W, 3 or 4) of 16 bits to a file, by Pillow's name of the format."""
