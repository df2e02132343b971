"""One picture restored, in memory or on disk."""

import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from demosaic.checkpoints import Model, ModelCard, load_model, remembered_model
from demosaic.config import DeviceConfig, RestoreConfig, UNetConfig
from demosaic.devices import Compute, choose, settle_threads
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.events import (
    Listener,
    Notice,
    PictureRestored,
    PicturesFound,
    PictureSkipped,
    ignore,
)
from demosaic.files import make_folder
from demosaic.images import (
    Box,
    Pixels,
    crop,
    find_images,
    paste,
    read_image,
    resize,
    to_float,
    to_uint8,
    write_restored,
)
from demosaic.mosaic import Floats, Grid, cell_colours, finish, paint_cells
from demosaic.networks import Generator, Restorer
from demosaic.observations import observe, views

MODEL_VARIABLE = "DEMOSAIC_MODEL"
_MISFIT = 0.03  # of a region's variance; JPEG at quality 60 leaves 0.005, a clean face 0.1 and more
_NOISE = 25.0  # squared grey levels; so much is JPEG or scaling, whatever the variance


@dataclass(frozen=True)
class Restored:
    """A picture with its mosaic undone."""

    image: Pixels
    box: Box
    grid: Grid | None
    """The cells inside the box; None for a model of other pictures than mosaics."""


@dataclass(frozen=True)
class Job:
    """A picture to restore and where to."""

    source: Path
    out: Path


# Which model


def find_model(folder: Path) -> tuple[Path, str]:
    """The model to take when none is named, and why this one. Raises DemosaicError when there is
    none.
    """
    named = os.environ.get(MODEL_VARIABLE)
    if named:
        return Path(named), f"${MODEL_VARIABLE}"
    runs = sorted(folder.glob("runs/*/best.safetensors"), key=lambda path: path.stat().st_mtime)
    if runs:
        return runs[-1], "the newest below runs/"
    last = remembered_model()
    if last is not None:
        return last, "the last one you trained"
    raise DemosaicError(
        "there is no model yet: train one with `demosaic train PAIRS`, or name one with --model"
    )


# One picture


def restore_face(
    observed: Pixels,
    grid: Grid,
    model: Model,
    *,
    compute: Compute,
    reconcile: bool = True,
    realism: float = RestoreConfig.realism,
) -> Pixels:
    """The face behind a mosaic (H, W, 3) of any size on `grid`; same size.

    The network sees the cells' colours painted at a cell size it was trained on, so that a picture
    of any resolution is what it knows. With `reconcile`, the result pixelates on `grid` to the
    colours shown, each within half a grey level.
    """
    if model.card.blocks is None:
        raise DemosaicError(
            "this model was not trained on mosaics: it restores whole pictures only"
        )
    colours = cell_colours(observed, grid)
    if isinstance(model.generator, Restorer):
        canvas = _restored_cells(
            colours, model.generator, model.card, compute, realism=realism, reconcile=reconcile
        )
    else:
        canvas = _translated_cells(colours, model.generator, model.card, compute)
    restored = _to_size(canvas, grid, observed.shape[1], observed.shape[0])
    return finish(restored, colours, grid) if reconcile else to_uint8(restored)


def _restored_cells(
    colours: Floats,
    restorer: Restorer,
    card: ModelCard,
    compute: Compute,
    *,
    realism: float,
    reconcile: bool,
) -> Floats:
    """What our network makes of cell colours (3, rows, columns), with cells so large that the whole
    has about the size of the pictures it was trained on.
    """
    assert card.blocks is not None
    _, rows, columns = colours.shape
    block = int(np.clip(round(card.size / max(rows, columns)), *card.blocks))
    grid, size = Grid.square(block), (rows * block, columns * block)
    shown = views([observe(paint_cells(colours, grid, size), grid)]).to(compute.take)
    if not reconcile:
        shown = replace(shown, pull=torch.zeros_like(shown.pull))
    return compute.infer(restorer, shown, realism)[0, :, : size[0], : size[1]]


