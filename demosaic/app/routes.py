"""What the page can ask for."""

import json
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from demosaic.app.auditing import AuditAlbum, audit_album
from demosaic.app.clips import HideFrames, RestoreFrames, hide_frames, restore_frames
from demosaic.app.hiding import FindFaces, Hide, find_faces, hide
from demosaic.app.jobs import Job, Jobs, Result
from demosaic.app.pictures import refuse_too_large
from demosaic.app.restoring import Find, Measure, Restore, Write, find, measure, restore, write
from demosaic.app.tools import Tools
from demosaic.app.uploads import MOST_BYTES_OF_A_CLIP, MOST_BYTES_OF_A_PICTURE, Upload
from demosaic.errors import DemosaicError
from demosaic.imaging.batch import is_clip
from demosaic.records import read

_MOST_JSON = 64 * 2**10  # bytes

_TASKS: dict[str, tuple[type, Callable[[Any, Tools, Job], Result]]] = {
    "find": (Find, find),
    "measure": (Measure, measure),
    "restore": (Restore, restore),
    "write": (Write, write),
    "restore-frames": (RestoreFrames, restore_frames),
    "hide-frames": (HideFrames, hide_frames),
    "find-faces": (FindFaces, find_faces),
    "hide": (Hide, hide),
    "audit": (AuditAlbum, audit_album),
}
"""What can be asked for as a job: the form of the request, and who does it."""

_OWN_FILES = {
    **{
        name: ("demosaic.app", f"static/{name}", "text/javascript")
        for name in (
            "api.js",
            "audit.js",
            "boxes.js",
            "hide.js",
            "page.js",
            "restore.js",
            "stage.js",
        )
    },
    "icon.svg": ("demosaic.app", "static/icon.svg", "image/svg+xml"),
    "page.css": ("demosaic.app", "static/page.css", "text/css"),
    "report.css": ("demosaic.reporting", "report.css", "text/css"),
}
"""The package and name of each file that belongs to the page, and its type."""

# The report of an audit has its style and script inside; it may neither load nor reach anything
_REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; frame-ancestors 'self'"
)


def application(tools: Tools, jobs: Jobs, about: Result) -> Starlette:
    """The page and what it can ask for. `about` is what the page says of this program."""
    handlers = _Handlers(tools, jobs, about)
    routes = [
        Route("/", handlers.page),
        Route("/static/{name}", handlers.own_file),
        Route("/about", handlers.about),
        Route("/uploads", handlers.upload, methods=["POST"]),
        Route("/jobs", handlers.start, methods=["POST"]),
        Route("/jobs/{job}", handlers.state),
        Route("/jobs/{job}", handlers.cancel, methods=["DELETE"]),
        Route("/jobs/{job}/{name}", handlers.file),
    ]
    said = {DemosaicError: _say_problem, HTTPException: _say_problem}
    return Starlette(routes=routes, exception_handlers=said)


async def _say_problem(request: Request, error: Exception) -> Response:
    status, text = 400, str(error)
    if isinstance(error, HTTPException):
        status, text = error.status_code, error.detail
    return JSONResponse({"error": text}, status)


def _own(name: str) -> bytes:
    package, path, _ = _OWN_FILES[name]
    return files(package).joinpath(path).read_bytes()


class _Handlers:
    """Answers the requests that the guard lets in."""

    def __init__(self, tools: Tools, jobs: Jobs, about: Result) -> None:
        self._tools = tools
        self._jobs = jobs
        self._about = about

    async def page(self, request: Request) -> Response:
        text = files("demosaic.app").joinpath("static/page.html").read_bytes()
        return Response(text, media_type="text/html; charset=utf-8")

    async def own_file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _OWN_FILES:
            raise HTTPException(404, "There is no such file.")
        return Response(_own(name), media_type=_OWN_FILES[name][2])

    async def about(self, request: Request) -> Response:
        return JSONResponse(self._about)

    async def upload(self, request: Request) -> Response:
        suffix = request.query_params.get("suffix", "")
        size = _announced(request, MOST_BYTES_OF_A_CLIP if suffix else MOST_BYTES_OF_A_PICTURE)
        upload = self._tools.uploads.add(_known(suffix), size)
        try:
            await _receive(request, upload)
            if not suffix:
                await run_in_threadpool(refuse_too_large, upload)
        except BaseException:
            self._tools.uploads.remove(upload)
            raise
        return JSONResponse({"id": upload.id})

    async def start(self, request: Request) -> Response:
        asked = await _json(request)
        task = asked.pop("task", None)
        if not isinstance(task, str) or task not in _TASKS:
            raise HTTPException(400, "There is no such task.")
        form, do = _TASKS[task]
        record: Any = read(form, asked, "the request")
        identity = getattr(record, "upload", None)
        upload = self._tools.upload(identity) if identity else None
        folder = upload.folder if upload else self._tools.uploads.root
        job = self._jobs.start(partial(do, record, self._tools), folder)
        return JSONResponse(job.as_json())

    async def state(self, request: Request) -> Response:
        return JSONResponse(self._job(request).as_json())

    async def cancel(self, request: Request) -> Response:
        self._job(request).stop()
        return JSONResponse({})

    async def file(self, request: Request) -> Response:
        job, name = self._job(request), request.path_params["name"]
        path = job.files.get(name)
        if path is None or job.state != "done" or not path.is_file():
            raise HTTPException(404, "There is no such file.")
        if name == "report":
            headers = {"Content-Security-Policy": _REPORT_POLICY}
            return FileResponse(path, media_type="text/html; charset=utf-8", headers=headers)
        return FileResponse(path)

    def _job(self, request: Request) -> Job:
        job = self._jobs.get(request.path_params["job"])
        if job is None:
            raise HTTPException(404, "This job is no longer known. Start it again.")
        return job


def _known(suffix: str) -> str:
    """The suffix of a clip, or none for a picture, whose content says what it is."""
    if suffix and not is_clip(Path(f"x{suffix}")):
        raise HTTPException(400, "This kind of clip is not known.")
    return suffix


def _announced(request: Request, most: int) -> int:
    """The size of the body, bytes, by its header."""
    text = request.headers.get("content-length", "")
    if not (text.isascii() and text.isdigit()):
        raise HTTPException(411, "The size is missing.")
    if int(text) > most:
        raise HTTPException(413, f"This file is larger than {most // 2**20} MB.")
    return int(text)


async def _receive(request: Request, upload: Upload) -> None:
    """Write the body into the file of an upload, up to the size announced."""
    received = 0
    try:
        with upload.source.open("xb") as file:
            async for part in request.stream():
                received += len(part)
                if received > upload.size:
                    raise HTTPException(413, "This file is larger than announced.")
                file.write(part)
    except ClientDisconnect as error:
        raise HTTPException(400, "The upload ended too early.") from error
    except OSError as error:
        raise HTTPException(507, f"The upload cannot be kept: {error.strerror}.") from error


async def _json(request: Request) -> dict[str, Any]:
    """The object in the body."""
    _announced(request, _MOST_JSON)
    try:
        value = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "The request is not JSON.") from error
    if not isinstance(value, dict):
        raise HTTPException(400, "The request is no object.")
    return value
