"""Frames of clips, read and written. Only here is PyAV known.

Changed pixels are put into the frame's own planes, so that no other pixel is converted to RGB and
back. Times, rotation, colour space, sound and subtitles are copied from the clip.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.plane import VideoPlane
from av.video.stream import VideoStream
from numpy.typing import NDArray

from demosaic.errors import DemosaicError
from demosaic.files import make_folder, write_with
from demosaic.imaging.arrays import Pixels, resize

Frame: TypeAlias = av.VideoFrame
Changed = NDArray[np.bool_]
"""(H, W): which pixels of a frame differ from the clip's."""

Edit = Callable[[Iterator[tuple[Frame, Pixels]]], Iterator[tuple[Frame, Pixels, Changed]]]
"""Maps each frame and its upright picture (H, W, 3) to the frame, the edited picture, and the
pixels that were changed.
"""


_CONTAINERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
}

_LOSSLESS = {"ffv1", "ffvhuff", "huffyuv", "utvideo"}
_QUALITY = {  # without a visible difference, and fast enough for two cores
    "libx264": {"crf": "16", "preset": "fast"},
    "libvpx-vp9": {"crf": "20", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
    "ffv1": {"level": "3", "g": "1"},
}

# Pixel formats with one colour in each plane, and the type of a value
_PLANES: dict[str, type[np.uint8] | type[np.uint16]] = {
    **dict.fromkeys(("gray", "yuv420p", "yuv422p", "yuv444p"), np.uint8),
    **dict.fromkeys(("yuvj420p", "yuvj422p", "yuvj444p"), np.uint8),
    **dict.fromkeys(("yuv420p10le", "yuv422p10le", "yuv444p10le"), np.uint16),
}

_ANY_TYPE = 0  # of a frame: the encoder chooses between I, P and B


@dataclass
class ClipStats:
    """What was read of a clip."""

    frames: int = 0
    unreadable: int = 0
    """Video packets, mostly one frame each, that could not be decoded."""
    first_unreadable: float = 0.0
    """Seconds into the clip of the first of these."""


def edit_clip(source: Path, out: Path, edit: Edit, comment: str) -> ClipStats:
    """Write the clip with its frames edited, in the format that the suffix of `out` names, whole or
    not at all. The comment is added to the clip's own.

    Raises DemosaicError that names the source when it cannot be read, and `out` when it cannot be
    written.
    """
    container_name = _CONTAINERS.get(out.suffix.lower())
    if container_name is None:
        known = " ".join(_CONTAINERS)
        raise DemosaicError(f"{out}: a clip cannot be written as that; end the name in {known}")
    stats = ClipStats()
    turn = _quarter_turns(source)
    with _opened(source) as container:
        make_folder(out.parent)

        def write(part: Path) -> None:
            with (
                _writing(out),
                av.open(str(part), "w", format=container_name) as target,
            ):
                writer = _Writer(target, container, turn, comment, out)
                frames = _frames(container, source, stats, writer)
                for frame, picture, changed in edit(_upright(frames, turn)):
                    writer.add(frame, np.rot90(picture, -turn), np.rot90(changed, -turn))
                writer.finish()

        write_with(out, write)
    return stats


@contextmanager
def _opened(source: Path) -> Iterator[InputContainer]:
    """The clip, open for reading. Raises DemosaicError when it cannot be opened; errors of the
    caller's block pass through.
    """
    with _reading(source):
        container = av.open(str(source))
    with container:
        if not container.streams.video:
            raise DemosaicError(f"{source}: there is no video in this file")
        yield container


@contextmanager
def _reading(source: Path) -> Iterator[None]:
    try:
        yield
    except FFmpegError as error:
        raise DemosaicError(f"{source}: {error.strerror or 'not a clip'}") from error


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


def _pictures(container: InputContainer) -> VideoStream:
    """The video stream that players show: not a cover picture, if there is another stream."""
    best = container.streams.best("video")
    return best if isinstance(best, VideoStream) else container.streams.video[0]


def _quarter_turns(source: Path) -> int:
    """How many quarter turns, counter-clockwise, make the clip's frames upright."""
    with _opened(source) as container:
        try:
            first = next(container.decode(_pictures(container)), None)
        except FFmpegError:
            return 0
        return first.rotation // 90 % 4 if isinstance(first, Frame) else 0


def _upright(frames: Iterator[Frame], turn: int) -> Iterator[tuple[Frame, Pixels]]:
    for frame in frames:
        yield frame, np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), turn))


def _frames(
    container: InputContainer, source: Path, stats: ClipStats, writer: "_Writer"
) -> Iterator[Frame]:
    """The frames of a clip that can be decoded. Packets of sound and subtitles go to the writer as
    they come.
    """
    video = _pictures(container)
    packets = container.demux(video, *writer.copied)
    while (packet := _next_packet(packets, source)) is not None:
        if packet.stream is not video:
            writer.copy(packet)
            continue
        try:
            frames = packet.decode()
        except FFmpegError:
            if not stats.unreadable:
                stats.first_unreadable = float((packet.pts or 0) * packet.time_base)
            stats.unreadable += 1
            continue
        for frame in frames:
            if isinstance(frame, Frame):
                stats.frames += 1
                yield frame


