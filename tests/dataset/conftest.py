"""What several tests of datasets share."""

import shutil
from pathlib import Path

import pytest

from dataset_doubles import build


@pytest.fixture(scope="session")
def straight(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small dataset of `photos`, built in one go."""
    folder = tmp_path_factory.mktemp("straight") / "pairs"
    build(photos, folder)
    return folder


@pytest.fixture
def album(photos: Path, tmp_path: Path) -> Path:
    """Six of the photos, to change."""
    folder = tmp_path / "album"
    shutil.copytree(photos / "person-000", folder / "person-000")
    shutil.copytree(next((photos / "person-002").iterdir()), folder / "person-002")
    return folder
