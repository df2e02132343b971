"""What a build is likely to make and to take, from a sample of the photos; nothing is written."""

import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from demosaic.building import photos_in, work_on
from demosaic.config import BuildConfig
from demosaic.cutting import PhotoResult, Task
from demosaic.events import Forecast, Listener, PhotoDone, PhotosFound, PhotoSkipped, ignore
from demosaic.files import encoded
from demosaic.looking import Look, MakeDetector

_SAMPLE = 200  # photos; of the share that gives pairs that tells a few hundredths


def forecast(
    photos: Path,
    out: Path,
    config: BuildConfig,
    *,
    make_detector: MakeDetector,
    workers: int = 1,
    listen: Listener = ignore,
) -> Forecast:
    """Work through a sample of the photos as `build_dataset` would, as if for the first time.

    Raises DemosaicError when there is no photo, `out` is no place for the pairs, or --group-by
    finds nobody.
    """
    paths, ignored = photos_in(photos, out, config.group_by)
    tasks = [Task(path, name, None) for path, name in _sample(paths)]
    listen(PhotosFound(len(tasks), ignored))
    results, times = list[PhotoResult](), [time.monotonic()]
    look = Look(make_detector, None)
    for result in work_on(tasks, config=config, look=look, workers=workers):
        results.append(result)
        times.append(time.monotonic())
        for skipped in result.skipped:
            listen(PhotoSkipped(skipped.photo, skipped.reason, skipped.detail))
        listen(PhotoDone(result.photo, len(result.kept)))
    pictures = [picture for result in results for _, picture in result.kept]
    scale = len(paths) / len(tasks)
    return Forecast(
        photos=len(paths),
        ignored=ignored,
        sampled=len(tasks),
        pairs=round(len(pictures) * scale),
        minutes=_seconds(times, len(paths)) / 60,
        megabytes=sum(map(len, pictures)) * scale / 1e6,
        skipped=_reasons(results),
    )


def _sample(paths: Sequence[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """Photos from everywhere, in the order in which they lie; always the same ones."""
    by_hash = sorted(paths, key=lambda named: hashlib.sha256(encoded(named[1])).digest())
    return sorted(by_hash[:_SAMPLE], key=lambda named: named[1])


def _seconds(times: Sequence[float], photos: int) -> float:
    """How long so many photos take: until the first one is done the detectors are loaded."""
    start, first, last = times[0], times[1], times[-1]
    each = (last - first) / (len(times) - 2) if len(times) > 2 else 0.0
    return first - start + each * (photos - 1)


def _reasons(results: Sequence[PhotoResult]) -> dict[str, int]:
    counts = Counter(skipped.reason for result in results for skipped in result.skipped)
    return dict(counts.most_common())
