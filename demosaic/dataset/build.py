"""Photos in, pairs out."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path

from demosaic.config.dataset import BuildConfig
from demosaic.config.detector import DetectorConfig, Engine
from demosaic.dataset.crops import PhotoResult, Task
from demosaic.dataset.events import BuildReport, PairMoved, PhotoDone, PhotosFound, PhotoSkipped
from demosaic.dataset.previews import draw_preview, draw_skipped
from demosaic.dataset.records import COPY, Skipped
from demosaic.dataset.splits import person_found
from demosaic.dataset.summary import Summary
from demosaic.dataset.workers import work_on
from demosaic.dataset.writer import PairWriter, refuse_other_folder
from demosaic.errors import NOTHING_TO_DO, USAGE, DemosaicError, Interrupted
from demosaic.events import Listener, Notice, ignore
from demosaic.faces import engines
from demosaic.faces.cache import Examiner, FaceCache, MakeDetector, forget_faces, user_cache
from demosaic.files import real_path
from demosaic.imaging.discovery import find_images
from demosaic.locks import written_alone
from demosaic.text import counted
from demosaic.workers.processes import Workers

_FORGOTTEN = "forgotten"

_NAMED = 5  # photos in a notice

_Stamp = tuple[int, int] | None

_Work = Callable[[Iterable[Task]], Iterator[PhotoResult]]


def build_dataset(
    photos: str | PathLike[str],
    pairs: str | PathLike[str],
    config: BuildConfig = BuildConfig(),
    *,
    detector: Engine = DetectorConfig.detector,
    make_detector: MakeDetector | None = None,
    detector_name: str = "",
    looks: Path | None = None,
    prune: bool = False,
    workers: int | Workers = 1,
    listen: Listener = ignore,
) -> BuildReport:
    """Turn every face below `photos` into a pair in `pairs`; what became of every photo.

    `detector` is what runs the face network. `make_detector`, `detector_name` and `looks` are
    another detector, its name, and the folder that remembers what it saw, so that no photo is
    looked at twice; without them it is this user's cache. Pairs of photos that are gone stay,
    unless `prune`. The same call continues an interrupted build and adds the photos that are new.
    `workers` is a number of processes or, as `workers.cluster` makes them, other workers; the files
    are the same, byte for byte.

    Raises DemosaicError when there is no photo, no face or no way to write, or another process
    writes there; Interrupted on Ctrl-C.
    """
    start = time.monotonic()
    photos, out = Path(photos), Path(pairs)
    recorded = detector_name
    if make_detector is None:
        make_detector = partial(engines.make_detector, detector)
        detector_name, recorded = engines.NETWORK_NAME, engines.detector_name(detector)
        looks = looks or user_cache()
    paths, ignored = photos_in(photos, out, config.group_by)
    refuse_other_folder(out, config)
    with written_alone(out, private=True):
        writer = PairWriter(out, config)
        if looks and writer.forgetting:
            forget_faces(looks, writer.forgotten)
        listen(PhotosFound(len(paths), ignored))
        examiner = Examiner(make_detector, FaceCache(looks, detector_name) if looks else None)
        work = partial(
            work_on, config=config, examiner=examiner, forgotten=writer.forgotten, workers=workers
        )
        stamps = [_stamp(path) for path, _ in paths]
        try:
            seen = _add_all(paths, photos, work, writer, listen)
        except KeyboardInterrupt:
            raise Interrupted(
                f"stopped with {counted(len(writer.pairs), 'pair')} in {out}: run the same command "
                "again to continue"
            ) from None
        removed = writer.remove_outdated(seen, prune=prune)
        _note_repairs(writer.made_again, removed.lost, listen)
        settled = writer.finish(seen, detector=recorded, ignored=ignored)
        for move in settled.moved:
            listen(PairMoved(move.pair.id, move.pair.photo, move.before, move.pair.split))
        summary = settled.summary
        _refuse_empty(summary, photos, out)
        _note_empty_splits(summary, config, listen)
        _note_changes(paths, stamps, listen)
        draw_preview(out, writer.pairs.values())
        draw_skipped(out, writer.skipped, summary.skipped, photos)
        return BuildReport(
            folder=str(out),
            photos=len(paths),
            ignored=ignored,
            funnel=settled.funnel,
            pairs=summary.pairs,
            splits=summary.splits,
            sharp=summary.sharp,
            groups=summary.groups,
            closest=summary.closest,
            skipped=_with_forgotten(summary.skipped, writer.forgotten, seen),
            new_pairs=writer.added(),
            moved=len(settled.moved),
            gone=len(removed.photos),
            pruned=removed.pairs,
            seconds=time.monotonic() - start,
        )


def photos_in(photos: Path, out: Path, group_by: str) -> tuple[list[tuple[Path, str]], int]:
    """Every photo file with its name in the dataset, and how many files were ignored as thumbnails
    and the like.

    Raises DemosaicError when there are no photos, when the pairs would lie among them, or when
    `group_by` finds nobody in any name.
    """
    if not photos.is_dir():
        raise DemosaicError(f"{photos} is not a folder: give the folder your photos are in")
    if real_path(photos).is_relative_to(real_path(out)):
        raise DemosaicError(
            f"{out} holds the photos themselves: choose another folder for the pairs"
        )
    if real_path(out).is_relative_to(real_path(photos)):
        raise DemosaicError(
            f"{out} is inside {photos}, where nothing is written: choose another folder"
        )
    ignored: list[Path] = []
    paths = find_images(photos, out, ignored.append)
    if not paths:
        only = f" but {len(ignored)} hidden files or thumbnails" if ignored else ""
        raise DemosaicError(f"no photos in {photos}{only}: is it the right folder?", NOTHING_TO_DO)
    names = [path.relative_to(photos).as_posix() for path in paths]
    _refuse_group_by(group_by, names)
    return list(zip(paths, names, strict=True)), len(ignored)


def _refuse_group_by(by: str, photos: Sequence[str]) -> None:
    if by not in ("parent", "photo") and not any(person_found(photo, by) for photo in photos):
        raise DemosaicError(
            f"--group-by {by} finds nothing in any photo's name below the folder, "
            f"such as {photos[0]}",
            USAGE,
        )


# Adding


def _add_all(
    paths: Sequence[tuple[Path, str]],
    photos: Path,
    work: _Work,
    writer: PairWriter,
    listen: Listener,
) -> dict[str, str]:
    """Add what every photo gives; the content hash of each photo."""
    home = Path.cwd()  # workers on other machines have another
    tasks = (Task(home / path, name, writer.recorded(name)) for path, name in paths)
    adding = _Adding(writer, {name for _, name in paths}, listen)
    adding.add_all(_while_there(work(tasks), photos))
    again = [
        Task(home / photos / name, name, None)
        for name in writer.copies_without_original(adding.seen)
    ]
    if again:
        adding_again = _Adding(writer, set(), ignore)
        adding_again.add_all(_while_there(work(again), photos))
        adding.seen.update(adding_again.seen)
    return adding.seen


class _Adding:
    """Results go to the writer, unless the same file gave its pairs under another name."""

    def __init__(self, writer: PairWriter, photos: set[str], listen: Listener) -> None:
        """`photos`: the names of all photos that are going to come."""
        self.seen: dict[str, str] = {}
        """The content hash of every photo so far; empty when it cannot be read."""
        self._writer = writer
        self._photos = photos
        self._listen = listen
        self._owners = {pair.sha256: pair.photo for pair in writer.pairs.values()}

    def add_all(self, results: Iterable[PhotoResult]) -> None:
        """Add the results in their order. Copies of a photo of an earlier build that is still to
        come are added last: that photo may have changed.
        """
        waiting = []
        for result in results:
            self.seen[result.photo] = result.sha256
            original = self._original(result)
            if original in self._photos and original not in self.seen:
                waiting.append(result)
            else:
                self._add(result)
        for result in waiting:
            self._add(result)

    def _original(self, result: PhotoResult) -> str | None:
        """The other photo that the pairs of the same file are of, if there is one."""
        owner = self._owners.get(result.sha256) if result.kept else None
        return None if owner == result.photo else owner

    def _add(self, result: PhotoResult) -> None:
        original = self._original(result)
        if original is not None and self.seen.get(original) == result.sha256:
            copy = Skipped(result.photo, result.sha256, COPY, original)
            result = PhotoResult(result.photo, result.sha256, (), (copy,))
        elif result.kept:
            self._owners[result.sha256] = result.photo
        for skipped in result.skipped:
            self._writer.skip(skipped)
            self._listen(PhotoSkipped(skipped.photo, skipped.reason, skipped.detail))
        if result.sha256 in self._writer.forgotten:
            self._listen(PhotoSkipped(result.photo, _FORGOTTEN))
        for pair, picture in result.kept:
            self._writer.add(pair, picture)
        self._listen(PhotoDone(result.photo, len(result.kept)))


def _while_there(results: Iterable[PhotoResult], photos: Path) -> Iterator[PhotoResult]:
    """The results while the photo folder is there. When a disk is taken away, which may leave an
    empty folder, the build stops instead of recording every photo as unreadable.
    """
    for result in results:
        if not result.sha256 and not _holds_something(photos):
            raise DemosaicError(
                f"{photos} has vanished: bring it back and run the same command again"
            )
        yield result


def _holds_something(folder: Path) -> bool:
    """Whether a folder is there and not empty; only its first entry is looked at."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return False


