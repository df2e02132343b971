"""A mosaic restored with the help of the frames before and after it."""

from dataclasses import replace

import numpy as np

from demosaic.config.clips import ClipConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.detection.region import Region
from demosaic.imaging.arrays import Floats, Pixels, to_levels
from demosaic.imaging.geometry import crop
from demosaic.models.compute import Compute
from demosaic.models.model import Model
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.operators import cells
from demosaic.mosaic.pixelate import cell_colours
from demosaic.restoration.fusion import averaged, fused
from demosaic.restoration.sight import Sight, sight
from demosaic.restoration.window import Face

_USUAL, _MANY = 8, 16  # frames that are looked at together, as usual and for the best quality

_ELSEWHERE = 0.02  # of a cell, root mean square; registration errs by less

_LEAST_CELL = 4.0  # px of the frame; smaller cells are not halved


def frames_together(clips: ClipConfig, config: RestoreConfig) -> int:
    """How many frames of a clip are looked at together; 1 for each frame alone."""
    if clips.frames_alone:
        return 1
    return clips.window or (_MANY if config.quality == "best" else _USUAL)


def seen(
    picture: Pixels,
    region: Region,
    config: RestoreConfig,
    model: Model,
    compute: Compute,
) -> Sight | None:
    """What a frame (H, W, 3) shows of a mosaic; None where its cells are no means, as nothing is
    known then of what lies between the pixels that were taken.
    """
    if config.sampler != "mean" or config.consistency not in (None, 1.0):
        return None
    colours = cell_colours(crop(picture, region.box), region.grid, region.hidden)
    plain = replace(config, realism=0.0, quality="usual")
    mean = _levels(model.fill(picture, region, colours, plain, compute))
    return sight(picture, region, mean, model.spectrum(picture, region))


def made_of(face: Face, model: Model, config: RestoreConfig, compute: Compute) -> Floats | None:
    """(3, box.height, box.width) in about [-1, 1], not yet finished: the face that the frames show
    together. None where no other frame shows it: then there is nothing to fuse.

    What the frames show is averaged over cells of half the side and handed to the network as a
    mosaic: it knows better than a spectrum what lies between. A draw begins from there.
    """
    present, others = face.sight, face.others
    if not others:
        return None
    likeliest = fused(present, others, averaged(present, others))
    finer = _finer(present.region)
    if finer is None or not _tells_more(face):
        return _in_range(likeliest)
    colours = np.clip(cells(likeliest.transpose(2, 0, 1), finer.grid), 0, 255)
    made = model.fill(present.picture, finer, np.rint(colours), config, compute)
    if config.realism > 0:
        return made
    spectrum = model.spectrum(present.picture, finer)
    again = fused(replace(present, spectrum=spectrum), others, _levels(made))
    return _in_range(again)


def _tells_more(face: Face) -> bool:
    """Whether the cells of other frames lie elsewhere on the face than those of the present one."""
    present = face.sight
    offsets = []
    for other in face.others:
        away = other.motion.of(other.sight.places) - present.places[0]
        across, down = away.real / present.cell.real, away.imag / present.cell.imag
        offsets += [across - np.rint(across), down - np.rint(down)]
    return float(np.sqrt(np.mean(np.concatenate(offsets) ** 2))) > _ELSEWHERE


def _finer(region: Region) -> Region | None:
    """The mosaic with cells of half the side; None where they would be too small to tell more."""
    grid = region.grid
    if min(grid.width, grid.height) < 2 * _LEAST_CELL:
        return None
    return replace(region, grid=Grid(grid.width / 2, grid.height / 2, grid.left, grid.top))


def _levels(made: Floats) -> Floats:
    """Values (3, H, W) in [-1, 1] as grey levels (H, W, 3)."""
    return np.ascontiguousarray(to_levels(made).transpose(1, 2, 0))


def _in_range(levels: Floats) -> Floats:
    """Grey levels (H, W, 3) as values (3, H, W) in [-1, 1]."""
    return np.ascontiguousarray(levels.transpose(2, 0, 1)) / np.float32(127.5) - 1
