"""The list of runs: state, scores, age."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from demosaic.cli.rendering import printed
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.files import write_bytes, write_json, write_lines
from demosaic.locks import written_alone
from demosaic.models.checkpoint import save_model
from demosaic.training.events import RunFound, RunsFound
from demosaic.training.runs import runs_in
from doubles import CARD, generator

STEP = {"event": "StepDone", "step": 40, "seconds": 0.5, "losses": {}, "progress": 0.4567}


def a_run(folder: Path, *lines: object, hours: float, preset: str = "default") -> Path:
    folder.mkdir(parents=True)
    write_json(folder / "config.json", {"preset": preset, "train": {}})
    write_lines(folder / "events.jsonl", lines)
    then = time.time() - 3600 * hours
    os.utime(folder / "events.jsonl", (then, then))
    return folder


def test_runs_are_listed_with_state_score_and_age_the_newest_first(tmp_path: Path) -> None:
    stopped = a_run(tmp_path / "stopped [1]", STEP, hours=30)
    scores = {"block 16, restored": {"psnr": 23.456}, "block 16, draw": {"psnr": 22.0}}
    card = replace(CARD, scores=scores, minutes=21.3)
    save_model(stopped / "best.safetensors", generator(), card)
    report = {"event": "TrainReport", "step": 60}
    other = a_run(tmp_path / "edges", STEP, report, hours=2, preset="seed")
    card = replace(CARD, blocks=None, scores={"restored": {"psnr": 19.0}})
    save_model(other / "best.safetensors", generator(), card)
    begun = a_run(tmp_path / "begun", hours=80)
    write_bytes(a_run(tmp_path / "broken", hours=90) / "config.json", b"{")
    with written_alone(begun):
        found = runs_in(tmp_path)
    broken, *runs = found.runs
    assert runs == [
        RunFound("edges", "finished", 2.0, "seed", 60, 1.0, None, 19.0, False),
        RunFound("stopped [1]", "stopped", 30.0, "default", 40, 0.457, 21.3, 23.46, True),
        RunFound("begun", "running", 80.0, "default"),
    ]
    assert (broken.name, broken.state) == ("broken", "damaged")
    assert "config.json is damaged: it is not JSON" in broken.problem


def test_a_folder_without_a_run_is_nothing_to_do(tmp_path: Path) -> None:
    with pytest.raises(DemosaicError, match=r"there is no run in .*: train one first") as raised:
        runs_in(tmp_path)
    assert raised.value.exit_code == NOTHING_TO_DO


def test_states_and_ages_are_in_words() -> None:
    runs = (
        RunFound("a", "running", 0.05, progress=0.5),
        RunFound("b", "stopped", 30.0, progress=0.457),
        RunFound("c", "finished", 80.0, undoes_mosaics=False),
        RunFound("d", "damaged", problem="x is no file"),
    )
    table, *lines = printed(RunsFound("runs", runs))
    assert not isinstance(table, str)
    states, ages = ([str(cell) for cell in table.columns[place].cells] for place in (1, 5))
    assert states == ["running at 50%", "stopped at 46%", "finished, no mosaics", "damaged"]
    assert ages == ["3 min", "30 h", "3 days", "0 min"]
    goes_on = "a stopped run continues when its command is repeated"
    assert lines == ["d: x is no file", goes_on]
