"""What a training left in its run folder, read back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from demosaic.errors import DemosaicError
from demosaic.files import read_json, read_lines, real_path
from demosaic.reporting.plots import Points

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
    """A name for each run: its folder's name, or its whole path when two folders have the same name
    or the name of a baseline. Raises DemosaicError for a run that is given twice.
    """
    short = [real_path(run).name for run in runs]
    plain = len({*short}) == len(short) and not {"mosaic", "bicubic", "base"} & {*short}
    names = short if plain else [str(run) for run in runs]
    if len({*names}) < len(names):
        raise DemosaicError("a run is named twice: name each once")
    return names


def pairs_of(run: Path) -> Path:
    """The pairs that a run was trained on. Raises DemosaicError when that is not known."""
    described = run / "config.json"
    if not described.is_file():
        raise DemosaicError(f"{run} does not say what it was trained on: give pairs with --pairs")
    return Path(read_json(described)["pairs"])


def training_curves(run: Path) -> dict[str, Points]:
    """The losses of a run, smoothed, and its PSNR at validation, by name; empty without a log."""
    lines = read_lines(run / "events.jsonl")
    steps = [line for line in lines if line["event"] == "StepDone"]
    names = dict.fromkeys(name for line in steps for name in line["losses"])
    curves = {f"{name} in training": smoothed(_of_loss(steps, name)) for name in names}
    for line in lines:
        for name in _VALIDATED:
            if line["event"] == "Evaluated" and name in line["scores"]:
                point = (line["step"], line["scores"][name]["psnr"])
                curves.setdefault(f"PSNR at validation, {name}", []).append(point)
    return curves


def _of_loss(steps: Sequence[dict[str, Any]], name: str) -> Points:
    return [(line["step"], line["losses"][name]) for line in steps if name in line["losses"]]


def smoothed(points: Points) -> Points:
    """At most twenty points (step, value): the means of as many parts of the curve."""
    stretches = np.array_split(np.asarray(points, np.float64), min(_POINTS, len(points)))
    return [(float(step), float(value)) for step, value in (one.mean(0) for one in stretches)]
