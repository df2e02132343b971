"""Examining a photo: decoding it and finding its faces."""

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
"""The least longer side, px, at which a photo is decoded to find its faces."""

_LOOK_AT_MOST = 1280  # px; a larger picture is resized, as only a JPEG can be decoded smaller
_REDUCTIONS = (8, 4, 2, 1)  # the factors by which a JPEG can be decoded smaller


@dataclass(frozen=True)
class Examined:
    """What the bytes of a photo show, independent of the options of a build."""

    width: int = 0
    """Width of the upright photo, px."""
    height: int = 0
    """Height of the upright photo, px."""
    faces: tuple[Face, ...] = ()
    """Its faces in pixels of the upright photo, those with the highest score first."""
    reason: str = ""
    """Why the photo cannot be used; empty for one that can."""
    detail: str = ""
    """The reason with what Pillow says about it."""

    def as_record(self) -> dict[str, Any]:
        """The record as a JSON object."""
        faces = [{**vars(face), "box": vars(face.box)} for face in self.faces]
        return {**vars(self), "faces": faces}  # `asdict` takes three times as long


def examine(data: bytes, detector: FaceDetector) -> Examined:
    """The faces that the detector finds in the bytes of a photo, or why it cannot be used.

    The result depends on the two arguments alone.
    """
    try:
        width, height = photo_size(data)
        image = decoded(data, reduction(max(width, height), LOOK_AT))
    except NotAPicture as error:
        return Examined(reason=_reason(error), detail=str(error))
    return Examined(width, height, tuple(faces_in_picture(image, detector, (width, height))))


def faces_in_picture(
    image: Pixels, detector: FaceDetector, size: tuple[int, int] | None = None
) -> list[Face]:
    """The faces in a picture (H, W, 3) of any size, in its pixels, or in those of another `size`
    (width, height) of the same picture.
    """
    width, height = size or (image.shape[1], image.shape[0])
    small = min(1.0, _LOOK_AT_MOST / max(image.shape[:2]))
    looked_at = resize(image, round(image.shape[1] * small), round(image.shape[0] * small))
    scale = width / looked_at.shape[1], height / looked_at.shape[0]
    return [_enlarged(face, scale) for face in find_faces(looked_at, detector)]


def reduction(length: int, least: int) -> int:
    """The factor, 1, 2, 4 or 8, by which a photo can be decoded smaller, so that `length` of its
    pixels become `least` or more; 1 when they are fewer.
    """
    return next((reduce for reduce in _REDUCTIONS if length / reduce >= least), 1)


@lru_cache(maxsize=1)
def decoded(data: bytes, reduce: int) -> Pixels:
    """`decode_photo`, with the last result kept: mostly, faces are cropped at the scale at which
    the photo was examined.
    """
    return decode_photo(data, reduce)


def _reason(error: NotAPicture) -> str:
    """The error's message without the details behind a bracket or colon."""
    return str(error).split(" (")[0].split(":")[0]


def _enlarged(face: Face, scale: tuple[float, float]) -> Face:
    """The face in pixels of a picture that is `scale` times as (wide, high), rounded for JSON."""
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
