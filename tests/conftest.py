"""What several test files share: a folder of drawn photos and the dataset built from it."""

from functools import partial
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from hypothesis import settings

import people
from demosaic.config.dataset import BuildConfig
from demosaic.dataset.build import build_dataset
from demosaic.faces.detector import MediaPipeDetector

settings.register_profile("demosaic", deadline=None, derandomize=True, database=None)
settings.load_profile("demosaic")


@pytest.fixture(scope="session")
def distribution() -> str:
    """The name of the installed distribution that the command `demosaic` belongs to."""
    (command,) = entry_points(group="console_scripts", name="demosaic")
    assert command.dist is not None
    return command.dist.metadata["Name"]


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four photos of each of six drawn people, in nested folders.

    Four show two people, three are stored turned. Only read it: copy it before changing anything.
    """
    folder = tmp_path_factory.mktemp("photos")
    people.draw(folder, 6, 4, seed=0)
    return folder


@pytest.fixture(scope="session")
def dataset(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset of `photos`, built in one go, with people for validation. Only read it."""
    folder = tmp_path_factory.mktemp("built") / "pairs"
    build_dataset(
        photos,
        folder,
        BuildConfig(val=0.4),
        make_detector=partial(MediaPipeDetector, 0.5),
        detector_name="mediapipe",
    )
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of a user who never trained."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("DEMOSAIC_MODEL", raising=False)
    (tmp_path / "here").mkdir()
    return tmp_path / "here"
