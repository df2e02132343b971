"""Photos that show nearly the same: perceptual hashes of faces and scenes.

Two pairs are near duplicates when the hashes of their faces or of their scenes differ in few bits.

Many hashes are not all compared with each other. Their 256 bits are dealt out to bands; hashes that
differ in few bits differ in very few bits of at least one band (the pigeonhole principle). Only
hashes whose bits in a band are that close are compared, and none is missed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

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

_TILE = 512  # so many hashes are compared with so many others at a time: a processor's cache

FEW = 20_000
"""So many hashes are all compared with each other, which is as fast as by bands."""

_BUCKET = 16  # hashes that a band's value should have on average: enough for a matrix product

_SELDOM = 46  # bits of 128 in which the hashes of different people seldom differ

_SLACKS = (1, 4)  # bits beyond the limits, for the search of the most alike of many

_WORTHWHILE = 25  # times as many comparisons are worth bands, when one side has fewer

_ONES = np.array([byte.bit_count() for byte in range(256)], np.uint8)

Hashes: TypeAlias = NDArray[np.uint8]
"""(N, 32): the 256 bits of N hashes."""

Numbers: TypeAlias = NDArray[np.intp]

Found: TypeAlias = tuple[Numbers, Numbers]
"""The numbers (K,) of the ones and the numbers (K,) of the others."""


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
    """The hashes of N pairs."""

    faces: Hashes
    scenes: Hashes

    @classmethod
    def of(cls, hashes: Sequence[tuple[str, str]]) -> "Likenesses":
        """From the hash of the face and the hash of the scene of each pair."""
        return cls(_packed([face for face, _ in hashes]), _packed([scene for _, scene in hashes]))

    def __len__(self) -> int:
        return len(self.faces)

    def __getitem__(self, rows: slice | Numbers | NDArray[np.bool_]) -> "Likenesses":
        return Likenesses(self.faces[rows], self.scenes[rows])


def _packed(hashes: Sequence[str]) -> Hashes:
    return np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8).reshape(-1, _BITS // 8)


# All near duplicates


def near_duplicates(likenesses: Likenesses, *, few: int = FEW) -> Iterator[Found]:
    """All near duplicates among the pairs, a few at a time. Two may come more than once, and one
    with itself; others with the same hash come with the first of these only. More than `few`
    different hashes are compared by bands.
    """
    yield from _near(likenesses.faces, FACE_LIMIT, few)
    yield from _near(likenesses.scenes, SCENE_LIMIT, few)


def near_duplicates_of(likenesses: Likenesses, some: Numbers) -> Iterator[Found]:
    """The near duplicates among the pairs of those with the numbers `some`, which come first, a few
    at a time. Each of these comes with itself too.
    """
    for hashes, limit in (
        (likenesses.faces, FACE_LIMIT),
        (likenesses.scenes, SCENE_LIMIT),
    ):
        for rows, columns in _tiles(len(some), len(hashes)):
            one, other = _compared(hashes[some[rows]], hashes[columns], limit)
            yield some[one + rows.start], other + columns.start


def _near(hashes: Hashes, limit: int, few: int) -> Iterator[Found]:
    different, first, which = _unique(hashes)
    same = np.flatnonzero(first[which] != np.arange(len(hashes)))
    yield first[which[same]], same
    compare = _near_in_tiles if len(different) <= few else _near_in_bands
    for one, other in compare(different, limit):
        yield first[one], first[other]


def _unique(hashes: Hashes) -> tuple[Hashes, Numbers, Numbers]:
    """The hashes without repetition, the number of the first that has each, and for all hashes
    which of them it is.
    """
    keys = np.ascontiguousarray(hashes).view(f"S{_BITS // 8}").ravel()  # whole rows
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    return hashes[first], first, which


def _near_in_tiles(hashes: Hashes, limit: int) -> Iterator[Found]:
    for rows, columns in _tiles(len(hashes), len(hashes)):
        if columns.stop > rows.start:  # any two are compared once
            one, other = _compared(hashes[rows], hashes[columns], limit)
            yield one + rows.start, other + columns.start


def _near_in_bands(hashes: Hashes, limit: int) -> Iterator[Found]:
    for bits, errors in _bands(hashes, limit):
        yield from _near_in_band(hashes, limit, bits, errors)


def _bands(hashes: Hashes, limit: int) -> Iterator[tuple[Numbers, int]]:
    """The bits of each band, and in how many of these bits two hashes may differ: two that differ
    in at most `limit` bits differ in no more in at least one band.

    Each band has bits that are often set beside bits that are nearly always or never set, so that
    its values are as different as can be.
    """
    wide = max(1.0, np.log2(len(hashes) / _BUCKET))
    count = min(limit + 1, max(1, round(_BITS / wide)))
    rare = np.argsort(np.abs(_unpacked(hashes[:: max(1, len(hashes) // 10_000)]).mean(0) - 0.5))
    least, more = divmod(limit + 1 - count, count)
    for band in range(count):
        yield rare[band::count], least + (band >= count - more)


def _near_in_band(hashes: Hashes, limit: int, bits: Numbers, errors: int) -> Iterator[Found]:
    values = _values(hashes, bits)
    order = np.argsort(values, kind="stable")
    buckets, starts, sizes = np.unique(values[order], return_index=True, return_counts=True)
    ends = starts + sizes
    flips = _flips(len(bits), errors)
    for bucket in np.flatnonzero(sizes > 1) if errors == 0 else range(len(buckets)):
        near = buckets[bucket] ^ flips
        places = np.searchsorted(buckets, near)
        places = places[(places < len(buckets)) & (buckets[places % len(buckets)] == near)]
        places = places[places >= bucket]  # any two buckets are compared once
        own = order[starts[bucket] : ends[bucket]]
        others = np.concatenate([order[starts[place] : ends[place]] for place in places])
        for rows, columns in _tiles(len(own), len(others)):
            one, other = _compared(hashes[own[rows]], hashes[others[columns]], limit)
            yield own[one + rows.start], others[other + columns.start]


def _values(hashes: Hashes, bits: Numbers) -> NDArray[np.uint64]:
    """The bits of a band of each hash, as one number."""
    values = np.zeros(len(hashes), np.uint64)
    for bit in bits:
        values <<= np.uint64(1)
        values |= hashes[:, bit // 8] >> np.uint8(7 - bit % 8) & np.uint8(1)
    return values


def _flips(bits: int, errors: int) -> NDArray[np.uint64]:
    """The numbers of so many bits of which at most `errors` are set."""
    return np.array(
        [
            sum(1 << bit for bit in chosen)
            for count in range(errors + 1)
            for chosen in combinations(range(bits), count)
        ],
        np.uint64,
    )


def _compared(some: Hashes, others: Hashes, limit: int) -> Found:
    """Which of some hashes and which of others differ in at most `limit` bits.

    A matrix product counts every second bit first where few others differ in so few of these.
    """
    every = 2 if limit <= _SELDOM else 1
    agreeing = _signs(some, every) @ _signs(others, every).T  # bits more than those that differ
    least = _BITS / every - 2 * limit
    if agreeing.size == 0 or agreeing.max() < least:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    one, other = np.divmod(np.flatnonzero(agreeing >= least), agreeing.shape[1])
    near = _apart(some[one], others[other]) <= limit
    return one[near], other[near]


def _apart(some: Hashes, others: Hashes) -> NDArray[np.uint16]:
    """(N,): in how many bits each hash and the other with its number differ."""
    different: NDArray[np.uint16] = _ONES[some ^ others].sum(axis=1, dtype=np.uint16)
    return different


def _unpacked(hashes: Hashes) -> NDArray[np.uint8]:
    return np.unpackbits(hashes, axis=1)


def _signs(hashes: Hashes, every: int = 1) -> NDArray[np.float32]:
    """(N, 256 / every): -1 or 1 for each such bit, so that a matrix product counts bits."""
    signs = _unpacked(hashes)[:, ::every].astype(np.float32, order="C")
    signs *= 2
    signs -= 1
    return signs


def _tiles(rows: int, columns: int) -> Iterator[tuple[slice, slice]]:
    """All rows by all columns, in tiles that fit in a processor's cache."""
    for top in range(0, rows, _TILE):
        for left in range(0, columns, _TILE):
            yield slice(top, top + _TILE), slice(left, left + _TILE)


