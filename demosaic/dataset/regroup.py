"""The group and the split of every pair, so that nothing seen in training comes back in validation.

A group is everything that is connected, directly or through others, by the same person (a folder),
the same file, a near duplicate or a burst. The whole group goes into one split.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from demosaic.config.dataset import BuildConfig
from demosaic.dataset.near_duplicates import (
    Found,
    Likenesses,
    Numbers,
    near_duplicates,
    near_duplicates_of,
)
from demosaic.dataset.records import SPARE, Pair, Skipped
from demosaic.dataset.splits import person_of, split_of

_MANY = 4  # a larger share than one of so many is compared as fast with all others


@dataclass(frozen=True)
class Member:
    """What decides on the group of a pair, or of a copy of a photo that has pairs."""

    person: str
    """As `person_of` says: members with the same person are one group."""
    shared: tuple[str, ...]
    """Keys such as the hash of the file: members that share one are one group."""
    likeness: tuple[str, str] | None = None
    """Hashes of face and scene: near duplicates are one group."""
    group: str | None = None
    """A group that is known from before: members of it are still one group, and all near duplicates
    among members with a group are known.
    """


@dataclass(frozen=True)
class Grouped:
    """The lines of a finished dataset: all pairs that belong together are in one group."""

    pairs: Mapping[str, Pair]
    """By id."""
    skipped: Collection[Skipped]


@dataclass(frozen=True)
class Move:
    """A pair that is now in another split."""

    pair: Pair
    before: str
    """Its split before."""


def regroup(
    pairs: Iterable[Pair],
    skipped: Collection[Skipped],
    config: BuildConfig,
    before: Grouped | None = None,
) -> dict[str, Pair]:
    """The pairs by id, sorted by photo and id, each with its group and its split.

    Copies among the `skipped` connect the people of both photos. Pairs beyond `max_per_group` get
    the split `spare`. The lines `before` save the work on groups that lost nothing since; the
    result is the same. A pair that is unchanged is the same object.
    """
    pairs = sorted(pairs, key=lambda pair: (pair.photo, pair.id))
    known = _known_groups(pairs, skipped, before) if before else {}
    names = groups(_members(pairs, skipped, config.group_by, known))
    grouped = [
        _changed(pair, group=names[person_of(pair.photo, config.group_by)]) for pair in pairs
    ]
    spare = _surplus(grouped, config.max_per_group)
    splits = {name: split_of(name, val=config.val, test=config.test) for name in {*names.values()}}
    return {
        pair.id: _changed(pair, split=SPARE if pair.id in spare else splits[pair.group])
        for pair in grouped
    }


def _changed(pair: Pair, **fields: str) -> Pair:
    """The pair with other values, or itself when it has these already."""
    same = all(getattr(pair, name) == value for name, value in fields.items())
    return pair if same else replace(pair, **fields)  # type: ignore[arg-type]


def _known_groups(
    pairs: Sequence[Pair], skipped: Collection[Skipped], before: Grouped
) -> dict[str, str]:
    """By id, the groups of pairs from before whose groups lost nothing: no pair, and no copy that
    may have connected them.
    """
    unchanged = {pair.id for pair in pairs if before.pairs.get(pair.id) is pair}
    lost = {*before.skipped} - {*skipped}
    contents = {one.sha256 for one in lost}
    broken = {
        pair.group
        for pair in before.pairs.values()
        if pair.id not in unchanged or pair.sha256 in contents
    }
    return {
        pair.id: pair.group for pair in pairs if pair.id in unchanged and pair.group not in broken
    }


def moves(before: Mapping[str, Pair], after: Mapping[str, Pair]) -> tuple[Move, ...]:
    """The pairs that changed from one split into another; `spare` is none."""
    changed = (
        Move(pair, before[pair.id].split)
        for pair in after.values()
        if pair.split != before[pair.id].split
    )
    return tuple(move for move in changed if SPARE not in (move.before, move.pair.split))


def groups(members: Sequence[Member]) -> dict[str, str]:
    """The name of every person's group: the first of its people, in order of their names.

    A new member changes the name of a group only by joining it.
    """
    people = sorted({member.person for member in members})
    number = {person: place for place, person in enumerate(people)}
    numbers = np.array([number[member.person] for member in members], np.intp)
    edges = [_edges(found, numbers) for found in chain([_sharing(members)], _alike(members))]
    firsts = _firsts(filter(len, edges), len(people))
    return {person: people[first] for person, first in zip(people, firsts, strict=True)}


def _sharing(members: Sequence[Member]) -> Found:
    """For each key of a member, the number of the first member with that key and its own."""
    first: dict[tuple[str, str], int] = {}
    pairs = [
        (first.setdefault(key, place), place)
        for place, member in enumerate(members)
        for key in _keys(member)
    ]
    one, other = np.array(pairs, np.intp).reshape(-1, 2).T
    return one, other


def _keys(member: Member) -> Iterator[tuple[str, str]]:
    yield from (("shared", key) for key in member.shared)
    if member.group is not None:
        yield "group", member.group


def _alike(members: Sequence[Member]) -> Iterator[Found]:
    """The numbers of members that are near duplicates, except where both groups are known."""
    places = np.flatnonzero([member.likeness is not None for member in members])
    likenesses = Likenesses.of([member.likeness for member in members if member.likeness])
    new = np.flatnonzero([members[place].group is None for place in places])
    few = len(new) * _MANY < len(places)
    found = near_duplicates_of(likenesses, new) if few else near_duplicates(likenesses)
    for one, other in found:
        yield places[one], places[other]


def _edges(found: Found, people: Numbers) -> Numbers:
    """(K, 2): every two people to whom two members belong, each two once."""
    one, other = people[found[0]], people[found[1]]
    different = np.flatnonzero(one != other)
    if not len(different):  # as almost always
        return np.zeros((0, 2), np.intp)
    edges: Numbers = np.stack([one[different], other[different]], axis=1)
    return np.asarray(np.unique(edges, axis=0), np.intp)


def _firsts(edges: Iterable[Numbers], count: int) -> list[int]:
    """For each of `count` people, the first of those whom these edges connect, directly or through
    others.
    """
    # Imported here: it takes a third of a second, which no worker process is to spend
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    one, other = np.concatenate([np.zeros((0, 2), np.intp), *edges]).T
    graph = coo_array((np.ones(len(one), bool), (one, other)), (count, count))
    _, component = connected_components(graph, directed=False)
    _, first = np.unique(component, return_index=True)
    firsts: list[int] = first[component].tolist()
    return firsts


def _members(
    pairs: Sequence[Pair], skipped: Iterable[Skipped], group_by: str, known: Mapping[str, str]
) -> list[Member]:
    """A member for every pair, and for every photo that is a copy of one with pairs."""
    contents = {pair.sha256 for pair in pairs}
    copies = [copy for copy in skipped if copy.sha256 in contents]
    return [
        Member(
            person_of(pair.photo, group_by),
            (pair.sha256, *pair.burst),
            pair.likeness,
            known.get(pair.id),
        )
        for pair in pairs
    ] + [Member(person_of(copy.photo, group_by), (copy.sha256,)) for copy in copies]


def _surplus(pairs: Iterable[Pair], most: int) -> set[str]:
    """The ids of the pairs beyond `most` in each group; 0 is no limit. Those with the first ids
    stay, so that the choice does not depend on the order in which photos came.
    """
    counts: Counter[str] = Counter()
    surplus = set()
    for pair in sorted(pairs, key=lambda pair: pair.id) if most else ():
        counts[pair.group] += 1
        if counts[pair.group] > most:
            surplus.add(pair.id)
    return surplus
