"""A photo decoded and its faces found."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from demosaic.faces.detector import Face, FaceDetector
from demosaic.faces.search import find_faces
from demosaic.imaging.arrays import Pixels, resize
from demosaic.imaging.decoding import decode_photo, photo_size
from demosaic.imaging.geometry import Box
from demosaic.imaging.opening import NotAPicture

LOOK_AT = 640
"""A JPEG is decoded no smaller than so many pixels to look for faces in it."""

_LOOK_AT_MOST = 1280  # px: other pictures are shrunk, as they cannot be decoded smaller

_REDUCTIONS = (8, 4, 2, 1)  # that a JPEG can be decoded at


@dataclass(frozen=True)
class Examined:
    """What looking at a photo's bytes gave, whatever the options of a build are."""

    width: int = 0
    """Of the upright photo, pixels."""
    height: int = 0
    faces: tuple[Face, ...] = ()
    """In pixels of the upright photo, the most certain first."""
    reason: str = ""
    """Why the photo cannot be used; empty for one that can."""
    detail: str = ""

    def as_record(self) -> dict[str, Any]:
        """The same as a JSON object."""
        faces = [{**vars(face), "box": vars(face.box)} for face in self.faces]
        return {**vars(self), "faces": faces}  # `asdict` takes three times as long


# Looking


def examine(data: bytes, detector: FaceDetector) -> Examined:
    """The faces in the bytes of a photo, or why it cannot be used; a function of the two alone."""
    try:
        width, height = photo_size(data)
        image = decoded(data, reduction(max(width, height), LOOK_AT))
    except NotAPicture as error:
        return Examined(reason=_reason(error), detail=str(error))
    small = min(1.0, _LOOK_AT_MOST / max(image.shape[:2]))
    image = resize(image, round(image.shape[1] * small), round(image.shape[0] * small))
    found = find_faces(image, detector)
    scale = width / image.shape[1], height / image.shape[0]
    return Examined(width, height, tuple(_enlarged(face, scale) for face in found))


def reduction(length: int, least: int) -> int:
    """By how much a photo can be decoded smaller for `length` of its pixels to be `least` still."""
    return next((reduce for reduce in _REDUCTIONS if length / reduce >= least), 1)


@lru_cache(maxsize=1)
def decoded(data: bytes, reduce: int) -> Pixels:
    """`decode_photo`, remembered: a photo is mostly cut at the very scale it was examined at."""
    return decode_photo(data, reduce)


def _reason(error: NotAPicture) -> str:
    """`damaged picture (what exactly)` without the brackets; those go into the detail."""
    return str(error).split(" (")[0].split(":")[0]


def _enlarged(face: Face, scale: tuple[float, float]) -> Face:
    """The face in pixels of a picture `scale` times as wide and high, rounded for the record."""
    across, down = scale
    box = face.box
    return Face(
        Box(
            round(box.x * across),
            round(box.y * down),
            round(box.width * across),
            round(box.height * down),
        ),
        round(face.score, 4),
        tuple((round(x * across, 1), round(y * down, 1)) for x, y in face.keypoints),
        face.angle,
    )
