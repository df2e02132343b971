"""The loop that turns pairs into a model, whatever the recipe."""

import math
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Annotated, Any

import torch

from demosaic.config.compute import DeviceConfig
from demosaic.config.training import SeedConfig, TrainConfig
from demosaic.dataset.reader import Pairs, open_pairs
from demosaic.errors import USAGE, DemosaicError, Interrupted, exit_code_of
from demosaic.evaluation.baselines import as_record
from demosaic.evaluation.events import Scores
from demosaic.events import Listener, Notice, ignore, tee
from demosaic.files import write_with
from demosaic.imaging.encoding import write_png
from demosaic.locks import written_alone
from demosaic.models.card import ModelCard, write_card
from demosaic.models.checkpoint import load_state, read_card, save_model, save_state
from demosaic.models.compute import Compute, choose, choose_threads, settle_threads
from demosaic.records import between, read
from demosaic.text import counted
from demosaic.training.blind import Blind
from demosaic.training.distributed import Processes, processes
from demosaic.training.events import (
    LATEST,
    Evaluated,
    ModelSaved,
    SheetSaved,
    StepDone,
    TrainingStarted,
    TrainReport,
)
from demosaic.training.interrupt import stop_requests
from demosaic.training.pix2pix import Pix2Pix
from demosaic.training.prefetch import draw_ahead
from demosaic.training.progress import write_progress
from demosaic.training.recipe import Recipe
from demosaic.training.run_folder import begin_run, begun_options, default_run, log
from demosaic.training.samples import Row, samples_sheet
from demosaic.training.schedule import due

_FORMAT = 2
"""The number of a saved state's format; no other can be continued."""

_RECIPES: dict[str, type[Recipe[Any]]] = {TrainConfig.preset: Blind, SeedConfig.preset: Pix2Pix}


THREADS_FOR = 1800.0  # seconds of steps, after which the number of CPU threads is chosen anew

_EARLIER = "earlier.safetensors"
"""The model that a run goes on from when it gets a larger budget after it was finished."""

_FROM_THE_START = "delete it to train from the start"


@dataclass(frozen=True)
class Best:
    """The best validation so far."""

    step: int = 0
    merit: float = -math.inf


@dataclass(frozen=True)
class Leg:
    """The part of a run that its learning rates belong to: all of it, unless it was finished and
    then given a larger budget.
    """

    step: int = 0
    """After which it began."""
    seconds: float = 0.0
    amount: float = 0.0
    """The budget of the run with which it began, in steps or minutes."""


@dataclass(frozen=True)
class Place:
    """How far a run has come."""

    step: int = 0
    seconds: float = 0.0
    """That its steps and validations took."""
    reserve: float = 0.0
    """Seconds kept back for the last validation, which scores more."""
    best: Best = Best()
    leg: Leg = Leg()

    @classmethod
    def of(cls, state: dict[str, Any] | None, amount: float) -> "Place":
        """The place of a saved state; the start of a run with a budget of `amount` without one."""
        if state is None:
            return cls(leg=Leg(amount=amount))
        # Before 0.3 there was one leg, and no reserve
        leg = Leg(**state["leg"]) if "leg" in state else Leg(amount=amount)
        best, reserve = Best(**state["best"]), state.get("reserve", 0.0)
        return cls(state["step"], state["seconds"], reserve, best, leg)

    def progress(self, config: TrainConfig | SeedConfig) -> float:
        """The share of the leg's budget that is used up, 0..1 or a little more."""
        used = config.progress(self.step, self.seconds, self.reserve)
        before = config.progress(self.leg.step, self.leg.seconds, self.reserve)
        return (used - before) / (1 - before) if before < 1 else 1.0


def train(
    pairs: str | PathLike[str],
    run: str | PathLike[str] | None = None,
    config: TrainConfig | SeedConfig = TrainConfig(),
    *,
    devices: DeviceConfig = DeviceConfig(),
    listen: Listener = ignore,
) -> TrainReport:
    """Train on the pairs in a folder into the run folder `run`, or continue the run that is there.
    Without a name the run lies in `runs/`, as `default_run` says. When torchrun started several
    processes, this is one of them.

    Raises DemosaicError when the pairs cannot be used, when the run was started with other options
    or pairs, when another process writes to it, or when the losses are no longer finite;
    Interrupted after Ctrl-C, when everything is saved.
    """
    with processes() as group:
        kind = _RECIPES[config.preset]
        _refuse_too_many(kind, config, group)
        folder = default_run(Path(pairs), config.preset) if run is None else Path(run)
        opened = open_pairs(Path(pairs), direction=config.direction, multiple=config.multiple)
        with written_alone(folder) if group.is_first else nullcontext():
            return _train(kind, opened, folder, config, devices, group, listen)


