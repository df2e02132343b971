"""One clip restored, frame by frame, steadily."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from demosaic.config.restoration import RestoreConfig
from demosaic.config.rules import Sampler
from demosaic.detection.region import Region
from demosaic.detection.sampler import likelier_sampler, top_left_evidence
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.events import Listener, Notice, ignore
from demosaic.imaging.arrays import Mask, Pixels
from demosaic.imaging.decoding import read_mask
from demosaic.imaging.edited_copy import write_comparison
from demosaic.imaging.metadata import MADE_IN_PART
from demosaic.models.compute import Compute
from demosaic.models.model import Model
from demosaic.restoration.events import ClipRestored, FrameRestored
from demosaic.restoration.image import restore_regions
from demosaic.restoration.targets import regions_in
from demosaic.restoration.tracking import Find, Shown, followed, steadied
from demosaic.restoration.video_io import Changed, Frame, Told, edit_clip

_Looked = tuple[Frame, Pixels, list[Region]]
"""A frame, its upright picture and the mosaics in it."""


_AHEAD = 4  # frames whose mosaics tell too what the cells of one show

_GAP = 1  # pixels beside a mosaic that have some of its colours in a clip

_VOICE = 5.0  # the most evidence of one frame; its mosaics' ends may be wrong


def restore_clip(
    source: Path,
    out: Path,
    model: Model,
    config: RestoreConfig,
    compute: Compute,
    listen: Listener = ignore,
) -> ClipRestored:
    """Restore the mosaics in every frame of a clip and write the result: its sound, times, size and
    colours are the clip's own, and so is every pixel outside, but for what coding it again does.

    A frame that cannot be read is left out and said. Raises DemosaicError that names the file.
    """
    if not model.undoes_mosaics:
        raise DemosaicError(
            f"{source}: this model was not trained on mosaics: it restores no clips"
        )
    mask = read_mask(Path(config.mask)) if config.mask else None
    by_hand = bool(mask is not None or config.regions or config.block)
    find = partial(_found, config=config, mask=mask)
    restored = 0

    def edit(frames: Iterator[tuple[Frame, Pixels]]) -> Iterator[tuple[Frame, Pixels, Changed]]:
        nonlocal restored
        before: list[Shown] = []
        looked = _looked_at(frames, find) if by_hand else followed(frames, find)
        for number, ((frame, picture, regions), sampler) in enumerate(_told(looked)):
            told = replace(config, sampler=config.sampler or sampler)
            done = restore_regions(picture, regions, model, told, compute)
            image, before = steadied(picture, done.picture, regions, before)
            if regions and not restored and config.compare:
                write_comparison(out.with_name(f"{out.name}.compare.jpg"), picture, image)
            restored += bool(regions)
            listen(FrameRestored(str(source), number, frame.time or 0.0, done.regions))
            yield frame, image, np.any(image != picture, axis=2)
        if not restored:
            raise DemosaicError(f"{source}: no mosaic found in any frame", NOTHING_TO_DO)

    told = edit_clip(source, out, edit, MADE_IN_PART)
    if told.unreadable:
        listen(Notice(_unreadable(source, told)))
    return ClipRestored(str(source), str(out), told.frames, restored, told.unreadable)


def _found(picture: Pixels, config: RestoreConfig, mask: Mask | None) -> list[Region]:
    """The mosaics in a frame; there may be none."""
    try:
        return regions_in(picture, config, mask)
    except DemosaicError as error:
        if error.exit_code != NOTHING_TO_DO:
            raise
        return []


def _looked_at(frames: Iterator[tuple[Frame, Pixels]], find: Find) -> Iterator[_Looked]:
    """Each frame with the mosaics where the user says that they are."""
    for frame, picture in frames:
        yield frame, picture, find(picture)


def _told(looked: Iterator[_Looked]) -> Iterator[tuple[_Looked, Sampler]]:
    """Each frame and what its cells show, by all mosaics before it and a few after: one program has
    made them all.
    """
    evidence = 0.0
    waiting: deque[_Looked] = deque()
    for frame, picture, regions in looked:
        one = top_left_evidence(picture, regions, gap=_GAP)
        evidence += min(max(one, -_VOICE), _VOICE)
        waiting.append((frame, picture, regions))
        if len(waiting) > _AHEAD:
            yield waiting.popleft(), likelier_sampler(evidence)
    for late in waiting:
        yield late, likelier_sampler(evidence)


def _unreadable(source: Path, told: Told) -> str:
    count = "a frame" if told.unreadable == 1 else f"{told.unreadable} frames"
    return f"{source}: {count} could not be read, the first at {told.first:.2f} s; all else is done"
