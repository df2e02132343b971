"""How pictures are encoded: the clip's own codec and format, or the nearest that can be had."""

import io
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import av
from av.codec.context import Flags
from av.error import FFmpegError
from av.sidedata.encparams import VideoEncParams
from av.sidedata.sidedata import Type
from av.video.stream import VideoStream

from demosaic.clips.containers import Container
from demosaic.clips.planes import planar_format
from demosaic.clips.reading import Frame, codec_of, has_separate_alpha, notes_of
from demosaic.clips.streams import Unkept
from demosaic.errors import USAGE, DemosaicError

_ENCODERS = {
    "h264": "libx264",
    "hevc": "libx265",
    "av1": "libsvtav1",
    "vp8": "libvpx",
    "vp9": "libvpx-vp9",
    "prores": "prores_ks",
}
"""The encoder of a codec, where that has another name."""

_CODECS = {**{encoder: codec for codec, encoder in _ENCODERS.items()}, "libx264rgb": "h264"}

_DECODERS = {"av1": "libdav1d"}
"""The decoder of a codec, where FFmpeg's own needs special hardware."""

_LOSSLESS = {
    *("ffv1", "huffyuv", "ffvhuff", "utvideo", "magicyuv", "png", "rawvideo", "qtrle", "v210"),
    *("r210", "v410", "zlib", "zmbv", "flashsv", "tiff", "bmp", "dpx"),
}
"""Codecs that lose nothing, ever."""

_QUALITY: dict[str, dict[str, str]] = {  # no visible difference, and fast enough for two cores
    "libx264": {"preset": "fast", "rc-lookahead": "20"},  # each waiting frame takes memory
    "libx264rgb": {"preset": "fast", "rc-lookahead": "20"},
    "libx265": {"preset": "fast", "x265-params": "log-level=none"},
    "libsvtav1": {"preset": "8"},
    "libvpx-vp9": {"b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"},
    "libvpx": {"b": "200M", "deadline": "good", "cpu-used": "4", "qmin": "0"},
    "ffv1": {"level": "3", "g": "1"},
    "prores_ks": {"vendor": "apl0"},
    "jpeg2000": {"format": "j2k"},
}

_CRF = {
    "libx264": 16,
    "libx264rgb": 16,
    "libx265": 15,
    "libsvtav1": 18,
    "libvpx-vp9": 18,
    "libvpx": 6,
}
"""The usual quality of encoders that take one, and the highest number that is ever chosen."""

_QSCALE = {
    *("mpeg4", "mpeg1video", "mpeg2video", "mjpeg", "h263", "h263p", "flv", "msmpeg4", "msmpeg4v2"),
    *("wmv1", "wmv2", "snow"),
}
_BEST_QSCALE = 2
_LAMBDA = 118  # FFmpeg's FF_QP2LAMBDA: quality in steps of a quantiser

_FINER = 4  # steps of H.264's quantiser: how much finer than the clip's own ours is

_SAME = (
    ("gbrp", "rgb24", "bgr24", "bgr0", "rgb0", "0rgb", "0bgr"),
    ("gbrap", "rgba", "bgra", "argb", "abgr"),
    ("yuv420p", "yuvj420p", "nv12", "nv21"),
    ("yuv422p", "yuvj422p", "nv16", "yuyv422", "uyvy422"),
    ("yuv444p", "yuvj444p"),
    ("gbrp16le", "rgb48le", "rgb48be"),
    ("gbrap16le", "rgba64le", "rgba64be"),
    ("gray16le", "gray16be"),
    ("ya16le", "ya16be"),
    ("yuva444p12le", "yuva444p10le"),  # ProRes decodes to 12 bits and is encoded from 10
    ("yuv444p12le", "yuv444p10le"),
)
"""Formats that hold the same colours in another order; the last two in ProRes only."""

_INTERLACED = {"libx264", "mpeg2video", "mpeg4", "prores_ks", "dnxhd"}
"""Encoders that store two fields as such."""

