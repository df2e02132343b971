"""Photos that show nearly the same: hashes of faces and scenes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.imaging.arrays import Pixels, resize, to_grey

FACE_LIMIT, SCENE_LIMIT = 40, 10
"""Bits that near duplicates differ in at the most."""

SCENE = 4.0
"""Side of a scene, as a multiple of the face in it: of a portrait that is all of the photo. More
would be of other things than the face, and the same for everybody whom a fixed camera takes.
"""

_WAVES, _SEEN_AT = 16, 32  # frequencies along each axis, of a picture of so many pixels

_BITS = _WAVES * _WAVES

_TILE = 512  # pairs compared with so many others at a time


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
