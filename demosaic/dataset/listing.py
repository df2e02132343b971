"""Which pictures of a folder to learn from: of a dataset of ours, or of any folder of side-by-side
pictures in `train/` and `val/` as pix2pix has them.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from demosaic.config.rules import Sampler
from demosaic.dataset.columns import Enlarged, Facts, Grids, Pictures, as_text
from demosaic.dataset.manifest import pictures_in, refuse_links
from demosaic.dataset.records import SPLITS, CellSide, CellStart, ShortHash, Split
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.files import encoded, read_json
from demosaic.imaging.decoding import read_size
from demosaic.imaging.discovery import find_images
from demosaic.mosaic.grid import Grid
from demosaic.records import between, read, read_each

_NARROWEST = 1.2  # width to height of two portraits side by side

_VALIDATION_SHARE = 0.1  # of pairs without a validation split of their own


@dataclass(frozen=True)
class Listing:
    """The pictures of a folder, each list in the order of the hashes of their names, so that any
    first ones are a fair sample.
    """

    train: Sequence[Path]
    val: Sequence[Path]
    """Never empty."""
    test: Sequence[Path]
    size: int
    """Side of a picture as a network takes it, in pixels."""
    fingerprint: str
    """16 hexadecimal digits; other pictures have others."""
    grids: Mapping[str, Grid] = field(default_factory=dict)
    """By the pair's id, the grid whose means its observed half shows."""
    enlarged: Mapping[str, float] = field(default_factory=dict)
    """By the pair's id, the side of its picture as a multiple of the crop's in the photo."""
    left_out: list[Path] = field(default_factory=list)
    """Files that hold no picture."""


# A dataset of ours


@dataclass(frozen=True)
class _Line:
    """What of a line of pairs.jsonl is read here; datasets of every version have it."""

    id: ShortHash
    group: str
    block: tuple[CellSide, CellSide]
    offset: tuple[CellStart, CellStart]
    sampler: Sampler
    enlarged: Annotated[float, between(0, 10**6)] = 1.0


@dataclass(frozen=True)
class _Config:
    size: Annotated[int, between(1, 4096)]


@dataclass(frozen=True)
class _Header:
    """What of dataset.json is read here."""

    config: _Config
    fingerprint: ShortHash | None = None


def list_dataset(folder: Path, *, multiple: int) -> Listing:
    """The pictures of a dataset that `build-dataset` wrote, for a network that takes sides that are
    multiples of `multiple`.

    Raises DemosaicError when the dataset is unfinished or damaged, has nothing to train on, or
    pictures of another size.
    """
    header = _header(folder)
    if header.fingerprint is None:
        raise DemosaicError(
            f"{folder} is unfinished: run the same build-dataset command again to finish it"
        )
    lines = folder / "pairs.jsonl"
    facts = Facts.of(map(_facts, read_each(_Line, lines, others=True)))
    splits = {split: _pictures(folder, split) for split in SPLITS}
    train: Sequence[Path] = splits["train"]
    if not train:
        raise DemosaicError(_why_nothing(folder, splits), NOTHING_TO_DO)
    val: Sequence[Path] = splits["val"]
    if not val:
        groups = {line.id: line.group for line in read_each(_Line, lines, others=True)}
        train, val = _hold_out(train, groups)
    _refuse_size(header.config.size, multiple, folder)
    return Listing(
        train,
        val,
        splits["test"],
        size=header.config.size,
        fingerprint=header.fingerprint,
        grids=Grids(facts),
        enlarged=Enlarged(facts),
    )


def _facts(line: _Line) -> tuple[Any, ...]:
    """The values of a line as `columns.FACTS` has them."""
    return int(line.id, 16), line.block, line.offset, line.sampler == "mean", line.enlarged


def _pictures(folder: Path, split: Split) -> Pictures:
    """The pictures of a split in the order of the hashes of their names."""
    names = (name.removesuffix(".png") for name in pictures_in(folder, split))
    ids = np.fromiter((int(name, 16) for name in names), np.uint64)
    hashes = (hashlib.sha256(as_text(number).encode()).digest()[:8] for number in ids.tolist())
    places = np.fromiter((int.from_bytes(start, "big") for start in hashes), np.uint64)
    return Pictures(folder / split, ids[np.argsort(places)])


