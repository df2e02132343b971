"""Photos that show nearly the same: perceptual hashes of faces and scenes.

Two pairs are near duplicates when the hashes of their faces or of their scenes differ in few bits.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.imaging.arrays import Pixels, resize, to_grey

FACE_LIMIT, SCENE_LIMIT = 40, 10
"""The most bits of 256 in which the hashes of near duplicates differ."""

SCENE = 4.0
"""Side of a scene, as a multiple of the face's: in a portrait this is the whole photo. A larger
scene would be mostly background, the same for everybody in front of a fixed camera.
"""

_FREQUENCIES = 16  # along each axis, of a picture of _SIDE pixels

_SIDE = 32

_BITS = _FREQUENCIES * _FREQUENCIES

_TILE = 512  # so many pairs are compared with so many others at a time


def likeness(picture: Pixels) -> str:
    """The perceptual hash of a uint8 picture (H, W, 3), 64 hexadecimal digits: each of the 256 bits
    says whether one of the 16 x 16 lowest DCT frequencies is above their median. Copies differ in
    few bits, even small or compressed ones.
    """
    grey = to_grey(resize(picture, _SIDE, _SIDE)).astype(np.float32)
    frequencies = cv2.dct(grey)[:_FREQUENCIES, :_FREQUENCIES]
    return np.packbits(frequencies > np.median(frequencies)).tobytes().hex()


@dataclass(frozen=True)
class Likenesses:
    """The hashes of N pairs: (N, 256) of -1 and 1 each, so that a matrix product counts bits."""

    faces: NDArray[np.float32]
    scenes: NDArray[np.float32]

    @classmethod
    def of(cls, hashes: Sequence[tuple[str, str]]) -> "Likenesses":
        """From the hash of the face and the hash of the scene of each pair."""
        return cls(_signs([face for face, _ in hashes]), _signs([scene for _, scene in hashes]))

    def __len__(self) -> int:
        return len(self.faces)

    def __getitem__(self, rows: slice | NDArray[np.intp]) -> "Likenesses":
        return Likenesses(self.faces[rows], self.scenes[rows])

    def beyond(self, others: "Likenesses") -> NDArray[np.float32]:
        """(N, M): how many bits each of these and each of the others are beyond the limits, in face
        or scene, whichever is less; near duplicates have 0 or less.
        """
        faces = (self.faces * -0.5) @ others.faces.T
        scenes = (self.scenes * -0.5) @ others.scenes.T
        faces += self.faces.shape[1] / 2 - FACE_LIMIT
        scenes += self.scenes.shape[1] / 2 - SCENE_LIMIT
        return np.minimum(faces, scenes, out=faces)

    def beyond_each(self, others: "Likenesses") -> NDArray[np.float32]:
        """(N,): the same for each and the other with its number."""
        faces = (self.faces * others.faces).sum(axis=1) * -0.5 + (_BITS / 2 - FACE_LIMIT)
        scenes = (self.scenes * others.scenes).sum(axis=1) * -0.5 + (_BITS / 2 - SCENE_LIMIT)
        near: NDArray[np.float32] = np.minimum(faces, scenes)
        return near

    def coarse(self) -> "Likenesses":
        """Every second bit of the faces and every fourth of the scenes: near duplicates differ in
        few of these too, and fewer are compared faster.
        """
        return Likenesses(self.faces[:, ::2].copy(), self.scenes[:, ::4].copy())


def _signs(hashes: Sequence[str]) -> NDArray[np.float32]:
    bits = np.unpackbits(np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8))
    return bits.reshape(-1, _BITS).astype(np.float32) * 2 - 1


def near_duplicates(likenesses: Likenesses) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """All near duplicates among the pairs, a few at a time: the numbers (K,) of the ones and the
    numbers (K,) of the others.
    """
    coarse = likenesses.coarse()
    for rows, columns in _tiles(len(likenesses), len(likenesses)):
        if columns.stop <= rows.start:
            continue  # any two are compared once
        beyond = coarse[rows].beyond(coarse[columns])
        one, other = np.divmod(np.flatnonzero(beyond <= 0), beyond.shape[1])
        one, other = one + rows.start, other + columns.start
        near = likenesses[one].beyond_each(likenesses[other]) <= 0
        yield one[near], other[near]


def near_any(some: Likenesses, others: Likenesses) -> list[int]:
    """The numbers of those in `some` that are near duplicates of any in `others`."""
    found: set[int] = set()
    for rows, columns in _tiles(len(some), len(others)):
        near = (some[rows].beyond(others[columns]) <= 0).any(axis=1)
        found.update((np.flatnonzero(near) + rows.start).tolist())
    return sorted(found)


def nearest(some: Likenesses, others: Likenesses) -> tuple[int, int] | None:
    """The numbers of the one in `some` and the one in `others` that are the most alike; None when
    either is empty.
    """
    least, found = np.inf, None
    for rows, columns in _tiles(len(some), len(others)):
        beyond = some[rows].beyond(others[columns])
        if beyond.min() < least:
            one, other = divmod(int(beyond.argmin()), beyond.shape[1])
            least, found = float(beyond.min()), (rows.start + one, columns.start + other)
    return found


def _tiles(rows: int, columns: int) -> Iterator[tuple[slice, slice]]:
    """All rows by all columns, in tiles that fit in a processor's cache."""
    for top in range(0, rows, _TILE):
        for left in range(0, columns, _TILE):
            yield slice(top, top + _TILE), slice(left, left + _TILE)


def nearly_the_same(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two pairs are near duplicates, by the hashes of the face and the scene of each."""
    (face, scene), (other_face, other_scene) = one, other
    return bits_apart(face, other_face) <= FACE_LIMIT or bits_apart(scene, other_scene) <= (
        SCENE_LIMIT
    )


def bits_apart(one: str, other: str) -> int:
    """The number of bits in which two hashes differ, 0 to 256."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
