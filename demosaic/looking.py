"""The faces in the bytes of a photo, and what looking gave before, remembered by content.

    looks/<detector>/<two digits>/<sha256>.json   what one look gave, whatever a build's options

A file a photo: many processes read and write at once without waiting for each other, and what is to
be forgotten is gone when its file is.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import platformdirs

from demosaic.errors import DemosaicError
from demosaic.faces import Face, FaceDetector, find_faces
from demosaic.files import make_folder, write_bytes, writing
from demosaic.imaging.arrays import Pixels, resize
from demosaic.imaging.decoding import NotAPicture, decode_photo, photo_size
from demosaic.imaging.geometry import Box

MakeDetector = Callable[[], FaceDetector]
"""Called once in every worker process, so it can be pickled."""

LOOK_AT = 640
"""A JPEG is decoded no smaller than so many pixels to look for faces in it."""
_LOOK_AT_MOST = 1280  # px: other pictures are shrunk, as they cannot be decoded smaller
_REDUCTIONS = (8, 4, 2, 1)  # that a JPEG can be decoded at
_VERSION = 1  # raise it when `examine` gives something else for the same photo


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

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> "Examined":
        """What `as_record` gave, through JSON or not. Raises KeyError or TypeError for anything
        else.
        """
        return cls(**{**record, "faces": tuple(_face(face) for face in record["faces"])})


def _face(record: dict[str, Any]) -> Face:
    points = tuple((x, y) for x, y in record["keypoints"])
    return Face(**{**record, "box": Box(**record["box"]), "keypoints": points})


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


# Remembering


def users_looks() -> Path:
    """The folder where this user's looks are remembered."""
    return platformdirs.user_cache_path("demosaic") / "looks"


class Looks:
    """What one detector saw, by the SHA-256 of the photo's bytes; nothing else tells which photo
    it was.

    A cache: what cannot be read or written is looked at again.
    """

    def __init__(self, folder: Path, detector: str) -> None:
        """`folder` is that of all detectors; `detector` tells this one from every other."""
        name = re.sub(r"[^\w.]+", "-", detector)
        self._folder = folder / f"{name}-{_VERSION}"

    def recall(self, sha256: str) -> Examined | None:
        """What looking at this content gave; None when it is not known."""
        try:
            return Examined.from_record(json.loads(_place(self._folder, sha256).read_bytes()))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def remember(self, sha256: str, examined: Examined) -> None:
        """Keep what looking gave; not why a photo cannot be used, as another Pillow may read it."""
        if examined.reason:
            return
        path = _place(self._folder, sha256)
        with contextlib.suppress(DemosaicError):
            make_folder(path.parent)
            write_bytes(path, json.dumps(examined.as_record()).encode())


class Look:
    """What examining the bytes of a photo gives, or gave; in every worker process its own."""

    def __init__(
        self, make_detector: MakeDetector, looks: Looks | None, *, remember: bool = True
    ) -> None:
        """`looks`: what is known; what is new is added to it, if it is to `remember`."""
        self._make_detector = make_detector
        self._looks = looks
        self._remember = remember
        self._detector: FaceDetector | None = None  # made when the first unknown photo comes

    def __call__(self, data: bytes, sha256: str) -> Examined:
        """What is in `data`, whose hash is given. Raises DemosaicError when there is no
        detector.
        """
        known = self._looks.recall(sha256) if self._looks else None
        if known is not None:
            return known
        self._detector = self._detector or self._make_detector()
        examined = examine(data, self._detector)
        if self._looks and self._remember:
            self._looks.remember(sha256, examined)
        return examined


def forget_looks(folder: Path, hashes: Iterable[str]) -> int:
    """Remove what every detector saw in photos of these SHA-256; how many records that were.

    Raises DemosaicError when one cannot be removed.
    """
    detectors = [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    places = [_place(detector, sha256) for sha256 in hashes for detector in detectors]
    known = [path for path in places if path.exists()]
    for path in known:
        with writing(path):
            path.unlink()
    return len(known)


def _place(detector: Path, sha256: str) -> Path:
    return detector / sha256[:2] / f"{sha256}.json"
