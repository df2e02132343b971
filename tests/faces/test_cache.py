"""A photo is examined once; what was found is remembered by its content."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from demosaic.config.rules import LEAST_SCORE
from demosaic.errors import DemosaicError
from demosaic.faces.analysis import Examined, examine
from demosaic.faces.cache import Examiner, FaceCache, forget_faces
from demosaic.faces.detector import Face
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.encoding import encode_png
from demosaic.imaging.geometry import Box

FACE = Face(Box(20, 30, 90, 90), 0.9, ((31.5, 40.25),) * 6, 90)


@pytest.fixture(scope="module")
def detector() -> ShortRangeDetector:
    return ShortRangeDetector(LEAST_SCORE)


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", "torn", '{"faces": [{}]}', '{"faces": [], "colour": "red"}', '{"width": "9"}'],
)
def test_a_record_of_something_else_is_not_known(text: str, tmp_path: Path) -> None:
    cache = FaceCache(tmp_path, "a detector")
    cache.remember("0" * 64, Examined(9, 9))
    assert cache.recall("0" * 64) == Examined(9, 9)
    (path,) = tmp_path.rglob("*.json")
    path.write_text(text)
    assert cache.recall("0" * 64) is None


@dataclass
class Watched:
    """A detector that finds one face and counts the pictures it was shown."""

    seen: list[Pixels] = field(default_factory=list)

    def detect(self, image: Pixels) -> Sequence[Face]:
        self.seen.append(image)
        return [FACE]


def photo(level: int = 0) -> tuple[bytes, str]:
    """A photo and its hash."""
    data = encode_png(np.full((200, 250, 3), level, np.uint8))
    return data, hashlib.sha256(data).hexdigest()


def no_detector() -> ShortRangeDetector:
    raise DemosaicError("no detector was needed")


def records(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def test_a_photo_is_looked_at_once_by_whoever_asks(tmp_path: Path) -> None:
    detector, (data, sha256) = Watched(), photo()
    first = Examiner(lambda: detector, FaceCache(tmp_path, "one 1.0"))(data, sha256)
    again = Examiner(no_detector, FaceCache(tmp_path, "one 1.0"))(data, sha256)
    assert again == first == examine(data, Watched())
    assert len(detector.seen) > 0
    assert records(tmp_path) == [f"one-1.0-1/{sha256[:2]}/{sha256}.json"]


def test_another_detector_looks_for_itself(tmp_path: Path) -> None:
    detector = Watched()
    Examiner(lambda: detector, FaceCache(tmp_path, "one 1.0"))(*photo())
    before = len(detector.seen)
    Examiner(lambda: detector, FaceCache(tmp_path, "one 1.1"))(*photo())
    assert len(detector.seen) == 2 * before


def test_without_a_folder_nothing_is_remembered(tmp_path: Path) -> None:
    with pytest.raises(DemosaicError, match="needed"):
        Examiner(no_detector, None)(*photo())
    assert Examiner(Watched, None)(*photo()).faces != ()


@pytest.mark.parametrize("damaged", [b"", b'{"width": 250, "hei', b"[1]", b'{"width": 250}', b"\0"])
def test_a_damaged_record_is_looked_at_again_and_replaced(damaged: bytes, tmp_path: Path) -> None:
    data, sha256 = photo()
    cache = FaceCache(tmp_path, "one")
    seen = Examiner(Watched, cache)(data, sha256)
    (path,) = tmp_path.rglob("*.json")
    whole = path.read_bytes()
    path.write_bytes(damaged)
    assert cache.recall(sha256) is None
    assert Examiner(Watched, cache)(data, sha256) == seen
    assert path.read_bytes() == whole


def test_where_nothing_can_be_written_photos_are_looked_at_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "looks").write_text("a file where the folder should be")
    cache = FaceCache(tmp_path / "looks", "one")
    assert Examiner(Watched, cache)(*photo()) == examine(photo()[0], Watched())
    assert (tmp_path / "looks").read_text() == "a file where the folder should be"


def test_why_a_photo_cannot_be_used_is_found_out_anew(tmp_path: Path) -> None:
    assert (
        Examiner(Watched, FaceCache(tmp_path, "one"))(b"Dear diary", "ab" * 32).reason
        == "not a picture"
    )
    assert records(tmp_path) == []


def test_forgotten_looks_leave_nothing_behind_whoever_saw_them(tmp_path: Path) -> None:
    for name in ("one", "two"):
        for level in (0, 1):
            Examiner(Watched, FaceCache(tmp_path, name))(*photo(level))
    hashes = [photo(0)[1], "0" * 64]
    assert forget_faces(tmp_path, hashes) == 2
    other = photo(1)[1]
    assert records(tmp_path) == [f"{name}-1/{other[:2]}/{other}.json" for name in ("one", "two")]
    assert forget_faces(tmp_path, hashes) == forget_faces(tmp_path / "nowhere", hashes) == 0