def _next_packet(packets: "Iterator[Packet[Stream]]", source: Path) -> "Packet[Stream] | None":
    """The next packet; None at the end. Raises DemosaicError when the clip cannot be read on."""
    with _reading(source):
        return next(packets, None)


class _Writer:
    """Writes a clip: edited frames, and everything else as it is in the source."""

    def __init__(
        self,
        target: OutputContainer,
        source: InputContainer,
        turn: int,
        comment: str,
        out: Path,
    ) -> None:
        video = _pictures(source)
        self._target = target
        before = source.metadata.get("comment")
        target.metadata.update(source.metadata)
        target.metadata["comment"] = f"{before}; {comment}" if before else comment
        webm = target.format.name == "webm"
        lossless = video.codec_context.name in _LOSSLESS
        codec = "ffv1" if lossless else "libvpx-vp9" if webm else "libx264"
        rate = video.average_rate or video.guessed_rate
        stream = target.add_stream(codec, rate=rate, options=_QUALITY[codec])
        assert isinstance(stream, VideoStream)
        self._stream = stream
        self._context = self._stream.codec_context
        self._context.width, self._context.height = video.width, video.height
        self._context.pix_fmt = _pixel_format(codec, video.codec_context.pix_fmt or "")
        if video.time_base:
            self._context.time_base = video.time_base
        for name in ("color_range", "colorspace", "color_primaries", "color_trc"):
            setattr(self._context, name, getattr(video.codec_context, name))
        if video.sample_aspect_ratio:
            self._context.sample_aspect_ratio = video.sample_aspect_ratio
        if turn:
            self._stream.set_display_rotation(90 * turn)
        self._last: int | None = None
        self._copies: dict[Stream, Stream] = {
            stream: _copy_of(stream, target, out)
            for stream in (*source.streams.audio, *source.streams.subtitles)
        }

    @property
    def copied(self) -> list[Stream]:
        """The streams whose packets are copied."""
        return list(self._copies)

    def copy(self, packet: "Packet[Stream]") -> None:
        """Write a packet of another stream as it is."""
        if packet.dts is not None:  # an empty packet marks the end of the stream
            packet.stream = self._copies[packet.stream]
            self._target.mux(packet)

    def add(self, frame: Frame, picture: Pixels, changed: Changed) -> None:
        """Write a frame with its changed pixels taken from the picture (H, W, 3)."""
        size = self._context.width, self._context.height
        edited = frame.reformat(*size, self._context.pix_fmt)
        edited.make_writable()
        if changed.any():
            _paste(edited, picture, changed)
        edited.pict_type = _ANY_TYPE
        edited.pts = self._next_time(frame)
        edited.time_base = frame.time_base
        self._target.mux(self._stream.encode(edited))

    def _next_time(self, frame: Frame) -> int:
        """The frame's own time stamp, or the next free one when that is not after the last."""
        least = 0 if self._last is None else self._last + 1
        time = least if frame.pts is None else frame.pts
        self._last = time if self._last is None else max(time, least)
        return self._last

    def finish(self) -> None:
        """Write the frames that the encoder has kept back."""
        self._target.mux(self._stream.encode())


def _copy_of(stream: Stream, target: OutputContainer, out: Path) -> Stream:
    """A stream of the target for the packets of this one. Raises DemosaicError when the format of
    the target cannot hold them.
    """
    try:
        return target.add_stream_from_template(stream)
    except ValueError as error:
        raise DemosaicError(
            f"cannot write {out}: {target.format.name} holds no {stream.codec_context.name}; "
            "end the name in .mkv"
        ) from error


def _pixel_format(codec: str, name: str) -> str:
    """The clip's pixel format, or the nearest one that the codec takes."""
    known = {one.name for one in av.Codec(codec, "w").video_formats or ()}
    if name in known and name in _PLANES:
        return name
    return "yuv444p" if "444" in name or "rgb" in name or "gbr" in name else "yuv420p"


def _paste(frame: Frame, picture: Pixels, changed: Changed) -> None:
    """Put the changed pixels of a picture (H, W, 3) into the planes of the frame."""
    whole = Frame.from_ndarray(np.ascontiguousarray(picture), "rgb24").reformat(
        format=frame.format.name,
        dst_colorspace=frame.colorspace,
        dst_color_range=frame.color_range,
    )
    share = changed.astype(np.float32)
    for mine, other in zip(frame.planes, whole.planes, strict=True):
        into, values = _values(mine, frame.format.name), _values(other, frame.format.name)
        mask = resize(share, mine.width, mine.height) > 0
        into[mask] = values[mask]


def _values(plane: VideoPlane, name: str) -> NDArray[Any]:
    """A plane of a frame in this pixel format, as a view (plane.height, plane.width)."""
    values: NDArray[Any] = np.frombuffer(memoryview(plane), _PLANES[name])
    return values.reshape(plane.height, -1)[:, : plane.width]
