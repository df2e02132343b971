"""The loop: runs that survive everything, here of the article's recipe."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from demosaic.config.compute import DeviceConfig
from demosaic.dataset.reader import open_pairs
from demosaic.errors import INTERRUPTED, DemosaicError, Interrupted
from demosaic.evaluation.events import Scores
from demosaic.events import Event, Notice
from demosaic.files import read_lines
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import write_png
from demosaic.models.checkpoint import load_model, load_state, read_card, save_state
from demosaic.models.pix2pix import Generator
from demosaic.training import loop, pix2pix
from demosaic.training.events import (
    Evaluated,
    ModelSaved,
    SheetSaved,
    StepDone,
    TrainingStarted,
    TrainReport,
)
from demosaic.training.loop import train
from demosaic.training.pix2pix import Networks
from doubles import (
    CONFIG,
    DEVICES,
    TINY,
    Killed,
    assert_same_run,
    at_step,
    die,
    die_at,
    go,
    lasting,
    losses,
    same,
    side_by_side,
    steps,
    wave,
)

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def straight(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run straight to six; not to be written to."""
    run = tmp_path_factory.mktemp("straight") / "run"
    train(dataset, run, CONFIG, devices=DEVICES)
    return run


# A run


def test_a_run_leaves_the_files_of_the_design(straight: Path) -> None:
    assert sorted(path.name for path in straight.iterdir()) == [
        ".lock",
        "MODEL.md",
        "best.safetensors",
        "config.json",
        "events.jsonl",
        "latest.png",
        "model.safetensors",
        "progress.html",
        "resume.pt",
        "samples",
    ]
    samples = sorted(path.name for path in (straight / "samples").iterdir())
    assert samples == ["step-000003.png", "step-000006.png"]


def test_a_run_says_what_it_does_in_order(dataset: Path, run: Path) -> None:
    events = go(dataset, run, replace(CONFIG, steps=4))
    best = [event.best for event in events if isinstance(event, Evaluated)]
    assert best[:2] == [False, True]
    kinds = [
        (type(event).__name__, getattr(event, "step", None))
        for event in events
        if not isinstance(event, Notice)
    ]
    assert kinds == [
        ("Evaluated", 0),
        ("TrainingStarted", 0),
        *(("StepDone", step) for step in (1, 2, 3)),
        ("Evaluated", 3),
        ("ModelSaved", 3),
        ("ModelSaved", 3),
        ("SheetSaved", 3),
        ("SheetSaved", 3),
        ("StepDone", 4),
        ("Evaluated", 4),
        *[("ModelSaved", 4)] * (2 if best[2] else 1),
        ("SheetSaved", 4),
        ("SheetSaved", 4),
        ("TrainReport", 4),
    ]
    notices = " ".join(event.text for event in events if isinstance(event, Notice))
    assert "computing on cpu in fp32" in notices
    assert "training pairs of 32 px, 2 validation pairs" in notices


def test_the_first_validation_compares_what_needs_no_learning(dataset: Path, run: Path) -> None:
    events = go(dataset, run, replace(CONFIG, steps=1))
    first, last = (event for event in events if isinstance(event, Evaluated))
    assert list(first.scores) == ["mosaic", "bicubic", "base"]
    assert list(last.scores) == ["restored", "reconciled"]
    assert last.scores["reconciled"].cell_error < 1e-3


def test_the_log_holds_every_tenth_step(dataset: Path, run: Path) -> None:
    go(dataset, run, replace(CONFIG, steps=11, validate_every=100, save_every=100))
    lines = read_lines(run / "events.jsonl")
    assert [line["step"] for line in lines if line["event"] == "StepDone"] == [10]


def test_the_log_ends_with_the_report(dataset: Path, run: Path) -> None:
    *_, last = go(dataset, run, replace(CONFIG, steps=1))
    assert isinstance(last, TrainReport)
    files = {"run": ".", "model": "model.safetensors", "best": "best.safetensors"}
    assert read_lines(run / "events.jsonl")[-1] == {**last.records()[0], **files}


