"""One clip restored, frame by frame, without flicker."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from demosaic.config.restoration import RestoreConfig
from demosaic.config.rules import Sampler
from demosaic.detection.region import Region
from demosaic.detection.sampler import likelier_sampler, top_left_evidence
from demosaic.errors import NOTHING_TO_DO, USAGE, DemosaicError
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
from demosaic.restoration.tracking import Find, RestoredRegion, stabilise, track
from demosaic.restoration.video_io import Changed, ClipStats, Frame, edit_clip

_FoundFrame = tuple[Frame, Pixels, list[Region]]
"""A frame, its upright picture (H, W, 3) and the mosaics in it."""


_LOOKAHEAD = 4  # frames whose mosaics also help to choose a frame's sampler

_GAP = 1  # px around a mosaic that compression mixes with its colours

_MOST_EVIDENCE = 5.0  # of one frame, where the edges of a mosaic may be found wrongly


def restore_clip(
    source: Path,
    out: Path,
    model: Model,
    config: RestoreConfig,
    compute: Compute,
    listen: Listener = ignore,
) -> ClipRestored:
    """Restore the mosaics in every frame of a clip and write the result.

    Sound, times, size and colour space stay as they are. So does every pixel outside the mosaics,
    except for what encoding it again changes. A frame that cannot be read is left out, and a notice
    says so. Raises DemosaicError that names the file.
    """
    if not model.undoes_mosaics:
        raise DemosaicError(
            f"{source}: this model was not trained on mosaics: it restores no clips"
        )
    if config.samples > 1 or config.spread:
        raise DemosaicError(f"{source}: --samples and --spread are for pictures", USAGE)
    edit = _Edit(source, out, model, config, compute, listen)
    stats = edit_clip(source, out, edit, MADE_IN_PART)
    if stats.unreadable:
        listen(Notice(_unreadable(source, stats)))
    return ClipRestored(str(source), str(out), stats.frames, edit.restored, stats.unreadable)


@dataclass
class _Edit:
    """Restores the frames of one clip, and counts those that have a mosaic."""

    source: Path
    out: Path
    model: Model
    config: RestoreConfig
    compute: Compute
    listen: Listener
    restored: int = 0

    def __call__(
        self, frames: Iterator[tuple[Frame, Pixels]]
    ) -> Iterator[tuple[Frame, Pixels, Changed]]:
        previous: list[RestoredRegion] = []
        found = _with_sampler(_with_mosaics(frames, self.config))
        for number, ((frame, picture, regions), sampler) in enumerate(found):
            config = replace(self.config, sampler=self.config.sampler or sampler)
            restored = restore_regions(picture, regions, self.model, config, self.compute)
            image, previous = stabilise(picture, restored.picture, regions, previous)
            if regions and not self.restored and config.compare:
                write_comparison(self.out.with_name(f"{self.out.name}.compare.jpg"), picture, image)
            self.restored += bool(regions)
            self.listen(
                FrameRestored(str(self.source), number, frame.time or 0.0, restored.regions)
            )
            yield frame, image, np.any(image != picture, axis=2)
        if not self.restored:
            raise DemosaicError(f"{self.source}: no mosaic found in any frame", NOTHING_TO_DO)


def _with_mosaics(
    frames: Iterator[tuple[Frame, Pixels]], config: RestoreConfig
) -> Iterator[_FoundFrame]:
    """Each frame with its mosaics: where the user says they are, or found and tracked."""
    mask = read_mask(Path(config.mask)) if config.mask else None
    find = partial(_mosaics_in, config=config, mask=mask)
    by_hand = bool(mask is not None or config.regions or config.block)
    return _without_tracking(frames, find) if by_hand else track(frames, find)


def _mosaics_in(picture: Pixels, config: RestoreConfig, mask: Mask | None) -> list[Region]:
    """The mosaics in a frame; there may be none."""
    try:
        return regions_in(picture, config, mask)
    except DemosaicError as error:
        if error.exit_code != NOTHING_TO_DO:
            raise
        return []


def _without_tracking(frames: Iterator[tuple[Frame, Pixels]], find: Find) -> Iterator[_FoundFrame]:
    for frame, picture in frames:
        yield frame, picture, find(picture)


def _with_sampler(frames: Iterator[_FoundFrame]) -> Iterator[tuple[_FoundFrame, Sampler]]:
    """Each frame with the sampler that its mosaics, all those before and those of a few frames
    after make likeliest: one program has made them all.
    """
    evidence = 0.0
    waiting: deque[_FoundFrame] = deque()
    for frame, picture, regions in frames:
        one = top_left_evidence(picture, regions, gap=_GAP)
        evidence += min(max(one, -_MOST_EVIDENCE), _MOST_EVIDENCE)
        waiting.append((frame, picture, regions))
        if len(waiting) > _LOOKAHEAD:
            yield waiting.popleft(), likelier_sampler(evidence)
    for late in waiting:
        yield late, likelier_sampler(evidence)


def _unreadable(source: Path, stats: ClipStats) -> str:
    count = "a frame" if stats.unreadable == 1 else f"{stats.unreadable} frames"
    first = f"the first at {stats.first_unreadable:.2f} s"
    return f"{source}: {count} could not be read, {first}; all others are done"
