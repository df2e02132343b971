"""A file of pictures as it is read, so that an edited copy can be like it."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from demosaic.errors import DemosaicError
from demosaic.imaging.decoding import read_bytes
from demosaic.imaging.jpeg_segments import DamagedJpeg, split_pictures
from demosaic.imaging.opening import NotAPicture, decoding, opened, picture_in, refuse_too_large
from demosaic.imaging.sixteen_bits import sixteen_bits
from demosaic.imaging.stored import Stored, stored_in

ANIMATIONS = {"GIF", "PNG", "WEBP", "AVIF"}
"""Formats of Pillow's that show several pictures one after the other."""

_SEVERAL = ANIMATIONS | {"TIFF", "MPO"}  # others, such as PSD, have layers, or are not written


@dataclass(frozen=True)
class Original:
    """The content of a file of pictures."""

    data: bytes
    format: str
    """Pillow's name of it."""
    pages: tuple[Stored, ...]
    """All pictures: frames of an animation, pages of a TIFF, pictures of an MPO."""
    durations: tuple[float, ...]
    """For how long each is shown, milliseconds; 0 where the file does not say."""
    left_out: int = 0
    """How many more pictures the file has, which are not read."""
    has_maps: bool = False
    """Whether the file has maps of depth or light beside its pictures, which are not read."""

    @property
    def is_animation(self) -> bool:
        """Whether the pictures are shown one after the other."""
        return len(self.pages) > 1 and self.format in ANIMATIONS

    def first_of_mpo(self) -> "Original":
        """The file with the first of the pictures of an MPO only; any other as it is."""
        if self.format != "MPO":
            return self
        data = split_pictures(self.data)[0]
        return Original(data, "JPEG", self.pages[:1], self.durations[:1], len(self.pages) - 1)


def read_original(path: Path) -> Original:
    """All pictures in a file. Raises DemosaicError that names the file when it contains none."""
    data = read_bytes(path)
    try:
        with picture_in(data) as image:
            if image.format == "MPO":
                return _several_jpegs(data)
            count = _count(image)
            refuse_too_large(image, count if image.format in _SEVERAL else 1)
            if image.format not in _SEVERAL:
                pages, maps = (stored_in(image),), _has_maps(image)
                return Original(data, str(image.format), pages, (0,), count - 1, maps)
            found = [*_pages(image, data, count)]
            durations = tuple(duration for _, duration in found)
            return Original(data, str(image.format), tuple(page for page, _ in found), durations)
    except NotAPicture as error:
        raise DemosaicError(f"{path}: {error}") from error


def _has_maps(image: Image.Image) -> bool:
    """Whether a HEIC has pictures of depth, or others that belong to the main one."""
    return bool(image.info.get("depth_images") or image.info.get("aux"))


def _count(image: Image.Image) -> int:
    with decoding():
        return max(1, int(getattr(image, "n_frames", 1)))


def _pages(image: Image.Image, data: bytes, count: int) -> Iterator[tuple[Stored, float]]:
    """Each picture, and for how long it is shown."""
    one_by_one = count == 1 or image.format == "TIFF"  # the frames of a PNG complete each other
    deep = sixteen_bits(image, data, count) if one_by_one else [None] * count
    for number, levels in enumerate(deep):
        with decoding():
            image.seek(number)
        refuse_too_large(image, 1)
        page = stored_in(image, levels)
        yield page, float(image.info.get("duration") or 0)


def _several_jpegs(data: bytes) -> Original:
    """The pictures of an MPO; only the first where its index is wrong."""
    try:
        parts = split_pictures(data)
    except DamagedJpeg:
        parts = [data]
    pages = []
    for part in parts:
        with decoding(), opened(io.BytesIO(part)) as image:
            refuse_too_large(image, 1)
            pages.append(stored_in(image))
    return Original(data, "MPO" if len(parts) > 1 else "JPEG", tuple(pages), (0,) * len(pages))
