"""Edited pictures, written as their originals were: format, bit depth, alpha, profile and EXIF."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin
from PIL.ExifTags import Base

from demosaic.errors import DemosaicError
from demosaic.files import write_bytes, write_with
from demosaic.imaging import sixteen_bits
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.conversion import upright
from demosaic.imaging.decoding import read_bytes
from demosaic.imaging.metadata import (
    MADE,
    MADE_IN_PART,
    Metadata,
    all_exif,
    harmless_exif,
    source_type_xmp,
)
from demosaic.imaging.opening import opened

_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}


def written_suffix(path: Path) -> str:
    """The suffix of a picture's edited copy: its own, or `.png` when its format is only read."""
    return path.suffix if path.suffix.lower() in _FORMATS else ".png"


def write_restored(path: Path, image: Pixels, *, like: Path, whole: bool) -> None:
    """Write a restored picture (H, W, 3) in the format of its suffix, whole or not at all.

    It keeps the alpha, ICC profile and EXIF of the picture `like`, except the turn, which has been
    made. PNG and TIFF also keep the 16 bits of every pixel that was not changed. Its metadata say
    that a model made it: `whole` means every pixel. Raises DemosaicError for an unknown suffix.
    """
    xmp = source_type_xmp(MADE if whole else MADE_IN_PART)
    _write_like(path, image, like, all_exif, xmp, deep=True)


def write_pixelated(path: Path, image: Pixels, *, like: Path) -> None:
    """Write a photo (H, W, 3) whose faces are hidden in the format of its suffix, whole or not at
    all.

    It keeps the alpha and ICC profile of the picture `like`, and the EXIF about how it was taken.
    Anything that may show or name the people is left out: thumbnails and previews, the place, names
    and captions, serial numbers of cameras and lenses, notes of makers and programs. The result has
    8 bits: in 16, a hidden pixel that had its cell's colour before would keep its own lower bits.
    Raises DemosaicError for an unknown suffix.
    """
    _write_like(path, image, like, harmless_exif, None, deep=False)


def write_comparison(path: Path, before: Pixels, after: Pixels) -> None:
    """Write two pictures (H, W, 3) of one size side by side as JPEG (quality 90), whole or not at
    all. The metadata say that a model made a part.
    """
    gap = np.full((before.shape[0], max(2, before.shape[1] // 64), 3), 255, np.uint8)
    sheet = Image.fromarray(np.hstack([before, gap, after]))
    xmp = source_type_xmp(MADE_IN_PART).encode()
    write_with(path, lambda part: sheet.save(part, "JPEG", quality=90, xmp=xmp))


def _write_like(
    path: Path,
    image: Pixels,
    like: Path,
    exif_of: Callable[[Image.Image], Image.Exif],
    xmp: str | None,
    *,
    deep: bool,
) -> None:
    """Write an edited picture with `xmp` and the original's EXIF as `exif_of` filters it; `deep`:
    in 16 bits, if the original and the format have them.
    """
    format_name = _FORMATS.get(path.suffix.lower())
    if format_name is None:
        known = " ".join(sorted(_FORMATS))
        raise DemosaicError(f"{path}: unknown picture format; end the name in one of {known}")
    data = read_bytes(like)
    with opened(io.BytesIO(data)) as original:
        # Pixels first: loading them makes the turn, which the EXIF then no longer says
        encode = sixteen_bits.ENCODERS.get(format_name) if deep else None
        levels = sixteen_bits.edited_levels(image, original, data) if encode else None
        result = _with_alpha(image, original) if format_name != "JPEG" else Image.fromarray(image)
        profile = original.info.get("icc_profile")
        fits = original.mode in ("RGB", "RGBA")  # a profile of grey or CMYK does not fit RGB
        metadata = Metadata(exif_of(original), xmp, profile if fits else None)
    if encode and levels is not None:
        write_bytes(path, encode(levels, metadata))
    else:
        options = _options(format_name, metadata)
        write_with(path, lambda part: result.save(part, format_name, **options))


def _with_alpha(image: Pixels, original: Image.Image) -> Image.Image:
    """The picture with the alpha of the original, if it has any."""
    result = Image.fromarray(image)
    if original.has_transparency_data:
        result.putalpha(upright(original).convert("RGBA").getchannel("A"))
    return result


def _options(format_name: str, metadata: Metadata) -> dict[str, Any]:
    """Pillow's options to write a format at its best, with the metadata in it."""
    xmp, exif = metadata.xmp, metadata.exif
    profile = {"icc_profile": metadata.profile} if metadata.profile else {}
    if format_name == "PNG":
        info = PngImagePlugin.PngInfo()
        if xmp:
            info.add_itxt("XML:com.adobe.xmp", xmp)
        return {"pnginfo": info, "exif": exif, **profile}
    if format_name == "TIFF":
        if xmp:
            exif[Base.XMLPacket] = xmp.encode()
        return {"compression": "tiff_deflate", "exif": exif, **profile}
    mark = {"xmp": xmp.encode()} if xmp else {}
    if format_name == "JPEG":
        return {"quality": 95, "subsampling": "4:4:4", "exif": exif, **mark, **profile}
    return {"lossless": True, "exif": exif, **mark, **profile}
