"""The dataset on disk: written while photos are walked, read while a model learns.

    pairs/
      dataset.json   format, config, detector, counts, fingerprint
      pairs.jsonl    a line a pair
      skipped.jsonl  a line a photo or face left out
      train/<id>.png val/<id>.png test/<id>.png   observed on the left, target on the right

Any folder of side-by-side pictures in `train/` and `val/` (pix2pix's own layout) reads the same
way.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demosaic import __version__
from demosaic.config import BuildConfig, Direction, differences
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.files import (
    append_lines,
    drop_torn_line,
    encoded,
    make_folder,
    read_json,
    read_lines,
    write_bytes,
    write_json,
    write_lines,
)
from demosaic.images import Pixels, find_images, read_image, read_size, resize, to_float
from demosaic.mosaic import Grid

FORMAT = 1
COPY, NO_FACE = "same file as another", "no face"
"""Why a photo that can be read gives no pair."""
SPLITS = ("train", "val", "test")
_NARROWEST = 1.2  # width to height of two portraits side by side
_TARGET_MEMORY = 2 * 2**30  # bytes, 10,000 faces of 256 px; decoding costs 4 ms each
HELD_OUT = 0.1  # of pairs without a validation split of their own


@dataclass(frozen=True)
class Pair:
    """A line of pairs.jsonl: where a pair comes from and how it was made."""

    id: str
    split: str
    group: str
    photo: str
    """Path below the photo folder, with forward slashes."""
    sha256: str
    """Of the photo's bytes."""
    box: tuple[int, int, int, int]
    """The detected face, x y width height, in pixels of the upright photo."""
    keypoints: tuple[tuple[float, float], ...]
    score: float
    angle: int
    """Degrees the photo was turned by to find the face."""
    crop: int
    """Side of the square cut from the photo, before it was resized."""
    block: tuple[int, int]
    offset: tuple[int, int]
    sampler: str
    enlarged: float
    """Side of the face picture, as a multiple of `crop`."""
    sharpness: float
    """How much of its fine steps a blur would take away, 0 (blurred) to 1."""
    fingerprint: str
    """16 hexadecimal digits of which near duplicates differ in few bits."""

    @property
    def grid(self) -> Grid:
        """The cells of the observed half."""
        return _grid(vars(self))


@dataclass(frozen=True)
class Skipped:
    """A line of skipped.jsonl: a photo, or one face of it, that gave no pair."""

    photo: str
    sha256: str
    reason: str
    detail: str = ""
    box: tuple[int, int, int, int] | None = None
    """The face left out; None when it was the whole photo."""


def split_of(group: str, *, val: float, test: float) -> str:
    """The split of a group: by its hash alone, so that it never depends on what else is there."""
    place = int(hashlib.sha256(encoded(group)).hexdigest()[:13], 16) / 16**13
    if place < test:
        return "test"
    return "val" if place < test + val else "train"