_IN_BAND = {"mpeg1video", "mpeg2video"}
"""Encoders that repeat their header in each group of pictures."""

_RGB_MATRIX = 0
_BOTTOM_FIRST = (3, 5)  # FFmpeg's AVFieldOrder


@dataclass(frozen=True)
class Encoding:
    """How frames are encoded."""

    encoder: str
    pix_fmt: str
    width: int
    height: int
    rate: Fraction
    options: Mapping[str, str] = field(default_factory=dict)
    lossless: bool = False
    flags: int = 0
    colours: tuple[int, int, int, int] = (0, 2, 2, 2)
    """Range, matrix, primaries and transfer, as FFmpeg numbers them."""
    aspect: Fraction | None = None
    field_order: int = 0

    @property
    def codec(self) -> str:
        """The name of the codec."""
        return _CODECS.get(self.encoder, self.encoder)

    def opened(self) -> av.VideoCodecContext:
        """A new encoder. Raises FFmpegError when it refuses."""
        context = av.CodecContext.create(self.encoder, "w")
        assert isinstance(context, av.VideoCodecContext)
        self.configure(context)
        context.open()
        return context

    def decoder(self, encoder: av.VideoCodecContext) -> av.VideoCodecContext:
        """A new decoder of what an encoder makes."""
        context = av.CodecContext.create(_DECODERS.get(self.codec, self.codec), "r")
        assert isinstance(context, av.VideoCodecContext)
        context.extradata = encoder.extradata
        context.codec_tag = encoder.codec_tag
        context.width, context.height = self.width, self.height
        context.pix_fmt = self.pix_fmt
        return context

    def configure(self, context: av.VideoCodecContext) -> None:
        """Tell an encoder that is not open yet how to encode."""
        context.width, context.height = self.width, self.height
        context.pix_fmt = self.pix_fmt
        context.framerate, context.time_base = self.rate, 1 / self.rate
        for name, value in zip(_COLOURS, self.colours, strict=True):
            setattr(context, name, value)
        if self.aspect:
            context.sample_aspect_ratio = self.aspect
        if self.field_order:
            context.field_order = self.field_order
        context.flags |= self.flags
        context.options = dict(self.options)
        context.thread_type = "AUTO"


_COLOURS = ("color_range", "colorspace", "color_primaries", "color_trc")


@dataclass(frozen=True)
class Wish:
    """What the user asks for."""

    codec: str | None = None
    crf: int | None = None


def choose(
    video: VideoStream, first: Frame, container: Container, wish: Wish
) -> tuple[Encoding, list[Unkept]]:
    """How the frames of a clip, of which this is the first, are encoded in a container; and what
    that cannot keep.
    """
    name = first.format.name
    encoder, unkept = _encoder(codec_of(video), name, container, wish)
    found = _format(encoder, name)
    if found != name and not _same(encoder, found, name):
        unkept.append(_lost_format(encoder, name, found))
    options, flags, lossless = _settings(encoder, video, first, container, wish)
    made = Encoding(
        encoder,
        found,
        first.width,
        first.height,
        _rate(video),
        options,
        lossless,
        flags,
        _colours(video, first, found),
        video.sample_aspect_ratio,
        video.codec_context.field_order if first.interlaced_frame else 0,
    )
    return made, [*unkept, *_more_unkept(made, first)]


def _encoder(
    codec: str, pix_fmt: str, container: Container, wish: Wish
) -> tuple[str, list[Unkept]]:
    """The encoder for a codec in a container, and what is lost by that."""
    wanted = wish.codec or codec
    encoder = _ENCODERS.get(wanted, wanted)
    if encoder == "libx264" and pix_fmt in (*_SAME[0], *_SAME[1]):
        encoder = "libx264rgb"
    if not _encodes(encoder):
        if wish.codec:
            raise DemosaicError(f"--codec {wish.codec}: FFmpeg has no such encoder here", USAGE)
        other = "ffv1" if codec in _LOSSLESS and holds(container, "ffv1") else _usual(container)
        return other, [Unkept(f"the codec {codec}", "it cannot be encoded here", _ANOTHER)]
    if not holds(container, encoder):
        if wish.codec:
            raise DemosaicError(
                f"--codec {wish.codec}: {container.muxer} does not hold it; end the name of the "
                "result in .mkv",
                USAGE,
            )
        return _usual(container), []
    return encoder, []


