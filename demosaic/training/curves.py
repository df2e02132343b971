"""What a training left in its run folder, read back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demosaic.errors import DemosaicError
from demosaic.files import numbered_lines, real_path, refuse_links_out, without_user
from demosaic.records import read
from demosaic.reporting.plots import Points
from demosaic.training.run_folder import pairs_of_run

_POINTS = 20  # of a smoothed curve
_VALIDATED = (
    "block 16, restored",
    "block 16, draw",
    "block 16, sharp",
    "reconciled",
)  # of both recipes


def best_model(run: Path) -> Path:
    """The best model of a run folder, or the model file itself. Raises DemosaicError when there is
    neither.
    """
    model = run / "best.safetensors" if run.is_dir() else run
    if not model.is_file():
        raise DemosaicError(f"{run} is neither a run with a model nor a model: see runs/")
    return model


def names_of(runs: Sequence[Path]) -> list[str]:
    """A name for each run: its folder's name, or its path when two folders have the same name or
    the name of a baseline. Raises DemosaicError for a run that is given twice.
    """
    short = [real_path(run).name for run in runs]
    plain = len({*short}) == len(short) and not {"mosaic", "bicubic", "base"} & {*short}
    names = short if plain else [without_user(run) for run in runs]
    if len({*names}) < len(names):  # in other places, such as a/x and b/x
        names = [str(run) for run in runs]
    if len({*names}) < len(names):
        raise DemosaicError("a run is named twice: name each once")
    return names


def pairs_of(run: Path) -> Path:
    """The pairs that a run was trained on. Raises DemosaicError when that is not known."""
    pairs = pairs_of_run(run)
    if pairs is None:
        raise DemosaicError(
            f"{run} does not say where the pairs are that it was trained on: give them with --pairs"
        )
    return pairs


@dataclass(frozen=True)
class _Line:
    """What every line of events.jsonl has."""

    event: str


@dataclass(frozen=True)
class _Step:
    """What is read here of a step."""

    step: int
    losses: Mapping[str, float]


@dataclass(frozen=True)
class _Score:
    psnr: float


@dataclass(frozen=True)
class _Validation:
    """What is read here of a validation."""

    step: int
    scores: Mapping[str, _Score]


def training_curves(run: Path) -> dict[str, Points]:
    """The losses of a run, smoothed, and its PSNR at validation, by name; empty without a log.

    Raises DemosaicError when a line of the log is damaged.
    """
    log = run / "events.jsonl"
    refuse_links_out(run, [log.name])
    losses: dict[str, list[tuple[float, float]]] = {}
    scores: dict[str, list[tuple[float, float]]] = {}
    for number, value in numbered_lines(log):
        where = f"{log}, line {number}"
        event = read(_Line, value, where, others=True).event
        if event == "StepDone":
            step = read(_Step, value, where, others=True)
            for name, loss in step.losses.items():
                losses.setdefault(f"{name} in training", []).append((step.step, loss))
        elif event == "Evaluated":
            found = read(_Validation, value, where, others=True)
            for name in (one for one in _VALIDATED if one in found.scores):
                point = (found.step, found.scores[name].psnr)
                scores.setdefault(f"PSNR at validation, {name}", []).append(point)
    return {**{name: smoothed(points) for name, points in losses.items()}, **scores}


def smoothed(points: Points) -> Points:
    """At most twenty points (step, value): the means of as many parts of the curve."""
    stretches = np.array_split(np.asarray(points, np.float64), min(_POINTS, len(points)))
    return [(float(step), float(value)) for step, value in (one.mean(0) for one in stretches)]
