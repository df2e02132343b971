"""Photos in, pairs out."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path

from demosaic.config.dataset import BuildConfig
from demosaic.dataset.crops import PhotoResult, Task
from demosaic.dataset.events import BuildReport, PairMoved, PhotoDone, PhotosFound, PhotoSkipped
from demosaic.dataset.previews import draw_sheets
from demosaic.dataset.records import COPY, Skipped
from demosaic.dataset.splits import person_found
from demosaic.dataset.workers import work_on
from demosaic.dataset.writer import PairWriter
from demosaic.errors import NOTHING_TO_DO, USAGE, DemosaicError, Interrupted
from demosaic.events import Listener, Notice, ignore
from demosaic.faces.cache import Look, Looks, MakeDetector, forget_looks, users_looks
from demosaic.faces.detector import MediaPipeDetector, default_detector
from demosaic.files import real_path
from demosaic.imaging.discovery import find_images
from demosaic.text import counted

_FORGOTTEN = "forgotten"


def build_dataset(
    photos: str | PathLike[str],
    pairs: str | PathLike[str],
    config: BuildConfig = BuildConfig(),
    *,
    make_detector: MakeDetector | None = None,
    detector_name: str = "",
    looks: Path | None = None,
    prune: bool = False,
    workers: int = 1,
    listen: Listener = ignore,
) -> BuildReport:
    """Turn every face below `photos` into a pair in `pairs`, and say what came of every photo.

    `make_detector`, `detector_name` and `looks` are another detector, its name, and the folder that
    remembers what it saw; by default MediaPipe's, and this user's cache.
    Pairs of photos that are gone stay, unless it is to `prune`. Raises DemosaicError when there is
    no photo, no face or no way to write; Interrupted on Ctrl-C. The same call goes on where an
    earlier one stopped, and adds only what is new.
    """
    start = time.monotonic()
    photos, out = Path(photos), Path(pairs)
    if make_detector is None:
        make_detector, detector_name = default_detector, MediaPipeDetector.name()
        looks = users_looks()
    paths, ignored = photos_in(photos, out, config.group_by)
    writer = PairWriter(out, config)
    if looks and writer.forgetting:
        forget_looks(looks, writer.forgotten)
    listen(PhotosFound(len(paths), ignored))
    look = Look(make_detector, Looks(looks, detector_name) if looks else None)
    work = partial(work_on, config=config, look=look, forgotten=writer.forgotten, workers=workers)
    try:
        seen = _work_through(paths, photos, work, writer, listen)
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped with {counted(len(writer.kept), 'pair')} in {out}: the same command goes on"
        ) from None
    changes = writer.finish(seen, detector=detector_name, ignored=ignored, prune=prune)
    for pair, before in changes.moved:
        listen(PairMoved(pair.id, pair.photo, before, pair.split))
    _refuse_empty(writer, photos)
    _tell_of_empty_splits(writer, listen)
    draw_sheets(writer, photos)
    return BuildReport(
        folder=str(out),
        photos=len(paths),
        ignored=ignored,
        funnel=writer.funnel(seen),
        pairs=len(writer.pairs()),
        splits=writer.splits(),
        groups=writer.groups(),
        closest=writer.closest(),
        skipped=_with_forgotten(writer, seen),
        new_pairs=writer.new_pairs(),
        moved=len(changes.moved),
        gone=len(changes.gone),
        pruned=changes.pruned,
        seconds=time.monotonic() - start,
    )


def photos_in(photos: Path, out: Path, group_by: str) -> tuple[list[tuple[Path, str]], int]:
    """Every photo file and its name in the dataset, and how many files were ignored as thumbnails
    and the like. Raises DemosaicError where there are none, the pairs would go among them, or
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


def _work_through(
    paths: Sequence[tuple[Path, str]],
    photos: Path,
    work: Callable[[Iterable[Task]], Iterator[PhotoResult]],
    writer: PairWriter,
    listen: Listener,
) -> dict[str, str]:
    """Write what every photo gives; hand back the content hash of each."""
    tasks = (Task(path, name, writer.recorded(name)) for path, name in paths)
    names = {name for _, name in paths}
    seen = _write_all(_while_there(work(tasks), photos), names, writer, listen)
    bereft = [Task(photos / name, name, None) for name in writer.bereft(seen)]
    if bereft:
        again = _while_there(work(bereft), photos)
        seen.update(_write_all(again, set(), writer, ignore))
    return seen


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


def _refuse_group_by(by: str, photos: Sequence[str]) -> None:
    if by not in ("parent", "photo") and not any(person_found(photo, by) for photo in photos):
        raise DemosaicError(
            f"--group-by {by} finds nothing in any photo's name below the folder, "
            f"such as {photos[0]}",
            USAGE,
        )


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
    if result.sha256 in writer.forgotten:
        listen(PhotoSkipped(result.photo, _FORGOTTEN))
    for pair, picture in result.kept:
        writer.add(pair, picture)
    listen(PhotoDone(result.photo, len(result.kept)))


def _with_forgotten(writer: PairWriter, seen: Mapping[str, str]) -> dict[str, int]:
    """What was left out, by reason; how many photos are forgotten stands nowhere else."""
    forgotten = sum(sha256 in writer.forgotten for sha256 in seen.values())
    return {**writer.reasons(), **({_FORGOTTEN: forgotten} if forgotten else {})}


def _tell_of_empty_splits(writer: PairWriter, listen: Listener) -> None:
    config = writer.config
    shares = {"train": 1 - config.val - config.test, "val": config.val, "test": config.test}
    for split, count in writer.splits().items():
        if shares[split] > 0 and not count:
            listen(
                Notice(
                    f"none of the {writer.groups()} groups fell to {split}: they are made by "
                    f"--group-by {config.group_by}, and more of them share out better"
                )
            )


def _refuse_empty(writer: PairWriter, photos: Path) -> None:
    if not writer.pairs():
        reasons = ", ".join(f"{count} x {reason}" for reason, count in writer.reasons().items())
        raise DemosaicError(
            f"no pairs from {photos}: {reasons}; all that is left is why, photo by photo, in "
            f"{writer.folder / 'skipped.jsonl'}",
            NOTHING_TO_DO,
        )
