"""Clips: frames in and out. Only here is PyAV known.

What is not changed stays as it was decoded: a changed pixel is put into the frame's own planes, so
that no other goes to RGB and back. Times, turn, colours, sound and subtitles are those of the clip.
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

Edit = Callable[[Iterator[tuple[Frame, Pixels]]], Iterator[tuple[Frame, Pixels, Changed]]]
"""Takes each frame with its upright picture (H, W, 3), and gives it back with another picture and
which of its pixels (H, W) have changed.
"""


_CONTAINERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
}

_LOSSLESS = {"ffv1", "ffvhuff", "huffyuv", "utvideo"}

_QUALITY = {  # no eye sees a difference, and two cores keep up
    "libx264": {"crf": "16", "preset": "fast"},
    "libvpx-vp9": {"crf": "20", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
    "ffv1": {"level": "3", "g": "1"},
}

# Formats of pixels whose planes hold one colour each, and what a value is
_PLANES: dict[str, type[np.uint8] | type[np.uint16]] = {
    **dict.fromkeys(("gray", "yuv420p", "yuv422p", "yuv444p"), np.uint8),
    **dict.fromkeys(("yuvj420p", "yuvj422p", "yuvj444p"), np.uint8),
    **dict.fromkeys(("yuv420p10le", "yuv422p10le", "yuv444p10le"), np.uint16),
}

_UNTOLD = 0  # the type of a frame, that the encoder is to choose


@dataclass
class Told:
    """What there is to tell of a clip that was read."""

    frames: int = 0
    unreadable: int = 0
    """Packets of pictures, each mostly one frame, that could not be decoded."""
    first: float = 0.0
    """Seconds into the clip of the first of these."""


def edit_clip(source: Path, out: Path, edit: Edit, comment: str) -> Told:
    """Write the clip with its frames edited, in the format of the suffix of `out`, whole or not at
    all, the comment added to its description.

    Raises DemosaicError that names the file when it is no clip.
    """
    container_name = _CONTAINERS.get(out.suffix.lower())
    if container_name is None:
        known = " ".join(_CONTAINERS)
        raise DemosaicError(f"{out}: a clip cannot be written as that; end the name in {known}")
    told = Told()
    turn = _turn(source)
    with _opened(source) as container:
        make_folder(out.parent)

        def write(part: Path) -> None:
            with av.open(str(part), "w", format=container_name) as target:
                writer = _Writer(target, container, turn, comment)
                frames = _frames(container, told, writer)
                for frame, picture, changed in edit(_upright(frames, turn)):
                    writer.add(frame, np.rot90(picture, -turn), np.rot90(changed, -turn))
                writer.finish()

        write_with(out, write)
    return told


@contextmanager
def _opened(source: Path) -> Iterator[InputContainer]:
    try:
        with av.open(str(source)) as container:
            if not container.streams.video:
                raise DemosaicError(f"{source}: no pictures in it")
            yield container
    except FFmpegError as error:
        raise DemosaicError(f"{source}: {error.strerror or 'not a clip'}") from error


def _pictures(container: InputContainer) -> VideoStream:
    """The stream of a clip that players show: not a cover, if there is another."""
    best = container.streams.best("video")
    return best if isinstance(best, VideoStream) else container.streams.video[0]


def _turn(source: Path) -> int:
    """How many quarters counter-clockwise turn the clip's frames upright."""
    with _opened(source) as container:
        try:
            first = next(container.decode(_pictures(container)), None)
        except FFmpegError:
            return 0
        return first.rotation // 90 % 4 if isinstance(first, Frame) else 0


def _upright(frames: Iterator[Frame], turn: int) -> Iterator[tuple[Frame, Pixels]]:
    for frame in frames:
        yield frame, np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), turn))


def _frames(container: InputContainer, told: Told, writer: "_Writer") -> Iterator[Frame]:
    """The frames of a clip that can be read; the packets of sound and subtitles go to the writer
    as they come.
    """
    video = _pictures(container)
    for packet in container.demux(video, *writer.copied):
        if packet.stream is not video:
            writer.copy(packet)
            continue
        try:
            frames = packet.decode()
        except FFmpegError:
            when = float((packet.pts or 0) * packet.time_base)
            told.first = when if not told.unreadable else told.first
            told.unreadable += 1
            continue
        for frame in frames:
            if isinstance(frame, Frame):
                told.frames += 1
                yield frame


class _Writer:
    """A clip being written: the frames of another, edited, and all else as it was."""

    def __init__(
        self, target: OutputContainer, source: InputContainer, turn: int, comment: str
    ) -> None:
        video = _pictures(source)
        self._target = target
        told = source.metadata.get("comment")
        target.metadata.update(source.metadata)
        target.metadata["comment"] = f"{told}; {comment}" if told else comment
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
            stream: target.add_stream_from_template(stream)
            for stream in (*source.streams.audio, *source.streams.subtitles)
        }

    @property
    def copied(self) -> list[Stream]:
        """The streams whose packets are to be copied."""
        return list(self._copies)

    def copy(self, packet: "Packet[Stream]") -> None:
        """Write a packet of another stream as it is."""
        if packet.dts is not None:  # else it only says that the stream is over
            packet.stream = self._copies[packet.stream]
            self._target.mux(packet)

    def add(self, frame: Frame, picture: Pixels, changed: Changed) -> None:
        """Write a frame, with the pixels that have changed from a picture of it."""
        size = self._context.width, self._context.height
        edited = frame.reformat(*size, self._context.pix_fmt)
        edited.make_writable()
        if changed.any():
            _paste(edited, picture, changed)
        edited.pict_type = _UNTOLD
        edited.pts = self._next_time(frame)
        edited.time_base = frame.time_base
        self._target.mux(self._stream.encode(edited))

    def _next_time(self, frame: Frame) -> int:
        """The frame's own, but after that of the frame before."""
        least = 0 if self._last is None else self._last + 1
        time = least if frame.pts is None else frame.pts
        self._last = time if self._last is None else max(time, least)
        return self._last

    def finish(self) -> None:
        """Write what the encoder still holds."""
        self._target.mux(self._stream.encode())


def _pixel_format(codec: str, name: str) -> str:
    """The format of pixels of a clip, or the one nearest to it that the codec takes."""
    known = {one.name for one in av.Codec(codec, "w").video_formats or ()}
    if name in known and name in _PLANES:
        return name
    return "yuv444p" if "444" in name or "rgb" in name or "gbr" in name else "yuv420p"


def _paste(frame: Frame, picture: Pixels, changed: Changed) -> None:
    """Put the pixels of a picture that have changed into the planes of the frame."""
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
    """A plane (H, W) of a frame of this format of pixels; a view."""
    values: NDArray[Any] = np.frombuffer(memoryview(plane), _PLANES[name])
    return values.reshape(plane.height, -1)[:, : plane.width]
