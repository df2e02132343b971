"""Scores of the methods that need no learning: the mosaic itself, bicubic, and the base."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demosaic.dataset.reader import Pairs
from demosaic.evaluation.events import Scores
from demosaic.evaluation.metrics import cell_error, psnr, ssim
from demosaic.imaging.arrays import Pixels
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.operators import base
from demosaic.mosaic.pixelate import cell_colours, pixelated
from demosaic.mosaic.resampling import cropped_to_grid


def score(restored: Pixels, observed: Pixels, target: Pixels, grid: Grid | None) -> Scores:
    """The scores of one restored picture (H, W, 3); without a grid the cell error is 0."""
    return Scores(
        psnr=psnr(restored, target),
        ssim=ssim(restored, target),
        l1=float(np.abs(restored.astype(np.float32) - target).mean() / 127.5),
        cell_error=cell_error(restored, cell_colours(observed, grid), grid) if grid else 0.0,
    )


def mean_scores(scores: Sequence[Scores]) -> Scores:
    """The mean of each score over the pictures."""
    return Scores(
        **{f.name: float(np.mean([getattr(s, f.name) for s in scores])) for f in fields(Scores)}
    )


def means(found: Iterable[tuple[str, Scores]]) -> dict[str, Scores]:
    """The mean of the scores of each name, in the order in which the names first came."""
    by_name: dict[str, list[Scores]] = {}
    for name, one in found:
        by_name.setdefault(name, []).append(one)
    return {name: mean_scores(scores) for name, scores in by_name.items()}


def baselines(pairs: Pairs, paths: Sequence[Path]) -> dict[str, Scores]:
    """Mean scores, over pairs, of the methods that need no learning; see `unlearned`."""
    return means(
        (name, score(picture, observed, target, pairs.grid(path)))
        for path, (observed, target) in zip(paths, map(pairs.read, paths), strict=True)
        for name, picture in unlearned(observed, pairs.grid(path)).items()
    )


def unlearned(observed: Pixels, grid: Grid | None) -> dict[str, Pixels]:
    """The observed picture (H, W, 3) filled without learning: `mosaic`, `bicubic` and `base`;
    without a grid only the `input` itself.
    """
    if grid is None:
        return {"input": observed}
    colour = cell_colours(observed, grid)
    height, width = observed.shape[:2]
    bicubic = cropped_to_grid(colour, grid, width, height).transpose(1, 2, 0)
    smooth = base(colour, grid, (height, width)).transpose(1, 2, 0)
    return {"mosaic": observed, "bicubic": _levels(bicubic), "base": _levels(smooth)}


def _levels(image: NDArray[Any]) -> Pixels:
    levels: Pixels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return levels


def score_unlearned(targets: Iterable[Pixels], grids: Mapping[str, Grid]) -> dict[str, Scores]:
    """Mean scores of the methods without learning on each grid, named `GRID, base` and so on."""

    def found() -> Iterator[tuple[str, Scores]]:
        for target in targets:
            for name, grid in grids.items():
                observed = pixelated(target, grid)
                for kind, picture in unlearned(observed, grid).items():
                    yield f"{name}, {kind}", score(picture, observed, target, grid)

    return means(found())


def as_record(scores: Mapping[str, Scores]) -> dict[str, dict[str, float]]:
    """Scores as records for JSON."""
    return {name: asdict(found) for name, found in scores.items()}
