"""One clip edited: its frames examined and painted, all else of it kept."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby, tee
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from av.error import FFmpegError

from demosaic.clips.assembly import Assembly
from demosaic.clips.frames import FrameReader, Moment, Shown, Unit, UnitDecoder, Unreadable
from demosaic.clips.planes import Patch, as_pixels, field_frame
from demosaic.clips.planning import Plan
from demosaic.clips.reading import Frame, opened, picture_track
from demosaic.clips.work import Segment, Stored, Tally, Work
from demosaic.clips.writing import SegmentWriter
from demosaic.errors import NOTHING_TO_DO, DemosaicError, DiskFull
from demosaic.files import make_folder, write_with
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.geometry import Box

_COPIED = 2000  # frames that are copied, after which a stop loses none of them

Found = TypeVar("Found")

Seen = tuple[Shown, Pixels]
"""A frame and its upright picture (H, W, 3); of an interlaced clip, that of one of its fields."""

SeenWith = tuple[Shown, Pixels, list[Found]]
"""The same with what was found in it."""

Painted = tuple[Shown, Sequence[Patch]]
"""A frame and the patches on its upright picture."""


class Editor(Protocol[Found]):
    """What is done to the frames of a clip. Both methods may read some frames ahead."""

    def examine(self, frames: Iterator[Seen]) -> Iterator[SeenWith[Found]]:
        """Each frame with what is found in it; nothing where it stays as it is."""

    def edit(self, frames: Iterator[SeenWith[Found]]) -> Iterator[Painted]:
        """Each frame with the patches that replace what was found in it. These are not all frames
        of the clip: where nothing is found for long, they are copied.
        """


@dataclass(frozen=True)
class How:
    """How a clip is edited, besides its plan."""

    start: float = 0.0
    """Seconds; nothing is changed before."""
    end: float = float("inf")
    comment: str | None = None
    """Added to the clip's own."""
    likeness: str = ""
    """What else the result depends on: work that was begun with something else is not used."""
    progress: Callable[[Moment, Sequence[Patch]], None] = lambda moment, patches: None
    """Called after each frame, with the patches of all its fields."""
    segment: int = 240
    """Frames that are encoded, after which a stop loses none of them."""


def upright_pictures(plan: Plan) -> Iterator[tuple[Moment, Pixels]]:
    """Every frame of a clip as an upright picture (H, W, 3), in a first look through it."""
    with opened(plan.source) as clip:
        for shown in FrameReader(clip, plan.source, plan.index).frames():
            turned = np.rot90(as_pixels(shown.frame), plan.turn)
            yield shown.moment, np.ascontiguousarray(turned)


def first_seen(plan: Plan) -> Seen:
    """The first frame of a clip, or its first field, to try an editor on."""
    field = plan.fields[0]
    frame = plan.first if field is None else field_frame(plan.first, field)
    picture = np.ascontiguousarray(np.rot90(as_pixels(frame), plan.turn))
    return Shown(plan.first, Moment(0, 0, 0.0), Unit(0)), picture


@dataclass(frozen=True)
class Edited:
    """What was done to a clip."""

    tally: Tally
    unreadable: Unreadable


def edit_clip(plan: Plan, editor: Editor[Found], how: How, nothing: str) -> Edited:
    """Write the result of a plan, whole or not at all. After a kill the same call goes on: it
    loses the frames of some seconds.

    Raises DemosaicError that names the source when it cannot be read, and `out` when it cannot be
    written; with the words of `nothing` when nothing is found in any frame.
    """
    make_folder(plan.out.parent)
    work = Work(plan.out)
    work.begin(_identity(plan, how))
    try:
        unreadable = _Run(plan, editor, how, work).all()
        tally = Tally()
        for segment in work.segments:
            tally.add(segment.tally)
        if not tally.places:
            raise DemosaicError(f"{plan.source}: {nothing}", NOTHING_TO_DO)
        write_with(plan.out, lambda part: _assemble(part, plan, how, work))
    except DemosaicError as error:
        if not isinstance(error, DiskFull):
            work.remove()
        raise
    work.remove()
    return Edited(tally, unreadable)


