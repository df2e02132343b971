"""Edited pictures, written as their originals were: format, frames, colours, depth, metadata."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, JpegImagePlugin, features

from demosaic.errors import DemosaicError
from demosaic.files import write_bytes, write_with
from demosaic.imaging import png_chunks
from demosaic.imaging.arrays import Pixels, different_colours, differing, resize
from demosaic.imaging.encoding import encode_png
from demosaic.imaging.gif_frames import encode_gif
from demosaic.imaging.jpeg_coefficients import can_change, with_changes
from demosaic.imaging.jpeg_segments import (
    MAX_TEXT,
    DamagedJpeg,
    fitting_xmp,
    join_pictures,
    kept_segments,
    previews,
    split,
    split_pictures,
)
from demosaic.imaging.lossy import (
    avif_bits,
    avif_quality,
    avif_subsampling,
    is_lossy_webp,
    webp_quality,
)
from demosaic.imaging.metadata import MADE_IN_PART, Keeping, Metadata, source_type_xmp
from demosaic.imaging.opening import decoding, opened
from demosaic.imaging.original import ANIMATIONS, Original
from demosaic.imaging.stored import Stored
from demosaic.imaging.tiff_pages import encode_tiff

_FORMATS = {
    ".png": "PNG",
    ".apng": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".mpo": "JPEG",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    **({".avif": "AVIF"} if "avif" in features.get_supported_modules() else {}),
}

_SEVERAL = ANIMATIONS | {"TIFF"}

_PADDING = 64  # bytes after the end of a JPEG that say nothing


def written_suffix(path: Path) -> str:
    """The suffix of a picture's edited copy: its own, or `.png` when its format is only read."""
    return path.suffix if path.suffix.lower() in _FORMATS else ".png"


@dataclass(frozen=True)
class Edit:
    """A file of pictures and what becomes of them."""

    original: Original
    pages: tuple[Stored, ...]
    """The pictures of the original, edited."""
    keeping: Keeping

    @property
    def one(self) -> bool:
        """Whether there is one picture."""
        return len(self.pages) == 1


def write_edited(path: Path, edit: Edit) -> None:
    """Write edited pictures in the format of the suffix, whole or not at all.

    Every pixel that was not changed is as in the original: exactly in lossless formats and in
    blocks of a JPEG, nearly in a WebP, AVIF or JPEG that must be encoded anew. Raises DemosaicError
    for an unknown suffix.
    """
    encoders: dict[str, Callable[[Edit], bytes]] = {
        "PNG": _png,
        "JPEG": _jpeg,
        "WEBP": _webp,
        "AVIF": _avif,
        "GIF": _gif,
        "TIFF": _tiff,
    }
    format_name = _format_of(path)
    if not edit.one and format_name not in _SEVERAL and edit.original.format != "MPO":
        edit = replace(edit, pages=edit.pages[:1])
    write_bytes(path, encoders[format_name](edit))


def _format_of(path: Path) -> str:
    format_name = _FORMATS.get(path.suffix.lower())
    if format_name is None:
        known = " ".join(sorted(_FORMATS))
        raise DemosaicError(f"{path}: unknown picture format; end the name in one of {known}")
    return format_name


def losses(path: Path, original: Original, keeping: Keeping) -> list[str]:
    """What an edited copy in the format of the suffix cannot keep of an original, a sentence each.
    Raises DemosaicError for an unknown suffix.
    """
    return [*_losses(_format_of(path), original), *_unsaid(original, keeping)]


def _unsaid(original: Original, keeping: Keeping) -> Iterator[str]:
    """What goes because it is no longer true, or shows people who are hidden."""
    signed = trailer = False
    if original.format == "PNG":
        signed = png_chunks.is_signed(original.data)
    if original.format in ("JPEG", "MPO"):
        with suppress(DamagedJpeg):
            parts = split(original.data)
            signed = parts.signed
            trailer = original.format == "JPEG" and len(parts.trailer) > _PADDING
    if signed:
        yield "its content credentials (C2PA) go: they sign the original"
    if original.format == "JPEG" and original.pages[0].mode == "CMYK" and not keeping.all:
        # jpeglib writes no coefficients of black ink
        yield "it is encoded anew, with its own tables: pixels that are not edited change a little"
    if trailer and not keeping.all:
        yield "what follows its picture goes, a film say: it may show whom you hide"


