"""The third tab: how often the people of an album are recognised behind a mosaic."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from demosaic.app.jobs import Job, Result
from demosaic.app.tools import Tools
from demosaic.config.privacy import AuditConfig, Shape, Style
from demosaic.errors import DemosaicError
from demosaic.events import Event, WorkDone, WorkStarted
from demosaic.faces import cache
from demosaic.faces.engines import NETWORK_NAME, make_detector
from demosaic.files import encoded
from demosaic.privacy.attack import audit
from demosaic.privacy.page import render_audit
from demosaic.records import between


@dataclass(frozen=True)
class AuditAlbum:
    """Audit the album that was given at the start; no other folder can be named."""

    style: Style
    shape: Shape
    block: Annotated[float, between(0.01, 0.99)]
    """Side of a cell or spread of the blur, as a share of the face's width."""
    upload: str | None = None
    """A published picture, whose mosaics are audited instead."""
    faces: bool = True
    """Whether the report shows faces."""


def audit_album(asked: AuditAlbum, tools: Tools, job: Job) -> Result:
    """The page of an audit as a file: `report`."""
    if tools.album is None:
        raise DemosaicError("Start demosaic serve with --album FOLDER to audit a folder.")
    like = tools.upload(asked.upload) if asked.upload else None
    config = (
        AuditConfig(like=str(like.source))
        if like
        else AuditConfig(style=asked.style, shape=asked.shape, block=asked.block)
    )
    job.begin(0, "Looking at the photos")

    def follow(event: Event) -> None:
        if isinstance(event, WorkStarted):
            job.begin(event.total, f"Comparing {event.unit}")
        elif isinstance(event, WorkDone):
            job.advance(event.count)
        job.check()

    make = partial(make_detector, tools.detectors.detector)
    done = audit(
        tools.album,
        config,
        examiner=cache.Examiner(make, cache.FaceCache(cache.user_cache(), NETWORK_NAME)),
        detector=make(),
        model=tools.model_file,
        devices=tools.devices,
        listen=follow,
    )
    job.add_file("report", encoded(render_audit(done, faces=asked.faces)))
    return {"finding": done.report.verdict}
