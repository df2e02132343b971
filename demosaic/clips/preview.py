"""A short part of a clip, before and after side by side."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import dropwhile
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream

from demosaic.clips.editing import Editor, Found, Seen
from demosaic.clips.frames import FrameReader, Shown
from demosaic.clips.planes import Patch, as_pixels
from demosaic.clips.planning import Plan
from demosaic.clips.reading import Frame, opened
from demosaic.clips.work import Tally
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.files import make_folder, write_with
from demosaic.imaging.arrays import Pixels

_OPTIONS = {"crf": "14", "preset": "fast"}
_MILLISECOND = Fraction(1, 1000)


def preview_path(plan: Plan) -> Path:
    """Where the preview of a result goes."""
    return plan.out.with_name(f"{plan.out.stem}.preview.mp4")


def preview_clip(plan: Plan, editor: Editor[Found], start: float, length: float) -> Tally:
    """Write so many seconds of a clip, whole frames before and after side by side: from `start` on,
    or from the first frame in which anything is found after it. Nothing else is written.

    Raises DemosaicError that names the source when it cannot be read, or nothing is found.
    """
    out, tally = preview_path(plan), Tally()
    make_folder(out.parent)
    write_with(out, lambda part: _write(part, plan, editor, start, length, tally))
    return tally


def _write(
    path: Path, plan: Plan, editor: Editor[Found], start: float, length: float, tally: Tally
) -> None:
    with opened(plan.source) as clip, av.open(str(path), "w", format="mp4") as target:
        frames = FrameReader(clip, plan.source, plan.index).frames()
        stream: VideoStream | None = None
        for shown, pair in _pairs(_seen(frames, plan, start), editor, length, tally):
            if stream is None:
                stream = _stream(target, pair, plan)
            frame = Frame.from_ndarray(pair, "rgb24")
            frame.pts = round(shown.moment.seconds * 1000)
            frame.time_base = _MILLISECOND
            target.mux(stream.encode(frame))
        if stream is None:
            raise DemosaicError(f"{plan.source}: nothing to show in a preview", NOTHING_TO_DO)
        target.mux(stream.encode())


def _seen(frames: Iterator[Shown], plan: Plan, start: float) -> Iterator[Seen]:
    for shown in frames:
        if shown.moment.seconds >= start:
            turned = np.rot90(as_pixels(shown.frame), plan.turn)
            yield shown, np.ascontiguousarray(turned)


def _pairs(
    seen: Iterator[Seen], editor: Editor[Found], length: float, tally: Tally
) -> Iterator[tuple[Shown, Pixels]]:
    """Each frame of the preview with both pictures (H, 2 W, 3)."""
    pictures: dict[int, Pixels] = {}
    found = dropwhile(lambda one: not one[2], editor.examine(seen))

    def kept() -> Iterator[tuple[Shown, Pixels, list[Found]]]:
        first: float | None = None
        for shown, picture, here in found:
            first = shown.moment.seconds if first is None else first
            if shown.moment.seconds >= first + length:
                return
            pictures[shown.moment.number] = picture
            yield shown, picture, here

    for shown, patches in editor.edit(kept()):
        before = pictures.pop(shown.moment.number)
        tally.frames += 1
        tally.changed += bool(patches)
        tally.places += len(patches)
        yield shown, _even(np.hstack([before, _painted(before, patches)]))


def _painted(picture: Pixels, patches: Sequence[Patch]) -> Pixels:
    """The picture (H, W, 3) with patches in it."""
    after = picture.copy()
    for patch in patches:
        box = patch.box
        piece = after[box.y : box.y + box.height, box.x : box.x + box.width]
        np.copyto(piece, patch.pixels, where=(patch.labels >= 0)[:, :, None])
    return after


def _even(picture: Pixels) -> Pixels:
    """The picture without a last line or column that makes its sides odd."""
    height, width = picture.shape[:2]
    return np.ascontiguousarray(picture[: height - height % 2, : width - width % 2])


def _stream(target: av.container.OutputContainer, pair: Pixels, plan: Plan) -> VideoStream:
    stream = target.add_stream("libx264", rate=plan.encoding.rate, options=dict(_OPTIONS))
    assert isinstance(stream, VideoStream)
    stream.height, stream.width = pair.shape[:2]
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = _MILLISECOND
    return stream
