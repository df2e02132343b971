"""Pairs: what is on record of each, and how a model gets to see them.

Any folder of side-by-side pictures in `train/` and `val/` (pix2pix's own layout) reads the same way
as a dataset that `datasets` wrote.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demosaic.config.training import Direction
from demosaic.dataset.records import SPLITS, grid_of
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.files import encoded, read_json, read_lines
from demosaic.imaging.arrays import Pixels, resize, to_float
from demosaic.imaging.decoding import read_image, read_size
from demosaic.imaging.discovery import find_images
from demosaic.mosaic.grid import Grid

_NARROWEST = 1.2  # width to height of two portraits side by side

_TARGET_MEMORY = 2 * 2**30  # bytes, 10,000 faces of 256 px; decoding costs 4 ms each

HELD_OUT = 0.1  # of pairs without a validation split of their own


@dataclass(frozen=True)
class Batch:
    """Some pairs, as training takes them: float32 (N, 3, size, size) in [-1, 1]."""

    observed: NDArray[np.float32]
    target: NDArray[np.float32]


class Pairs:
    """A dataset to learn from: a demosaic dataset, or any folder of side-by-side pictures."""

    def __init__(self, folder: Path, *, direction: Direction, multiple: int) -> None:
        """`multiple`: the network's sides are multiples of it. Raises DemosaicError when nothing
        there can be used.
        """
        if not folder.is_dir():
            raise DemosaicError(f"{folder} is not a folder: give the one that build-dataset wrote")
        self.folder = folder
        self.direction = direction
        described = folder / "dataset.json"
        self._record = read_json(described) if described.exists() else None
        if self._record is not None and "fingerprint" not in self._record:
            raise DemosaicError(
                f"{folder} is unfinished: run the same build-dataset command again, it will go on"
            )
        self.left_out: list[Path] = []
        """Files in a foreign folder that hold no picture."""
        self.grids = self._grids()
        """By the pair's id, the grid whose means its observed half shows; empty when the halves are
        no mosaics of means, or the direction is turned round.
        """
        self._targets: dict[Path, Pixels] = {}
        self.train, self.val = self._listed()
        self.size = self._size(multiple)
        self.fingerprint = self._fingerprint()

    @property
    def held_out(self) -> tuple[str, list[Path]]:
        """The split to judge a model by, and its pairs: `test`, by which none was chosen, or `val`
        where there is none.
        """
        test = self._pictures(self.folder / "test")
        return ("test", test) if test else ("val", self.val)

    def grid(self, path: Path) -> Grid | None:
        """The grid whose means are the colours of a pair's observed half; None when it shows
        none.
        """
        return self.grids.get(path.stem)

    def _grids(self) -> dict[str, Grid]:
        if self._record is None or self.direction != "left-to-right":
            return {}
        lines = read_lines(self.folder / "pairs.jsonl")
        return {line["id"]: grid_of(line) for line in lines if line["sampler"] == "mean"}

    def _listed(self) -> tuple[list[Path], list[Path]]:
        splits = {split: self._pictures(self.folder / split) for split in SPLITS}
        in_splits = self._record is not None or (self.folder / "train").is_dir()
        train = splits["train"] if in_splits else self._outside_splits()
        if not train:
            raise DemosaicError(self._why_nothing(splits), NOTHING_TO_DO)
        held_out = splits["val"] or (splits["test"] if self._record is None else [])
        if held_out:
            return train, held_out
        held_out = self._some_groups(train)
        chosen = set(held_out)
        rest = [path for path in train if path not in chosen]
        return (rest, held_out) if rest else (train, train[:1])

    def _why_nothing(self, splits: Mapping[str, Sequence[Path]]) -> str:
        """Why there is nothing to learn from, and the way out."""
        if self._record is None:
            return (
                f"{self.folder} holds no pairs: give the folder that build-dataset wrote, or one "
                "of side-by-side pictures"
            )
        if not any(splits.values()):
            return f"{self.folder} holds no pairs: skipped.jsonl in it says why; give other photos"
        return (
            f"all pairs in {self.folder} are held out, none is in train: build again, into another "
            "folder, from more photos or with --val 0"
        )

    def _pictures(self, folder: Path) -> list[Path]:
        """The pictures in a folder by hash; of a foreign one only those that are side by side."""
        paths = _by_hash(folder)
        if self._record is not None:
            return paths
        return [path for path in paths if self._is_side_by_side(path)]

    def _is_side_by_side(self, path: Path) -> bool:
        try:
            width, height = read_size(path)
        except DemosaicError:
            self.left_out.append(path)
            return False
        if width < _NARROWEST * height:
            raise DemosaicError(
                f"{path} is no side-by-side picture, it is {width} x {height} px: "
                "for a folder of photos run build-dataset first"
            )
        return True

    def _some_groups(self, train: list[Path]) -> list[Path]:
        """A tenth of the pairs where none were kept for validation: whole groups, where known."""
        groups: dict[str, list[Path]] = {}
        named = {line["id"]: line["group"] for line in read_lines(self.folder / "pairs.jsonl")}
        for path in train:
            groups.setdefault(named.get(path.stem, path.stem), []).append(path)
        held_out: list[Path] = []
        for group in sorted(groups, key=_hash):
            if len(held_out) < len(train) * HELD_OUT:
                held_out += groups[group]
        return held_out

    def _outside_splits(self) -> list[Path]:
        elsewhere = [self.folder / split for split in SPLITS]
        paths = self._pictures(self.folder)
        return [path for path in paths if not any(map(path.is_relative_to, elsewhere))]

    def _size(self, multiple: int) -> int:
        if self._record is None:
            return max(multiple, read_size(self.train[0])[1] // multiple * multiple)
        size = int(self._record["config"]["size"])
        if size % multiple:
            raise DemosaicError(
                f"{self.folder} has pictures of {size} px and this network takes multiples of "
                f"{multiple}: build again with --size {max(1, round(size / multiple)) * multiple}"
            )
        return size

    def _fingerprint(self) -> str:
        if self._record is not None:
            return str(self._record["fingerprint"])
        listing = repr([(path.name, path.stat().st_size) for path in [*self.train, *self.val]])
        return hashlib.sha256(listing.encode()).hexdigest()[:16]

    def read(self, path: Path) -> tuple[Pixels, Pixels]:
        """Observed and target, each (size, size, 3), of one side-by-side picture."""
        picture = read_image(path)
        middle = picture.shape[1] // 2
        if middle < 1:
            raise DemosaicError(
                f"{path} is no side-by-side picture: it is {picture.shape[1]} px wide"
            )
        halves = (
            resize(picture[:, :middle], self.size, self.size),
            resize(picture[:, -middle:], self.size, self.size),
        )
        return halves if self.direction == "left-to-right" else (halves[1], halves[0])

    def target(self, path: Path) -> Pixels:
        """The target alone, kept in memory for the next time while there is room."""
        kept = self._targets.get(path)
        if kept is None:
            kept = self.read(path)[1]
            if len(self._targets) * kept.nbytes < _TARGET_MEMORY:
                self._targets[path] = kept.copy()  # the half alone, not the whole it is a view of
        return kept

    def batch(self, paths: Sequence[Path]) -> Batch:
        """These pairs, as training takes them."""
        observed, target = zip(*(self.read(path) for path in paths), strict=True)
        return Batch(np.stack(list(map(to_float, observed))), np.stack(list(map(to_float, target))))

    def draw(self, count: int, *, seed: int, step: int, limit: int | None) -> Batch:
        """`count` training pairs drawn with replacement: the same for the same seed and step,
        whatever came before.
        """
        pool = self.train[:limit]
        chosen = np.random.default_rng((seed, step)).integers(len(pool), size=count)
        return self.batch([pool[number] for number in chosen])


def _by_hash(folder: Path) -> list[Path]:
    """The pictures in a folder in the order of their names' hashes: any first so many are a fair
    sample.
    """
    if not folder.is_dir():
        return []
    return sorted(find_images(folder), key=lambda path: _hash(path.stem))


def _hash(name: str) -> str:
    return hashlib.sha256(encoded(name)).hexdigest()
