"""What a dataset of many pairs costs, step by step: seconds, peak memory, files and bytes.

python tests/benchmarks/scale.py 10000

The pairs are made up: hashes of faces and scenes that differ about as those of real faces do, ten
photos a person. Their pictures are hard links to a few files. Each step runs in one process of its
own, and begins with reading the dataset.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demosaic.config.dataset import BuildConfig
from demosaic.dataset.forget import forget
from demosaic.dataset.manifest import Manifest
from demosaic.dataset.reader import open_pairs
from demosaic.dataset.records import Pair
from demosaic.dataset.writer import PairWriter
from demosaic.files import as_line
from demosaic.imaging.encoding import write_png

CONFIG = BuildConfig(size=64, block=8)

A_PERSON = 10  # photos

MOST_NAMES = 60_000  # of one file, on ext4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=int)
    parser.add_argument("--step", choices=STEPS)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.step:
        measure(STEPS[options.step], options.folder, options.pairs)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as made:
        folder = Path(made) / "pairs"
        make(folder, options.pairs)
        print(f"{options.pairs} pairs, {size_of(folder)}")
        for step in STEPS:
            own = [str(options.pairs), "--step", step, "--folder", str(folder)]
            subprocess.run([sys.executable, __file__, *own], check=True)
        print(f"afterwards {size_of(folder)}")


def measure(step: Callable[[Path, int], object], folder: Path, pairs: int) -> None:
    """Do a step and print what it took."""
    start, busy = time.perf_counter(), time.process_time()
    step(folder, pairs)
    seconds, cpu = time.perf_counter() - start, time.process_time() - busy
    print(f"{step.__name__:8} {seconds:8.1f} s {cpu:8.1f} s CPU {peak() / 1e6:8.0f} MB", flush=True)


def peak() -> int:
    """The most memory that this process has taken, bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


def size_of(folder: Path) -> str:
    files = [Path(inside, name) for inside, _, names in os.walk(folder) for name in names]
    return f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.0f} MB"


# A made-up dataset


def make(folder: Path, pairs: int) -> None:
    """A build of so many pairs that is to be finished."""
    manifest = Manifest(folder)
    folder.mkdir()
    manifest.prepare()
    manifest.describe(CONFIG, "building", {})
    faces, scenes = hashes(pairs, 1), hashes(pairs, 2)
    source = folder / "one.png"
    with (folder / "pairs.jsonl").open("w", encoding="utf-8") as lines:
        for number in range(pairs):
            pair = a_pair(number, faces[number].tobytes().hex(), scenes[number].tobytes().hex())
            lines.write(as_line(vars(pair)))
            if number % MOST_NAMES == 0:
                write_png(source, np.zeros((64, 128, 3), np.uint8))
            os.link(source, folder / "spare" / f"{pair.id}.png")
    source.unlink()


def digest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def a_pair(number: int, face: str, scene: str) -> Pair:
    sha256 = digest(number)
    return Pair(
        id=sha256[:16],
        split="spare",
        group="",
        photo=f"person-{number // A_PERSON:06d}/photo-{number % A_PERSON}.jpg",
        sha256=sha256,
        box=(263, 252, 234, 234),
        keypoints=((313.0, 315.4), (402.8, 315.6), (336.8, 371.3)) * 2,
        score=0.9585,
        angle=0,
        crop=398,
        block=(8, 8),
        offset=(0, 0),
        sampler="mean",
        enlarged=0.161,
        sharpness=0.558,
        likeness=(face, scene),
        burst=(),
    )


def hashes(count: int, seed: int) -> NDArray[np.uint8]:
    """(N, 32): bits that depend on each other as those of faces do. Two hashes differ in 123 bits
    on average, with a standard deviation of 10; those of portraits in 114, with 12.
    """
    fixed = np.random.default_rng(seed)
    shapes = fixed.standard_normal((60, 256)).astype(np.float32)
    shapes *= (np.arange(1, 61) ** -0.5)[:, None].astype(np.float32)
    shapes /= np.sqrt((shapes**2).sum(0))
    often = fixed.standard_normal(256).astype(np.float32) * 0.25
    made = []
    for start in range(0, count, 50_000):
        some = min(50_000, count - start)
        common = fixed.standard_normal((some, 60)).astype(np.float32) @ shapes
        own = fixed.standard_normal((some, 256)).astype(np.float32)
        made.append(np.packbits(0.35**0.5 * common + 0.65**0.5 * own + often > 0, axis=1))
    found = np.concatenate(made)
    # Some resemble another person nearly as much as near duplicates do, as among real faces
    alike = fixed.permutation(count)[: 2 * (count // 500)].reshape(2, -1)
    bits = np.zeros((alike.shape[1], 256), np.uint8)
    for number, row in enumerate(bits):
        row[fixed.permutation(256)[: 41 + number % 20]] = 1
    found[alike[0]] = found[alike[1]] ^ np.packbits(bits, axis=1)
    return found


# Steps


def finish(folder: Path, pairs: int) -> None:
    """The end of a first build."""
    PairWriter(folder, CONFIG).finish({}, detector="none", ignored=0)


def again(folder: Path, pairs: int) -> None:
    """A build to which 10 photos were added, without looking at the others."""
    writer = PairWriter(folder, CONFIG)
    faces, scenes = hashes(10, 3), hashes(10, 4)
    for number in range(10):
        pair = a_pair(pairs + number, faces[number].tobytes().hex(), scenes[number].tobytes().hex())
        writer.add(pair, b"\x89PNG\r\n\x1a\n\0\0\0\0IEND\xaeB`\x82")
    writer.finish({}, detector="none", ignored=0)


def gone(folder: Path, pairs: int) -> None:
    """One photo forgotten."""
    forget(folder, "person-000003/photo-4.jpg")


def train(folder: Path, pairs: int) -> None:
    """What each process of a training reads."""
    found = open_pairs(folder, direction="left-to-right", multiple=32)
    for number in np.random.default_rng(0).integers(len(found.train), size=100).tolist():
        found.grid(found.train[number])


def scored(folder: Path, pairs: int) -> None:
    """What `evaluate` reads."""
    open_pairs(folder, direction="left-to-right", multiple=32).held_out[1][:200]


STEPS = {step.__name__: step for step in (finish, again, gone, train, scored)}


if __name__ == "__main__":
    main()
