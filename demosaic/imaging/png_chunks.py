"""The chunks of a PNG file beside its pixels, and several pictures in one (PNG, third edition)."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from isal import isal_zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_XMP = b"XML:com.adobe.xmp\0"

# What the colours mean and how large the picture is
_COLOURS = {b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"cLLI", b"pHYs"}

# About the pixels as they were coded, or smaller pictures
_OF_THE_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"hIST", b"sBIT", b"bKGD"}
_OF_FRAMES = {b"acTL", b"fcTL", b"fdAT"}
_SIGNED = {b"caBX", b"dSIG"}  # signatures of the original

_RAW_EXIF = (b"Raw profile type exif", b"Raw profile type APP1")  # by ImageMagick


@dataclass(frozen=True)
class Chunk:
    """A chunk of a PNG file."""

    kind: bytes
    data: bytes

    def as_bytes(self) -> bytes:
        """The chunk as it is in a file."""
        checksum = isal_zlib.crc32(self.data, isal_zlib.crc32(self.kind))
        return (
            struct.pack(">I", len(self.data)) + self.kind + self.data + struct.pack(">I", checksum)
        )


def chunks_in(data: bytes) -> Iterator[Chunk]:
    """The chunks of a PNG file, as far as they are whole."""
    place = len(_SIGNATURE)
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        yield Chunk(data[place + 4 : place + 8], data[place + 8 : place + 8 + length])
        place += 12 + length


def as_png(chunks: Sequence[Chunk]) -> bytes:
    """A PNG file of chunks."""
    return _SIGNATURE + b"".join(chunk.as_bytes() for chunk in chunks)


def kept_chunks(data: bytes, *, everything: bool) -> list[Chunk]:
    """The chunks of a PNG file that are still true after an edit, without EXIF and XMP, which are
    written anew. Not `everything`: only what the colours mean, and the resolution.
    """
    return [
        chunk
        for chunk in chunks_in(data)
        if chunk.kind in _COLOURS or (everything and _says_something_else(chunk))
    ]


def _says_something_else(chunk: Chunk) -> bool:
    if chunk.kind in _OF_THE_PIXELS | _OF_FRAMES | _SIGNED | {b"eXIf"}:
        return False
    return not chunk.data.startswith((_XMP, *_RAW_EXIF))


def is_signed(data: bytes) -> bool:
    """Whether a PNG file has a signature of its content."""
    return any(chunk.kind in _SIGNED for chunk in chunks_in(data))


def new_chunks(
    exif: bytes, xmp: str | None, profile: bytes | None, resolution: tuple[float, float] | None
) -> list[Chunk]:
    """Chunks that say these things, as far as there are any; `resolution` in dots an inch."""
    chunks = []
    if profile:
        chunks.append(Chunk(b"iCCP", b"ICC Profile\0\0" + isal_zlib.compress(profile)))
    if resolution:
        a_metre = [round(dots / 0.0254) for dots in resolution]
        chunks.append(Chunk(b"pHYs", struct.pack(">IIB", *a_metre, 1)))
    if exif:
        chunks.append(Chunk(b"eXIf", exif))
    if xmp:
        chunks.append(Chunk(b"iTXt", _XMP + b"\0\0\0\0" + xmp.encode()))
    return chunks


# Animations (§11.3.6, APNG)


@dataclass(frozen=True)
class Frame:
    """One picture of an animation."""

    pixels: bytes
    """The deflated pixels: the contents of its IDAT."""
    place: tuple[int, int, int, int]
    """Left, top, width and height in the whole picture."""
    seconds: tuple[int, int] | None
    """For how long it is shown, as a fraction; None of a picture that is not in the animation."""


def delays_in(data: bytes) -> list[tuple[int, int] | None]:
    """For how long the frames of a PNG file are shown, as fractions of a second; the first is None
    when it is not in the animation.
    """
    delays: list[tuple[int, int] | None] = []
    for chunk in chunks_in(data):
        if chunk.kind == b"IDAT" and not delays:
            delays.append(None)
        if chunk.kind == b"fcTL":
            delays.append(struct.unpack_from(">HH", chunk.data, 20))
    return delays


def plays_in(data: bytes) -> int:
    """How often the animation of a PNG file is shown; 0 for ever."""
    for chunk in chunks_in(data):
        if chunk.kind == b"acTL":
            return int(struct.unpack_from(">I", chunk.data, 4)[0])
    return 0


def animation(frames: Sequence[Frame], plays: int) -> list[Chunk]:
    """The chunks of the frames of an animation, of which the first is whole: each replaces what was
    in its place.
    """
    shown = sum(frame.seconds is not None for frame in frames)
    chunks, number = [Chunk(b"acTL", struct.pack(">II", shown, plays))], 0
    for frame in frames:
        if frame.seconds is not None:
            left, top, width, height = frame.place
            values = (number, width, height, left, top, *frame.seconds, 0, 0)
            chunks.append(Chunk(b"fcTL", struct.pack(">IIIIIHHBB", *values)))
            number += 1
        if frame is frames[0]:
            chunks.append(Chunk(b"IDAT", frame.pixels))
        else:
            chunks.append(Chunk(b"fdAT", struct.pack(">I", number) + frame.pixels))
            number += 1
    return chunks
