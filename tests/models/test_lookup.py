"""Which model is used when none is named."""

import os
from pathlib import Path

import pytest

from demosaic.errors import DemosaicError
from demosaic.models.lookup import find_model, remember_model, remembered_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file in the place of a model."""
    return a_file(tmp_path / "a model [1].safetensors")


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder, out of harm's way on every system."""
    folder = tmp_path / "data"
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    monkeypatch.setenv("HOME", str(folder))
    return folder


def test_nothing_is_remembered_at_first(data_folder: Path) -> None:
    assert remembered_model() is None
    assert not data_folder.exists()


def test_the_last_model_is_remembered_from_anywhere(
    data_folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(model.parent)
    remember_model(Path("another.safetensors"))
    remember_model(Path(model.name))
    monkeypatch.chdir("/")
    assert remembered_model() == model.resolve()


def test_a_model_that_is_gone_is_not_remembered(data_folder: Path, model: Path) -> None:
    remember_model(model)
    model.unlink()
    assert remembered_model() is None


def a_file(path: Path, age: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (1e9 - age, 1e9 - age))
    return path


def test_without_any_model_the_way_to_one_is_said(folder: Path) -> None:
    with pytest.raises(DemosaicError, match="demosaic train PAIRS"):
        find_model(folder)


def test_the_model_is_the_named_then_the_newest_run_then_the_last_trained(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = a_file(folder.parent / "elsewhere" / "best.safetensors")
    remember_model(last)
    assert find_model(folder) == (last.resolve(), "the last one you trained")
    a_file(folder / "runs" / "z-older" / "best.safetensors", age=20)
    newest = a_file(folder / "runs" / "b-newest" / "best.safetensors", age=10)
    a_file(folder / "runs" / "a-older" / "best.safetensors", age=30)
    a_file(folder / "runs" / "c" / "model.safetensors")
    assert find_model(folder) == (newest, "the newest below runs/")
    monkeypatch.setenv("DEMOSAIC_MODEL", "named.safetensors")
    assert find_model(folder) == (Path("named.safetensors"), "$DEMOSAIC_MODEL")
