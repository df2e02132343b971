"""Validation scores of a network in training, on the 8-bit pictures that a user would get."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from demosaic.dataset.reader import Pairs
from demosaic.evaluation.baselines import means, score
from demosaic.evaluation.events import Scores
from demosaic.imaging.arrays import Floats, Pixels, to_float, to_uint8
from demosaic.models.compute import Compute
from demosaic.models.inputs import observe, views
from demosaic.models.pix2pix import Generator
from demosaic.models.restorer import Restorer
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours, pixelated
from demosaic.mosaic.quantise import finish

_BATCH = 4


def evaluate(
    generator: Generator, pairs: Pairs, paths: Sequence[Path], compute: Compute
) -> dict[str, Scores]:
    """Mean scores over pairs: `restored`, the network's own output, and, on a grid, `reconciled`
    with the observed cells.
    """
    made = restorations(generator, pairs, paths, compute)
    return means(
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
    """For each pair the observed and the target picture, levels (size, size, 3), and the network's
    own output, float (3, size, size) in [-1, 1].

    The generator runs in evaluation mode, with its moving statistics, and returns to its own mode.
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
    restorer: Restorer,
    targets: Iterable[Pixels],
    grids: Mapping[str, Grid],
    compute: Compute,
    realism: float = 0.0,
) -> dict[str, Scores]:
    """Mean scores of whole pictures pixelated on each grid, named `GRID, restored` for the mean and
    `GRID, draw` with any realism.
    """
    kind = "draw" if realism else "restored"

    def found() -> Iterator[tuple[str, Scores]]:
        for batch in _batches(targets):
            for name, grid in grids.items():
                observed = [pixelated(target, grid) for target in batch]
                pictures = restored_pictures(restorer, observed, grid, compute, realism)
                for one in zip(pictures, observed, batch, strict=True):
                    yield f"{name}, {kind}", score(*one, grid)

    return means(found())


def restored_pictures(
    restorer: Restorer,
    observed: Sequence[Pixels],
    grid: Grid,
    compute: Compute,
    realism: float = 0.0,
    seeds: Sequence[int] | None = None,
) -> list[Pixels]:
    """Whole mosaics (H, W, 3) of one size on one grid, restored and reconciled with their cells;
    each drawn from its seed, or from 0.
    """
    shown = views([observe(picture, grid) for picture in observed]).to(compute.device)
    restored = compute.infer(restorer, shown, realism, seeds)
    height, width = observed[0].shape[:2]
    return [
        finish(image[:, :height, :width], cell_colours(picture, grid), grid)
        for image, picture in zip(restored, observed, strict=True)
    ]


def _batches(pictures: Iterable[Pixels]) -> Iterator[list[Pixels]]:
    remaining = iter(pictures)
    while batch := list(islice(remaining, _BATCH)):
        yield batch
