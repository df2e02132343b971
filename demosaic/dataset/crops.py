"""One photo in, its faces cut out and pixelated: what a worker of a build does."""

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
from demosaic.faces.cache import Look
from demosaic.faces.detector import Face, turned_upright
from demosaic.imaging.arrays import Pixels, resize, to_grey
from demosaic.imaging.decoding import read_bytes, taken_at
from demosaic.imaging.encoding import encode_png
from demosaic.imaging.geometry import Box, crop
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import paint_cells, sample

_SMALLEST_BLOCK = 2  # px


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


def photo_to_pairs(
    task: Task, config: BuildConfig, look: Look, forgotten: Collection[str]
) -> PhotoResult:
    """What the photo of a task gives; nothing when its content is still the recorded one, or
    forgotten.
    """
    try:
        data = read_bytes(task.path)
    except DemosaicError as error:
        return PhotoResult(
            task.photo, "", (), (Skipped(task.photo, "", "cannot be read", str(error)),)
        )
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 == task.recorded or sha256 in forgotten:
        return PhotoResult(task.photo, sha256)
    return cut(data, look(data, sha256), task.photo, sha256, config)


def cut(
    data: bytes, examined: Examined, photo: str, sha256: str, config: BuildConfig
) -> PhotoResult:
    """The pairs of every face in a photo, and what was left out with its reason."""
    if examined.reason:
        skipped = Skipped(photo, sha256, examined.reason, examined.detail)
        return PhotoResult(photo, sha256, (), (skipped,))
    sure = [face for face in examined.faces if face.score >= config.min_score]
    if not sure:
        return PhotoResult(photo, sha256, (), (Skipped(photo, sha256, NO_FACE),))
    left_out = _left_out(sure, examined, config)
    chosen = {face: _square(face, examined, config) for face in sure if face not in left_out}
    kept = []
    for face, piece, scene in _pieces(data, chosen, examined, config):
        grey = to_grey(piece).astype(np.float32)
        sharpness = sharpness_of(grey)
        reason = _why_not_this(grey, sharpness, config)
        if reason:
            left_out[face] = reason
            continue
        target = resize(piece, config.size, config.size)
        pair = replace(
            _pair(face, chosen[face], (photo, sha256), config),
            sharpness=round(sharpness, 3),
            likeness=(likeness(target), likeness(scene)),
            burst=_burst(data, photo, config),
        )
        kept.append((pair, encode_png(side_by_side(target, pair.grid, config.sampler))))
    skipped_faces = tuple(
        Skipped(photo, sha256, *left_out[face], box=face.box.corners)
        for face in sure
        if face in left_out
    )
    return PhotoResult(photo, sha256, tuple(kept), skipped_faces)


def _left_out(
    faces: Sequence[Face], examined: Examined, config: BuildConfig
) -> dict[Face, tuple[str, str]]:
    """The faces that cannot be cut out or are too many, with reason and detail."""
    whys = {face: _why_not(face, examined, config) for face in faces}
    left_out = {face: why for face, why in whys.items() if why}
    largest = sorted(
        (face for face in faces if face not in left_out),
        key=lambda face: -face.box.area,
    )
    for face in largest[config.max_per_photo :] if config.max_per_photo else ():
        left_out[face] = "too many faces", f"the photo has {len(largest)}"
    return left_out


def _why_not(face: Face, photo: Examined, config: BuildConfig) -> tuple[str, str] | None:
    """Reason and detail for leaving a face out by where it is; None for a good one."""
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


def _pieces(
    data: bytes, squares: Mapping[Face, Box], examined: Examined, config: BuildConfig
) -> Iterator[tuple[Face, Pixels, Pixels]]:
    """What is in the square of each face, and the scene it is in, both upright; the photo is
    decoded no larger than the smallest of them needs, but not smaller than it was examined, to be
    decoded once.
    """
    if not squares:
        return
    smallest = min(square.width for square in squares.values())
    longer = max(examined.width, examined.height)
    image = decoded(data, min(reduction(smallest, config.size), reduction(longer, LOOK_AT)))
    scale = image.shape[1] / examined.width
    for face, square in squares.items():
        piece, scene = (
            turned_upright(face, crop(image, box))
            for box in (_scaled(square, scale, image), _scene(face, scale, image))
        )
        yield face, piece, scene


