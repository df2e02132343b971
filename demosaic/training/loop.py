"""The loop that turns pairs into a model, whatever the recipe."""

import math
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from demosaic.config.compute import DeviceConfig
from demosaic.config.training import SeedConfig, TrainConfig
from demosaic.dataset.reader import Pairs, open_pairs
from demosaic.errors import USAGE, DemosaicError, Interrupted
from demosaic.evaluation.baselines import as_record
from demosaic.evaluation.events import Scores
from demosaic.events import Listener, Notice, ignore, tee
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.encoding import write_png
from demosaic.models.card import FORMAT, ModelCard, write_card
from demosaic.models.checkpoint import load_state, save_model, save_state
from demosaic.models.compute import Compute, choose, settle_threads
from demosaic.text import counted
from demosaic.training import blind, pix2pix
from demosaic.training.distributed import Team, team
from demosaic.training.events import (
    Evaluated,
    ModelSaved,
    SheetSaved,
    StepDone,
    TrainingStarted,
    TrainReport,
)
from demosaic.training.interrupt import Batch, drawn_ahead, stopping
from demosaic.training.run_folder import begin_run, default_run, log, validating_as_begun


class Recipe(Protocol[Batch]):
    """What is trained and how; `pix2pix` and `blind` are the two there are."""

    over: bool
    """Whether nothing is left to do, though some of the budget is; known after a validation."""

    def about(self) -> Iterator[str]:
        """What a user should know before the first step."""

    def draw(self, step: int) -> Batch:
        """What a step learns from, the same whatever came before; in a thread of its own, maybe."""

    def step(self, batch: Batch, progress: float) -> dict[str, float]:
        """One step, when `progress` of the budget is used up; its losses by name."""

    def baselines(self) -> dict[str, Scores]:
        """The scores of what needs no learning."""

    def validate(self, progress: float) -> tuple[dict[str, Scores], float]:
        """The scores of what was learnt, and its merit: the model with most is the best."""

    def card(self) -> dict[str, Any]:
        """What a ModelCard says that only the recipe knows."""

    def generator(self) -> nn.Module:
        """What a model file holds."""

    def trained(self) -> Iterable[Tensor]:
        """All weights that a step changes."""

    def sheet(self) -> Pixels:
        """Samples to look at, always of the same validation pairs."""

    def state(self) -> dict[str, Any]:
        """All that a step changes, as `load` takes it."""

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""


@dataclass(frozen=True)
class Best:
    """The best validation so far."""

    step: int = 0
    merit: float = -math.inf


