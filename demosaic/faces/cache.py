"""The faces in the bytes of a photo, and what looking gave before, remembered by content.

    looks/<detector>/<two digits>/<sha256>.json   what one look gave, whatever a build's options

A file a photo: many processes read and write at once without waiting for each other, and what is to
be forgotten is gone when its file is.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import platformdirs

from demosaic.errors import DemosaicError
from demosaic.faces.analysis import Examined, examine
from demosaic.faces.detector import FaceDetector
from demosaic.files import make_folder, read_json, write_bytes, writing
from demosaic.records import read

MakeDetector = Callable[[], FaceDetector]
"""Called once in every worker process, so it can be pickled."""

_VERSION = 1  # raise it when `examine` gives something else for the same photo


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
        path = _place(self._folder, sha256)
        try:
            return read(Examined, read_json(path), str(path), complete=True)
        except DemosaicError:
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
