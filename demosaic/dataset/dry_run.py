"""What a build is likely to make and to take, from a sample of the photos; nothing is written."""

import hashlib
import time
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from demosaic.config.dataset import BuildConfig
from demosaic.dataset.build import photos_in
from demosaic.dataset.crops import PhotoResult, Task
from demosaic.dataset.events import Forecast, PhotoDone, PhotosFound, PhotoSkipped
from demosaic.dataset.workers import work_on
from demosaic.dataset.writer import Built, built_before
from demosaic.events import Listener, ignore
from demosaic.faces.cache import Look
from demosaic.files import encoded

_SAMPLE = 200  # photos; of the share that gives pairs that tells a few hundredths


@dataclass(frozen=True)
class _Tried:
    """What came of a sample of some of the photos."""

    photos: int
    """Of which it is a sample."""
    results: Sequence[PhotoResult]
    start: float
    """Seconds of the longest wait for one, in which the detectors were loaded: it comes once."""
    each: float
    """Seconds that every other one takes."""

    @property
    def scale(self) -> float:
        """For how many photos one of the sample stands."""
        return self.photos / max(1, len(self.results))


def forecast(
    photos: Path,
    out: Path,
    config: BuildConfig,
    *,
    look: Look,
    prune: bool = False,
    workers: int = 1,
    listen: Listener = ignore,
) -> Forecast:
    """Work through a sample of the photos as `build_dataset` would: of those that are new, and of
    those that an earlier build into `out` worked through, which mostly are as they were.

    Raises DemosaicError where such a build would be refused.
    """
    paths, ignored = photos_in(photos, out, config.group_by)
    built = built_before(out, config)
    tasks = [Task(path, name, built.done.get(name)) for path, name in paths]
    new = [task for task in tasks if task.recorded is None]
    known = [task for task in tasks if task.recorded is not None]
    samples = _sample(new), _sample(known)
    listen(PhotosFound(sum(map(len, samples)), ignored))
    work = partial(work_on, config=config, look=look, forgotten=built.forgotten, workers=workers)
    tried = [
        _try(len(kind), work(sample), listen)
        for kind, sample in zip((new, known), samples, strict=True)
    ]
    added = [(one.scale, _added(one.results, built)) for one in tried]
    gone, pruned = _gone(tasks, built, tried[0])
    return Forecast(
        photos=len(tasks),
        ignored=ignored,
        known=len(known),
        sampled=sum(map(len, samples)),
        there=len(built.pairs),
        pairs=round(sum(scale * len(pictures) for scale, pictures in added)),
        minutes=_seconds(tried) / 60,
        megabytes=sum(scale * sum(map(len, pictures)) for scale, pictures in added) / 1e6,
        skipped=_reasons(tried),
        gone=gone,
        pruned=pruned if prune else 0,
    )


def _sample(tasks: Sequence[Task]) -> list[Task]:
    """Photos from everywhere, in the order in which they lie; always the same ones."""
    by_hash = sorted(tasks, key=lambda task: hashlib.sha256(encoded(task.photo)).digest())
    return sorted(by_hash[:_SAMPLE], key=lambda task: task.photo)


def _try(photos: int, work: Iterable[PhotoResult], listen: Listener) -> _Tried:
    """Work through a sample of so many photos, and time it."""
    results, times = list[PhotoResult](), [time.monotonic()]
    for result in work:
        results.append(result)
        times.append(time.monotonic())
        for skipped in result.skipped:
            listen(PhotoSkipped(skipped.photo, skipped.reason, skipped.detail))
        listen(PhotoDone(result.photo, len(result.kept)))
    return _Tried(photos, results, *_rate(times))


def _rate(times: Sequence[float]) -> tuple[float, float]:
    """The longest wait between two of the times, and the mean of the others."""
    waits = [after - before for before, after in pairwise(times)]
    longest = max(waits, default=0.0)
    return longest, (sum(waits) - longest) / max(1, len(waits) - 1)


def _seconds(tried: Sequence[_Tried]) -> float:
    """How long a build takes that loads the detectors once."""
    return max(one.start for one in tried) + sum(one.each * max(0, one.photos - 1) for one in tried)


def _added(results: Iterable[PhotoResult], built: Built) -> list[bytes]:
    """The pictures of the pairs that were not there before."""
    there = {pair.id for pair in built.pairs}
    return [picture for result in results for pair, picture in result.kept if pair.id not in there]


def _gone(tasks: Collection[Task], built: Built, new: _Tried) -> tuple[int, int]:
    """How many photos of an earlier build are no more, but for those that have a new name only, and
    how many pairs they gave.
    """
    names = {task.photo for task in tasks}
    closed = tuple(f"{task.photo}/" for task in tasks if task.path.is_dir())  # cannot be entered
    gone = {photo for photo in built.done if photo not in names and not photo.startswith(closed)}
    found = {result.sha256 for result in new.results}
    left = {photo for photo in gone if built.done[photo] not in found}
    count = max(0.0, len(gone) - new.scale * (len(gone) - len(left)))
    pairs = sum(pair.photo in left for pair in built.pairs)
    return round(count), round(pairs * count / max(1, len(left)))


def _reasons(tried: Iterable[_Tried]) -> dict[str, int]:
    counts = Counter(
        skipped.reason for one in tried for result in one.results for skipped in result.skipped
    )
    return dict(counts.most_common())