def _scene(face: Face, scale: float, image: Pixels) -> Box:
    """What is in the photo round a face, in pixels of the smaller `image` of it."""
    square, (height, width) = face_square(face.box, SCENE), image.shape[:2]
    left, top = max(0, round(square.x * scale)), max(0, round(square.y * scale))
    right = min(width, round((square.x + square.width) * scale))
    bottom = min(height, round((square.y + square.height) * scale))
    return Box(left, top, right - left, bottom - top)


def _scaled(square: Box, scale: float, image: Pixels) -> Box:
    """A square of the photo in pixels of the smaller `image` of it."""
    side = min(round(square.width * scale), *image.shape[:2])
    x = min(round(square.x * scale), image.shape[1] - side)
    y = min(round(square.y * scale), image.shape[0] - side)
    return Box(x, y, side, side)


def _why_not_this(grey: Grey, sharpness: float, config: BuildConfig) -> tuple[str, str] | None:
    """Reason and detail for leaving a face out by what is to be seen; None for a good one."""
    if is_pixelated(grey):
        return "already pixelated", ""
    if sharpness < config.min_sharpness:
        return "too blurred", f"sharpness {sharpness:.2f}"
    return None


def face_square(box: Box, margin: float) -> Box:
    """The square with `margin` times the longer side of a face's box, round its centre; it may
    leave the photo.
    """
    side = round(margin * max(box.width, box.height))
    return Box(
        round(box.x + (box.width - side) / 2), round(box.y + (box.height - side) / 2), side, side
    )


def _square(face: Face, photo: Examined, config: BuildConfig) -> Box:
    """The square to cut out round a face, shifted into the photo."""
    square = face_square(face.box, config.margin)
    x = min(max(square.x, 0), photo.width - square.width)
    y = min(max(square.y, 0), photo.height - square.height)
    return Box(x, y, square.width, square.height)


def _pair(face: Face, square: Box, source: tuple[str, str], config: BuildConfig) -> Pair:
    """The record of a pair of the photo `source` (name and hash), before it has a group and before
    its pixels were looked at.
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
    """The side of a cell of the pair so named, pixels; `face` is the face's share of the
    picture.
    """
    if config.blocks:
        smallest, largest = config.blocks
        return smallest + _drawn(name, "block", largest - smallest + 1)
    if config.block < 1:
        return max(_SMALLEST_BLOCK, round(config.block * face * config.size))
    return round(config.block)


def _offset(name: str, block: int, config: BuildConfig) -> tuple[int, int]:
    """Where in the pair so named the first whole cell begins, x and y."""
    if config.offset == "corner":
        return 0, 0
    return _drawn(name, "left", block), _drawn(name, "top", block)


def _drawn(name: str, what: str, count: int) -> int:
    """A number from 0 below `count`, as if at random, and for the same pair always the same."""
    digest = hashlib.sha256(f"{name} {what}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % count


def _burst(data: bytes, photo: str, config: BuildConfig) -> tuple[str, ...]:
    """What joins a photo to others of its folder; nothing where the folder does already."""
    if photo.startswith(f"{person_of(photo, config.group_by)}/"):
        return ()
    return burst(photo, taken_at(data))


def side_by_side(target: Pixels, grid: Grid, sampler: Sampler) -> Pixels:
    """The picture of a pair: the target's mosaic on the left, the target on the right."""
    height, width = target.shape[:2]
    observed = paint_cells(sample(target, grid, sampler), grid, (height, width))
    return np.hstack([observed, target])