# Reporting


def _with_forgotten(
    skipped: Mapping[str, int], forgotten: Iterable[str], seen: Mapping[str, str]
) -> dict[str, int]:
    """What was left out, by reason, with the forgotten photos, which stand in no file."""
    count = sum(sha256 in forgotten for sha256 in seen.values())
    return {**skipped, **({_FORGOTTEN: count} if count else {})}


def _note_repairs(made_again: int, lost: int, listen: Listener) -> None:
    if made_again:
        listen(Notice(f"made again: {counted(made_again, 'picture')}, missing or damaged before"))
    if lost:
        listen(
            Notice(
                f"removed: {counted(lost, 'pair')} whose picture was missing or damaged, and "
                "whose photo gives it no more"
            )
        )


def _note_changes(
    paths: Iterable[tuple[Path, str]], before: Sequence[_Stamp], listen: Listener
) -> None:
    """Say which photos are not what they were before the build."""
    changed = [
        name for (path, name), stamp in zip(paths, before, strict=True) if _stamp(path) != stamp
    ]
    if changed:
        more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        listen(
            Notice(
                f"changed while the build ran: {', '.join(changed[:_NAMED])}{more}; run the same "
                "command again"
            )
        )


def _stamp(path: Path) -> _Stamp:
    """When a file was changed, and its size; None for one that is not there."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size


def _note_empty_splits(summary: Summary, config: BuildConfig, listen: Listener) -> None:
    shares = {"train": 1 - config.val - config.test, "val": config.val, "test": config.test}
    for split, count in summary.splits.items():
        if shares[split] > 0 and not count:
            listen(
                Notice(
                    f"No group was assigned to {split} ({counted(summary.groups, 'group')} in "
                    "total). Use more people, or a finer --group-by."
                )
            )


def _refuse_empty(summary: Summary, photos: Path, out: Path) -> None:
    if not summary.pairs:
        reasons = ", ".join(f"{count} x {reason}" for reason, count in summary.skipped.items())
        raise DemosaicError(
            f"no pairs from {photos}: {reasons}; the reason for each photo is in "
            f"{out / 'skipped.jsonl'}",
            NOTHING_TO_DO,
        )