class PairWriter:
    """A dataset being written. Killed at any instant, a new writer on the same folder goes on."""

    def __init__(self, folder: Path, config: BuildConfig) -> None:
        """Raises DemosaicError when the folder holds something else or a dataset of another
        config.
        """
        self.folder = folder
        self.config = config
        self._finished = self._begin()
        self.kept: dict[str, Pair] = {}
        for line in read_lines(folder / "pairs.jsonl"):
            self._keep(_pair(line))
        self._skipped = [Skipped(**_tuples(line)) for line in read_lines(folder / "skipped.jsonl")]
        self.before = len(self.kept)
        if not self._finished:
            self._drop_doubtful()
        self._done = {skipped.photo: skipped.sha256 for skipped in self._skipped}
        self._done.update({pair.photo: pair.sha256 for pair in self.kept.values()})

    def _begin(self) -> bool:
        """Make the folder, or check what is there; whether an earlier build of it was finished."""
        described = self.folder / "dataset.json"
        record = read_json(described) if described.exists() else {}
        if record:
            changed = differences(record.get("config", {}), self.config)
            if changed and not read_lines(self.folder / "pairs.jsonl"):
                self._start_again()  # it refused everything: other options are what is called for
            elif changed:
                raise DemosaicError(
                    f"{self.folder} was built with other options ({'; '.join(changed)}): "
                    "give the same ones, or another folder"
                )
        elif self.folder.exists() and _holds_something(self.folder):
            raise DemosaicError(
                f"{self.folder} is not empty and not a demosaic dataset: choose another folder"
            )
        else:
            make_folder(self.folder)
            self._start_again()
        for split in SPLITS:
            make_folder(self.folder / split)
        for name in ("pairs.jsonl", "skipped.jsonl"):
            drop_torn_line(self.folder / name)
        return "fingerprint" in record

    def _start_again(self) -> None:
        """Empty manifests and a header of this config; in a new folder the header comes first."""
        for name in ("pairs.jsonl", "skipped.jsonl"):
            (self.folder / name).unlink(missing_ok=True)
        self._describe({})

    def _drop_doubtful(self) -> None:
        """Forget the photo that a kill may have cut short between two of its faces.

        Photos are written one after the other, so it is the last one recorded; it is done again.
        """
        pairs = list(self.kept.values())
        last = {records[-1].photo for records in (pairs, self._skipped) if records}
        self.kept = {pair.id: pair for pair in pairs if pair.photo not in last}
        self._skipped = [skipped for skipped in self._skipped if skipped.photo not in last]
        self._write_manifests()

    def recorded(self, photo: str) -> str | None:
        """The content hash under which a photo was already worked through, if it was."""
        return self._done.get(photo)

    def add(self, pair: Pair, picture: bytes) -> None:
        """Keep a pair: its picture file first, then its line."""
        self._reopen()
        write_bytes(self.folder / pair.split / f"{pair.id}.png", picture)
        append_lines(self.folder / "pairs.jsonl", [vars(pair)])
        self._keep(pair)

    def _keep(self, pair: Pair) -> None:
        """Put a pair last; where a photo was moved, it takes the place of what it was before."""
        self.kept.pop(pair.id, None)
        self.kept[pair.id] = pair

    def skip(self, skipped: Skipped) -> None:
        """Record what was left out."""
        self._reopen()
        append_lines(self.folder / "skipped.jsonl", [vars(skipped)])
        self._skipped.append(skipped)

    def _reopen(self) -> None:
        """Before the first change: until it is finished again, nobody is to train on it."""
        if self._finished:
            self._describe({})
            self._finished = False

    def finish(self, seen: dict[str, str], detector: str, ignored: int) -> None:
        """Sort the manifests, drop what earlier versions of changed photos gave, write
        dataset.json.

        `seen` is the content hash of each photo of this build; `ignored` files were no photos. The
        files come out the same, byte for byte, however often the build was interrupted and whatever
        order it worked in.
        """
        current = [
            pair for pair in self.kept.values() if seen.get(pair.photo, pair.sha256) == pair.sha256
        ]
        self.kept = {
            pair.id: pair for pair in sorted(current, key=lambda pair: (pair.photo, pair.id))
        }
        unique = {
            (skipped.photo, skipped.reason, skipped.box): skipped
            for skipped in self._skipped
            if seen.get(skipped.photo, skipped.sha256) == skipped.sha256
        }
        self._skipped = [
            unique[key] for key in sorted(unique, key=lambda key: (key[0], key[2] or (), key[1]))
        ]
        self._write_manifests()
        self._remove_orphans()
        found = {"ignored": ignored, "funnel": self.funnel(seen)}
        self._describe({"detector": detector, **found, **self._summary()})

    def _write_manifests(self) -> None:
        write_lines(self.folder / "pairs.jsonl", [vars(pair) for pair in self.kept.values()])
        write_lines(self.folder / "skipped.jsonl", [vars(skipped) for skipped in self._skipped])

    def _remove_orphans(self) -> None:
        for split in SPLITS:
            for picture in (self.folder / split).glob("*.png"):
                if picture.stem not in self.kept or self.kept[picture.stem].split != split:
                    picture.unlink()

    def _describe(self, more: dict[str, Any]) -> None:
        header = {"format": FORMAT, "demosaic": __version__, "config": asdict(self.config)}
        write_json(self.folder / "dataset.json", {**header, **more})

    def _summary(self) -> dict[str, Any]:
        identity = repr(
            (asdict(self.config), sorted((pair.id, pair.split) for pair in self.kept.values()))
        )
        return {
            "pairs": len(self.kept),
            "splits": self.splits(),
            "skipped": self.reasons(),
            "fingerprint": hashlib.sha256(identity.encode()).hexdigest()[:16],
        }

    def splits(self) -> dict[str, int]:
        """How many pairs each split has."""
        counts = Counter(pair.split for pair in self.kept.values())
        return {split: counts[split] for split in SPLITS}

    def reasons(self) -> dict[str, int]:
        """How many photos or faces were left out, by reason, most frequent first."""
        counts = Counter(skipped.reason for skipped in self._skipped)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def funnel(self, photos: Iterable[str]) -> dict[str, int]:
        """How many of these photos came so far: found, readable, unique, with faces, kept."""
        found = set(photos)
        whole = [skipped for skipped in self._skipped if not skipped.box and skipped.photo in found]
        reasons = Counter(skipped.reason for skipped in whole)
        readable = len(found) - reasons.total() + reasons[COPY] + reasons[NO_FACE]
        unique = readable - reasons[COPY]
        return {
            "found": len(found),
            "readable": readable,
            "unique": unique,
            "with faces": unique - reasons[NO_FACE],
            "kept": len(found & {pair.photo for pair in self.kept.values()}),
        }

    def examples(self, reason: str) -> list[Skipped]:
        """What was left out for `reason`."""
        return [skipped for skipped in self._skipped if skipped.reason == reason]


def _holds_something(path: Path) -> bool:
    """Whether there is a file, or a folder with more in it than names beginning with a dot."""
    return not path.is_dir() or any(not inside.name.startswith(".") for inside in path.iterdir())


def _tuples(value: Any) -> Any:
    """JSON's lists as the tuples a frozen record holds."""
    if isinstance(value, dict):
        return {name: _tuples(item) for name, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _grid(line: Mapping[str, Any]) -> Grid:
    """The cells of a line of pairs.jsonl."""
    return Grid(*line["block"], *line["offset"])


def _pair(line: dict[str, Any]) -> Pair:
    return Pair(**_tuples(line))


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
        return {line["id"]: _grid(line) for line in lines if line["sampler"] == "mean"}

    def _listed(self) -> tuple[list[Path], list[Path]]:
        splits = {split: self._pictures(self.folder / split) for split in SPLITS}
        train = splits["train"] if (self.folder / "train").is_dir() else self._outside_splits()
        if not train:
            raise DemosaicError(
                f"{self.folder / 'train'} holds no pairs: build with more photos, or with --val 0",
                NOTHING_TO_DO,
            )
        held_out = splits["val"] or (splits["test"] if self._record is None else [])
        if held_out:
            return train, held_out
        held_out = self._some_groups(train)
        chosen = set(held_out)
        rest = [path for path in train if path not in chosen]
        return (rest, held_out) if rest else (train, train[:1])

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
