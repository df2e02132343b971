"""What several test files share: a folder of drawn photos and the dataset built from it.

The suite runs in several processes (pytest-xdist), which share both, or in one (`-n 0`).
"""

import os
from collections.abc import Callable
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from hypothesis import settings

import people
from demosaic.config.dataset import BuildConfig
from demosaic.dataset.build import build_dataset
from demosaic.faces.short_range import ShortRangeDetector

settings.register_profile("demosaic", deadline=None, derandomize=True, database=None)
settings.register_profile("nightly", deadline=None, max_examples=5000, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "demosaic"))

WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
CORES = os.cpu_count() or 1


def pytest_configure() -> None:
    """Give each worker its share of the cores; the programs that its tests start, too."""
    if WORKERS > 1:
        threads = max(CORES // WORKERS, 1)
        torch.set_num_threads(threads)
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))


@pytest.fixture(scope="session")
def distribution() -> str:
    """The name of the installed distribution that the command `demosaic` belongs to."""
    (command,) = entry_points(group="console_scripts", name="demosaic")
    assert command.dist is not None
    return command.dist.metadata["Name"]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the workers of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own if WORKERS == 1 else own.parent


def made_once(folder: Path, make: Callable[[Path], object]) -> Path:
    """The folder, made by the first worker that needs it; the others wait for it."""
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            part = folder.with_name(f"{folder.name}.part")
            make(part)
            part.rename(folder)
    return folder


@pytest.fixture(scope="session")
def photos(shared: Path) -> Path:
    """Four photos of each of six drawn people, in nested folders.

    Four show two people, three are stored turned. Only read it: copy it before changing anything.
    """
    return made_once(shared / "photos", lambda folder: people.draw(folder, 6, 4, seed=0))


@pytest.fixture(scope="session")
def dataset(photos: Path, shared: Path) -> Path:
    """The dataset of `photos`, built in one go, with people for validation. Only read it."""

    def build(folder: Path) -> None:
        build_dataset(
            photos,
            folder,
            BuildConfig(val=0.4),
            make_detector=partial(ShortRangeDetector, 0.5),
            detector_name="mediapipe",
        )

    return made_once(shared / "pairs", build)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of a user who never trained."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("DEMOSAIC_MODEL", raising=False)
    (tmp_path / "here").mkdir()
    return tmp_path / "here"
