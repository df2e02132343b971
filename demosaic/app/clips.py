"""Clips and animations, every frame: the mosaics found are restored, the faces found hidden."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from demosaic.app.jobs import Job, Result
from demosaic.app.pictures import explained, refuse_pixels
from demosaic.app.tools import Tools
from demosaic.app.uploads import Upload
from demosaic.config.clips import ClipConfig
from demosaic.config.privacy import PixelateConfig, Shape, Style
from demosaic.config.restoration import RestoreConfig
from demosaic.events import Event, Listener, Notice, WorkDone, WorkStarted
from demosaic.faces.engines import make_detector
from demosaic.imaging.batch import result_name
from demosaic.privacy.pixelate import pixelate_files
from demosaic.records import between
from demosaic.restoration.batch import restore_files
from demosaic.restoration.events import ClipStarted, FrameRestored

# What a result cannot keep is said beside it, before it is downloaded
_CLIPS = ClipConfig(lossy_ok=True)


@dataclass(frozen=True)
class RestoreFrames:
    """Restore every frame of a clip or an animation, or every page of a file."""

    upload: str
    realism: Annotated[float, between(0, 1)]
    seed: Annotated[int, between(0, 2**31)] = 0


@dataclass(frozen=True)
class HideFrames:
    """Hide the faces found in every frame of a clip."""

    upload: str
    style: Style
    shape: Shape
    block: Annotated[float, between(0.01, 0.99)]
    """Side of a cell or spread of the blur, as a share of the face's width."""


def restore_frames(asked: RestoreFrames, tools: Tools, job: Job) -> Result:
    """The restored clip as a file: `result`, its suffix, and what was noticed."""

    def restore(source: Path, out: Path, listen: Listener) -> None:
        restore_files(
            source,
            out,
            model=tools.model,
            config=RestoreConfig(realism=asked.realism, seed=asked.seed),
            devices=tools.devices,
            clips=_CLIPS,
            listen=listen,
        )

    return _done(tools.upload(asked.upload), job, "Restoring", restore)


def hide_frames(asked: HideFrames, tools: Tools, job: Job) -> Result:
    """The clip with its faces hidden as a file: `result`, its suffix, and what was noticed."""

    def hide(source: Path, out: Path, listen: Listener) -> None:
        pixelate_files(
            source,
            out,
            config=PixelateConfig(style=asked.style, shape=asked.shape, block=asked.block),
            clips=_CLIPS,
            make_detector=partial(make_detector, tools.detectors.detector),
            listen=listen,
        )

    return _done(tools.upload(asked.upload), job, "Looking for faces", hide)


def _done(
    upload: Upload, job: Job, step: str, work: Callable[[Path, Path, Listener], None]
) -> Result:
    """Do the work on the frames of an upload, and follow it."""
    notices: list[str] = []
    job.begin(0, step)

    def follow(event: Event) -> None:
        job.check()
        if isinstance(event, ClipStarted):
            refuse_pixels(*event.size)
            job.begin(event.frames, "Restoring")
        elif isinstance(event, WorkStarted):
            job.begin(event.total, event.unit.capitalize())
        elif isinstance(event, FrameRestored | WorkDone):
            job.advance()
        elif isinstance(event, Notice) and event.text.startswith(str(upload.source)):
            notices.append(event.text.replace(f"{upload.source}: ", ""))

    out = job.place_file("result", Path(result_name(upload.source, "done")).suffix)
    with explained(upload):
        work(upload.source, out, follow)
    return {"suffix": out.suffix, "notes": notices}
