"""The pairs of one photo: its faces are cropped and pixelated. A worker of a build does this."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from demosaic.config.dataset import BuildConfig
from demosaic.config.rules import Sampler
from demosaic.dataset.near_duplicates import SCENE, likeness
from demosaic.dataset.quality import Grey, is_pixelated, sharpness_of
from demosaic.dataset.records import NO_FACE, SPARE, Pair, Skipped
from demosaic.dataset.splits import burst, person_of
from demosaic.errors import DemosaicError
from demosaic.faces.analysis import LOOK_AT, Examined, decoded, reduction
from demosaic.faces.cache import Examiner
from demosaic.faces.detector import Face
from demosaic.faces.search import turned_upright
from demosaic.imaging.arrays import Pixels, resize, to_grey
from demosaic.imaging.decoding import read_bytes, taken_at
from demosaic.imaging.encoding import encode_png
from demosaic.imaging.geometry import Box, crop
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import paint_cells, sample

PIXELATED = "already pixelated"
"""Why a face gives no pair: it is a mosaic already."""

_SMALLEST_BLOCK = 2  # px


@dataclass(frozen=True)
class Task:
    """One photo to work through."""

    path: Path
    photo: str
    """Its name in the dataset."""
    recorded: str | None
    """The content hash with which it was worked through before; None for a new photo."""


@dataclass(frozen=True)
class PhotoResult:
    """What a photo gave: the pairs with their PNG files, and what was left out."""

    photo: str
    """Its name in the dataset."""
    sha256: str
    """Of its bytes; empty when it cannot be read."""
    kept: tuple[tuple[Pair, bytes], ...] = ()
    skipped: tuple[Skipped, ...] = ()


def photo_to_pairs(
    task: Task, config: BuildConfig, examiner: Examiner, forgotten: Collection[str]
) -> PhotoResult:
    """What the photo of a task gives: nothing when its content is the recorded one or is
    forgotten.
    """
    try:
        data = read_bytes(task.path)
    except DemosaicError as error:
        detail = str(error).replace(str(task.path), task.photo)  # the folder's path stays out
        return PhotoResult(task.photo, "", (), (Skipped(task.photo, "", "cannot be read", detail),))
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 == task.recorded or sha256 in forgotten:
        return PhotoResult(task.photo, sha256)
    return cut(data, examiner(data, sha256), task.photo, sha256, config)


def cut(
    data: bytes, examined: Examined, photo: str, sha256: str, config: BuildConfig
) -> PhotoResult:
    """The pairs of all faces that were found in a photo, and the faces left out with their reasons.

    `data` is the file, `photo` its name in the dataset, `sha256` the hash of its bytes, and
    `examined` what the detector saw in it.
    """
    if examined.reason:
        skipped = Skipped(photo, sha256, examined.reason, examined.detail)
        return PhotoResult(photo, sha256, (), (skipped,))
    faces = [face for face in examined.faces if face.score >= config.min_score]
    if not faces:
        return PhotoResult(photo, sha256, (), (Skipped(photo, sha256, NO_FACE),))
    left_out = _left_out(faces, examined, config)
    squares = {face: _square(face, examined, config) for face in faces if face not in left_out}
    kept = []
    for face, cropped, scene in _crops(data, squares, examined, config):
        grey = to_grey(cropped).astype(np.float32)
        sharpness = sharpness_of(grey)
        reason = _flaw(grey, sharpness, config)
        if reason:
            left_out[face] = reason
            continue
        target = resize(cropped, config.size, config.size)
        pair = replace(
            _pair(face, squares[face], (photo, sha256), config),
            sharpness=round(sharpness, 3),
            likeness=(likeness(target), likeness(scene)),
            burst=_burst(data, photo, config),
        )
        kept.append((pair, encode_png(side_by_side(target, pair.grid, config.sampler))))
    skipped_faces = tuple(
        Skipped(photo, sha256, *left_out[face], box=face.box.corners)
        for face in faces
        if face in left_out
    )
    return PhotoResult(photo, sha256, tuple(kept), skipped_faces)


def _left_out(
    faces: Sequence[Face], examined: Examined, config: BuildConfig
) -> dict[Face, tuple[str, str]]:
    """The faces that cannot be cropped or are too many, with reason and detail."""
    reasons = {face: _misplacement(face, examined, config) for face in faces}
    left_out = {face: reason for face, reason in reasons.items() if reason}
    largest = sorted(
        (face for face in faces if face not in left_out),
        key=lambda face: -face.box.area,
    )
    for face in largest[config.max_per_photo :] if config.max_per_photo else ():
        left_out[face] = "too many faces", f"the photo has {len(largest)}"
    return left_out


def _misplacement(face: Face, photo: Examined, config: BuildConfig) -> tuple[str, str] | None:
    """Reason and detail for leaving out a face by its size or place; None for a good one."""
    box, side = face.box, face_square(face.box, config.margin).width
    if min(box.width, box.height) < config.min_face:
        return "face too small", f"{box.width} x {box.height} px"
    if config.size > config.max_enlarge * side:
        return "enlarged too much", f"{config.size / side:.1f} times"
    if not box.within(Box(0, 0, photo.width, photo.height)):
        return "face cut by the border", ""
    shorter = min(photo.width, photo.height)
    if side > shorter:
        return "too little round the face", f"needs {side} px, the photo has {shorter}"
    return None


def _crops(
    data: bytes, squares: Mapping[Face, Box], examined: Examined, config: BuildConfig
) -> Iterator[tuple[Face, Pixels, Pixels]]:
    """Each face with its square crop (N, N, 3) and its scene (H, W, 3), both upright.

    The photo is decoded no larger than the smallest crop needs. It is decoded no smaller than it
    was examined, because that size is still in memory.
    """
    if not squares:
        return
    smallest = min(square.width for square in squares.values())
    longer = max(examined.width, examined.height)
    image = decoded(data, min(reduction(smallest, config.size), reduction(longer, LOOK_AT)))
    scale = image.shape[1] / examined.width
    for face, square in squares.items():
        cropped, scene = (
            turned_upright(face, crop(image, box))
            for box in (_scaled(square, scale, image), _scene(face, scale, image))
        )
        yield face, cropped, scene


def _scene(face: Face, scale: float, image: Pixels) -> Box:
    """The surroundings of a face, as far as the photo goes, in pixels of `image`, which is the
    photo scaled by `scale`.
    """
    square, (height, width) = face_square(face.box, SCENE), image.shape[:2]
    left, top = max(0, round(square.x * scale)), max(0, round(square.y * scale))
    right = min(width, round((square.x + square.width) * scale))
    bottom = min(height, round((square.y + square.height) * scale))
    return Box(left, top, right - left, bottom - top)


def _scaled(square: Box, scale: float, image: Pixels) -> Box:
    """A square of the photo in pixels of `image`, which is the photo scaled by `scale`."""
    side = min(round(square.width * scale), *image.shape[:2])
    x = min(round(square.x * scale), image.shape[1] - side)
    y = min(round(square.y * scale), image.shape[0] - side)
    return Box(x, y, side, side)


def _flaw(grey: Grey, sharpness: float, config: BuildConfig) -> tuple[str, str] | None:
    """Reason and detail for leaving out a crop because of its pixels; None for a good one."""
    if is_pixelated(grey):
        return PIXELATED, ""
    if sharpness < config.min_sharpness:
        return "too blurred", f"sharpness {sharpness:.2f}"
    return None


def face_square(box: Box, margin: float) -> Box:
    """The square around the centre of a face's box, `margin` times as long as its longer side. It
    may reach beyond the photo.
    """
    side = round(margin * max(box.width, box.height))
    return Box(
        round(box.x + (box.width - side) / 2), round(box.y + (box.height - side) / 2), side, side
    )


def _square(face: Face, photo: Examined, config: BuildConfig) -> Box:
    """The square to crop around a face, shifted into the photo."""
    square = face_square(face.box, config.margin)
    x = min(max(square.x, 0), photo.width - square.width)
    y = min(max(square.y, 0), photo.height - square.height)
    return Box(x, y, square.width, square.height)


def _pair(face: Face, square: Box, source: tuple[str, str], config: BuildConfig) -> Pair:
    """The record of a pair before it has a group, and without what depends on its pixels.

    `source` is the name and the content hash of the photo.
    """
    photo, sha256 = source
    name = hashlib.sha256(f"{sha256} {square.corners}".encode()).hexdigest()[:16]
    block = _block(name, max(face.box.width, face.box.height) / square.width, config)
    return Pair(
        id=name,
        split=SPARE,
        group="",
        photo=photo,
        sha256=sha256,
        box=face.box.corners,
        keypoints=face.keypoints,
        score=face.score,
        angle=face.angle,
        crop=square.width,
        block=(block, block),
        offset=_offset(name, block, config),
        sampler=config.sampler,
        enlarged=round(config.size / square.width, 3),
        sharpness=0.0,
        likeness=("", ""),
        burst=(),
    )


def _block(name: str, face: float, config: BuildConfig) -> int:
    """The side of a cell of the pair with the id `name`, in pixels of the face picture. `face` is
    the longer side of the face as a fraction of the picture's.
    """
    if config.blocks:
        smallest, largest = config.blocks
        return smallest + _drawn(name, "block", largest - smallest + 1)
    if config.block < 1:
        return max(_SMALLEST_BLOCK, round(config.block * face * config.size))
    return round(config.block)


def _offset(name: str, block: int, config: BuildConfig) -> tuple[int, int]:
    """Where the first whole cell of the pair with the id `name` begins: x and y in pixels."""
    if config.offset == "corner":
        return 0, 0
    return _drawn(name, "left", block), _drawn(name, "top", block)


def _drawn(name: str, what: str, count: int) -> int:
    """A pseudorandom number from 0 to `count` - 1, always the same for the same pair."""
    digest = hashlib.sha256(f"{name} {what}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % count


def _burst(data: bytes, photo: str, config: BuildConfig) -> tuple[str, ...]:
    """The burst keys of a photo; empty when its folder is one person, which groups it already."""
    if photo.startswith(f"{person_of(photo, config.group_by)}/"):
        return ()
    return burst(photo, taken_at(data))


def side_by_side(target: Pixels, grid: Grid, sampler: Sampler) -> Pixels:
    """The picture (N, 2 N, 3) of a pair: the mosaic of the target (N, N, 3) on the left, the target
    itself on the right.
    """
    height, width = target.shape[:2]
    observed = paint_cells(sample(target, grid, sampler), grid, (height, width))
    return np.hstack([observed, target])
