"""Models scored on faces they were not trained on, in numbers and in pictures.

Each mosaic is filled in several ways: by the methods that need no learning, and by each model at
each realism. Faces are pixelated anew, on grids that begin in the corner and on grids at random
offsets, so that any folder of pairs can be used.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch

from demosaic.config.compute import DeviceConfig
from demosaic.config.evaluation import EvaluateConfig
from demosaic.config.training import TrainConfig
from demosaic.dataset.reader import Pairs, open_pairs
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.evaluation.baselines import unlearned
from demosaic.evaluation.draws import judge_draws
from demosaic.evaluation.events import EvaluationReport, Way, WayScores
from demosaic.evaluation.metrics import cell_error, ms_ssim, psnr, sharpness, spectrum, ssim
from demosaic.evaluation.statistics import estimate
from demosaic.events import Listener, Notice, WorkDone, WorkStarted, ignore
from demosaic.imaging.arrays import Doubles, Floats, Pixels, one_core
from demosaic.imaging.heat import heat_map, spread_of
from demosaic.models.box import model_file
from demosaic.models.checkpoint import load_model
from demosaic.models.compute import Compute, choose, settle, settle_threads
from demosaic.models.lookup import find_model
from demosaic.models.model import Model
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours, pixelated
from demosaic.mosaic.quantise import finish
from demosaic.text import counted
from demosaic.workers.processes import Workers

SHOWN_BLOCK = 16
"""Side of the cells of the faces and spectra on the page, pixels."""

_BATCH = 4

_WORST, _MEDIAN = 10, 4

_DRAWN = 4  # draws of a face whose spread is on the page
_MOST_SPREAD = 40.0  # grey levels; the end of its scale


@dataclass(frozen=True)
class Kind:
    """A kind of mosaic: the side of its cells, pixels, and whether they begin in the corner."""

    block: int
    aligned: bool

    def grid(self, face: int) -> Grid:
        """The grid for the face with this number; the same every time."""
        if self.aligned:
            return Grid.square(self.block)
        left, top = np.random.default_rng((face, self.block)).integers(self.block, size=2)
        return Grid.square(self.block, int(left), int(top))


@dataclass(frozen=True)
class Measured:
    """One picture's numbers by metric, and its spectrum (D,), or (0,) in a quick evaluation."""

    numbers: Mapping[str, float]
    spectrum: Doubles = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True)
class Shown:
    """A face on the page."""

    psnr: float
    """Mean over the models' results, dB."""
    pictures: Mapping[str, Pixels]
    """RGB levels (S, S, 3) by name: `mosaic`, the models' results, `base` and `original`."""


@dataclass(frozen=True)
class Evaluation:
    """The scores, and what the page shows; a quick evaluation has no page."""

    report: EvaluationReport
    spectra: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """By way: the amplitude as a share of the originals', at 0, 1, 2, ... cycles a face."""
    worst: Sequence[Shown] = ()
    """The faces with the lowest PSNR, the lowest first."""
    median: Sequence[Shown] = ()
    """The faces around the median PSNR."""


@dataclass(frozen=True)
class Judge:
    """Fills and scores mosaics of the target faces, RGB levels (S, S, 3)."""

    targets: Sequence[Pixels]
    models: Mapping[str, Model]
    config: EvaluateConfig
    compute: Compute

    def fill(self, kind: Kind, faces: Sequence[int]) -> list[dict[Way, Pixels]]:
        """For each of the faces with these numbers, its mosaic filled in every way."""
        grids = [kind.grid(face) for face in faces]
        observed = [
            pixelated(self.targets[face], grid) for face, grid in zip(faces, grids, strict=True)
        ]
        filled: list[dict[Way, Pixels]] = [
            {Way(name): picture for name, picture in unlearned(one, grid).items()}
            for one, grid in zip(observed, grids, strict=True)
        ]
        for name, model in self.models.items():
            realisms = self.config.realisms(draws=model.draws)
            made = restore_faces(model, observed, grids, realisms, self.compute)
            for ways, pictures in zip(filled, made, strict=True):
                ways |= {Way(name, realism): picture for realism, picture in pictures.items()}
        return filled

    def score(self, kind: Kind, faces: Sequence[int]) -> list[dict[Way, Measured]]:
        """For each of the faces with these numbers, the scores of every way."""
        return [
            self._measured(filled, kind, face)
            for face, filled in zip(faces, self.fill(kind, faces), strict=True)
        ]

    def _measured(self, filled: Mapping[Way, Pixels], kind: Kind, face: int) -> dict[Way, Measured]:
        target, grid = self.targets[face], kind.grid(face)
        observed = cell_colours(target, grid)
        base = psnr(filled[Way("base")], target)
        wanted = None if self.config.quick else spectrum(target)
        return {
            way: _measure(picture, target, observed, grid, base=base, wanted=wanted)
            for way, picture in filled.items()
        }


