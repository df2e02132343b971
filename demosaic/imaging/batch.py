"""Pictures on disk: which are to be worked on, where their results go, and how each fared."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from demosaic.errors import NOTHING_TO_DO, USAGE, DemosaicError
from demosaic.events import Event, Listener, Notice, PicturesFound, PictureSkipped, ignore
from demosaic.files import real_path
from demosaic.imaging.discovery import find_images
from demosaic.imaging.edited_copy import written_suffix

# What can hold any sound with H.264 keeps its kind
_CLIPS = {
    **{suffix: suffix for suffix in (".mp4", ".m4v", ".mov", ".mkv", ".webm")},
    **dict.fromkeys((".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv"), ".mkv"),
    **dict.fromkeys((".3gp", ".3g2", ".ogv", ".vob"), ".mkv"),
}


@dataclass(frozen=True)
class Job:
    """A picture to work on and where its result goes."""

    source: Path
    out: Path


def result_name(source: Path, done: str) -> str:
    """The file name of a picture's result, of the picture's format where that can be written."""
    suffix = _CLIPS.get(source.suffix.lower()) or written_suffix(source)
    return f"{source.stem}.{done}{suffix}"


def is_clip(path: Path) -> bool:
    """Whether a file is a moving picture, by its name."""
    return path.suffix.lower() in _CLIPS


def plan(
    sources: Sequence[Path], out: Path | None, done: str, *, force: bool, listen: Listener = ignore
) -> list[Job]:
    """Which pictures are to be worked on, and where to; `done` says what their results are, as in
    NAME.restored.png.

    A source is a file, a folder, or a pattern such as `photos/**/*.jpg`, which not every shell
    resolves. A file's result goes beside it, or to `out` (a file for one picture, else a folder); a
    folder's are mirrored under `out`. Raises DemosaicError before anything is done when something
    is missing, in the way, or nothing is found.
    """
    found = list(dict.fromkeys(path for source in sources for path in _matches(source)))
    if out and _is_a_file(out) and (len(found) > 1 or found[0].is_dir()):
        raise DemosaicError(f"--out {out}: name a folder for several pictures", USAGE)
    jobs = [job for path in found for job in _jobs(path, out, done, alone=len(found) == 1)]
    jobs = _told_apart(jobs, done)
    if not jobs:
        raise DemosaicError(f"no pictures in {', '.join(map(str, sources))}", NOTHING_TO_DO)
    pictures = {real_path(job.source) for job in jobs}
    for job in jobs:
        if real_path(job.out) in pictures:
            raise DemosaicError(f"{job.out} is one of the pictures: choose another --out")
    if len({job.out for job in jobs}) < len(jobs):
        raise DemosaicError("two pictures would get the same result name: give them one by one")
    return jobs if force else _still_to_do(jobs, listen)


def _is_a_file(out: Path) -> bool:
    """Whether a name is that of a picture or a clip, and no folder has it."""
    return not out.is_dir() and (is_clip(out) or written_suffix(out) == out.suffix)


def _matches(source: Path) -> list[Path]:
    """The files that a pattern means, or the path as it is where there is such a file or none."""
    if source.exists():
        return [source]
    try:
        found = sorted(Path(source.anchor).glob(str(source.relative_to(source.anchor))))
    except ValueError:  # a name with ** in it is no pattern
        found = []
    return found or [source]


def _still_to_do(jobs: list[Job], listen: Listener) -> list[Job]:
    """The jobs without a result yet, so that the same command goes on after a stop."""
    missing = [job for job in jobs if not job.out.exists()]
    if not missing and len(jobs) == 1:
        raise DemosaicError(f"{jobs[0].out} is already there: --force replaces it")
    if not missing:
        text = f"all {len(jobs)} results are already there: --force replaces them"
        raise DemosaicError(text, NOTHING_TO_DO)
    if len(missing) < len(jobs):
        listen(Notice(f"{len(jobs) - len(missing)} results are already there: --force redoes them"))
    return missing


def _told_apart(jobs: list[Job], done: str) -> list[Job]:
    """The jobs, with the whole file name in the results of a.jpg and a.png in one folder."""
    taken = Counter(job.out for job in jobs)
    return [
        Job(job.source, job.out.with_name(f"{job.source.name}.{done}{job.out.suffix}"))
        if taken[job.out] > 1
        else job
        for job in jobs
    ]


def _jobs(source: Path, out: Path | None, done: str, *, alone: bool) -> Iterator[Job]:
    if source.is_dir():
        if out is None:
            raise DemosaicError(f"{source} is a folder: say where its results go with --out FOLDER")
        if real_path(out).is_relative_to(real_path(source)):
            raise DemosaicError(f"--out {out} is inside {source}, where nothing is written")
        for path in find_images(source):
            yield Job(path, out / path.relative_to(source).parent / result_name(path, done))
    elif not source.exists():
        raise DemosaicError(f"there is no file {source}")
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


def do_all(
    jobs: Sequence[Job], do: Callable[[Job], _Result], done: str, listen: Listener = ignore
) -> BatchReport[_Result]:
    """Do every job and pass on what comes of each. A job that fails does not stop the others.

    `done` is the word for it in messages, such as `restored`. Raises that job's own DemosaicError
    when there is only one, or one for all when every job failed.
    """
    listen(PicturesFound(len(jobs)))
    results: list[_Result] = []
    skipped: list[PictureSkipped] = []
    failures: list[DemosaicError] = []
    for job in jobs:
        try:
            event = do(job)
        except DemosaicError as error:
            if len(jobs) == 1:
                raise
            failures.append(error)
            skipped.append(PictureSkipped(str(job.source), str(error)))
            listen(skipped[-1])
        else:
            results.append(event)
            listen(event)
    if len(failures) == len(jobs):
        code = max(error.exit_code for error in failures)
        raise DemosaicError(f"none of {len(jobs)} pictures was {done}: {failures[0]}", code)
    return BatchReport(tuple(results), tuple(skipped))
