"""Datasets and crops that several tests build and look into."""

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

import people
from demosaic.config.dataset import BuildConfig
from demosaic.config.training import Direction
from demosaic.dataset.build import build_dataset
from demosaic.dataset.crops import PhotoResult, cut
from demosaic.dataset.events import BuildReport, PhotoDone
from demosaic.dataset.reader import Pairs, open_pairs
from demosaic.dataset.records import Pair
from demosaic.dataset.splits import split_of
from demosaic.events import Event, Listener, ignore
from demosaic.faces.analysis import Examined
from demosaic.faces.cache import MakeDetector
from demosaic.faces.detector import Face
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.imaging.arrays import Pixels, resize
from demosaic.imaging.decoding import decode
from demosaic.imaging.encoding import write_png
from demosaic.imaging.geometry import Box
from hashes import strange

SMALL = BuildConfig(size=64, block=8)


CONFIG = BuildConfig(size=128, block=16, margin=1.6, min_sharpness=0)
"""Of an 80 px face: exactly 128 photo pixels."""


HALF = BuildConfig(size=64, block=8, val=0.5)

Line = dict[str, Any]


@dataclass(frozen=True)
class GivenFaces:
    """A detector that finds the same boxes in every picture."""

    boxes: tuple[Box, ...]

    def detect(self, image: Pixels) -> Sequence[Face]:
        return [Face(box, 0.9, ((0.04, 1.06),) * 6) for box in self.boxes]


def finding(*boxes: Box) -> MakeDetector:
    return lambda: GivenFaces(boxes)


def build(
    photos: Path,
    out: Path,
    config: BuildConfig = SMALL,
    *,
    detector: MakeDetector = partial(ShortRangeDetector, 0.5),  # noqa: B008
    looks: Path | None = None,
    prune: bool = False,
    workers: int = 1,
    listen: Listener = ignore,
) -> BuildReport:
    return build_dataset(
        photos,
        out,
        config,
        make_detector=detector,
        detector_name="mediapipe",
        looks=looks,
        prune=prune,
        workers=workers,
        listen=listen,
    )


def lines(path: Path) -> list[Line]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(files)}


def pictures(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*/*.png")}


class Stopped(Exception):
    """What a listener raises to stop a build like a kill between two photos."""


@contextmanager
def stopped_after(photos: int) -> Iterator[Listener]:
    """A listener that stops the build after so many photos, and swallows its own stop."""
    done = 0

    def listen(event: Event) -> None:
        nonlocal done
        done += isinstance(event, PhotoDone)
        if done == photos:
            raise Stopped

    with pytest.raises(Stopped):
        yield listen


def saved_again(source: Path, copy: Path, scale: float = 0.6) -> None:
    """The photo, smaller and compressed, as another format where the name says so."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as opened:
        upright = ImageOps.exif_transpose(opened).convert("RGB")
        size = round(upright.width * scale), round(upright.height * scale)
        upright.resize(size).save(copy, quality=70)


def folder_of(split: str, but: str = "") -> str:
    """A name for a folder that falls to this split, and comes first of all by name."""
    names = (f"0-{number}" for number in range(1000))
    return next(n for n in names if n != but and split_of(n, val=0.5, test=0) == split)


def splits_of(folder: Path) -> dict[str, str]:
    """The split of each photo; where its pictures lie must agree."""
    for line in lines(folder / "pairs.jsonl"):
        assert (folder / line["split"] / f"{line['id']}.png").is_file()
    return {line["photo"]: line["split"] for line in lines(folder / "pairs.jsonl")}


POINTS = ((20.0, 20.0), (40.0, 20.0), (30.0, 30.0), (30.0, 40.0), (10.0, 20.0), (50.0, 20.0))


@cache
def portrait() -> Pixels:
    """A drawn face that fills the middle of 512 x 512 px."""
    photo = people.photo(0, 0, 0)
    x, y, width, _ = photo.faces[0].box
    half = round(0.85 * width)
    left, top = round(x + width / 2) - half, max(0, round(y + width / 2) - half)
    return resize(photo.image[top : top + 2 * half, left : left + 2 * half], 512, 512)


def saved(image: Pixels, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, **options)
    return file.getvalue()


def blurred(image: Pixels, sigma: float) -> Pixels:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def a_face(box: Box, score: float = 0.9, angle: int = 0) -> Face:
    return Face(box, score, POINTS, angle)


def cut_out(data: bytes, config: BuildConfig, *faces: Face) -> PhotoResult:
    height, width = decode(data).shape[:2]
    examined = Examined(width, height, faces)
    return cut(data, examined, "a/b.png", hashlib.sha256(data).hexdigest(), config)


def reasons(result: PhotoResult) -> list[tuple[str, str]]:
    return [(skipped.reason, skipped.detail) for skipped in result.skipped]


WHOLE = a_face(Box(106, 106, 300, 300))


def a_pair(number: int, photo: str, **changes: Any) -> Pair:
    """The record of a pair that is like no other."""
    pair = Pair(
        id=f"{number:016x}",
        split="spare",
        group="",
        photo=photo,
        sha256=f"{number:064x}",
        box=(0, 0, 80, 80),
        keypoints=POINTS,
        score=0.9,
        angle=0,
        crop=128,
        block=(8, 8),
        offset=(0, 0),
        sampler="mean",
        enlarged=0.5,
        sharpness=0.4,
        likeness=(strange(2 * number), strange(2 * number + 1)),
        burst=(),
    )
    return replace(pair, **changes)


def red_and_blue(folder: Path, count: int, *, size: int = 32, start: int = 0) -> None:
    """Pictures like pix2pix's: a red left half and a blue right half, each of its own shade."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(start, start + count):
        picture = np.zeros((size, 2 * size, 3), np.uint8)
        picture[:, :size, 0] = picture[:, size:, 2] = 10 + number
        write_png(folder / f"{number}.png", picture)


def opened(folder: Path, direction: Direction = "left-to-right", multiple: int = 32) -> Pairs:
    return open_pairs(folder, direction=direction, multiple=multiple)
