"""One clip restored, frame by frame, without flicker."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demosaic.clips.editing import (
    Edited,
    How,
    Painted,
    Seen,
    SeenWith,
    edit_clip,
    first_seen,
)
from demosaic.clips.encoders import Wish
from demosaic.clips.frames import Moment, Shown, Unreadable
from demosaic.clips.planes import Patch
from demosaic.clips.planning import Plan, plan_clip, settle_losses
from demosaic.clips.preview import preview_clip, preview_path
from demosaic.config.clips import ClipConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.config.rules import Sampler
from demosaic.detection.region import Region
from demosaic.detection.sampler import likelier_sampler, top_left_evidence
from demosaic.errors import NOTHING_TO_DO, USAGE, DemosaicError
from demosaic.events import Listener, Notice, ignore
from demosaic.imaging.arrays import Mask, Pixels
from demosaic.imaging.decoding import read_mask
from demosaic.imaging.edited_copy import comparison_beside, write_comparison
from demosaic.imaging.geometry import crop
from demosaic.imaging.metadata import MADE_IN_PART
from demosaic.models.compute import Compute
from demosaic.models.model import Model
from demosaic.mosaic.grid import Grid
from demosaic.restoration.events import ClipRestored, ClipStarted, FrameRestored, RegionRestored
from demosaic.restoration.image import Restored, ShowFrame, restore_regions
from demosaic.restoration.several_frames import frames_together, made_of, seen
from demosaic.restoration.sight import Sight
from demosaic.restoration.targets import regions_in
from demosaic.restoration.tracking import Find, RestoredRegion, stabilise, track
from demosaic.restoration.window import with_faces

_FoundFrame = tuple[Shown, Pixels, list[Region]]
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
    clips: ClipConfig = ClipConfig(),
    show: ShowFrame | None = None,
) -> ClipRestored:
    """Restore the mosaics in every frame of a clip and write the result.

    All else stays as it is: times, size, codec, colours, sound, subtitles and every other stream;
    what cannot is named first. So does every pixel outside the mosaics, except for what encoding it
    again changes; frames without a mosaic are copied where the codec allows it. A frame that
    cannot be read is left out, and a notice says so. `show` gets the first frame with a mosaic.

    Raises DemosaicError that names the file, too where something would be lost and `clips` does not
    allow it.
    """
    if not model.undoes_mosaics:
        raise DemosaicError(
            f"{source}: this model was not trained on mosaics: it restores no clips"
        )
    if config.samples > 1 or config.spread:
        raise DemosaicError(f"{source}: --samples and --spread are for pictures", USAGE)
    plan = plan_clip(source, out, Wish(clips.codec, clips.crf))
    together = frames_together(clips, config)
    editor = _Restoring(out, model, config, compute, together, show)
    if clips.preview is not None:
        return _previewed(plan, editor, clips)
    settle_losses(plan, lossy_ok=clips.lossy_ok, listen=listen)
    plain = replace(config, compare=False)
    listen(_started(plan, _Restoring(out, model, plain, compute, together)))
    how = How(
        clips.start,
        clips.end,
        MADE_IN_PART,
        likeness=repr((config, model.card, clips.window, clips.frames_alone)),
        progress=partial(_report, listen, str(source)),
    )
    done = edit_clip(plan, editor, how, "no mosaic found in any frame")
    if done.unreadable.count:
        listen(Notice(_unreadable(source, done.unreadable)))
    compared = comparison_beside(out) if config.compare and editor.compared else ""
    return replace(_restored(plan, done), comparison=str(compared))


def _previewed(plan: Plan, editor: "_Restoring", clips: ClipConfig) -> ClipRestored:
    """Write a short part of the clip, before and after side by side, and nothing else."""
    assert clips.preview is not None
    tally = preview_clip(plan, editor, clips.start, clips.preview)
    return ClipRestored(
        str(plan.source),
        str(preview_path(plan)),
        tally.frames,
        tally.changed,
        unreadable=0,
        mosaics=tally.places,
    )


def _started(plan: Plan, editor: "_Restoring") -> ClipStarted:
    """What is known of a clip, and how long all frames take if each is as the first."""
    start = time.perf_counter()
    deque(editor.edit(editor.examine(iter([first_seen(plan)]))), maxlen=0)
    each = time.perf_counter() - start
    return ClipStarted(
        str(plan.source),
        plan.index.count,
        round(plan.seconds, 3),
        (plan.encoding.width, plan.encoding.height),
        plan.encoding.codec,
        plan.encoding.pix_fmt,
        round(each * plan.index.count),
    )


def _report(listen: Listener, clip: str, moment: Moment, patches: Sequence[Patch]) -> None:
    regions = tuple(one.about for one in patches if isinstance(one.about, RegionRestored))
    listen(FrameRestored(clip, moment.number, moment.seconds, regions))


def _restored(plan: Plan, done: Edited) -> ClipRestored:
    tally = done.tally
    return ClipRestored(
        str(plan.source),
        str(plan.out),
        tally.frames,
        tally.changed,
        done.unreadable.count,
        tally.places,
        tally.copied,
        None if tally.mean_error is None else round(tally.mean_error, 3),
        None if tally.mean_error is None else round(tally.largest, 3),
    )


@dataclass(frozen=True)
class _Mosaic:
    """A mosaic of a frame, and how the colours of its cells were probably computed."""

    region: Region
    sampler: Sampler


@dataclass
class _Restoring:
    """Restores the frames of one clip."""

    out: Path
    model: Model
    config: RestoreConfig
    compute: Compute
    window: int
    """Frames that are looked at together; 1 for each frame alone."""
    show: ShowFrame | None = None
    compared: bool = False

    def examine(self, frames: Iterator[Seen]) -> Iterator[SeenWith[_Mosaic]]:
        """Each frame with its mosaics."""
        for (shown, picture, regions), sampler in _with_sampler(_with_mosaics(frames, self.config)):
            yield shown, picture, [_Mosaic(region, sampler) for region in regions]

    def edit(self, frames: Iterator[SeenWith[_Mosaic]]) -> Iterator[Painted]:
        """Each frame with its mosaics restored, as patches."""
        previous: list[RestoredRegion] = []
        for shown, picture, mosaics, faces in with_faces(frames, self._see, self.window):
            regions = [one.region for one in mosaics]
            sampler = self.config.sampler or (mosaics[0].sampler if mosaics else None)
            config = replace(self.config, sampler=sampler)
            made = [
                made_of(one, self.model, config, self.compute) if one else None for one in faces
            ]
            restored = restore_regions(picture, regions, self.model, config, self.compute, made)
            alone = [one for one, known in zip(regions, made, strict=True) if known is None]
            image, previous = stabilise(picture, restored.picture, alone, previous)
            if regions and not self.compared:
                self.compared = True
                self._compare(picture, replace(restored, picture=image, samples=(image,)))
            yield (
                shown,
                [
                    _patch(region, image, config, about)
                    for region, about in zip(regions, restored.regions, strict=True)
                ],
            )

    def _see(self, picture: Pixels, mosaic: _Mosaic) -> Sight | None:
        """What a frame shows of a mosaic; None where frames are not looked at together."""
        config = replace(self.config, sampler=self.config.sampler or mosaic.sampler)
        if self.window == 1:
            return None
        return seen(picture, mosaic.region, config, self.model, self.compute)

    def _compare(self, picture: Pixels, restored: Restored) -> None:
        """Write before and after of the first frame with a mosaic, and show it, if that is asked
        for.
        """
        if self.config.compare:
            write_comparison(comparison_beside(self.out), picture, restored.picture)
        if self.show:
            self.show(picture, restored)


def _patch(region: Region, image: Pixels, config: RestoreConfig, about: RegionRestored) -> Patch:
    """What a restored picture (H, W, 3) shows in a mosaic, to be put into a frame. Cells that are
    means keep their colours in the frame's own planes.
    """
    labels = np.where(region.hidden, _cell_numbers(region.grid, region.hidden.shape), -1)
    strength = float(about.sampler == "mean") if config.consistency is None else config.consistency
    pixels = np.ascontiguousarray(crop(image, region.box))
    return Patch(region.box, pixels, labels.astype(np.int32), strength, about)


def _cell_numbers(
    grid: Grid, shape: tuple[int, ...]
) -> np.ndarray[tuple[int, int], np.dtype[np.intp]]:
    """The number of the cell in which each pixel lies, (H, W)."""
    rows, columns = grid.edges(shape[0], shape[1])
    row = np.repeat(np.arange(len(rows) - 1), np.diff(rows))
    column = np.repeat(np.arange(len(columns) - 1), np.diff(columns))
    numbers: NDArray[np.intp] = row[:, None] * (len(columns) - 1) + column
    return numbers


def _with_mosaics(frames: Iterator[Seen], config: RestoreConfig) -> Iterator[_FoundFrame]:
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


def _without_tracking(frames: Iterator[Seen], find: Find) -> Iterator[_FoundFrame]:
    for shown, picture in frames:
        yield shown, picture, find(picture)


def _with_sampler(frames: Iterator[_FoundFrame]) -> Iterator[tuple[_FoundFrame, Sampler]]:
    """Each frame with the sampler that its mosaics, all those before and those of a few frames
    after make likeliest: one program has made them all.
    """
    evidence = 0.0
    waiting: deque[_FoundFrame] = deque()
    for shown, picture, regions in frames:
        one = top_left_evidence(picture, regions, gap=_GAP)
        evidence += min(max(one, -_MOST_EVIDENCE), _MOST_EVIDENCE)
        waiting.append((shown, picture, regions))
        if len(waiting) > _LOOKAHEAD:
            yield waiting.popleft(), likelier_sampler(evidence)
    for late in waiting:
        yield late, likelier_sampler(evidence)


def _unreadable(source: Path, unreadable: Unreadable) -> str:
    count = "a frame" if unreadable.count == 1 else f"{unreadable.count} frames"
    first = f"the first at {unreadable.first:.2f} s"
    return f"{source}: {count} could not be read, {first}; all others are done"
