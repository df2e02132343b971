"""What a dataset contains, in numbers."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from demosaic.config.dataset import BuildConfig
from demosaic.dataset.events import Closest
from demosaic.dataset.near_duplicates import (
    FACE_LIMIT,
    SCENE_LIMIT,
    Likenesses,
    Numbers,
    beyond,
    bits_apart,
    nearest,
)
from demosaic.dataset.records import COPY, MOST_ENLARGED, NO_FACE, SPARE, SPLITS, Pair, Skipped


@dataclass(frozen=True)
class Summary:
    """The counts in dataset.json."""

    pairs: int
    """In all splits; those in `spare` are not counted."""
    splits: Mapping[str, int]
    """Pairs in each split."""
    sharp: int
    """Pairs in `train` that were not enlarged."""
    groups: int
    """Groups of these pairs."""
    closest: Closest | None
    """The training pair and the pair of another split that are the most alike; None when one of
    the two sides is empty.
    """
    skipped: Mapping[str, int]
    """Photos or faces left out by reason, the most frequent first."""
    fingerprint: str
    """16 hexadecimal digits, made from options, pairs and splits."""


@dataclass(frozen=True)
class Known:
    """What was found out before."""

    closest: Closest
    unchanged: Collection[str]
    """The ids of pairs that are as they were then, in the same splits."""


def summarise(
    pairs: Iterable[Pair],
    skipped: Iterable[Skipped],
    config: BuildConfig,
    known: Known | None = None,
) -> Summary:
    """The counts of all pairs, `spare` ones too, and of what was left out. What is `known` saves
    work; the result is the same.
    """
    pairs = list(pairs)
    used = in_splits(pairs)
    return Summary(
        pairs=len(used),
        splits=_by_split(used),
        sharp=sum(pair.split == "train" and pair.enlarged <= MOST_ENLARGED for pair in used),
        groups=len({pair.group for pair in used}),
        closest=_closest(used, known),
        skipped=_by_reason(skipped, spare=len(pairs) - len(used)),
        fingerprint=fingerprint(used, config),
    )


def in_splits(pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs that are in a split."""
    return [pair for pair in pairs if pair.split != SPARE]


def funnel(
    seen: Mapping[str, str],
    pairs: Iterable[Pair],
    skipped: Iterable[Skipped],
    forgotten: Collection[str],
) -> dict[str, int]:
    """How many photos passed each step: found, readable, unique, with faces, kept.

    `seen` is the content hash of each photo; those `forgotten` do not count.
    """
    found = {photo for photo, sha256 in seen.items() if sha256 not in forgotten}
    reasons = Counter(one.reason for one in skipped if not one.box and one.photo in found)
    readable = len(found) - reasons.total() + reasons[COPY] + reasons[NO_FACE]
    unique = readable - reasons[COPY]
    return {
        "found": len(found),
        "readable": readable,
        "unique": unique,
        "with faces": unique - reasons[NO_FACE],
        "kept": len(found & {pair.photo for pair in in_splits(pairs)}),
    }


def _by_split(pairs: Iterable[Pair]) -> dict[str, int]:
    counts = Counter(pair.split for pair in pairs)
    return {split: counts[split] for split in SPLITS}


def _by_reason(skipped: Iterable[Skipped], *, spare: int) -> dict[str, int]:
    counts = Counter(one.reason for one in skipped)
    counts += Counter({"group is large": spare})
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _closest(pairs: Sequence[Pair], known: Known | None) -> Closest | None:
    train = _Side.of(pair for pair in pairs if pair.split == "train")
    others = _Side.of(pair for pair in pairs if pair.split != "train")
    found = _still_closest(train, others, known) if known else None
    if found is None:
        found = nearest(train.likenesses, others.likenesses)
    if found is None:
        return None
    one, other = train.pairs[found[0]], others.pairs[found[1]]
    return Closest(one.photo, other.photo, *map(bits_apart, one.likeness, other.likeness))


@dataclass(frozen=True)
class _Side:
    """The training pairs, or the others."""

    pairs: Sequence[Pair]
    likenesses: Likenesses

    @classmethod
    def of(cls, pairs: Iterable[Pair]) -> "_Side":
        pairs = [*pairs]
        return cls(pairs, likenesses(pairs))

    def numbers(self, wanted: Callable[[Pair], bool]) -> Numbers:
        return np.flatnonzero([wanted(pair) for pair in self.pairs])


def _still_closest(train: _Side, others: _Side, known: Known) -> tuple[int, int] | None:
    """The numbers of the two that are the most alike; None when those of before have changed.

    Either they still are, or one of the most alike is new.
    """

    def of_before(photo: str) -> Callable[[Pair], bool]:
        return lambda pair: pair.photo == photo and pair.id in known.unchanged

    def is_new(pair: Pair) -> bool:
        return pair.id not in known.unchanged

    every = [np.arange(len(side.pairs)) for side in (train, others)]
    searched = (
        (
            train.numbers(of_before(known.closest.train)),
            others.numbers(of_before(known.closest.held_out)),
        ),
        (train.numbers(is_new), every[1]),
        (every[0], others.numbers(is_new)),
    )
    found = [_nearest_of(train, others, *numbers) for numbers in searched]
    before = min(known.closest.face_bits - FACE_LIMIT, known.closest.scene_bits - SCENE_LIMIT)
    if found[0] is None or found[0][0] != before:
        return None
    _, one, other = min(place for place in found if place is not None)
    return one, other


def _nearest_of(
    train: _Side, others: _Side, ones: Numbers, rest: Numbers
) -> tuple[int, int, int] | None:
    """Of those with these numbers, how many bits the most alike are beyond the limits, and their
    numbers.
    """
    found = nearest(train.likenesses[ones], others.likenesses[rest])
    if found is None:
        return None
    one, other = int(ones[found[0]]), int(rest[found[1]])
    far = beyond(train.likenesses[one : one + 1], others.likenesses[other : other + 1])
    return int(far[0]), one, other


def likenesses(pairs: Iterable[Pair]) -> Likenesses:
    """The hashes of the pairs, ready to be compared."""
    return Likenesses.of([pair.likeness for pair in pairs])


def fingerprint(pairs: Iterable[Pair], config: BuildConfig) -> str:
    """16 hexadecimal digits, made from the options, and from pairs in splits and their splits."""
    identity = repr((asdict(config), sorted((pair.id, pair.split) for pair in pairs)))
    return hashlib.sha256(identity.encode()).hexdigest()[:16]
