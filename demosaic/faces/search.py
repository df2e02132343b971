"""Every face in a photo: large and small, upright and turned."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from demosaic.faces.detector import Face, FaceDetector
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.geometry import Box, crop

# The values below were measured on 250 photos in all four turns, and on collages of them

_UPRIGHT_SCORE = 0.85  # turned the wrong way a face scores 0.67, at most 0.82; upright 0.93

_TURNED_SCORE = 0.6  # the least score in a turned photo

_TURNED_LEAD = 0.05  # by which a turned photo must beat the upright one

_LARGE = 640  # px; smaller photos have no small faces that are worth a crop
_PORTRAIT = 1 / 6  # of the longer side: anyone behind so large a face is out of focus

_TILINGS = (2, 4, 8)  # tiles of a half, a quarter and an eighth of the longer side

_LAST_ALWAYS = 4  # the last tiling, about 100 tiles, needs new faces in the one before

_TILE_STEP = 0.7  # of a tile: faces of up to 0.3 of it lie whole in one
_TILE_SCORE = 0.6  # the least score in a tile

_SAME_OVERLAP = 0.3  # of the union of two boxes: one face found twice

_NESTED_OVERLAP = 0.45  # of the smaller of two boxes: a part of a face, such as an eye


def find_faces(image: Pixels, detector: FaceDetector) -> list[Face]:
    """Every face in a photo (H, W, 3) of up to about 1,300 px, those with the highest score first.

    The detector shrinks a picture to 128 px and misses faces smaller than an eighth of it. Large
    photos are therefore also searched in tiles, which get smaller while they show new faces. Photos
    without a certain face are searched in all four turns. Boxes and keypoints are in pixels of
    `image` as it is given; `angle` says how it was turned.
    """
    found = _with_small_faces(image, detector.detect(image), detector)
    angle = 0
    if _best_score(found) < _UPRIGHT_SCORE:
        angle, found = _best_turn(image, detector, found)
    back = [_turned_back(face, image, angle) for face in found]
    return sorted(back, key=lambda face: (-face.score, face.box.x, face.box.y))


def _best_turn(image: Pixels, detector: FaceDetector, found: list[Face]) -> tuple[int, list[Face]]:
    """The angle that turns a photo upright, and the faces in the turned photo: those `found`
    already when it is upright.

    The detector also finds heads that lie or stand on their heads, with a lower score or with one
    eye below the other: the turn with the highest score is right.
    """
    best, chosen = max(_best_score(found) + _TURNED_LEAD, _TURNED_SCORE), 0
    for angle in (90, 270, 180):
        faces = [face for face in detector.detect(_turned(image, angle)) if _plausible(face)]
        if _best_score(faces) > best:
            best, chosen, found = _best_score(faces), angle, faces
    return chosen, _with_small_faces(_turned(image, chosen), found, detector) if chosen else found


def _best_score(faces: Sequence[Face]) -> float:
    """The highest score of a plausible face; 0 when there is none."""
    return max((face.score for face in faces if _plausible(face)), default=0.0)


def _plausible(face: Face) -> bool:
    """Whether the eyes are side by side, the mouth below them, and the nose between."""
    right, left, nose, mouth = (np.array(point) for point in face.keypoints[:4])
    across, down = left - right, mouth - (left + right) / 2
    to_nose = float((nose - (left + right) / 2) @ down)
    level, below = across[0] > abs(across[1]), down[1] > abs(down[0])
    return bool(level and below and 0 < to_nose < float(down @ down))


def _turned(image: Pixels, angle: int) -> Pixels:
    return np.rot90(image, angle // 90)


def turned_upright(face: Face, square: Pixels) -> Pixels:
    """The square (H, W, 3) cut out around a face, turned so that its eyes are above its mouth."""
    return _turned(square, face.angle)


def _turned_back(face: Face, image: Pixels, angle: int) -> Face:
    """A face found in the picture turned by `angle`, in pixels of the unturned picture."""
    box, height, width = face.box, *image.shape[:2]
    first = _point_back((box.x, box.y), (width, height), angle)
    second = _point_back((box.x + box.width, box.y + box.height), (width, height), angle)
    (left, right), (top, bottom) = (sorted(pair) for pair in zip(first, second, strict=True))
    points = tuple(_point_back(point, (width, height), angle) for point in face.keypoints)
    square = Box(round(left), round(top), round(right - left), round(bottom - top))
    return replace(face, box=square, keypoints=points, angle=angle)


def _point_back(
    point: tuple[float, float], size: tuple[int, int], angle: int
) -> tuple[float, float]:
    """A point (x, y) of the turned picture, in pixels of the unturned one of `size` (width,
    height).
    """
    (x, y), (width, height) = point, size
    if angle == 90:
        return width - y, x
    if angle == 180:
        return width - x, height - y
    return (y, height - x) if angle == 270 else (x, y)


def _with_small_faces(image: Pixels, found: Sequence[Face], detector: FaceDetector) -> list[Face]:
    """The faces `found` in a whole photo, and smaller ones found in its tiles."""
    faces, longer = list(found), max(image.shape[:2])
    largest = max((face.box.width for face in faces if _plausible(face)), default=0)
    if longer < _LARGE or largest >= longer * _PORTRAIT:
        return faces
    for count in _TILINGS:
        tiles = _tiles(image, longer // count)
        seen = [face for tile in tiles for face in _in_tile(image, tile, detector)]
        before, faces = faces, _merged(faces, seen)
        if count >= _LAST_ALWAYS and len(faces) == len(before):
            break
    return faces


def _tiles(image: Pixels, side: int) -> list[Box]:
    """Overlapping squares that cover a picture evenly; cut where the picture is lower than them."""
    height, width = image.shape[:2]
    down, across = min(side, height), min(side, width)
    return [
        Box(x, y, across, down)
        for y in _starts(height - down, side)
        for x in _starts(width - across, side)
    ]


def _starts(room: int, side: int) -> list[int]:
    """Where the tiles along one axis begin, from 0 to `room`, the start of the last."""
    count = math.ceil(room / (side * _TILE_STEP)) + 1
    return [round(start) for start in np.linspace(0, room, count)]


def _in_tile(image: Pixels, tile: Box, detector: FaceDetector) -> list[Face]:
    """The certain and plausible faces that lie whole in a tile, in pixels of the picture."""
    piece = crop(image, tile)
    return [
        replace(
            face,
            box=replace(face.box, x=face.box.x + tile.x, y=face.box.y + tile.y),
            keypoints=tuple((x + tile.x, y + tile.y) for x, y in face.keypoints),
        )
        for face in detector.detect(piece)
        if face.score >= _TILE_SCORE and face.box.inside(piece) and _plausible(face)
    ]


def _merged(found: Sequence[Face], seen: Sequence[Face]) -> list[Face]:
    """The faces found before and those `seen` in a finer tiling.

    Of a face found twice the one with the higher score stays. A find inside a face found before,
    such as an eye, is dropped.
    """
    faces = list(found)
    for face in sorted(seen, key=lambda face: -face.score):
        twins = [other for other in faces if _overlap(face.box, other.box)[0] > _SAME_OVERLAP]
        if twins and all(face.score > other.score for other in twins):
            faces = [other for other in faces if other not in twins] + [face]
        elif not any(_overlap(face.box, other.box)[1] > _NESTED_OVERLAP for other in faces):
            faces.append(face)
    return faces


def _overlap(one: Box, other: Box) -> tuple[float, float]:
    """The area that two boxes share, as a share of their union and of the smaller box."""
    shared = one.shared(other)
    return shared / (one.area + other.area - shared), shared / min(one.area, other.area)
