"""A dataset being written, while photos are walked or forgotten.

pairs/
  dataset.json   format, config, detector, counts, fingerprint
  pairs.jsonl    a line a pair
  skipped.jsonl  a line a photo or face left out
  forgotten.jsonl  content hashes of photos that are never to come back
  train/<id>.png val/<id>.png test/<id>.png   observed on the left, target on the right
  spare/<id>.png   what --max-per-group leaves out
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from demosaic import __version__
from demosaic.config.dataset import BuildConfig
from demosaic.config.rules import differences
from demosaic.dataset.events import Closest
from demosaic.dataset.near_duplicates import Likenesses, bits_apart, near_any, nearest
from demosaic.dataset.records import COPY, NO_FACE, SPARE, SPLITS, Pair, Skipped
from demosaic.dataset.splits import Member, groups, person_of, split_of
from demosaic.errors import DemosaicError
from demosaic.files import (
    append_lines,
    drop_torn_line,
    make_folder,
    read_json,
    read_lines,
    write_bytes,
    write_json,
    write_lines,
    writing,
)

FORMAT = 1


@dataclass(frozen=True)
class Changes:
    """What finishing a dataset did to the pairs that were there before."""

    moved: tuple[tuple[Pair, str], ...]
    """Those now in another split, as something joined two groups or parted one; with the split
    before.
    """
    gone: tuple[str, ...]
    """The photos that are in the folder no more."""
    pruned: int
    """The pairs removed with them."""


@dataclass(frozen=True)
class Forgotten:
    """What was taken out of a dataset."""

    photos: int
    """Their different contents."""
    pairs: int
    alike: tuple[str, ...]
    """The photos left that are near duplicates of one of them."""


@dataclass(frozen=True)
class Built:
    """What an earlier build left in a folder."""

    done: Mapping[str, str]
    """The content hash of each photo that was worked through."""
    pairs: Sequence[Pair]
    forgotten: Collection[str]
    """The content hashes of photos that are never to come back."""


_Record = TypeVar("_Record", Pair, Skipped)

_State = Literal["building", "settling", "forgetting", "finished"]
"""What goes on with a dataset: photos are added, all are being grouped, some taken out, nothing."""


class PairWriter:
    """A dataset being written. Killed at any instant, a new writer on the same folder goes on."""

    def __init__(self, folder: Path, config: BuildConfig, *, to_add: bool = True) -> None:
        """Raises DemosaicError when the folder holds something else or a dataset of another
        config.
        """
        self.folder = folder
        self.config = config
        record = self._begin()
        self._state: _State = record.get("state", "building")
        self._facts: dict[str, Any] = {
            name: record[name] for name in ("detector", "ignored") if name in record
        }
        self.forgotten = _forgotten_in(folder)
        pairs, skipped = _pairs_in(folder), _skipped_in(folder)
        self.kept: dict[str, Pair] = {}
        for pair in self._remembered(pairs):
            self._keep(pair)
        self._skipped = self._remembered(skipped)
        lost = len(pairs) + len(skipped) > len(self.kept) + len(self._skipped)
        self.forgetting = lost or self._state == "forgetting"
        """Whether a `forget` was cut short."""
        self._before = set(self.kept)
        if self._state == "building" and to_add:
            self._drop_doubtful()
        self._done = _worked_through(self.kept.values(), self._skipped)

    @classmethod
    def of(cls, folder: Path) -> "PairWriter":
        """The writer of a dataset that is there, with the options it was built with; nothing is to
        be added to it.
        """
        if not (folder / "dataset.json").is_file():
            raise DemosaicError(f"{folder} holds no dataset: give the one that build-dataset wrote")
        config = _config_of(folder, read_json(folder / "dataset.json"))
        return cls(folder, config, to_add=False)

    def _begin(self) -> dict[str, Any]:
        """Make the folder, or check what is there; hand back what dataset.json says."""
        record = _record_of(self.folder, self.config)
        if not record:
            make_folder(self.folder)
            self._start_again()
        for split in (*SPLITS, SPARE):
            make_folder(self.folder / split)
        for name in ("pairs.jsonl", "skipped.jsonl", "forgotten.jsonl"):
            drop_torn_line(self.folder / name)
        return record

    def _start_again(self) -> None:
        """Empty manifests and a header of this config; in a new folder the header comes first."""
        for name in ("pairs.jsonl", "skipped.jsonl"):
            (self.folder / name).unlink(missing_ok=True)
        self._describe("building", {})

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

    def bereft(self, seen: Mapping[str, str]) -> list[str]:
        """The photos, among those seen, that are copies of one that has changed or is gone."""
        owned = {pair.sha256 for pair in self.kept.values() if seen.get(pair.photo) == pair.sha256}
        return [
            skipped.photo
            for skipped in self._skipped
            if skipped.reason == COPY
            and skipped.sha256 not in owned
            and seen.get(skipped.photo) == skipped.sha256
        ]

    def _remembered(self, records: Sequence[_Record]) -> list[_Record]:
        return [record for record in records if record.sha256 not in self.forgotten]

    def add(self, pair: Pair, picture: bytes) -> None:
        """Keep a pair: its picture file first, then its line. It stays where it was when it was
        there before, as when its photo was renamed; `finish` finds a new one its split.
        """
        self._mark("building")
        known = self.kept.get(pair.id)
        pair = replace(pair, split=known.split if known else SPARE)
        write_bytes(self.folder / pair.split / f"{pair.id}.png", picture)
        append_lines(self.folder / "pairs.jsonl", [vars(pair)])
        self._keep(pair)

    def _keep(self, pair: Pair) -> None:
        """Put a pair last; where a photo was moved, it takes the place of what it was before."""
        self.kept.pop(pair.id, None)
        self.kept[pair.id] = pair

    def skip(self, skipped: Skipped) -> None:
        """Record what was left out."""
        self._mark("building")
        append_lines(self.folder / "skipped.jsonl", [vars(skipped)])
        self._skipped.append(skipped)

    def _mark(self, state: _State) -> None:
        """Before the first change: until it is finished again, nobody is to train on it."""
        if self._state != state:
            self._describe(state, self._facts)

    def finish(
        self, seen: Mapping[str, str], *, detector: str, ignored: int, prune: bool = False
    ) -> Changes:
        """Group all pairs and put each group into its split, sort the manifests, drop what earlier
        versions of changed photos gave and, to `prune`, what photos gave that are gone; write
        dataset.json.

        `seen` is the content hash of each photo of this build, empty for what cannot be read;
        `ignored` files were no photos. The
        files come out the same, byte for byte, however often the build was interrupted and whatever
        order it worked in.
        """
        unread = tuple(f"{name}/" for name, sha256 in seen.items() if not sha256)

        def is_gone(photo: str) -> bool:
            return photo not in seen and not photo.startswith(unread)

        def is_current(record: Pair | Skipped) -> bool:
            return (seen.get(record.photo) or record.sha256) == record.sha256

        pairs = [pair for pair in self.kept.values() if is_current(pair)]
        own = {pair.photo for pair in pairs}
        skipped = [
            skipped
            for skipped in self._skipped
            if is_current(skipped) and not (skipped.reason == COPY and skipped.photo in own)
        ]
        photos = {pair.photo for pair in pairs} | {one.photo for one in skipped}
        gone = set(filter(is_gone, photos))
        pruned = [pair for pair in pairs if prune and pair.photo in gone]
        self.kept = {pair.id: pair for pair in pairs if not (prune and pair.photo in gone)}
        self._skipped = [one for one in skipped if not (prune and one.photo in gone)]
        self._facts = {"detector": detector, "ignored": ignored}
        moved = self.settle(seen)
        return Changes(moved, tuple(sorted(gone)), len(pruned))

    def settle(self, seen: Mapping[str, str]) -> tuple[tuple[Pair, str], ...]:
        """Group what there is and write everything anew; hand back which pairs moved from one
        split to another.

        Every step can be done again, and what moved is on record only after it has: whoever goes on
        after a kill finds the same to do.
        """
        if self._state != "forgetting":
            self._mark("settling")
        self._skipped = _sorted_once(self._skipped)
        moved = self._regroup()
        self._move_pictures()
        self._write_manifests()
        self._remove_orphans()
        self._describe("finished", {**self._facts, "funnel": self.funnel(seen), **self._summary()})
        self.forgetting = False
        return moved

    def _regroup(self) -> tuple[tuple[Pair, str], ...]:
        """Give every pair its group and split, and sort all; the pairs that changed splits."""
        before = self.kept
        names = groups(self._members())
        grouped = [
            replace(pair, group=names[person_of(pair.photo, self.config.group_by)])
            for pair in sorted(before.values(), key=lambda pair: (pair.photo, pair.id))
        ]
        spare = _surplus(grouped, self.config.max_per_group)
        val, test = self.config.val, self.config.test
        self.kept = {
            pair.id: replace(
                pair,
                split=SPARE if pair.id in spare else split_of(pair.group, val=val, test=test),
            )
            for pair in grouped
        }
        return tuple(
            (pair, before[pair.id].split)
            for pair in self.kept.values()
            if pair.split != before[pair.id].split
            and SPARE not in (pair.split, before[pair.id].split)
        )

    def _members(self) -> list[Member]:
        """Every pair, and every photo that is a copy of one with pairs."""
        by, pairs = self.config.group_by, self.kept.values()
        kept = {pair.sha256 for pair in pairs}
        copies = [skipped for skipped in self._skipped if skipped.sha256 in kept]
        return [
            Member(person_of(pair.photo, by), (pair.sha256, *pair.burst), pair.likeness)
            for pair in pairs
        ] + [Member(person_of(copy.photo, by), (copy.sha256,)) for copy in copies]

    def _move_pictures(self) -> None:
        """Put every picture into the folder of its split."""
        for folder in (*SPLITS, SPARE):
            for picture in list((self.folder / folder).glob("*.png")):
                pair = self.kept.get(picture.stem)
                if pair and pair.split != folder:
                    target = self.folder / pair.split / picture.name
                    with writing(target):
                        picture.replace(target)

    def _write_manifests(self) -> None:
        write_lines(self.folder / "pairs.jsonl", [vars(pair) for pair in self.kept.values()])
        write_lines(self.folder / "skipped.jsonl", [vars(skipped) for skipped in self._skipped])

    def _remove_orphans(self) -> None:
        """Remove pictures that no pair has, and what a kill left of files half-written."""
        parts = self.folder.glob("**/.*.part")
        pictures = [
            path for split in (*SPLITS, SPARE) for path in (self.folder / split).glob("*.png")
        ]
        for path in (*parts, *(path for path in pictures if path.stem not in self.kept)):
            with writing(path):
                path.unlink()
        for folder in (*SPLITS, SPARE):
            with suppress(OSError):  # most are not empty
                (self.folder / folder).rmdir()

    # Forgetting

    def forget(self, name: str) -> Forgotten:
        """Take out everything of a photo, a folder or a person, never to come back.

        The contents are written down first; after `end_forgetting` nothing else is left. Whatever
        happens between the two, the same calls go on. Raises DemosaicError when there is nothing of
        that name.
        """
        name = name.strip("/")
        by = self.config.group_by

        def is_named(record: Pair | Skipped) -> bool:
            photo = record.photo
            return photo == name or photo.startswith(f"{name}/") or person_of(photo, by) == name

        everything: list[Pair | Skipped] = [*self.kept.values(), *self._skipped]
        hashes = {record.sha256 for record in everything if is_named(record)}
        if not hashes and not self.forgetting:
            raise DemosaicError(
                f"nothing in {self.folder} is of {name}: give a photo or a folder as "
                "pairs.jsonl names it, or whom --group-by finds"
            )
        self.forgotten |= hashes - {""}  # of what could not be read
        write_lines(
            self.folder / "forgotten.jsonl", [{"sha256": one} for one in sorted(self.forgotten)]
        )
        if self._state != "building":
            self._mark("forgetting")
        rest = self._remembered(list(self.kept.values()))
        removed = [pair for pair in self.kept.values() if pair.sha256 in hashes]
        self.kept = {pair.id: pair for pair in rest}
        skipped = self._remembered(self._skipped)
        self._skipped = [one for one in skipped if one.sha256 or not is_named(one)]
        return Forgotten(len(hashes), len(removed), _alike(rest, removed))

    def end_forgetting(self) -> tuple[tuple[Pair, str], ...]:
        """Write everything anew without what was forgotten; an unfinished build stays one. Hands
        back which pairs moved, as `settle` does.
        """
        if self._state == "forgetting":
            records: list[Pair | Skipped] = [*self.kept.values(), *self._skipped]
            return self.settle({record.photo: record.sha256 for record in records})
        self._write_manifests()
        self._remove_orphans()
        return ()

    def _describe(self, state: _State, more: dict[str, Any]) -> None:
        header = {"format": FORMAT, "demosaic": __version__, "config": asdict(self.config)}
        write_json(self.folder / "dataset.json", {**header, "state": state, **more})
        self._state = state

    def _summary(self) -> dict[str, Any]:
        identity = repr(
            (asdict(self.config), sorted((pair.id, pair.split) for pair in self.pairs()))
        )
        closest = self.closest()
        return {
            "pairs": len(self.pairs()),
            "splits": self.splits(),
            "groups": self.groups(),
            "closest": closest and asdict(closest),
            "skipped": self.reasons(),
            "fingerprint": hashlib.sha256(identity.encode()).hexdigest()[:16],
        }

    def pairs(self) -> list[Pair]:
        """Those that are in a split."""
        return [pair for pair in self.kept.values() if pair.split != SPARE]

    def new_pairs(self) -> int:
        """How many of them were not there when this writer began."""
        return sum(pair.id not in self._before for pair in self.pairs())

    def groups(self) -> int:
        """How many groups they make."""
        return len({pair.group for pair in self.pairs()})

    def closest(self) -> Closest | None:
        """Which of what is trained on is the most like something held out."""
        train = [pair for pair in self.pairs() if pair.split == "train"]
        held_out = [pair for pair in self.pairs() if pair.split != "train"]
        found = nearest(_likenesses(train), _likenesses(held_out))
        if found is None:
            return None
        one, other = train[found[0]], held_out[found[1]]
        return Closest(one.photo, other.photo, *map(bits_apart, one.likeness, other.likeness))

    def splits(self) -> dict[str, int]:
        """How many pairs each split has."""
        counts = Counter(pair.split for pair in self.kept.values())
        return {split: counts[split] for split in SPLITS}

    def reasons(self) -> dict[str, int]:
        """How many photos or faces were left out, by reason, most frequent first."""
        counts = Counter(skipped.reason for skipped in self._skipped)
        counts += Counter({"group is large": len(self.kept) - len(self.pairs())})
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def funnel(self, seen: Mapping[str, str]) -> dict[str, int]:
        """How many of the photos seen came so far: found, readable, unique, with faces, kept; what
        is forgotten was never there.
        """
        found = {photo for photo, sha256 in seen.items() if sha256 not in self.forgotten}
        whole = [skipped for skipped in self._skipped if not skipped.box and skipped.photo in found]
        reasons = Counter(skipped.reason for skipped in whole)
        readable = len(found) - reasons.total() + reasons[COPY] + reasons[NO_FACE]
        unique = readable - reasons[COPY]
        return {
            "found": len(found),
            "readable": readable,
            "unique": unique,
            "with faces": unique - reasons[NO_FACE],
            "kept": len(found & {pair.photo for pair in self.pairs()}),
        }

    def examples(self, reason: str) -> list[Skipped]:
        """What was left out for `reason`."""
        return [skipped for skipped in self._skipped if skipped.reason == reason]


def _sorted_once(records: Iterable[Skipped]) -> list[Skipped]:
    unique = {(one.photo, one.box or (), one.reason): one for one in records}
    return [unique[key] for key in sorted(unique)]


def _surplus(pairs: Iterable[Pair], most: int) -> set[str]:
    """The pairs that groups have too many of; 0 is no limit. Those with the first ids stay, so that
    none depends on the order photos came in.
    """
    counts: Counter[str] = Counter()
    surplus = set()
    for pair in sorted(pairs, key=lambda pair: pair.id) if most else ():
        counts[pair.group] += 1
        if counts[pair.group] > most:
            surplus.add(pair.id)
    return surplus


def _alike(pairs: Sequence[Pair], others: Sequence[Pair]) -> tuple[str, ...]:
    """The photos of those pairs that are near duplicates of others."""
    near = near_any(_likenesses(pairs), _likenesses(others))
    return tuple(sorted({pairs[number].photo for number in near}))


def _likenesses(pairs: Sequence[Pair]) -> Likenesses:
    return Likenesses.of([pair.likeness for pair in pairs])


def _holds_something(path: Path) -> bool:
    """Whether there is a file, or a folder with more in it than names beginning with a dot."""
    return not path.is_dir() or any(not inside.name.startswith(".") for inside in path.iterdir())


def _tuples(value: Any) -> Any:
    """JSON's lists as the tuples a frozen record holds."""
    if isinstance(value, dict):
        return {name: _tuples(item) for name, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _record_of(folder: Path, config: BuildConfig) -> dict[str, Any]:
    """What dataset.json says; nothing where a build with this config is to begin from the start.

    Raises DemosaicError when the folder holds something else, or pairs of another config.
    """
    described = folder / "dataset.json"
    record = read_json(described) if described.exists() else {}
    if not record:
        if folder.exists() and _holds_something(folder):
            raise DemosaicError(
                f"{folder} is not empty and not a demosaic dataset: choose another folder"
            )
        return {}
    changed = differences(record.get("config", {}), config)
    if changed and not read_lines(folder / "pairs.jsonl"):
        return {}  # it refused everything: other options are what is called for
    _config_of(folder, record)
    if changed:
        raise DemosaicError(
            f"{folder} was built with other options ({'; '.join(changed)}): "
            "give the same ones, or another folder"
        )
    return record


def _config_of(folder: Path, record: Mapping[str, Any]) -> BuildConfig:
    """The options in a dataset.json. Raises DemosaicError when another version had others."""
    stored = record.get("config", {})
    if record.get("format") != FORMAT or stored.keys() != vars(BuildConfig()).keys():
        raise _of_another_version(folder)
    return BuildConfig(**_tuples(stored))


def _pairs_in(folder: Path) -> list[Pair]:
    """The lines of a pairs.jsonl. Raises DemosaicError when another version wrote others."""
    try:
        return [Pair(**_tuples(line)) for line in read_lines(folder / "pairs.jsonl")]
    except TypeError as error:
        raise _of_another_version(folder) from error


def _skipped_in(folder: Path) -> list[Skipped]:
    """The lines of a skipped.jsonl."""
    return [Skipped(**_tuples(line)) for line in read_lines(folder / "skipped.jsonl")]


def _forgotten_in(folder: Path) -> set[str]:
    """The content hashes of photos that are never to come back."""
    return {line["sha256"] for line in read_lines(folder / "forgotten.jsonl")}


def _worked_through(pairs: Iterable[Pair], skipped: Iterable[Skipped]) -> dict[str, str]:
    """The content hash of every photo that pairs or reasons against it are on record of."""
    records: list[Pair | Skipped] = [*skipped, *pairs]
    return {record.photo: record.sha256 for record in records}


def _of_another_version(folder: Path) -> DemosaicError:
    return DemosaicError(
        f"{folder} was built by another version of demosaic, which wrote datasets otherwise: "
        "build again, into another folder"
    )


def built_before(folder: Path, config: BuildConfig) -> Built:
    """What a build with this config would find in a folder, where nothing is written.

    Raises DemosaicError where such a build would be refused.
    """
    known = bool(_record_of(folder, config))
    pairs, skipped = (_pairs_in(folder), _skipped_in(folder)) if known else ([], [])
    return Built(_worked_through(pairs, skipped), pairs, _forgotten_in(folder))
