"""Batches of pictures on disk: which to process, where results go, and what came of each."""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Generic, TypeVar

from demosaic.errors import NOTHING_TO_DO, USAGE, DemosaicError, DiskFull
from demosaic.events import (
    Event,
    Listener,
    Notice,
    PicturesDone,
    PicturesFound,
    PictureSkipped,
    ignore,
)
from demosaic.files import real_path
from demosaic.imaging.discovery import find_images
from demosaic.imaging.edited_copy import written_suffix
from demosaic.workers.processes import Workers

_CLIPS = {
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".vob", ".ts", ".mts"),
    *(".m2ts", ".flv", ".wmv", ".asf", ".3gp", ".3g2", ".ogv", ".mxf", ".nut"),
}
"""Suffixes of clips; a result has its clip's own."""


Sources = str | PathLike[str] | Sequence[str | PathLike[str]]
"""One picture, folder or pattern, or several of them."""


@dataclass(frozen=True)
class Job:
    """A picture to process and where its result goes."""

    source: Path
    out: Path


def result_name(source: Path, done: str) -> str:
    """The file name of a picture's result, NAME.`done`.SUFFIX; it has the picture's own format if
    that can be written.
    """
    suffix = source.suffix.lower() if is_clip(source) else written_suffix(source)
    return f"{source.stem}.{done}{suffix}"


def is_clip(path: Path) -> bool:
    """Whether a file is a video clip, by the suffix of its name."""
    return path.suffix.lower() in _CLIPS


def numbered(out: Path, count: int) -> list[Path]:
    """The files of `count` results of one picture: `out` for one, else NAME-1 and so on."""
    if count == 1:
        return [out]
    return [out.with_name(f"{out.stem}-{number + 1}{out.suffix}") for number in range(count)]


def plan(
    sources: Sources,
    out: Path | None,
    done: str,
    *,
    force: bool,
    count: int = 1,
    listen: Listener = ignore,
) -> list[Job]:
    """The pictures to process and where their results go. `done` is the word in their names, as in
    NAME.restored.png.

    A source is a file, a folder, or a pattern such as `photos/**/*.jpg`, which some shells do not
    expand. The result of a file goes beside it, or to `out`: a file for one picture, else a folder.
    The results of a folder go to the same places under `out`. Results that exist already are left
    out, unless `force`. With a `count` above 1, each picture gets so many results, and the first of
    them, which is written last, says that all are there. Raises DemosaicError when a source is
    missing or contains no pictures, or a result would replace a picture or another result.
    """
    paths = [Path(sources)] if isinstance(sources, str | PathLike) else [*map(Path, sources)]
    found = list(dict.fromkeys(path for source in paths for path in _matches(source)))
    if out and _is_a_file(out) and (len(found) > 1 or found[0].is_dir()):
        raise DemosaicError(f"--out {out}: name a folder for several pictures", USAGE)
    jobs = [job for path in found for job in _jobs(path, out, done, alone=len(found) == 1)]
    jobs = _with_unique_names(jobs, done)
    if not jobs:
        raise DemosaicError(f"no pictures in {', '.join(map(str, paths))}", NOTHING_TO_DO)
    pictures = {real_path(job.source) for job in jobs}
    for job in jobs:
        if any(real_path(path) in pictures for path in numbered(job.out, count)):
            raise DemosaicError(f"{job.out} is one of the pictures: choose another --out")
    if len({job.out for job in jobs}) < len(jobs):
        raise DemosaicError("two pictures would get the same result name: give them one by one")
    return jobs if force else _still_to_do(jobs, count, listen)


def _is_a_file(out: Path) -> bool:
    """Whether `out` is named like a picture or a clip and is not a folder."""
    return not out.is_dir() and (is_clip(out) or written_suffix(out) == out.suffix)


def _matches(source: Path) -> list[Path]:
    """The files that match a pattern; the path itself when it exists or nothing matches."""
    if source.name == "**":  # Pythons differ in what that matches; a folder is walked anyway
        source = source.parent
    if source.exists():
        return [source]
    parts = source.relative_to(source.anchor).parts
    # ** inside a name is *, as in a shell; Python before 3.13 refuses it
    pattern = Path(*(part if part == "**" else re.sub(r"\*+", "*", part) for part in parts))
    return sorted(Path(source.anchor).glob(str(pattern))) or [source]


def _still_to_do(jobs: list[Job], count: int, listen: Listener) -> list[Job]:
    """The jobs without a result yet, so that the same command continues after a stop. Raises
    DemosaicError when there are none.
    """
    missing = [job for job in jobs if not numbered(job.out, count)[0].exists()]
    if not missing and len(jobs) == 1:
        there = numbered(jobs[0].out, count)[0]
        raise DemosaicError(f"{there} is already there: --force replaces it")
    if not missing:
        text = f"all {len(jobs)} results are already there: --force replaces them"
        raise DemosaicError(text, NOTHING_TO_DO)
    if len(missing) < len(jobs):
        listen(Notice(f"{len(jobs) - len(missing)} results are already there: --force redoes them"))
    return missing


def _with_unique_names(jobs: list[Job], done: str) -> list[Job]:
    """The jobs, with results named after the whole file name when two would be the same: those of
    a.jpg and a.png in one folder.
    """
    taken = Counter(job.out for job in jobs)
    return [
        Job(job.source, job.out.with_name(f"{job.source.name}.{done}{job.out.suffix}"))
        if taken[job.out] > 1
        else job
        for job in jobs
    ]