def holds(container: Container, encoder: str) -> bool:
    """Whether a container holds what an encoder makes."""
    with av.open(io.BytesIO(), "w", format=container.muxer) as target:
        try:
            target.add_stream(encoder, rate=25)
        except ValueError:
            return False
    return True


_USUAL = ("libx264", "libvpx-vp9", "mpeg4", "mpeg2video", "wmv2", "flv", "mjpeg")


def _usual(container: Container) -> str:
    """The encoder for clips whose own codec a container does not hold."""
    return next((one for one in _USUAL if holds(container, one)), "ffv1")


def usual_codec(container: Container) -> str:
    """The codec for clips whose own one a container does not hold."""
    encoder = _usual(container)
    return _CODECS.get(encoder, encoder)


_ANOTHER = "choose another codec with --codec, such as ffv1 in .mkv"


def _encodes(encoder: str) -> bool:
    try:
        return bool(av.Codec(encoder, "w").is_encoder)
    except av.codec.codec.UnknownCodecError:
        return False


def _formats(encoder: str) -> list[str]:
    return [one.name for one in av.Codec(encoder, "w").video_formats or ()]


def _format(encoder: str, name: str) -> str:
    """The format in which frames of another one are encoded: the same, or the nearest."""
    known = [one for one in _formats(encoder) if planar_format(one)]
    if name in known or not known:
        return name
    same = [one for one in known if _same(encoder, one, name)]
    return same[0] if same else max(known, key=lambda one: _likeness(one, name))


def _same(encoder: str, one: str, other: str) -> bool:
    """Whether two formats hold the same colours, for an encoder."""
    sets = _SAME if encoder == "prores_ks" else _SAME[:-2]
    return one == other or any(one in names and other in names for names in sets)


def _likeness(one: str, other: str) -> tuple[bool, int, bool, int, int]:
    """How little is lost if frames of a format are stored in another."""
    mine, wanted = av.VideoFormat(one, 64, 64), av.VideoFormat(other, 64, 64)
    bits = min(_bits(mine), _bits(wanted))
    fine = min(_fineness(mine), _fineness(wanted))
    alpha = _has_alpha(mine) == _has_alpha(wanted)
    return mine.is_rgb == wanted.is_rgb, fine, alpha, bits, -mine.bits_per_pixel


def _bits(form: av.VideoFormat) -> int:
    return max(one.bits for one in form.components)


def _fineness(form: av.VideoFormat) -> int:
    """How many values of colour there are in a square of 64 x 64 px."""
    return sum(one.width * one.height for one in form.components if not one.is_alpha)


def _has_alpha(form: av.VideoFormat) -> bool:
    return any(one.is_alpha for one in form.components)


def _lost_format(encoder: str, name: str, found: str) -> Unkept:
    """What is lost where frames of a format are stored in another."""
    mine, wanted = av.VideoFormat(found, 64, 64), av.VideoFormat(name, 64, 64)
    losses = []
    if _has_alpha(wanted) and not _has_alpha(mine):
        losses.append("alpha (transparency)")
    if _bits(mine) < _bits(wanted):
        losses.append(f"{_bits(wanted)} bits, which become {_bits(mine)} bits")
    if _fineness(mine) < _fineness(wanted):
        losses.append("the resolution of its colours")
    what = " and ".join(losses) or "its planes of colour"
    codec = _CODECS.get(encoder, encoder)
    return Unkept(what, f"{codec} takes no {name}, only {found}", _ANOTHER)


