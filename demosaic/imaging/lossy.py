"""WebP and AVIF: whether a file is lossless, and the quality that it was written with."""

import io
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image

from demosaic.imaging.stored import Stored

_SPEED = 8  # of AVIF, when only the size is looked at
_SOME_FRAMES = 4  # of an animation, to look at the size of
_MOST = 1.05  # times the size of the original


def is_lossy_webp(data: bytes) -> bool:
    """Whether any picture in a WebP file is coded with losses (RFC 9649 §2.5)."""
    return bool(_webp_sizes(data))


def webp_quality(data: bytes, pages: Sequence[Stored]) -> int:
    """The quality, 0 to 100, at which Pillow writes the first picture of a lossy WebP file about as
    large as it is there.
    """
    image = pages[0].as_image()
    target = _webp_sizes(data)[0]

    def size(quality: int) -> int:
        return _webp_sizes(_saved(image, "WEBP", quality=quality))[0]

    return _quality(size, target)


def avif_quality(data: bytes, pages: Sequence[Stored]) -> int:
    """The quality, 0 to 100, at which Pillow writes an AVIF file about as large as it is."""
    images = [page.as_image() for page in pages[:_SOME_FRAMES]]
    target = len(data) * len(images) / len(pages)
    options: dict[str, Any] = {"subsampling": avif_subsampling(data), "speed": _SPEED}
    if len(images) > 1:
        options |= {"save_all": True, "append_images": images[1:], "duration": 100}

    def size(quality: int) -> int:
        return len(_saved(images[0], "AVIF", quality=quality, **options))

    return _quality(size, target)


def avif_subsampling(data: bytes) -> str:
    """The subsampling of colours in an AVIF file, from its codec's configuration (AV1 in ISOBMFF
    §2.3); 4:2:0 where it does not say.
    """
    place = data.find(b"av1C")
    if place < 0 or place + 7 > len(data):
        return "4:2:0"
    flags = data[place + 6]
    if flags & 0x10:
        return "4:0:0"
    return {0: "4:4:4", 8: "4:2:2"}.get(flags & 0x0C, "4:2:0")


def avif_bits(data: bytes) -> int:
    """The bits of a channel in an AVIF file."""
    place = data.find(b"av1C")
    flags = data[place + 6] if 0 <= place < len(data) - 7 else 0
    return {0: 8, 0x40: 10, 0x60: 12}.get(flags & 0x60, 8)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _quality(size: Callable[[int], int], target: float) -> int:
    """The highest quality at which the size is hardly above the target, by bisection."""
    low, high = 1, 100
    while low < high:
        middle = (low + high + 1) // 2
        if size(middle) <= target * _MOST:
            low = middle
        else:
            high = middle - 1
    return low


def _webp_sizes(data: bytes) -> list[int]:
    """The sizes of the lossy pictures in a WebP file, bytes."""
    return [size for kind, size in _webp_chunks(data, 12, len(data)) if kind == b"VP8 "]


def _webp_chunks(data: bytes, place: int, end: int) -> list[tuple[bytes, int]]:
    found = []
    while place + 8 <= end:
        kind, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        found.append((kind, size))
        if kind == b"ANMF":  # 16 bytes about the frame, then its own chunks
            found += _webp_chunks(data, place + 24, min(place + 8 + size, end))
        place += 8 + size + size % 2
    return found