# The nearest


def near_any(some: Likenesses, others: Likenesses) -> list[int]:
    """The numbers of those in `some` that are near duplicates of any in `others`."""
    found = set[int]()
    for mine, theirs, limit in (
        (some.faces, others.faces, FACE_LIMIT),
        (some.scenes, others.scenes, SCENE_LIMIT),
    ):
        for rows, columns in _tiles(len(mine), len(theirs)):
            near, _ = _compared(mine[rows], theirs[columns], limit)
            found.update((near + rows.start).tolist())
    return sorted(found)


def nearest(some: Likenesses, others: Likenesses, *, few: int = FEW) -> tuple[int, int] | None:
    """The numbers of the one in `some` and the one in `others` that are the most alike; the first
    ones when several are. None when either is empty. More than `few` by `few` are looked for in
    bands first.
    """
    if len(some) * len(others) > _WORTHWHILE * few * few:
        for slack in _SLACKS:
            found = _nearest_within(some, others, slack, few)
            if found is not None:
                return found
    return _nearest_of_all(some, others)


def beyond(some: Likenesses, others: Likenesses) -> NDArray[np.int16]:
    """(N,): how many bits each of these and the other with its number are beyond the limits, in
    face or scene, whichever is less; near duplicates have 0 or less.
    """
    faces = _apart(some.faces, others.faces).astype(np.int16) - FACE_LIMIT
    scenes = _apart(some.scenes, others.scenes).astype(np.int16) - SCENE_LIMIT
    less: NDArray[np.int16] = np.minimum(faces, scenes)
    return less


