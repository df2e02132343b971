"""Small clips, and an editor that paints a square into some of their frames."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition

from demosaic.clips.editing import Edited, How, Painted, Seen, SeenWith, edit_clip
from demosaic.clips.encoders import Wish
from demosaic.clips.planes import Patch
from demosaic.clips.planning import plan_clip
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.geometry import Box
from doubles import texture

WIDTH, HEIGHT, RATE = 64, 48, 25
BOX = Box(16, 8, 16, 16)
"""Where the editor paints."""


def moving(count: int, width: int = WIDTH, height: int = HEIGHT) -> list[Pixels]:
    """Pictures that pass by."""
    wide = texture(height, width + 2 * count)
    return [np.ascontiguousarray(wide[:, 2 * n : 2 * n + width]) for n in range(count)]


def write_clip(
    path: Path,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    count: int = 12,
    options: dict[str, str] | None = None,
    *,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    sound: str = "",
    times: Sequence[int] = (),
    source_format: str = "rgb24",
) -> Path:
    """A clip, with a tone if there is a codec for it."""
    with av.open(str(path), "w") as target:
        video: Any = target.add_stream(codec, rate=RATE, options=options or {})
        video.width, video.height, video.pix_fmt = *size, pix_fmt
        tone: Any = target.add_stream(sound, rate=48000) if sound else None
        for number, picture in enumerate(moving(count, *size)):
            if source_format == "rgba":
                picture = np.dstack([picture, np.full(picture.shape[:2], 90, np.uint8)])
            frame = av.VideoFrame.from_ndarray(picture, source_format)
            frame.pts = times[number] if times else number
            frame.time_base = Fraction(1, RATE)
            target.mux(video.encode(frame))
        target.mux(video.encode())
        if tone:
            for start in range(0, count * 48000 // RATE - 1024, 1024):
                wave = np.sin(np.arange(start, start + 1024) / 20).astype(np.float32)[None]
                played = av.AudioFrame.from_ndarray(wave, "fltp", "mono")
                played.sample_rate, played.pts = 48000, start
                played.time_base = Fraction(1, 48000)
                target.mux(tone.encode(played))
            target.mux(tone.encode())
    return path


@dataclass
class Painter:
    """Paints noise in cells of 8 px over a square, in the frames of these numbers."""

    numbers: Sequence[int] = range(10**6)
    seen: list[int] = field(default_factory=list)
    strength: float = 1.0
    stop_at: int = 10**6
    """The number of the frame at which the process is as if killed."""

    def examine(self, frames: Iterator[Seen]) -> Iterator[SeenWith[str]]:
        for shown, picture in frames:
            self.seen.append(shown.moment.number)
            found = ["a square"] if shown.moment.number in self.numbers else []
            yield shown, picture, found

    def edit(self, frames: Iterator[SeenWith[str]]) -> Iterator[Painted]:
        labels = np.repeat(np.repeat(np.arange(4).reshape(2, 2), 8, 0), 8, 1).astype(np.int32)
        noise = np.random.default_rng(0).integers(60, 190, (16, 16, 3), dtype=np.uint8)
        for shown, _, found in frames:
            if shown.moment.number >= self.stop_at:
                raise KeyboardInterrupt
            yield shown, [Patch(BOX, noise, labels, self.strength)] if found else []


def edited(
    source: Path, out: Path, painter: Painter | None = None, how: How | None = None
) -> Edited:
    """What is done to a clip by painting into it; all of it must be kept."""
    plan = plan_clip(source, out, Wish())
    assert plan.unkept == ()
    return edit_clip(plan, painter or Painter(), how or How(), "nothing to paint")


def frames_of(path: Path) -> list[av.VideoFrame]:
    with av.open(str(path)) as clip:
        return list(clip.decode(video=0))


def pixels_of(path: Path) -> list[Pixels]:
    return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in frames_of(path)]


def times_of(path: Path) -> list[float]:
    return [round(float(frame.time), 3) for frame in frames_of(path)]


def sound_of(path: Path) -> list[tuple[int | None, bytes]]:
    """When each packet of the first sound is played, and what is in it."""
    with av.open(str(path)) as clip:
        return [(packet.pts, bytes(packet)) for packet in clip.demux(audio=0) if packet.size]


def described(path: Path) -> list[tuple[str, str | None, str | None, Disposition]]:
    """Each stream: its kind, language, title and flags."""
    with av.open(str(path)) as clip:
        return [
            (one.type, one.metadata.get("language"), one.metadata.get("title"), one.disposition)
            for one in clip.streams
        ]


def outside(picture: Pixels) -> Pixels:
    """A copy with the square, and what a codec mixes with it, black."""
    copy = picture.copy()
    copy[BOX.y - 8 : BOX.y + 24, BOX.x - 8 : BOX.x + 24] = 0
    return copy
