"""Which model is used when none is named."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from demosaic.config.networks import NETWORKS
from demosaic.errors import DemosaicError
from demosaic.events import Event, Notice
from demosaic.files import read_packaged
from demosaic.models.box import BOX, beside, model_file
from demosaic.models.checkpoint import read_card, save_model
from demosaic.models.events import ModelFound
from demosaic.models.lookup import (
    choose_model,
    find_model,
    load_model,
    models_at_hand,
    remember_model,
    remembered_model,
)
from doubles import CARD, generator, our_model


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


def test_without_any_other_the_model_in_the_box_is_taken(folder: Path) -> None:
    assert find_model(folder) == (BOX, "the one in the box")
    model = load_model(BOX)
    assert (model.undoes_mosaics, model.draws, model.blocks) == (True, True, (4, 32))


def test_all_models_at_hand_are_listed_once_the_one_to_take_first(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    ours = our_model()
    run = Path("runs", "a [1]", "best.safetensors")
    run.parent.mkdir(parents=True)
    scores = {"block 16, restored": {"psnr": 24.567, "ssim": 0.7}}
    save_model(run, ours.generator, replace(ours.card, step=700, minutes=8.5, scores=scores))
    remember_model(run)
    broken = a_file(Path("runs", "b", "best.safetensors"), age=10)
    first, second, box = models_at_hand(Path()).models
    psnr = {"block 16, restored": 24.57}
    assert first == ModelFound(
        str(run), "the newest below runs/", "default", 700, 8.5, (4, 32), False, psnr
    )
    assert (second.path, second.why) == (str(broken), "below runs/")
    assert second.passed_over == "it cannot be read"
    assert second.problem.startswith(f"{broken} is not a demosaic model: ")
    assert (box.path, box.why, box.draws) == (str(BOX), "the one in the box", True)


def test_the_model_in_the_box_is_named_in_a_word(folder: Path) -> None:
    assert model_file(Path("box")) == choose_model(Path("box")) == BOX
    assert model_file(Path("./boxes")) == Path("boxes")
    assert beside(BOX, "report.html") == Path("report.html")
    assert beside(Path("runs/a/best.safetensors"), "a.html") == Path("runs/a/a.html")


def test_a_model_is_loaded_without_torchs_compiler() -> None:
    """Importing it takes two seconds, as long as all else of a restoration."""
    program = (
        "import sys; from demosaic.models.lookup import load_model; load_model('box');"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_network_as_in_the_box_can_be_trained_from_nothing() -> None:
    assert read_card(BOX).network == NETWORKS["box"]


def test_a_box_that_was_changed_is_found(tmp_path: Path) -> None:
    damaged = tmp_path / BOX.name
    damaged.write_bytes(BOX.read_bytes()[:-1])
    shutil.copy(BOX.with_suffix(".sha256"), tmp_path)
    assert read_packaged(BOX) == BOX.read_bytes()
    with pytest.raises(DemosaicError, match="is damaged: install demosaic again"):
        read_packaged(damaged)


def a_model(path: Path, age: int = 0, *, step: int = 600, mosaics: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_model(path, generator(), replace(CARD, step=step, blocks=(4, 4) if mosaics else None))
    os.utime(path, (1e9 - age, 1e9 - age))
    return path


def test_the_model_is_the_named_then_the_newest_run_then_the_last_trained(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = a_model(folder.parent / "elsewhere" / "best.safetensors")
    remember_model(last)
    assert find_model(folder) == (last.resolve(), "the last one you trained")
    a_model(folder / "runs" / "z-older" / "best.safetensors", age=20)
    newest = a_model(folder / "runs" / "b-newest" / "best.safetensors", age=10)
    a_model(folder / "runs" / "a-older" / "best.safetensors", age=30)
    a_model(folder / "runs" / "c" / "model.safetensors")
    assert find_model(folder) == (newest, "the newest below runs/")
    monkeypatch.setenv("DEMOSAIC_MODEL", "named.safetensors")
    assert find_model(folder) == (Path("named.safetensors"), "$DEMOSAIC_MODEL")


def test_models_that_cannot_do_the_job_are_passed_over_with_the_reason(folder: Path) -> None:
    runs = folder / "runs"
    other = a_model(runs / "edges-to-photos" / "best.safetensors", age=10, mosaics=False)
    toy = a_model(runs / "toy" / "best.safetensors", age=20, step=12)
    a_file(runs / "broken" / "best.safetensors", age=30)
    a_model(runs / "another" / "best.safetensors", age=40, step=1)
    heard: list[Event] = []
    assert find_model(folder, heard.append) == (BOX, "the one in the box")
    broken = f"{runs / 'broken' / 'best.safetensors'} (it cannot be read)"
    said = f"{other} (it undoes no mosaics), {toy} (only 12 steps), {broken}, and 1 more"
    assert heard == [Notice(f"passed over: {said}")]
    remember_model(toy)
    assert find_model(folder) == (BOX, "the one in the box")
    good = a_model(runs / "good" / "best.safetensors", age=15, step=100)
    assert find_model(folder)[0] == good
    assert load_model(toy).card.step == 12  # a model that is named is taken
