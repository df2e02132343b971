"""What is where in a clip, from one look through its packets, without decoding any."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream
from numpy.typing import NDArray

from demosaic.clips import nal_units
from demosaic.clips.reading import AnyPacket, codec_of, opened, packets_of, picture_track
from demosaic.errors import DemosaicError

_BACK = Fraction(1, 4)  # s; times that go back further begin anew, as in joined recordings
_BACK_SHOWN = Fraction(2)  # s; where only the times are known at which frames are shown
_LARGEST_UNIT = 128 * 2**20  # bytes that may wait in memory until all their frames are decoded
_MOST_FRAMES = 600  # of a unit, for the same reason

_ALONE = {
    *("mjpeg", "png", "ffv1", "huffyuv", "ffvhuff", "utvideo", "prores", "rawvideo", "dnxhd"),
    *("dvvideo", "magicyuv", "jpeg2000", "v210", "cfhd", "qtrle", "r210", "v410", "dxv", "hap"),
}
"""Codecs whose key frames need nothing before them, and none of whose frames change places."""

_BARRED = {
    *("vp8", "vp9", "av1", "mpeg1video", "mpeg2video", "mpeg4", "h263", "flv1"),
    *("msmpeg4v2", "msmpeg4v3", "wmv1", "wmv2", "wmv3", "vc1", "theora"),
}
"""Codecs whose frames look back to the last key frame at most, unless they are shown before it."""

_NO_TIMES = -(2**63)


@dataclass(frozen=True)
class Index:
    """The packets of the picture track of a clip, in the order in which they are stored."""

    pts: NDArray[np.int64]
    """When each is shown, in ticks of the stream; the lowest number where that is not known."""
    durations: NDArray[np.int64]
    """For how long, ticks; 0 where that is not known."""
    sections: NDArray[np.intp]
    """The packets at which times begin anew; the first is 0."""
    offsets: tuple[Fraction, ...]
    """What is added to the times of each section, s, so that one follows the other."""
    cuts: NDArray[np.intp]
    """The packets at which frames can be divided, as none looks back over them; 0 at least."""
    in_order: NDArray[np.int64] | None
    """When each frame is shown, ticks, where packets say only when they are decoded."""

    @property
    def count(self) -> int:
        """The number of packets, mostly one a frame."""
        return len(self.pts)

    @property
    def divides(self) -> bool:
        """Whether the clip can be divided into units that are decoded each by itself."""
        return len(self.cuts) > 1

    def unit_ends(self) -> list[int]:
        """The number of the packet after the last of each unit."""
        return [*map(int, self.cuts[1:]), self.count]

    def section_of(self, packet: int) -> int:
        """The section that a packet belongs to."""
        return int(np.searchsorted(self.sections, packet, side="right")) - 1


def read_index(source: Path) -> Index:
    """Look through the packets of a clip. Raises DemosaicError when it has no pictures."""
    with opened(source) as container:
        video = picture_track(container)
        found = _Found(video)
        clocks = {stream: SectionClock() for stream in _timed(container)}
        for packet in packets_of(container, list(clocks), source):
            begins = clocks[packet.stream].see(packet)
            if packet.stream is video:
                found.see(packet, begins)
        if not found.pts:
            raise DemosaicError(f"{source}: there are no pictures in this file")
        return found.index(container, tuple(_offsets(list(clocks.values()))))


def _timed(container: InputContainer) -> list[Stream]:
    """The streams that go on without a break, by which a new section is recognised."""
    return [picture_track(container), *container.streams.audio]


class SectionClock:
    """The sections of one stream: its times begin anew with each."""

    def __init__(self) -> None:
        self.sections: list[tuple[Fraction, Fraction]] = []
        """When each begins and ends, s."""

    def see(self, packet: AnyPacket) -> bool:
        """Whether a section begins with this packet."""
        time = packet.dts if packet.dts is not None else packet.pts
        if time is None:
            return False
        start = time * packet.time_base
        end = start + (packet.duration or 0) * packet.time_base
        back = _BACK_SHOWN if packet.dts is None else _BACK
        begins = not self.sections or start < self.sections[-1][1] - back
        if begins:
            self.sections.append((start, end))
        first, last = self.sections[-1]
        self.sections[-1] = min(first, start), max(last, end)
        return begins and len(self.sections) > 1


def _offsets(clocks: list[SectionClock]) -> Iterator[Fraction]:
    """What to add to each section, so that it begins when all streams of the last have ended."""
    end = Fraction(0)
    for number in range(len(clocks[0].sections) or 1):
        here = [clock.sections[number] for clock in clocks if len(clock.sections) > number]
        if not here:
            yield Fraction(0)
            continue
        offset = end - min(first for first, _ in here) if number else Fraction(0)
        end = offset + max(last for _, last in here)
        yield offset


class _Found:
    """Collects the packets of the picture track."""

    def __init__(self, video: VideoStream) -> None:
        self._video = video
        self._codec = codec_of(video)
        self._length = (
            nal_units.length_size(self._codec, video.codec_context.extradata)
            if self._codec in ("h264", "hevc")
            else 0
        )
        self.pts: list[int] = []
        self.dts: list[int] = []
        self.durations: list[int] = []
        self.sizes: list[int] = []
        self.keys: list[bool] = []
        self.sections = [0]
        self._cut_out = False

    def see(self, packet: AnyPacket, begins: bool) -> None:
        """Add a packet, with which a section may begin."""
        if begins:
            self.sections.append(len(self.pts))
        self.pts.append(_NO_TIMES if packet.pts is None else packet.pts)
        self.dts.append(_NO_TIMES if packet.dts is None else packet.dts)
        self.durations.append(packet.duration or 0)
        self.sizes.append(packet.size)
        self.keys.append(self._is_key(packet))
        self._cut_out |= packet.is_discard

    def _is_key(self, packet: AnyPacket) -> bool:
        if not packet.is_keyframe or not packet.size:
            return False
        if self._codec in ("h264", "hevc"):
            return nal_units.starts_anew(self._codec, bytes(packet), self._length)
        return self._codec in _ALONE or self._codec in _BARRED

    def index(self, container: InputContainer, offsets: tuple[Fraction, ...]) -> Index:
        """What was found."""
        pts, dts = np.array(self.pts, np.int64), np.array(self.dts, np.int64)
        sections = np.array(self.sections, np.intp)
        decoded_only = container.format.name == "avi" and bool((dts != _NO_TIMES).all())
        cuts = self._cuts(pts, sections, decoded_only)
        return Index(
            pts,
            np.array(self.durations, np.int64),
            sections,
            offsets,
            cuts,
            self._in_order(dts) if decoded_only and len(sections) == 1 else None,
        )

    def _in_order(self, dts: NDArray[np.int64]) -> NDArray[np.int64]:
        """When frames are shown, from when packets are decoded. Where frames change places, writers
        leave room after the first packet for a decoder that is one behind: that is no pause.
        """
        times = np.sort(dts)
        if self._codec not in _ALONE and len(times) > 2:
            times[1:] -= times[1] - times[0] - int(np.median(np.diff(times)))
        return times

    def _cuts(
        self, pts: NDArray[np.int64], sections: NDArray[np.intp], decoded_only: bool
    ) -> NDArray[np.intp]:
        """Where frames can be divided; only at 0 if some piece would be too large for memory."""
        keys = np.array(self.keys)
        if self._codec not in _ALONE:
            safe = np.zeros(len(pts), bool)
            for first, last in zip(sections, [*sections[1:], len(pts)], strict=True):
                safe[first:last] = _between(pts[first:last])
            keys &= safe
            if decoded_only and self._codec != "h264":
                keys[:] = False
        cuts = np.flatnonzero(keys)
        # Of what an edit cuts out, packets are there and no frames: nothing of it is copied
        if self._cut_out or not len(cuts) or cuts[0] or not set(sections) <= set(cuts):
            return np.zeros(1, np.intp)
        bytes_before = np.concatenate([[0], np.cumsum(self.sizes)])
        ends = np.append(cuts[1:], len(pts))
        fits = np.diff(bytes_before[np.append(cuts, len(pts))]).max() <= _LARGEST_UNIT
        return cuts if fits and (ends - cuts).max() <= _MOST_FRAMES else np.zeros(1, np.intp)


def _between(pts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether all packets before each are shown before it, and all after it later."""
    latest = np.maximum.accumulate(pts)
    earliest = np.minimum.accumulate(pts[::-1])[::-1]
    between: NDArray[np.bool_] = (earliest == pts) & np.append(True, latest[:-1] < pts[1:])
    return between
