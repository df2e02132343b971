"""Photos a second from a folder to written pairs, against plainly decoding the same photos with
Pillow in as many processes; then other pairs of the same photos, from what was seen in them before.

python tests/benchmarks/build_rate.py PHOTOS [--workers 2]
python tests/benchmarks/build_rate.py PHOTOS --large 60   # enlarged to 12 megapixels each
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from demosaic.config.dataset import BuildConfig
from demosaic.config.rules import LEAST_SCORE
from demosaic.dataset.build import build_dataset
from demosaic.dataset.events import BuildReport, PhotoDone
from demosaic.events import Event
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.imaging.discovery import find_images

PROCESSES = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
NOISE = 3.0  # grey levels; what a camera adds, and an enlarged photo lacks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--large", type=int, metavar="COUNT", help="enlarge so many of them first")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photos = options.photos
        if options.large:
            photos = Path(folder) / "large"
            enlarge_all(options.photos, photos, options.large, options.workers)
        compare(photos, Path(folder) / "pairs", options.workers)


def compare(photos: Path, out: Path, workers: int) -> None:
    paths = [path for path in find_images(photos) if path.suffix == ".jpg"]
    decode_all(paths[:workers], workers, load)  # the disk's cache and the first imports
    loaded = decode_all(paths, workers, load)
    converted = decode_all(paths, workers, convert)
    times = [time.perf_counter()]

    def listen(event: Event) -> None:
        if isinstance(event, PhotoDone):
            times.append(time.perf_counter())

    def build(out: Path, config: BuildConfig) -> tuple[BuildReport, float]:
        """What was built, and the CPU seconds that all processes took."""
        before = sum(map(cpu_seconds, PROCESSES))
        report = build_dataset(
            photos,
            out,
            config,
            make_detector=partial(ShortRangeDetector, LEAST_SCORE),
            detector_name="mediapipe",
            looks=out.parent / "looks",
            workers=workers,
            listen=listen,
        )
        return report, sum(map(cpu_seconds, PROCESSES)) - before

    report, seconds = build(out, BuildConfig())
    running = (len(times) - 2) / (times[-1] - times[1])
    main, worker = (resource.getrusage(which).ru_maxrss / 1e6 for which in PROCESSES)
    again, less = build(out.with_name("again"), BuildConfig(block=8))
    print(f"{report.photos} photos, {report.pairs} pairs, {workers} workers")
    print(f"{report.photos / report.seconds:.1f} photos/s in all, {running:.1f}/s once running")
    print(f"{seconds / report.photos * 1e3:.2f} ms of CPU a photo")
    print(f"at most {main + workers * worker:.2f} GB in all")
    print(
        f"other cells: {report.seconds / again.seconds:.1f} x as fast, "
        f"{seconds / less:.1f} x less CPU ({less / report.photos * 1e3:.2f} ms a photo)"
    )
    print(f"{loaded / running:.2f} x the time of Image.load() ({loaded:.1f} photos/s)")
    print(f'{converted / running:.2f} x the time of convert("RGB") ({converted:.1f} photos/s)')


def cpu_seconds(which: int) -> float:
    used = resource.getrusage(which)
    return used.ru_utime + used.ru_stime


def decode_all(paths: Sequence[Path], workers: int, decode: Callable[[Path], None]) -> float:
    """Photos a second that processes like a build's only decode."""
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(decode, paths[:workers]))
        start = time.perf_counter()
        list(pool.map(decode, paths, chunksize=max(1, min(20, len(paths) // workers // 4))))
        return len(paths) / (time.perf_counter() - start)


def load(path: Path) -> None:
    Image.open(path).load()


def convert(path: Path) -> None:
    Image.open(path).convert("RGB")


def enlarge_all(photos: Path, large: Path, count: int, workers: int) -> None:
    paths = [path for path in find_images(photos) if path.suffix == ".jpg"]
    chosen = paths[:: max(1, len(paths) // count)][:count]
    large.mkdir()
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(enlarge, chosen, [large / f"{n:04}.jpg" for n in range(len(chosen))]))


def enlarge(path: Path, to: Path) -> None:
    """The photo at 12 megapixels, with a camera's noise, as a JPEG of quality 92."""
    image = np.asarray(Image.open(path).convert("RGB"))
    scale = (12e6 / (image.shape[0] * image.shape[1])) ** 0.5
    grown = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0).normal(0, NOISE, grown.shape[:2])[..., None]
    noisy = np.clip(grown + noise, 0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(to, quality=92)


if __name__ == "__main__":
    main()
