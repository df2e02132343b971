"""How a clip will be read and written, and what that cannot keep: known before work begins."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.stream import Stream

from demosaic.clips.assembly import add_pictures, open_target, other_streams
from demosaic.clips.containers import Container, container_of
from demosaic.clips.encoders import Encoding, Wish, choose, usual_codec
from demosaic.clips.frames import upright_turns
from demosaic.clips.index import Index, read_index
from demosaic.clips.joining import Joined, join
from demosaic.clips.reading import (
    Frame,
    decoder_for,
    opened,
    packets_of,
    picture_track,
)
from demosaic.clips.streams import Copies, Unkept, named
from demosaic.errors import DemosaicError
from demosaic.events import Listener, Notice

_FIRST = 300  # packets among which one frame can be decoded, or the clip is given up


@dataclass(frozen=True)
class Plan:
    """How a clip will be read and written."""

    source: Path
    out: Path
    container: Container
    index: Index
    encoding: Encoding
    joined: Joined | None
    """How encoded pictures stand beside copied ones; None if all are encoded."""
    copied: tuple[int, ...]
    """The numbers of the other streams that are copied."""
    unkept: tuple[Unkept, ...]
    turn: int
    """Quarter turns, counter-clockwise, that make frames upright."""
    fields: tuple[int | None, ...]
    """The fields that are edited each by itself; only None for whole frames."""
    first: Frame
    """The first frame that can be decoded."""
    hides: bool = False
    """Whether nothing is kept that may show what is painted over, or name people and places."""

    @property
    def seconds(self) -> float:
        """How long the clip is, nearly."""
        return self.index.count / float(self.encoding.rate)


def plan_clip(source: Path, out: Path, wish: Wish = Wish(), *, hides: bool = False) -> Plan:
    """Look through a clip and decide how the result is written. What `hides` shows nothing of the
    clip besides the picture track that is painted: no covers, no other pictures.

    Raises DemosaicError when the clip cannot be read, or nothing like it can be written to `out`.
    """
    container = container_of(out)
    index = read_index(source)
    with opened(source) as clip:
        turn = upright_turns(clip)
    with opened(source) as clip:
        video = picture_track(clip)
        first = _first_frame(clip, source)
        encoding, unkept = choose(video, first, container, wish)
        if not wish.codec and not _takes(clip, container, encoding):
            other = replace(wish, codec=usual_codec(container))
            encoding, unkept = choose(video, first, container, other)
        joined = join(clip, video, encoding, container) if index.divides else None
        encoding = joined.encoding if joined else encoding
        shown = [stream for stream in other_streams(clip) if not (hides and _shows(stream))]
        kept, others = _keepable(clip, index, container, encoding, shown, source)
    return Plan(
        source,
        out,
        container,
        index,
        encoding,
        joined,
        tuple(kept),
        (*unkept, *others),
        turn,
        (0, 1) if first.interlaced_frame else (None,),
        first,
        hides,
    )


def _shows(stream: Stream) -> bool:
    """Whether a stream may show people, or say where they were."""
    if stream.type == "attachment":
        return "font" not in stream.metadata.get("mimetype", "")
    return stream.type in ("video", "data") and "timecode" not in stream.metadata


def _first_frame(clip: InputContainer, source: Path) -> Frame:
    """The first frame that can be decoded, with its quantisers. Raises DemosaicError."""
    video = picture_track(clip)
    decoder = decoder_for(video)
    decoder.options = {"export_side_data": "venc_params"}
    for packet in [*islice(packets_of(clip, [video], source), _FIRST), None]:
        try:
            frames = decoder.decode(packet)
        except FFmpegError:
            continue
        if frames:
            return frames[0]
    raise DemosaicError(f"{source}: none of its pictures can be decoded")


def _keepable(
    clip: InputContainer,
    index: Index,
    container: Container,
    encoding: Encoding,
    streams: list[Stream],
    source: Path,
) -> tuple[list[int], list[Unkept]]:
    """The numbers of the streams that can be copied, and what cannot be kept. Each is tried with
    those before it, in a file in memory.
    """
    kept: list[int] = []
    unkept: list[Unkept] = []
    for stream in (None, *streams):
        with open_target(io.BytesIO(), container) as target:
            add_pictures(clip, target, encoding, 0)
            copies = Copies(clip, target, source, index)
            numbers = [*kept, *([stream.index] if stream else [])]
            for number in numbers:
                copies.add(clip.streams[number])
            if not copies.unkept and not _starts(target):
                what = f"the {named(stream)}" if stream else f"pictures in {encoding.codec}"
                copies.unkept.append(_refused(what, container))
            unkept += copies.unkept
            if not copies.unkept:
                kept = numbers
    return kept, unkept


def _takes(clip: InputContainer, container: Container, encoding: Encoding) -> bool:
    """Whether a container takes pictures that are encoded so; some say that only when they are
    begun.
    """
    with open_target(io.BytesIO(), container) as target:
        add_pictures(clip, target, encoding, 0)
        return _starts(target)


def _starts(target: OutputContainer) -> bool:
    """Whether a writer takes its streams."""
    try:
        target.start_encoding()
    except (FFmpegError, ValueError):
        return False
    return True


def _refused(what: str, container: Container) -> Unkept:
    return Unkept(
        what, f"{container.muxer} does not hold it", "end the name of the result in .mkv with --out"
    )


def settle_losses(plan: Plan, *, lossy_ok: bool, listen: Listener) -> None:
    """Name what cannot be kept. Raises DemosaicError unless that is allowed."""
    if not plan.unkept:
        return
    if lossy_ok:
        for one in plan.unkept:
            listen(Notice(f"{plan.source}: not kept: {one.what}: {one.why}"))
        return
    losses = "; ".join(f"{one.what}: {one.why}" for one in plan.unkept)
    ways = ", or ".join(_ways(plan.unkept))
    raise DemosaicError(
        f"{plan.source}: not all of it can be kept: {losses}. Nothing was written: {ways}, or go "
        "ahead without it with --lossy-ok"
    )


def _ways(unkept: tuple[Unkept, ...]) -> Iterator[str]:
    yield from dict.fromkeys(one.way_out for one in unkept if one.way_out)
