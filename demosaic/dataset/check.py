"""Whether a dataset is as its lines say: every picture, and every photo that is still there."""

import hashlib
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

import numpy as np

from demosaic.config.dataset import BuildConfig
from demosaic.dataset.crops import side_by_side
from demosaic.dataset.events import CheckReport, FaultFound
from demosaic.dataset.manifest import Manifest
from demosaic.dataset.near_duplicates import bits_apart, likeness
from demosaic.dataset.opened import contents
from demosaic.dataset.records import Pair
from demosaic.dataset.summary import fingerprint, in_splits
from demosaic.errors import DemosaicError
from demosaic.events import Listener, WorkDone, WorkStarted, ignore
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.decoding import read_bytes, read_image

# Another version of OpenCV rounds some pixels and some frequencies the other way
_LEVELS, _BITS = 2, 4


def check_dataset(photos: Path, pairs: Path, *, listen: Listener = ignore) -> CheckReport:
    """Compare the dataset in the folder `pairs` with its lines, and with the folder `photos` it was
    built from; `listen` hears of every fault. Nothing is written.

    Raises DemosaicError when the folder holds no dataset, or a line is damaged.
    """
    manifest = Manifest(pairs)
    header = manifest.header()
    if header is None:
        raise DemosaicError(f"{pairs} holds no dataset: give the folder that build-dataset wrote")
    config = manifest.config(header)
    lines, skipped = manifest.pairs(), manifest.skipped()
    known = contents(lines, skipped)
    listen(WorkStarted("pairs and photos", len(lines) + len(known)))
    faults = 0
    for path, problem in chain(
        _of_the_whole(manifest, header.fingerprint, lines, config),
        _of_pictures(pairs, lines, config, listen),
        _of_photos(photos, known, listen),
    ):
        listen(FaultFound(path, problem))
        faults += 1
    return CheckReport(str(pairs), len(lines), len(known), faults)


def _of_the_whole(
    manifest: Manifest, recorded: str | None, pairs: list[Pair], config: BuildConfig
) -> Iterator[tuple[str, str]]:
    if recorded is None:
        yield "dataset.json", "the build is unfinished"
    elif recorded != fingerprint(in_splits(pairs), config):
        yield "dataset.json", "its fingerprint is not that of the options and the lines"
    ids = {pair.id for pair in pairs}
    if len(ids) < len(pairs):
        yield "pairs.jsonl", f"{len(pairs) - len(ids)} lines are of a pair that has another line"
    for path in manifest.pictures():
        if path.stem not in ids:
            yield f"{path.parent.name}/{path.name}", "it belongs to no line of pairs.jsonl"


def _of_pictures(
    folder: Path, pairs: list[Pair], config: BuildConfig, listen: Listener
) -> Iterator[tuple[str, str]]:
    for pair in pairs:
        problem = _flaw(folder / pair.split / f"{pair.id}.png", pair, config)
        if problem:
            yield f"{pair.split}/{pair.id}.png", problem
        listen(WorkDone(1))


def _flaw(path: Path, pair: Pair, config: BuildConfig) -> str | None:
    """What is wrong with the picture of a pair, if anything is."""
    try:
        picture = read_image(path)
    except DemosaicError as error:
        return str(error).removeprefix(f"{path}: ")
    size = config.size
    if picture.shape != (size, 2 * size, 3):
        return f"it has {picture.shape[1]} x {picture.shape[0]} px instead of {2 * size} x {size}"
    target = picture[:, size:]
    if bits_apart(likeness(target), pair.likeness[0]) > _BITS:
        return "its right half is not the face that its line describes"
    if _apart(picture, side_by_side(target, pair.grid, pair.sampler)) > _LEVELS:
        return "its left half is not the mosaic of the right one that its line describes"
    return None


def _apart(one: Pixels, other: Pixels) -> int:
    return int(np.abs(one.astype(np.int16) - other).max())


def _of_photos(
    photos: Path, known: Mapping[str, str], listen: Listener
) -> Iterator[tuple[str, str]]:
    for photo, sha256 in sorted(known.items()):
        problem = _change(photos / photo, sha256)
        if problem:
            yield photo, problem
        listen(WorkDone(1))


def _change(path: Path, sha256: str) -> str | None:
    """How a photo differs from what the dataset was built from, if it does."""
    try:
        data = read_bytes(path)
    except DemosaicError:
        return "the photo is gone" if sha256 else None
    if hashlib.sha256(data).hexdigest() != sha256:
        return "the photo has changed"
    return None
