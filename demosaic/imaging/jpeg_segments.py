"""The segments of a JPEG file beside its pixels, split and joined (ISO/IEC 10918-1 §B)."""

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from demosaic.imaging.metadata import Keeping, without_thumbnails

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_APP0, _APP1, _APP2, _APP11, _APP13, _APP14, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xFE

_EXIF, _XMP, _JFIF = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"JFIF\0"
_PROFILE, _PHOTOSHOP, _ADOBE, _PICTURES = b"ICC_PROFILE\0", b"Photoshop 3.0\0", b"Adobe", b"MPF\0"

# Within coded pixels FF is followed by 0, by a restart marker, or by more FF
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")

_PREVIEWS = (0x010001, 0x010002)  # "large thumbnails" of 640 and 1920 pixels

MAX_TEXT = 65_000
"""How many bytes of EXIF or XMP fit into a segment."""


class DamagedJpeg(ValueError):
    """The segments of a JPEG contradict each other."""


@dataclass(frozen=True)
class Segment:
    """A segment that is not about the pixels."""

    marker: int
    data: bytes
    """Without marker and length."""

    def is_a(self, marker: int, name: bytes) -> bool:
        """Whether this is what a program or a standard puts under a name into a segment."""
        return self.marker == marker and self.data.startswith(name)

    @property
    def says_colours(self) -> bool:
        """Whether it says what the channels of the pixels are."""
        return self.is_a(_APP0, _JFIF) or self.is_a(_APP14, _ADOBE)

    def as_bytes(self) -> bytes:
        """The segment as it is in a file."""
        return struct.pack(">BBH", 0xFF, self.marker, len(self.data) + 2) + self.data


@dataclass(frozen=True)
class JpegParts:
    """A JPEG file in parts."""

    segments: tuple[Segment, ...]
    pixels: bytes
    """From the first table to the end of the picture, included."""
    trailer: bytes
    """What follows the picture: a film, say."""

    def as_bytes(self) -> bytes:
        """The file."""
        return (
            b"\xff\xd8"
            + b"".join(one.as_bytes() for one in self.segments)
            + (self.pixels + self.trailer)
        )

    @property
    def signed(self) -> bool:
        """Whether there is a signature of the original (C2PA)."""
        return any(one.is_a(_APP11, b"JP") for one in self.segments)

    def bare(self) -> bytes:
        """The file with nothing in it but the picture, and what its channels are."""
        colours = tuple(one for one in self.segments if one.says_colours)
        return JpegParts(colours, self.pixels, b"").as_bytes()


def split(data: bytes) -> JpegParts:
    """The parts of a JPEG file; one that ends too early, as some cameras write, gets an end. Raises
    DamagedJpeg when it has no picture.
    """
    segments, pixels, scanned = [], bytearray(), False
    for marker, start, end in _markers(data):
        if marker in range(_APP0, 0xF0) or marker == _COMMENT:
            segments.append(Segment(marker, data[start + 4 : end]))
        else:
            pixels += data[start:end]
        if marker == _END:
            return JpegParts(tuple(segments), bytes(pixels), data[end:])
        scanned = scanned or marker == _SCAN
    if not scanned:
        raise DamagedJpeg("a JPEG has no picture")
    return JpegParts(tuple(segments), bytes(pixels) + bytes([0xFF, _END]), b"")


