"""The events of a training."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from demosaic.evaluation.events import Scores
from demosaic.events import Event

LOG_EVERY = 10
"""One training step in this many is logged, as in the article."""

PAGE, LATEST = "progress.html", "latest.png"
"""What to look at in a run's folder: the page, and the latest sheet of samples."""


@dataclass(frozen=True)
class TrainingStarted(Event):
    """Training begins or continues after `step` steps, `progress` (0..1) of its budget."""

    step: int
    progress: float
    budget: str
    """The steps or minutes it may take."""
    run: str = ""
    """The folder to look into meanwhile."""


@dataclass(frozen=True)
class StepDone(Event):
    """One training step: its losses by name, the seconds it took, the share of the budget (0..1)
    used up.
    """

    step: int
    seconds: float
    losses: Mapping[str, float]
    progress: float


@dataclass(frozen=True)
class Evaluated(Event):
    """Scores at `step`, by the name of what was scored: `restored`, `reconciled`, `mosaic`, ..."""

    step: int
    scores: Mapping[str, Scores]
    best: bool


@dataclass(frozen=True)
class SheetSaved(Event):
    """A sheet of sample pictures was written."""

    path: str
    step: int


@dataclass(frozen=True)
class ModelSaved(Event):
    """A model file was written."""

    path: str
    step: int


@dataclass(frozen=True)
class TrainReport(Event):
    """What a training run made."""

    run: str
    model: str
    step: int
    best: str
    best_step: int
    undoes_mosaics: bool = True
    """Whether it learned from mosaics, not from other pairs of pictures."""
    psnr: float | None = None
    """dB of the best model in cells of 16 px, on validation faces; None for another recipe."""


@dataclass(frozen=True)
class RunFound:
    """A run, and how far it has come."""

    name: str
    state: Literal["running", "stopped", "finished", "damaged"]
    hours: float = 0.0
    """Since it was last written to."""
    preset: str = ""
    step: int = 0
    progress: float = 0.0
    """The share of the budget that is used up, 0..1."""
    minutes: float | None = None
    """That its best model was trained; None when that is not known."""
    psnr: float | None = None
    """dB of its best model on its own validation faces: in cells of 16 px with the default
    recipe. None before the first validation.
    """
    undoes_mosaics: bool | None = None
    """Whether its model does; None before the first validation."""
    problem: str = ""
    """What is wrong with a damaged run."""


@dataclass(frozen=True)
class RunsFound(Event):
    """The runs in a folder, the newest first."""

    folder: str
    runs: tuple[RunFound, ...]
