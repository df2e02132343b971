"""How good a model is, measured on the 8-bit pictures a user would get."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from demosaic.dataset.reader import Pairs
from demosaic.events import Scores
from demosaic.imaging.arrays import Pixels, to_float, to_uint8
from demosaic.metrics import cell_error, psnr, ssim
from demosaic.models.compute import Compute
from demosaic.models.inputs import observe, views
from demosaic.models.pix2pix import Generator
from demosaic.models.resunet import Restorer
from demosaic.mosaic.grid import Floats, Grid
from demosaic.mosaic.operators import base
from demosaic.mosaic.pixelate import cell_colours, pixelated
from demosaic.mosaic.quantise import finish
from demosaic.mosaic.resampling import part_shown

_BATCH = 4


def score(restored: Pixels, observed: Pixels, target: Pixels, grid: Grid | None) -> Scores:
    """All scores of one picture; the cell error is 0 where there is no mosaic."""
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


def _means(found: Iterable[tuple[str, Scores]]) -> dict[str, Scores]:
    """The mean of the scores of each name, in the order in which the names first came."""
    by_name: dict[str, list[Scores]] = {}
    for name, one in found:
        by_name.setdefault(name, []).append(one)
    return {name: mean_scores(scores) for name, scores in by_name.items()}


def baselines(pairs: Pairs, paths: Sequence[Path]) -> dict[str, Scores]:
    """What needs no learning, to compare with: the mosaic itself and, on a grid, bicubic and
    `base`.
    """
    return _means(
        (name, score(picture, observed, target, pairs.grid(path)))
        for path, (observed, target) in zip(paths, map(pairs.read, paths), strict=True)
        for name, picture in unlearned(observed, pairs.grid(path)).items()
    )


def unlearned(observed: Pixels, grid: Grid | None) -> dict[str, Pixels]:
    """What needs no learning: `mosaic`, `bicubic` and `base`; without a grid the `input` itself."""
    if grid is None:
        return {"input": observed}
    colour = cell_colours(observed, grid)
    height, width = observed.shape[:2]
    bicubic = part_shown(colour, grid, width, height).transpose(1, 2, 0)
    smooth = base(colour, grid, (height, width)).transpose(1, 2, 0)
    return {"mosaic": observed, "bicubic": _levels(bicubic), "base": _levels(smooth)}


def _levels(image: NDArray[Any]) -> Pixels:
    levels: Pixels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return levels


def evaluate(
    generator: Generator, pairs: Pairs, paths: Sequence[Path], compute: Compute
) -> dict[str, Scores]:
    """Mean scores over pairs: `restored` as the network gives it and, on a grid, `reconciled`
    with the cells.
    """
    made = restorations(generator, pairs, paths, compute)
    return _means(
        (name, score(picture, observed, target, pairs.grid(path)))
        for path, (observed, target, restored) in zip(paths, made, strict=True)
        for name, picture in _outputs(restored, observed, pairs.grid(path)).items()
    )


def _outputs(restored: Floats, observed: Pixels, grid: Grid | None) -> dict[str, Pixels]:
    raw = {"restored": to_uint8(restored)}
    if grid is None:
        return raw
    return {**raw, "reconciled": finish(restored, cell_colours(observed, grid), grid)}


def restorations(
    generator: Generator, pairs: Pairs, paths: Sequence[Path], compute: Compute
) -> Iterable[tuple[Pixels, Pixels, Floats]]:
    """Observed and target pictures and the network's own output, float (3, size, size), of each
    pair.

    The generator runs as it will at use: moving statistics, and given back in the mode it came in.
    """
    mode = generator.training
    generator.eval()
    try:
        for start in range(0, len(paths), _BATCH):
            pictures = [pairs.read(path) for path in paths[start : start + _BATCH]]
            batch = torch.from_numpy(np.stack([to_float(observed) for observed, _ in pictures]))
            restored = compute.infer(generator, compute.take(batch))
            for (observed, target), output in zip(pictures, restored, strict=True):
                yield observed, target, output
    finally:
        generator.train(mode)


def score_grids(
    restorer: Restorer, targets: Iterable[Pixels], grids: Mapping[str, Grid], compute: Compute
) -> dict[str, Scores]:
    """Mean scores of whole pictures pixelated on each grid, named `GRID, restored` and, for a model
    with a second stage, `GRID, sharp`.
    """
    kinds = {"restored": 0.0} | ({"sharp": 1.0} if restorer.sharp else {})

    def found() -> Iterator[tuple[str, Scores]]:
        for batch in _batches(targets):
            for name, grid in grids.items():
                observed = [pixelated(target, grid) for target in batch]
                for kind, realism in kinds.items():
                    pictures = restored_pictures(restorer, observed, grid, compute, realism)
                    for one in zip(pictures, observed, batch, strict=True):
                        yield f"{name}, {kind}", score(*one, grid)

    return _means(found())


def score_unlearned(targets: Iterable[Pixels], grids: Mapping[str, Grid]) -> dict[str, Scores]:
    """Mean scores of what needs no learning on each grid, named `GRID, base` and the like."""

    def found() -> Iterator[tuple[str, Scores]]:
        for target in targets:
            for name, grid in grids.items():
                observed = pixelated(target, grid)
                for kind, picture in unlearned(observed, grid).items():
                    yield f"{name}, {kind}", score(picture, observed, target, grid)

    return _means(found())


def restored_pictures(
    restorer: Restorer,
    observed: Sequence[Pixels],
    grid: Grid,
    compute: Compute,
    realism: float = 0.0,
) -> list[Pixels]:
    """Whole mosaics of one size, all on `grid`, restored; their cells are those observed."""
    shown = views([observe(picture, grid) for picture in observed]).to(compute.device)
    restored = compute.infer(restorer, shown, realism)
    height, width = observed[0].shape[:2]
    return [
        finish(image[:, :height, :width], cell_colours(picture, grid), grid)
        for image, picture in zip(restored, observed, strict=True)
    ]


def _batches(pictures: Iterable[Pixels]) -> Iterator[list[Pixels]]:
    remaining = iter(pictures)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


def as_record(scores: Mapping[str, Scores]) -> dict[str, dict[str, float]]:
    """Scores as JSON takes them."""
    return {name: asdict(found) for name, found in scores.items()}