def test_the_report_and_the_models_say_the_same(dataset: Path, run: Path) -> None:
    report = train(dataset, run, CONFIG, devices=DEVICES)
    pairs = open_pairs(dataset, direction="left-to-right", multiple=TINY.multiple)
    card = read_card(Path(report.model))
    assert (report.run, report.step, card.step) == (str(run), 6, 6)
    assert (card.preset, card.network, card.size) == ("seed", TINY, 32)
    assert (card.blocks, card.sharp) == ((4, 4), False)
    assert (card.seed, card.dataset) == (0, pairs.fingerprint)
    assert (card.train_pairs, card.val_pairs) == (len(pairs.train), 2)
    logged = [line for line in read_lines(run / "events.jsonl") if line["event"] == "Evaluated"]
    assert card.scores == logged[-1]["scores"]
    assert read_card(Path(report.best)).step == report.best_step


def test_the_sample_sheet_shows_observed_restored_and_target(dataset: Path, straight: Path) -> None:
    sheet = read_image(straight / "samples" / "step-000006.png")
    assert np.array_equal(sheet, read_image(straight / "latest.png"))
    heading, sheet = sheet[:28], sheet[28:]
    assert heading.min() < 128  # there are names
    pairs = open_pairs(dataset, direction="left-to-right", multiple=TINY.multiple)
    rows = -(-min(8, CONFIG.validation_pairs, len(pairs.val)) // 2)
    assert sheet.shape == (2 + rows * (32 + 2), 2 + 2 * (3 * 32 + 2), 3)
    observed, target = pairs.read(pairs.val[0])
    assert np.array_equal(sheet[2:34, 2:34], observed)
    assert np.array_equal(sheet[2:34, 66:98], target)


def test_the_saved_model_restores_like_the_one_trained(straight: Path) -> None:
    state = load_state(straight / "resume.pt")
    generator = Generator(TINY)
    generator.load_state_dict(state["recipe"]["generator"])
    image = torch.rand(1, 3, 32, 32)
    loaded = load_model(straight / "model.safetensors", CPU)
    with torch.no_grad():
        torch.testing.assert_close(loaded.generator(image), generator.eval()(image))


def test_training_in_another_thread_works(dataset: Path, run: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        events = pool.submit(go, dataset, run, replace(CONFIG, steps=1)).result()
    assert steps(events) == [1]


# Best


def test_the_best_model_is_that_of_the_best_validation(
    dataset: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    psnr = iter([20.0, 22.0, 21.0, 21.5, 23.0])

    def pretend(*_: object) -> dict[str, Scores]:
        scores = Scores(next(psnr), 0.5, 0.1, 0.0)
        return {"restored": Scores(99, 0.5, 0.1, 0.0), "reconciled": scores}

    monkeypatch.setattr(pix2pix, "evaluate", pretend)
    config = replace(CONFIG, validate_every=1, save_every=1)
    events = go(dataset, run, replace(config, steps=3))
    assert [event.best for event in events if isinstance(event, Evaluated)][1:] == [
        True,
        True,
        False,
    ]
    assert read_card(run / "best.safetensors").step == 2
    assert read_card(run / "model.safetensors").step == 3
    go(dataset, run, replace(config, steps=4))
    assert read_card(run / "best.safetensors").step == 2
    report = train(dataset, run, replace(config, steps=5), devices=DEVICES)
    assert read_card(run / "best.safetensors").step == report.best_step == 5


# Stopping and going on


def test_stopping_at_three_and_going_on_to_six_equals_straight_to_six(
    dataset: Path, run: Path, straight: Path, tmp_path: Path
) -> None:
    whole = go(dataset, tmp_path / "again")
    before: list[Event] = []

    def stop_at_three(event: Event) -> None:
        before.append(event)
        at_step(3, lambda: signal.raise_signal(signal.SIGINT))(event)

    with pytest.raises(Interrupted):
        go(dataset, run, listen=stop_at_three)
    after = go(dataset, run)
    assert (steps(before), steps(after)) == ([1, 2, 3], [4, 5, 6])
    assert losses(before) + losses(after) == losses(whole)
    assert_same_run(run, straight)
    assert_same_run(tmp_path / "again", straight)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_saves_and_says_how_to_go_on(
    dataset: Path, run: Path, number: signal.Signals
) -> None:
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted) as caught:
        go(dataset, run, listen=at_step(1, lambda: signal.raise_signal(number)))
    assert str(caught.value) == (
        f"stopped at step 1, 17% of the budget, saved in {run}: run the same command to continue"
    )
    assert caught.value.exit_code == {signal.SIGINT: INTERRUPTED, signal.SIGTERM: 143}[number]
    assert load_state(run / "resume.pt")["step"] == 1
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers


def test_a_second_ctrl_c_stops_at_once(dataset: Path, run: Path) -> None:
    def twice() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        go(dataset, run, listen=at_step(1, twice))


def test_a_stop_in_the_last_step_finishes(dataset: Path, run: Path) -> None:
    config = replace(CONFIG, steps=1)
    go(dataset, run, config, at_step(1, lambda: signal.raise_signal(signal.SIGINT)))
    assert read_card(run / "model.safetensors").step == 1


KILLED = """
import os, signal, sys
from pathlib import Path
from dataclasses import replace
from doubles import CONFIG, at_step, go
die = at_step(11, lambda: os.kill(os.getpid(), signal.SIGKILL))
go(Path(sys.argv[1]), Path(sys.argv[2]), replace(CONFIG, steps=12, save_every=8), die)
"""


@pytest.mark.slow
def test_a_killed_run_finishes_with_the_same_command(
    dataset: Path, run: Path, tmp_path: Path
) -> None:
    config = replace(CONFIG, steps=12, save_every=8)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(dataset), str(run)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert done.returncode == -signal.SIGKILL
    assert load_state(run / "resume.pt")["step"] == 8
    torn = run / "events.jsonl"
    torn.write_bytes(torn.read_bytes() + b'{"event": "Step')  # as a kill within a write leaves it
    assert steps(go(dataset, run, config)) == [9, 10, 11, 12]
    go(dataset, tmp_path / "whole", config)
    assert_same_run(run, tmp_path / "whole")


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        (Evaluated, 0),
        (TrainingStarted, 0),
        (StepDone, 1),
        (Evaluated, 3),
        (SheetSaved, 3),
        (ModelSaved, 6),
    ],
)
def test_a_run_killed_at_any_instant_ends_the_same(
    dataset: Path, run: Path, straight: Path, kind: type, step: int
) -> None:
    with pytest.raises(Killed):
        go(dataset, run, listen=die_at(kind, step))
    go(dataset, run)
    assert_same_run(run, straight)


