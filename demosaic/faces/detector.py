"""Where the faces are in a photo. Only here is MediaPipe known."""

import importlib.util
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np

from demosaic.config.rules import LEAST_SCORE
from demosaic.errors import DemosaicError
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.geometry import Box, crop

_MODEL = "modules/face_detection/face_detection_short_range.tflite"


# What follows was measured on 250 photos of `photos/` in all four turns, and on collages of them.
_UPRIGHT_SCORE = 0.85  # turned the wrong way, a face scores .67 and at most .82; upright .93

_TURNED_SCORE, _TURNED_LEAD = 0.6, 0.05  # what another turn needs, and has over upright

_LARGE = 640  # px; smaller photos have no small faces that are worth a crop

_PORTRAIT = 1 / 6  # of the longer side: who stands behind such a face is out of focus

_LOOKS = (2, 4, 8)  # tiles of a half, a quarter and an eighth of the longer side

_EASY_LOOKS = (2, 4)  # those that every large photo gets; the last, 100 tiles, must be worth it

_TILE_STEP = 0.7  # of a tile: faces of up to 0.3 lie whole in one, larger ones the look before saw

_TILE_SCORE = 0.6

_SAME, _NESTED = 0.3, 0.45  # overlap, of the union and of the smaller box, of one face found twice


@dataclass(frozen=True)
class Face:
    """One face found in a photo."""

    box: Box
    """Chin to brow, ear to ear; may reach over the photo's edge."""
    score: float
    """How sure the detector is, 0..1."""
    keypoints: tuple[tuple[float, float], ...]
    """Photo pixels (x, y) of right eye, left eye, nose tip, mouth, right ear, left ear; `right`
    is the person's.
    """
    angle: int = 0
    """Degrees by which the photo was turned, counter-clockwise, for the face to be upright."""


class FaceDetector(Protocol):
    """Whatever finds faces."""

    def detect(self, image: Pixels) -> Sequence[Face]:
        """The faces in a picture (H, W, 3), the most certain first."""
        ...


class MediaPipeDetector:
    """MediaPipe's short-range detector with the model its wheel carries; it works offline."""

    @staticmethod
    def name() -> str:
        """Which detector it is, in which version: two of a name see the same."""
        return f"mediapipe short-range {version('mediapipe')}"

    def __init__(self, min_score: float) -> None:
        with _quiet():  # MediaPipe's C++ greets on stderr and would tear the progress bar
            from mediapipe.tasks.python import BaseOptions, vision

            options = vision.FaceDetectorOptions(
                base_options=BaseOptions(model_asset_buffer=_model()),
                min_detection_confidence=min_score,
            )
            self._detector = vision.FaceDetector.create_from_options(options)
            self.detect(
                np.zeros((128, 128, 3), np.uint8)
            )  # the rest of the greeting comes with the first picture

    def detect(self, image: Pixels) -> list[Face]:
        """The faces in a picture (H, W, 3), the most certain first."""
        import mediapipe

        picture = mediapipe.Image(
            image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image)
        )
        height, width = image.shape[:2]
        found = []
        for detection in self._detector.detect(picture).detections:
            box = detection.bounding_box
            points = tuple((point.x * width, point.y * height) for point in detection.keypoints)
            face = Face(
                Box(box.origin_x, box.origin_y, box.width, box.height),
                float(detection.categories[0].score),
                points,
            )
            found.append(face)
        return sorted(found, key=lambda face: -face.score)


def find_faces(image: Pixels, detector: FaceDetector) -> list[Face]:
    """Every face in a photo (H, W, 3) of up to about 1,300 px, the most certain first.

    The detector sees pictures at 128 px, so that a face of less than an eighth of the photo is
    lost: large photos are looked at a second time in tiles, smaller ones as long as there is
    something to be found. Photos without a sure face are also looked at turned; box and keypoints
    are of `image` as it is, `angle` says how it was turned.
    """
    found = _closer(image, detector.detect(image), detector)
    angle = 0
    if _surest(found) < _UPRIGHT_SCORE:
        angle, found = _best_turn(image, detector, found)
    back = [_turned_back(face, image, angle) for face in found]
    return sorted(back, key=lambda face: (-face.score, face.box.x, face.box.y))


