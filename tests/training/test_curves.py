"""A run read back from its folder."""

import json
import math
from pathlib import Path

import pytest

from demosaic.errors import DemosaicError
from demosaic.models.checkpoint import load_model, save_model
from demosaic.training.curves import best_model, names_of, pairs_of, smoothed, training_curves
from doubles import our_model


def a_run(folder: Path) -> Path:
    folder.mkdir()
    model = our_model()
    save_model(folder / "best.safetensors", model.generator, model.card)
    (folder / "config.json").write_text(json.dumps({"pairs": "../some/pairs"}))
    scores = {"block 16, restored": {"psnr": 24.5}, "block 8, restored": {"psnr": 29.0}}
    lines = [
        *({"event": "StepDone", "step": n, "losses": {"psnr": float(n)}} for n in range(100)),
        {"event": "Evaluated", "step": 99, "scores": scores},
    ]
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_a_run_is_read_back(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run")
    (tmp_path / "some" / "pairs").mkdir(parents=True)
    assert load_model(best_model(run)).card.sharp
    assert best_model(run / "best.safetensors") == run / "best.safetensors"
    assert pairs_of(run) == tmp_path / "some" / "pairs"
    curves = training_curves(run)
    assert curves["PSNR at validation, block 16, restored"] == [(99, 24.5)]
    assert curves["psnr in training"] == [(2.0 + 5 * n, 2.0 + 5 * n) for n in range(20)]
    assert training_curves(tmp_path / "nowhere") == {}
    assert smoothed([(1, 2.0), (2, 4.0)]) == [(1.0, 2.0), (2.0, 4.0)]


def test_what_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(DemosaicError, match="nothing is neither a run with a model nor a model"):
        best_model(tmp_path / "nothing")
    with pytest.raises(DemosaicError, match="--pairs"):
        pairs_of(tmp_path)


def test_runs_are_called_by_their_folders_while_those_differ() -> None:
    assert names_of([Path("a/x"), Path("a/y")]) == ["x", "y"]
    assert names_of([Path("a/x"), Path("b/x")]) == ["a/x", "b/x"]
    assert names_of([Path("a/base"), Path("a/x")]) == ["a/base", "a/x"]
    with pytest.raises(DemosaicError, match="twice"):
        names_of([Path("a/x"), Path("a/x")])


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"event": ["StepDone"]},
        {"event": "StepDone", "step": 1},
        {"event": "StepDone", "step": 1, "losses": {"l1": "high"}},
        {"event": "StepDone", "step": 1, "losses": {"l1": math.nan}},
        {"event": "Evaluated", "step": 1, "scores": [1]},
    ],
    ids=str,
)
def test_a_line_of_a_strangers_log_is_checked(line: dict[str, object], tmp_path: Path) -> None:
    run = a_run(tmp_path / "run")
    (run / "events.jsonl").write_text(
        json.dumps({"event": "Notice"}) + "\n" + json.dumps(line) + "\n"
    )
    with pytest.raises(DemosaicError, match=r"events\.jsonl, line 2 is damaged"):
        training_curves(run)
