"""Frames painted, encoded, and decoded again to see what the codec made of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import av
import numpy as np
from av.error import FFmpegError
from av.packet import Packet, PacketSideData
from numpy.typing import NDArray

from demosaic.clips.encoders import Encoding
from demosaic.clips.frames import Shown
from demosaic.clips.planes import (
    Component,
    Patch,
    components,
    field_rows,
    labels_at,
    paint,
    planar_format,
)
from demosaic.clips.reading import AnyPacket, Frame
from demosaic.clips.work import Stored, Tally

_BESIDE: Literal["matroska_block_additional"] = "matroska_block_additional"
"""FFmpeg's name for the transparency that a packet of VP8 or VP9 carries."""

Fields = Sequence[Sequence[Patch]]
"""The patches of a frame, or those of its even and of its odd lines."""


@dataclass
class SegmentWriter:
    """Encodes some frames, which can be decoded without any others."""

    encoding: Encoding
    packets: list[Stored] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    extradata: bytes = b""
    _times: list[int] = field(default_factory=list)
    _wanted: dict[int, "list[_Means]"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._encoder = self.encoding.opened()
        self.extradata = self._encoder.extradata or b""
        self._decoder: av.VideoCodecContext | None = None

    @property
    def count(self) -> int:
        """How many frames were added."""
        return len(self._times)

    def add(self, shown: Shown, patches: Fields) -> None:
        """Paint the patches into a frame and encode it."""
        frame = writable(shown.frame, self.encoding.pix_fmt)
        number = len(self._times)
        means: list[_Means] = []
        for parity, here in _numbered(patches):
            means += _means(frame, here, parity)
            paint(frame, here, parity)
        if means:
            self._wanted[number] = means
        self._times.append(shown.moment.time)
        self.tally.frames += 1
        self.tally.changed += any(patches)
        self.tally.places += max(len(here) for here in patches)
        self._encode(_encodable(frame, self.encoding, number))

    def finish(self) -> None:
        """Encode what the encoder has kept back."""
        self._encode(None)
        if self._decoder is not None:
            self._compare(self._decoded(None))

    def _encode(self, frame: Frame | None) -> None:
        for packet in self._encoder.encode(frame):
            beside = bytes(PacketSideData.from_packet(packet, _BESIDE)) if _beside(packet) else b""
            assert packet.pts is not None
            time = self._times[packet.pts]
            self.packets.append(Stored(time, packet.is_keyframe, bytes(packet), beside))
            if self._wanted or self._decoder is not None:
                self._check(packet)

    def _check(self, packet: AnyPacket) -> None:
        if self._decoder is None:
            if not packet.is_keyframe:
                return
            self._decoder = self.encoding.decoder(self._encoder)
        self._compare(self._decoded(packet))

    def _decoded(self, packet: AnyPacket | None) -> list[Frame]:
        """The frames of a packet; none where FFmpeg cannot decode what it has encoded."""
        assert self._decoder is not None
        try:
            return self._decoder.decode(packet)
        except FFmpegError:
            return []

    def _compare(self, frames: Sequence[object]) -> None:
        """Compare the cells of decoded frames with those of the clip."""
        for frame in frames:
            assert isinstance(frame, Frame) and frame.pts is not None
            for means in self._wanted.pop(frame.pts, ()):
                errors = means.errors(frame)
                self.tally.cells += len(errors)
                self.tally.error += float(errors.sum())
                self.tally.largest = max(self.tally.largest, float(errors.max(initial=0)))


def _beside(packet: AnyPacket) -> bool:
    return packet.has_sidedata(_BESIDE)


def packet_of(stored: Stored) -> AnyPacket:
    """A packet to write, without its time to be decoded at."""
    packet: AnyPacket = Packet(stored.data)
    packet.pts, packet.is_keyframe = stored.time, stored.key
    if stored.beside:
        number = av.packet.packet_sidedata_type_from_literal(_BESIDE)
        beside = PacketSideData(number, len(stored.beside))  # type: ignore[call-arg]
        beside.update(stored.beside)
        packet.set_sidedata(beside)
    return packet


def writable(frame: Frame, pix_fmt: str) -> Frame:
    """The frame, ready to be painted into: in its own format, or in that of the encoder where its
    own has no planes.
    """
    if planar_format(frame.format.name) is None:
        frame = frame.reformat(format=pix_fmt)
    frame.make_writable()
    return frame


def _encodable(frame: Frame, encoding: Encoding, number: int) -> Frame:
    """The frame as the encoder takes it, with its number as its time."""
    if frame.format.name != encoding.pix_fmt:
        frame = frame.reformat(
            format=encoding.pix_fmt,
            src_color_range=frame.color_range,
            dst_color_range=frame.color_range,
        )
    frame.pict_type = 0  # the encoder chooses between I, P and B
    frame.pts, frame.time_base = number, 1 / encoding.rate
    return frame


def _numbered(patches: Fields) -> Iterator[tuple[int | None, Sequence[Patch]]]:
    """The patches with the field that they belong to; None for the whole frame."""
    if len(patches) == 1:
        yield None, patches[0]
    else:
        yield from enumerate(patches)


@dataclass(frozen=True)
class _Means:
    """The means that the cells of a patch have in one colour of a frame."""

    colour: int
    parity: int | None
    place: tuple[int, int]
    labels: NDArray[np.int32]
    means: NDArray[np.float64]

    def errors(self, frame: Frame) -> NDArray[np.float64]:
        """How far the cells of another frame are from them, levels of 8 bits."""
        found = components(frame)
        if self.colour >= len(found):
            return np.zeros(0)
        colour = field_rows(found[self.colour], self.parity)
        off = np.abs(_cell_means(colour, self.place, self.labels) - self.means)
        used = np.bincount(self.labels[self.labels >= 0]) > 0
        errors: NDArray[np.float64] = off[used] / 2.0 ** (colour.bits - 8)
        return errors


def _means(frame: Frame, patches: Sequence[Patch], parity: int | None) -> list[_Means]:
    """What the cells of patches that keep their means show."""
    found = []
    colours = [field_rows(one, parity) for one in components(frame)]
    for patch in patches:
        if patch.strength < 1:
            continue
        for number, colour in enumerate(colours):
            x, y, labels = labels_at(patch, colour)
            labels = labels[: len(colour.values) - y, : colour.values.shape[1] - x]
            if (labels >= 0).any():
                means = _cell_means(colour, (x, y), labels)
                found.append(_Means(number, parity, (x, y), labels, means))
    return found


def _cell_means(
    colour: Component, place: tuple[int, int], labels: NDArray[np.int32]
) -> NDArray[np.float64]:
    """The mean of each cell in a component; 0 for numbers that no cell has."""
    x, y = place
    piece = colour.values[y : y + labels.shape[0], x : x + labels.shape[1]]
    inside = labels >= 0
    cells = labels[inside]
    sums = np.bincount(cells, piece[inside].astype(np.float64))
    means: NDArray[np.float64] = sums / np.maximum(np.bincount(cells), 1)
    return means
