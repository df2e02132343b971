"""Contact sheets: several pictures in one."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from demosaic.imaging.arrays import Pixels, resize
from demosaic.imaging.geometry import Box

_FONT = cv2.FONT_HERSHEY_SIMPLEX


def titled(picture: Pixels, title: str) -> Pixels:
    """The picture (H, W, 3) below a line of text, black on white: (28 + H, W, 3)."""
    strip = np.full((28, picture.shape[1], 3), 255, np.uint8)
    cv2.putText(strip, title, (6, 20), _FONT, 0.55, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([strip, picture])


def headed(sheet: Pixels, names: Sequence[str]) -> Pixels:
    """The sheet (H, W, 3) below a line of names, black on white, each over its share of the width:
    (28 + H, W, 3). They are as large as the longest one allows.
    """
    share = sheet.shape[1] / len(names)
    widest = max(cv2.getTextSize(one, _FONT, 1.0, 1)[0][0] for one in names)
    scale = min(0.55, (share - 12) / widest)
    strip = np.full((28, sheet.shape[1], 3), 255, np.uint8)
    for place, name in enumerate(names):
        at = (round(place * share) + 6, 20)
        cv2.putText(strip, name, at, _FONT, scale, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([strip, sheet])


def thumbnail(picture: Pixels, side: int, box: Box | None) -> Pixels:
    """The picture (H, W, 3) scaled into a white square, (side, side, 3), with a red frame around
    `box`, if given, in pixels of the picture.
    """
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


def contact_sheet(pictures: Sequence[Pixels], columns: int, side: int) -> Pixels:
    """The pictures (H, W, 3) in rows of `columns` on white, all of the same size: the first one's
    shape, with a shorter side of `side` pixels.
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
