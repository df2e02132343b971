"""All that is in a clip besides its pictures, copied as it is."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.stream import AttachmentStream, Stream

from demosaic.clips.index import Index, SectionClock
from demosaic.clips.reading import AnyPacket, codec_of, is_cover, opened, packets_of, picture_track

_MOV = {"mp4", "mov", "3gp", "3g2", "ipod"}

_TEXTS = {"subrip": "subrip", "text": "subrip", "mov_text": "mov_text"}
"""Codecs of subtitles that are text and no more."""

_IMAGES = {"mjpeg": ("jpg", "image/jpeg"), "png": ("png", "image/png"), "bmp": ("bmp", "image/bmp")}

_STALE = ("BPS", "DURATION", "NUMBER_OF_FRAMES", "NUMBER_OF_BYTES", "_STATISTICS", "ENCODER")
"""Words that describe how a stream was stored before; writers add their own."""


@dataclass(frozen=True)
class Unkept:
    """Something that a result cannot keep."""

    what: str
    """Such as `the sound (aac)`."""
    why: str
    way_out: str


def named(stream: Stream) -> str:
    """A stream in words, with its codec and language."""
    kinds = {"audio": "sound", "subtitle": "subtitles", "video": "picture track"}
    kind = "cover" if is_cover(stream) else kinds.get(stream.type, f"{stream.type} track")
    codec = codec_of(stream) or stream.name
    about = ", ".join(word for word in (codec, stream.metadata.get("language")) if word)
    return f"{kind} {stream.index} ({about})" if about else f"{kind} {stream.index}"


def own_tag(source: InputContainer, target: OutputContainer, stream: Stream) -> str | None:
    """The stream's four letters, where both containers use the same."""
    mov = "mov" in source.format.name and target.format.name in _MOV
    if not stream.codec_context or not (mov or source.format.name == target.format.name == "avi"):
        return None
    return stream.codec_context.codec_tag


def described(stream: Stream, like: Stream) -> None:
    """Give a stream the words and flags of another one."""
    words = {
        name: word for name, word in like.metadata.items() if not name.upper().startswith(_STALE)
    }
    stream.metadata.update(words)
    stream.disposition = like.disposition


class Copies:
    """The streams of a clip that are copied into a result."""

    def __init__(
        self, source: InputContainer, target: OutputContainer, path: Path, index: Index
    ) -> None:
        """Streams are added to the target in the order of the source, after its pictures."""
        self.unkept: list[Unkept] = []
        self._target, self._path, self._index = target, path, index
        self._source = source
        self._into: dict[Stream, _Into] = {}
        self._clocks: dict[Stream, SectionClock] = {}
        self._section = 0

    def add(self, stream: Stream) -> None:
        """Add a stream to the target, or note that it cannot be kept."""
        if stream.type == "data" and "timecode" in stream.metadata:
            return  # the writer makes it from the words of the picture track
        try:
            self._add(stream)
        except (ValueError, FFmpegError):
            self.unkept.append(
                Unkept(
                    f"the {named(stream)}",
                    f"{self._target.format.name} does not hold it",
                    "end the name of the result in .mkv with --out",
                )
            )

    def _add(self, stream: Stream) -> None:
        matroska = self._target.format.name in ("matroska", "webm")
        if is_cover(stream) and matroska:
            self._attach(stream)
        elif isinstance(stream, AttachmentStream) and self._target.format.name != "matroska":
            raise ValueError(f"{self._target.format.name} holds no attachments")
        elif (words := self._as_text(stream)) is not None:
            copy = self._target.add_mux_stream(words.codec)
            copy.time_base = stream.time_base or Fraction(1, 1000)
            described(copy, stream)
            self._into[stream] = _Into(copy, words.change)
        else:
            copy = self._target.add_stream_from_template(stream, opaque=True)
            if stream.type == "video" and (tag := own_tag(self._source, self._target, stream)):
                copy.codec_context.codec_tag = tag
            described(copy, stream)
            self._into[stream] = _Into(copy)

    def _as_text(self, stream: Stream) -> "_Text | None":
        """How subtitles become the target's kind of text, where that is another one."""
        known = _TEXTS.get(codec_of(stream))
        mov = self._target.format.name in _MOV
        if known == "subrip" and mov:
            return _Text("mov_text", lambda data: struct.pack(">H", len(data)) + data)
        if known == "mov_text" and not mov:
            return _Text("subrip", lambda data: data[2 : 2 + int.from_bytes(data[:2], "big")])
        return None

    def _attach(self, stream: Stream) -> None:
        """A cover as Matroska has it: a file in the file."""
        suffix, kind = _IMAGES.get(codec_of(stream), ("jpg", "image/jpeg"))
        with opened(self._path) as again:
            picture = next(packets_of(again, [again.streams[stream.index]], self._path), None)
        if picture is None:
            raise ValueError("there is no picture in it")
        name = stream.metadata.get("filename", f"cover.{suffix}")
        kind = stream.metadata.get("mimetype", kind)
        self._target.add_attachment(name, kind, bytes(picture))

    def packets(self) -> Iterator[tuple[Fraction, AnyPacket]]:
        """The packets to write, each with its time, s. Sections follow one another."""
        video = picture_track(self._source)
        streams = [video, *(stream for stream in self._into)]
        last: dict[Stream, int] = {}
        for packet in packets_of(self._source, streams, self._path):
            offset = self._offset(packet)
            into = self._into.get(packet.stream)
            if into is None:
                continue
            copy = into.changed(packet)
            if copy is None:
                continue
            _move(copy, round(offset / copy.time_base), last.get(packet.stream), into.exact)
            assert copy.dts is not None
            last[packet.stream] = copy.dts
            copy.stream = into.stream
            yield copy.dts * copy.time_base, copy

    def _offset(self, packet: AnyPacket) -> Fraction:
        """What is added to the times of this packet, s."""
        stream, offsets = packet.stream, self._index.offsets
        if len(offsets) == 1:
            return offsets[0]
        if stream.type in ("audio", "video"):
            clock = self._clocks.setdefault(stream, SectionClock())
            clock.see(packet)
            self._section = max(0, len(clock.sections) - 1)
        return offsets[min(self._section, len(offsets) - 1)]


@dataclass(frozen=True)
class _Text:
    """Another codec for subtitles, and how a packet's bytes become it."""

    codec: str
    change: Callable[[bytes], bytes]


@dataclass(frozen=True)
class _Into:
    """Where the packets of a stream go."""

    stream: Stream
    change: Callable[[bytes], bytes] | None = None

    @property
    def exact(self) -> bool:
        """Whether each packet needs a time of its own."""
        return self.stream.type in ("audio", "video")

    def changed(self, packet: AnyPacket) -> AnyPacket | None:
        """The packet to write; None if there is nothing in it."""
        if self.change is None:
            return packet
        data = self.change(bytes(packet))
        if not data.strip(b"\x00"):
            return None
        copy: AnyPacket = av.Packet(data)
        copy.pts, copy.dts, copy.duration = packet.pts, packet.dts, packet.duration
        copy.time_base, copy.is_keyframe = packet.time_base, True
        return copy


def _move(packet: AnyPacket, offset: int, last: int | None, exact: bool) -> None:
    """Shift the times of a packet, and keep them behind those of the one before."""
    given = packet.dts if packet.dts is not None else packet.pts
    time = (last or 0) if given is None else given + offset
    if last is not None:
        time = max(time, last + exact)
    packet.dts = time
    if packet.pts is not None:
        packet.pts = max(packet.pts + offset, time) if exact else packet.pts + offset
