"""Pictures on disk: which are to be restored, where their results go, and how each fared."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from demosaic.checkpoints import load_model
from demosaic.config import DeviceConfig, RestoreConfig
from demosaic.devices import choose, settle_threads
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.events import (
    Listener,
    Notice,
    PictureRestored,
    PicturesFound,
    PictureSkipped,
    ignore,
)
from demosaic.images import find_images
from demosaic.restoration import restore_file


@dataclass(frozen=True)
class Job:
    """A picture to restore and where to."""

    source: Path
    out: Path


def restored_name(source: Path) -> str:
    """The file name of a picture's result."""
    return f"{source.stem}.restored.png"


def plan(
    sources: Sequence[Path], out: Path | None, *, force: bool, listen: Listener = ignore
) -> list[Job]:
    """Which pictures are to be restored, and where to.

    A file's result goes beside it, or to `out` (a file for one picture, else a folder); a folder's
    are mirrored under `out`. Raises DemosaicError before anything is done when something is
    missing, in the way, or nothing is found.
    """
    jobs = [job for source in sources for job in _jobs(source, out, alone=len(sources) == 1)]
    jobs = _told_apart(jobs)
    if not jobs:
        raise DemosaicError(f"no pictures in {', '.join(map(str, sources))}", NOTHING_TO_DO)
    pictures = {job.source.resolve() for job in jobs}
    for job in jobs:
        if job.out.resolve() in pictures:
            raise DemosaicError(f"{job.out} is one of the pictures: choose another --out")
    if len({job.out for job in jobs}) < len(jobs):
        raise DemosaicError("two pictures would get the same result name: restore them one by one")
    return jobs if force else _still_to_do(jobs, listen)


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


def _told_apart(jobs: list[Job]) -> list[Job]:
    """The jobs, with the whole file name in the results of a.jpg and a.png in one folder."""
    taken = Counter(job.out for job in jobs)
    return [
        Job(job.source, job.out.with_name(f"{job.source.name}.restored.png"))
        if taken[job.out] > 1
        else job
        for job in jobs
    ]


def _jobs(source: Path, out: Path | None, *, alone: bool) -> Iterator[Job]:
    if source.is_dir():
        if out is None:
            raise DemosaicError(f"{source} is a folder: say where its results go with --out FOLDER")
        if out.resolve().is_relative_to(source.resolve()):
            raise DemosaicError(f"--out {out} is inside {source}, where nothing is written")
        for path in find_images(source):
            yield Job(path, out / path.relative_to(source).parent / restored_name(path))
    elif not source.exists():
        raise DemosaicError(f"there is no file {source}")
    elif out is None:
        yield Job(source, source.with_name(restored_name(source)))
    elif alone and out.suffix and not out.is_dir():
        yield Job(source, out)
    else:
        yield Job(source, out / restored_name(source))


def restore_files(
    jobs: Sequence[Job],
    model_path: Path,
    config: RestoreConfig,
    *,
    devices: DeviceConfig | None = None,
    listen: Listener = ignore,
) -> int:
    """Restore every picture; say how many were. One that cannot be is said and the rest still done.

    Raises that picture's own DemosaicError when there is only one, or one for all when none could
    be.
    """
    settle_threads(devices or DeviceConfig())
    compute, _ = choose(devices or DeviceConfig())
    model = load_model(model_path, compute.device)
    if model.card.blocks is None:
        listen(Notice("this model was not trained on mosaics: its results are not reconciled"))
    listen(PicturesFound(len(jobs)))
    failures: list[DemosaicError] = []
    for job in jobs:
        try:
            restored = restore_file(job.source, job.out, model, config, compute)
        except DemosaicError as error:
            if len(jobs) == 1:
                raise
            failures.append(error)
            listen(PictureSkipped(str(job.source), str(error)))
        else:
            listen(PictureRestored(str(job.source), str(job.out), restored.regions))
    if len(failures) == len(jobs):
        code = max(error.exit_code for error in failures)
        raise DemosaicError(f"none of {len(jobs)} pictures was restored: {failures[0]}", code)
    return len(jobs) - len(failures)
