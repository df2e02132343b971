"""The EXIF of an edited picture: with a new thumbnail, or only what harms nobody."""

import io
import struct
from collections.abc import Mapping

from PIL import Image
from PIL.ExifTags import IFD, Base

from demosaic.imaging.opening import DAMAGED

_PREFIX = b"Exif\0\0"
_THUMBNAIL = (160, 160)  # px; the size where the old one cannot be read
_QUALITIES = (85, 75, 60, 40, 20, 5)

# How a TIFF lays out its pixels, profile and XMP: true of the original file only
_TAGS_OF_THE_FILE = (
    Base.NewSubfileType,
    Base.SubfileType,
    Base.ImageWidth,
    Base.ImageLength,
    Base.BitsPerSample,
    Base.Compression,
    Base.PhotometricInterpretation,
    Base.FillOrder,
    Base.StripOffsets,
    Base.SamplesPerPixel,
    Base.RowsPerStrip,
    Base.StripByteCounts,
    Base.MinSampleValue,
    Base.MaxSampleValue,
    Base.PlanarConfiguration,
    Base.Predictor,
    Base.ColorMap,
    Base.HalftoneHints,
    Base.TileWidth,
    Base.TileLength,
    Base.TileOffsets,
    Base.TileByteCounts,
    Base.SubIFDs,  # smaller copies of the picture
    Base.ExtraSamples,
    Base.SampleFormat,
    Base.JPEGTables,
    Base.YCbCrCoefficients,
    Base.YCbCrSubSampling,
    Base.YCbCrPositioning,
    Base.ReferenceBlackWhite,
    Base.XMLPacket,
    Base.ImageResources,  # Photoshop's, with a thumbnail
    Base.InterColorProfile,
)

# How a picture was taken. A tag that is not known to be harmless to the people shown is not listed
_HARMLESS_TAGS = {
    Base.Orientation,
    Base.Make,
    Base.Model,
    Base.XResolution,
    Base.YResolution,
    Base.ResolutionUnit,
    Base.DateTime,
    Base.ExposureTime,
    Base.FNumber,
    Base.ExposureProgram,
    Base.ISOSpeedRatings,
    Base.DateTimeOriginal,
    Base.DateTimeDigitized,
    Base.OffsetTime,
    Base.OffsetTimeOriginal,
    Base.OffsetTimeDigitized,
    Base.ShutterSpeedValue,
    Base.ApertureValue,
    Base.BrightnessValue,
    Base.ExposureBiasValue,
    Base.MaxApertureValue,
    Base.SubjectDistance,
    Base.MeteringMode,
    Base.LightSource,
    Base.Flash,
    Base.FocalLength,
    Base.SubsecTime,
    Base.SubsecTimeOriginal,
    Base.SubsecTimeDigitized,
    Base.ColorSpace,
    Base.ExposureMode,
    Base.WhiteBalance,
    Base.DigitalZoomRatio,
    Base.FocalLengthIn35mmFilm,
    Base.SceneCaptureType,
    Base.LensMake,
    Base.LensModel,
}


def all_exif(original: Image.Image, picture: Image.Image | None) -> bytes:
    """The EXIF of a picture that is still true after an edit, its thumbnail made anew from the
    edited `picture`; empty when it is damaged.

    A TIFF has it between its tags; those about the file are left out.
    """
    stored = (original.info.get("exif") or b"").removeprefix(_PREFIX)
    if original.format != "TIFF" and stored:
        return with_new_thumbnail(stored, picture)
    return _as_bytes(_tags_of(original))


def harmless_exif(original: Image.Image) -> bytes:
    """The EXIF that says how a picture was taken and turned, and nothing of whom it shows or where;
    empty when there is none.
    """
    found, kept = _tags_of(original), Image.Exif()
    kept.update({tag: value for tag, value in found.items() if tag in _HARMLESS_TAGS})
    try:
        details = found.get_ifd(IFD.Exif).items()
    except DAMAGED:
        details = {}.items()
    kept.get_ifd(IFD.Exif).update({tag: value for tag, value in details if tag in _HARMLESS_TAGS})
    return _as_bytes(kept)


