"""One picture restored, in memory or on disk."""

import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
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
    RegionRestored,
    ignore,
)
from demosaic.files import make_folder
from demosaic.grids import Region, find_mosaic
from demosaic.images import (
    Box,
    Pixels,
    crop,
    find_images,
    paste,
    read_image,
    resize,
    resize_mask,
    to_float,
    to_uint8,
    write_restored,
)
from demosaic.mosaic import Floats, Grid, cell_colours, cells, finish, paint_cells
from demosaic.networks import Generator, Restorer
from demosaic.observations import observe, views

MODEL_VARIABLE = "DEMOSAIC_MODEL"
_MISFIT = 0.03  # of a region's variance; JPEG at quality 60 leaves 0.005, a clean face 0.1 and more
_NOISE = 25.0  # squared grey levels; so much is JPEG or scaling, whatever the variance


@dataclass(frozen=True)
class Restored:
    """A picture with its mosaics undone."""

    image: Pixels
    regions: tuple[RegionRestored, ...]


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

    With `reconcile`, the result pixelates on `grid` to the colours shown, each within half a grey
    level. Raises DemosaicError for a model of other pictures than mosaics.
    """
    config = RestoreConfig(reconcile=reconcile, realism=realism)
    whole = _filled(Box.whole(observed), grid, 1.0)
    return restore_region(observed, whole, model, config, compute)


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
    left, top = (-grid.left) % grid.width, (-grid.top) % grid.height
    rows, columns = grid.shape(height, width)
    scaled = resize(
        canvas.transpose(1, 2, 0),
        max(width, round(columns * grid.width)),
        max(height, round(rows * grid.height)),
    )
    top, left = (
        min(round(top), scaled.shape[0] - height),
        min(round(left), scaled.shape[1] - width),
    )
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
    """A picture (H, W, 3) with its mosaics undone, those found or the one in `config.region`; every
    other pixel as it was.

    Raises DemosaicError when the region is not inside, or nothing is a mosaic.
    """
    if model.card.blocks is None:
        box = _given_box(image, config) or Box.whole(image)
        translated = _translate(crop(image, box), model, compute)
        whole = RegionRestored(box.corners, None, (0, 0), 1.0, 0.0)
        return Restored(paste(image, translated, box), (whole,))
    result, done = image, []
    for region in _regions(image, config):
        # In the result so far: the boxes of two ellipses may overlap
        restored = restore_region(result, region, model, config, compute)
        result = paste(result, restored, region.box)
        done.append(_outcome(image, restored, region))
    return Restored(result, tuple(done))


def restore_region(
    image: Pixels, region: Region, model: Model, config: RestoreConfig, compute: Compute
) -> Pixels:
    """What is behind a mosaic in a picture (H, W, 3): the pixels of its box, those of them that are
    no mosaic as they were.

    The network sees the cells' colours painted at a cell size it was trained on, and ours what is
    round them at the same scale, so that a picture of any resolution is what it knows.
    """
    if model.card.blocks is None:
        raise DemosaicError(
            "this model was not trained on mosaics: it restores whole pictures only"
        )
    observed, grid, box = crop(image, region.box), region.grid, region.box
    colours = cell_colours(observed, grid, region.hidden)
    if isinstance(model.generator, Restorer):
        canvas = _restored_in_place(
            _canvas(image, region, colours, model.card), model, config, compute
        )
        scaled = resize(canvas.transpose(1, 2, 0), box.width, box.height)
        restored = np.ascontiguousarray(scaled.transpose(2, 0, 1))
    else:
        canvas = _translated_cells(colours, model.generator, model.card, compute)
        restored = _to_size(canvas, grid, box.width, box.height)
    pixels = finish(restored, colours, grid) if config.reconcile else to_uint8(restored)
    return np.where(region.hidden[:, :, None], pixels, observed)


@dataclass(frozen=True)
class _Canvas:
    """A region and what is round it, scaled so that a cell has whole pixels."""

    picture: Pixels
    grid: Grid
    box: Box
    """Where in the picture the region is."""
    hidden: NDArray[np.bool_]
    """(H, W) of the picture."""


def _restored_in_place(
    canvas: _Canvas, model: Model, config: RestoreConfig, compute: Compute
) -> Floats:
    """What our network makes of a region, shown with its surroundings: the part of the canvas that
    the region fills.
    """
    box = canvas.box
    shown = views([observe(canvas.picture, canvas.grid, box=box, hidden=canvas.hidden)])
    shown = shown.to(compute.take)
    if not config.reconcile:
        shown = replace(shown, pull=torch.zeros_like(shown.pull))
    output: Floats = compute.infer(model.generator, shown, config.realism)[0]
    return output[:, box.y : box.y + box.height, box.x : box.x + box.width]


def _canvas(image: Pixels, region: Region, colours: Floats, card: ModelCard) -> _Canvas:
    """The region, its cells of these `colours`, at a cell size the model knows, the whole about as
    large as in training.
    """
    assert card.blocks is not None
    grid, place = region.grid, region.box
    around = place.grown(place.width // 4, place.height // 4, image)
    cells_across = max(around.width / grid.width, around.height / grid.height)
    block = int(np.clip(round(card.size / cells_across), *card.blocks))
    rows, columns = grid.edges(place.height, place.width)
    top, heights, bottom = _layout(rows, grid.height, block, (place.y, around.y, around.height))
    left, widths, right = _layout(columns, grid.width, block, (place.x, around.x, around.width))
    box = Box(left, top, sum(widths), sum(heights))
    picture = resize(crop(image, around), left + box.width + right, top + box.height + bottom)
    inside = resize_mask(region.hidden, box.width, box.height)
    whole = Grid(block, block, widths[0], heights[0])
    painted = paint_cells(colours, whole, (box.height, box.width))
    hidden = np.zeros(picture.shape[:2], bool)
    crop(hidden, box)[:] = inside
    piece = np.where(inside[:, :, None], painted, crop(picture, box))
    return _Canvas(paste(picture, piece, box), whole, box, hidden)


def _layout(
    edges: NDArray[np.intp], cell: float, block: int, place: tuple[int, int, int]
) -> tuple[int, list[int], int]:
    """Pixels of the canvas along an axis: before the region, of each of its cells, and after it.

    `place`: where the region begins, where its surroundings do, and how long these are.
    """
    start, first, length = place
    before, after = start - first, first + length - start - int(edges[-1])
    return round(before * block / cell), _scaled(edges, cell, block), round(after * block / cell)


def _scaled(edges: NDArray[np.intp], cell: float, block: int) -> list[int]:
    """The sides of cells when a whole one has `block` pixels; those cut by an edge have fewer."""
    sides = [block] * (len(edges) - 1)
    for end in (0, -1):
        part = float(np.diff(edges)[end])
        if part < cell - 1:
            sides[end] = max(1, min(block - 1, round(part * block / cell)))
    return sides


def _outcome(image: Pixels, restored: Pixels, region: Region) -> RegionRestored:
    shown = cell_colours(crop(image, region.box), region.grid, region.hidden)
    sums = cells(restored.transpose(2, 0, 1).astype(np.float64), region.grid)
    whole = cells(region.hidden[None].astype(np.float64), region.grid) > 0.999
    error = float(np.max(np.abs(sums - shown) * whole))
    return RegionRestored(
        region.box.corners,
        (region.grid.width, region.grid.height),
        (region.grid.left, region.grid.top),
        round(region.confidence, 3),
        round(error, 3),
    )


def _given_box(image: Pixels, config: RestoreConfig) -> Box | None:
    """The region asked for. Raises DemosaicError when it is not inside the picture."""
    if config.region is None:
        return None
    box = Box(*config.region)
    if not box.inside(image):
        raise DemosaicError(
            f"the region {box.x},{box.y},{box.width},{box.height} is not inside the picture of "
            f"{image.shape[1]} x {image.shape[0]} px"
        )
    return box


def _regions(image: Pixels, config: RestoreConfig) -> list[Region]:
    """The mosaics to undo: the one given, or all that are found.

    Cells of a side that was given begin in the corner of the region, or of the picture.
    """
    box = _given_box(image, config)
    if config.block:
        return [_given(image, box or Box.whole(image), Grid.square(config.block))]
    if box is None:
        found = find_mosaic(image)
    else:
        found = [_in_box(region, box) for region in find_mosaic(crop(image, box))[:1]]
    if not found:
        raise DemosaicError(
            "no mosaic found: mark it with --region X,Y,W,H and give the cell size with --block",
            NOTHING_TO_DO,
        )
    return found


def _given(image: Pixels, box: Box, grid: Grid) -> Region:
    """The mosaic that is said to fill a box. Raises DemosaicError when no such mosaic is there."""
    observed = crop(image, box)
    flat = paint_cells(cell_colours(observed, grid), grid, (box.height, box.width))
    inside = float(np.mean((observed.astype(np.float32) - flat) ** 2))
    if inside > max(_NOISE, _MISFIT * float(observed.var())):
        raise DemosaicError(
            f"no mosaic with cells of {grid.width} px that begin in the corner: "
            "leave out --block, and give the pixelated rectangle with --region",
            NOTHING_TO_DO,
        )
    return _filled(box, grid, 1.0)


def _in_box(region: Region, box: Box) -> Region:
    """The cells of a mosaic found in a part of a picture, all over that part."""
    grid = region.grid
    shifted = replace(grid, left=grid.left + region.box.x, top=grid.top + region.box.y)
    return _filled(box, shifted, region.confidence)


def _filled(box: Box, grid: Grid, confidence: float) -> Region:
    return Region(box, grid, np.ones((box.height, box.width), bool), confidence)


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
    write_restored(job.out, restored.image, like=job.source, whole=_is_all(restored, image))
    return restored


def _is_all(restored: Restored, image: Pixels) -> bool:
    """Whether a model made every pixel."""
    return any(region.box == Box.whole(image).corners for region in restored.regions)


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
            listen(PictureRestored(str(job.source), str(job.out), restored.regions))
    if len(failures) == len(jobs):
        code = max(error.exit_code for error in failures)
        raise DemosaicError(f"none of {len(jobs)} pictures was restored: {failures[0]}", code)
    return len(jobs) - len(failures)