def _measure(
    picture: Pixels,
    target: Pixels,
    observed: Floats,
    grid: Grid,
    *,
    base: float,
    wanted: Doubles | None,
) -> Measured:
    """The scores of a picture (S, S, 3). `base`: the PSNR of `base` on the same face. `wanted`: the
    spectrum of the target; without it, the slow metrics and the spectrum are left out.
    """
    near = psnr(picture, target)
    numbers = {
        "psnr": near,
        "gain": near - base,
        "ssim": ssim(picture, target),
        "cell_error": cell_error(picture, observed, grid),
    }
    if wanted is None:
        return Measured(numbers)
    scales, energy = ms_ssim(picture, target), spectrum(picture)
    if scales is not None:
        numbers["ms_ssim"] = scales
    numbers["sharpness"] = sharpness(energy, wanted, round(grid.width))
    return Measured(numbers, energy)


def restore_faces(
    model: Model,
    observed: Sequence[Pixels],
    grids: Sequence[Grid],
    realisms: Sequence[float],
    compute: Compute,
) -> list[dict[float | None, Pixels]]:
    """Each mosaic (S, S, 3) restored by the model, by realism; None if it has one stage."""
    made = model.fill_faces(observed, grids, realisms, compute)
    return [
        {
            share: finish(faces[number], cell_colours(one, grid), grid)
            for share, faces in made.items()
        }
        for number, (one, grid) in enumerate(zip(observed, grids, strict=True))
    ]


Models: TypeAlias = Mapping[str, str | PathLike[str]] | str | PathLike[str] | None
"""Model files by name, or one file, or none."""


def evaluate(
    pairs: str | PathLike[str],
    models: Models = None,
    config: EvaluateConfig = EvaluateConfig(),
    *,
    devices: DeviceConfig = DeviceConfig(),
    workers: Workers | None = None,
    listen: Listener = ignore,
) -> Evaluation:
    """Score models on the held-out faces of a folder of pairs.

    `models`: model files by name, or one file; without any, the one that `find_model` chooses.
    `workers` score the faces, as `workers.cluster` makes them; without them this process does.
    Raises DemosaicError for pairs or models that cannot be used.
    """
    start = time.perf_counter()
    files = _named(models)
    held_out = open_pairs(
        Path(pairs), direction=TrainConfig.direction, multiple=TrainConfig.multiple
    )
    loaded = {name: _model(path, name, held_out, listen) for name, path in files.items()}
    split, targets = _held_out(held_out, config.faces, listen)
    settle_threads(devices)
    threads = torch.get_num_threads()
    compute, why = choose(devices, partial(_trial, [*loaded.values()]))
    listen(Notice(why))
    for model in loaded.values():
        settle(model.generator, compute.device)
    judge = Judge(targets, loaded, config, compute)
    with _single_threaded(threads) as pool:
        found = _judged(judge, pool, workers, listen)
        draws = [] if config.quick else judge_draws(loaded, targets, compute, pool, listen)
    report = EvaluationReport(
        pairs=str(pairs),
        split=split,
        faces=len(targets),
        models={name: str(path) for name, path in files.items()},
        computed=f"{compute.arithmetic}, {'a cluster' if workers else counted(threads, 'worker')}",
        seconds=round(time.perf_counter() - start, 1),
        scores=tuple(_way_scores(found)),
        draws=tuple(draws),
    )
    return Evaluation(report) if config.quick else _with_views(report, judge, found)


def _named(models: Models) -> dict[str, Path]:
    """Model files by name. A single model is named `restored`."""
    if isinstance(models, Mapping):
        return {name: model_file(Path(path)) for name, path in models.items()}
    return {"restored": model_file(Path(models)) if models else find_model(Path())[0]}


def _held_out(pairs: Pairs, most: int, listen: Listener) -> tuple[str, list[Pixels]]:
    """The split to score and its faces (S, S, 3). A file that cannot be read is left out, with a
    notice.
    """
    split, files = pairs.held_out
    targets = []
    for file in files[:most]:
        try:
            targets.append(pairs.target(file))
        except DemosaicError as error:
            listen(Notice(f"left out: {error}"))
    if not targets:
        raise DemosaicError(f"{pairs.folder / split} has no pair that can be read", NOTHING_TO_DO)
    listen(Notice(f"{counted(len(targets), 'face')} of {pairs.size} px of the {split} split"))
    return split, targets


def _model(path: Path, name: str, pairs: Pairs, listen: Listener) -> Model:
    """A model that undoes mosaics. A notice says if it was trained on other pairs than these."""
    model = load_model(path)
    if not model.undoes_mosaics:
        raise DemosaicError(
            f"{path} was not trained on mosaics: its scores, on its own pairs, are in MODEL.md"
        )
    if model.card.dataset != pairs.fingerprint:
        listen(Notice(f"{name} was trained on other pairs and may have seen these faces"))
    return model


