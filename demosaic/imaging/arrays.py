"""Arrays of pixels: kinds, ranges, sizes."""

from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""A picture: RGB, (H, W, 3), 0..255."""

Levels = NDArray[np.uint16]
"""A picture of 16 bits: RGB or RGBA, (H, W, 3 or 4), 0..65535."""

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
"""A picture for arithmetic: RGB, (3, H, W), -1..1."""

Kind = TypeVar("Kind", bound=np.generic)


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


def use_one_core() -> None:
    """Keep cv2 from starting threads: where every core has a process of its own they only wait."""
    cv2.setNumThreads(1)