def _train(
    kind: type[Recipe[Any]],
    pairs: Pairs,
    run: Path,
    config: TrainConfig | SeedConfig,
    devices: DeviceConfig,
    group: Processes,
    listen: Listener,
) -> TrainReport:
    begun = begun_options(run)
    config = kind.with_begun_options(config, begun)
    if group.is_first:
        begin_run(run, config, pairs, kind.may_grow)
    else:
        listen = ignore
    group.wait_for_first()  # it makes the folder
    state = _saved_state(run / "resume.pt")
    place = Place.of(state, begun.get("steps") or begun.get("minutes") or config.amount)
    if state and config.amount > place.leg.amount:
        place, anew = _with_more(kind, run, place, config, state, group)
    else:
        anew = False
    over = bool(state and not anew and state["recipe"].get("over"))
    progress = place.progress(config)
    if progress >= 1 or over:
        done = f"{run} is finished: {counted(place.step, 'step')} done"
        more = "--steps" if config.steps else "--minutes"
        listen(Notice(done if over else f"{done}; a larger {more} goes on"))
        return _reported(run, place, listen)
    if group.is_first:
        listen = tee(listen, log(run, place.step))
    if state:
        config = kind.with_begun_network(config, state["recipe"])
    if place.leg.step:
        config = kind.going_on_from(config, run / _EARLIER)
    compute, why = _chosen(kind, config, pairs, devices, state)
    compute = replace(compute, bf16=group.broadcast_flag(compute.bf16))
    recipe = kind.begin(config, pairs, compute, group, listen)
    recipe.begun = place.leg.step
    for sentence in (*_about(pairs, config), *recipe.about(), why):
        listen(Notice(sentence))
    if state and not anew:
        _load(recipe, state, run)
    elif group.is_first and not anew:
        listen(Evaluated(0, recipe.baselines(), best=False))
    course = _Course(run, config, pairs, recipe, compute, group, listen, devices, [place.seconds])
    if anew:
        course.save(place)
    if group.is_first and not state:
        course.write_page(place)
    listen(TrainingStarted(place.step, progress, config.budget, str(run)))
    return _reported(run, _learn(course, place), listen)


