"""Boxes of pixels; cropping and pasting."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demosaic.imaging.arrays import Kind, Pixels


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels: columns x to x + width, rows y to y + height, without the ends."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def whole(cls, image: Pixels) -> "Box":
        """The box of a whole picture (H, W, 3)."""
        return cls(0, 0, image.shape[1], image.shape[0])

    @property
    def area(self) -> int:
        """The number of its pixels."""
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
        """The number of pixels that lie in both boxes."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return max(width, 0) * max(height, 0)

    def clipped(self, other: "Box") -> "Box":
        """The part of the box that lies in the other. The boxes must overlap."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.width, other.x + other.width)
        bottom = min(self.y + self.height, other.y + other.height)
        return Box(x, y, right - x, bottom - y)

    def seen_from(self, other: "Box") -> "Box":
        """The box in coordinates that begin at the corner of another."""
        return Box(self.x - other.x, self.y - other.y, self.width, self.height)

    def grown(self, across: int, down: int, image: NDArray[np.uint8]) -> "Box":
        """The box enlarged by `across` pixels left and right and `down` above and below, clipped to
        the picture, (H, W, ...).
        """
        height, width = image.shape[:2]
        more = Box(self.x - across, self.y - down, self.width + 2 * across, self.height + 2 * down)
        return more.clipped(Box(0, 0, width, height))


def crop(image: NDArray[Kind], box: Box) -> NDArray[Kind]:
    """A view of the pixels in `box`, (height, width, ...), which must lie inside the image,
    (H, W, ...).
    """
    return image[box.y : box.y + box.height, box.x : box.x + box.width]


def paste(image: Pixels, piece: Pixels, box: Box) -> Pixels:
    """A copy of the picture (H, W, 3) with `piece`, (height, width, 3), in `box`."""
    pasted = image.copy()
    pasted[box.y : box.y + box.height, box.x : box.x + box.width] = piece
    return pasted
