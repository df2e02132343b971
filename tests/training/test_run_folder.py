"""A run on disk: what may change when it continues, and what is refused by name."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataset_doubles import opened
from demosaic.config.compute import DeviceConfig
from demosaic.config.training import SeedConfig, TrainConfig, recipe_like
from demosaic.errors import PROBLEM, DemosaicError
from demosaic.files import write_json
from demosaic.training.events import SheetSaved, TrainReport
from demosaic.training.loop import train
from demosaic.training.run_folder import begin_run, begun_options, config_in, log, pairs_of_run
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
        "give the same ones to go on, or begin a new run with another --name and "
        f"--init {straight}/best.safetensors"
    )


def test_the_options_of_a_run_are_those_of_another(straight: Path, tmp_path: Path) -> None:
    assert config_in(straight / "config.json") == CONFIG
    again = recipe_like(CONFIG, {"steps": 9, "seed": 3})
    assert again == replace(CONFIG, steps=9, seed=3)
    timed = recipe_like(TrainConfig(steps=5, lr=0.01), {"minutes": 3.0})
    assert timed == TrainConfig(minutes=3.0, lr=0.01)
    other = {"preset": "default", "train": {"init": "../a.safetensors", "steps": 5}}
    write_json(tmp_path / "config.json", other)
    found = config_in(tmp_path / "config.json")
    assert found == TrainConfig(steps=5, init=str(tmp_path.parent / "a.safetensors"))
    for damaged in ({"preset": "x", "train": {}}, {"preset": "default", "train": {"lr": "much"}}):
        write_json(tmp_path / "config.json", damaged)
        with pytest.raises(DemosaicError, match=r"config\.json"):
            config_in(tmp_path / "config.json")


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


# Whose run it is


def test_a_run_names_its_pairs_without_an_absolute_path(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = replace(CONFIG, steps=1)
    beside, run = a_dataset(tmp_path / "a"), tmp_path / "b" / "run"
    monkeypatch.setenv("HOME", "/home/nobody")
    go(beside, run, one)
    assert json.loads((run / "config.json").read_text())["pairs"] == f"../../a/{beside.name}"
    assert pairs_of_run(run) == beside
    monkeypatch.setenv("HOME", str(beside.parent))
    go(beside, tmp_path / "c", one)
    assert json.loads((tmp_path / "c" / "config.json").read_text())["pairs"] == beside.name
    assert pairs_of_run(tmp_path / "c") is None


def test_the_pairs_of_an_old_run_are_found_as_they_were_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs").mkdir()
    run = tmp_path / "runs" / "one"
    run.mkdir(parents=True)
    for typed in ("pairs", str(tmp_path / "pairs")):
        write_json(run / "config.json", {"pairs": typed})
        found = pairs_of_run(run)
        assert found is not None and found.samefile(tmp_path / "pairs")


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"pairs": 3}, "pairs: 3 is not str"),
        ({"preset": ["seed"]}, "preset: "),
        ({"train": []}, "train: "),
        ({"fingerprint": "../x"}, "fingerprint: '../x' is not 16 hexadecimal digits"),
    ],
)
def test_a_strangers_run_that_records_something_else_is_refused(
    record: dict[str, Any], said: str, dataset: Path, straight: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(straight, tmp_path / "run"))
    before = json.loads((run / "config.json").read_text())
    write_json(run / "config.json", {**before, **record})
    assert f"config.json is damaged, or from another version of demosaic ({said}" in refusal(
        dataset, run, CONFIG
    )


@pytest.mark.parametrize("line", ["3", "[]", '{"step": "a"}', "[" * 5000])
def test_a_line_of_a_strangers_log_that_is_no_event_is_refused(
    line: str, dataset: Path, straight: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(straight, tmp_path / "run"))
    (run / "events.jsonl").write_text(line + "\n")
    with pytest.raises(DemosaicError, match=r"events\.jsonl, line 1 is damaged"):
        go(dataset, run, replace(CONFIG, steps=8))


@pytest.mark.parametrize("name", ["samples", "events.jsonl", "config.json"])
def test_nothing_is_written_where_a_link_in_a_run_leads(
    name: str, dataset: Path, tmp_path: Path
) -> None:
    run, mine = tmp_path / "run", tmp_path / "mine"
    run.mkdir()
    mine.mkdir()
    (run / name).symlink_to(mine)
    with pytest.raises(DemosaicError, match="is a link that leads out of"):
        go(dataset, run)
    assert list(mine.iterdir()) == []


def test_the_model_that_a_run_starts_from_is_named_without_an_absolute_path(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/nobody")
    run, pairs = tmp_path / "run", opened(dataset)
    config = TrainConfig(init=str(tmp_path / "models" / "best.safetensors"))
    begin_run(run, config, pairs, ())
    (run / "resume.pt").touch()
    record = json.loads((run / "config.json").read_text())
    assert record["train"]["init"] == "../models/best.safetensors"
    begin_run(run, config, pairs, ())
    write_json(run / "config.json", {**record, "train": {**record["train"], "init": config.init}})
    begin_run(run, config, pairs, ())  # as before 0.3
    with pytest.raises(DemosaicError, match=r"init .* -> "):
        begin_run(run, replace(config, init="another.safetensors"), pairs, ())


def test_a_run_begun_before_models_came_in_a_box_continues_with_its_new_network(
    dataset: Path, tmp_path: Path
) -> None:
    run, pairs, config = tmp_path / "run", opened(dataset), TrainConfig(init="none")
    begin_run(run, config, pairs, ())
    (run / "resume.pt").touch()
    record = json.loads((run / "config.json").read_text())
    assert record["train"]["init"] == "none"
    before = {name: value for name, value in record["train"].items() if name != "album"}
    write_json(run / "config.json", {**record, "train": {**before, "init": None}})
    assert begun_options(run)["init"] == "none"
    begin_run(run, config, pairs, ())
    with pytest.raises(DemosaicError, match="init none -> box"):
        begin_run(run, TrainConfig(), pairs, ())


def test_the_log_of_a_run_names_its_files_from_the_run(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    log(run, 0)(SheetSaved(str(run / "samples" / "step.png"), 3))
    log(run, 3)(TrainReport(str(run), str(run / "model.safetensors"), 3, "elsewhere", 3))
    saved, report = map(json.loads, (run / "events.jsonl").read_text().splitlines())
    assert saved["path"] == "samples/step.png"
    assert (report["run"], report["model"], report["best"]) == (
        ".",
        "model.safetensors",
        "elsewhere",
    )


def test_an_option_of_a_strangers_run_that_others_read_is_checked(
    dataset: Path, straight: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(straight, tmp_path / "run"))
    record = json.loads((run / "config.json").read_text())
    write_json(run / "config.json", {**record, "train": {**record["train"], "validations": "x"}})
    assert "validations: 'x' is not int" in refusal(dataset, run, CONFIG)
