"""The page of a run, to look at while it trains: faces, scores and curves so far."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from demosaic.config.training import SeedConfig, TrainConfig
from demosaic.reporting.page import Face, Gallery, Section, Text, write_report
from demosaic.reporting.plots import Plot, Point, Points, Series
from demosaic.text import counted
from demosaic.training.curves import training_curves
from demosaic.training.events import PAGE
from demosaic.training.samples import Row

_RENEWS = 20  # seconds; a step or two on a slow machine


def write_progress(
    run: Path, step: int, done: float, config: TrainConfig | SeedConfig, rows: Sequence[Row]
) -> None:
    """Write the page of a run in the folder `run`, after `step` steps and the share `done` (0..1)
    of its budget, with the samples `rows`. A browser loads it anew until the run is finished.
    """
    write_report(
        run / PAGE,
        title=f"Training {run.name}",
        lead=_lead(step, done, config.budget),
        sections=[
            *([_faces(rows)] if rows else []),
            *([_curves(curves)] if (curves := training_curves(run)) else []),
        ],
        renews=_RENEWS if done < 1 else 0,
    )


def _lead(step: int, done: float, budget: str) -> str:
    if done >= 1:
        return f"Finished after {counted(step, 'step')}."
    if not step:
        return f"It may take {budget}. Faces come with the first validation."
    return f"{counted(step, 'step')}, {done:.0%} of {budget}. This page renews itself."


def _faces(rows: Sequence[Row]) -> Section:
    explanation = Text(
        "Faces that it does not train on, as of the latest validation. Drag the edge, or move it "
        "with the arrow keys."
    )
    faces = [Face(f"face {number}", row) for number, row in enumerate(rows, 1)]
    return Section("Faces", [explanation, Gallery(faces)])


def _curves(curves: Mapping[str, Points]) -> Section:
    plots = [_plot(name, points) for name, points in curves.items()]
    return Section("Curves", [Text("More dB is better, less loss is better."), *plots])


def _plot(name: str, points: Points) -> Plot:
    line = Series(name, [Point(step, value) for step, value in points])
    return Plot(name, "step", "dB" if "psnr" in name.lower() else "loss", [line])