def _losses(format_name: str, original: Original) -> Iterator[str]:
    first, count = original.pages[0], len(original.pages)
    if original.left_out:
        yield f"only the first of its {original.left_out + 1} pictures is kept"
    if original.has_maps:
        yield "its maps of depth or light are left out"
    if count > 1 and format_name not in _SEVERAL and original.format != "MPO":
        yield f"only the first of its {count} pictures is kept: {format_name} has one"
    if count > 1 and original.format == "MPO" and format_name != "JPEG":
        yield f"its {count} pictures become pages or frames of a {format_name}"
    if first.step > 1 and format_name not in ("PNG", "TIFF"):
        yield f"its 16 bits become 8: {format_name} has no more"
    if first.alpha is not None and format_name == "JPEG":
        yield "its transparency goes: JPEG has none"
    if first.mode == "CMYK" and format_name not in ("JPEG", "TIFF"):
        yield f"its inks (CMYK) become RGB: {format_name} has no inks"
    if format_name == original.format and format_name in ("WEBP", "AVIF"):
        yield from _coded_anew(format_name, original.data)
    elif format_name == "JPEG" and original.format in ("JPEG", "MPO") and not can_change():
        yield (
            "without the package jpeglib a JPEG is encoded anew, with its own tables: up to one "
            "pixel in 20 that is not edited changes, by a few levels"
        )
    elif original.format in ("HEIF", "AVIF"):
        yield f"it becomes a {format_name} of 8 bits a channel"


def _coded_anew(format_name: str, data: bytes) -> Iterator[str]:
    if format_name == "WEBP" and not is_lossy_webp(data):
        return
    yield f"{format_name} is encoded anew, at about its quality: every pixel changes a little"
    if format_name == "AVIF" and avif_bits(data) > 8:
        yield f"its {avif_bits(data)} bits become 8"


def comparison_beside(out: Path) -> Path:
    """Where before and after of a result go: beside it, as NAME.compare.jpg."""
    return out.with_name(f"{out.stem.removesuffix('.restored')}.compare.jpg")


