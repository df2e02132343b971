"""What a build is likely to make and how long it takes, from a sample of the photos. Nothing is
written.
"""

import hashlib
import os
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
from demosaic.dataset.writer import EarlierBuild, earlier_build, lies_in_any
from demosaic.events import Listener, ignore
from demosaic.faces.cache import Examiner
from demosaic.files import encoded

SAMPLE = 200
"""Photos; they give the share of photos with pairs to a few hundredths."""


@dataclass(frozen=True)
class Pace:
    """How fast photos are worked through, in seconds."""

    start: float
    """The longest wait for a photo, during which the detectors were loaded."""
    each: float
    """The mean of all other waits."""

    @classmethod
    def of(cls, times: Sequence[float]) -> "Pace":
        """From the time when work began and the time when each photo was done."""
        waits = [after - before for before, after in pairwise(times)]
        longest = max(waits, default=0.0)
        return cls(longest, (sum(waits) - longest) / max(1, len(waits) - 1))


def seconds(work: Iterable[tuple[int, Pace]]) -> float:
    """The time of a build that loads the detectors once and works through so many photos at each
    pace.
    """
    work = list(work)
    return max(pace.start for _, pace in work) + sum(
        pace.each * max(0, photos - 1) for photos, pace in work
    )


@dataclass(frozen=True)
class _Sampled:
    """The results of a sample of photos."""

    photos: int
    """Photos that the sample was drawn from."""
    results: Sequence[PhotoResult]
    pace: Pace

    @property
    def scale(self) -> float:
        """How many photos one of the sample represents."""
        return self.photos / max(1, len(self.results))


def forecast(
    photos: Path,
    out: Path,
    config: BuildConfig,
    *,
    examiner: Examiner,
    prune: bool = False,
    workers: int = 1,
    sample: int = SAMPLE,
    listen: Listener = ignore,
) -> Forecast:
    """What `build_dataset` would make of the photos, from the results of at most `sample` new
    photos and `sample` photos that an earlier build into `out` worked through.

    Raises DemosaicError when such a build would be refused.
    """
    paths, ignored = photos_in(photos, out, config.group_by)
    built = earlier_build(out, config)
    tasks = [Task(path, name, built.done.get(name)) for path, name in paths]
    new = [task for task in tasks if task.recorded is None]
    known = [task for task in tasks if task.recorded is not None]
    samples = [_sample(kind, sample) for kind in (new, known)]
    listen(PhotosFound(sum(map(len, samples)), ignored))
    work = partial(
        work_on, config=config, examiner=examiner, forgotten=built.forgotten, workers=workers
    )
    tried = [
        _try(len(kind), work(chosen), listen)
        for kind, chosen in zip((new, known), samples, strict=True)
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
        minutes=seconds((one.photos, one.pace) for one in tried) / 60,
        megabytes=sum(scale * sum(map(len, pictures)) for scale, pictures in added) / 1e6,
        skipped=_reasons(tried),
        gone=gone,
        pruned=pruned if prune else 0,
    )


def _sample(tasks: Sequence[Task], most: int) -> list[Task]:
    """Tasks from all over the photo folder, sorted by name; always the same ones."""
    by_hash = sorted(tasks, key=lambda task: hashlib.sha256(encoded(task.photo)).digest())
    return sorted(by_hash[:most], key=lambda task: task.photo)


def _try(photos: int, work: Iterable[PhotoResult], listen: Listener) -> _Sampled:
    """Work through a sample of so many photos, and time it."""
    results, times = list[PhotoResult](), [time.monotonic()]
    for result in work:
        results.append(result)
        times.append(time.monotonic())
        for skipped in result.skipped:
            listen(PhotoSkipped(skipped.photo, skipped.reason, skipped.detail))
        listen(PhotoDone(result.photo, len(result.kept)))
    return _Sampled(photos, results, Pace.of(times))


def _added(results: Iterable[PhotoResult], built: EarlierBuild) -> list[bytes]:
    """The PNG files of the pairs that are new."""
    there = {pair.id for pair in built.pairs}
    return [picture for result in results for pair, picture in result.kept if pair.id not in there]


def _gone(tasks: Collection[Task], built: EarlierBuild, new: _Sampled) -> tuple[int, int]:
    """How many photos of an earlier build are gone, without those that were only renamed, and how
    many pairs they gave.
    """
    names = {task.photo for task in tasks}
    # `os.path`, as `Path.is_dir` raises for some links
    unreadable = {task.photo for task in tasks if os.path.isdir(task.path)}  # noqa: PTH112
    gone = {
        photo for photo in built.done if photo not in names and not lies_in_any(photo, unreadable)
    }
    found = {result.sha256 for result in new.results}
    left = {photo for photo in gone if built.done[photo] not in found}
    count = max(0.0, len(gone) - new.scale * (len(gone) - len(left)))
    pairs = sum(pair.photo in left for pair in built.pairs)
    return round(count), round(pairs * count / max(1, len(left)))


def _reasons(tried: Iterable[_Sampled]) -> dict[str, int]:
    counts = Counter(
        skipped.reason for one in tried for result in one.results for skipped in result.skipped
    )
    return dict(counts.most_common())
