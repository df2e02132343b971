"""Photos in, pairs out."""

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from pathlib import Path

import numpy as np

from demosaic.config import BuildConfig
from demosaic.cutting import PhotoResult, Task, photo_to_pairs
from demosaic.errors import NOTHING_TO_DO, DemosaicError, Interrupted
from demosaic.events import BuildReport, Listener, PhotoDone, PhotosFound, PhotoSkipped, ignore
from demosaic.images import (
    Box,
    Pixels,
    contact_sheet,
    find_images,
    read_image,
    thumbnail,
    titled,
    use_one_core,
    write_jpeg,
)
from demosaic.looking import Look, Looks, MakeDetector
from demosaic.pairs import COPY, PairWriter, Skipped

_HANDFUL = 4  # photos that travel together between processes
_AHEAD = 3  # handfuls a worker may be ahead of the writer, which bounds the memory
_SHEET_PAIRS, _SHEET_COLUMNS, _REFUSED_COLUMNS, _SHEET_SIDE = 60, 5, 10, 128


def build_dataset(
    photos: Path,
    out: Path,
    config: BuildConfig,
    *,
    make_detector: MakeDetector,
    detector_name: str,
    looks: Path | None = None,
    workers: int = 1,
    listen: Listener = ignore,
) -> BuildReport:
    """Turn every face below `photos` into a pair in `out`, and say what came of every photo.

    What the detector sees is remembered in the folder `looks`, so that it need not look again.
    Raises DemosaicError when there is no photo, no face or no way to write; Interrupted on Ctrl-C.
    The same call goes on where an earlier one stopped, and adds only what is new.
    """
    start = time.monotonic()
    paths, ignored = photos_in(photos, out)
    writer = PairWriter(out, config)
    listen(PhotosFound(len(paths), ignored))
    tasks = (Task(path, name, writer.recorded(name)) for path, name in paths)
    try:
        look = Look(make_detector, Looks(looks, detector_name) if looks else None)
        results = _while_there(work_on(tasks, config, look, workers), photos)
        seen = _write_all(results, {name for _, name in paths}, writer, listen)
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped; {len(writer.kept)} pairs are in {out}: the same command goes on"
        ) from None
    writer.finish(seen, detector_name, ignored)
    _refuse_empty(writer, photos)
    _draw_sheets(writer, photos)
    return BuildReport(
        folder=str(out),
        photos=len(paths),
        ignored=ignored,
        funnel=writer.funnel(seen),
        pairs=len(writer.kept),
        splits=writer.splits(),
        skipped=writer.reasons(),
        new_pairs=len(writer.kept) - writer.before,
        seconds=time.monotonic() - start,
    )


def photos_in(photos: Path, out: Path) -> tuple[list[tuple[Path, str]], int]:
    """Every photo file and its name in the dataset, and how many files were ignored as thumbnails
    and the like. Raises DemosaicError where there are none, or the pairs would go among them.
    """
    if not photos.is_dir():
        raise DemosaicError(f"{photos} is not a folder: give the folder your photos are in")
    if photos.resolve().is_relative_to(out.resolve()):
        raise DemosaicError(
            f"{out} holds the photos themselves: choose another folder for the pairs"
        )
    if out.resolve().is_relative_to(photos.resolve()):
        raise DemosaicError(
            f"{out} is inside {photos}, where nothing is written: choose another folder"
        )
    ignored: list[Path] = []
    paths = find_images(photos, out, ignored.append)
    if not paths:
        only = f" but {len(ignored)} hidden files or thumbnails" if ignored else ""
        raise DemosaicError(f"no photos in {photos}{only}: is it the right folder?", NOTHING_TO_DO)
    return [(path, path.relative_to(photos).as_posix()) for path in paths], len(ignored)


def _while_there(results: Iterable[PhotoResult], photos: Path) -> Iterator[PhotoResult]:
    """The results as long as the folder of the photos is there: that none of them can be read any
    more is not to be recorded as a fault of each. A disk taken away may leave an empty folder.
    """
    for result in results:
        if not result.sha256 and not (photos.is_dir() and any(photos.iterdir())):
            raise DemosaicError(
                f"{photos} has vanished: bring it back and run the same command again"
            )
        yield result


def _write_all(
    results: Iterable[PhotoResult], photos: set[str], writer: PairWriter, listen: Listener
) -> dict[str, str]:
    """Write each result in the order of the photos; hand back the content hash of every photo."""
    seen: dict[str, str] = {}
    owners = {pair.sha256: pair.photo for pair in writer.kept.values()}
    waiting: list[PhotoResult] = []  # its twin, by an earlier build, may have changed: wait and see
    for result in results:
        seen[result.photo] = result.sha256
        twin = owners.get(result.sha256, result.photo)
        if result.kept and twin != result.photo and twin in photos and twin not in seen:
            waiting.append(result)
        else:
            _write(result, seen, owners, writer, listen)
    for result in waiting:
        _write(result, seen, owners, writer, listen)
    return seen