def _best_turn(image: Pixels, detector: FaceDetector, found: list[Face]) -> tuple[int, list[Face]]:
    """The angle by which a photo is turned upright, and the faces then `found`, if they are not
    those given.

    The detector was made for tilted heads too, and finds those that lie or stand on their heads,
    with a lower score or with the eyes below one another: the turn that it is surest of is right.
    """
    best, chosen = max(_surest(found) + _TURNED_LEAD, _TURNED_SCORE), 0
    for angle in (90, 270, 180):
        faces = [face for face in detector.detect(_turned(image, angle)) if _plausible(face)]
        if _surest(faces) > best:
            best, chosen, found = _surest(faces), angle, faces
    return chosen, _closer(_turned(image, chosen), found, detector) if chosen else found


def _surest(faces: Sequence[Face]) -> float:
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
    """What was cut out round a face, turned so that its eyes are above its mouth."""
    return _turned(square, face.angle)


def _turned_back(face: Face, image: Pixels, angle: int) -> Face:
    """A face found in the picture turned by `angle`, in pixels of the picture itself."""
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
    """Where a point of the turned picture is in the picture, which is so wide and high."""
    (x, y), (width, height) = point, size
    if angle == 90:
        return width - y, x
    if angle == 180:
        return width - x, height - y
    return (y, height - x) if angle == 270 else (x, y)


def _closer(image: Pixels, found: Sequence[Face], detector: FaceDetector) -> list[Face]:
    """The faces found in the whole of a photo, and the smaller ones that tiles show."""
    faces, longer = list(found), max(image.shape[:2])
    largest = max((face.box.width for face in faces if _plausible(face)), default=0)
    if longer < _LARGE or largest >= longer * _PORTRAIT:
        return faces
    for look in _LOOKS:
        tiles = _tiles(image, longer // look)
        seen = [face for tile in tiles for face in _in_tile(image, tile, detector)]
        before, faces = faces, _merged(faces, seen)
        if look >= _EASY_LOOKS[-1] and len(faces) == len(before):
            break
    return faces


def _tiles(image: Pixels, side: int) -> list[Box]:
    """Squares that cover a picture evenly and overlap; lower where the picture is."""
    height, width = image.shape[:2]
    down, across = min(side, height), min(side, width)
    return [
        Box(x, y, across, down)
        for y in _starts(height - down, side)
        for x in _starts(width - across, side)
    ]


def _starts(room: int, side: int) -> list[int]:
    count = math.ceil(room / (side * _TILE_STEP)) + 1
    return [round(start) for start in np.linspace(0, room, count)]


def _in_tile(image: Pixels, tile: Box, detector: FaceDetector) -> list[Face]:
    """The faces that lie whole in a tile, in pixels of the picture."""
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
    """The faces of both looks: of one found twice the surer, and nothing inside a face that an
    earlier look found, such as an eye.
    """
    faces = list(found)
    for face in sorted(seen, key=lambda face: -face.score):
        twins = [other for other in faces if _overlap(face.box, other.box)[0] > _SAME]
        if twins and all(face.score > other.score for other in twins):
            faces = [other for other in faces if other not in twins] + [face]
        elif not any(_overlap(face.box, other.box)[1] > _NESTED for other in faces):
            faces.append(face)
    return faces


def _overlap(one: Box, other: Box) -> tuple[float, float]:
    """What two boxes share, as a part of their union and of the smaller one."""
    shared = one.shared(other)
    return shared / (one.area + other.area - shared), shared / min(one.area, other.area)


def _model() -> bytes:
    """The bundled model, found without importing MediaPipe."""
    package = importlib.util.find_spec("mediapipe")
    for place in (package.submodule_search_locations if package else None) or []:
        model = Path(place) / _MODEL
        if model.is_file():
            return model.read_bytes()
    raise DemosaicError(
        "the installed mediapipe carries no face model: install one that does, "
        "pip install 'mediapipe==0.10.21'"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Send what native code writes to stderr nowhere."""
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def default_detector() -> FaceDetector:
    """The detector that commands use. It finds all that may be a face; callers filter by score."""
    return MediaPipeDetector(LEAST_SCORE)
