"""A cache of what detectors found in photos, by the photos' content.

    looks/<detector>/<two digits>/<sha256>.json   what one detector found in one photo

There is one file for each photo, so many processes can read and write without waiting for each
other, and a photo is forgotten by removing its file.
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
from demosaic.records import digits, read

MakeDetector = Callable[[], FaceDetector]
"""Makes the detector of a worker process. It must be possible to pickle it."""

_HASH = digits(64)

_VERSION = 1  # raise it when `examine` finds something else in the same photo


def user_cache() -> Path:
    """The folder of this user's cache."""
    return platformdirs.user_cache_path("demosaic") / "looks"


class FaceCache:
    """What one detector found, by the SHA-256 of the photo's bytes; nothing else identifies the
    photo.

    A record that cannot be read or written is no error: the photo is examined again.
    """

    def __init__(self, folder: Path, detector: str) -> None:
        """`folder` is that of all detectors; `detector` is the name of this one."""
        name = re.sub(r"[^\w.]+", "-", detector)
        self._folder = folder / f"{name}-{_VERSION}"

    def recall(self, sha256: str) -> Examined | None:
        """What was found in a photo of this hash; None when that is not known."""
        path = _place(self._folder, sha256)
        try:
            return read(Examined, read_json(path), str(path), complete=True)
        except DemosaicError:
            return None

    def remember(self, sha256: str, examined: Examined) -> None:
        """Keep what was found in a photo of this hash.

        A photo that cannot be used is not kept: another version of Pillow may be able to read it.
        """
        if examined.reason:
            return
        path = _place(self._folder, sha256)
        with contextlib.suppress(DemosaicError):
            for folder in (self._folder.parent, self._folder, path.parent):
                make_folder(folder, private=True)
            write_bytes(path, json.dumps(examined.as_record()).encode(), private=True)


class Examiner:
    """Examines photos, or recalls what was found in them before; one for each worker process."""

    def __init__(
        self, make_detector: MakeDetector, cache: FaceCache | None, *, remember: bool = True
    ) -> None:
        """`cache` may be None; new results are added to it if `remember` is true."""
        self._make_detector = make_detector
        self._cache = cache
        self._remember = remember
        self._detector: FaceDetector | None = None  # made for the first unknown photo

    def __call__(self, data: bytes, sha256: str) -> Examined:
        """What the photo in `data` shows, whose hash is `sha256`. Raises DemosaicError when no
        detector can be made.
        """
        known = self._cache.recall(sha256) if self._cache else None
        if known is not None:
            return known
        self._detector = self._detector or self._make_detector()
        examined = examine(data, self._detector)
        if self._cache and self._remember:
            self._cache.remember(sha256, examined)
        return examined


def forget_faces(folder: Path, hashes: Iterable[str]) -> int:
    """Remove what every detector found in photos of these SHA-256 and return the number of records
    removed. Raises DemosaicError when one cannot be removed.
    """
    detectors = [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    places = [_place(detector, sha256) for sha256 in hashes for detector in detectors]
    known = [path for path in places if path.exists()]
    for path in known:
        with writing(path):
            path.unlink()
    return len(known)


def _place(detector: Path, sha256: str) -> Path:
    """Where a record is, or is to be. Raises DemosaicError for what is no hash: it would lead to
    another file.
    """
    if not _HASH.fits(sha256):
        raise DemosaicError(f"{sha256!r} is not {_HASH.what}")
    return detector / sha256[:2] / f"{sha256}.json"
