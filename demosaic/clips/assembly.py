"""The result put together: encoded and copied pictures, and all else of the clip."""

import heapq
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import count
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import AttachmentStream, Stream
from av.video.stream import VideoStream

from demosaic.clips.containers import Container
from demosaic.clips.encoders import Encoding
from demosaic.clips.frames import frame_ticks, tick
from demosaic.clips.index import Index
from demosaic.clips.joining import Joined
from demosaic.clips.reading import AnyPacket, codec_of, is_cover, opened, packets_of, picture_track
from demosaic.clips.streams import Copies, described, own_tag
from demosaic.clips.work import Segment, Work
from demosaic.clips.writing import packet_of


def open_target(path: object, container: Container) -> OutputContainer:
    """A file to write, or something like a file."""
    return av.open(path, "w", format=container.muxer, options=container.options)


def add_pictures(
    source: InputContainer, target: OutputContainer, encoding: Encoding, turn: int
) -> VideoStream:
    """Add the stream for the pictures to a target, with all that the clip's own says of itself."""
    video = picture_track(source)
    if encoding.codec == codec_of(video):
        stream = target.add_stream_from_template(video, opaque=True)
        tag = own_tag(source, target, video)
        if tag is not None:
            stream.codec_context.codec_tag = tag
        stream.codec_context.pix_fmt = encoding.pix_fmt
    else:
        made = target.add_stream(encoding.encoder, rate=encoding.rate)
        assert isinstance(made, VideoStream)
        stream = made
        encoding.configure(stream.codec_context)
        if turn:
            stream.set_display_rotation(90 * turn)
    described(stream, video)
    if encoding.pix_fmt.startswith("yuva"):
        stream.metadata.pop("alpha_mode", None)  # the writer says it by itself
    stream.time_base = tick(video)
    return stream


_HARMLESS = ("creation_time", "timecode")
"""Words of a clip that name neither people nor places."""


def add_words(
    source: InputContainer, target: OutputContainer, comment: str | None, *, hides: bool
) -> None:
    """Copy what a clip says of itself, and its chapters. A comment is added to the clip's own. Who
    `hides` something keeps no names and places.
    """
    target.metadata.update(source.metadata)
    if hides:
        for name in [one for one in target.metadata if one.lower() not in _HARMLESS]:
            del target.metadata[name]
    for name in ("major_brand", "minor_version", "compatible_brands", "encoder", "ENCODER"):
        target.metadata.pop(name, None)
    if comment:
        name = next((one for one in target.metadata if one.lower() == "comment"), "comment")
        before = target.metadata.get(name)
        target.metadata[name] = f"{before}; {comment}" if before else comment
    if chapters := source.chapters():
        target.set_chapters(chapters)


def other_streams(source: InputContainer) -> list[Stream]:
    """All streams besides the pictures; files within the file last, as writers want them."""
    video = picture_track(source)
    streams = [stream for stream in source.streams if stream is not video]
    return sorted(streams, key=lambda one: isinstance(one, AttachmentStream) or is_cover(one))


class Assembly:
    """Puts a result together."""

    def __init__(
        self,
        source: Path,
        index: Index,
        work: Work,
        encoding: Encoding,
        joined: Joined | None,
        copied: Sequence[int],
    ) -> None:
        """`copied`: the numbers of the other streams of the clip that are copied."""
        self._source, self._index, self._work = source, index, work
        self._encoding, self._joined, self._copied = encoding, joined, copied

    def write(
        self, path: Path, container: Container, turn: int, comment: str | None, *, hides: bool
    ) -> None:
        """Write the file. Raises FFmpegError when it is refused."""
        with (
            opened(self._source) as source,
            opened(self._source) as again,
            open_target(str(path), container) as target,
        ):
            add_words(source, target, comment, hides=hides)
            pictures = add_pictures(source, target, self._encoding, turn)
            if isinstance(pictures.codec_context, av.VideoCodecContext) and self._is_copy(source):
                pictures.codec_context.extradata = self._header()
            copies = Copies(source, target, self._source, self._index)
            for number in self._copied:
                copies.add(source.streams[number])
            own = self._pictures(again, pictures)
            for _, _, packet in heapq.merge(_keyed(own, 0), _keyed(copies.packets(), 1)):
                target.mux(packet)
            if not self._work.segments:
                target.start_encoding()

    def _is_copy(self, source: InputContainer) -> bool:
        return self._encoding.codec == codec_of(picture_track(source))

    def _header(self) -> bytes | None:
        if self._joined is not None:
            return self._joined.extradata
        first = next((one for one in self._work.segments if one.file), None)
        return bytes.fromhex(first.extradata) or None if first else None

    def _pictures(
        self, source: InputContainer, into: VideoStream
    ) -> Iterator[tuple[Fraction, AnyPacket]]:
        """The packets of the pictures, each with its time to be decoded at, s."""
        video = picture_track(source)
        step, unit = frame_ticks(video), tick(video)
        shown = np.array([time for one in self._work.segments for time in one.times], np.int64)
        decode, lasts = _decode_times(shown, step)
        for number, packet in enumerate(self._stored(source, video)):
            packet.dts = int(decode[number])
            packet.duration = int(lasts[number])
            packet.time_base = unit
            packet.stream = into
            yield packet.dts * unit, packet

    def _stored(self, source: InputContainer, video: VideoStream) -> Iterator[AnyPacket]:
        """All packets of the pictures, with the times at which they are shown."""
        own = enumerate(packets_of(source, [video], self._source))
        for segment in self._work.segments:
            if segment.file:
                yield from self._encoded(segment)
                continue
            times = iter(segment.times)
            for first, end in segment.copied:
                for number, packet in own:
                    if number >= first:
                        packet.pts = next(times)
                        yield packet
                    if number == end - 1:
                        break

    def _encoded(self, segment: Segment) -> Iterator[AnyPacket]:
        for stored in self._work.packets(segment):
            packet = packet_of(stored)
            if self._joined is not None and self._joined.change is not None:
                changed: AnyPacket = Packet(self._joined.change(bytes(packet)))
                changed.pts, changed.is_keyframe = packet.pts, packet.is_keyframe
                packet = changed
            yield packet


def _decode_times(
    shown: "np.typing.NDArray[np.int64]", step: int
) -> "tuple[np.typing.NDArray[np.int64], np.typing.NDArray[np.int64]]":
    """When packets are decoded, as late as is early enough for all, and how long each is shown;
    from the times at which they are shown, in the order in which they are stored.
    """
    order = np.argsort(shown, kind="stable")
    in_order = shown[order]
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    delay = int((np.arange(len(order)) - rank).max(initial=0))
    before = in_order[:1] - step * np.arange(delay, 0, -1)
    decode = np.concatenate([before, in_order])[: len(shown)]
    lasts = np.empty_like(shown)
    lasts[order] = np.diff(in_order, append=in_order[-1:] + step)
    return decode, lasts


def _keyed(
    packets: Iterator[tuple[Fraction, AnyPacket]], kind: int
) -> Iterator[tuple[Fraction, tuple[int, int], AnyPacket]]:
    """Packets with what they are sorted by."""
    numbers = count()
    for time, packet in packets:
        yield time, (kind, next(numbers)), packet