def _translated_cells(
    colours: Floats, generator: Generator, card: ModelCard, compute: Compute
) -> Floats:
    """What the article's network makes of them, at its own cell size."""
    assert card.blocks is not None and isinstance(card.network, UNetConfig)
    block, multiple = card.blocks[0], card.network.multiple
    _, rows, columns = colours.shape
    around, top, left = _surrounded(colours, multiple // math.gcd(multiple, block))
    size = (around.shape[1] * block, around.shape[2] * block)
    canvas = _run(paint_cells(around, Grid.square(block), size), generator, compute)
    return canvas[:, top * block : (top + rows) * block, left * block : (left + columns) * block]


def _surrounded(colours: Floats, multiple: int) -> tuple[Floats, int, int]:
    """The cells with enough copies of the outermost round them to make rows and columns multiples,
    and how many rows and columns were put before.
    """
    _, rows, columns = colours.shape
    more_rows, more_columns = -rows % multiple, -columns % multiple
    top, left = more_rows // 2, more_columns // 2
    padding = ((0, 0), (top, more_rows - top), (left, more_columns - left))
    return np.pad(colours, padding, mode="edge"), top, left


def _to_size(canvas: Floats, grid: Grid, width: int, height: int) -> Floats:
    """The part of a canvas of whole cells that `width` x `height` pixels on `grid` show."""
    left, top = (grid.width - grid.left) % grid.width, (grid.height - grid.top) % grid.height
    rows, columns = grid.shape(height, width)
    scaled = resize(canvas.transpose(1, 2, 0), columns * grid.width, rows * grid.height)
    shown: Floats = scaled[top : top + height, left : left + width].transpose(2, 0, 1)
    return shown


def _run(canvas: Pixels, generator: nn.Module, compute: Compute) -> Floats:
    batch = compute.take(torch.from_numpy(to_float(canvas))[None])
    output: Floats = compute.infer(generator, batch)[0]
    return output


def _translate(image: Pixels, model: Model, compute: Compute) -> Pixels:
    """A whole picture through a model that was trained on other pairs than mosaics."""
    height, width = image.shape[:2]
    output = to_uint8(
        _run(resize(image, model.card.size, model.card.size), model.generator, compute)
    )
    translated: Pixels = resize(output, width, height)
    return translated


def restore_image(image: Pixels, model: Model, config: RestoreConfig, compute: Compute) -> Restored:
    """A picture (H, W, 3) with the mosaic in `config.region` undone; every other pixel as it was.

    Raises DemosaicError when the region is not inside, or holds no mosaic of the grid it should
    have.
    """
    box = Box(*config.region) if config.region else Box.whole(image)
    if not box.inside(image):
        raise DemosaicError(
            f"the region {box.x},{box.y},{box.width},{box.height} is not inside the picture of "
            f"{image.shape[1]} x {image.shape[0]} px"
        )
    observed = crop(image, box)
    if model.card.blocks is None:
        return Restored(paste(image, _translate(observed, model, compute), box), box, None)
    grid = _grid_of(observed, model, config.block)
    restored = restore_face(
        observed,
        grid,
        model,
        compute=compute,
        reconcile=config.reconcile,
        realism=config.realism,
    )
    return Restored(paste(image, restored, box), box, grid)


def _grid_of(observed: Pixels, model: Model, block: int | None) -> Grid:
    """The grid of a mosaic: of `block` when given, else of the model's own blocks, as they are or
    scaled with the picture, whichever fits.
    """
    candidates = {block} if block else _candidates(max(observed.shape[:2]), model.card)
    # Where several fit, as twice as large cells fit every grid of half, the larger are the cells
    misfit, best = min((_misfit(observed, Grid.square(side)), -side) for side in candidates)
    if misfit > _MISFIT:
        tried = f"{min(candidates)} to {max(candidates)}"
        raise DemosaicError(
            f"no mosaic with cells of {tried} px that begin in the corner: "
            "give the cell size with --block and the pixelated rectangle with --region",
            NOTHING_TO_DO,
        )
    return Grid.square(-best)


def _candidates(side: int, card: ModelCard) -> set[int]:
    """The cell sides to look for in a mosaic whose longer side has so many pixels."""
    smallest, largest = card.blocks or (1, 1)
    scale = side / card.size
    scaled = range(max(2, round(smallest * scale)), max(2, round(largest * scale)) + 1)
    return {*range(smallest, largest + 1), *scaled}


def _misfit(observed: Pixels, grid: Grid) -> float:
    """The share of a picture's variance that is inside the cells: 0 for a perfect mosaic."""
    height, width = observed.shape[:2]
    flat = paint_cells(cell_colours(observed, grid), grid, (height, width))
    inside = float(np.mean((observed.astype(np.float32) - flat) ** 2))
    return 0.0 if inside < _NOISE else inside / max(float(observed.var()), 1e-9)


# Files


def restored_name(source: Path) -> str:
    """The file name of a picture's result."""
    return f"{source.stem}.restored.png"


def plan(
    sources: Sequence[Path], out: Path | None, *, force: bool, listen: Listener = ignore
) -> list[Job]:
    """Which pictures are to be restored, and where to.

    A file's result goes beside it, or to `out` (a file for one picture, else a folder); a folder's
    are mirrored under `out`. Raises DemosaicError before anything is done when something is
    missing, in the way, or nothing is found.
    """
    jobs = [job for source in sources for job in _jobs(source, out, alone=len(sources) == 1)]
    jobs = _told_apart(jobs)
    if not jobs:
        raise DemosaicError(f"no pictures in {', '.join(map(str, sources))}", NOTHING_TO_DO)
    pictures = {job.source.resolve() for job in jobs}
    for job in jobs:
        if job.out.resolve() in pictures:
            raise DemosaicError(f"{job.out} is one of the pictures: choose another --out")
    if len({job.out for job in jobs}) < len(jobs):
        raise DemosaicError("two pictures would get the same result name: restore them one by one")
    return jobs if force else _still_to_do(jobs, listen)


def _still_to_do(jobs: list[Job], listen: Listener) -> list[Job]:
    """The jobs without a result yet, so that the same command goes on after a stop."""
    missing = [job for job in jobs if not job.out.exists()]
    if not missing and len(jobs) == 1:
        raise DemosaicError(f"{jobs[0].out} is already there: --force replaces it")
    if not missing:
        text = f"all {len(jobs)} results are already there: --force replaces them"
        raise DemosaicError(text, NOTHING_TO_DO)
    if len(missing) < len(jobs):
        listen(Notice(f"{len(jobs) - len(missing)} results are already there: --force redoes them"))
    return missing


def _told_apart(jobs: list[Job]) -> list[Job]:
    """The jobs, with the whole file name in the results of a.jpg and a.png in one folder."""
    taken = Counter(job.out for job in jobs)
    return [
        Job(job.source, job.out.with_name(f"{job.source.name}.restored.png"))
        if taken[job.out] > 1
        else job
        for job in jobs
    ]


def _jobs(source: Path, out: Path | None, *, alone: bool) -> Iterator[Job]:
    if source.is_dir():
        if out is None:
            raise DemosaicError(f"{source} is a folder: say where its results go with --out FOLDER")
        if out.resolve().is_relative_to(source.resolve()):
            raise DemosaicError(f"--out {out} is inside {source}, where nothing is written")
        for path in find_images(source):
            yield Job(path, out / path.relative_to(source).parent / restored_name(path))
    elif not source.exists():
        raise DemosaicError(f"there is no file {source}")
    elif out is None:
        yield Job(source, source.with_name(restored_name(source)))
    elif alone and out.suffix and not out.is_dir():
        yield Job(source, out)
    else:
        yield Job(source, out / restored_name(source))


def restore_file(job: Job, model: Model, config: RestoreConfig, compute: Compute) -> Restored:
    """Restore the picture of a job and write its result. Raises DemosaicError that names the
    file.
    """
    image = read_image(job.source)
    try:
        restored = restore_image(image, model, config, compute)
    except DemosaicError as error:
        raise DemosaicError(f"{job.source}: {error}", error.exit_code) from error
    make_folder(job.out.parent)
    write_restored(job.out, restored.image, like=job.source, whole=config.region is None)
    return restored


def restore_files(
    jobs: Sequence[Job],
    model_path: Path,
    config: RestoreConfig,
    *,
    devices: DeviceConfig | None = None,
    listen: Listener = ignore,
) -> int:
    """Restore every picture; say how many were. One that cannot be is said and the rest still done.

    Raises that picture's own DemosaicError when there is only one, or one for all when none could
    be.
    """
    settle_threads(devices or DeviceConfig())
    compute, _ = choose(devices or DeviceConfig())
    model = load_model(model_path, compute.device)
    if model.card.blocks is None:
        listen(Notice("this model was not trained on mosaics: its results are not reconciled"))
    listen(PicturesFound(len(jobs)))
    failures: list[DemosaicError] = []
    for job in jobs:
        try:
            restored = restore_file(job, model, config, compute)
        except DemosaicError as error:
            if len(jobs) == 1:
                raise
            failures.append(error)
            listen(PictureSkipped(str(job.source), str(error)))
        else:
            listen(PictureRestored(str(job.source), str(job.out), _block(restored.grid)))
    if len(failures) == len(jobs):
        code = max(error.exit_code for error in failures)
        raise DemosaicError(f"none of {len(jobs)} pictures was restored: {failures[0]}", code)
    return len(jobs) - len(failures)


def _block(grid: Grid | None) -> tuple[int, int] | None:
    return (grid.width, grid.height) if grid else None