def fingerprint_of(folder: Path) -> str | None:
    """The fingerprint of a dataset that `build-dataset` wrote; None when it is unfinished, or the
    folder holds none. Raises DemosaicError when it is damaged.
    """
    return _header(folder).fingerprint if (folder / "dataset.json").is_file() else None


def _header(folder: Path) -> _Header:
    refuse_links(folder)
    described = folder / "dataset.json"
    return read(_Header, read_json(described), str(described), others=True)


def _why_nothing(folder: Path, splits: Mapping[Split, Sequence[Path]]) -> str:
    if not any(splits.values()):
        return f"{folder} holds no pairs: skipped.jsonl in it says why; give other photos"
    return (
        f"all pairs in {folder} are in val or test, none is in train: build again, into another "
        "folder, from more photos or with --val 0"
    )


def _refuse_size(size: int, multiple: int, folder: Path) -> None:
    if size % multiple:
        raise DemosaicError(
            f"{folder} has pictures of {size} px and this network takes multiples of "
            f"{multiple}: build again with --size {max(1, round(size / multiple)) * multiple}"
        )


# Any folder of side-by-side pictures


def list_folder(folder: Path, *, multiple: int) -> Listing:
    """The side-by-side pictures in `train/`, `val/` and `test/` of a folder or, without a `train/`,
    in the folder itself. They are resized to a multiple of `multiple`.

    Raises DemosaicError when there are none, or a picture is not side by side.
    """
    left_out: list[Path] = []
    splits = {split: _side_by_side(folder / split, left_out) for split in SPLITS}
    train = splits["train"] if (folder / "train").is_dir() else _outside_splits(folder, left_out)
    if not train:
        raise DemosaicError(
            f"{folder} holds no pairs: give the folder that build-dataset wrote, or one of "
            "side-by-side pictures",
            NOTHING_TO_DO,
        )
    val = splits["val"] or splits["test"]
    learnt, held_out = (train, val) if val else _hold_out(train, {})
    return Listing(
        learnt,
        held_out,
        splits["test"],
        size=max(multiple, read_size(learnt[0])[1] // multiple * multiple),
        fingerprint=_fingerprint([*learnt, *held_out]),
        left_out=left_out,
    )


def _outside_splits(folder: Path, left_out: list[Path]) -> list[Path]:
    elsewhere = [folder / split for split in SPLITS]
    paths = _side_by_side(folder, left_out)
    return [path for path in paths if not any(map(path.is_relative_to, elsewhere))]


def _side_by_side(folder: Path, left_out: list[Path]) -> list[Path]:
    """The pictures in a folder; files that hold none are added to `left_out`."""
    found = []
    for path in _by_hash(find_images(folder)) if folder.is_dir() else ():
        try:
            width, height = read_size(path)
        except DemosaicError:
            left_out.append(path)
            continue
        if width < _NARROWEST * height:
            raise DemosaicError(
                f"{path} is no side-by-side picture, it is {width} x {height} px: "
                "for a folder of photos run build-dataset first"
            )
        found.append(path)
    return found


def _fingerprint(paths: list[Path]) -> str:
    listing = repr([(path.name, path.stat().st_size) for path in paths])
    return hashlib.sha256(listing.encode()).hexdigest()[:16]


# Both


def _hold_out(
    train: Sequence[Path], groups: Mapping[str, str]
) -> tuple[Sequence[Path], Sequence[Path]]:
    """A tenth of the pairs goes to validation, in whole groups; a single group is for both."""
    members: dict[str, list[Path]] = {}
    for path in train:
        members.setdefault(groups.get(path.stem, path.stem), []).append(path)
    val: list[Path] = []
    for group in sorted(members, key=_hash):
        if len(val) < len(train) * _VALIDATION_SHARE:
            val += members[group]
    chosen = set(val)
    rest = [path for path in train if path not in chosen]
    return (rest, val) if rest else (train, train[:1])


def _by_hash(paths: Iterable[Path]) -> list[Path]:
    """The pictures in the order of the hashes of their names."""
    return sorted(paths, key=lambda path: _hash(path.stem))


def _hash(name: str) -> str:
    return hashlib.sha256(encoded(name)).hexdigest()