def _jobs(source: Path, out: Path | None, done: str, *, alone: bool) -> Iterator[Job]:
    """The jobs of one file or folder; `alone` says that there is no other. Raises DemosaicError."""
    if source.is_dir():
        if out is None:
            raise DemosaicError(f"{source} is a folder: say where its results go with --out FOLDER")
        if real_path(out).is_relative_to(real_path(source)):
            raise DemosaicError(f"--out {out} is inside {source}, where nothing is written")
        for path in find_images(source):
            yield Job(path, out / path.relative_to(source).parent / result_name(path, done))
    elif not source.exists():
        raise DemosaicError(f"there is no file {source}")
    elif not source.is_file():
        raise DemosaicError(f"{source} is neither a file nor a folder, so it is no picture")
    elif out is None:
        yield Job(source, source.with_name(result_name(source, done)))
    elif alone and out.suffix and not out.is_dir():
        yield Job(source, out)
    else:
        yield Job(source, out / result_name(source, done))


_Result = TypeVar("_Result", bound=Event)


@dataclass(frozen=True)
class BatchReport(Generic[_Result]):
    """What came of several pictures: `results` of those that were done, in their order, and those
    that were `skipped`, with the reason.
    """

    results: tuple[_Result, ...]
    skipped: tuple[PictureSkipped, ...]
    failed: int
    """How many of the `skipped` failed; in the others there was nothing to do."""
    page: str = ""
    """The page that shows the results, if one was asked for."""


@dataclass(frozen=True)
class Outcome(Generic[_Result]):
    """What came of one job: a result or an error."""

    result: _Result | None = None
    error: DemosaicError | None = None
    said: tuple[Event, ...] = ()
    """What it reported while it was done elsewhere."""


def do_all(
    jobs: Sequence[Job],
    do: Callable[[Job, Listener], _Result],
    done: str,
    listen: Listener = ignore,
    workers: Workers | None = None,
) -> BatchReport[_Result]:
    """Do every job and pass on what comes of each. A job that fails does not stop the others,
    unless the disk is full. With `workers`, to which `do` is sent, these do the jobs.

    `done` is the word for it in messages, such as `restored`. Raises that job's own DemosaicError
    when there is only one, or one for all when every job failed; and DiskFull.
    """
    listen(PicturesFound(len(jobs)))
    results: list[_Result] = []
    skipped: list[PictureSkipped] = []
    failures: list[DemosaicError] = []
    for job, outcome in zip(jobs, _outcomes(jobs, do, listen, workers), strict=True):
        for event in outcome.said:
            listen(event)
        error = outcome.error
        if error is not None:
            if len(jobs) == 1 or isinstance(error, DiskFull):
                raise error
            failures.append(error)
            skipped.append(PictureSkipped(str(job.source), str(error)))
            listen(skipped[-1])
        elif outcome.result is not None:
            results.append(outcome.result)
            listen(outcome.result)
    if len(failures) == len(jobs):
        code = max(error.exit_code for error in failures)
        raise DemosaicError(f"none of {len(jobs)} pictures was {done}: {failures[0]}", code)
    listen(PicturesDone(done, len(results), len(jobs)))
    failed = sum(error.exit_code != NOTHING_TO_DO for error in failures)
    return BatchReport(tuple(results), tuple(skipped), failed)


def _outcomes(
    jobs: Sequence[Job],
    do: Callable[[Job, Listener], _Result],
    listen: Listener,
    workers: Workers | None,
) -> Iterator[Outcome[_Result]]:
    if workers is None:
        return (_tried(job, do, listen) for job in jobs)
    home = Path.cwd()  # workers on other machines have another
    there = [Job(home / job.source, home / job.out) for job in jobs]
    outcomes = workers.map(partial(_tried_elsewhere, do=do), there)
    return (_as_named(outcome, home) for outcome in outcomes)


def _tried(job: Job, do: Callable[[Job, Listener], _Result], listen: Listener) -> Outcome[_Result]:
    try:
        return Outcome(do(job, listen))
    except DemosaicError as error:
        return Outcome(error=error)


def _tried_elsewhere(job: Job, do: Callable[[Job, Listener], _Result]) -> Outcome[_Result]:
    said: list[Event] = []
    outcome = _tried(job, do, said.append)
    return replace(outcome, said=tuple(said))


def _as_named(outcome: Outcome[_Result], home: Path) -> Outcome[_Result]:
    """What came of a job with the names that the user gave, not those sent to the worker."""
    error = outcome.error
    if error is not None:
        error.args = tuple(_shortened(text, home) for text in error.args)
    return Outcome(
        outcome.result and _renamed(outcome.result, home),
        error,
        tuple(_renamed(event, home) for event in outcome.said),
    )


_Said = TypeVar("_Said", bound=Event)


def _renamed(event: _Said, home: Path) -> _Said:
    return replace(event, **{name: _shortened(value, home) for name, value in vars(event).items()})


def _shortened(value: Any, home: Path) -> Any:
    """The value of a field with paths as they are below the folder `home`."""
    if isinstance(value, str):
        return value.replace(f"{home}{os.sep}", "")
    if isinstance(value, tuple):
        return tuple(_shortened(one, home) for one in value)
    return value