def _write(
    result: PhotoResult,
    seen: dict[str, str],
    owners: dict[str, str],
    writer: PairWriter,
    listen: Listener,
) -> None:
    """Write a result, unless the very same file gave its pairs under another name."""
    twin = owners.get(result.sha256, result.photo)
    if result.kept and twin != result.photo and seen.get(twin) == result.sha256:
        copy = Skipped(result.photo, result.sha256, COPY, twin)
        result = PhotoResult(result.photo, result.sha256, (), (copy,))
    elif result.kept:
        owners[result.sha256] = result.photo
    for skipped in result.skipped:
        writer.skip(skipped)
        listen(PhotoSkipped(skipped.photo, skipped.reason, skipped.detail))
    for pair, picture in result.kept:
        writer.add(pair, picture)
    listen(PhotoDone(result.photo, len(result.kept)))


def _refuse_empty(writer: PairWriter, photos: Path) -> None:
    if not writer.kept:
        reasons = ", ".join(f"{count} x {reason}" for reason, count in writer.reasons().items())
        raise DemosaicError(
            f"no pairs from {photos}: {reasons}; see {writer.folder / 'skipped.jsonl'}",
            NOTHING_TO_DO,
        )


# Many photos: in this process or in several


def work_on(
    tasks: Iterable[Task], config: BuildConfig, look: Look, workers: int
) -> Iterator[PhotoResult]:
    """The results, in the order of the tasks."""
    if workers == 1:
        return (photo_to_pairs(task, config, look) for task in tasks)
    return _work_in_processes(tasks, config, look, workers)


def _work_in_processes(
    tasks: Iterable[Task], config: BuildConfig, look: Look, workers: int
) -> Iterator[PhotoResult]:
    spawn = multiprocessing.get_context("spawn")  # MediaPipe's threads do not survive a fork
    pool = ProcessPoolExecutor(
        workers, mp_context=spawn, initializer=_start_worker, initargs=(config, look)
    )
    waiting: deque[Future[list[PhotoResult]]] = deque()
    try:
        for some in _handfuls(tasks):
            waiting.append(pool.submit(_work_on, some))
            if len(waiting) >= workers * _AHEAD:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool as error:
        raise DemosaicError(
            "a worker process was killed (out of memory?): the same command goes on; "
            "fewer --workers take less memory"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_worker: tuple[BuildConfig, Look] | None = None  # of a worker process, set once when it starts


def _start_worker(config: BuildConfig, look: Look) -> None:
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to handle
    use_one_core()
    _worker = config, look


def _work_on(tasks: Sequence[Task]) -> list[PhotoResult]:
    assert _worker is not None
    return [photo_to_pairs(task, *_worker) for task in tasks]


def _handfuls(tasks: Iterable[Task]) -> Iterator[list[Task]]:
    remaining = iter(tasks)
    while some := list(islice(remaining, _HANDFUL)):
        yield some


# Sheets to look at


def _draw_sheets(writer: PairWriter, photos: Path) -> None:
    """preview.jpg: a sample of the pairs; skipped.jpg: a few of what was refused, a row a
    reason.
    """
    shown = [writer.kept[name] for name in sorted(writer.kept)[:_SHEET_PAIRS]]
    pictures = [read_image(writer.folder / pair.split / f"{pair.id}.png") for pair in shown]
    write_jpeg(writer.folder / "preview.jpg", contact_sheet(pictures, _SHEET_COLUMNS, _SHEET_SIDE))
    rows = []
    for reason, count in writer.reasons().items():
        refused = _refused(writer.examples(reason), photos)
        if refused:
            row = contact_sheet(refused, _REFUSED_COLUMNS, _SHEET_SIDE)
            rows.append(titled(row, f"{reason}: {count}"))
    if rows:
        write_jpeg(writer.folder / "skipped.jpg", np.vstack(rows))
    else:
        (writer.folder / "skipped.jpg").unlink(missing_ok=True)


def _refused(examples: Sequence[Skipped], photos: Path) -> list[Pixels]:
    """A row of pictures of what was refused, filled up with white; none when none can be shown."""
    shown: list[Pixels] = []
    for skipped in examples[:_REFUSED_COLUMNS]:
        try:
            image = read_image(photos / skipped.photo)
        except DemosaicError:
            continue
        shown.append(thumbnail(image, _SHEET_SIDE, Box(*skipped.box) if skipped.box else None))
    blank = np.full((_SHEET_SIDE, _SHEET_SIDE, 3), 255, np.uint8)
    return shown + [blank] * (_REFUSED_COLUMNS - len(shown)) if shown else []
