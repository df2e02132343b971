"""An edited photo, written as its original was: its format, bit depth, transparency, profile and
EXIF, of which it keeps what may be kept; and the mark of what a model made.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from isal import isal_zlib
from PIL import Image, PngImagePlugin, TiffImagePlugin

from demosaic.errors import DemosaicError
from demosaic.files import write_bytes, write_with
from demosaic.imaging.arrays import Levels, Pixels
from demosaic.imaging.decoding import (
    DAMAGED,
    EXIF_ORIENTATION,
    opened,
    read_bytes,
    to_rgb,
    turn_of,
    upright,
)
from demosaic.imaging.encoding import encode_png

_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}

_TIFF_XMP, _TIFF_PROFILE, _TIFF_BITS = 700, 34675, 258

# The turn, and how a TIFF lays out its pixels, profile and XMP: true of the original file only
_EXIF_OF_THE_FILE = (
    *range(254, 260),
    262,
    266,
    273,
    EXIF_ORIENTATION,
    *range(277, 281),
    284,
    317,
    *range(320, 326),
    338,
    339,
    347,
    _TIFF_XMP,
    34377,
    _TIFF_PROFILE,
)

_MAX_EXIF = 65_000  # what fits into JPEG

# How a picture was taken: camera and lens models, resolution, dates, exposure, flash, focal length,
# colour space. Whatever is not known to be harmless to the people in it is not listed
_EXIF_DETAILS = 0x8769

_HARMLESS = {
    *(0x010F, 0x0110, 0x011A, 0x011B, 0x0128, 0x0132),
    *(0x829A, 0x829D, 0x8822, 0x8827, 0x9003, 0x9004, *range(0x9010, 0x9013)),
    *range(0x9201, 0x920B),
    *(0x9290, 0x9291, 0x9292, 0xA001, *range(0xA402, 0xA407), 0xA433, 0xA434),
}

_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"

MADE = f"{_SOURCE_TYPES}trainedAlgorithmicMedia"
"""IPTC's word for what a model made."""

MADE_IN_PART = f"{_SOURCE_TYPES}compositeWithTrainedAlgorithmicMedia"
"""And for what it made a part of."""

_XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'Iptc4xmpExt:DigitalSourceType="{kind}"/>'
    "</rdf:RDF></x:xmpmeta>"
)


def written_suffix(path: Path) -> str:
    """The suffix of a picture's edited copy: its own, or `.png` where that format is only read."""
    return path.suffix if path.suffix.lower() in _FORMATS else ".png"


def write_restored(path: Path, image: Pixels, *, like: Path, whole: bool) -> None:
    """Write a result in the format of its suffix, whole or not at all, marked as made by a model.

    It keeps the alpha, ICC profile and EXIF of the picture `like`, but for the turn, which has been
    made; as PNG or TIFF also the 16 bits of every pixel that is as it was there. `whole` says that
    a model made every pixel. Raises DemosaicError for a suffix nothing is known of.
    """
    kind = MADE if whole else MADE_IN_PART
    _write_like(path, image, like, _kept_exif, _XMP.format(kind=kind), deep=True)


