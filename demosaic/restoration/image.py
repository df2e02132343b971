"""One picture restored, in memory."""

from collections.abc import Callable, Sequence
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
from demosaic.errors import USAGE, DemosaicError
from demosaic.events import Listener, ignore
from demosaic.imaging.arrays import Floats, Mask, Pixels, resize, to_float, to_uint8
from demosaic.imaging.decoding import read_mask
from demosaic.imaging.geometry import Box, crop, paste
from demosaic.imaging.heat import spread_of
from demosaic.imaging.pictures import Picture, to_pixels
from demosaic.models.compute import Compute, Trial, choose, settle_threads
from demosaic.models.lookup import load_model
from demosaic.models.model import Model
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours, cell_means, cell_shares, paint_cells
from demosaic.mosaic.quantise import finish
from demosaic.restoration.events import RegionRestored
from demosaic.restoration.targets import places_given, regions_in

_TRIAL_BLOCK = 16  # px; side of a cell in the trial
_SPREAD_DRAWS = 8  # the spread of so few is right within a quarter


@dataclass(frozen=True)
class Restored:
    """A picture with its mosaics restored."""

    picture: Pixels
    """RGB levels (H, W, 3), 0 to 255."""
    regions: tuple[RegionRestored, ...]
    """The mosaics that were restored."""
    samples: tuple[Pixels, ...]
    """All draws that the config asks for; the first is `picture`."""
    spread: Floats | None = None
    """(H, W): the standard deviation of full draws, grey levels, mean of the colours; 0 outside the
    mosaics. None unless the config asks for it.
    """
    found: tuple[Region, ...] = ()
    """The mosaics as they were detected; empty for a model of other pictures."""


ShowFrame = Callable[[Pixels, Restored], None]
"""What else to do with a frame that was restored, (H, W, 3) before, and the result."""


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
    its file; without one, that which `demosaic restore` takes. The mosaics are those that the
    config gives, or all that are found; every other pixel comes back as it was. `compare`,
    `page` and `copy_untouched` of the config are for files only.

    Raises DemosaicError when there is no model, no picture, or no mosaic in the picture.
    """
    image = to_pixels(picture)
    mask = read_mask(Path(config.mask)) if config.mask else None
    settle_threads(devices)
    compute, _ = choose(devices)
    loaded = load_model(model, compute.device, listen)
    refuse_draws(loaded, config)
    return restore_image(image, loaded, config, compute, mask=mask)


def refuse_draws(model: Model, config: RestoreConfig) -> None:
    """Raise DemosaicError where the config asks for draws, and the model makes one picture only."""
    asked = {"--samples": config.samples > 1, "--spread": config.spread}
    if any(asked.values()) and not model.draws:
        names = " and ".join(name for name, given in asked.items() if given)
        raise DemosaicError(
            f"{names}: this model always gives the same picture; choose one with a second stage, "
            "trained by version 0.3 or later",
            USAGE,
        )


def restore_face(
    observed: Pixels,
    grid: Grid,
    model: Model,
    *,
    compute: Compute,
    consistency: float = 1.0,
    realism: float = RestoreConfig.realism,
) -> Pixels:
    """A mosaic (H, W, 3) of cell means, of any size, restored to levels (H, W, 3).

    With a `consistency` of 1, the cell means of the result are the observed colours, each within
    half a grey level. Raises DemosaicError for a model of other pictures than mosaics.
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
    """Restore a picture (H, W, 3): the mosaics that the config or a mask (H, W) gives, or all that
    are found. Every other pixel stays as it is.

    Raises DemosaicError when a region is not inside the picture, or there is no mosaic.
    """
    if not model.undoes_mosaics:
        places = places_given(image, config, mask)
        boxes = [place.box for place in places] or [Box.whole(image)]
        return _translated(image, boxes, model, compute)
    regions = regions_in(image, config, mask)
    return restore_regions(image, regions, model, config, compute)


def _translated(image: Pixels, boxes: Sequence[Box], model: Model, compute: Compute) -> Restored:
    """The picture with its boxes translated by a model of other pictures than mosaics."""
    result = image
    for box in boxes:
        result = paste(result, model.translate(crop(image, box), compute), box)
    done = (RegionRestored(box.corners, None, (0, 0), None, 1.0, 0.0) for box in boxes)
    return Restored(result, tuple(done), (result,))


