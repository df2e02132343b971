"""Photos a second from a folder to pairs, against plainly decoding the same photos with Pillow.

python tests/benchmarks/build_rate.py PHOTOS [--workers 2]
"""

import argparse
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from PIL import Image

from demosaic.building import build_dataset
from demosaic.config import BuildConfig
from demosaic.events import Event, PhotoDone
from demosaic.faces import MediaPipeDetector
from demosaic.images import find_images


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    decoded = decode_all(options.photos, options.workers)
    times = [time.perf_counter()]

    def listen(event: Event) -> None:
        if isinstance(event, PhotoDone):
            times.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        config = BuildConfig()
        report = build_dataset(
            options.photos,
            Path(folder) / "pairs",
            config,
            make_detector=partial(MediaPipeDetector, config.min_score),
            detector_name=MediaPipeDetector.name,
            workers=options.workers,
            listen=listen,
        )
    running = (len(times) - 2) / (times[-1] - times[1])
    print(f"{report.photos} photos, {report.pairs} pairs, {options.workers} workers")
    print(f"{report.photos / report.seconds:.0f} photos/s in all, {running:.0f}/s once running")
    print(f"{decoded / running:.2f} x the rate of decoding alone ({decoded:.0f} photos/s)")


def decode_all(photos: Path, workers: int) -> float:
    """Photos a second that the same processes only decode."""
    with ProcessPoolExecutor(workers) as pool:
        start = time.perf_counter()
        count = sum(pool.map(decode, find_images(photos), chunksize=20))
        return count / (time.perf_counter() - start)


def decode(path: Path) -> int:
    try:
        Image.open(path).convert("RGB")
    except OSError:
        return 0
    return 1


if __name__ == "__main__":
    main()
