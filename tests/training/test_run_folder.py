"""A run on disk: what may change when it continues, and what is refused by name."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demosaic.config.compute import DeviceConfig
from demosaic.config.training import SeedConfig
from demosaic.errors import PROBLEM, DemosaicError
from demosaic.training.loop import train
from doubles import CONFIG, DEVICES, a_dataset, go, steps


@pytest.fixture(scope="module")
def straight(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run straight to six; not to be written to."""
    run = tmp_path_factory.mktemp("straight") / "run"
    train(dataset, run, CONFIG, devices=DEVICES)
    return run


def refusal(dataset: Path, run: Path, config: SeedConfig) -> str:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(DemosaicError) as caught:
        go(dataset, run, config)
    assert caught.value.exit_code == PROBLEM
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    said = str(caught.value)
    assert str(run) in said
    return said


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"lr": 0.001}, "lr 0.0002 -> 0.001"),
        ({"batch": 3}, "batch 2 -> 3"),
        ({"l1_weight": 10.0}, "l1-weight 100.0 -> 10.0"),
        ({"seed": 1}, "seed 0 -> 1"),
        ({"limit": 5}, "limit None -> 5"),
        ({"direction": "right-to-left"}, "direction left-to-right -> right-to-left"),
        ({"save_every": 7}, "save-every 2 -> 7"),
        ({"up": (8, 8)}, "up [8, 4] -> [8, 8]"),
        ({"discriminator": "summary"}, "discriminator code -> summary"),
    ],
)
def test_another_option_under_the_same_name_is_refused_by_name(
    dataset: Path, straight: Path, changes: dict[str, Any], named: str
) -> None:
    said = refusal(dataset, straight, replace(CONFIG, **changes))
    assert said == (
        f"{straight} was started with other options ({named}): "
        "give the same ones, or another --name"
    )


def test_a_start_that_failed_binds_nobody(dataset: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(DemosaicError, match="no such device"):
        train(dataset, run, CONFIG, devices=DeviceConfig(device="cuda:77"))
    report = train(dataset, run, replace(CONFIG, seed=3, steps=1), devices=DEVICES)
    assert report.step == 1


def test_two_other_options_are_both_named(dataset: Path, straight: Path) -> None:
    said = refusal(dataset, straight, replace(CONFIG, lr=0.001, seed=1))
    assert "lr 0.0002 -> 0.001; seed 0 -> 1" in said


def test_another_dataset_under_the_same_name_is_refused_by_name(
    dataset: Path, straight: Path, tmp_path: Path
) -> None:
    other = a_dataset(tmp_path, people=12)
    said = refusal(other, straight, CONFIG)
    assert f"pairs {dataset} -> {other}" in said


def test_the_same_dataset_in_another_place_goes_on(
    dataset: Path, run: Path, tmp_path: Path
) -> None:
    go(dataset, run, replace(CONFIG, steps=1))
    moved = a_dataset(tmp_path / "moved")
    assert steps(go(moved, run, replace(CONFIG, steps=2))) == [2]


def test_fewer_steps_than_before_are_refused(dataset: Path, straight: Path) -> None:
    assert "was started with --steps 6, more than --steps 5" in refusal(
        dataset, straight, replace(CONFIG, steps=5)
    )


def test_a_run_cannot_be_where_a_file_is(dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    with pytest.raises(DemosaicError, match="is not a folder"):
        go(dataset, tmp_path / "run" / "deeper")
    assert (tmp_path / "run").read_text() == "mine"
