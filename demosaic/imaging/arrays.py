"""Arrays of pixels: their types and ranges, and functions from one to another."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""A picture: RGB, (H, W, 3), 0..255."""

Levels = NDArray[np.uint16]
"""A picture of 16 bits: RGB or RGBA, (H, W, 3 or 4), 0..65535."""

Floats = NDArray[np.float32]
"""Mostly a picture for arithmetic: RGB, (3, H, W), -1..1."""

Doubles = NDArray[np.float64]
"""Numbers in double precision, of any shape."""

Mask = NDArray[np.bool_]
"""Pixels chosen from a picture: (H, W)."""

Kind = TypeVar("Kind", bound=np.generic)


def resize(image: NDArray[Any], width: int, height: int) -> NDArray[Any]:
    """The picture (H, W, 3) or (H, W), uint8 or float32, resized to (height, width, ...).

    A smaller one has the means of areas, a larger one is interpolated by cubics, which may leave
    the range of a float picture. At its own size it is returned itself, not copied.
    """
    if image.shape[:2] == (height, width):
        return image
    smaller = width * height < image.shape[0] * image.shape[1]
    return cv2.resize(
        image, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    )


def differing(one: NDArray[Any], other: NDArray[Any]) -> Mask:
    """(H, W): where two pictures (H, W, C) of one shape are not the same."""
    # Channel by channel: numpy takes five times as long to reduce such a short axis
    planes = (one[:, :, channel] != other[:, :, channel] for channel in range(one.shape[2]))
    return np.asarray(reduce(np.logical_or, planes), bool)


def different_colours(colours: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """The colours (N, C) among (..., C) without repetition, and which of them each one is (...).

    C is 4 at most: as one number a colour is sorted ten times as fast as along an axis.
    """
    channels = colours.shape[-1]
    whole = np.zeros((*colours.shape[:-1], 4), np.uint8)
    whole[..., :channels] = colours
    found, where = np.unique(whole.view(np.uint32)[..., 0], return_inverse=True)
    different = found[:, None].view(np.uint8)[:, :channels]
    return different, where.reshape(colours.shape[:-1])


def resize_mask(mask: Mask, width: int, height: int) -> Mask:
    """The mask (H, W) resized to (height, width); each pixel takes the value of the nearest."""
    size = (width, height)
    scaled = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return scaled.astype(bool)


def blurred(image: Pixels, deviation: float) -> Pixels:
    """The picture (H, W, 3) after a Gaussian blur whose standard deviation is in pixels."""
    soft = cv2.GaussianBlur(image, (0, 0), deviation, borderType=cv2.BORDER_REFLECT)
    return np.asarray(soft, np.uint8)


def to_grey(image: Pixels) -> NDArray[np.uint8]:
    """The luma (H, W) of a picture (H, W, 3), both in 0..255 (BT.601 weights)."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def to_float(image: Pixels) -> Floats:
    """The picture (H, W, 3) of levels 0..255 as float32 (3, H, W) in [-1, 1]."""
    # Split first: numpy takes half as long again to change layout and type in one step
    levels = np.stack(cv2.split(image)).astype(np.float32)
    levels /= np.float32(127.5)
    levels -= np.float32(1.0)
    return levels


def to_levels(image: Floats) -> Floats:
    """Values in [-1, 1], of any shape, as levels in 0..255: still float32, not clipped."""
    return (image + 1.0) * np.float32(127.5)


def to_uint8(image: Floats) -> Pixels:
    """The float picture (3, H, W) in [-1, 1] as levels (H, W, 3), clipped and rounded."""
    levels = np.clip(np.rint(to_levels(image)), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(levels.transpose(1, 2, 0))


def use_one_core() -> None:
    """Keep cv2 to one thread until the process ends: for worker processes, one for each core."""
    cv2.setNumThreads(1)


@contextmanager
def one_core() -> Iterator[None]:
    """Keep cv2 to one thread in this block, in all threads of the process."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
