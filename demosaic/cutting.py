"""One photo in, its faces cut out and pixelated: what a worker of a build does."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demosaic.config import BuildConfig
from demosaic.errors import DemosaicError
from demosaic.faces import Face, FaceDetector
from demosaic.images import Box, NotAPicture, Pixels, crop, decode, encode_png, read_bytes, resize
from demosaic.mosaic import Grid, cell_colours, paint_cells
from demosaic.pairs import Pair, Skipped, split_of


@dataclass(frozen=True)
class Task:
    """One photo to work through, unless its content is still `recorded`."""

    path: Path
    photo: str
    recorded: str | None


@dataclass(frozen=True)
class PhotoResult:
    """What a photo gave: the pairs with their PNG files, and what was left out."""

    photo: str
    sha256: str
    kept: tuple[tuple[Pair, bytes], ...] = ()
    skipped: tuple[Skipped, ...] = ()


def photo_to_pairs(task: Task, config: BuildConfig, detector: FaceDetector) -> PhotoResult:
    """What the photo of a task gives; nothing when its content is still the recorded one."""
    try:
        data = read_bytes(task.path)
    except DemosaicError as error:
        return PhotoResult(
            task.photo, "", (), (Skipped(task.photo, "", "cannot be read", str(error)),)
        )
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 == task.recorded:
        return PhotoResult(task.photo, sha256)
    try:
        image = decode(data)
    except NotAPicture as error:
        return PhotoResult(
            task.photo, sha256, (), (Skipped(task.photo, sha256, _reason(error), str(error)),)
        )
    return faces_in(image, task.photo, sha256, config=config, detector=detector)


def _reason(error: NotAPicture) -> str:
    """`damaged picture (what exactly)` without the brackets; those go into the detail."""
    return str(error).split(" (")[0].split(":")[0]


def faces_in(
    image: Pixels, photo: str, sha256: str, *, config: BuildConfig, detector: FaceDetector
) -> PhotoResult:
    """The pairs of every face in a photo, and what was left out with its reason."""
    kept, skipped = [], []
    for face in detector.detect(image):
        square = face_square(face.box, config.margin)
        reason = _why_not(face, square, image, config)
        if reason:
            skipped.append(Skipped(photo, sha256, *reason, box=_corners(face.box)))
            continue
        square = _shifted_inside(square, image)
        target = resize(crop(image, square), config.size, config.size)
        picture = encode_png(side_by_side(target, Grid.square(config.block)))
        kept.append((_pair(face, square, (photo, sha256), config), picture))
    if not kept and not skipped:
        skipped.append(Skipped(photo, sha256, "no face"))
    return PhotoResult(photo, sha256, tuple(kept), tuple(skipped))


def face_square(box: Box, margin: float) -> Box:
    """The square with `margin` times the longer side of a face's box, round its centre; it may
    leave the photo.
    """
    side = round(margin * max(box.width, box.height))
    return Box(
        round(box.x + (box.width - side) / 2), round(box.y + (box.height - side) / 2), side, side
    )


def _why_not(face: Face, square: Box, image: Pixels, config: BuildConfig) -> tuple[str, str] | None:
    """Reason and detail for leaving a face out; None for a good one."""
    if min(face.box.width, face.box.height) < config.min_face:
        return "face too small", f"{face.box.width} x {face.box.height} px"
    if not face.box.inside(image):
        return "face cut by the border", ""
    if square.width > min(image.shape[:2]):
        return (
            "too little round the face",
            f"needs {square.width} px, the photo has {min(image.shape[:2])}",
        )
    return None


def _shifted_inside(square: Box, image: Pixels) -> Box:
    height, width = image.shape[:2]
    x = min(max(square.x, 0), width - square.width)
    y = min(max(square.y, 0), height - square.height)
    return Box(x, y, square.width, square.height)


def _corners(box: Box) -> tuple[int, int, int, int]:
    return box.x, box.y, box.width, box.height


def _pair(face: Face, square: Box, source: tuple[str, str], config: BuildConfig) -> Pair:
    """The record of a pair. Its group is the photo's folder; a photo in the top folder is a
    group of its own.
    """
    photo, sha256 = source
    group = photo.rpartition("/")[0] or photo
    return Pair(
        id=hashlib.sha256(f"{sha256} {_corners(square)}".encode()).hexdigest()[:16],
        split=split_of(group, val=config.val, test=config.test),
        group=group,
        photo=photo,
        sha256=sha256,
        box=_corners(face.box),
        keypoints=tuple((round(x, 1), round(y, 1)) for x, y in face.keypoints),
        score=round(face.score, 4),
        angle=0,
        crop=square.width,
        block=(config.block, config.block),
        offset=(0, 0),
        sampler="mean",
    )


def side_by_side(target: Pixels, grid: Grid) -> Pixels:
    """The picture of a pair: the target's mosaic on the left, the target on the right."""
    height, width = target.shape[:2]
    observed = paint_cells(cell_colours(target, grid), grid, (height, width))
    return np.hstack([observed, target])
