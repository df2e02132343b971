"""Files to arrays and back. Only here, and in `edits`, are EXIF turns, colour modes, bit depths and
file formats known.
"""

import io
import math
import os
import struct
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
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
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
EXIF_ORIENTATION = 0x0112
_MODE_OF_COLOURS = {"RGB ": "RGB", "CMYK": "CMYK", "GRAY": "L"}  # of an ICC profile


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

    def seen_from(self, other: "Box") -> "Box":
        """The box, counted from the corner of another."""
        return Box(self.x - other.x, self.y - other.y, self.width, self.height)

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
        _load(image)
        return np.asarray(to_rgb(upright(image)))


def decode_photo(data: bytes, reduce: int = 1) -> Pixels:
    """The upright picture in the bytes of a file as it is to be seen: in sRGB by its profile, what
    is transparent over white.

    `reduce`, 1, 2, 4 or 8, makes the sides so many times shorter (rounded up): by area means, and
    where it is a JPEG while it is decoded, which takes a third of the time. Raises NotAPicture.
    """
    with _picture_in(data) as image:
        size = math.ceil(image.width / reduce), math.ceil(image.height / reduce)
        _load(image, draft=(image.width // reduce, image.height // reduce))
        seen = to_rgb(_in_srgb(_flattened(upright(image))))
        if sorted(seen.size) != sorted(size):
            seen = seen.reduce(reduce)
        return np.asarray(seen)


def photo_size(data: bytes) -> tuple[int, int]:
    """Width and height of the upright picture in the bytes of a file, from its header. Raises
    NotAPicture.
    """
    with _picture_in(data) as image, _decoding():
        width, height = image.size
        turned = image.format != "TIFF" and image.getexif().get(EXIF_ORIENTATION, 1) >= 5
        return (height, width) if turned else (width, height)


def taken_at(data: bytes) -> datetime | None:
    """When a photo was taken, as its EXIF says; None where it does not."""
    try:
        with _picture_in(data) as image, _decoding():
            when = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
    except NotAPicture:
        return None
    try:
        return datetime.strptime(str(when), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None


@contextmanager
def _picture_in(data: bytes) -> Iterator[Image.Image]:
    """The picture in the bytes of a file, its pixels not yet read. Raises NotAPicture.

    Only errors of opening it become NotAPicture; those of the caller's block pass through.
    """
    if not data:
        raise NotAPicture("empty file")
    if _is_cut_short(data):
        raise NotAPicture("damaged picture (file is truncated)")
    with ExitStack() as stack:
        with _decoding():
            image = stack.enter_context(opened(io.BytesIO(data)))
        if image.width * image.height > _MAX_PIXELS:
            raise NotAPicture(f"too large: {image.width} x {image.height} pixels")
        yield image


@contextmanager
def _decoding() -> Iterator[None]:
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


def _load(image: Image.Image, draft: tuple[int, int] | None = None) -> None:
    """Read the pixels and the orientation, which Pillow puts off until they are used. Raises
    NotAPicture.

    `draft` is the width and height that a JPEG may be decoded at, or larger.
    """
    with _decoding():
        if draft and image.format in ("JPEG", "MPO"):
            image.draft(None, draft)
        image.load()
        turn_of(image)


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
def opened(source: Path | io.BytesIO) -> Iterator[Image.Image]:
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


def upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF says. Pillow's own exif_transpose also rewrites it, and fails on bad EXIF.

    Loaded first, as Pillow turns a TIFF by itself then, and drops the orientation.
    """
    image.load()
    turn = turn_of(image)
    return image if turn is None else image.transpose(turn)


def turn_of(image: Image.Image) -> Image.Transpose | None:
    """How a picture, once loaded, is to be turned, as its EXIF says; None where it is upright."""
    return _TURNS.get(image.getexif().get(EXIF_ORIENTATION, 1))


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
    if transform is None:
        return image
    with _decoding():  # a damaged profile may show only here
        return transform.apply(image)


@lru_cache(maxsize=8)  # an album has few profiles, and reading one takes longer than a small photo
def _to_srgb(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """What turns the colours of a picture of `mode` into sRGB; None when nothing is to be done."""
    try:
        held = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        fits = _MODE_OF_COLOURS.get(held.profile.xcolor_space) == mode
        if not fits or ImageCms.getProfileDescription(held).startswith("sRGB"):
            return None
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.ImageCmsTransform(held, ImageCms.ImageCmsProfile(srgb), mode, "RGB")
    except DAMAGED:
        return None


def to_rgb(image: Image.Image) -> Image.Image:
    """In 8 bits of red, green and blue, whatever the mode."""
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
        with opened(path) as image:
            width, height = image.size
            return width, height
    except DAMAGED as error:
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
    # Split first: from one layout and type to another at once takes numpy half as long again
    levels = np.stack(cv2.split(image)).astype(np.float32)
    levels /= np.float32(127.5)
    levels -= np.float32(1.0)
    return levels


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