def _nearest_of_all(some: Likenesses, others: Likenesses) -> tuple[int, int] | None:
    least, found = np.inf, None
    for rows, columns in _tiles(len(some), len(others)):
        faces = _signs(some.faces[rows]) @ _signs(others.faces[columns]).T
        scenes = _signs(some.scenes[rows]) @ _signs(others.scenes[columns]).T
        if max(faces.max() + 2 * FACE_LIMIT, scenes.max() + 2 * SCENE_LIMIT) < -least:
            continue  # as in most tiles
        alike = np.maximum(faces + 2 * FACE_LIMIT, scenes + 2 * SCENE_LIMIT)
        one, other = divmod(int(alike.argmax()), alike.shape[1])
        place = -float(alike[one, other]), rows.start + one, columns.start + other
        if found is None or place < (least, *found):
            least, found = place[0], place[1:]
    return found


def _nearest_within(
    some: Likenesses, others: Likenesses, slack: int, few: int
) -> tuple[int, int] | None:
    """The same; None when even these are more than `slack` bits beyond the limits."""
    best: tuple[int, int, int] | None = None
    for kind, limit in (("faces", FACE_LIMIT), ("scenes", SCENE_LIMIT)):
        hashes = np.concatenate([getattr(some, kind), getattr(others, kind)])
        for found in _near(hashes, limit + slack, few):
            one, other = np.minimum(*found), np.maximum(*found) - len(some)
            across = (one < len(some)) & (other >= 0)
            one, other = one[across], other[across]
            if one.size:
                far = beyond(some[one], others[other])
                least = np.lexsort((other, one, far))[0]
                place = int(far[least]), int(one[least]), int(other[least])
                best = place if best is None else min(best, place)
    return best and best[1:]


def nearly_the_same(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two pairs are near duplicates, by the hashes of the face and the scene of each."""
    (face, scene), (other_face, other_scene) = one, other
    return bits_apart(face, other_face) <= FACE_LIMIT or bits_apart(scene, other_scene) <= (
        SCENE_LIMIT
    )


def bits_apart(one: str, other: str) -> int:
    """The number of bits in which two hashes differ, 0 to 256."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