def test_a_run_killed_with_its_last_state_has_its_models(
    dataset: Path, run: Path, straight: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = save_state

    def save_and_die(path: Path, state: dict[str, Any]) -> None:
        real(path, state)
        if state["step"] == 6:
            die()

    with monkeypatch.context() as patched:
        patched.setattr(loop, "save_state", save_and_die)
        with pytest.raises(Killed):
            go(dataset, run)
    report = train(dataset, run, CONFIG, devices=DEVICES)
    assert (report.step, Path(report.model)) == (6, run / "model.safetensors")
    assert_same_run(run, straight)


def test_no_step_is_logged_twice_after_going_on(dataset: Path, run: Path) -> None:
    config = replace(CONFIG, steps=12, validate_every=4, save_every=3)
    with pytest.raises(Killed):
        go(dataset, run, config, die_at(StepDone, 2))
    with pytest.raises(Killed):
        go(dataset, run, config, die_at(StepDone, 11))
    go(dataset, run, config)
    logged = [(line["event"], line["step"]) for line in lasting(run)]
    assert logged == [
        ("Evaluated", 0),
        ("Evaluated", 4),
        ("Evaluated", 8),
        ("StepDone", 10),
        ("Evaluated", 12),
    ]
    started = [
        line["step"]
        for line in read_lines(run / "events.jsonl")
        if line["event"] == "TrainingStarted"
    ]
    assert started == [0, 9]


def test_a_finished_run_says_so_and_runs_nothing_again(dataset: Path, run: Path) -> None:
    go(dataset, run, replace(CONFIG, steps=3))
    before = (run / "model.safetensors").read_bytes()
    events = go(dataset, run, replace(CONFIG, steps=3))
    report = train(dataset, run, replace(CONFIG, steps=3), devices=DEVICES)
    assert [type(event) for event in events] == [Notice, TrainReport]
    assert isinstance(events[0], Notice) and "is finished" in events[0].text
    assert (report.step, report.best_step) == (3, 3)
    assert (run / "model.safetensors").read_bytes() == before


def test_more_steps_go_on_from_a_finished_run(dataset: Path, run: Path, straight: Path) -> None:
    go(dataset, run, replace(CONFIG, steps=3))
    assert steps(go(dataset, run)) == [4, 5, 6]
    state, other = (load_state(path / "resume.pt") for path in (run, straight))
    assert same(state["recipe"], other["recipe"])
    assert json.loads((run / "config.json").read_text())["train"]["steps"] == 6


# States that cannot be continued


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state["recipe"]["generator"].popitem(),
        lambda state: state.update(format=state["format"] - 1),
        lambda state: state.pop("format"),
    ],
)
def test_a_run_of_another_network_than_todays_is_refused(
    dataset: Path, run: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    """Also where weights fit, but are computed with otherwise."""
    go(dataset, run, replace(CONFIG, steps=1))
    state = load_state(run / "resume.pt")
    change(state)
    save_state(run / "resume.pt", state)
    with pytest.raises(DemosaicError) as caught:
        go(dataset, run, replace(CONFIG, steps=2))
    said = (
        f"{run / 'resume.pt'} was saved by a version of demosaic with another network or optimiser"
    )
    assert str(caught.value).startswith(said)


def test_a_damaged_state_is_named_with_the_way_out(
    dataset: Path, run: Path, straight: Path
) -> None:
    go(dataset, run, replace(CONFIG, steps=1))
    (run / "resume.pt").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(DemosaicError, match="delete it to train from the start") as caught:
        go(dataset, run)
    assert str(run / "resume.pt") in str(caught.value)
    (run / "resume.pt").unlink()
    assert steps(go(dataset, run)) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "change",
    [
        {"step": "many"},
        {"seconds": math.nan},
        {"best": {"step": 1}},
        {"best": {"step": 1, "merit": "high"}},
        {"threads": 10**9},
        {"recipe": 3},
    ],
    ids=str,
)
def test_a_state_that_no_run_saves_is_refused(
    change: dict[str, Any], dataset: Path, straight: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(straight, tmp_path / "run"))
    save_state(run / "resume.pt", {**load_state(run / "resume.pt"), **change})
    with pytest.raises(DemosaicError, match=r"resume\.pt is damaged.*: delete it to train from"):
        go(dataset, run, replace(CONFIG, steps=7))