def write_comparison(path: Path, before: Pixels, after: Pixels) -> None:
    """Write two pictures (H, W, 3) of one size side by side as JPEG (quality 90), whole or not at
    all. The metadata say that a model made a part.
    """
    gap = np.full((before.shape[0], max(2, before.shape[1] // 64), 3), 255, np.uint8)
    sheet = Image.fromarray(np.hstack([before, gap, after]))
    xmp = source_type_xmp(MADE_IN_PART).encode()
    write_with(path, lambda part: sheet.save(part, "JPEG", quality=90, xmp=xmp))


def _metadata(edit: Edit, number: int = 0) -> Metadata:
    """What the result says beside a picture."""
    page = edit.pages[number]
    with decoding(), opened(io.BytesIO(edit.original.data)) as image:
        if number:
            image.seek(number)
        if image.format == "TIFF":
            image.load()  # makes the turn, which the EXIF then no longer says
        return edit.keeping.of(image, page.as_image(), page.profile)


# PNG


def _png(edit: Edit) -> bytes:
    pages = edit.pages
    if any(page.mode == "CMYK" for page in pages):
        pages = tuple(page.in_mode("RGB") for page in pages)
    if len(pages) > 1:
        pages = _alike(pages)
    from_png = edit.original.format == "PNG"
    metadata = _metadata(replace(edit, pages=pages))
    about = (
        png_chunks.kept_chunks(edit.original.data, everything=edit.keeping.all) if from_png else []
    )
    about += png_chunks.new_chunks(
        metadata.exif,
        metadata.xmp,
        None if from_png else metadata.profile,
        None if from_png else metadata.resolution,
    )
    coded = [*png_chunks.chunks_in(_png_of(pages[0], alone=len(pages) == 1))]
    head, end = coded[0], coded[-1]
    colours = [chunk for chunk in coded if chunk.kind in (b"PLTE", b"tRNS")]
    if len(pages) == 1:
        pixels = [chunk for chunk in coded if chunk.kind == b"IDAT"]
    else:
        pixels = _animated(edit.original, pages)
    return png_chunks.as_png([head, *about, *colours, *pixels, end])


def _alike(pages: Sequence[Stored]) -> tuple[Stored, ...]:
    """Pictures in one mode that has the colours and the alpha of all, in 8 bits."""
    mode = "RGB" if any(page.mode.startswith("RGB") for page in pages) else "L"
    mode += "A" if any(page.alpha is not None for page in pages) else ""
    return tuple(page.in_mode(mode).in_eight_bits() for page in pages)


def _png_of(page: Stored, *, alone: bool) -> bytes:
    """A PNG file of one picture, without anything about it."""
    if page.levels.dtype == np.uint16:
        return encode_png(page.levels)
    image = (_with_palette(page) if page.palette and alone else None) or page.as_image()
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _with_palette(page: Stored) -> Image.Image | None:
    """The picture with a palette; None when it has more than 256 colours, or is grey."""
    if not page.mode.startswith("RGB"):
        return None
    height, width, channels = page.levels.shape
    colours, where = different_colours(page.levels)
    if len(colours) > 256:
        return None
    image = Image.frombytes("P", (width, height), where.astype(np.uint8).tobytes())
    image.putpalette(colours[:, :3].tobytes())
    if channels == 4:
        image.info["transparency"] = colours[:, 3].tobytes()
    return image


def _animated(original: Original, pages: Sequence[Stored]) -> list[png_chunks.Chunk]:
    """The chunks of an animation: of each frame after the first, the box that changes."""
    if original.format == "PNG":
        delays = png_chunks.delays_in(original.data)[: len(pages)]  # some have more than they say
        plays = png_chunks.plays_in(original.data)
    else:
        delays = [(min(round(time), 65_535), 1000) for time in original.durations]
        plays = _loops(original)
    frames, shown = [], None
    for page, delay in zip(pages, delays, strict=True):
        left, top, width, height = _difference(shown, page)
        piece = replace(page, levels=page.levels[top : top + height, left : left + width])
        coded = png_chunks.chunks_in(_png_of(piece, alone=False))
        pixels = b"".join(chunk.data for chunk in coded if chunk.kind == b"IDAT")
        frames.append(png_chunks.Frame(pixels, (left, top, width, height), delay))
        shown = page if delay is not None else None
    return png_chunks.animation(frames, plays)


def _difference(before: Stored | None, page: Stored) -> tuple[int, int, int, int]:
    """Left, top, width and height of the box in which a frame is not as the one before it."""
    height, width = page.levels.shape[:2]
    if before is None:
        return 0, 0, width, height
    rows, columns = np.nonzero(differing(page.levels, before.levels))
    if not len(rows):
        return 0, 0, 1, 1
    left, top = int(columns.min()), int(rows.min())
    return left, top, int(columns.max()) + 1 - left, int(rows.max()) + 1 - top


def _loops(original: Original) -> int:
    """How often an animation of another format is shown; 0 for ever."""
    with opened(io.BytesIO(original.data)) as image:
        loop = image.info.get("loop")
    if original.format == "GIF":  # which counts how often it is shown again
        return 1 if loop is None else int(loop) + 1 if loop else 0
    return int(loop or 0)


# JPEG


def _jpeg(edit: Edit) -> bytes:
    original = edit.original
    if original.format not in ("JPEG", "MPO"):
        return _new_jpeg(edit)
    try:
        if original.format == "JPEG":
            return _edited_jpeg(original.data, original.pages[0], edit.pages[0], edit.keeping)
        return _edited_mpo(edit)
    except DamagedJpeg:  # but Pillow reads it
        return _new_jpeg(edit)


def _edited_mpo(edit: Edit) -> bytes:
    """A file of several JPEG files, each with its picture edited."""
    original = edit.original
    parts, pages = split_pictures(original.data), _with_previews(edit)
    edited = [
        _edited_jpeg(part, before, after, edit.keeping, several=True)
        for part, before, after in zip(parts, original.pages, pages, strict=True)
    ]
    return join_pictures(edited, parts)


def _with_previews(edit: Edit) -> list[Stored]:
    """The pictures of an MPO, those that are smaller copies of the first made anew from it."""
    pages = [*edit.pages]
    for number in previews(edit.original.data):
        if 0 < number < len(pages):
            height, width = pages[number].shown.shape[:2]
            pages[number] = pages[number].edited(resize(pages[0].shown, width, height))
    return pages


def _edited_jpeg(
    data: bytes, before: Stored, after: Stored, keeping: Keeping, *, several: bool = False
) -> bytes:
    """A JPEG file with its picture edited. Blocks in which nothing changes keep their coefficients,
    if that can be done; else its pixels are encoded anew with its own tables.
    """
    parts = split(data)
    with decoding(), opened(io.BytesIO(data)) as image:
        segments = kept_segments(parts.segments, keeping, image, after.as_image(), several=several)
        parts = replace(parts, segments=segments, trailer=parts.trailer if keeping.all else b"")
        if np.array_equal(before.levels, after.levels):
            return parts.as_bytes()
        changed = with_changes(parts.bare(), before.levels, after.levels)
        if changed and _same_elsewhere(changed, before, after):
            return replace(parts, pixels=split(changed).pixels).as_bytes()
        anew = split(_coded_alike(image, after))
    colours = tuple(one for one in anew.segments if one.says_colours)
    others = tuple(one for one in segments if not one.says_colours)
    return replace(parts, segments=colours + others, pixels=anew.pixels).as_bytes()


_FAR = 48  # px from all that changed, where no block of chroma reaches


def _same_elsewhere(jpeg: bytes, before: Stored, after: Stored) -> bool:
    """Whether an edited JPEG decodes to the old picture far from all that was changed."""
    with decoding(), opened(io.BytesIO(jpeg)) as image:
        levels = np.asarray(image).reshape(before.levels.shape[0], before.levels.shape[1], -1)
    if levels.shape != before.levels.shape:
        return False
    rows, columns = np.nonzero(differing(before.levels, after.levels))
    top, bottom = max(0, int(rows.min()) - _FAR), int(rows.max()) + _FAR
    left, right = max(0, int(columns.min()) - _FAR), int(columns.max()) + _FAR
    around = np.s_[:top], np.s_[bottom:], np.s_[top:bottom, :left], np.s_[top:bottom, right:]
    return all(np.array_equal(levels[part], before.levels[part]) for part in around)


def _coded_alike(image: Image.Image, after: Stored) -> bytes:
    """A JPEG with the tables, subsampling, scans and resolution of another that Pillow opened."""
    assert isinstance(image, JpegImagePlugin.JpegImageFile)
    file = io.BytesIO()
    resolution = {"dpi": image.info["dpi"]} if "dpi" in image.info else {}
    after.as_image().save(
        file,
        "JPEG",
        qtables=image.quantization,
        subsampling=JpegImagePlugin.get_sampling(image),
        progressive=bool(image.info.get("progressive")),
        optimize=True,
        **resolution,
    )
    return file.getvalue()


def _new_jpeg(edit: Edit) -> bytes:
    """A JPEG of a picture in another format."""
    page = edit.pages[0].in_eight_bits()
    if page.alpha is not None:
        page = page.in_mode(page.mode.removesuffix("A"))
    metadata = _metadata(replace(edit, pages=(page,)))
    exif = metadata.exif if len(metadata.exif) <= MAX_TEXT else b""
    metadata = replace(metadata, exif=exif, xmp=fitting_xmp(edit.keeping, metadata.xmp))
    options: dict[str, Any] = {"quality": 95, "subsampling": "4:4:4"}
    if metadata.resolution:
        options["dpi"] = metadata.resolution
    if metadata.comment:
        options["comment"] = metadata.comment
    return _saved([page], "JPEG", metadata, options)


# Others


def _webp(edit: Edit) -> bytes:
    pages = tuple(_in_rgb(page) for page in edit.pages)
    options: dict[str, Any] = {"lossless": True, "exact": True}
    if edit.original.format == "WEBP" and is_lossy_webp(edit.original.data):
        before = [_in_rgb(page) for page in edit.original.pages]
        options = {"quality": webp_quality(edit.original.data, before)}
    return _saved(pages, "WEBP", _metadata(edit), options | _times(edit))


def _avif(edit: Edit) -> bytes:
    pages = tuple(_in_rgb(page) for page in edit.pages)
    options: dict[str, Any] = {"quality": 90, "subsampling": "4:4:4"}
    if edit.original.format == "AVIF":
        before = [_in_rgb(page) for page in edit.original.pages]
        options = {
            "quality": avif_quality(edit.original.data, before),
            "subsampling": avif_subsampling(edit.original.data),
        }
    return _saved(pages, "AVIF", _metadata(edit), options | _times(edit))


def _in_rgb(page: Stored) -> Stored:
    """A picture of 8 bits that WebP and AVIF can have."""
    return page.in_mode("RGB") if page.mode == "CMYK" else page.in_eight_bits()


def _times(edit: Edit) -> dict[str, Any]:
    """Pillow's options for an animation."""
    if edit.one:
        return {}
    durations = [round(time) for time in edit.original.durations]
    return {"duration": durations, "loop": _loops(edit.original)}


def _saved(
    pages: Sequence[Stored], format_name: str, metadata: Metadata, options: dict[str, Any]
) -> bytes:
    """Pictures in a format that Pillow writes, with their metadata."""
    images = [page.as_image() for page in pages]
    if len(images) > 1:
        options = {**options, "save_all": True, "append_images": images[1:]}
    if metadata.exif:
        options["exif"] = metadata.exif if format_name != "JPEG" else b"Exif\0\0" + metadata.exif
    if metadata.xmp:
        options["xmp"] = metadata.xmp.encode()
    if pages[0].profile:
        options["icc_profile"] = pages[0].profile
    file = io.BytesIO()
    images[0].save(file, format_name, **options)
    return file.getvalue()


def _tiff(edit: Edit) -> bytes:
    paged = edit.original.format == "TIFF"
    return encode_tiff(
        [(page, _metadata(edit, number if paged else 0)) for number, page in enumerate(edit.pages)]
    )


def _gif(edit: Edit) -> bytes:
    metadata = _metadata(edit)
    pages = [_in_rgb(page) for page in edit.pages]
    before = [_in_rgb(page) for page in edit.original.pages[: len(pages)]]
    plays = _loops(edit.original) if not edit.one else 1
    loop = {0: 0, 1: None}.get(plays, plays - 1)
    return encode_gif(pages, before, edit.original.durations, loop, metadata.comment, metadata.xmp)
