"""Encoded packets beside the clip's own in one stream: whether, and how."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from av.container import InputContainer
from av.video.stream import VideoStream

from demosaic.clips import nal_units
from demosaic.clips.containers import Container
from demosaic.clips.encoders import Encoding
from demosaic.clips.reading import codec_of

_WITHOUT_HEADER = {
    *("mjpeg", "png", "prores", "rawvideo", "dnxhd", "v210", "vp8", "vp9", "jpeg2000"),
    *("mpeg1video", "mpeg2video", "magicyuv", "qtrle"),
}
"""Codecs whose packets say all that a decoder needs."""

_FAMILIES = {
    "mov,mp4,m4a,3gp,3g2,mj2": {"mp4", "mov", "3gp", "3g2"},
    "matroska,webm": {"matroska", "webm"},
    "avi": {"avi"},
    "mpegts": {"mpegts"},
    "mpeg": {"vob", "mpeg"},
    "nut": {"nut"},
}


@dataclass(frozen=True)
class Joined:
    """How encoded packets and the clip's own become one stream."""

    encoding: Encoding
    extradata: bytes | None
    """The header of the stream; None where the clip has none."""
    change: Callable[[bytes], bytes] | None = None
    """What is done to an encoded packet."""


def join(
    source: InputContainer, video: VideoStream, encoding: Encoding, container: Container
) -> Joined | None:
    """How packets encoded so stand beside those of the clip; None if they cannot."""
    context = video.codec_context
    family = _FAMILIES.get(source.format.name, set())
    if encoding.codec != codec_of(video) or container.muxer not in family:
        return None
    if encoding.pix_fmt != context.pix_fmt and encoding.encoder != "libx264rgb":
        return None
    own = context.extradata
    if encoding.codec in _WITHOUT_HEADER:
        return Joined(encoding, own)
    if encoding.codec == "h264":
        return _joined_h264(own, encoding)
    return Joined(encoding, own) if encoding.opened().extradata == own else None


def _joined_h264(own: bytes | None, encoding: Encoding) -> Joined | None:
    """H.264 beside H.264: the header lists the parameter sets of both, with other numbers."""
    length = nal_units.length_size("h264", own)
    if not length:
        return Joined(encoding, own) if not encoding.opened().extradata else None
    assert own is not None
    taken = nal_units.set_numbers(own)
    free = next((number for number in range(1, 31) if number not in taken), None)
    if free is None:
        return None
    options = dict(encoding.options)
    more = f"sps-id={free}"
    options["x264-params"] = ":".join(filter(None, (options.get("x264-params"), more)))
    encoding = replace(encoding, options=options)
    merged = nal_units.merged_sets(own, encoding.opened().extradata or b"")
    if merged is None:
        return None
    return Joined(encoding, merged, lambda data: nal_units.with_lengths(data, length))