@dataclass(frozen=True)
class _Course:
    """What stays the same from the first step of a run to the last."""

    run: Path
    config: TrainConfig | SeedConfig
    pairs: Pairs
    recipe: Recipe[Any]
    compute: Compute
    group: Processes
    listen: Listener
    devices: DeviceConfig
    chosen_at: list[float]
    """When the number of CPU threads was chosen, in seconds of the run's steps."""

    def progress(self, place: Place) -> float:
        """The share of the budget that is used up, 0..1."""
        return place.progress(self.config)

    def drawing(self, first: int) -> AbstractContextManager[Callable[[int], Any]]:
        """How batches are drawn from step `first` on: ahead on a GPU, in turn on a CPU.

        On a CPU, drawing ahead takes a core from the step, and the step's other threads wait for
        it.
        """
        if self.compute.device.type == "cpu":
            return nullcontext(self.recipe.draw)
        return draw_ahead(self.recipe.draw, first)

    def step(self, place: Place, draw: Callable[[int], Any]) -> Place:
        """Take one step; the place after it. Raises DemosaicError for losses that are not
        finite.
        """
        start = time.perf_counter()
        # A validation may have taken all the time that was left: one more step ends the run
        losses = self.recipe.step(draw(place.step), min(1.0, self.progress(place)))
        took = time.perf_counter() - start
        seconds = self.group.broadcast(place.seconds + took)
        after = replace(place, step=place.step + 1, seconds=seconds)
        self._refuse_infinite_losses(losses, after.step)
        self.listen(StepDone(after.step, took, losses, self.progress(after)))
        return after

    def validate(self, place: Place) -> Place:
        """Score the networks and keep them as a model, in the first process; every process then
        knows whether the run is over. The place with the best validation and the time it took.
        """
        start = time.perf_counter()
        if self.group.is_first:
            place = replace(place, best=self._validate(place))
        self.recipe.over = self.group.broadcast_flag(self.recipe.over)
        took = self.group.broadcast(time.perf_counter() - start)
        is_last = self.recipe.over or self.progress(place) >= 1
        reserve = place.reserve if is_last else took * self.recipe.last_validation_takes()
        return replace(place, seconds=place.seconds + took, reserve=reserve)

    def _validate(self, place: Place) -> Best:
        found = self.recipe.validate(self.progress(place))
        if found.failure:
            self.listen(Notice(found.failure))
            self.recipe.end_early()
            found = self.recipe.validate(1.0)
        better = found.merit >= place.best.merit
        self.listen(Evaluated(place.step, found.scores, best=better))
        self._keep(place, found.scores, better)
        return Best(place.step, found.merit) if better else place.best

    def _keep(self, place: Place, scores: dict[str, Scores], better: bool) -> None:
        """Write the model, the best one too if this is `better`, the card and the samples."""
        step, card = place.step, self._card(place, scores)
        for name in ("model", "best") if better else ("model",):
            save_model(self.run / f"{name}.safetensors", self.recipe.generator(), card)
            self.listen(ModelSaved(str(self.run / f"{name}.safetensors"), step))
        write_card(self.run / "MODEL.md", card)
        self._show(place)

    def _show(self, place: Place) -> None:
        """Write what to look at: the sheet of samples, a copy of it with a name that stays the
        same, and the page.
        """
        rows = self.recipe.samples()
        sheet = samples_sheet(rows, self.pairs.size)
        named = self.run / "samples" / f"step-{place.step:06d}.png"
        for path in (named, self.run / LATEST):
            write_png(path, sheet)
            self.listen(SheetSaved(str(path), place.step))
        self.write_page(place, rows)

    def write_page(self, place: Place, rows: Sequence[Row] = ()) -> None:
        """Write the page that shows how far the run has come."""
        done = min(1.0, self.progress(place))
        write_progress(self.run, place.step, 1.0 if self.recipe.over else done, self.config, rows)

    def _card(self, place: Place, scores: dict[str, Scores]) -> ModelCard:
        pairs, config = self.pairs, self.config
        return ModelCard(
            preset=config.preset,
            size=pairs.size,
            step=place.step,
            minutes=round(place.seconds / 60, 1) if config.steps is None else None,
            seed=config.seed,
            dataset=pairs.fingerprint,
            train_pairs=len(pairs.train[: config.limit]),
            val_pairs=len(pairs.val[: config.validation_pairs]),
            scores=as_record(scores),
            **self.recipe.card(),
        )

    def save(self, place: Place) -> None:
        """Keep all that the run needs to continue as if it had never stopped; only the first
        process writes.
        """
        if not self.group.is_first:
            return
        state = {
            **asdict(place),
            "format": _FORMAT,
            "bf16": self.compute.bf16,
            "threads": torch.get_num_threads(),
            "recipe": self.recipe.state(),
        }
        save_state(self.run / "resume.pt", state)

    def choose_threads(self, place: Place) -> None:
        """Choose the number of CPU threads anew once in a while, unless the user chose: a run that
        began beside others may have the machine for itself by now.
        """
        if self.devices.threads or self.compute.device.type != "cpu":
            return
        if place.seconds - self.chosen_at[-1] >= THREADS_FOR:
            choose_threads(self.compute, type(self.recipe).trial(self.config, self.pairs))
            self.chosen_at.append(place.seconds)

    def _refuse_infinite_losses(self, losses: dict[str, float], step: int) -> None:
        if not all(map(math.isfinite, losses.values())):
            raise self._not_finite("losses", step)

    def refuse_infinite_weights(self, step: int) -> None:
        """Raise DemosaicError for weights that are not finite, before they are kept: a step's
        losses are computed before its update, and do not show what the update made.
        """
        if not all(bool(torch.isfinite(weight).all()) for weight in self.recipe.trained()):
            raise self._not_finite("weights", step)

    def _not_finite(self, what: str, step: int) -> DemosaicError:
        return DemosaicError(
            f"the {what} are no longer finite at step {step}; {self.run} keeps the last good "
            "state: continue from it with --precision fp32, or start another --name with a lower "
            "--lr"
        )


def _learn(course: _Course, place: Place) -> Place:
    """Train from a place in the run to its end. Raises Interrupted after Ctrl-C."""
    recipe = course.recipe
    with stop_requests() as stop_requested, course.drawing(place.step) as draw:
        finished = course.progress(place) >= 1
        while not finished:
            before = course.progress(place)
            place = course.step(place, draw)
            now = due(course.config, place.step, before, course.progress(place))
            if now.validation:
                course.refuse_infinite_weights(place.step)
                place = course.validate(place)
            finished = now.last or recipe.over
            stop = round(course.group.broadcast(stop_requested()))
            if now.saving or finished or stop:
                if not now.validation:
                    course.refuse_infinite_weights(place.step)
                course.save(place)
                if not finished and not stop:
                    course.choose_threads(place)
            if stop and not finished:
                raise Interrupted(
                    f"stopped at step {place.step}, {course.progress(place):.0%} of the budget, "
                    f"saved in {course.run}: run the same command to continue",
                    exit_code_of(stop),
                )
    return place


