"""One job at a time, with progress, and cancelled when asked."""

import threading
from pathlib import Path

import pytest

from demosaic.app.jobs import Job, Jobs, Result
from demosaic.errors import DemosaicError


class Gate:
    """Work that waits at each of its steps."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, job: Job) -> Result:
        job.begin(2, "Waiting")
        self.begun.set()
        assert self.go_on.wait(10)
        job.advance()
        return {"good": True}


def wait(jobs: Jobs, job: Job) -> str:
    """The state in which a job ended."""
    for _ in range(1000):
        if job.state not in ("waiting", "working"):
            return job.state
        threading.Event().wait(0.005)
    raise AssertionError(job)


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


def test_a_second_job_waits_for_the_first(jobs: Jobs, tmp_path: Path) -> None:
    first, second = Gate(), Gate()
    one, two = jobs.start(first, tmp_path), jobs.start(second, tmp_path)
    assert first.begun.wait(10)
    assert (one.state, two.state, second.begun.is_set()) == ("working", "waiting", False)
    assert (one.done, one.total, one.step) == (0, 2, "Waiting")
    first.go_on.set()
    second.go_on.set()
    assert (wait(jobs, one), wait(jobs, two)) == ("done", "done")
    assert (one.done, one.result) == (1, {"good": True})
    jobs.close()


def test_a_cancelled_job_ends_at_its_next_step(jobs: Jobs, tmp_path: Path) -> None:
    gate = Gate()
    job = jobs.start(gate, tmp_path)
    assert gate.begun.wait(10)
    job.stop()
    gate.go_on.set()
    assert (wait(jobs, job), job.result) == ("cancelled", {})
    jobs.close()


def test_a_job_that_waits_can_be_cancelled(jobs: Jobs, tmp_path: Path) -> None:
    gate, other = Gate(), Gate()
    jobs.start(gate, tmp_path)
    waiting = jobs.start(other, tmp_path)
    waiting.stop()
    gate.go_on.set()
    assert (wait(jobs, waiting), other.begun.is_set()) == ("cancelled", False)
    jobs.close()


def test_closing_ends_what_runs_and_what_waits(jobs: Jobs, tmp_path: Path) -> None:
    gate, other = Gate(), Gate()
    running, waiting = jobs.start(gate, tmp_path), jobs.start(other, tmp_path)
    assert gate.begun.wait(10)
    threading.Timer(0.05, gate.go_on.set).start()
    jobs.close()
    assert (running.state, waiting.state) == ("cancelled", "waiting")


def test_what_the_user_can_mend_is_said_and_a_bug_is_logged(
    jobs: Jobs, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(job: Job) -> Result:
        raise DemosaicError("too dark")

    def broken(job: Job) -> Result:
        raise ZeroDivisionError("a secret")

    one, two = jobs.start(refused, tmp_path), jobs.start(broken, tmp_path)
    assert (wait(jobs, one), one.error) == ("failed", "too dark")
    assert wait(jobs, two) == "failed"
    assert two.error == "Something went wrong; the terminal says what."
    assert "ZeroDivisionError: a secret" in caplog.text
    jobs.close()


def test_too_many_jobs_are_refused(jobs: Jobs, tmp_path: Path) -> None:
    gate = Gate()
    for _ in range(8):
        jobs.start(gate, tmp_path)
    with pytest.raises(DemosaicError, match="Too much is waiting already"):
        jobs.start(gate, tmp_path)
    gate.go_on.set()
    jobs.close()


def test_old_jobs_are_forgotten(jobs: Jobs, tmp_path: Path) -> None:
    made = []
    for _ in range(70):
        made.append(jobs.start(lambda job: {}, tmp_path))
        wait(jobs, made[-1])
    known = [jobs.get(job.id) is not None for job in made]
    assert known == [False] * 6 + [True] * 64
    jobs.close()
