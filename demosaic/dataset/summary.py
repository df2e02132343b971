"""What a dataset contains, in numbers."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from demosaic.config.dataset import BuildConfig
from demosaic.dataset.events import Closest
from demosaic.dataset.near_duplicates import Likenesses, bits_apart, nearest
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


def summarise(pairs: Iterable[Pair], skipped: Iterable[Skipped], config: BuildConfig) -> Summary:
    """The counts of all pairs, `spare` ones too, and of what was left out."""
    pairs = list(pairs)
    used = in_splits(pairs)
    return Summary(
        pairs=len(used),
        splits=_by_split(used),
        sharp=sum(pair.split == "train" and pair.enlarged <= MOST_ENLARGED for pair in used),
        groups=len({pair.group for pair in used}),
        closest=_closest(used),
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


def _closest(pairs: Sequence[Pair]) -> Closest | None:
    train = [pair for pair in pairs if pair.split == "train"]
    others = [pair for pair in pairs if pair.split != "train"]
    found = nearest(likenesses(train), likenesses(others))
    if found is None:
        return None
    one, other = train[found[0]], others[found[1]]
    return Closest(one.photo, other.photo, *map(bits_apart, one.likeness, other.likeness))


def likenesses(pairs: Iterable[Pair]) -> Likenesses:
    """The hashes of the pairs, ready to be compared."""
    return Likenesses.of([pair.likeness for pair in pairs])


def fingerprint(pairs: Iterable[Pair], config: BuildConfig) -> str:
    """16 hexadecimal digits, made from the options, and from pairs in splits and their splits."""
    identity = repr((asdict(config), sorted((pair.id, pair.split) for pair in pairs)))
    return hashlib.sha256(identity.encode()).hexdigest()[:16]