@dataclass(frozen=True)
class Place:
    """How far a run has come."""

    step: int = 0
    seconds: float = 0.0
    """That its steps took."""
    best: Best = Best()

    @classmethod
    def of(cls, state: dict[str, Any] | None) -> "Place":
        """Where a saved state goes on; the start without one."""
        if state is None:
            return cls()
        return cls(state["step"], state["seconds"], Best(**state["best"]))


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
    or pairs, or when the losses stop being numbers; Interrupted after Ctrl-C, with everything
    saved.
    """
    with team() as mates:
        _refuse_crowd(config, mates)
        folder = default_run(Path(pairs), config.preset) if run is None else Path(run)
        return _train(Path(pairs), folder, config, devices, mates, listen)


def _train(
    folder: Path,
    run: Path,
    config: TrainConfig | SeedConfig,
    devices: DeviceConfig,
    mates: Team,
    listen: Listener,
) -> TrainReport:
    pairs = open_pairs(folder, direction=config.direction, multiple=config.multiple)
    config = validating_as_begun(config, run)
    if mates.leads:
        begin_run(run, config, pairs)
    else:
        listen = ignore
    mates.follow(0.0)  # the folder is there before the others look
    state = load_state(run / "resume.pt") if (run / "resume.pt").exists() else None
    place = Place.of(state)
    progress = config.progress(place.step, place.seconds)
    if progress >= 1 or (state and state["recipe"].get("over")):
        listen(Notice(f"{run} is finished: {counted(place.step, 'step')} done"))
        return _reported(run, place, listen)
    if mates.leads:
        listen = tee(listen, log(run, place.step))
    config = _as_begun(config, state)
    compute, why = _chosen(config, pairs, devices, state)
    compute = replace(compute, bf16=bool(*mates.follow(compute.bf16)))
    recipe = _recipe(config, pairs, compute, mates, listen)
    for sentence in (*_about(pairs, config), *recipe.about(), why):
        listen(Notice(sentence))
    if state:
        _go_on(recipe, state, run)
    elif mates.leads:
        listen(Evaluated(0, recipe.baselines(), best=False))
    listen(TrainingStarted(place.step, progress, config.budget))
    done = _learn(_Course(run, config, pairs, recipe, compute, listen), place, mates)
    return _reported(run, done, listen)


@dataclass(frozen=True)
class _Course:
    """What stays the same from the first step of a run to the last."""

    run: Path
    config: TrainConfig | SeedConfig
    pairs: Pairs
    recipe: Recipe[Any]
    compute: Compute
    listen: Listener

    def validate(self, step: int, progress: float, best: Best) -> Best:
        """Score what was learnt and keep it as a model; the best validation then."""
        scores, merit = self.recipe.validate(progress)
        card = self._card(step, scores)
        better = merit >= best.merit
        self.listen(Evaluated(step, scores, best=better))
        for name in ("model", "best") if better else ("model",):
            save_model(self.run / f"{name}.safetensors", self.recipe.generator(), card)
            self.listen(ModelSaved(str(self.run / f"{name}.safetensors"), step))
        write_card(self.run / "MODEL.md", card)
        sheet = self.run / "samples" / f"step-{step:06d}.png"
        write_png(sheet, self.recipe.sheet())
        self.listen(SheetSaved(str(sheet), step))
        return Best(step, merit) if better else best

    def _card(self, step: int, scores: dict[str, Scores]) -> ModelCard:
        pairs, config = self.pairs, self.config
        return ModelCard(
            preset=config.preset,
            size=pairs.size,
            step=step,
            seed=config.seed,
            dataset=pairs.fingerprint,
            train_pairs=len(pairs.train[: config.limit]),
            val_pairs=len(pairs.val[: config.validation_pairs]),
            scores=as_record(scores),
            **self.recipe.card(),
        )

    def save(self, place: Place) -> None:
        """Keep all that the run needs to go on as if it had never stopped."""
        state = {
            **asdict(place),
            "format": FORMAT,
            "bf16": self.compute.bf16,
            "threads": torch.get_num_threads(),
            "recipe": self.recipe.state(),
        }
        save_state(self.run / "resume.pt", state)


def _learn(course: _Course, place: Place, mates: Team) -> Place:
    """The loop: from a place in the run to its end. Raises Interrupted after Ctrl-C."""
    config, recipe, run = course.config, course.recipe, course.run
    step, seconds, best = place.step, place.seconds, place.best
    # On a CPU, drawing meanwhile takes a core from the step, whose other threads then wait for that
    # one: with two cores a step of S took 290 ms, and 255 with the drawing before it
    alone = course.compute.device.type == "cpu"
    drawing = nullcontext(recipe.draw) if alone else drawn_ahead(recipe.draw, step)
    with stopping() as stopped, drawing as draw:
        while not recipe.over and (before := config.progress(step, seconds)) < 1:
            start = time.perf_counter()
            losses = recipe.step(draw(step), before)
            step += 1
            took = time.perf_counter() - start
            (seconds,) = mates.follow(seconds + took)
            progress = config.progress(step, seconds)
            _refuse_nan(losses, step, run)
            course.listen(StepDone(step, took, losses, progress))
            last = progress >= 1
            validating = last or config.validates(step, before, progress)
            if validating:
                _refuse_nan_weights(recipe, step, run)
                best = course.validate(step, progress, best) if mates.leads else best
                recipe.over = bool(*mates.follow(recipe.over))
            stop = bool(*mates.follow(stopped()))
            saving = last or recipe.over or stop or step % config.save_every == 0
            if saving and not validating:
                _refuse_nan_weights(recipe, step, run)
            if saving and mates.leads:
                course.save(Place(step, seconds, best))
            if stop and not last and not recipe.over:
                raise Interrupted(
                    f"stopped at step {step}, {progress:.0%} of the budget, saved in {run}: "
                    "the same command goes on"
                )
    return Place(step, seconds, best)


def _refuse_crowd(config: TrainConfig | SeedConfig, mates: Team) -> None:
    if isinstance(config, SeedConfig) and mates.size > 1:
        raise DemosaicError("--preset seed trains in one process, as the article did", USAGE)
    if config.batch < mates.size:
        raise DemosaicError(
            f"--batch {config.batch}: choose {mates.size} or more, a face for each process", USAGE
        )


def _recipe(
    config: TrainConfig | SeedConfig,
    pairs: Pairs,
    compute: Compute,
    mates: Team,
    listen: Listener,
) -> Recipe[Any]:
    if isinstance(config, SeedConfig):
        return pix2pix.Pix2Pix(config, pairs, compute)
    return blind.Blind(config, pairs, compute, mates, listen)


def _go_on(recipe: Recipe[Any], state: dict[str, Any], run: Path) -> None:
    """Load the saved state. Raises DemosaicError where it is of a recipe that was another."""
    try:
        if state["format"] != FORMAT:  # weights may fit what computes otherwise with them
            raise ValueError(f"format {state['format']}")
        recipe.load(state["recipe"])
    except (KeyError, RuntimeError, ValueError) as error:
        raise DemosaicError(
            f"{run / 'resume.pt'} is of another version of demosaic, whose network or optimiser "
            "was another: choose another --name to train from the start"
        ) from error


def _as_begun(
    config: TrainConfig | SeedConfig, state: dict[str, Any] | None
) -> TrainConfig | SeedConfig:
    """The config with the network that the run began with, should it go on on another device."""
    if state is None or isinstance(config, SeedConfig):
        return config
    return replace(config, network=state["recipe"]["network"])


def _chosen(
    config: TrainConfig | SeedConfig,
    pairs: Pairs,
    devices: DeviceConfig,
    state: dict[str, Any] | None,
) -> tuple[Compute, str]:
    """What to compute with, and why: a run that goes on keeps its precision and threads."""
    settle_threads(devices, state["threads"] if state else None)
    if isinstance(config, SeedConfig):
        work = pix2pix.trial(config, pairs)
    else:
        work = blind.trial(config, pairs.size)
    return choose(devices, work, bool(state["bf16"]) if state else None)


def _reported(run: Path, place: Place, listen: Listener) -> TrainReport:
    """What the run made; it is the last event too."""
    report = TrainReport(
        run=str(run),
        model=str(run / "model.safetensors"),
        step=place.step,
        best=str(run / "best.safetensors"),
        best_step=place.best.step,
    )
    listen(report)
    return report


def _about(pairs: Pairs, config: TrainConfig | SeedConfig) -> Iterator[str]:
    """What a user should know of the data before the first step."""
    train, val = pairs.train[: config.limit], pairs.val[: config.validation_pairs]
    yield f"{len(train)} training pairs of {pairs.size} px, {len(val)} validation pairs"
    if pairs.left_out:
        yield f"{len(pairs.left_out)} files are no pictures: {pairs.left_out[0]}"
    if not set(val).isdisjoint(train):
        yield "there is only one pair: its scores say nothing about other pictures"


def _refuse_nan(losses: dict[str, float], step: int, run: Path) -> None:
    if not all(map(math.isfinite, losses.values())):
        raise _not_numbers("losses", step, run)


def _refuse_nan_weights(recipe: Recipe[Any], step: int, run: Path) -> None:
    """A step's losses are older than its update: look at what the update made before it is kept."""
    if not all(bool(torch.isfinite(weight).all()) for weight in recipe.trained()):
        raise _not_numbers("weights", step, run)


def _not_numbers(what: str, step: int, run: Path) -> DemosaicError:
    return DemosaicError(
        f"the {what} are no numbers any more at step {step}; {run} keeps the last good state: "
        "go on from it with --precision fp32, or start another --name with a lower --lr"
    )
