"""The work that the page asks for: one job at a time, with progress, to be cancelled."""

import logging
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from demosaic.errors import DemosaicError

State = Literal["waiting", "working", "done", "failed", "cancelled"]
Result = dict[str, Any]
"""What a job found, for JSON."""

_MOST_OPEN = 8  # jobs that wait or work
_MOST_KNOWN = 64  # jobs that are remembered


class Cancelled(Exception):
    """The user cancelled the job, or the program ends."""


@dataclass
class Job:
    """One piece of work, and how far it is."""

    id: str
    folder: Path
    """Where it may write files; not there until it does."""
    state: State = "waiting"
    done: int = 0
    total: int = 0
    """Steps in all; 0 while that is not known."""
    step: str = ""
    """What is being done, in a few words."""
    result: Result = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    """What it wrote, by the name that the page asks for."""
    error: str = ""
    _stopping: threading.Event = field(default_factory=threading.Event)

    def begin(self, total: int, step: str = "") -> None:
        """Say that there are `total` steps. Raises Cancelled."""
        self.done, self.total, self.step = 0, total, step
        self.check()

    def advance(self, count: int = 1) -> None:
        """Say that so many more steps are done. Raises Cancelled."""
        self.done += count
        self.check()

    def check(self) -> None:
        """Raise Cancelled if the job is to end."""
        if self._stopping.is_set():
            raise Cancelled

    def stop(self) -> None:
        """Ask the job to end; it does so at its next step."""
        self._stopping.set()

    def place_file(self, name: str, suffix: str = "") -> Path:
        """Where to write a file that the page may ask for by a name of ours."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.files[name] = self.folder / f"{name}{suffix}"
        return path

    def add_file(self, name: str, data: bytes) -> None:
        """Keep a file for the page."""
        self.place_file(name).write_bytes(data)

    def as_json(self) -> Result:
        """How far the job has come, and its result, for the page."""
        names = ("id", "state", "done", "total", "step", "result", "error")
        return {name: getattr(self, name) for name in names}


Work = Callable[[Job], Result]


class Jobs:
    """Does jobs one after the other in a thread of its own."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="job")
        self._jobs: dict[str, Job] = {}

    def start(self, work: Work, folder: Path) -> Job:
        """Do the work as soon as those before it are done. It may write below `folder`. Raises
        DemosaicError when too many wait.
        """
        if sum(job.state in ("waiting", "working") for job in self._jobs.values()) >= _MOST_OPEN:
            raise DemosaicError("Too much is waiting already. Try again when it is done.")
        identity = secrets.token_urlsafe(12)
        job = self._jobs[identity] = Job(identity, folder / identity)
        for old in [*self._jobs][:-_MOST_KNOWN]:
            del self._jobs[old]
        self._thread.submit(_do, job, work)
        return job

    def get(self, identity: str) -> Job | None:
        """The job with this id, if it is known."""
        return self._jobs.get(identity)

    def close(self) -> None:
        """Cancel everything and wait until nothing runs."""
        for job in self._jobs.values():
            job.stop()
        self._thread.shutdown(wait=True, cancel_futures=True)


def _do(job: Job, work: Work) -> None:
    try:
        job.check()
        job.state = "working"
        job.result = work(job)
        job.state = "done"
    except Cancelled:
        job.state = "cancelled"
    except DemosaicError as error:
        job.error, job.state = str(error), "failed"
    except Exception:  # a bug: its traceback belongs in the terminal, and the page goes on
        logging.getLogger("demosaic").exception("a job of the page failed")
        job.error, job.state = "Something went wrong; the terminal says what.", "failed"