def upright_exif(exif: bytes) -> bytes:
    """The EXIF without the turn."""
    found = Image.Exif()
    found.load(exif)
    found.pop(Base.Orientation, None)
    return _as_bytes(found)


def _tags_of(original: Image.Image) -> Image.Exif:
    """What Pillow reads of the EXIF, without the tags about the file; none when it is damaged."""
    try:
        exif = original.getexif()
    except DAMAGED:
        return Image.Exif()
    for tag in _TAGS_OF_THE_FILE:
        exif.pop(tag, None)
    return exif


def _as_bytes(exif: Image.Exif) -> bytes:
    try:
        return exif.tobytes().removeprefix(_PREFIX) if exif else b""
    except DAMAGED:
        return b""


def with_new_thumbnail(exif: bytes, picture: Image.Image | None) -> bytes:
    """The EXIF with a thumbnail of the edited picture, as large as the old one, in its place; its
    second directory is cut off where that cannot be done, or there is no picture. Empty when the
    EXIF is damaged.

    Every other byte stays where it is: a maker's notes contain places in the file. EXIF 2.32 §4.5
    describes the directories.
    """
    data = bytearray(exif)
    try:
        order = {b"II": "<", b"MM": ">"}[bytes(data[:2])]
        link = _end_of_directory(data, order, _number(data, order, "I", 4))
        second = _number(data, order, "I", link)
        if not second:
            return exif
        tags = _directory(data, order, second)
    except (KeyError, struct.error):
        return b""
    if not (picture and _renew(data, order, tags, picture)):
        for start, length in _pieces(data, order, tags):
            data[start : start + length] = bytes(len(data[start : start + length]))
        struct.pack_into(f"{order}I", data, link, 0)
    return bytes(data)


def _number(data: bytearray, order: str, kind: str, place: int) -> int:
    (number,) = struct.unpack_from(order + kind, data, place)
    return int(number)


def _end_of_directory(data: bytearray, order: str, start: int) -> int:
    """Where a directory says where the next one begins."""
    return start + 2 + 12 * _number(data, order, "H", start)


def _directory(data: bytearray, order: str, start: int) -> dict[int, int]:
    """The places of the values, by tag."""
    count = _number(data, order, "H", start)
    places = [start + 2 + 12 * number for number in range(count)]
    return {_number(data, order, "H", place): place + 8 for place in places}


def _pieces(data: bytearray, order: str, tags: Mapping[int, int]) -> list[tuple[int, int]]:
    """Where the bytes of a thumbnail lie, and how many: of a JPEG, or of the one strip of pixels.

    Bytes up to the end of the EXIF where it does not say.
    """
    for start, length in (
        (Base.JpegIFOffset, Base.JpegIFByteCount),
        (Base.StripOffsets, Base.StripByteCounts),
    ):
        if start in tags:
            place = _number(data, order, "I", tags[start])
            size = _number(data, order, "I", tags[length]) if length in tags else len(data)
            return [(place, size)] if place >= 8 else []
    return []


def _renew(data: bytearray, order: str, tags: Mapping[int, int], picture: Image.Image) -> bool:
    """Put a new thumbnail in the place of one in JPEG; False when that cannot be done."""
    if not {Base.JpegIFOffset, Base.JpegIFByteCount} <= tags.keys():
        return False
    ((start, length),) = _pieces(data, order, tags) or [(0, 0)]
    old = bytes(data[start : start + length])
    if not start or len(old) < length:
        return False
    new = _thumbnail(picture, _size_of(old), length)
    if new is None:
        return False
    data[start : start + length] = new.ljust(length, b"\0")
    struct.pack_into(f"{order}I", data, tags[Base.JpegIFByteCount], len(new))
    return True


def _size_of(thumbnail: bytes) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(thumbnail)) as image:
            return image.width, image.height
    except DAMAGED:
        return _THUMBNAIL


def _thumbnail(picture: Image.Image, size: tuple[int, int], most: int) -> bytes | None:
    """A JPEG of the picture that fits into `size` and has at most so many bytes; None when none
    has.
    """
    small = picture.convert("RGB")
    small.thumbnail(size)
    for quality in _QUALITIES:
        file = io.BytesIO()
        small.save(file, "JPEG", quality=quality, optimize=True)
        if len(file.getvalue()) <= most:
            return file.getvalue()
    return None