def write_comparison(path: Path, before: Pixels, after: Pixels) -> None:
    """Write two pictures of one size side by side as JPEG (quality 90), marked as partly made by a
    model.
    """
    gap = np.full((before.shape[0], max(2, before.shape[1] // 64), 3), 255, np.uint8)
    sheet = Image.fromarray(np.hstack([before, gap, after]))
    xmp = _XMP.format(kind=MADE_IN_PART).encode()
    write_with(path, lambda part: sheet.save(part, "JPEG", quality=90, xmp=xmp))


def write_pixelated(path: Path, image: Pixels, *, like: Path) -> None:
    """Write a photo whose faces are hidden in the format of its suffix, whole or not at all.

    It keeps the alpha and ICC profile of the picture `like` and, of its EXIF, how it was taken.
    Whatever may show or name whom it shows is left behind: thumbnails and previews, the place,
    names and captions, numbers of cameras and lenses, notes of makers and programs. The result has
    8 bits: in 16, where pixels are told apart by value, a hidden one that had its cell's colour
    before would keep its own. Raises DemosaicError for a suffix nothing is known of.
    """
    _write_like(path, image, like, _harmless_exif, None)


def _write_like(
    path: Path,
    image: Pixels,
    like: Path,
    kept: Callable[[Image.Image], Image.Exif],
    xmp: str | None,
    *,
    deep: bool = False,
) -> None:
    """Write an edited picture with what of the metadata of the original is `kept`; `deep`: in 16
    bits if the original and the format have them.
    """
    format_name = _FORMATS.get(path.suffix.lower())
    if format_name is None:
        known = " ".join(sorted(_FORMATS))
        raise DemosaicError(f"{path}: no picture format is known by that; end the name in {known}")
    data = read_bytes(like)
    with opened(io.BytesIO(data)) as original:
        # Pixels first: the turn, which is not kept, is made as they are read
        encode = _ENCODERS_OF_16_BITS.get(format_name) if deep else None
        levels = _deepened(image, original, data) if encode else None
        result = _with_alpha(image, original) if format_name != "JPEG" else Image.fromarray(image)
        profile = original.info.get("icc_profile")
        fits = original.mode in ("RGB", "RGBA")  # a grey or CMYK one does not fit RGB
        metadata = _Metadata(kept(original), xmp, profile if fits else None)
    if encode and levels is not None:
        write_bytes(path, encode(levels, metadata))
    else:
        options = _options(format_name, metadata)
        write_with(path, lambda part: result.save(part, format_name, **options))


def _deepened(image: Pixels, original: Image.Image, data: bytes) -> Levels | None:
    """The edited picture in the 16 bits of its original: every pixel that was not edited as it is
    there, the others as 8 bits have them. None where the original has no 16 bits.
    """
    levels = _sixteen_bits(original, data)
    if levels is None:
        return None
    before, colours = np.asarray(to_rgb(upright(original))), levels[:, :, :3]
    # Pillow and cv2 differ in what they make of alpha that is multiplied in, and of grey that is
    # dark enough for 8 bits
    if colours.shape != before.shape:
        return None
    if np.any(np.abs((colours // 257).astype(np.int16) - before) > 1):
        return None
    edited = np.any(image != before, axis=2)
    colours[edited] = image[edited].astype(np.uint16) * 257
    return levels


def _sixteen_bits(original: Image.Image, data: bytes) -> Levels | None:
    """The upright picture in the bytes of a PNG or TIFF of 16 bits; None in those of any other.

    By cv2: Pillow reads no colours of more than 8 bits. Like Pillow it turns a TIFF by itself, and
    asked for what is unchanged no PNG.
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
        return set(original.tag_v2.get(_TIFF_BITS, ())) == {16}
    return original.format == "PNG" and data[24] == 16  # IHDR always comes first


def _with_alpha(image: Pixels, original: Image.Image) -> Image.Image:
    """The picture with the transparency of the original, if it has any."""
    result = Image.fromarray(image)
    if original.has_transparency_data:
        result.putalpha(upright(original).convert("RGBA").getchannel("A"))
    return result


def _kept_exif(original: Image.Image) -> Image.Exif:
    try:
        exif = original.getexif()
        for tag in _EXIF_OF_THE_FILE:
            exif.pop(tag, None)
        if len(exif.tobytes()) > _MAX_EXIF:
            return Image.Exif()
    except DAMAGED:
        return Image.Exif()
    return exif


def _harmless_exif(original: Image.Image) -> Image.Exif:
    """What of the EXIF says how a picture was taken, and neither whom it shows nor where."""
    found, kept = _kept_exif(original), Image.Exif()
    kept.update({tag: value for tag, value in found.items() if tag in _HARMLESS})
    details = found.get_ifd(_EXIF_DETAILS).items()
    kept.get_ifd(_EXIF_DETAILS).update(
        {tag: value for tag, value in details if tag in _HARMLESS}
    )  # Pillow leaves these out of a compressed TIFF
    return kept


@dataclass(frozen=True)
class _Metadata:
    """What is said in the file of an edited picture beside its pixels."""

    exif: Image.Exif
    xmp: str | None
    profile: bytes | None


def _options(format_name: str, metadata: _Metadata) -> dict[str, Any]:
    """How to write a format at its best, with the metadata in it."""
    xmp, exif = metadata.xmp, metadata.exif
    profile = {"icc_profile": metadata.profile} if metadata.profile else {}
    if format_name == "PNG":
        info = PngImagePlugin.PngInfo()
        if xmp:
            info.add_itxt("XML:com.adobe.xmp", xmp)
        return {"pnginfo": info, "exif": exif, **profile}
    if format_name == "TIFF":
        if xmp:
            exif[_TIFF_XMP] = xmp.encode()
        return {"compression": "tiff_deflate", "exif": exif, **profile}
    mark = {"xmp": xmp.encode()} if xmp else {}
    if format_name == "JPEG":
        return {"quality": 95, "subsampling": "4:4:4", "exif": exif, **mark, **profile}
    return {"lossless": True, "exif": exif, **mark, **profile}


def _png_metadata(metadata: _Metadata) -> list[tuple[bytes, bytes]]:
    """The chunks of a PNG file that hold the metadata (PNG, third edition, §11.3)."""
    chunks = []
    if metadata.profile:
        chunks.append((b"iCCP", b"ICC Profile\0\0" + isal_zlib.compress(metadata.profile)))
    if metadata.exif:
        chunks.append((b"eXIf", metadata.exif.tobytes().removeprefix(b"Exif\0\0")))
    if metadata.xmp:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp.encode()))
    return chunks


def _encode_tiff(levels: Levels, metadata: _Metadata) -> bytes:
    """A TIFF file of a 16-bit picture with the metadata: one strip, deflated.

    EXIF is a TIFF file without a picture, so all that is missing are the tags of one (TIFF 6.0 §6)
    and the strip. Pillow counts its offset from the end of the tags.
    """
    height, width, channels = levels.shape
    strip = isal_zlib.compress(np.ascontiguousarray(levels, "<u2"), 1)
    tags = metadata.exif
    tags.endian = "<"
    tags.update({256: width, 257: height, _TIFF_BITS: (16,) * channels, 277: channels})
    tags.update({259: 8, 262: 2, 273: 0, 278: height, 279: len(strip)})  # 8: deflated, 2: RGB
    if channels == 4:
        tags[338] = 2  # alpha, not multiplied in
    if metadata.xmp:
        tags[_TIFF_XMP] = metadata.xmp.encode()
    if metadata.profile:
        tags[_TIFF_PROFILE] = metadata.profile
    return tags.tobytes().removeprefix(b"Exif\0\0") + strip


_ENCODERS_OF_16_BITS: dict[str, Callable[[Levels, _Metadata], bytes]] = {
    "PNG": lambda levels, metadata: encode_png(levels, _png_metadata(metadata)),
    "TIFF": _encode_tiff,
}
