"""Clips opened and read: their picture track, its packets and its frames."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.sidedata.sidedata import SideData
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from demosaic.errors import DemosaicError

Frame: TypeAlias = av.VideoFrame
if TYPE_CHECKING:
    AnyPacket: TypeAlias = Packet[Stream]
else:
    AnyPacket = Packet  # it takes no type when it runs

# Decoders that read more of a stream than FFmpeg's own: the transparency of VP8 and VP9
_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


def notes_of(frame: Frame) -> list[SideData]:
    """What a frame carries besides its pixels."""
    notes: Any = frame.side_data
    return list(notes)


@contextmanager
def opened(source: Path) -> Iterator[InputContainer]:
    """The clip, open for reading. Raises DemosaicError when it cannot be opened; errors of the
    caller's block pass through.
    """
    with explained(source):
        container = av.open(str(source), "r", metadata_errors="replace")
    with container:
        if not any(stream.codec_context for stream in container.streams.video):
            raise DemosaicError(f"{source}: there is no video in this file")
        yield container


@contextmanager
def explained(source: Path) -> Iterator[None]:
    """Turn an error of FFmpeg into a DemosaicError that names the source."""
    try:
        yield
    except FFmpegError as error:
        raise DemosaicError(f"{source}: {error.strerror or 'not a clip'}") from error


def picture_track(container: InputContainer) -> VideoStream:
    """The video stream that players show: no cover picture, if there is another stream."""
    best = container.streams.best("video")
    if isinstance(best, VideoStream) and not is_cover(best):
        return best
    tracks = container.streams.video
    return next((track for track in tracks if not is_cover(track)), tracks[0])


def codec_of(stream: Stream) -> str:
    """The name of a stream's codec, whatever decodes it; empty if FFmpeg does not know it."""
    return stream.codec_context.codec.canonical_name if stream.codec_context else ""


def is_cover(stream: Stream) -> bool:
    """Whether a stream is one still picture that stands for the file."""
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def packets_of(
    container: InputContainer, streams: list[Stream], source: Path
) -> Iterator[AnyPacket]:
    """The packets of these streams, without those that only mark the end of a stream. Raises
    DemosaicError when the clip cannot be read on.
    """
    packets = container.demux(streams)
    while True:
        with explained(source):
            packet = next(packets, None)
        if packet is None:
            return
        if packet.size or packet.dts is not None:
            yield packet


def decoder_for(video: VideoStream) -> av.VideoCodecContext:
    """A new decoder of a stream; it decodes transparency too, if there is some."""
    own = video.codec_context
    name = _WITH_ALPHA.get(codec_of(video)) if has_separate_alpha(video) else None
    decoder = av.CodecContext.create(name or own.codec.name, "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.extradata = own.extradata
    decoder.width, decoder.height = own.width, own.height
    if own.pix_fmt:
        decoder.pix_fmt = own.pix_fmt
    decoder.codec_tag = own.codec_tag
    decoder.bits_per_coded_sample = own.bits_per_coded_sample
    for name in ("color_range", "colorspace", "color_primaries", "color_trc"):
        setattr(decoder, name, getattr(own, name))
    decoder.thread_type = "AUTO"
    return decoder


def has_separate_alpha(video: VideoStream) -> bool:
    """Whether the transparency of a VP8 or VP9 stream is stored beside its pictures."""
    mode = video.metadata.get("alpha_mode") or video.metadata.get("ALPHA_MODE")
    return mode == "1" and codec_of(video) in _WITH_ALPHA
