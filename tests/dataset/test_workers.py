"""Several processes work as one does."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dataset_doubles import GivenFaces, build, contents
from demosaic.config.dataset import BuildConfig
from demosaic.dataset.events import PhotoSkipped
from demosaic.errors import DemosaicError
from demosaic.events import Event
from demosaic.faces.detector import FaceDetector
from demosaic.imaging import conversion
from demosaic.imaging.encoding import write_png


def test_two_workers_write_the_same_bytes_as_one(
    photos: Path, straight: Path, tmp_path: Path
) -> None:
    build(photos, tmp_path / "out", workers=2)
    assert contents(tmp_path / "out") == contents(straight)


def no_detector() -> FaceDetector:
    raise DemosaicError("the installed mediapipe carries no face model")


@pytest.mark.parametrize("workers", [1, 2])
def test_other_options_cut_the_same_photos_without_looking_again(
    workers: int, album: Path, tmp_path: Path
) -> None:
    build(album, tmp_path / "before", looks=tmp_path / "looks", workers=workers)
    other = BuildConfig(size=128, block=8, margin=1.5)
    build(
        album, tmp_path / "again", other,
        detector=no_detector, looks=tmp_path / "looks", workers=workers,
    )  # fmt: skip
    build(album, tmp_path / "anew", other)
    assert contents(tmp_path / "again") == contents(tmp_path / "anew")
    assert contents(tmp_path / "again") != contents(tmp_path / "before")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_detector_that_cannot_be_made_is_what_is_reported(
    workers: int, album: Path, tmp_path: Path
) -> None:
    with pytest.raises(DemosaicError, match="carries no face model"):
        build(album, tmp_path / "out", detector=no_detector, workers=workers)


def mistaken(image: Image.Image) -> Image.Image:
    raise TypeError("a mistake of ours")


def detector_of_a_mistaken_program() -> FaceDetector:
    """Spawned workers know nothing of what a test patches: each breaks its own conversion."""
    conversion.to_rgb = mistaken
    return GivenFaces(())


@pytest.mark.parametrize("workers", [1, 2])
def test_a_mistake_of_ours_stops_the_build_and_is_not_a_bad_photo(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "to_rgb", mistaken)  # and undone after the test
    (tmp_path / "photos").mkdir()
    for grey in (100, 150, 200):
        picture = np.full((300, 300, 3), grey, np.uint8)
        write_png(tmp_path / "photos" / f"{grey}.png", picture)
    events: list[Event] = []
    with pytest.raises(TypeError, match=r"^a mistake of ours$"):
        build(
            tmp_path / "photos", tmp_path / "out",
            detector=detector_of_a_mistaken_program, workers=workers, listen=events.append,
        )  # fmt: skip
    assert not [event for event in events if isinstance(event, PhotoSkipped)]


SLOW = """
import os, sys, time
from pathlib import Path
from demosaic.dataset.build import build_dataset

class Slow:
    def detect(self, image):
        Path(sys.argv[0]).with_name(f"{os.getpid()}.pid").touch()
        time.sleep(300)

if __name__ == "__main__":
    build_dataset(sys.argv[1], sys.argv[2], make_detector=Slow, detector_name="slow", workers=2)
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
def test_no_worker_outlives_a_parent_that_was_killed(photos: Path, tmp_path: Path) -> None:
    script = tmp_path / "slow.py"
    script.write_text(SLOW)
    command = [sys.executable, str(script), str(photos), str(tmp_path / "out")]
    with subprocess.Popen(command) as parent:
        until(lambda: len(list(tmp_path.glob("*.pid"))) == 2)
        parent.kill()
    workers = [Path("/proc", path.stem) for path in tmp_path.glob("*.pid")]
    until(lambda: not any(map(is_alive, workers)))


def until(happened: Callable[[], bool]) -> None:
    """Wait for something, a minute at most."""
    end = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_alive(process: Path) -> bool:
    """Whether a process runs; one that nobody has buried yet does not."""
    try:
        return ") Z " not in (process / "stat").read_text()
    except OSError:
        return False
