"""The third tab: the folder that was given is audited, and no other."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from demosaic.app.jobs import Cancelled, Job, Result
from demosaic.config.privacy import AuditConfig
from demosaic.errors import DemosaicError
from demosaic.events import Listener, WorkDone, WorkStarted

if TYPE_CHECKING:
    from served import Served

ASKED: dict[str, Any] = {"style": "blur", "shape": "ellipse", "block": 0.2}


def test_no_folder_is_audited_unless_it_was_given_at_the_start(served: "Served") -> None:
    state = served.ended(served.start("audit", **ASKED).json["id"])
    assert state["error"] == "Start demosaic serve with --album FOLDER to audit a folder."


def test_the_audit_is_of_the_album_and_its_progress_is_shown(
    served: "Served", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from demosaic.app import auditing

    job = Job("x", tmp_path)
    seen: list[tuple[int, int, str]] = []

    def audit(
        photos: Path, config: AuditConfig, *, model: Path, listen: Listener, **__: object
    ) -> None:
        assert (photos, model) == (tmp_path, served.tools.model_file)
        assert config == AuditConfig(**ASKED)
        for event in (WorkStarted("faces", 3), WorkDone(1), WorkDone(1)):
            listen(event)
            seen.append((job.done, job.total, job.step))
        job.stop()
        with pytest.raises(Cancelled):
            listen(WorkDone(1))
        raise DemosaicError("nobody there")

    monkeypatch.setattr(auditing, "audit", audit)
    with pytest.raises(DemosaicError, match="nobody there"):
        auditing.audit_album(
            auditing.AuditAlbum(**ASKED), replace(served.tools, album=tmp_path), job
        )
    assert seen == [(done, 3, "Comparing faces") for done in (0, 1, 2)]


def test_the_report_may_neither_load_nor_reach_anything(served: "Served") -> None:
    def report(job: Job) -> Result:
        job.add_file("report", b"<!doctype html>")
        return {}

    job = served.jobs.start(report, served.tools.uploads.root)
    assert served.ended(job.id)["state"] == "done"
    answer = served.send("GET", f"/jobs/{job.id}/report")
    assert (answer.body, answer.headers["content-type"]) == (
        b"<!doctype html>",
        "text/html; charset=utf-8",
    )
    assert answer.headers["content-security-policy"] == (
        "sandbox allow-scripts; default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'; frame-ancestors 'self'"
    )