@pytest.mark.parametrize(("threads", "times"), [(None, 2), (1, 0)])
def test_threads_are_chosen_again_in_a_long_run_unless_the_user_chose(
    threads: int | None, times: int, dataset: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each saved state but the last one, as no time is long enough here."""
    tried: list[torch.Tensor] = []
    monkeypatch.setattr(loop, "THREADS_FOR", 0.0)
    monkeypatch.setattr(loop, "choose_threads", lambda compute, trial: tried.append(trial(compute)))
    before = torch.get_num_threads()
    devices = DeviceConfig(device="cpu", precision="fp32", threads=threads)
    try:
        train(dataset, run, CONFIG, devices=devices)
    finally:
        torch.set_num_threads(before)
    assert len(tried) == times


# Losses that are not finite


def test_losses_that_are_no_numbers_stop_and_keep_the_last_good_state(
    dataset: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = pix2pix.train_step, iter(range(1, 10))

    def fail_at_four(*given: Any) -> dict[str, float]:
        found = real(*given)
        return {**found, "adversarial": math.inf} if next(calls) == 4 else found

    with monkeypatch.context() as patched:
        patched.setattr(pix2pix, "train_step", fail_at_four)
        with pytest.raises(DemosaicError, match="no longer finite at step 4") as caught:
            go(dataset, run, replace(CONFIG, save_every=2))
    assert str(run) in str(caught.value)
    assert "--lr" in str(caught.value)
    assert load_state(run / "resume.pt")["step"] == 2
    assert steps(go(dataset, run)) == [3, 4, 5, 6]


def test_a_mad_learning_rate_stops_with_a_sentence(dataset: Path, run: Path) -> None:
    with pytest.raises(DemosaicError, match="no longer finite"):
        go(dataset, run, replace(CONFIG, lr=1e30, save_every=100))


def test_weights_that_are_no_numbers_are_never_saved_over_good_ones(
    dataset: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gradient may overflow in a step whose losses are still numbers; the next step shows it."""
    real, calls = pix2pix.train_step, iter(range(1, 10))

    def poison_at_four(networks: Networks, *given: Any) -> dict[str, float]:
        found = real(networks, *given)
        if next(calls) == 4:
            networks.generator.head.weight.data.fill_(math.nan)
        return found

    monkeypatch.setattr(pix2pix, "train_step", poison_at_four)
    with pytest.raises(DemosaicError, match="no longer finite"):
        go(dataset, run, replace(CONFIG, save_every=2))
    state = load_state(run / "resume.pt")
    assert all(value.isfinite().all() for value in state["recipe"]["generator"].values())


# Other data


def test_a_limit_takes_the_first_by_hash_and_leaves_the_validation(
    dataset: Path, run: Path, tmp_path: Path
) -> None:
    """As training on a folder that holds only those pictures."""
    folder = side_by_side(tmp_path / "many", train=6)
    first = open_pairs(folder, direction="left-to-right", multiple=TINY.multiple).train[:2]
    few = side_by_side(tmp_path / "few", train=0)
    for picture in first:
        (few / "train" / picture.name).write_bytes(picture.read_bytes())
    config = replace(CONFIG, steps=3, limit=2)
    go(folder, run, config)
    go(few, tmp_path / "expected", replace(config, limit=None))
    card, expected = (
        read_card(path / "model.safetensors") for path in (run, tmp_path / "expected")
    )
    assert (card.train_pairs, card.val_pairs, card.scores) == (2, 2, expected.scores)
    weights = [load_file(path / "model.safetensors") for path in (run, tmp_path / "expected")]
    assert same(*weights)


@pytest.mark.parametrize("direction", ["left-to-right", "right-to-left"])
def test_any_folder_of_side_by_side_pictures_trains_both_ways(
    run: Path, tmp_path: Path, direction: Any
) -> None:
    folder = side_by_side(tmp_path / "facades", side=40)
    events = go(folder, run, replace(CONFIG, steps=2, direction=direction))
    card = read_card(run / "model.safetensors")
    assert (card.blocks, card.size, card.train_pairs, card.val_pairs) == (None, 40, 3, 2)
    assert list(card.scores) == ["restored"]
    assert card.scores["restored"]["cell_error"] == 0
    baselines = next(event for event in events if isinstance(event, Evaluated))
    assert list(baselines.scores) == ["input"]
    assert any(isinstance(event, Notice) and "not mosaics" in event.text for event in events)

    pairs = open_pairs(folder, direction="left-to-right", multiple=TINY.multiple)
    left, right = pairs.read(pairs.val[0])
    sheet = read_image(run / "samples" / "step-000002.png")[28:]  # below the names of the columns
    observed, target = (left, right) if direction == "left-to-right" else (right, left)
    assert np.array_equal(sheet[2:42, 2:42], observed)
    assert np.array_equal(sheet[2:42, 82:122], target)


def test_a_dataset_turned_round_is_no_mosaic(dataset: Path, run: Path) -> None:
    go(dataset, run, replace(CONFIG, steps=1, direction="right-to-left"))
    assert read_card(run / "model.safetensors").blocks is None


def test_a_single_pair_trains_and_warns(run: Path, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    write_png(tmp_path / "one" / "only.png", np.hstack([wave(0, 32), wave(1, 32)]))
    events = go(tmp_path / "one", run, replace(CONFIG, steps=1))
    assert any(isinstance(event, Notice) and "only one pair" in event.text for event in events)
