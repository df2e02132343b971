"""The default recipe: two stages, continued as if never stopped, and a model that keeps both."""

import math
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from demosaic.config import networks
from demosaic.config.networks import FlowConfig, ResUNetConfig
from demosaic.config.training import TrainConfig
from demosaic.dataset.reader import Pairs, open_pairs
from demosaic.errors import DemosaicError, Interrupted
from demosaic.evaluation.events import Scores
from demosaic.evaluation.validation import restored_pictures
from demosaic.events import Event, Notice, ignore
from demosaic.files import read_lines
from demosaic.imaging.arrays import Pixels, to_float
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import write_png
from demosaic.imaging.heat import heat_map, spread_of
from demosaic.models import box
from demosaic.models.checkpoint import load_model, load_state, read_card
from demosaic.models.compute import Compute
from demosaic.models.inputs import Views, observe, views
from demosaic.models.restorer import Restorer
from demosaic.models.resunet import ResUNet
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.operators import base, cells
from demosaic.mosaic.pixelate import cell_colours, pixelated
from demosaic.training import album, beginning, blind, stages
from demosaic.training.augmentation import BLOCKS
from demosaic.training.blind import Blind, decibels
from demosaic.training.distributed import Processes
from demosaic.training.events import Evaluated, StepDone, TrainingStarted, TrainReport
from demosaic.training.loop import train
from demosaic.training.losses import path_error
from demosaic.training.samples import samples_sheet
from demosaic.training.stages import Faces, flow_rate, mean_rate
from doubles import (
    DEVICES,
    Killed,
    assert_same_run,
    die_at,
    go,
    losses,
    same,
    side_by_side,
    state_of,
    steps,
    wave,
)

CPU = torch.device("cpu")
COMPUTE = Compute(CPU, False)
TINY = ResUNetConfig(widths=(8, 8), down=(1, 1), up=(1,), attention=1, head=4)
CONFIG = TrainConfig(
    steps=6,
    network="S",
    init="none",
    batch=2,
    sharpen=0.5,
    validations=2,
    validation_pairs=2,
    save_every=2,
)


@pytest.fixture(scope="module", autouse=True)
def tiny() -> Iterator[None]:
    """Our networks, but small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(networks.NETWORKS, "S", TINY)
        yield


@pytest.fixture(scope="module")
def straight(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run straight through both stages; not to be written to."""
    run = tmp_path_factory.mktemp("straight") / "run"
    train(dataset, run, CONFIG, devices=DEVICES)
    return run


def the_pairs(dataset: Path) -> Pairs:
    return open_pairs(dataset, direction="left-to-right", multiple=TrainConfig.multiple)


def recipe(dataset: Path, config: TrainConfig = CONFIG) -> Blind:
    return Blind(config, the_pairs(dataset), COMPUTE, Processes(), ignore)


def a_restorer(seed: int = 0, *, sharp: bool = True) -> Restorer:
    """Two networks whose outputs have little to do with the picture, or with each other."""
    torch.manual_seed(seed)
    networks = [ResUNet(TINY), ResUNet(TINY)]
    for network in networks:
        for weight in network.parameters():
            if weight.ndim == 4:
                nn.init.normal_(weight, std=0.2)
    return Restorer(networks[0], networks[1] if sharp else None).eval().requires_grad_(False)


def some_views(side: int = 32) -> Views:
    grids = (Grid.square(4), Grid(7, 5, 3, 1), Grid.square(16))
    pictures = [pixelated(wave(number, side), grid) for number, grid in enumerate(grids)]
    return views([observe(*one) for one in zip(pictures, grids, strict=True)])


def flat(batch: Sequence[Faces]) -> list[Any]:
    return [value for part in batch for value in (*vars(part.views).values(), part.target)]


def stop_in(
    step: int, dataset: Path, run: Path, config: TrainConfig = CONFIG
) -> tuple[list[Event], str]:
    """Ctrl-C while that step is computed: all that was said, and the last words."""
    events: list[Event] = []
    real = Blind.step

    def interrupted(made: Blind, batch: list[Faces], progress: float) -> dict[str, float]:
        if len([event for event in events if isinstance(event, StepDone)]) == step - 1:
            signal.raise_signal(signal.SIGINT)
        return real(made, batch, progress)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Interrupted) as caught:
        patch.setattr(Blind, "step", interrupted)
        train(dataset, run, config, devices=DEVICES, listen=events.append)
    return events, str(caught.value)


def evaluated(events: list[Event]) -> list[Evaluated]:
    return [event for event in events if isinstance(event, Evaluated)]


# Before the first step


@pytest.mark.parametrize("grid", [Grid.square(4), Grid(7, 5, 3, 1), Grid.square(32)])
def test_before_the_first_step_the_restored_is_base(dataset: Path, grid: Grid) -> None:
    observed = pixelated(wave(3, 32), grid)
    shown = views([observe(observed, grid)])
    with torch.no_grad():
        restored = recipe(dataset).generator()(shown, 0.0)[0].numpy()
    expected = base(cells(to_float(observed), grid), grid, (32, 32))
    assert np.allclose(restored, expected, rtol=0, atol=1e-4)


def test_the_same_seed_begins_with_the_same_networks(dataset: Path) -> None:
    first, again = recipe(dataset), recipe(dataset)
    other = recipe(dataset, replace(CONFIG, seed=1))
    assert same(first.state(), again.state())
    weights = [one.faithful.learner.network.stem.weight for one in (first, other)]
    assert not torch.equal(*weights)


