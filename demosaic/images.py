"""Files to arrays and back. Only here are EXIF turns, colour modes, bit depths and file formats
known.
"""

import io
import math
import os
import struct
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import (
    ExifTags,
    Image,
    ImageCms,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
)

from demosaic.errors import DemosaicError
from demosaic.files import real_path, write_bytes, write_with

Pixels = NDArray[np.uint8]
"""A picture: RGB, (H, W, 3), 0..255."""
Levels = NDArray[np.uint16]
"""A picture of 16 bits: RGB or RGBA, (H, W, 3 or 4), 0..65535."""
Floats = NDArray[np.float32]
"""A picture for arithmetic: RGB, (3, H, W), -1..1."""
_Kind = TypeVar("_Kind", bound=np.generic)

# Thumbnails, resource forks and waste baskets of network disks, Macs and Windows
_JUNK_FOLDERS = {"@eadir", "__macosx", "#recycle", "$recycle.bin"}
_JUNK_FILES = {"thumbs.db", "desktop.ini"}
_MAX_BYTES = 1_000_000_000  # a video, then; reading it would take so much memory
_MAX_PIXELS = 300_000_000  # a decompression bomb beyond; the largest phone cameras make 200 million
# What Pillow raises on damaged files
_DAMAGED = (
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
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_EXIF_ORIENTATION, _TIFF_XMP, _TIFF_PROFILE, _TIFF_BITS = 0x0112, 700, 34675, 258
_MODE_OF_COLOURS = {"RGB ": "RGB", "CMYK": "CMYK", "GRAY": "L"}  # of an ICC profile
# The turn, and how a TIFF lays out its pixels, profile and XMP: true of the original file only
_EXIF_OF_THE_FILE = (
    *range(254, 260),
    262,
    266,
    273,
    _EXIF_ORIENTATION,
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


@dataclass(frozen=True)
class Box:
    """A rectangle of picture pixels."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def whole(cls, image: Pixels) -> "Box":
        """The box of a whole picture."""
        return cls(0, 0, image.shape[1], image.shape[0])

    @property
    def area(self) -> int:
        """How many pixels it has."""
        return self.width * self.height

    @property
    def corners(self) -> tuple[int, int, int, int]:
        """x, y, width and height."""
        return self.x, self.y, self.width, self.height

    def inside(self, image: Pixels) -> bool:
        """Whether every pixel of the box lies in the picture."""
        return self.within(Box.whole(image))

    def within(self, other: "Box") -> bool:
        """Whether every pixel of the box lies in the other."""
        return (
            self.x >= other.x
            and self.y >= other.y
            and self.x + self.width <= other.x + other.width
            and self.y + self.height <= other.y + other.height
        )

    def shared(self, other: "Box") -> int:
        """How many pixels lie in both boxes."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(width, 0) * max(height, 0)

    def clipped(self, other: "Box") -> "Box":
        """The part of the box that lies in the other; they share some."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.width, other.x + other.width)
        bottom = min(self.y + self.height, other.y + other.height)
        return Box(x, y, right - x, bottom - y)

    def grown(self, across: int, down: int, image: NDArray[np.uint8]) -> "Box":
        """The box with so many pixels more on each side, as far as the picture goes."""
        height, width = image.shape[:2]
        more = Box(self.x - across, self.y - down, self.width + 2 * across, self.height + 2 * down)
        return more.clipped(Box(0, 0, width, height))


def find_images(
    folder: Path,
    exclude: Path | None = None,
    passed_over: Callable[[Path], object] = lambda path: None,
) -> list[Path]:
    """The files below `folder` that may be pictures, sorted by path; names beginning with a dot and
    junk left out.

    Symbolic links to folders are followed once each; `exclude` is a folder not to enter. Every file
    left out is handed to `passed_over`. A folder that cannot be entered, or a link to nothing, is
    listed like a file, so that it is missed by whoever reads it; raises DemosaicError when it is
    `folder` itself.
    """
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise DemosaicError(f"cannot read the folder {folder}: {error.strerror}") from error
    seen = {real_path(exclude)} if exclude else set()
    paths = _walk(folder, seen, passed_over)
    return sorted(paths, key=lambda path: path.relative_to(folder).as_posix())


def _walk(folder: Path, seen: set[Path], passed_over: Callable[[Path], object]) -> Iterator[Path]:
    real = real_path(folder)
    if real in seen:
        return
    seen.add(real)
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder
        return
    for entry in entries:
        name, path = entry.name.lower(), Path(entry.path)
        if _is(entry.is_dir):
            if name.startswith(".") or name in _JUNK_FOLDERS:
                _pass_over(path, passed_over)
            else:
                yield from _walk(path, seen, passed_over)
        elif name.startswith(".") or name in _JUNK_FILES:
            passed_over(path)
        elif _is(entry.is_file) or (_leads_nowhere(path) and real_path(path) not in seen):
            yield path


def _pass_over(folder: Path, passed_over: Callable[[Path], object]) -> None:
    """Hand on every file of a junk folder, unless it is a link: what it leads to lies elsewhere."""
    for inside, _, names in () if folder.is_symlink() else os.walk(folder):
        for name in names:
            passed_over(Path(inside, name))


def _leads_nowhere(path: Path) -> bool:
    """Whether a path is a link to nothing, or to itself."""
    return path.is_symlink() and not path.exists()


def _is(kind: Callable[[], bool]) -> bool:
    """Whether an entry is of a kind; a link to itself is of none."""
    try:
        return kind()
    except OSError:
        return False


def written_suffix(path: Path) -> str:
    """The suffix of a picture's edited copy: its own, or `.png` where that format is only read."""
    return path.suffix if path.suffix.lower() in _FORMATS else ".png"


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
        return np.asarray(_to_rgb(_upright(image)))


def decode_photo(data: bytes, reduce: int = 1) -> Pixels:
    """The upright picture in the bytes of a file as it is to be seen: in sRGB by its profile, what
    is transparent over white.

    `reduce`, 1, 2, 4 or 8, makes the sides so many times shorter (rounded up): by area means, and
    where it is a JPEG while it is decoded, which takes a third of the time. Raises NotAPicture.
    """
    with _picture_in(data) as image:
        size = math.ceil(image.width / reduce), math.ceil(image.height / reduce)
        if image.format in ("JPEG", "MPO"):
            image.draft(None, (image.width // reduce, image.height // reduce))
        seen = _to_rgb(_in_srgb(_flattened(_upright(image))))
        if sorted(seen.size) != sorted(size):
            seen = seen.reduce(reduce)
        return np.asarray(seen)


def photo_size(data: bytes) -> tuple[int, int]:
    """Width and height of the upright picture in the bytes of a file, from its header. Raises
    NotAPicture.
    """
    with _picture_in(data) as image:
        width, height = image.size
        turned = image.format != "TIFF" and image.getexif().get(_EXIF_ORIENTATION, 1) >= 5
        return (height, width) if turned else (width, height)


def taken_at(data: bytes) -> datetime | None:
    """When a photo was taken, as its EXIF says; None where it does not."""
    try:
        with _picture_in(data) as image:
            when = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
            return datetime.strptime(str(when), "%Y:%m:%d %H:%M:%S")
    except NotAPicture:
        return None


@contextmanager
def _picture_in(data: bytes) -> Iterator[Image.Image]:
    """The picture in the bytes of a file, its pixels not yet read. Whatever is wrong with it, and
    comes out while it is in use, is a NotAPicture that says what in a few words.
    """
    if not data:
        raise NotAPicture("empty file")
    if _is_cut_short(data):
        raise NotAPicture("damaged picture (file is truncated)")
    try:
        with _opened(io.BytesIO(data)) as image:
            if image.width * image.height > _MAX_PIXELS:
                raise NotAPicture(f"too large: {image.width} x {image.height} pixels")
            yield image
    except UnidentifiedImageError as error:
        raise NotAPicture("not a picture") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NotAPicture("too large") from error
    except _DAMAGED as error:
        raise NotAPicture(f"damaged picture ({' '.join(str(error).split())})") from error


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
def _opened(source: Path | io.BytesIO) -> Iterator[Image.Image]:
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


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF says. Pillow's own exif_transpose also rewrites it, and fails on bad EXIF.

    Loaded first, as Pillow turns a TIFF by itself then, and drops the orientation.
    """
    image.load()
    turn = _TURNS.get(image.getexif().get(_EXIF_ORIENTATION, 1))
    return image if turn is None else image.transpose(turn)


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
    return image if transform is None else transform.apply(image)


@lru_cache(maxsize=8)  # an album has few profiles, and reading one takes longer than a small photo
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """What turns the colours of a picture of `mode` into sRGB; None when nothing is to be done."""
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        fits = _MODE_OF_COLOURS.get(opened.profile.xcolor_space) == mode
        if not fits or ImageCms.getProfileDescription(opened).startswith("sRGB"):
            return None
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.ImageCmsTransform(opened, ImageCms.ImageCmsProfile(srgb), mode, "RGB")
    except _DAMAGED:
        return None


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode[0] not in "IF":
        return image if image.mode == "RGB" else image.convert("RGB")
    # 16-bit or float grey, which Pillow's own conversion clips at 255: of 16 bits the upper 8, as
    # Pillow takes them of colours
    grey = np.asarray(image, dtype=np.float32)
    step = 1 if grey.max(initial=0) <= 255 else 256
    levels = np.clip(grey / step, 0, 255).astype(np.uint8)
    return Image.fromarray(levels).convert("RGB")


def encode_png(image: Pixels | Levels, about: Sequence[tuple[bytes, bytes]] = ()) -> bytes:
    """A PNG file of the picture: every line filtered by "Up" (RFC 2083 §6.4), then deflated by
    ISA-L. `about` are the kinds and contents of more chunks.

    "Up" leaves of a mosaic nothing but zeros between the edges of its cells. Measured on pairs of
    256 px of `photos/`: 0.8 ms and 93 kB, where zlib looking for runs alone took 2.3 ms and 104 kB,
    at its level 1 2.5 ms and 95 kB, and Pillow, which tries every filter on every line, 5.4 ms and
    95 kB. With zlib half of the time that a small photo takes would be spent here.
    """
    height, width, channels = image.shape
    big_endian = image.astype(image.dtype.newbyteorder(">"), copy=False)
    lines = big_endian.reshape(height, width * channels).view(np.uint8)
    filtered = np.empty((height, 1 + lines.shape[1]), np.uint8)
    filtered[:, 0] = 2  # the number of the filter "Up": each byte less the one above
    filtered[0, 1:] = lines[0]
    np.subtract(lines[1:], lines[:-1], out=filtered[1:, 1:])
    colours = 2 if channels == 3 else 6  # the numbers of RGB and RGBA
    # The zero at the end: not interlaced
    header = struct.pack(">IIBBBBB", width, height, 8 * image.itemsize, colours, 0, 0, 0)
    data = isal_zlib.compress(filtered, 1)
    chunks = ((b"IHDR", header), *about, (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, data) for kind, data in chunks)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    checksum = isal_zlib.crc32(data, isal_zlib.crc32(kind))
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def write_png(path: Path, image: Pixels) -> None:
    """Write the picture as PNG, whole or not at all."""
    write_bytes(path, encode_png(image))


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
    with _opened(io.BytesIO(data)) as original:
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
    before, colours = np.asarray(_to_rgb(_upright(original))), levels[:, :, :3]
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
    original.load()  # as in `_upright`
    turn = _TURNS.get(original.getexif().get(_EXIF_ORIENTATION, 1))
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
        result.putalpha(_upright(original).convert("RGBA").getchannel("A"))
    return result


def _kept_exif(original: Image.Image) -> Image.Exif:
    try:
        exif = original.getexif()
        for tag in _EXIF_OF_THE_FILE:
            exif.pop(tag, None)
        if len(exif.tobytes()) > _MAX_EXIF:
            return Image.Exif()
    except _DAMAGED:
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


def write_jpeg(path: Path, image: Pixels) -> None:
    """Write the picture as JPEG (quality 90), whole or not at all; for sheets to look at."""
    write_with(path, lambda part: Image.fromarray(image).save(part, "JPEG", quality=90))


def encode_webp(image: Pixels) -> bytes:
    """A WebP file of the picture, for pages: exact where that is smaller, as for a mosaic, else in
    quality 90, a fifth of a PNG.
    """
    files = []
    for options in ({"lossless": True}, {"quality": 90}):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "WEBP", **options)
        files.append(file.getvalue())
    return min(files, key=len)


def jpeg_damaged(image: Pixels, quality: int) -> Pixels:
    """The picture (H, W, 3) as it comes back from a JPEG file of `quality`, 1..100."""
    _, data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1])


def read_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture file as stored, from its header. Raises DemosaicError."""
    try:
        with _opened(path) as image:
            width, height = image.size
            return width, height
    except _DAMAGED as error:
        raise DemosaicError(f"{path}: not a picture") from error


def crop(image: NDArray[_Kind], box: Box) -> NDArray[_Kind]:
    """The pixels of `box`, which lies inside the picture or plane (H, W, ...); a view."""
    return image[box.y : box.y + box.height, box.x : box.x + box.width]


def paste(image: Pixels, piece: Pixels, box: Box) -> Pixels:
    """A copy of the picture with `piece` in `box`; every other pixel as it was."""
    pasted = image.copy()
    pasted[box.y : box.y + box.height, box.x : box.x + box.width] = piece
    return pasted


def resize(image: NDArray[Any], width: int, height: int) -> NDArray[Any]:
    """The picture (H, W, 3) or (H, W), uint8 or float, at another size: area means down, cubic
    up.
    """
    if image.shape[:2] == (height, width):
        return image
    smaller = width * height < image.shape[0] * image.shape[1]
    return cv2.resize(
        image, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    )


def resize_mask(mask: NDArray[np.bool_], width: int, height: int) -> NDArray[np.bool_]:
    """The mask (H, W) at another size: the nearest pixel's value."""
    size = (width, height)
    scaled = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return scaled.astype(bool)


def blurred(image: Pixels, spread: float) -> Pixels:
    """The picture with every pixel replaced by the Gaussian mean round it, of so many pixels'
    standard deviation.
    """
    soft = cv2.GaussianBlur(image, (0, 0), spread, borderType=cv2.BORDER_REFLECT)
    return np.asarray(soft, np.uint8)


def to_grey(image: Pixels) -> NDArray[np.uint8]:
    """The brightness (H, W), 0..255, of a picture."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def to_float(image: Pixels) -> Floats:
    """uint8 (H, W, 3) as float32 (3, H, W) in [-1, 1]."""
    return np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32) / 127.5 - 1.0


def to_levels(image: Floats) -> Floats:
    """[-1, 1] as grey levels 0..255, still float and unclipped."""
    return (image + 1.0) * np.float32(127.5)


def to_uint8(image: Floats) -> Pixels:
    """float (3, H, W) in [-1, 1] as uint8 (H, W, 3), clipped and rounded."""
    levels = np.clip(np.rint(to_levels(image)), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(levels.transpose(1, 2, 0))


def titled(picture: Pixels, title: str) -> Pixels:
    """The picture under a line of text in black on white."""
    strip = np.full((28, picture.shape[1], 3), 255, np.uint8)
    cv2.putText(strip, title, (6, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([strip, picture])


def thumbnail(picture: Pixels, side: int, box: Box | None) -> Pixels:
    """The picture fitted into a white square, with a red frame round `box` of it, if given."""
    scale = side / max(picture.shape[:2])
    height, width = (max(1, round(length * scale)) for length in picture.shape[:2])
    small = resize(picture, width, height).copy()
    if box:
        x, y, across, down = (round(v * scale) for v in (box.x, box.y, box.width, box.height))
        cv2.rectangle(small, (x, y), (x + across, y + down), (255, 0, 0), 1)
    square = np.full((side, side, 3), 255, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = small
    return square


def use_one_core() -> None:
    """Keep cv2 from starting threads: where every core has a process of its own they only wait."""
    cv2.setNumThreads(1)


def contact_sheet(pictures: Sequence[Pixels], columns: int, side: int) -> Pixels:
    """The pictures, each scaled to fit `side` x `side` (or its own shape times it), in rows on
    white.
    """
    height, width = pictures[0].shape[:2]
    tile = (
        (round(side * width / height), side)
        if width > height
        else (side, round(side * height / width))
    )
    rows = math.ceil(len(pictures) / columns)
    gap = max(2, side // 32)
    sheet = np.full(
        (rows * (tile[1] + gap) + gap, columns * (tile[0] + gap) + gap, 3), 255, np.uint8
    )
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        top, left = gap + row * (tile[1] + gap), gap + column * (tile[0] + gap)
        sheet[top : top + tile[1], left : left + tile[0]] = resize(picture, *tile)
    return sheet
