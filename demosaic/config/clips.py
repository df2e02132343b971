"""How clips are read and written."""

import math
from dataclasses import dataclass

from demosaic.config.options import check, option
from demosaic.config.reading import read_time
from demosaic.config.rules import unless

_CLIPS = "Clips"


@dataclass(frozen=True)
class ClipConfig:
    """How clips are read and written."""

    lossy_ok: bool = option(
        False, "Go ahead where a result cannot keep all of its clip.", panel=_CLIPS
    )
    codec: str | None = option(
        None,
        "Encode with this codec, such as hevc, or ffv1, which loses nothing.",
        shown="the clip's own",
        metavar="NAME",
        panel=_CLIPS,
    )
    crf: int | None = option(
        None,
        "Quality: lower is finer and larger.",
        ge=0,
        le=63,
        shown="as fine as the clip",
        panel=_CLIPS,
    )
    window: int | None = option(
        None,
        "Frames that are looked at together: where a mosaic stands still and the face moves behind "
        "it, they show more of what was really there.",
        ge=1,
        le=64,
        shown="8, or 16 with --quality best",
        panel=_CLIPS,
    )
    frames_alone: bool = option(False, "Restore each frame alone.", panel=_CLIPS)
    start: float = option(
        0.0,
        "Change nothing before this time, s or h:mm:ss.",
        shown="the beginning",
        metavar="TIME",
        panel=_CLIPS,
        flag="--from",
        read=read_time,
    )
    end: float = option(
        math.inf,
        "Change nothing from this time on.",
        shown="the end",
        metavar="TIME",
        panel=_CLIPS,
        flag="--to",
        read=read_time,
    )

    preview: float | None = option(
        None,
        "Write only this many seconds, before and after side by side: NAME.preview.mp4. They begin "
        "at --from, or at the first mosaic.",
        gt=0,
        metavar="SECONDS",
        panel=_CLIPS,
    )

    def __post_init__(self) -> None:
        check(
            self,
            unless(
                not (self.frames_alone and self.window),
                "--frames-alone and --window: give one of the two",
            ),
            unless(self.start >= 0, f"--from {self.start:g}: choose 0 or more"),
            unless(self.start < self.end, f"--to {self.end:g}: choose a time after --from"),
        )