def test_making_networks_leaves_the_callers_random_numbers_alone(dataset: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    made = recipe(dataset)
    made.step(made.draw(0), 0.9)  # the flow too
    assert torch.equal(torch.rand(3), expected)


def test_a_network_is_chosen_by_the_device_and_the_option() -> None:
    for device, expected in (("cpu", "S"), ("cuda", "M"), ("mps", "M")):
        assert beginning.network_size(TrainConfig(), torch.device(device)) == expected
        assert beginning.network_size(TrainConfig(network="M"), torch.device(device)) == "M"


# What is drawn


def test_the_same_seed_and_step_draw_the_same_whatever_came_before(dataset: Path) -> None:
    fresh, used = recipe(dataset), recipe(dataset)
    for step in range(3):
        used.step(used.draw(step), step / 6)
    np.random.seed(7)
    torch.manual_seed(7)
    assert same(flat(fresh.draw(5)), flat(used.draw(5)))
    assert not same(flat(fresh.draw(5)), flat(fresh.draw(4)))
    other = recipe(dataset, replace(CONFIG, seed=1))
    assert not same(flat(fresh.draw(5)), flat(other.draw(5)))


def whole(made: Blind, step: int) -> float:
    """The share of a step's faces that are mosaic all over, as easy ones are."""
    return float(np.mean([faces.views.hidden.amin().item() for faces in made.draw(step)]))


def test_a_new_network_begins_with_easy_examples_and_a_known_one_does_not(
    dataset: Path, straight: Path
) -> None:
    parts = replace(CONFIG, batch=40, parts=40)  # of a face each
    new = recipe(dataset, parts)
    known = recipe(dataset, replace(parts, init=str(straight / "model.safetensors")))
    assert whole(new, 0) == 1.0
    for made, step in ((new, 400), (known, 0)):
        assert 0.5 < whole(made, step) < 0.95


def test_the_faces_of_a_step_differ_and_are_as_many_as_asked(dataset: Path) -> None:
    batch = recipe(dataset, replace(CONFIG, batch=5)).draw(0)
    targets = torch.cat([part.target for part in batch])
    assert targets.shape == (5, 3, 32, 32)
    assert sum(len(part.seeds) for part in batch) == 5
    assert len({target.numpy().tobytes() for target in targets}) == 5
    assert torch.cat([part.views.seen for part in batch]).shape == (5, 3, 32, 32)


@pytest.mark.parametrize("limit", [None, 3])
def test_faces_left_out_for_validation_are_never_drawn(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, limit: int | None
) -> None:
    made = recipe(dataset, replace(CONFIG, limit=limit, batch=8))
    drawn: Counter[Path] = Counter()
    real = made.pairs.target

    def note(path: Path) -> Pixels:
        drawn[path] += 1
        return real(path)

    monkeypatch.setattr(made.pairs, "target", note)
    for step in range(30):
        made.draw(step)
    assert set(drawn) == set(made.pairs.train[:limit])
    assert set(drawn).isdisjoint(made.pairs.val)
    assert sum(drawn.values()) == 240
    expected = 240 / len(drawn)
    assert all(0.4 * expected < count < 2 * expected for count in drawn.values())


# Stopping and going on


@pytest.mark.parametrize("stop", [1, 2, 3, 4, 5], ids="stopped at {}".format)
def test_stopping_in_either_stage_and_going_on_equals_straight_to_six(
    dataset: Path, run: Path, straight: Path, stop: int
) -> None:
    before, said = stop_in(stop, dataset, run)
    after = go(dataset, run, CONFIG)
    share = ("17%", "33%", "50%", "67%", "83%")[stop - 1]
    assert said == (
        f"stopped at step {stop}, {share} of the budget, saved in {run}: "
        "run the same command to continue"
    )
    assert (steps(before), steps(after)) == ([*range(1, stop + 1)], [*range(stop + 1, 7)])
    assert_same_run(run, straight)


def test_the_losses_after_going_on_are_those_of_a_run_that_never_stopped(
    dataset: Path, run: Path, tmp_path: Path
) -> None:
    whole = losses(go(dataset, tmp_path / "whole", CONFIG))
    assert [set(one) for one in whole] == [{"psnr"}] * 3 + [{"flow"}] * 3
    first, _ = stop_in(2, dataset, run)
    second, _ = stop_in(3, dataset, run)
    third = go(dataset, run, CONFIG)
    assert [len(losses(events)) for events in (first, second, third)] == [2, 3, 1]
    assert losses(first) + losses(second) + losses(third) == whole


@pytest.mark.parametrize(("kind", "step"), [(StepDone, 3), (Evaluated, 3), (StepDone, 5)])
def test_a_run_killed_at_any_instant_ends_the_same(
    dataset: Path, run: Path, straight: Path, kind: type, step: int
) -> None:
    with pytest.raises(Killed):
        go(dataset, run, CONFIG, die_at(kind, step))
    go(dataset, run, CONFIG)
    assert_same_run(run, straight)


def test_a_run_straight_through_is_the_same_again(dataset: Path, run: Path, straight: Path) -> None:
    torch.manual_seed(99)
    np.random.seed(99)
    go(dataset, run, CONFIG)
    assert_same_run(run, straight)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"sharpen": 0.25}, "sharpen 0.5 -> 0.25"),
        ({"network": "M"}, "network S -> M"),
        ({"steps": None}, "steps 6 -> None"),
        ({"validations": 3}, "validations 2 -> 3"),
        ({"seed": 4}, "seed 0 -> 4"),
    ],
)
def test_another_option_under_the_same_name_is_refused_by_name(
    dataset: Path, straight: Path, changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(DemosaicError) as caught:
        go(dataset, straight, replace(CONFIG, **changes))
    assert str(caught.value) == (
        f"{straight} was started with other options ({named}): "
        "give the same ones to go on, or begin a new run with another --name and "
        f"--init {straight}/best.safetensors"
    )


def test_a_finished_run_that_gets_more_steps_goes_on_from_its_model(
    dataset: Path, run: Path
) -> None:
    go(dataset, run, replace(CONFIG, steps=4))
    first = read_card(run / "best.safetensors")
    more = replace(CONFIG, steps=8)
    stop_in(2, dataset, run, more)
    events = go(dataset, run, more)
    started = next(event for event in events if isinstance(event, TrainingStarted))
    assert (started.step, started.progress) == (6, 0.5)  # of the four added
    assert steps(events) == [7, 8]
    assert [*losses(events)[-1]] == ["flow"]
    assert first.step == 4
    assert read_card(run / "earlier.safetensors") == first
    assert read_card(run / "best.safetensors").step == 8
    again = go(dataset, run, more)
    assert again[0] == Notice(f"{run} is finished: 8 steps done; a larger --steps goes on")
    with pytest.raises(DemosaicError, match="started with --steps 8, more than --steps 6"):
        go(dataset, run, replace(CONFIG, steps=6))


def test_a_run_that_gets_more_in_its_first_stage_goes_on_as_if_it_always_had_it(
    dataset: Path, run: Path, straight: Path
) -> None:
    stop_in(1, dataset, run, replace(CONFIG, steps=4))
    go(dataset, run, CONFIG)
    assert load_state(run / "resume.pt")["leg"] == {"step": 0, "seconds": 0.0, "amount": 6}
    assert same(load_file(run / "model.safetensors"), load_file(straight / "model.safetensors"))


def test_another_recipe_under_the_same_name_is_refused(dataset: Path, straight: Path) -> None:
    with pytest.raises(DemosaicError, match="preset default -> seed"):
        go(dataset, straight)


# The budget


def test_a_budget_of_minutes_ends_when_they_are_over(dataset: Path, run: Path) -> None:
    timed = replace(CONFIG, steps=None, minutes=0.6 / 60)
    events = go(dataset, run, timed)
    done = [event for event in events if isinstance(event, StepDone)]
    assert sum(event.seconds for event in done[:-1]) < 0.6  # validations count too
    assert done[-1].progress >= 1
    spent = load_state(run / "resume.pt")["seconds"] - sum(event.seconds for event in done)
    assert spent > 0
    assert [event.progress for event in done] == sorted(event.progress for event in done)
    started = next(event for event in events if isinstance(event, TrainingStarted))
    assert started == TrainingStarted(0, 0.0, "0.01 minutes", str(run))
    assert evaluated(events)[-1].step == done[-1].step
    assert read_card(run / "model.safetensors").sharp
    again = go(dataset, run, timed)
    assert [type(event) for event in again] == [Notice, TrainReport]
    assert isinstance(again[0], Notice) and "is finished" in again[0].text


def test_half_of_the_minutes_go_to_each_stage(dataset: Path, run: Path) -> None:
    events = go(dataset, run, replace(CONFIG, steps=None, minutes=0.8 / 60, validations=1))
    done = [event for event in events if isinstance(event, StepDone)]
    assert len(done) > 4
    for before, event in zip([0.0, *(one.progress for one in done)], done, strict=False):
        assert ("flow" in event.losses) == (before >= 0.5)


def test_time_that_was_spent_before_a_stop_counts(dataset: Path, run: Path) -> None:
    timed = replace(CONFIG, steps=None, minutes=0.6 / 60, validations=1)
    stop_in(2, dataset, run, timed)
    events = go(dataset, run, timed)
    started = next(event for event in events if isinstance(event, TrainingStarted))
    assert started.step == 2
    assert 0 < started.progress < 1
    first = next(event for event in events if isinstance(event, StepDone))
    assert first.progress == pytest.approx(started.progress + first.seconds / 0.6, rel=0.05)


@pytest.mark.parametrize(
    ("validations", "expected"),
    [(1, [0, 6]), (2, [0, 3, 6]), (3, [0, 2, 4, 6]), (6, [0, 1, 2, 3, 4, 5, 6])],
)
def test_validations_come_evenly_and_the_last_at_the_end(
    dataset: Path, run: Path, validations: int, expected: list[int]
) -> None:
    events = go(dataset, run, replace(CONFIG, validations=validations))
    assert [event.step for event in evaluated(events)] == expected


@pytest.mark.parametrize(("sharpen", "first"), [(0.0, 6), (0.25, 5), (0.5, 3), (0.9, 1)])
def test_the_second_stage_has_its_share_of_the_budget(
    dataset: Path, run: Path, sharpen: float, first: int
) -> None:
    events = go(dataset, run, replace(CONFIG, sharpen=sharpen, validations=1))
    found = ["flow" in one for one in losses(events)]
    assert found == [False] * first + [True] * (6 - first)
    assert read_card(run / "best.safetensors").sharp == (sharpen > 0)


def test_a_run_keeps_its_number_of_validations_when_none_is_asked_for(
    dataset: Path, run: Path
) -> None:
    """What is usual for its steps was another number in earlier versions."""
    stop_in(2, dataset, run, replace(CONFIG, validations=3))
    with pytest.raises(DemosaicError, match=r"started with other options \(validations 3 -> 2\)"):
        go(dataset, run, replace(CONFIG, validations=2))
    events = go(dataset, run, replace(CONFIG, validations=None))
    assert [event.step for event in evaluated(events)] == [4, 6]


# Validation


def test_every_restored_validation_picture_has_exactly_the_cells_observed(
    straight: Path, dataset: Path, run: Path
) -> None:
    events = go(dataset, run, CONFIG)
    for event in evaluated(events)[1:]:
        for name, scores in event.scores.items():
            assert scores.cell_error < 1e-3, name


@pytest.mark.parametrize("realism", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("grid", [Grid.square(4), Grid.square(16, 5, 11), Grid(24, 9, 3, 3)])
def test_the_cells_of_a_wild_network_are_exactly_those_observed(grid: Grid, realism: float) -> None:
    observed = [pixelated(wave(number, 40), grid) for number in range(3)]
    found = restored_pictures(a_restorer(), observed, grid, COMPUTE, realism)
    for picture, shown in zip(found, observed, strict=True):
        means = cells(picture.transpose(2, 0, 1).astype(np.float64), grid)
        assert picture.shape == (40, 40, 3)
        assert np.abs(means - cell_colours(shown, grid)).max() < 1e-6
        assert (picture != shown).mean() > 0.5


def test_what_is_scored_is_named_by_grid_and_kind(dataset: Path, run: Path) -> None:
    glanced = [f"block {side}" for side in (8, 16, 24)]
    all_of_them = [f"block {side}" for side in (4, 8, 12, 16, 24, 32)] + ["block 16 at 5, 11"]
    first, middle, last = evaluated(go(dataset, run, CONFIG))
    assert list(first.scores) == [
        f"{grid}, {kind}" for grid in glanced for kind in ("mosaic", "bicubic", "base")
    ]
    assert list(middle.scores) == [f"{grid}, restored" for grid in glanced]
    assert list(last.scores) == [
        *(f"{grid}, restored" for grid in all_of_them),
        *(f"{grid}, draw" for grid in glanced),
    ]


def test_an_untrained_network_scores_what_base_scores(dataset: Path) -> None:
    made = recipe(dataset)
    baselines, validation = made.baselines(), made.validate(0.2)
    scores, merit = validation.scores, validation.merit
    for side in (8, 16, 24):
        found, expected = scores[f"block {side}, restored"], baselines[f"block {side}, base"]
        assert found.psnr == pytest.approx(expected.psnr, abs=0.15)
    mean = np.mean([scores[f"block {side}, restored"].psnr for side in (8, 16, 24)])
    assert merit == pytest.approx(mean)


def test_the_merit_of_the_same_network_is_the_same_at_the_end(dataset: Path) -> None:
    """Or the best model would be that of the easiest pictures."""
    config = replace(CONFIG, validation_pairs=100)
    made = Blind(config, the_pairs(dataset), COMPUTE, Processes(), ignore, glance=1)
    glanced, thorough = made.validate(0.5), made.validate(1.0)
    assert glanced.merit == pytest.approx(thorough.merit)
    few, many = (found.scores["block 8, restored"].psnr for found in (glanced, thorough))
    assert few != pytest.approx(many)


def pretending(
    monkeypatch: pytest.MonkeyPatch, faithful: Sequence[float], costs: Sequence[float] = ()
) -> None:
    """Validations, one after the other, find these PSNR, and so much less for draws."""
    found, lost = iter(faithful), iter(costs)
    mean = math.nan

    def pretend(*asked: Any) -> dict[str, Scores]:
        nonlocal mean
        drawn = asked[-1] > 0
        mean = mean if drawn else next(found)
        value = mean - next(lost) if drawn else mean
        return {
            f"block {side}, {'draw' if drawn else 'restored'}": Scores(
                value + change, 0.5, 0.1, 0.0
            )
            for side, change in ((4, 50), (8, -2), (16, 0), (24, 2))
        }

    monkeypatch.setattr(blind, "score_grids", pretend)


def test_the_best_model_of_the_first_stage_is_that_of_the_best_validation(
    dataset: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thorough validation at the end is of other pictures, so it is no better for that."""
    pretending(monkeypatch, [20.0, 22.0, 21.0, 22.0, 21.5, 21.9, 99.0])
    events = go(dataset, run, replace(CONFIG, validations=6, sharpen=0.0))
    best = [event.best for event in evaluated(events)][1:]
    assert best == [True, True, False, True, False, False]
    assert read_card(run / "best.safetensors").step == 4
    assert read_card(run / "model.safetensors").step == 6


def test_the_best_model_of_the_second_stage_is_the_latest(
    dataset: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretending(monkeypatch, [20.0, 22.0, 21.0, *[18.0] * 4], [0.5, 3.0, 2.0, 2.0])
    events = go(dataset, run, replace(CONFIG, validations=6))
    best = [event.best for event in evaluated(events)][1:]
    assert best == [True, True, False, True, True, True]
    card = read_card(run / "best.safetensors")
    assert (card.step, card.sharp) == (6, True)


def test_a_second_stage_that_collapses_is_left_out_and_ends_the_run(
    dataset: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(CONFIG, validations=6, save_every=100)
    pretending(monkeypatch, [20.0] * 9, [1.0, 4.5])
    events = go(dataset, run, config)
    assert steps(events) == [1, 2, 3, 4, 5]
    notices = [event.text for event in events if isinstance(event, Notice)]
    assert "the second stage collapsed, 4.5 dB down: the first is kept" in notices
    last = evaluated(events)[-1]
    assert (last.step, last.best) == (5, True)
    assert {name.split(", ")[1] for name in last.scores} == {"restored"}
    for name in ("best", "model"):
        card = read_card(run / f"{name}.safetensors")
        assert (card.step, card.sharp) == (5, False)
        assert {key.split(".")[0] for key in load_file(run / f"{name}.safetensors")} == {"faithful"}
    again = go(dataset, run, config)
    assert [type(event) for event in again] == [Notice, TrainReport]
    assert isinstance(again[0], Notice) and "is finished" in again[0].text


def test_scores_that_are_no_numbers_are_a_collapse(
    dataset: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretending(monkeypatch, [20.0] * 9, [math.nan])
    assert steps(go(dataset, run, replace(CONFIG, validations=6))) == [1, 2, 3, 4]


def test_the_sample_sheet_shows_mosaics_of_three_blocks_restored_and_originals(
    dataset: Path,
) -> None:
    made = recipe(dataset, replace(CONFIG, validation_pairs=4))
    sheet = samples_sheet(made.samples(), 32)[28:]  # below the names of the columns
    targets = [made.pairs.target(path) for path in made.pairs.val[:4]]
    assert sheet.shape == (2 + 2 * 34, 2 + 2 * (3 * 32 + 2), 3)
    for number, (target, side) in enumerate(zip(targets, (16, 8, 24, 16), strict=True)):
        top, left = 2 + 34 * (number // 2), 2 + 98 * (number % 2)
        shown = [sheet[top : top + 32, left + x : left + x + 32] for x in (0, 32, 64)]
        grid = Grid.square(side)
        observed = pixelated(target, grid)
        assert np.array_equal(shown[0], observed)
        assert np.array_equal(
            shown[1], restored_pictures(made.generator(), [observed], grid, COMPUTE)[0]
        )
        assert np.array_equal(shown[2], target)


def test_the_sheet_of_the_second_stage_shows_two_draws_and_the_spread_of_four(
    dataset: Path,
) -> None:
    made = recipe(dataset, replace(CONFIG, validation_pairs=1))
    made.step(made.draw(0), 0.6)
    rows = made.samples()
    names = ["mosaic", "mean", "a draw", "another draw", "spread of draws", "original"]
    assert [[*row] for row in rows] == [names]
    sheet = samples_sheet(rows, 32)[28:]
    target, grid = made.pairs.target(made.pairs.val[0]), Grid.square(16)
    assert sheet.shape == (2 + 34, 2 + 6 * 32 + 2, 3)
    shown = [sheet[2:34, 2 + x : 34 + x] for x in range(0, 6 * 32, 32)]
    observed, restorer = pixelated(target, grid), made.generator()
    (mean,) = restored_pictures(restorer, [observed], grid, COMPUTE)
    draws = restored_pictures(restorer, [observed] * 4, grid, COMPUTE, 1.0, range(4))
    for found, expected in zip(shown, (observed, mean, draws[0], draws[1]), strict=False):
        assert np.array_equal(found, expected)
    assert np.array_equal(shown[4], heat_map(spread_of(draws), 48))
    assert np.array_equal(shown[5], target)


# The model


@pytest.mark.parametrize("realism", [0.0, 0.5, 1.0])
def test_the_saved_model_restores_as_the_one_in_memory(
    dataset: Path, straight: Path, realism: float
) -> None:
    trained = recipe(dataset)
    trained.load(state_of(straight)["recipe"])
    loaded = load_model(straight / "model.safetensors", CPU).generator
    assert isinstance(loaded, Restorer)
    shown = some_views()
    with torch.no_grad():
        expected = trained.generator()(shown, realism)
        torch.testing.assert_close(loaded(shown, realism), expected, rtol=0, atol=1e-6)
        assert not torch.allclose(expected, shown.reconcile(shown.seen), rtol=0, atol=2e-6)


def test_the_model_file_holds_both_networks_and_says_so(dataset: Path, straight: Path) -> None:
    weights = load_file(straight / "model.safetensors")
    state = state_of(straight)["recipe"]
    parts = {
        "faithful": state["faithful"]["average"],
        "sharp": state["flow"]["average"],
    }
    expected = {f"{part}.{name}": w for part, own in parts.items() for name, w in own.items()}
    assert same(weights, expected)
    card = read_card(straight / "model.safetensors")
    pairs = the_pairs(dataset)
    assert (card.preset, card.network, card.size) == ("default", TINY, 32)
    assert (card.blocks, card.sharp, card.step, card.seed) == (BLOCKS, True, 6, 0)
    assert card.flow == FlowConfig()
    assert (card.dataset, card.train_pairs, card.val_pairs) == (
        pairs.fingerprint,
        len(pairs.train),
        2,
    )
    logged = [
        line for line in read_lines(straight / "events.jsonl") if line["event"] == "Evaluated"
    ]
    assert card.scores == logged[-1]["scores"]


def test_a_model_without_a_second_stage_has_one_network(dataset: Path, run: Path) -> None:
    go(dataset, run, replace(CONFIG, sharpen=0.0, steps=2))
    weights = load_file(run / "model.safetensors")
    assert {name.split(".")[0] for name in weights} == {"faithful"}
    generator = load_model(run / "model.safetensors", CPU).generator
    assert isinstance(generator, Restorer)
    shown = some_views()
    assert torch.equal(generator(shown, 1.0), generator(shown, 0.0))


# Learning


def fixed(made: Blind, count: int = 4) -> list[list[Faces]]:
    return [made.draw(step) for step in range(count)]


def test_the_error_falls_on_a_few_faces(dataset: Path) -> None:
    made = recipe(dataset, replace(CONFIG, batch=4, sharpen=0.0))
    batches = fixed(made)
    found = [made.step(batches[step % 4], step / 400)["psnr"] for step in range(100)]
    gains = np.subtract(found[-4:], found[:4])
    assert gains.min() > 0.2
    assert gains.mean() > 0.5


def test_the_first_error_is_that_of_base(dataset: Path) -> None:
    """In dB, the mean over the faces of what each is off where it is hidden."""
    made = recipe(dataset)
    (part,) = made.draw(0)
    shown = part.views
    error = (shown.reconcile(shown.seen) - part.target).square() * shown.hidden
    each = error.sum((1, 2, 3)) / (3 * shown.hidden.sum((1, 2, 3)))
    expected = float((10 * (4 / (each + 1e-5)).log10()).mean())
    assert made.step([part], 0.0) == {"psnr": pytest.approx(expected, abs=1e-3)}


def test_the_second_stage_starts_from_the_average_and_leaves_the_first_alone(
    dataset: Path,
) -> None:
    made = recipe(dataset)
    for step in range(3):
        made.step(made.draw(step), step / 6)
    before = {
        name: value.clone() for name, value in made.faithful.learner.average.state_dict().items()
    }
    state = made.faithful.state()
    kept = {name: value.clone() for name, value in state["network"].items()}
    seen: list[dict[str, Tensor]] = []
    real = stages.Learner.update

    def note(learner: stages.Learner[Any], progress: float) -> None:
        weights = learner.network.trunk.state_dict().items()
        seen.append({n: v.detach().clone() for n, v in weights if "head" not in n})
        real(learner, progress)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages.Learner, "update", note)
        for step in range(3, 6):
            made.step(made.draw(step), step / 6)
    assert same(seen[0], {name: value for name, value in before.items() if "head" not in name})
    assert not same(seen[2], seen[0])
    assert same(dict(made.faithful.learner.average.state_dict()), before)
    assert same(dict(made.faithful.learner.network.state_dict()), kept)


def test_the_second_stage_learns_on_a_few_faces_and_changes_every_weight(dataset: Path) -> None:
    made = recipe(dataset, replace(CONFIG, batch=4))
    made.step(made.draw(0), 0.5)
    assert made.sharp is not None
    network = made.sharp.learner.network
    before = [weight.detach().clone() for weight in network.parameters()]
    batches = fixed(made, 2)
    found = [made.step(batches[step % 2], 0.5 + step / 160)["flow"] for step in range(60)]
    for (name, new), old in zip(network.named_parameters(), before, strict=True):
        assert not torch.equal(old, new), name
    assert np.mean(found[-4:]) < 0.9 * np.mean(found[:4])


def test_the_path_of_a_flow_ends_in_a_face_that_agrees_with_the_cells(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the cells are no means, and the target does not agree with them."""
    made = recipe(dataset, replace(CONFIG, batch=16))
    ends: list[Tensor] = []

    def note(predicted: Tensor, end: Tensor, *others: Tensor) -> Tensor:
        ends.append(end)
        return path_error(predicted, end, *others)

    monkeypatch.setattr(stages, "path_error", note)
    (faces,) = made.draw(400)
    made.step([faces], 0.6)
    shown, (end,) = faces.views, ends
    certain = (shown.pull.flatten() == 1) & (shown.hidden.flatten(1).amin(1) == 1)
    for image, agrees in ((end, True), (faces.target, False)):
        means = shown.means_down @ image @ shown.means_across.transpose(-1, -2)
        assert bool(((means - shown.colours)[certain].abs().max() < 1e-4) == agrees)


def test_each_stage_goes_through_its_rates_from_beginning_to_end(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = recipe(dataset, replace(CONFIG, sharpen=0.25))
    seen: list[float] = []
    monkeypatch.setattr(stages.Learner, "update", lambda _, progress: seen.append(progress))
    for progress in (0.0, 0.375, 0.75, 0.875, 0.9375):
        made.step(made.draw(0), progress)
    assert seen == [0, 0.5, 0, 0.5, 0.75]


@pytest.mark.parametrize(("progress", "caution"), [(0.2, 1.0), (0.45, 1.0), (0.9, 0.3)])
def test_both_optimisers_step_at_the_rate_of_the_moment(
    dataset: Path, progress: float, caution: float
) -> None:
    """The second stage at three tenths of the first's."""
    made = recipe(dataset)
    made.step(made.draw(0), progress)
    made.step(made.draw(1), progress)
    learner = made.sharp.learner if made.sharp else made.faithful.learner
    share = (flow_rate if made.sharp else mean_rate)(1, (progress % 0.5) / 0.5)
    rates = [one.param_groups[0]["lr"] for one in (learner.muon, learner.adam)]
    expected = [0.02 * caution * share, 0.002 * caution * share]
    assert rates == pytest.approx(expected)


def test_trained_names_every_weight_that_a_step_changes(dataset: Path) -> None:
    made = recipe(dataset)
    made.step(made.draw(0), 0.0)
    networks: list[nn.Module] = [made.faithful.learner.network]
    assert {*map(id, made.trained())} == {id(w) for n in networks for w in n.parameters()}
    made.step(made.draw(1), 0.6)
    assert made.sharp is not None
    networks += [made.sharp.learner.network]
    assert {*map(id, made.trained())} == {id(w) for n in networks for w in n.parameters()}


def test_the_average_follows_the_network_slowly(dataset: Path) -> None:
    made = recipe(dataset)
    learner = made.faithful.learner
    expected = [weight.detach().clone() for weight in learner.network.parameters()]
    for step in range(4):
        made.step(made.draw(step), 0.1)
        memory = min(0.998, (step + 1) / (step + 10))
        expected = [
            memory * old + (1 - memory) * new.detach()
            for old, new in zip(expected, learner.network.parameters(), strict=True)
        ]
    for found, wanted in zip(learner.average.parameters(), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-6)
        assert not found.requires_grad


def test_the_rate_of_the_second_stage_warms_up_stays_and_falls() -> None:
    assert [flow_rate(step, 0.1) for step in (0, 24, 49, 50, 1000)] == [0.02, 0.5, 1, 1, 1]
    assert flow_rate(1000, 0.5) == 1
    assert flow_rate(1000, 0.75) == pytest.approx(0.5)
    assert flow_rate(1000, 1.0) == 0.005
    falling = [flow_rate(1000, share / 100) for share in range(50, 101)]
    assert falling == sorted(falling, reverse=True)


def test_the_rate_of_the_first_stage_warms_up_and_falls_from_then_on() -> None:
    assert mean_rate(0, 0.0) == pytest.approx(0.02)
    assert [mean_rate(step, 0.0) for step in (180, 900, 5940)] == [0.5, 0.25, 0.1]
    assert mean_rate(180, 0.5) == 0.25
    assert mean_rate(5940, 1.0) == pytest.approx(0.0005)
    falling = [mean_rate(step, step / 2000) for step in range(49, 2001)]
    assert falling == sorted(falling, reverse=True)


@pytest.mark.parametrize("error", [1.0, 0.1, 0.003])
def test_decibels_are_those_of_eight_bits(error: float) -> None:
    expected = 20 * math.log10(255 / (error * 127.5))
    assert decibels(math.log(error**2)) == pytest.approx(expected)


# A step in parts


@pytest.mark.parametrize("progress", [0.0, 0.6])
@pytest.mark.parametrize("parts", [2, 3, 5])
def test_a_step_in_parts_is_the_same_step(dataset: Path, progress: float, parts: int) -> None:
    """Its losses and gradients, of either stage, in whatever parts the faces come."""
    found = []
    for number in (1, parts):
        made = recipe(dataset, replace(CONFIG, batch=5, parts=number))
        batch = made.draw(0)
        assert len(batch) == number
        shares = [len(part.seeds) for part in batch]
        assert (sum(shares), max(shares) - min(shares) <= 1) == (5, True)
        logged = made.step(batch, progress)
        found.append((logged, [w.grad for w in made.trained() if w.grad is not None]))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-4)
    for one, other in zip(found[0][1], found[1][1], strict=True):
        assert float((one - other).norm()) <= 1e-4 * float(one.norm()) + 1e-7


def test_a_full_memory_makes_smaller_parts_from_then_on(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a device that holds two faces; the step's result is the same."""
    roomy = recipe(dataset, replace(CONFIG, batch=8))
    events: list[Event] = []
    made = Blind(
        replace(CONFIG, batch=8), the_pairs(dataset), COMPUTE, Processes(), listen=events.append
    )
    expected = roomy.step(roomy.draw(0), 0.0)
    real = stages.FaithfulStage.gradients
    sizes: list[int] = []

    def cramped(stage: stages.FaithfulStage, faces: Faces, weight: float) -> dict[str, float]:
        if len(faces.seeds) > 2:
            raise torch.OutOfMemoryError("not enough")
        sizes.append(len(faces.seeds))
        return real(stage, faces, weight)

    monkeypatch.setattr(stages.FaithfulStage, "gradients", cramped)
    drawn_ahead = made.draw(1)
    assert made.step(made.draw(0), 0.0) == pytest.approx(expected, rel=1e-4)
    assert sizes == [2, 2, 2, 2]
    assert len(events) == 2 and all(isinstance(event, Notice) for event in events)
    for one, other in zip(made.trained(), roomy.trained(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=2e-4)
    made.step(drawn_ahead, 0.0)
    assert [len(part.seeds) for part in made.draw(2)] == [2, 2, 2, 2]


def test_a_memory_too_small_for_one_face_is_one_line(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> dict[str, float]:
        raise torch.OutOfMemoryError("not enough")

    made = recipe(dataset)
    monkeypatch.setattr(stages.FaithfulStage, "gradients", full)
    with pytest.raises(DemosaicError, match="does not hold a single face"):
        made.step(made.draw(0), 0.0)


# Other models to start from


def test_a_run_of_the_second_stage_alone_keeps_the_first(
    dataset: Path, run: Path, straight: Path
) -> None:
    config = replace(CONFIG, init=str(straight / "model.safetensors"), steps=2, sharpen=1.0)
    assert [set(one) for one in losses(go(dataset, run, config))] == [{"flow"}] * 2
    before, after = (load_file(path / "model.safetensors") for path in (straight, run))
    for name, value in before.items():
        changes = name.startswith("sharp.") and name != "sharp.spectrum"
        assert torch.equal(value, after[name]) != changes, name


def test_a_state_of_the_second_stage_that_had_a_critic_begins_that_stage_anew(
    dataset: Path, straight: Path
) -> None:
    events: list[Event] = []
    made = Blind(CONFIG, the_pairs(dataset), COMPUTE, Processes(), events.append)
    state = state_of(straight)["recipe"]
    made.load({**{name: state[name] for name in state if name != "flow"}, "sharp": {"critic": 0}})
    assert made.sharp is None
    assert same(made.faithful.state(), state["faithful"])
    said = "the second stage of an earlier version is replaced: it begins anew"
    assert events == [Notice(said)]


def test_a_second_stage_of_few_steps_says_that_they_are_too_few(dataset: Path, run: Path) -> None:
    notices = [event.text for event in go(dataset, run, CONFIG) if isinstance(event, Notice)]
    assert (
        "the second stage had 3 steps, too few to draw faces: restore with --realism 0, or train "
        "longer (500 steps or more)" in notices
    )


def test_a_run_may_start_from_another_model(dataset: Path, run: Path, straight: Path) -> None:
    config = replace(CONFIG, init=str(straight / "model.safetensors"), steps=2, sharpen=0.0)
    made = recipe(dataset, config)
    loaded = load_model(straight / "model.safetensors", CPU).generator
    assert isinstance(loaded, Restorer)
    shown = some_views()
    with torch.no_grad():
        found, expected = made.generator()(shown, 0.0), loaded(shown, 0.0)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    assert steps(go(dataset, run, config)) == [1, 2]
    before, after = (load_file(path / "model.safetensors") for path in (straight, run))
    assert not same(before["faithful.stem.weight"], after["faithful.stem.weight"])


def test_training_starts_from_the_model_in_the_box_unless_another_network_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, straight: Path
) -> None:
    monkeypatch.setattr(box, "BOX", straight / "model.safetensors")  # of size S

    def start(config: TrainConfig, **begun: Any) -> str:
        return Blind.with_begun_options(config, begun).init

    assert start(TrainConfig()) == "box"
    assert start(TrainConfig(network="S")) == "box"
    assert start(TrainConfig(network="M")) == "none"
    assert start(TrainConfig(init="none")) == "none"
    assert start(TrainConfig(init="mine")) == "mine"
    assert start(TrainConfig(), init="box") == "box"
    assert start(TrainConfig(network="M"), init="box") == "box"  # refused later, by its name
    assert start(TrainConfig(), init="none") == "none"


def test_a_run_from_the_box_has_its_network_and_weights(
    dataset: Path, run: Path, straight: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box, "BOX", straight / "model.safetensors")
    monkeypatch.setitem(networks.NETWORKS, "S", replace(TINY, widths=(16, 8)))
    config = replace(CONFIG, init="box", network="auto")
    assert same(recipe(dataset, config).faithful.learner.network.state_dict(), weights_of(straight))
    events = go(dataset, run, config)
    assert read_card(run / "model.safetensors").network == TINY
    said = [event.text for event in events if isinstance(event, Notice)]
    assert (
        "starting from the model in the box: 0.0 million parameters, for cells of 4 to 32 px"
        in said
    )


def test_a_model_of_an_album_keeps_half_of_the_model_it_starts_from(
    dataset: Path, run: Path, straight: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(album, "FEWEST", 1)
    config = replace(CONFIG, init=str(straight / "model.safetensors"), album=True, sharpen=0.0)
    events = go(dataset, run, config)
    card, before, made = read_card(run / "model.safetensors"), weights_of(straight), weights_of(run)
    assert card.album
    assert "contains how they look" in (run / "MODEL.md").read_text()
    learnt = state_of(run)["recipe"]["faithful"]["average"]
    for name, value in made.items():
        torch.testing.assert_close(value, (before[name] + learnt[name]) / 2)
    said = [event.text for event in events if isinstance(event, Notice)]
    assert album.WARNING in said


def weights_of(run: Path) -> dict[str, torch.Tensor]:
    """The first stage's weights in a run's model, by name."""
    weights = load_file(run / "model.safetensors")
    first = "faithful."
    return {name[len(first) :]: weights[name] for name in weights if name.startswith(first)}


def test_a_model_to_start_from_that_is_not_there_is_named(
    dataset: Path, run: Path, tmp_path: Path
) -> None:
    config = replace(CONFIG, init=str(tmp_path / "no [1].safetensors"))
    with pytest.raises(DemosaicError, match="there is no model file") as caught:
        go(dataset, run, config)
    assert "no [1].safetensors" in str(caught.value)


# Other data


def test_any_side_by_side_folder_trains_on_its_targets(run: Path, tmp_path: Path) -> None:
    folder = side_by_side(tmp_path / "facades", side=40)
    events = go(folder, run, replace(CONFIG, steps=2))
    card = read_card(run / "model.safetensors")
    assert (card.blocks, card.size, card.train_pairs, card.val_pairs) == (BLOCKS, 32, 3, 2)
    said = " ".join(event.text for event in events if isinstance(event, Notice))
    assert "mosaics are drawn over the right halves" in said
    assert "--preset seed" in said


def test_turned_round_the_left_halves_are_learnt_from_and_it_is_said(
    run: Path, tmp_path: Path
) -> None:
    folder = side_by_side(tmp_path / "facades", side=32)
    events = go(folder, run, replace(CONFIG, steps=1, direction="right-to-left"))
    left = read_image(open_pairs(folder, direction="right-to-left", multiple=32).val[0])[:, :32]
    assert np.array_equal(read_image(run / "samples" / "step-000001.png")[30:62, 66:98], left)
    said = " ".join(event.text for event in events if isinstance(event, Notice))
    assert "drawn over the right halves" not in said


def test_a_single_pair_trains_and_warns(run: Path, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    write_png(tmp_path / "one" / "only.png", np.hstack([wave(0, 32), wave(1, 32)]))
    events = go(tmp_path / "one", run, replace(CONFIG, steps=2))
    assert any(isinstance(event, Notice) and "only one pair" in event.text for event in events)


def test_the_trial_computes_something_to_compare(dataset: Path) -> None:
    work = beginning.trial(CONFIG, the_pairs(dataset).size)
    first, again = work(COMPUTE), work(COMPUTE)
    assert torch.equal(first, again)
    assert first.isfinite().all() and float(first.norm()) > 0
