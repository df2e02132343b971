"""Clips and animations restored: every mosaic found in every frame."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from demosaic.app.jobs import Job, Result
from demosaic.app.pictures import explained, refuse_pixels
from demosaic.app.tools import Tools
from demosaic.config.restoration import RestoreConfig
from demosaic.events import Event, Notice
from demosaic.imaging.batch import result_name
from demosaic.records import between
from demosaic.restoration.batch import restore_files
from demosaic.restoration.events import ClipStarted, FrameRestored


@dataclass(frozen=True)
class RestoreFrames:
    """Restore every frame of a clip or an animation, or every page of a file."""

    upload: str
    realism: Annotated[float, between(0, 1)]
    seed: Annotated[int, between(0, 2**31)] = 0


def restore_frames(asked: RestoreFrames, tools: Tools, job: Job) -> Result:
    """The restored clip as a file: `result`, its suffix, and what was noticed."""
    upload = tools.upload(asked.upload)
    notices: list[str] = []
    job.begin(0, "Restoring")

    def follow(event: Event) -> None:
        job.check()
        if isinstance(event, ClipStarted):
            refuse_pixels(*event.size)
            job.begin(event.frames, "Restoring")
        elif isinstance(event, FrameRestored):
            job.advance()
            job.step = f"Frame {job.done} of {job.total}" if job.total else f"Frame {job.done}"
        elif isinstance(event, Notice) and event.text.startswith(str(upload.source)):
            notices.append(event.text.replace(f"{upload.source}: ", ""))

    out = job.place_file("result", Path(result_name(upload.source, "restored")).suffix)
    with explained(upload):
        restore_files(
            upload.source,
            out,
            model=tools.model,
            config=RestoreConfig(realism=asked.realism, seed=asked.seed),
            devices=tools.devices,
            listen=follow,
        )
    return {"suffix": out.suffix, "notes": notices}
