"""What belongs together, so that nothing seen in training comes back in validation.

A group is everything that is joined, directly or through others, by the same person (a folder), the
same file, a near duplicate or a burst. It goes to one split as a whole, by its name alone.

Two pictures are near duplicates when their likenesses are: 256 bits each, of the face and of the
scene it is in. Measured on 3,000 `photos/`, 4.5 million pairs of different people:

- Of 750 copies each, scaled to 60 % or 300 %, as JPEG of quality 30 or WebP of 60, brightened, in
  grey or turned, every one is joined to its original by the two limits below; of those with 3 to
  6 % cut off on each side, 88 %.
- The nearest pair of different people are 56 bits apart (faces) and 60 (scenes), but for one photo
  that is there under two names: 14 and 6.
- Different heads put before one background, as before a check-in camera, are 46 and 14 bits apart
  at the least. With 64 bits for a likeness, a rule that finds the same copies joins all of them.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from demosaic.dataset.near_duplicates import Likenesses, near_duplicates
from demosaic.files import encoded

_BURST = 10  # seconds


# Who is on a photo, by its name


def person_of(photo: str, by: str) -> str:
    """Whose a photo is, as `--group-by` says: its folder (`parent`), its own (`photo`), or what the
    first group of a regular expression finds in its name.

    A photo in the top folder is its own, and one in which nothing is found goes by its folder.
    """
    if by == "photo":
        return photo
    found = person_found(photo, by) if by != "parent" else None
    return found or photo.rpartition("/")[0] or photo


def person_found(photo: str, expression: str) -> str | None:
    """What the first group of a regular expression finds in the name of a photo, if anything."""
    found = re.search(expression, photo)
    return found[1] if found else None


def split_of(group: str, *, val: float, test: float) -> str:
    """The split of a group: by its hash alone, so that it never depends on what else is there."""
    place = int(hashlib.sha256(encoded(group)).hexdigest()[:13], 16) / 16**13
    if place < test:
        return "test"
    return "val" if place < test + val else "train"


def burst(photo: str, taken: datetime | None) -> tuple[str, ...]:
    """What photos of one folder taken within five seconds share, and none ten seconds apart do;
    nothing when it is not known when this one was. The time cannot be read off it.
    """
    if taken is None:
        return ()
    seconds = int((taken - datetime.min).total_seconds())
    folder = photo.rpartition("/")[0]
    return tuple(
        hashlib.sha256(encoded(f"{folder}/{(seconds + shift) // _BURST}+{shift}")).hexdigest()[:16]
        for shift in (0, _BURST // 2)
    )


# Who belongs together


@dataclass(frozen=True)
class Member:
    """A pair, as far as it matters for whom it belongs together with."""

    person: str
    """Whose it is, as `person_of` says: these are never parted."""
    shared: tuple[str, ...]
    """What joins it to everybody who shares one of these: the hash of the file, say."""
    likeness: tuple[str, str] | None = None
    """Of its face and its scene."""


def groups(members: Sequence[Member]) -> dict[str, str]:
    """For every person among the members the name of their group: the first, in order, of all who
    are joined to them.

    Newcomers change the name only of a group that they join.
    """
    union = _Union()
    for member in members:
        union.join(("person", member.person), *(("shared", tie) for tie in member.shared))
    for one, other in _alike([member for member in members if member.likeness]):
        union.join(("person", one), ("person", other))
    names: dict[tuple[str, str], str] = {}
    people = sorted({member.person for member in members})
    return {person: names.setdefault(union.find(("person", person)), person) for person in people}


def _alike(members: Sequence[Member]) -> Iterator[tuple[str, str]]:
    """The people of whom there are near duplicates."""
    people = sorted({member.person for member in members})
    number = {person: n for n, person in enumerate(people)}
    numbers = np.array([number[member.person] for member in members], np.intp)
    likenesses = Likenesses.of([member.likeness for member in members if member.likeness])
    for one, other in near_duplicates(likenesses):
        both = np.unique(np.stack([numbers[one], numbers[other]], axis=1), axis=0)
        yield from ((people[a], people[b]) for a, b in both if a != b)


class _Union:
    """Sets that grow together (union-find)."""

    def __init__(self) -> None:
        self._above: dict[tuple[str, str], tuple[str, str]] = {}

    def find(self, node: tuple[str, str]) -> tuple[str, str]:
        """The one that stands for all that `node` is joined to."""
        while self._above.setdefault(node, node) != node:
            self._above[node] = self._above[self._above[node]]
            node = self._above[node]
        return node

    def join(self, first: tuple[str, str], *others: tuple[str, str]) -> None:
        """Make one set of those that these are in."""
        for other in others:
            self._above[self.find(other)] = self.find(first)