def _rate(video: VideoStream) -> Fraction:
    rate = video.average_rate or video.guessed_rate or Fraction(25)
    return rate.limit_denominator(1001) if 0 < rate <= 1000 else Fraction(25)


def _colours(video: VideoStream, first: Frame, pix_fmt: str) -> tuple[int, int, int, int]:
    context = video.codec_context
    matrix = context.colorspace
    if pix_fmt.startswith(("rgb", "bgr", "gbr", "0rgb", "argb")):
        matrix = _RGB_MATRIX
    return first.color_range or 0, matrix, context.color_primaries, context.color_trc


def _settings(
    encoder: str, video: VideoStream, first: Frame, container: Container, wish: Wish
) -> tuple[dict[str, str], int, bool]:
    """The options of an encoder and its flags, and whether it loses nothing."""
    options = dict(_QUALITY.get(encoder, {}))
    lossless = encoder in _LOSSLESS or (wish.crf is None and _is_lossless(video, first))
    flags = 0
    if container.one_header and encoder not in _IN_BAND:
        flags |= Flags.global_header
    if encoder in _CRF:
        finest = _own_quality(first)
        usual = _CRF[encoder] if finest is None else min(_CRF[encoder], finest)
        options["crf"] = str(usual if wish.crf is None else wish.crf)
    if encoder in _QSCALE:
        quality = _BEST_QSCALE if wish.crf is None else max(1, wish.crf)
        flags |= Flags.qscale
        options["global_quality"] = str(_LAMBDA * quality)
    if lossless:
        _make_lossless(encoder, options)
    if not container.reorders:
        options["bf"] = "0"
    if encoder == "prores_ks":
        options["profile"] = _prores_profile(video)
    if encoder == "dnxhd" and (video.profile or "").startswith("DNXHR"):
        options["profile"] = (video.profile or "").lower().replace(" ", "_")
    if first.interlaced_frame and encoder in _INTERLACED:
        flags |= Flags.interlaced_dct | Flags.interlaced_me
        if encoder == "libx264":
            order = video.codec_context.field_order
            _extend(options, "x264-params", "bff=1" if order in _BOTTOM_FIRST else "tff=1")
    if encoder == "libvpx-vp9" and has_separate_alpha(video):
        options["auto-alt-ref"] = "0"
    _add_light(encoder, options, first)
    return options, flags, lossless


def _extend(options: dict[str, str], name: str, more: str) -> None:
    options[name] = ":".join(word for word in (options.get(name), more) if word)


def _make_lossless(encoder: str, options: dict[str, str]) -> None:
    """Let an encoder that can do so lose nothing."""
    if encoder in ("libx264", "libx264rgb"):
        options.pop("crf", None)
        options["qp"] = "0"
    elif encoder == "libvpx-vp9":
        options.pop("crf", None)
        options["lossless"] = "1"
    elif encoder == "libx265":
        _extend(options, "x265-params", "lossless=1")


def _is_lossless(video: VideoStream, first: Frame) -> bool:
    """Whether a clip in a codec that may lose something was encoded without loss. `first` was
    decoded with its quantisers.
    """
    name = codec_of(video)
    if name == "hevc":
        notes = [bytes(one) for one in notes_of(first) if one.type is Type.SEI_UNREGISTERED]
        return any(b" lossless" in note and b"no-lossless" not in note for note in notes)
    if name == "h264" and "4:4:4" not in (video.profile or ""):
        return False
    if name not in ("h264", "vp9"):
        return name in _LOSSLESS
    quantisers = _quantisers(first)
    return quantisers is not None and not quantisers.qp and not any(_of_blocks(quantisers))


def _quantisers(frame: Frame) -> VideoEncParams | None:
    """How finely a frame was encoded, if its decoder says that."""
    found = (one for one in notes_of(frame) if isinstance(one, VideoEncParams))
    return next(found, None)


