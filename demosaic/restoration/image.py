"""One picture restored, in memory or on disk."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np
import torch

from demosaic.config.compute import DeviceConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.config.rules import Sampler
from demosaic.detection.region import Region, filled
from demosaic.detection.sampler import SamplerDecision, centre_cells, decide_sampler
from demosaic.errors import DemosaicError
from demosaic.events import Listener, ignore
from demosaic.files import make_folder
from demosaic.imaging.arrays import Mask, Pixels, resize, to_float, to_uint8
from demosaic.imaging.decoding import read_image, read_mask
from demosaic.imaging.edited_copy import write_comparison, write_restored
from demosaic.imaging.geometry import Box, crop, paste
from demosaic.imaging.pictures import Picture, to_pixels
from demosaic.models.compute import Compute, Trial, choose, settle_threads
from demosaic.models.lookup import load_model
from demosaic.models.model import Model
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours, cell_means, cell_shares, paint_cells
from demosaic.mosaic.quantise import finish
from demosaic.restoration.events import RegionRestored
from demosaic.restoration.targets import places_given, regions_in

_TRIAL_BLOCK = 16  # px


@dataclass(frozen=True)
class Restored:
    """A picture with its mosaics undone."""

    picture: Pixels
    """RGB levels (H, W, 3), 0 to 255."""
    regions: tuple[RegionRestored, ...]


def restore(
    picture: Picture,
    *,
    model: str | PathLike[str] | Model | None = None,
    config: RestoreConfig = RestoreConfig(),
    devices: DeviceConfig = DeviceConfig(),
    listen: Listener = ignore,
) -> Restored:
    """Restore the mosaics in a picture. Nothing is written.

    `picture`: a file, a Pillow picture, or RGB levels (H, W, 3) of type uint8. `model`: a model or
    its file; without one, `find_model` chooses. The mosaics are those that the config gives, or all
    that are found; every other pixel comes back as it was. Of the config, `compare` and
    `copy_untouched` are for files only.

    Raises DemosaicError when there is no model, no picture, or no mosaic in the picture.
    """
    image = to_pixels(picture)
    mask = read_mask(Path(config.mask)) if config.mask else None
    settle_threads(devices)
    compute, _ = choose(devices)
    loaded = load_model(model, compute.device, listen)
    return restore_image(image, loaded, config, compute, mask=mask)


def restore_face(
    observed: Pixels,
    grid: Grid,
    model: Model,
    *,
    compute: Compute,
    consistency: float = 1.0,
    realism: float = RestoreConfig.realism,
) -> Pixels:
    """The face behind a mosaic (H, W, 3) of means, of any size, on `grid`; same size.

    With a `consistency` of 1, the result pixelates on `grid` to the colours shown, each within half
    a grey level. Raises DemosaicError for a model of other pictures than mosaics.
    """
    config = RestoreConfig(sampler="mean", consistency=consistency, realism=realism)
    whole = filled(Box.whole(observed), grid)
    return restore_region(observed, whole, model, config, compute)


def restore_image(
    image: Pixels,
    model: Model,
    config: RestoreConfig,
    compute: Compute,
    *,
    mask: Mask | None = None,
) -> Restored:
    """A picture (H, W, 3) with its mosaics undone, those found or those given in the config or by a
    mask (H, W); every other pixel as it was.

    Raises DemosaicError when a region is not inside, or nothing is a mosaic.
    """
    if not model.undoes_mosaics:
        places = places_given(image, config, mask)
        boxes = [place.box for place in places] or [Box.whole(image)]
        return _translated(image, boxes, model, compute)
    regions = regions_in(image, config, mask)
    return restore_regions(image, regions, model, config, compute)


def _translated(image: Pixels, boxes: Sequence[Box], model: Model, compute: Compute) -> Restored:
    """A picture whose boxes went through a model that was trained on other pairs than mosaics."""
    result = image
    for box in boxes:
        result = paste(result, model.translate(crop(image, box), compute), box)
    done = (RegionRestored(box.corners, None, (0, 0), None, 1.0, 0.0) for box in boxes)
    return Restored(result, tuple(done))


def restore_regions(
    image: Pixels, regions: Sequence[Region], model: Model, config: RestoreConfig, compute: Compute
) -> Restored:
    """A picture (H, W, 3) with these mosaics undone; every other pixel as it was.

    Raises DemosaicError for a model of other pictures than mosaics.
    """
    result, done = image, []
    told = _told(image, regions, config)
    config = replace(config, sampler=told.sampler, consistency=told.consistency)
    for region in regions:
        # In the result so far: the boxes of two ellipses may overlap
        restored = restore_region(result, region, model, config, compute)
        result = paste(result, restored, region.box)
        done.append(_outcome(image, restored, region, told.sampler))
    return Restored(result, tuple(done))


def restore_region(
    image: Pixels, region: Region, model: Model, config: RestoreConfig, compute: Compute
) -> Pixels:
    """What is behind a mosaic in a picture (H, W, 3): the pixels of its box, those of them that are
    no mosaic as they were.

    The network sees the cells' colours painted at a cell size it was trained on, and ours what is
    round them at the same scale, so that a picture of any resolution is what it knows.
    """
    observed = crop(image, region.box)
    told = _told(image, [region], config)
    shown, colours = region, cell_colours(observed, region.grid, region.hidden)
    if told.sampler == "top-left":
        shown, colours = centre_cells(image, region)
    restored = model.fill(
        image, shown, colours, compute, consistency=told.consistency, realism=config.realism
    )
    pixels = (
        finish(restored, colours, shown.grid, told.consistency)
        if told.consistency
        else to_uint8(restored)
    )
    return np.where(region.hidden[:, :, None], pixels, observed)


def _told(image: Pixels, regions: Sequence[Region], config: RestoreConfig) -> SamplerDecision:
    """What cells show and how far they are pulled to it: as the config says, else as is told."""
    if config.sampler:
        told = SamplerDecision(config.sampler, float(config.sampler == "mean"))
    else:
        told = decide_sampler(image, regions)
    return told if config.consistency is None else replace(told, consistency=config.consistency)


def _outcome(image: Pixels, restored: Pixels, region: Region, sampler: Sampler) -> RegionRestored:
    shown = cell_colours(crop(image, region.box), region.grid, region.hidden)
    whole = cell_shares(region.hidden, region.grid) == 1
    error = float(np.max(np.abs(cell_means(restored, region.grid) - shown) * whole))
    return RegionRestored(
        region.box.corners,
        (region.grid.width, region.grid.height),
        (region.grid.left, region.grid.top),
        sampler,
        round(region.confidence, 3),
        round(error, 3),
    )


def trial(model: Model) -> Trial:
    """The work of one face, to try what it is computed fastest with."""
    side, grid = model.card.size, Grid.square(_TRIAL_BLOCK)
    spots = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    picture = resize(spots, side, side)  # as smooth as a face
    observed = paint_cells(cell_colours(picture, grid), grid, (side, side))

    def restore(compute: Compute) -> torch.Tensor:
        restored = restore_face(observed, grid, model, compute=compute)
        return torch.from_numpy(to_float(restored))

    return restore


# Files


def restore_file(
    source: Path, out: Path, model: Model, config: RestoreConfig, compute: Compute
) -> Restored:
    """Restore the picture in a file and write the result. Raises DemosaicError that names the
    file.
    """
    image = read_image(source)
    mask = read_mask(Path(config.mask)) if config.mask else None
    try:
        restored = restore_image(image, model, config, compute, mask=mask)
    except DemosaicError as error:
        raise DemosaicError(f"{source}: {error}", error.exit_code) from error
    make_folder(out.parent)
    write_restored(out, restored.picture, like=source, whole=_is_all(restored, image))
    if config.compare:
        name = out.stem.removesuffix(".restored")
        write_comparison(out.with_name(f"{name}.compare.jpg"), image, restored.picture)
    return restored


def _is_all(restored: Restored, image: Pixels) -> bool:
    """Whether a model made every pixel."""
    return any(region.box == Box.whole(image).corners for region in restored.regions)
