"""What the frames of a clip bring to each other: dB by their number, flicker, and time.

    python tests/benchmarks/clips_fusion.py --pairs PAIRS --faces 8

Takes faces that were not trained on (the validation split of PAIRS), moves each in front of a
mosaic that stands still (192 px of 256, cells of 16 px), without loss and through H.264 at crf 23,
and restores it at realism 0. The face moves freely (1 to 3 px a frame, in one direction for some
frames, with turn and zoom), slowly (half a pixel a frame in any direction), or with its cells.

Flicker is how much a pixel changes from frame to frame, grey levels, minus that of the truth. Times
are CPU seconds of a frame.
"""

import argparse
import io
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np

from demosaic.config.compute import DeviceConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.dataset.reader import open_pairs
from demosaic.detection.region import filled
from demosaic.evaluation.metrics import psnr
from demosaic.imaging.arrays import Pixels, to_float
from demosaic.imaging.geometry import Box, crop, paste
from demosaic.models.box import BOX
from demosaic.models.checkpoint import load_model
from demosaic.models.compute import Compute, choose, settle_threads, tune_allocator
from demosaic.models.model import Model
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import pixelated
from demosaic.restoration.image import restore_region
from demosaic.restoration.motion import Motion
from demosaic.restoration.several_frames import made_of, seen
from demosaic.restoration.window import with_faces

SIDE, PLACE, GRID, FRAMES = 256, Box(32, 32, 192, 192), Grid.square(16), 12
REGION = filled(PLACE, GRID)
CONFIG = RestoreConfig(realism=0.0, sampler="mean")
SIZES = (1, 2, 4, 8)
MIDDLE = slice(4, 8)
"""Frames that are scored: with a whole window around them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=BOX)
    parser.add_argument("--faces", type=int, default=8)
    options = parser.parse_args()
    tune_allocator()
    settle_threads(DeviceConfig())
    compute, _ = choose(DeviceConfig())
    model = load_model(options.model, compute.device)
    pairs = open_pairs(options.pairs, direction="left-to-right", multiple=1)
    faces = [pairs.target(path) for path in pairs.val[: options.faces]]
    print("| motion | coding | " + " | ".join(f"{n} frames" for n in SIZES) + " | worst |")
    print("|---|---|" + "---|" * (len(SIZES) + 1))
    for motion in ("free", "slow", "with the cells"):
        for coding in ("lossless", "H.264 crf 23"):
            print(row(motion, coding, faces, model, compute), flush=True)


def row(motion: str, coding: str, faces: Sequence[Pixels], model: Model, compute: Compute) -> str:
    found = np.zeros((len(faces), len(SIZES), 3))
    for number, face in enumerate(faces):
        truths = [shown(face, one) for one in walk(motion, np.random.default_rng(number))]
        frames = [paste(one, pixelated(crop(one, PLACE), GRID), PLACE) for one in truths]
        if coding != "lossless":
            frames = coded(frames)
        targets = [crop(one, PLACE) for one in truths]
        for column, size in enumerate(SIZES):
            start = time.process_time()
            made = restored(frames, size, model, compute)
            spent = (time.process_time() - start) / len(frames)
            scored = zip(made[MIDDLE], targets[MIDDLE], strict=True)
            quality = float(np.mean([psnr(one, target) for one, target in scored]))
            steadiness = flicker(made[MIDDLE]) - flicker(targets[MIDDLE])
            found[number, column] = quality, steadiness, spent
    means = found.mean(0)
    cells = " | ".join(f"{q:.2f} dB, {f:+.2f}, {t:.2f} s" for q, f, t in means)
    worst = (found[:, 1:, 0] - found[:, :1, 0]).min()
    return f"| {motion} | {coding} | {cells} | {worst:+.2f} dB |"


def restored(frames: Sequence[Pixels], size: int, model: Model, compute: Compute) -> list[Pixels]:
    """The box of the mosaic in each frame."""
    if size == 1:
        return [restore_region(one, REGION, model, CONFIG, compute) for one in frames]
    looks = ((number, one, [REGION]) for number, one in enumerate(frames))
    faces = with_faces(looks, lambda one, region: seen(one, region, CONFIG, model, compute), size)
    made = []
    for _, picture, _, (face,) in faces:
        together = made_of(face, model, CONFIG, compute) if face else None
        made.append(restore_region(picture, REGION, model, CONFIG, compute, together))
    return made


def walk(motion: str, rng: np.random.Generator) -> Iterator[Motion]:
    """Where a frame's points are on the face."""
    place, speed, zoom, angle = 0j, 0j, 0.0, 0.0
    for number in range(FRAMES):
        steps = np.array([place.real, place.imag, zoom, angle])
        yield Motion.about(complex(SIDE / 2, SIDE / 2), steps)
        if motion == "with the cells":
            continue
        free = motion == "free"
        if not free or number % 6 == 0:
            speed = (rng.uniform(1, 3) if free else 0.5) * np.exp(2j * np.pi * rng.random())
        turn = 0.006 if free else 0.001
        place = 0.97 * (place + speed)
        angle = 0.95 * (angle + rng.normal(0, turn))
        zoom = 0.95 * (zoom + rng.normal(0, turn / 2))


def shown(face: Pixels, motion: Motion) -> Pixels:
    """A frame of the face; computed at twice the size, so that all frames are as sharp."""
    half = 0.5 + 0.5j
    double = Motion(motion.turn, 2 * motion.shift + half - motion.turn * half)
    large = cv2.resize(face, (2 * SIDE, 2 * SIDE), interpolation=cv2.INTER_CUBIC)
    moved = cv2.warpAffine(
        large,
        double.matrix(0),
        (2 * SIDE, 2 * SIDE),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    return np.asarray(cv2.resize(moved, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def coded(frames: Sequence[Pixels]) -> list[Pixels]:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as target:
        video = target.add_stream("libx264", rate=25, options={"crf": "23"})
        video.width, video.height, video.pix_fmt = SIDE, SIDE, "yuv420p"
        for frame in frames:
            target.mux(video.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        target.mux(video.encode())
    file.seek(0)
    with av.open(file, "r") as source:
        return [
            np.asarray(one.to_ndarray(format="rgb24"), np.uint8) for one in source.decode(video=0)
        ]


def flicker(frames: Sequence[Pixels]) -> float:
    changes = [np.abs(to_float(a) - to_float(b)).mean() * 127.5 for a, b in pairwise(frames)]
    return float(np.mean(changes))


if __name__ == "__main__":
    main()