def _of_blocks(quantisers: VideoEncParams) -> list[int]:
    """The quantiser of each block."""
    count = quantisers.nb_blocks
    return [quantisers.qp + quantisers.block_params(number).delta_qp for number in range(count)]


def _own_quality(first: Frame) -> int | None:
    """The quality at which a clip is encoded again without adding much to its own loss, as far as
    its first frame, an H.264 one, says.
    """
    quantisers = _quantisers(first)
    if quantisers is None or not quantisers.nb_blocks or quantisers.codec_type.name != "H264":
        return None
    blocks = _of_blocks(quantisers)
    return max(1, round(sum(blocks) / len(blocks)) - _FINER)


def _prores_profile(video: VideoStream) -> str:
    names = {"proxy": "proxy", "lt": "lt", "standard": "standard", "hq": "hq", "4444": "4444"}
    name = (video.profile or "").lower()
    if name in names:
        return names[name]
    if "xq" in name:
        return "4444xq"
    return "4444" if "444" in (video.codec_context.pix_fmt or "") else "hq"


def _add_light(encoder: str, options: dict[str, str], first: Frame) -> None:
    """Say how bright the screen was on which a clip in HDR was made, and how bright it gets."""
    words = dict(_light(first))
    if not words:
        return
    if encoder == "libx265":
        names = {"mastering": "master-display", "light": "max-cll"}
        _extend(options, "x265-params", "hdr10=1:repeat-headers=1")
    elif encoder == "libx264":
        names = {"mastering": "mastering-display", "light": "cll"}
    else:
        return
    key = "x265-params" if encoder == "libx265" else "x264-params"
    for what, value in words.items():
        _extend(options, key, f"{names[what]}={value}")


def _light(first: Frame) -> Iterator[tuple[str, str]]:
    """The mastering display and the light level of a frame, as x264 and x265 write them.

    Source of the layouts: FFmpeg, libavutil/mastering_display_metadata.h.
    """
    for one in notes_of(first):
        data = bytes(one)
        if one.type is Type.MASTERING_DISPLAY_METADATA and len(data) >= 88:
            numbers = struct.unpack("<20i", data[:80])
            fractions = zip(numbers[::2], numbers[1::2], strict=True)
            parts = [top / bottom if bottom else 0 for top, bottom in fractions]
            red, green, blue, white = (
                f"({round(x * 50000)},{round(y * 50000)})"
                for x, y in zip(parts[:8:2], parts[1:8:2], strict=True)
            )
            light = f"({round(parts[9] * 10000)},{round(parts[8] * 10000)})"
            yield "mastering", f"G{green}B{blue}R{red}WP{white}L{light}"
        if one.type is Type.CONTENT_LIGHT_LEVEL and len(data) >= 8:
            yield "light", ",".join(map(str, struct.unpack("<2I", data[:8])))


_DYNAMIC = {
    Type.DYNAMIC_HDR_PLUS: "HDR10+",
    Type.DOVI_METADATA: "Dolby Vision",
    Type.DOVI_RPU_BUFFER: "Dolby Vision",
    Type.DYNAMIC_HDR_VIVID: "HDR Vivid",
}


def _more_unkept(made: Encoding, first: Frame) -> list[Unkept]:
    """What else an encoder cannot keep."""
    names = dict.fromkeys(_DYNAMIC[one.type] for one in notes_of(first) if one.type in _DYNAMIC)
    unkept = [
        Unkept(f"the {name} data of each frame", "no encoder here writes them", "--lossy-ok")
        for name in names
    ]
    if first.interlaced_frame and made.encoder not in _INTERLACED and not made.lossless:
        unkept.append(
            Unkept("the flag of its fields", f"{made.codec} is encoded without fields", _ANOTHER)
        )
    try:
        made.opened()
    except FFmpegError as error:
        why = f"{made.encoder} refuses it ({error.strerror})"
        unkept.append(Unkept(f"its size or rate in {made.codec}", why, _ANOTHER))
    return unkept
