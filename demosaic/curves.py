"""How a training went, read back from its run's events.jsonl."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from demosaic.files import read_lines

Points = list[tuple[float, float]]
"""Steps and values."""
_POINTS = 20  # of a smoothed curve
_VALIDATED = ("block 16, restored", "block 16, sharp", "reconciled")  # of both recipes


def training_curves(run: Path) -> dict[str, Points]:
    """The losses of a run, smoothed, and its PSNR at validation; nothing where there is no log."""
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
    """At most twenty points: the means of as many stretches of the curve."""
    stretches = np.array_split(np.asarray(points, np.float64), min(_POINTS, len(points)))
    return [(float(step), float(value)) for step, value in (one.mean(0) for one in stretches)]
