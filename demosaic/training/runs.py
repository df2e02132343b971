"""The runs of a folder: how far each has come, how good it is, and how old."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.files import numbered_lines, read_json, refuse_links_out
from demosaic.locks import is_written_to
from demosaic.models.checkpoint import read_card
from demosaic.records import read
from demosaic.training.events import RunFound, RunsFound, TrainReport

_SCORES = ("block 16, restored", "reconciled", "restored")
"""What a run is known by, of those that a model's card may have: of the default, of the article's
recipe, of pairs without mosaics.
"""


@dataclass(frozen=True)
class _Begun:
    """What is read here of config.json."""

    preset: str


@dataclass(frozen=True)
class _Line:
    """What is read here of a line of events.jsonl."""

    event: str
    step: int = 0
    progress: float = 0.0


def runs_in(folder: Path) -> RunsFound:
    """Every run in a folder such as `runs/`, the newest first. Raises DemosaicError without any."""
    found = [_found(run.parent) for run in folder.glob("*/config.json")]
    if not found:
        raise DemosaicError(f"there is no run in {folder}: train one first", NOTHING_TO_DO)
    return RunsFound(str(folder), tuple(sorted(found, key=lambda run: run.hours)))


def _found(run: Path) -> RunFound:
    try:
        return _described(run)
    except DemosaicError as error:
        return RunFound(run.name, "damaged", problem=str(error))


def _described(run: Path) -> RunFound:
    refuse_links_out(run, ("config.json", "events.jsonl", "best.safetensors"))
    begun = read(_Begun, read_json(run / "config.json"), str(run / "config.json"), others=True)
    log, model = run / "events.jsonl", run / "best.safetensors"
    step, progress, finished = _come(log)
    last = log if log.is_file() else run / "config.json"
    running = is_written_to(run)
    card = read_card(model) if model.is_file() else None
    return RunFound(
        name=run.name,
        state="running" if running else "finished" if finished else "stopped",
        hours=round((time.time() - last.stat().st_mtime) / 3600, 2),
        preset=begun.preset,
        step=step,
        progress=round(progress, 3),
        minutes=card.minutes if card else None,
        psnr=_psnr(card.scores) if card else None,
        undoes_mosaics=card.undoes_mosaics if card else None,
    )


def _come(log: Path) -> tuple[int, float, bool]:
    """The last step that is logged, the share of the budget used up (0..1), and whether the run is
    finished.
    """
    step, progress, finished = 0, 0.0, False
    for number, value in numbered_lines(log):
        line = read(_Line, value, f"{log}, line {number}", others=True)
        step = max(step, line.step)
        progress = line.progress or progress
        finished = line.event == TrainReport.__name__
    return step, 1.0 if finished else progress, finished


def _psnr(scores: Mapping[str, Mapping[str, float]]) -> float | None:
    known = (scores[name]["psnr"] for name in _SCORES if name in scores)
    psnr = next(known, None)
    return None if psnr is None else round(psnr, 2)
