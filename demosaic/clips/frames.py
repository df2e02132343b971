"""The frames of a clip, each with the time at which it is shown."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from demosaic.clips.index import Index
from demosaic.clips.reading import AnyPacket, Frame, decoder_for, packets_of, picture_track
from demosaic.errors import DemosaicError


@dataclass(frozen=True)
class Moment:
    """The place of a frame in a clip."""

    number: int
    """From 0."""
    time: int
    """When it is shown, ticks of the stream; later than the frame before."""
    seconds: float
    """Since the first frame."""


@dataclass(eq=False)
class Unit:
    """Packets that are decoded by themselves, and their frames."""

    number: int
    packets: list[AnyPacket] = field(default_factory=list)
    """None are kept if the clip cannot be divided."""
    moments: list[Moment] = field(default_factory=list)

    def packet_times(self) -> list[int]:
        """When each packet is shown, ticks, in the order in which they are stored."""
        given = [packet.pts for packet in self.packets]
        if None in given or len(given) != len(self.moments):
            return _spread(self.moments, len(given))
        order = sorted(range(len(given)), key=lambda number: given[number] or 0)
        times = [0] * len(given)
        for moment, number in zip(self.moments, order, strict=True):
            times[number] = moment.time
        return times


def _spread(moments: list[Moment], count: int) -> list[int]:
    """The times of frames for another number of packets; those left over follow by a tick."""
    times = [moment.time for moment in moments[:count]]
    last = times[-1] if times else 0
    return times + [last + number + 1 for number in range(count - len(times))]


@dataclass(frozen=True)
class Shown:
    """A frame of a clip."""

    frame: Frame
    moment: Moment
    unit: Unit


@dataclass
class Unreadable:
    """Video packets, mostly one frame each, that could not be decoded."""

    count: int = 0
    first: float = 0.0
    """Seconds into the clip of the first of these."""


def tick(video: VideoStream) -> Fraction:
    """The unit of the times of a stream, s."""
    return video.time_base or Fraction(1, 90000)


def frame_ticks(video: VideoStream) -> int:
    """How long a frame is shown, ticks, as far as the clip says."""
    rate = video.average_rate or video.guessed_rate or Fraction(25)
    return max(1, round(1 / rate / tick(video))) if rate else 1


class _Times:
    """When frames are shown: as they say, after each other, sections one after the other."""

    def __init__(self, index: Index, video: VideoStream) -> None:
        self._index, self._tick = index, tick(video)
        self._step = frame_ticks(video)
        self._section = self._count = 0
        self._last: int | None = None

    def next(self, frame: Frame) -> int:
        """The time of the frame that follows, ticks."""
        time = self._own(frame)
        if self._last is not None:
            time = max(self._last + 1, self._last + self._step if time is None else time)
        self._last = time or 0
        self._count += 1
        return self._last

    def go_on(self, count: int, last: int, section: int) -> None:
        """Go on after so many frames, the last of them shown at `last`."""
        self._count, self._last, self._section = count, last, section

    def _own(self, frame: Frame) -> int | None:
        in_order = self._index.in_order
        if in_order is not None:
            return int(in_order[self._count]) if self._count < len(in_order) else None
        if frame.pts is None:
            return None
        offsets = self._index.offsets
        time = frame.pts + round(offsets[self._section] / self._tick)
        goes_back = self._last is not None and (self._last - time) * self._tick > Fraction(1, 4)
        if goes_back and self._section + 1 < len(offsets):
            self._section += 1
            time = frame.pts + round(offsets[self._section] / self._tick)
        return time


class FrameReader:
    """Reads the frames of a clip one after the other."""

    def __init__(self, container: InputContainer, source: Path, index: Index) -> None:
        self.unreadable = Unreadable()
        self._container, self._source, self._index = container, source, index
        self._video = picture_track(container)
        self._decoder = decoder_for(self._video)
        self._times = _Times(index, self._video)
        self._first_time: int | None = None
        self._next = self._next_unit = self._skipped = 0
        self._packet_time = 0.0
        self._kind: tuple[int, int, str] | None = None

    def go_on(self, frame: int, unit: int, last_time: int, first_time: int) -> None:
        """Begin with a frame, the first of its unit, after one that is shown at `last_time`."""
        self._first_time = first_time
        if self._index.divides:
            self._next, self._next_unit = frame, unit
            section = self._index.section_of(int(self._index.cuts[unit])) if unit else 0
            self._times.go_on(frame, last_time, section)
        else:
            self._skipped = frame

    def frames(self) -> Iterator[Shown]:
        """All frames that can be decoded. Raises DemosaicError where their size changes."""
        for unit, packets in self._units():
            for packet in packets:
                yield from self._shown(self._decoded(packet), unit)
            yield from self._shown(self._decoded(None), unit)
            self._decoder.flush_buffers()

    def _units(self) -> Iterator[tuple[Unit, Iterator[AnyPacket]]]:
        packets = packets_of(self._container, [self._video], self._source)
        if not self._index.divides:
            yield Unit(0), packets
            return
        first = 0
        for number, end in enumerate(self._index.unit_ends()):
            unit = Unit(number, [*islice(packets, end - first)])
            first = end
            if number >= self._next_unit:
                yield unit, iter(unit.packets)

    def _decoded(self, packet: AnyPacket | None) -> list[Frame]:
        if packet is not None:
            self._packet_time = float((packet.pts or 0) * packet.time_base)
        try:
            return self._decoder.decode(packet)
        except FFmpegError:
            if not self.unreadable.count:
                self.unreadable.first = self._packet_time
            self.unreadable.count += 1
            return []

    def _shown(self, frames: list[Frame], unit: Unit) -> Iterator[Shown]:
        for frame in frames:
            time = self._times.next(frame)
            if self._first_time is None:
                self._first_time = time
            seconds = float((time - self._first_time) * tick(self._video))
            self._refuse_change(frame, seconds)
            moment = Moment(self._next, time, seconds)
            self._next += 1
            if moment.number >= self._skipped:
                if unit.packets:
                    unit.moments.append(moment)
                yield Shown(frame, moment, unit)

    def _refuse_change(self, frame: Frame, seconds: float) -> None:
        kind = (frame.width, frame.height, frame.format.name)
        if self._kind is not None and kind != self._kind:
            raise DemosaicError(
                f"{self._source}: the size or format of its pictures changes at {seconds:.2f} s, "
                f"from {_words(self._kind)} to {_words(kind)}: cut it there, and give the parts"
            )
        self._kind = kind


def _words(kind: tuple[int, int, str]) -> str:
    return f"{kind[0]} x {kind[1]} px {kind[2]}"


class UnitDecoder:
    """Decodes units again."""

    def __init__(self, video: VideoStream) -> None:
        self._decoder = decoder_for(video)

    def frames(self, unit: Unit) -> Iterator[Frame]:
        """The frames of a unit, those that can be decoded."""
        for packet in [*unit.packets, None]:
            try:
                yield from self._decoder.decode(packet)
            except FFmpegError:
                continue
        self._decoder.flush_buffers()


def upright_turns(container: InputContainer) -> int:
    """How many quarter turns, counter-clockwise, make the frames of a newly opened clip upright."""
    try:
        first = next(container.decode(picture_track(container)), None)
    except FFmpegError:
        return 0
    return first.rotation // 90 % 4 if isinstance(first, av.VideoFrame) else 0
