"""MediaPipe's short-range face network, run by OpenCV.

The network is BlazeFace (arXiv 1907.05047) as MediaPipe ships it; `tools/convert_face_model.py`
made its file from MediaPipe's wheel. The steps around the network are MediaPipe's too: its warp of
the picture, its anchors, its weighted suppression of overlapping boxes. Boxes, key points and
scores agree with MediaPipe 0.10.21.
"""

from functools import cache, lru_cache
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.faces.detector import Face
from demosaic.files import read_packaged
from demosaic.imaging.arrays import Floats, Pixels
from demosaic.imaging.geometry import Box

NETWORK = Path(__file__).with_name("face-short-range.onnx")
"""The network's file, with its checksum, origin and licence beside it."""

_SIDE = 128  # px of the network's input
_MAPS = ((16, 2), (8, 6))  # sides of the maps of anchors, and anchors at each of their points
_OVERLAP = 0.3  # intersection over union from which on two boxes are one face
_SUBPIXELS, _BLOCK = 32, 64  # fixed points to a pixel, and columns to a block, of OpenCV's warp


class ShortRangeDetector:
    """Finds faces of about an eighth of the picture and more."""

    def __init__(self, min_score: float) -> None:
        """Find faces whose score is `min_score` (0..1) or more. Raises DemosaicError when the
        network's file is not the one that was released.
        """
        self._network = cv2.dnn.readNetFromONNX(np.frombuffer(read_packaged(NETWORK), np.uint8))
        self._min_score = np.float32(min_score)

    def detect(self, image: Pixels) -> list[Face]:
        """The faces in a picture (H, W, 3), the most certain first."""
        height, width = image.shape[:2]
        self._network.setInput(_network_input(image))
        boxes, logits = cast(list[Floats], self._network.forward(["boxes", "scores"]))
        scores = _sigmoid(logits[0, :, 0])
        sure = scores >= self._min_score
        points = _points(boxes[0][sure], _anchors()[sure])
        found = _one_each(points, scores[sure])
        return [_face(face, score, width, height) for face, score in found]


def _network_input(image: Pixels) -> Floats:
    """The picture in the middle of a black square, at 128 px: (1, 3, 128, 128) in [-1, 1]."""
    height, width = image.shape[:2]
    places, weights = _warp(height, width)
    small = cv2.remap(image, places, weights, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    levels = small.transpose(2, 0, 1)[None].astype(np.float32)
    return levels * np.float32(2 / 255) - np.float32(1)


@lru_cache(maxsize=16)  # tiles and turns of a photo have few sizes
def _warp(height: int, width: int) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
    """Where each pixel of the network's input lies in a picture: whole pixels (128, 128, 2), and
    the index of the weights of linear interpolation between them (128, 128).

    These are the fixed-point maps that OpenCV 3.4, which MediaPipe is built with, computes inside
    `warpPerspective`; later versions of that function compute another way, `remap` does not.
    """
    side = max(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    corners = np.array([(0, 1), (0, 0), (1, 0), (1, 1)], np.float32)
    source = corners * np.float32(side) + np.array([left, top], np.float32)
    _, matrix = cv2.invert(cv2.getPerspectiveTransform(source, corners * np.float32(_SIDE)))
    across, down = np.arange(_SIDE), np.arange(_SIDE, dtype=np.float64)[:, None]
    block = across // _BLOCK * _BLOCK
    # OpenCV's own order of operations: half of the places lie halfway between two fixed points
    first = [row[0] * block + row[1] * down + row[2] for row in matrix]
    x, y, scale = (at + row[0] * (across - block) for at, row in zip(first, matrix, strict=True))
    fixed = np.rint(np.stack([x, y], -1) * (_SUBPIXELS / scale)[:, :, None]).astype(np.int64)
    whole, part = fixed // _SUBPIXELS, fixed % _SUBPIXELS
    return whole.astype(np.int16), (part[:, :, 1] * _SUBPIXELS + part[:, :, 0]).astype(np.uint16)


@cache
def _anchors() -> Floats:
    """The anchors' centres (896, 2), x and y as parts of the input's side, in the network's
    order.
    """
    centres: list[NDArray[np.float64]] = []
    for side, count in _MAPS:
        y, x = np.mgrid[:side, :side]
        centres.append(np.repeat(np.stack([x, y], -1).reshape(-1, 2) + 0.5, count, axis=0) / side)
    return np.concatenate(centres).astype(np.float32)


def _sigmoid(logits: Floats) -> Floats:
    """Scores in 0..1; MediaPipe clips the logits at 100 too."""
    scores: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(logits.astype(float), -100, 100)))
    return scores.astype(np.float32)


def _points(raw: Floats, anchors: Floats) -> Floats:
    """The corners of each box and its six key points, (n, 8, 2), as parts of the input's side.

    `raw` (n, 16) holds centre, size and key points, in px of the input; all but the size are
    relative to the anchor (n, 2).
    """
    places = (raw / np.float32(_SIDE)).reshape(len(raw), 8, 2)
    half = places[:, 1] / 2
    centre = places[:, 0] + anchors
    key_points = places[:, 2:] + anchors[:, None]
    return np.concatenate([(centre - half)[:, None], (centre + half)[:, None], key_points], axis=1)


def _one_each(points: Floats, scores: Floats) -> list[tuple[Floats, float]]:
    """Each face once, the most certain first: the mean of all boxes that overlap its best one,
    weighted by their scores, with the best one's score. Points are (8, 2).
    """
    found = []
    rest = np.argsort(-scores, kind="stable")
    while len(rest):
        same = _overlap(points[rest], points[rest[0]]) > _OVERLAP
        weights = scores[rest[same]]
        mean = np.tensordot(weights, points[rest[same]], 1) / weights.sum()
        found.append((mean, float(scores[rest[0]])))
        rest = rest[~same]
    return found


def _overlap(points: Floats, best: Floats) -> Floats:
    """Intersection over union, (n,), of boxes (n, 2 or more corners and points, 2) with one."""
    low, high = np.maximum(points[:, 0], best[0]), np.minimum(points[:, 1], best[1])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    areas = (points[:, 1] - points[:, 0]).prod(axis=1)
    return np.asarray(shared / (areas + (best[1] - best[0]).prod() - shared), np.float32)


def _face(points: Floats, score: float, width: int, height: int) -> Face:
    """The face at points (8, 2) of the input, in px of a picture of that size. As MediaPipe's, its
    box begins at 0 where it would begin outside, and has whole pixels, cut off.
    """
    size = np.array([width, height], np.float32)
    margin = (size.max() - size) / (2 * size.max())
    places = (points - margin) / (1 - 2 * margin)  # as parts of the picture's sides
    corner, sides = places[0] * size, (places[1] - places[0]) * size
    x, y = (int(max(0.0, place)) for place in corner)
    key_points = tuple((float(x), float(y)) for x, y in places[2:] * size)
    return Face(Box(x, y, int(sides[0]), int(sides[1])), score, key_points)
