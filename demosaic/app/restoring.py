"""The first tab: mosaics found, their cells corrected by hand, and restored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from demosaic.app.jobs import Job, Result
from demosaic.app.pictures import explained, has_frames, opened, result_suffix
from demosaic.app.tools import Tools
from demosaic.app.uploads import Upload
from demosaic.config.restoration import Quality, RestoreConfig
from demosaic.detection.detector import find_mosaics
from demosaic.detection.region import Region
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.imaging.arrays import Floats, Pixels
from demosaic.imaging.edited_copy import Edit, losses, write_edited
from demosaic.imaging.encoding import encode_png
from demosaic.imaging.geometry import Box, crop
from demosaic.imaging.heat import heat_map, spread_of
from demosaic.imaging.metadata import MADE, MADE_IN_PART, Keeping
from demosaic.mosaic.grid import Grid
from demosaic.records import between
from demosaic.restoration.events import RegionRestored
from demosaic.restoration.image import restore_regions
from demosaic.restoration.targets import regions_in

STEPS = (0.0, 0.5, 1.0)
"""The realisms that are computed; the page blends between two of them."""

_SPREAD_DRAWS = 8

_Side = Annotated[int, between(1, 2**20)]
_Place = Annotated[int, between(0, 2**20)]


@dataclass(frozen=True)
class Mosaic:
    """A mosaic as the page names it."""

    box: tuple[_Place, _Place, _Side, _Side]
    block: tuple[float, float] | None = None
    """Cell width and height, px; None: to be found."""
    offset: tuple[float, float] = (0.0, 0.0)
    found: Annotated[int, between(-1, 10_000)] = -1
    """Which of the mosaics found it was; it keeps its shape where the box is the same. Or -1."""


@dataclass(frozen=True)
class Find:
    """Find the mosaics of a picture."""

    upload: str


@dataclass(frozen=True)
class Measure:
    """Find the cells in a box of a picture."""

    upload: str
    mosaic: Mosaic


@dataclass(frozen=True)
class Restore:
    """Restore mosaics of a picture, to look at."""

    upload: str
    mosaics: tuple[Mosaic, ...]
    seed: Annotated[int, between(0, 2**31)] = 0
    draws: Annotated[int, between(1, 8)] = 1
    spread: bool = False
    quality: Quality = "usual"


@dataclass(frozen=True)
class Write:
    """Restore mosaics of a picture, to download."""

    upload: str
    mosaics: tuple[Mosaic, ...]
    seed: Annotated[int, between(0, 2**31)]
    realism: Annotated[float, between(0, 1)]
    quality: Quality = "usual"


# Where the mosaics are


def find(asked: Find, tools: Tools, job: Job) -> Result:
    """The mosaics of a picture, its size and what a result cannot keep."""
    upload = tools.upload(asked.upload)
    job.begin(2, "Opening the picture")
    original = opened(upload)
    first = original.pages[0].shown
    job.add_file("shown.png", encode_png(first))
    job.advance()
    job.step = "Looking for mosaics"
    upload.found = [] if has_frames(original) else find_mosaics(first)
    height, width = first.shape[:2]
    return {
        "width": width,
        "height": height,
        "frames": len(original.pages) if has_frames(original) else 1,
        "notes": losses(upload.folder / f"x{result_suffix(original)}", original, Keeping(MADE)),
        "mosaics": [_described(one, number) for number, one in enumerate(upload.found)],
    }


def measure(asked: Measure, tools: Tools, job: Job) -> Result:
    """The cells in a box that was drawn by hand."""
    upload = tools.upload(asked.upload)
    image = opened(upload).pages[0].shown
    (region,) = _regions(image, [replace(asked.mosaic, block=None)], upload)
    return {"mosaic": _described(region, -1)}


def _described(region: Region, found: int) -> Result:
    grid = region.grid
    return {
        "box": region.box.corners,
        "block": (round(grid.width, 3), round(grid.height, 3)),
        "offset": (round(grid.left, 3), round(grid.top, 3)),
        "confidence": round(region.confidence, 3),
        "found": found,
    }


def _regions(image: Pixels, mosaics: Sequence[Mosaic], upload: Upload) -> list[Region]:
    """The mosaics that the page names. Raises DemosaicError with a sentence for the page."""
    if not mosaics:
        raise DemosaicError("Draw a box around each mosaic first.")
    return [_region(image, one, upload) for one in mosaics]


def _region(image: Pixels, mosaic: Mosaic, upload: Upload) -> Region:
    box = Box(*mosaic.box)
    if not box.inside(image):
        raise DemosaicError("A box is not inside the picture.")
    before = upload.found[mosaic.found] if 0 <= mosaic.found < len(upload.found) else None
    if before and before.box == box and mosaic.block:
        return replace(before, grid=_grid(mosaic, mosaic.block))
    try:
        config = RestoreConfig(
            regions=(mosaic.box,),
            block=mosaic.block,
            offset=mosaic.offset if mosaic.block else None,
        )
        (region,) = regions_in(image, config)
    except DemosaicError as error:
        if error.exit_code != NOTHING_TO_DO:
            raise
        raise DemosaicError(_no_cells(mosaic), NOTHING_TO_DO) from error
    return region


def _grid(mosaic: Mosaic, block: tuple[float, float]) -> Grid:
    if min(block) < 2:
        raise DemosaicError("A cell has at least 2 px on each side.")
    return Grid(*block, *mosaic.offset)


def _no_cells(mosaic: Mosaic) -> str:
    x, y, width, height = mosaic.box
    if mosaic.block is None:
        return (
            f"No cells were found in the box at {x}, {y} ({width} x {height} px). "
            "Make it fit the mosaic, or set the cells by hand."
        )
    across, down = mosaic.block
    return (
        f"The box at {x}, {y} has no mosaic with cells of {across:g} x {down:g} px there. "
        "Move the grid until its lines lie on the edges of the cells."
    )


# Restored to look at


def restore(asked: Restore, tools: Tools, job: Job) -> Result:
    """Restored mosaics: files `mean-R.png` and `draw-D-S-R.png`, by mosaic, draw and step of
    `STEPS`; `spread-R.png` and what its white stands for.
    """
    upload = tools.upload(asked.upload)
    has_draws = tools.model.card.sharp
    draws = asked.draws if tools.model.draws else 1
    spread = asked.spread and tools.model.draws
    rounds = 1 + has_draws * draws * 2 + spread * max(0, _SPREAD_DRAWS - draws)
    job.begin(rounds, "Restoring")
    image = opened(upload).pages[0].shown
    regions = _regions(image, asked.mosaics, upload)
    config = RestoreConfig(quality=asked.quality)

    def drawn(realism: float, seed: int) -> tuple[Pixels, tuple[RegionRestored, ...]]:
        made = restore_regions(
            image, regions, tools.model, replace(config, realism=realism, seed=seed), tools.compute
        )
        job.advance()
        return made.picture, made.regions

    picture, done = drawn(0.0, asked.seed)
    _keep_crops(job, "mean", picture, regions)
    full: list[Pixels] = []
    for draw in range(draws if has_draws else 0):
        for number, realism in enumerate(STEPS[1:], 1):
            picture, done = drawn(realism, asked.seed + draw)
            _keep_crops(job, f"draw-{draw}-{number}", picture, regions)
        full.append(picture)
    most = 0.0
    if spread:
        rest = range(asked.seed + draws, asked.seed + _SPREAD_DRAWS)
        full += [drawn(1.0, seed)[0] for seed in rest]
        most = _keep_spread(job, spread_of(full), regions)
    return {
        "mosaics": [_outcome(one) for one in done],
        "draws": draws if has_draws else 0,
        "steps": STEPS if has_draws else STEPS[:1],
        "spread": most,
    }


def _keep_crops(job: Job, name: str, picture: Pixels, regions: Sequence[Region]) -> None:
    for number, region in enumerate(regions):
        job.add_file(f"{name}-{number}.png", encode_png(crop(picture, region.box)))


def _keep_spread(job: Job, spread: Floats, regions: Sequence[Region]) -> float:
    """Keep the heat map of each mosaic; the deviation, grey levels, that is shown as white."""
    hidden = [np.where(one.hidden, crop(spread, one.box), 0) for one in regions]
    most = max(1.0, *(float(np.ceil(one.max())) for one in hidden))
    for number, one in enumerate(hidden):
        job.add_file(f"spread-{number}.png", encode_png(heat_map(one.astype(np.float32), most)))
    return most


def _outcome(region: RegionRestored) -> Result:
    return {"sampler": region.sampler, "cell_error": region.cell_error}


# Restored to keep


def write(asked: Write, tools: Tools, job: Job) -> Result:
    """The whole restored picture as a file like the original: `result`, and its suffix."""
    upload = tools.upload(asked.upload)
    job.begin(2, "Writing the picture")
    original = opened(upload)
    first = original.pages[0]
    regions = _regions(first.shown, asked.mosaics, upload)
    config = RestoreConfig(realism=asked.realism, seed=asked.seed, quality=asked.quality)
    made = restore_regions(first.shown, regions, tools.model, config, tools.compute)
    job.advance()
    whole = any(one.box == Box.whole(first.shown) for one in regions)
    pages = (first.edited(made.picture), *original.pages[1:])
    out = job.place_file("result", result_suffix(original))
    with explained(upload):
        write_edited(out, Edit(original, pages, Keeping(MADE if whole else MADE_IN_PART)))
    return {"suffix": out.suffix}