def _trial(models: Sequence[Model], compute: Compute) -> torch.Tensor:
    """The detail that the last model with two stages draws, to compare precisions by."""
    picture = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    for model in reversed(models):
        settle(model.generator, compute.device)
        detail = model.detail(picture, Grid.square(SHOWN_BLOCK), _BATCH, compute)
        if detail is not None:
            return torch.from_numpy(detail)
    return torch.ones(1)


@contextmanager
def _single_threaded(workers: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of workers that compute in one thread each, so that metrics, which use one thread, run
    as parallel as networks. The thread counts of torch and cv2 are restored at the end.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    pool = ThreadPoolExecutor(workers)
    try:
        with one_core():
            yield pool
    finally:
        pool.shutdown(cancel_futures=True)  # otherwise Ctrl-C waits for all queued work
        torch.set_num_threads(threads)


_Found = dict[Kind, dict[Way, list[Measured]]]


def _judged(
    judge: Judge, pool: ThreadPoolExecutor, workers: Workers | None, listen: Listener
) -> _Found:
    """The scores of every way on every kind of mosaic, face by face."""
    offsets = (True,) if judge.config.quick else (True, False)
    kinds = [Kind(block, aligned) for aligned in offsets for block in judge.config.blocks]
    batches = np.array_split(np.arange(len(judge.targets)), -(-len(judge.targets) // _BATCH))
    jobs = [(kind, batch.tolist()) for kind in kinds for batch in batches]
    listen(WorkStarted("mosaics", len(kinds) * len(judge.targets)))
    found: _Found = {}
    scores = (
        workers.map(partial(_score_elsewhere, judge), jobs)
        if workers
        else pool.map(judge.score, *zip(*jobs, strict=True))
    )
    for (kind, batch), scored in zip(jobs, scores, strict=True):
        for face in scored:
            for way, measured in face.items():
                found.setdefault(kind, {}).setdefault(way, []).append(measured)
        listen(WorkDone(len(batch)))
    return found


def _score_elsewhere(judge: Judge, job: tuple[Kind, list[int]]) -> list[dict[Way, Measured]]:
    """What a worker does."""
    torch.set_num_threads(1)
    with one_core():
        return judge.score(*job)


def _way_scores(found: _Found) -> Iterator[WayScores]:
    for kind, ways in found.items():
        for way, measured in ways.items():
            metrics = measured[0].numbers
            estimates = {
                metric: estimate([one.numbers[metric] for one in measured]) for metric in metrics
            }
            yield WayScores(way, kind.block, kind.aligned, estimates)


def _with_views(report: EvaluationReport, judge: Judge, found: _Found) -> Evaluation:
    """The report with what the page shows: spectra, and the worst and median faces, of one kind."""
    ways = found[Kind(SHOWN_BLOCK, True)]
    wanted = np.maximum(sum(map(spectrum, judge.targets)), 1e-9)
    spectra = {
        str(way): np.sqrt(sum(one.spectrum for one in measured) / wanted).tolist()
        for way, measured in ways.items()
    }
    learnt = [
        [one.numbers["psnr"] for one in measured]
        for way, measured in ways.items()
        if way.method in judge.models
    ]
    mean_psnr = np.mean(learnt, 0)
    order = np.argsort(mean_psnr, kind="stable").tolist()
    middle = max(0, (len(order) - _MEDIAN) // 2)
    return Evaluation(
        report,
        spectra,
        [_shown(judge, face, mean_psnr[face]) for face in order[:_WORST]],
        [_shown(judge, face, mean_psnr[face]) for face in order[middle : middle + _MEDIAN]],
    )


def _shown(judge: Judge, face: int, mean_psnr: float) -> Shown:
    """The pictures of one face in their order on the page."""
    (filled,) = judge.fill(Kind(SHOWN_BLOCK, True), [face])
    mosaic, base = filled[Way("mosaic")], filled[Way("base")]
    learnt: dict[str, Pixels] = {}
    for name, model in judge.models.items():
        ways = [way for way in filled if way.method == name]
        shown = dict.fromkeys((ways[0], ways[len(ways) // 2], ways[-1]))
        learnt |= {str(way): filled[way] for way in shown}
        if model.draws:
            learnt |= _drawn(name, model, mosaic, judge.compute)
    pictures = {"mosaic": mosaic, **learnt, "base": base, "original": judge.targets[face]}
    return Shown(float(mean_psnr), pictures)


def _drawn(name: str, model: Model, mosaic: Pixels, compute: Compute) -> dict[str, Pixels]:
    """Two draws of a face, and how far several differ."""
    grid = Grid.square(SHOWN_BLOCK)
    colours = cell_colours(mosaic, grid)
    made = model.draw_face(mosaic, grid, range(_DRAWN), compute)
    draws = [finish(one, colours, grid) for one in made]
    spread = spread_of(draws)
    return {
        f"{name}, a draw": draws[0],
        f"{name}, another": draws[1],
        f"{name}, spread": heat_map(spread, _MOST_SPREAD),
    }
