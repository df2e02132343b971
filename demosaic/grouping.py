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

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.files import encoded
from demosaic.imaging.arrays import Pixels, resize, to_grey

FACE_LIMIT, SCENE_LIMIT = 40, 10
"""Bits that near duplicates differ in at the most."""
SCENE = 4.0
"""Side of a scene, as a multiple of the face in it: of a portrait that is all of the photo. More
would be of other things than the face, and the same for everybody whom a fixed camera takes.
"""
_WAVES, _SEEN_AT = 16, 32  # frequencies along each axis, of a picture of so many pixels
_BITS = _WAVES * _WAVES
_BURST = 10  # seconds
_TILE = 512  # pairs compared with so many others at a time


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


# What a picture looks like


def likeness(picture: Pixels) -> str:
    """256 bits as 64 hexadecimal digits: which of the 16 x 16 lowest frequencies (DCT) of a picture
    (H, W, 3) are above their median. Copies, however small or compressed, differ in few.
    """
    grey = to_grey(resize(picture, _SEEN_AT, _SEEN_AT)).astype(np.float32)
    waves = cv2.dct(grey)[:_WAVES, :_WAVES]
    return np.packbits(waves > np.median(waves)).tobytes().hex()


@dataclass(frozen=True)
class Likenesses:
    """Those of many pairs: (N, 256) of -1 and 1 each, so that a product counts bits."""

    faces: NDArray[np.float32]
    scenes: NDArray[np.float32]

    @classmethod
    def of(cls, hashes: Sequence[tuple[str, str]]) -> "Likenesses":
        """From the likenesses of face and scene of each."""
        return cls(_signs([face for face, _ in hashes]), _signs([scene for _, scene in hashes]))

    def __len__(self) -> int:
        return len(self.faces)

    def __getitem__(self, rows: slice | NDArray[np.intp]) -> "Likenesses":
        return Likenesses(self.faces[rows], self.scenes[rows])

    def beyond(self, others: "Likenesses") -> NDArray[np.float32]:
        """(N, M): by how many bits each differs from each of the others in more than near
        duplicates do, in face or scene; those up to 0 are some.
        """
        faces = (self.faces * -0.5) @ others.faces.T
        scenes = (self.scenes * -0.5) @ others.scenes.T
        faces += self.faces.shape[1] / 2 - FACE_LIMIT
        scenes += self.scenes.shape[1] / 2 - SCENE_LIMIT
        return np.minimum(faces, scenes, out=faces)

    def beyond_each(self, others: "Likenesses") -> NDArray[np.float32]:
        """(N,): the same of each and the other of its number."""
        faces = (self.faces * others.faces).sum(axis=1) * -0.5 + (_BITS / 2 - FACE_LIMIT)
        scenes = (self.scenes * others.scenes).sum(axis=1) * -0.5 + (_BITS / 2 - SCENE_LIMIT)
        near: NDArray[np.float32] = np.minimum(faces, scenes)
        return near

    def coarse(self) -> "Likenesses":
        """Some of the bits: those that differ in few of all differ in few of these."""
        return Likenesses(self.faces[:, ::2].copy(), self.scenes[:, ::4].copy())


def _signs(hashes: Sequence[str]) -> NDArray[np.float32]:
    bits = np.unpackbits(np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8))
    return bits.reshape(-1, _BITS).astype(np.float32) * 2 - 1


def near_duplicates(likenesses: Likenesses) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """The numbers of all that nearly are each other, in two columns, a few at a time."""
    coarse = likenesses.coarse()
    for rows, columns in _tiles(len(likenesses), len(likenesses)):
        if columns.stop <= rows.start:
            continue  # each two are compared once
        beyond = coarse[rows].beyond(coarse[columns])
        one, other = np.divmod(np.flatnonzero(beyond <= 0), beyond.shape[1])
        one, other = one + rows.start, other + columns.start
        near = likenesses[one].beyond_each(likenesses[other]) <= 0
        yield one[near], other[near]


def near_any(some: Likenesses, others: Likenesses) -> list[int]:
    """The numbers of those of some that nearly are one of others."""
    found: set[int] = set()
    for rows, columns in _tiles(len(some), len(others)):
        near = (some[rows].beyond(others[columns]) <= 0).any(axis=1)
        found.update((np.flatnonzero(near) + rows.start).tolist())
    return sorted(found)


def nearest(some: Likenesses, others: Likenesses) -> tuple[int, int] | None:
    """The numbers of the one of some and the one of others that are the most alike; None where
    there are none.
    """
    least, found = np.inf, None
    for rows, columns in _tiles(len(some), len(others)):
        beyond = some[rows].beyond(others[columns])
        if beyond.min() < least:
            one, other = divmod(int(beyond.argmin()), beyond.shape[1])
            least, found = float(beyond.min()), (rows.start + one, columns.start + other)
    return found


def _tiles(rows: int, columns: int) -> Iterator[tuple[slice, slice]]:
    """All rows by all columns, as many at a time as stay in a processor's cache."""
    for top in range(0, rows, _TILE):
        for left in range(0, columns, _TILE):
            yield slice(top, top + _TILE), slice(left, left + _TILE)


def nearly_the_same(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two, by the likenesses of face and scene of each, are near duplicates."""
    (face, scene), (other_face, other_scene) = one, other
    return bits_apart(face, other_face) <= FACE_LIMIT or bits_apart(scene, other_scene) <= (
        SCENE_LIMIT
    )


def bits_apart(one: str, other: str) -> int:
    """In how many bits two likenesses differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


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