def _identity(plan: Plan, how: How) -> dict[str, Any]:
    """What the result depends on."""
    about = plan.source.stat()
    return {
        "format": 1,
        "source": [plan.source.name, about.st_size, about.st_mtime_ns],
        "range": [how.start, str(how.end)],
        "encoding": repr(plan.encoding),
        "likeness": how.likeness,
    }


def _assemble(part: Path, plan: Plan, how: How, work: Work) -> None:
    assembly = Assembly(plan.source, plan.index, work, plan.encoding, plan.joined, plan.copied)
    with _writing(plan.out):
        assembly.write(part, plan.container, plan.turn, how.comment, hides=plan.hides)


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """Turn an error of the encoder or the container's writer into a DemosaicError that names `out`;
    the operating system's errors pass through, as `write_with` explains those.
    """
    try:
        yield
    except FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise DemosaicError(f"cannot write {out}: {error.strerror or error}") from error


_Views = tuple[Pixels, ...]
_Founds = tuple[list[Found], ...]
_Examined = tuple[Shown, _Views, _Founds[Found]]


@dataclass
class _Run(Generic[Found]):
    """The frames of one clip on their way from the source to the work folder."""

    plan: Plan
    editor: Editor[Found]
    how: How
    work: Work

    def all(self) -> Unreadable:
        """Do what is not done yet."""
        done = self.work.segments[-1] if self.work.segments else None
        with opened(self.plan.source) as clip:
            reader = FrameReader(clip, self.plan.source, self.plan.index)
            if done:
                last = max(time for one in self.work.segments for time in one.times)
                reader.go_on(done.next_frame, done.next_unit, last, self.work.first_time)
            examined = self._examined(reader.frames())
            with _writing(self.plan.out):
                if self.plan.joined:
                    self._divided(examined, UnitDecoder(picture_track(clip)))
                else:
                    self._encode(examined)
        return reader.unreadable

    # Examining

    def _examined(self, frames: Iterator[Shown]) -> Iterator[_Examined[Found]]:
        for inside, group in groupby(frames, key=self._is_inside):
            if inside:
                yield from self._examined_inside(group)
            else:
                for shown in group:
                    yield shown, (), ()

    def _is_inside(self, shown: Shown) -> bool:
        return self.how.start <= shown.moment.seconds < self.how.end

    def _examined_inside(self, frames: Iterable[Shown]) -> Iterator[_Examined[Found]]:
        seen = ((shown, self._views(shown.frame)) for shown in frames)
        runs = [
            self.editor.examine(_of_field(part, number))
            for number, part in enumerate(tee(seen, len(self.plan.fields)))
        ]
        for found in zip(*runs, strict=True):
            yield found[0][0], tuple(one[1] for one in found), tuple(one[2] for one in found)

    def _views(self, frame: Frame) -> _Views:
        """The upright pictures of a frame or of its fields."""
        whole = [frame if one is None else field_frame(frame, one) for one in self.plan.fields]
        turned = (np.rot90(as_pixels(one), self.plan.turn) for one in whole)
        return tuple(np.ascontiguousarray(one) for one in turned)

    # Copying what stays as it is

    def _divided(self, examined: Iterator[_Examined[Found]], decoder: UnitDecoder) -> None:
        """Copy units in which nothing is found; decode the others again, edit and encode them."""
        units = (
            (unit, [founds for _, _, founds in group])
            for unit, group in groupby(examined, key=lambda one: one[0].unit)
        )
        for is_found, group in groupby(units, key=_has_any):
            if is_found:
                self._encode(self._again(group, decoder))
            else:
                self._copy(unit for unit, _ in group)

    def _again(
        self, units: Iterable[tuple[Unit, list[_Founds[Found]]]], decoder: UnitDecoder
    ) -> Iterator[_Examined[Found]]:
        """The frames of units once more, with what was found in them."""
        for unit, founds in units:
            frames = decoder.frames(unit)
            for frame, moment, found in zip(frames, unit.moments, founds, strict=False):
                shown = Shown(frame, moment, unit)
                yield shown, self._views(frame) if found else (), found

    def _copy(self, units: Iterable[Unit]) -> None:
        waiting: list[Unit] = []
        for unit in units:
            waiting.append(unit)
            for moment in unit.moments:
                self.how.progress(moment, ())
            if sum(len(one.moments) for one in waiting) >= _COPIED:
                self.work.add(self._copied(waiting))
                waiting = []
        if waiting:
            self.work.add(self._copied(waiting))

    def _copied(self, units: Sequence[Unit]) -> Segment:
        index = self.plan.index
        ends = index.unit_ends()
        ranges = [(int(index.cuts[one.number]), ends[one.number]) for one in units]
        frames = sum(len(one.moments) for one in units)
        times = [time for one in units for time in one.packet_times()]
        return Segment(
            "",
            tuple(times),
            tuple(ranges),
            units[-1].moments[-1].number + 1,
            units[-1].number + 1,
            "",
            Tally(frames=frames, copied=frames),
        )

    # Editing and encoding

    def _encode(self, examined: Iterator[_Examined[Found]]) -> None:
        """Edit and encode frames, in segments that can be decoded each by itself."""
        writer = SegmentWriter(self.plan.encoding)
        unit: Unit | None = None
        moment: Moment | None = None
        for shown, patches in self._edited(examined):
            may_end = shown.unit is not unit or not self.plan.index.divides
            if writer.count >= self.how.segment and may_end:
                self._close(writer, shown.moment.number, shown.unit.number)
                writer = SegmentWriter(self.plan.encoding)
            unit, moment = shown.unit, shown.moment
            writer.add(shown, patches)
            self.how.progress(moment, [patch for here in patches for patch in here])
        if unit and moment:
            self._close(writer, moment.number + 1, unit.number + 1)

    def _close(self, writer: SegmentWriter, next_frame: int, next_unit: int) -> None:
        writer.finish()
        packets: list[Stored] = writer.packets
        segment = Segment(
            f"{len(self.work.segments):05}.packets",
            tuple(packet.time for packet in packets),
            (),
            next_frame,
            next_unit,
            writer.extradata.hex(),
            writer.tally,
        )
        self.work.add(segment, packets)

    def _edited(
        self, examined: Iterator[_Examined[Found]]
    ) -> Iterator[tuple[Shown, Sequence[Sequence[Patch]]]]:
        """Each frame with the patches of the frame as it is stored, or of each of its fields."""
        for inside, group in groupby(examined, key=lambda one: bool(one[1])):
            if inside:
                yield from self._edited_inside(group)
            else:
                for shown, _, _ in group:
                    yield shown, [[]]

    def _edited_inside(
        self, examined: Iterable[_Examined[Found]]
    ) -> Iterator[tuple[Shown, Sequence[Sequence[Patch]]]]:
        runs = [
            self.editor.edit(_found_in_field(part, number))
            for number, part in enumerate(tee(examined, len(self.plan.fields)))
        ]
        for fields in zip(*runs, strict=True):
            shown = fields[0][0]
            yield shown, [self._stored(shown.frame, patches) for _, patches in fields]

    def _stored(self, frame: Frame, patches: Sequence[Patch]) -> list[Patch]:
        """Patches on the upright picture as patches on the frame as it is stored."""
        return [_turned(patch, frame, self.plan) for patch in patches]


def _has_any(unit: tuple[Unit, list[tuple[list[Any], ...]]]) -> bool:
    return any(any(found) for found in unit[1])


def _of_field(frames: Iterable[tuple[Shown, _Views]], number: int) -> Iterator[Seen]:
    for shown, views in frames:
        yield shown, views[number]


def _found_in_field(frames: Iterable[_Examined[Found]], number: int) -> Iterator[SeenWith[Found]]:
    for shown, views, founds in frames:
        yield shown, views[number], founds[number]


def _turned(patch: Patch, frame: Frame, plan: Plan) -> Patch:
    """A patch on the upright picture, turned back to the frame as it is stored."""
    height = frame.height // len(plan.fields)
    width = frame.width
    if plan.turn % 2:
        width, height = height, width
    for _ in range(plan.turn):
        box = patch.box
        patch = replace(
            patch,
            box=Box(height - box.y - box.height, box.x, box.height, box.width),
            pixels=np.ascontiguousarray(np.rot90(patch.pixels, -1)),
            labels=np.ascontiguousarray(np.rot90(patch.labels, -1)),
        )
        width, height = height, width
    return patch