def restore_regions(
    image: Pixels,
    regions: Sequence[Region],
    model: Model,
    config: RestoreConfig,
    compute: Compute,
    made: Sequence[Floats | None] = (),
) -> Restored:
    """Restore these mosaics of a picture (H, W, 3). Every other pixel stays as it is.

    `made`: for each mosaic what to finish instead of what the network makes of it, if that is
    known, (3, box.height, box.width) in about [-1, 1].

    Raises DemosaicError for a model of other pictures than mosaics.
    """
    decision = _decision(image, regions, config)
    config = replace(config, sampler=decision.sampler, consistency=decision.consistency)
    seeds = range(config.seed, config.seed + config.samples)
    known = list(made) or [None] * len(regions)
    samples = [
        _drawn(image, regions, known, model, replace(config, seed=one), compute) for one in seeds
    ]
    done = (_outcome(image, samples[0], region, decision.sampler) for region in regions)
    spread = _spread(image, regions, model, config, compute) if config.spread else None
    return Restored(samples[0], tuple(done), tuple(samples), spread, tuple(regions))


def _drawn(
    image: Pixels,
    regions: Sequence[Region],
    known: Sequence[Floats | None],
    model: Model,
    config: RestoreConfig,
    compute: Compute,
) -> Pixels:
    """The picture (H, W, 3) with its mosaics restored once."""
    result = image
    for region, made in zip(regions, known, strict=True):
        # Restored in the result so far: the boxes of two ellipses may overlap
        restored = restore_region(result, region, model, config, compute, made)
        result = paste(result, restored, region.box)
    return result


def _spread(
    image: Pixels, regions: Sequence[Region], model: Model, config: RestoreConfig, compute: Compute
) -> Floats:
    """See `Restored.spread`."""
    spread = np.zeros(image.shape[:2], np.float32)
    for region in regions:
        draws = (
            restore_region(image, region, model, replace(config, realism=1.0, seed=seed), compute)
            for seed in range(config.seed, config.seed + _SPREAD_DRAWS)
        )
        within = crop(spread, region.box)
        np.copyto(within, spread_of(draws), where=region.hidden)
    return spread


def restore_region(
    image: Pixels,
    region: Region,
    model: Model,
    config: RestoreConfig,
    compute: Compute,
    made: Floats | None = None,
) -> Pixels:
    """The box of a mosaic in a picture (H, W, 3), restored: levels (box.height, box.width, 3).
    Pixels of the box outside the mosaic stay as they are. `made`: see `restore_regions`.

    The network sees the mosaic, and its surroundings, scaled to a cell size that it was trained on,
    so that it works at any resolution.
    """
    observed = crop(image, region.box)
    decision = _decision(image, [region], config)
    shown, colours = region, cell_colours(observed, region.grid, region.hidden)
    if decision.sampler == "top-left":
        shown, colours = centre_cells(image, region)
    strict = replace(config, consistency=decision.consistency)
    restored = model.fill(image, shown, colours, strict, compute) if made is None else made
    pixels = (
        finish(restored, colours, shown.grid, decision.consistency)
        if decision.consistency
        else to_uint8(restored)
    )
    return np.where(region.hidden[:, :, None], pixels, observed)


def _decision(image: Pixels, regions: Sequence[Region], config: RestoreConfig) -> SamplerDecision:
    """The sampler of the mosaics and how strictly their colours are enforced: as the config says,
    else as the picture shows.
    """
    if config.sampler:
        decision = SamplerDecision(config.sampler, float(config.sampler == "mean"))
    else:
        decision = decide_sampler(image, regions)
    if config.consistency is None:
        return decision
    return replace(decision, consistency=config.consistency)


def _outcome(image: Pixels, result: Pixels, region: Region, sampler: Sampler) -> RegionRestored:
    """What is reported of a mosaic in a picture (H, W, 3) and in the restored picture."""
    observed = cell_colours(crop(image, region.box), region.grid, region.hidden)
    restored = crop(result, region.box)
    whole = cell_shares(region.hidden, region.grid) == 1
    error = float(np.max(np.abs(cell_means(restored, region.grid) - observed) * whole))
    return RegionRestored(
        region.box.corners,
        (region.grid.width, region.grid.height),
        (region.grid.left, region.grid.top),
        sampler,
        round(region.confidence, 3),
        round(error, 3),
    )


def trial(model: Model) -> Trial:
    """The restoring of one face, to time devices and precisions with."""
    side, grid = model.card.size, Grid.square(_TRIAL_BLOCK)
    spots = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    picture = resize(spots, side, side)  # as smooth as a face
    observed = paint_cells(cell_colours(picture, grid), grid, (side, side))

    def restore_one(compute: Compute) -> torch.Tensor:
        restored = restore_face(observed, grid, model, compute=compute)
        return torch.from_numpy(to_float(restored))

    return restore_one
