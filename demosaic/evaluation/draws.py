"""How draws compare with the truth: whether they are as sharp, and differ as much as they should.

A draw takes up to 13 passes of the network, so they are judged on fewer faces than the mean.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import product

import numpy as np

from demosaic.evaluation.events import AtRealism, DrawScores
from demosaic.evaluation.metrics import detail, psnr
from demosaic.events import Listener, WorkDone, WorkStarted
from demosaic.imaging.arrays import Doubles, Floats, Pixels
from demosaic.models.compute import Compute
from demosaic.models.model import Model
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours, pixelated
from demosaic.mosaic.quantise import finish

BLOCKS = (8, 12, 16, 24)
"""Sides of the cells, px."""

FACES = 24
"""At most so many held-out faces."""

REALISMS = (0.0, 0.25, 0.5, 0.75, 1.0)

SEEDS = range(9)
"""Of the draws at realism 1. If the truth is like one more of them, it lies in their range in 8 of
10 cases, so that range is an 80 % interval.
"""

DISTANCES = (1, 2, 4)
"""Pixels apart whose differences are the detail."""


@dataclass(frozen=True)
class FaceDraws:
    """The numbers of one face."""

    psnr: Mapping[float, float]
    """dB, by realism."""
    detail: Mapping[float, Doubles]
    """Mean differences of pixels DISTANCES apart, grey levels, by realism."""
    wanted: Doubles
    """Those of the original."""
    variance: float
    """Of the draws at a pixel and colour, squared grey levels, on average."""
    error: float
    """Mean squared error of the mean of the draws."""
    mean_psnr: float
    """dB, of the mean of the draws."""
    covered: float
    """Share of the values of the original inside the range of the draws."""


def judge_draws(
    models: Mapping[str, Model],
    targets: Sequence[Pixels],
    compute: Compute,
    pool: Executor,
    listen: Listener,
    blocks: Sequence[int] = BLOCKS,
) -> list[DrawScores]:
    """The scores of every model that draws, on the first faces (S, S, 3), at each cell size."""
    drawing = {name: model for name, model in models.items() if model.draws}
    faces = targets[:FACES]
    if not drawing:
        return []
    listen(WorkStarted("draws", len(drawing) * len(blocks) * len(faces)))
    scores = []
    for (name, model), block in product(drawing.items(), blocks):
        count = len(faces)
        found = []
        for one in pool.map(
            judge_face, [model] * count, faces, [Grid.square(block)] * count, [compute] * count
        ):
            found.append(one)
            listen(WorkDone(1))
        scores.append(_scores(name, block, found))
    return scores


def judge_face(model: Model, target: Pixels, grid: Grid, compute: Compute) -> FaceDraws:
    """The numbers of the draws that a model makes of one face (S, S, 3), pixelated on a grid."""
    observed = pixelated(target, grid)
    draws = [*_finished(model, observed, grid, compute, 1.0, SEEDS)]
    once = {
        realism: next(_finished(model, observed, grid, compute, realism, SEEDS[:1]))
        for realism in REALISMS[:-1]
    }
    pictures = {**once, REALISMS[-1]: draws[0]}
    several = np.stack(draws).astype(np.float32)
    mean: Floats = several.mean(axis=0)
    error = float(np.square(mean - target).mean())
    inside = (several.min(axis=0) <= target) & (target <= several.max(axis=0))
    return FaceDraws(
        psnr={realism: psnr(picture, target) for realism, picture in pictures.items()},
        detail={realism: _details(picture) for realism, picture in pictures.items()},
        wanted=_details(target),
        variance=float(several.var(axis=0, ddof=1).mean()),
        error=error,
        mean_psnr=10 * float(np.log10(255**2 / max(error, 1e-9))),
        covered=float(inside.mean()),
    )


def _finished(
    model: Model,
    observed: Pixels,
    grid: Grid,
    compute: Compute,
    realism: float,
    seeds: Sequence[int],
) -> Iterator[Pixels]:
    """The pictures (S, S, 3) that a user would get, by seed."""
    colours = cell_colours(observed, grid)
    made = model.draw_face(observed, grid, seeds, compute, realism=realism)
    return (finish(one, colours, grid) for one in made)


def _details(picture: Pixels) -> Doubles:
    return np.array([detail(picture, distance) for distance in DISTANCES])


def _scores(method: str, block: int, faces: Sequence[FaceDraws]) -> DrawScores:
    """The scores of all faces: means of dB, and ratios of sums."""
    count = len(SEEDS)
    wanted = np.maximum(sum(face.wanted for face in faces), 1e-9)
    # The mean of n draws has a further nth of their variance (Fortin et al. 2014)
    spread = (count + 1) / count * sum(face.variance for face in faces)
    return DrawScores(
        method=method,
        block=block,
        faces=len(faces),
        realisms=tuple(
            AtRealism(
                realism,
                float(np.mean([face.psnr[realism] for face in faces])),
                tuple((sum(face.detail[realism] for face in faces) / wanted).tolist()),
            )
            for realism in REALISMS
        ),
        mean_psnr=float(np.mean([face.mean_psnr for face in faces])),
        spread=float(np.sqrt(spread / max(sum(face.error for face in faces), 1e-9))),
        covered=float(np.mean([face.covered for face in faces])),
    )
