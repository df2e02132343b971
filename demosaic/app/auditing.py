"""The third tab: how often the people of an album are recognised behind a mosaic."""

from dataclasses import dataclass
from functools import partial

from demosaic.app.jobs import Job, Result
from demosaic.app.tools import Tools
from demosaic.config.privacy import AuditConfig
from demosaic.errors import DemosaicError
from demosaic.events import Event, WorkDone, WorkStarted
from demosaic.faces import cache
from demosaic.faces.engines import NETWORK_NAME, make_detector
from demosaic.files import encoded
from demosaic.privacy.attack import audit
from demosaic.privacy.page import render_audit


@dataclass(frozen=True)
class AuditAlbum:
    """Audit the album that was given at the start; no other folder can be named."""


def audit_album(asked: AuditAlbum, tools: Tools, job: Job) -> Result:
    """The page of an audit as a file: `report`."""
    if tools.album is None:
        raise DemosaicError("Start demosaic serve with --album FOLDER to audit a folder.")
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
        AuditConfig(),
        examiner=cache.Examiner(make, cache.FaceCache(cache.user_cache(), NETWORK_NAME)),
        detector=make(),
        model=tools.model_file,
        devices=tools.devices,
        listen=follow,
    )
    job.add_file("report", encoded(render_audit(done)))
    return {"finding": done.report.verdict}
