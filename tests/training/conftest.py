"""What the tests of training share."""

from pathlib import Path

import pytest

from doubles import a_dataset


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small dataset. Only read it."""
    return a_dataset(tmp_path_factory.mktemp("dataset"))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Where a run may be begun."""
    return tmp_path / "runs" / "tried"