def _markers(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Each marker after the first, where it begins, and where it ends with what belongs to it."""
    place = 2
    while found := _MARKER.search(data, place):
        marker, start = data[found.start() + 1], found.start()
        if marker == _END:
            yield marker, start, start + 2
            return
        if start + 4 > len(data):
            break
        (length,) = struct.unpack_from(">H", data, start + 2)
        end = start + 2 + length
        if marker == _SCAN:  # its pixels go on to the next marker
            after = _MARKER.search(data, end)
            end = after.start() if after else len(data)
        yield marker, start, end
        place = end


def kept_segments(
    segments: Sequence[Segment],
    keeping: Keeping,
    original: Image.Image,
    picture: Image.Image,
    *,
    several: bool,
) -> tuple[Segment, ...]:
    """The segments of an edited picture: its EXIF and XMP, and those of the original that are still
    true, without any smaller picture in them; the index of `several` pictures only if these stay.
    """
    exif, theirs = keeping.exif(original, picture), original.info.get("xmp")
    kept = [changed for one in segments for changed in _kept(one, keeping)]
    if several:
        kept += [one for one in segments if one.is_a(_APP2, _PICTURES)]
    added = [Segment(_APP1, _EXIF + exif)] if 0 < len(exif) <= MAX_TEXT else []
    if xmp := fitting_xmp(keeping, theirs):
        added.append(Segment(_APP1, _XMP + xmp.encode()))
    first = sum(one.marker == _APP0 for one in kept)  # JFIF must come first
    return (*kept[:first], *added, *kept[first:])


def fitting_xmp(keeping: Keeping, theirs: str | bytes | None) -> str | None:
    """The XMP of a result that fits into a segment: without theirs if that is too long."""
    xmp = keeping.xmp(theirs)
    return xmp if len((xmp or "").encode()) <= MAX_TEXT else keeping.xmp(None)


def _kept(segment: Segment, keeping: Keeping) -> Iterator[Segment]:
    """What is left of a segment."""
    if segment.is_a(_APP0, _JFIF):  # a thumbnail of pixels may follow its 14 bytes
        yield Segment(_APP0, segment.data[:12] + b"\0\0")
    elif segment.is_a(_APP2, _PROFILE) or segment.is_a(_APP14, _ADOBE):
        yield segment
    elif not keeping.all or _is_void(segment):
        return
    elif segment.is_a(_APP13, _PHOTOSHOP):
        kept = without_thumbnails(segment.data.removeprefix(_PHOTOSHOP))
        yield Segment(_APP13, _PHOTOSHOP + kept)
    else:
        yield segment


def _is_void(segment: Segment) -> bool:
    """Whether a segment is no longer true after an edit, or is written anew."""
    names = {_APP1: (_EXIF, _XMP), _APP2: (_PICTURES, b"FPXR")}.get(segment.marker, ())
    # APP0: a thumbnail in a JFXX; APP11: a signature of the original
    return segment.marker in (_APP0, _APP11) or segment.data.startswith(names)


# Several pictures in a file (CIPA DC-007)


def split_pictures(data: bytes) -> list[bytes]:
    """The JPEG files that are one after the other in a file, by its index; the whole file alone
    without one. Raises DamagedJpeg.
    """
    entries = _index_of(data)
    starts = [0, *(offset for _, offset, _ in entries[1:])]
    if sorted(set(starts)) != starts or any(data[at : at + 2] != b"\xff\xd8" for at in starts):
        raise DamagedJpeg("the index of several pictures is wrong")
    return [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]


def join_pictures(parts: Sequence[bytes], before: Sequence[bytes]) -> bytes:
    """A file of several JPEG files, whose sizes were those of `before`, with its index mended."""
    data = bytearray(b"".join(parts))
    place = 0
    for number, (place_of_entry, _, base) in enumerate(_index_of(bytes(data))):
        (size,) = struct.unpack_from(_order(data, base) + "I", data, place_of_entry + 4)
        size += len(parts[number]) - len(before[number])
        offset = place - base if number else 0
        struct.pack_into(_order(data, base) + "II", data, place_of_entry + 4, size, offset)
        place += len(parts[number])
    return bytes(data)


def previews(data: bytes) -> list[int]:
    """The numbers of the pictures in a file that are smaller copies of its first one."""
    types = [
        struct.unpack_from(_order(data, base) + "I", data, at)[0]
        for at, _, base in (_index_of(data))
    ]
    return [number for number, kind in enumerate(types) if kind & 0xFFFFFF in _PREVIEWS]


def _order(data: bytes | bytearray, base: int) -> str:
    return "<" if data[base : base + 2] == b"II" else ">"


def _index_of(data: bytes) -> list[tuple[int, int, int]]:
    """For each picture in a file: where its entry of 16 bytes is, where it begins by that entry,
    and from where the index counts. Empty without an index. Raises DamagedJpeg.
    """
    for marker, start, _ in _markers(data):
        if marker == _APP2 and data[start + 4 : start + 8] == _PICTURES:
            try:
                return _entries(data, start + 8)
            except struct.error as error:
                raise DamagedJpeg("the index of several pictures is cut short") from error
    return []


def _entries(data: bytes, base: int) -> list[tuple[int, int, int]]:
    order = _order(data, base)
    (first,) = struct.unpack_from(order + "I", data, base + 4)
    (count,) = struct.unpack_from(order + "H", data, base + first)
    for number in range(count):
        tag, _, size, value = struct.unpack_from(
            order + "HHII", data, base + first + 2 + 12 * number
        )
        if tag == 0xB002:
            places = [base + value + 16 * one for one in range(size // 16)]
            offsets = [struct.unpack_from(order + "I", data, place + 8)[0] for place in places]
            return [
                (place, base + offset, base) for place, offset in zip(places, offsets, strict=True)
            ]
    return []