@dataclass(frozen=True)
class _Saved:
    """What a saved state has, whatever the recipe; a stranger may have made it."""

    step: Annotated[int, between(0, 10**12)]
    seconds: Annotated[float, between(0, 10**12)]
    best: Mapping[str, Any]
    bf16: bool
    threads: Annotated[int, between(1, 1024)]
    recipe: Mapping[str, Any]
    reserve: Annotated[float, between(0, 10**12)] = 0.0
    leg: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class _SavedLeg:
    """What a saved leg has."""

    step: Annotated[int, between(0, 10**12)]
    seconds: Annotated[float, between(0, 10**12)]
    amount: Annotated[float, between(0, 10**12)]


def _with_more(
    kind: type[Recipe[Any]],
    run: Path,
    place: Place,
    config: TrainConfig | SeedConfig,
    state: dict[str, Any],
    group: Processes,
) -> tuple[Place, bool]:
    """The place of a run that gets a larger budget, and whether a new leg begins there, from the
    model that the run has made. Raises DemosaicError when there is none yet.
    """
    if not kind.begins_anew(state["recipe"]):
        return replace(place, leg=replace(place.leg, amount=config.amount)), False
    best = run / "best.safetensors"
    if not best.is_file():
        raise DemosaicError(f"{run} has no model yet: finish it with {place.leg.amount:g} first")
    if group.is_first:
        write_with(run / _EARLIER, lambda part: shutil.copyfile(best, part))
    group.wait_for_first()
    return replace(place, leg=Leg(place.step, place.seconds, config.amount)), True


def _saved_state(path: Path) -> dict[str, Any] | None:
    """The state of a run to continue; None for a new run. Raises DemosaicError when it is
    damaged.
    """
    if not path.exists():
        return None
    state = load_state(path)
    saved = read(_Saved, state, str(path), others=True, advice=_FROM_THE_START)
    best = saved.best
    if saved.leg is not None:
        read(_SavedLeg, saved.leg, f"leg in {path}", advice=_FROM_THE_START)
    if {name: type(value) for name, value in best.items()} != {"step": int, "merit": float}:
        raise DemosaicError(f"{path} is damaged (best: {best}): {_FROM_THE_START}")
    return state


def _refuse_too_many(
    kind: type[Recipe[Any]], config: TrainConfig | SeedConfig, group: Processes
) -> None:
    if group.size > 1 and not kind.several_processes:
        raise DemosaicError(
            f"--preset {config.preset} trains in one process, as the article did", USAGE
        )
    if config.batch < group.size:
        raise DemosaicError(
            f"--batch {config.batch}: choose {group.size} or more, a face for each process", USAGE
        )


def _load(recipe: Recipe[Any], state: dict[str, Any], run: Path) -> None:
    """Load the saved state. Raises DemosaicError when another version of the recipe saved it."""
    try:
        if state["format"] != _FORMAT:  # the weights may fit, but are computed with differently
            raise ValueError(f"format {state['format']}")
        recipe.load(state["recipe"])
    except (KeyError, RuntimeError, ValueError) as error:
        raise DemosaicError(
            f"{run / 'resume.pt'} was saved by a version of demosaic with another network or "
            "optimiser: choose another --name to train from the start"
        ) from error


def _chosen(
    kind: type[Recipe[Any]],
    config: TrainConfig | SeedConfig,
    pairs: Pairs,
    devices: DeviceConfig,
    state: dict[str, Any] | None,
) -> tuple[Compute, str]:
    """What to compute with, and why; a run that continues keeps its precision and threads."""
    settle_threads(devices, state["threads"] if state else None)
    return choose(devices, kind.trial(config, pairs), bool(state["bf16"]) if state else None)


def _reported(run: Path, place: Place, listen: Listener) -> TrainReport:
    """What the run made; it is the last event too."""
    best = run / "best.safetensors"
    card = read_card(best)
    usual = card.scores.get("block 16, restored")
    report = TrainReport(
        run=str(run),
        model=str(run / "model.safetensors"),
        step=place.step,
        best=str(best),
        best_step=place.best.step,
        undoes_mosaics=card.undoes_mosaics,
        psnr=round(usual["psnr"], 2) if usual else None,
    )
    listen(report)
    return report


def _about(pairs: Pairs, config: TrainConfig | SeedConfig) -> Iterator[str]:
    """What a user should know about the data before the first step, in sentences."""
    train, val = pairs.train[: config.limit], pairs.val[: config.validation_pairs]
    yield f"{len(train)} training pairs of {pairs.size} px, {len(val)} validation pairs"
    if pairs.left_out:
        first = pairs.left_out[0].relative_to(pairs.folder)
        yield f"{len(pairs.left_out)} files are no pictures: {first}"
    if not set(val).isdisjoint(train):
        yield "there is only one pair: its scores say nothing about other pictures"
