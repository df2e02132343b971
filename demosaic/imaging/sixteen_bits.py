"""Pictures of 16 bits a channel, which Pillow does not read in colour."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin
from PIL.ExifTags import Base

from demosaic.imaging.arrays import Levels

_PNG_BIT_DEPTH_AT = 24  # its byte in the file, as IHDR always comes first

_GREY_AND_ALPHA = 4  # in the byte after it; Pillow reads it as RGBA


def sixteen_bits(original: Image.Image, data: bytes, count: int) -> list[Levels | None]:
    """The `count` pages of a PNG or TIFF that Pillow opened from `data`, as far as they have 16
    bits: (H, W, C) with 1 channel for grey, 2 with alpha, 3 or 4 in colour. None for others, and
    for all when the first has other bits.

    Like Pillow, cv2 turns a TIFF by itself; asked for the unchanged pixels of a PNG it does not
    turn them.
    """
    if not _has_sixteen_bits(original, data):
        return [None] * count
    file, grey = np.frombuffer(data, np.uint8), _is_grey_with_alpha(original, data)
    one = count == 1
    pages = (
        [cv2.imdecode(file, cv2.IMREAD_UNCHANGED)]
        if one
        else [*cv2.imdecodemulti(file, cv2.IMREAD_UNCHANGED)[1]]
    )
    if len(pages) != count:
        return [None] * count
    return [_levels(np.asarray(page), grey=grey) for page in pages]


def _levels(stored: NDArray[Any], *, grey: bool) -> Levels | None:
    """A picture as cv2 decodes it, with its channels in our order; None if it has no 16 bits."""
    if stored.dtype != np.uint16:
        return None
    levels = np.atleast_3d(np.asarray(stored, np.uint16))
    if levels.shape[2] < 3:
        return levels[:, :, :1]
    order = [0, 3] if grey and levels.shape[2] == 4 else [2, 1, 0, 3][: levels.shape[2]]
    return np.ascontiguousarray(levels[:, :, order])


def _is_grey_with_alpha(original: Image.Image, data: bytes) -> bool:
    return original.format == "PNG" and data[_PNG_BIT_DEPTH_AT + 1] == _GREY_AND_ALPHA


def _has_sixteen_bits(original: Image.Image, data: bytes) -> bool:
    if isinstance(original, TiffImagePlugin.TiffImageFile):
        return set(original.tag_v2.get(Base.BitsPerSample, ())) == {16}
    return original.format == "PNG" and data[_PNG_BIT_DEPTH_AT] == 16
