"""Pictures that show nearly the same have nearly the same hash."""

import numpy as np
import pytest

import people
from dataset_doubles import a_face, blurred, cut_out, portrait
from demosaic.config.dataset import BuildConfig
from demosaic.dataset.near_duplicates import (
    FACE_LIMIT,
    SCENE_LIMIT,
    Likenesses,
    beyond,
    bits_apart,
    likeness,
    near_any,
    near_duplicates,
    nearest,
)
from demosaic.imaging.arrays import Pixels, resize
from demosaic.imaging.encoding import encode_png, jpeg_damaged
from demosaic.imaging.geometry import Box
from hashes import plain, strange


def test_the_nearest_of_two_splits_and_those_near_any_are_found() -> None:
    far = [(strange(2 * number), strange(2 * number + 1)) for number in range(1000)]
    some = Likenesses.of([*far[:600], (plain(*range(70)), strange(9000))])
    others = Likenesses.of([*far[600:], (plain(), plain())])
    assert nearest(some, others) == (600, 400)
    assert nearest(some, Likenesses.of([])) is nearest(Likenesses.of([]), some) is None
    close = Likenesses.of([(strange(5000), plain(1, 2, 3)), (strange(5001), strange(5002))])
    assert near_any(close, others) == [0]
    assert near_any(Likenesses.of([]), others) == []


def album(seed: int, count: int) -> Likenesses:
    """So many pairs, some with a face and a scene that are nearly those of another pair."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 256, (2, count, 32), np.uint8)
    for kind, limit in zip(hashes, (FACE_LIMIT, SCENE_LIMIT), strict=True):
        for number in range(count // 5):
            one, other = rng.permutation(count)[:2]
            bits = np.zeros(256, np.uint8)
            bits[rng.permutation(256)[: limit - 3 + number % 8]] = 1
            kind[one] = kind[other] ^ np.packbits(bits)
    return Likenesses(*hashes)


@pytest.mark.parametrize("few", [0, 10_000])
def test_every_near_duplicate_is_found_and_no_other(few: int) -> None:
    """In bands and in tiles; the bits that differ lie anywhere."""
    some = album(few, 1300)
    found = {
        (min(two), max(two))
        for one, other in near_duplicates(some, few=few)
        for two in zip(one.tolist(), other.tolist(), strict=True)
        if two[0] != two[1]
    }
    first, second = np.triu_indices(1300, 1)
    near = beyond(some[first], some[second]) <= 0
    expected = set(zip(first[near].tolist(), second[near].tolist(), strict=True))
    assert found == expected
    assert len(expected) > 200


def test_hashes_that_many_pairs_share_connect_them_with_the_first() -> None:
    same = Likenesses(*np.zeros((2, 3000, 32), np.uint8))
    found = [np.stack(two) for two in near_duplicates(same, few=0)]
    assert sum(map(len, found)) < 100
    assert {(0, 2999), (0, 1)} <= {tuple(two) for two in np.concatenate(found, axis=1).T.tolist()}


def test_the_nearest_of_many_is_the_nearest_of_all() -> None:
    some, others = album(3, 400), album(4, 400)
    some.faces[70], some.scenes[5] = others.faces[90], others.scenes[31]
    some.faces[70, :5] ^= 255  # 40 bits, so 0 beyond; the scene is 4 beyond
    some.scenes[5, :2] ^= np.array([255, 63], np.uint8)
    assert nearest(some, others) == nearest(some, others, few=0) == (70, 90)
    some.faces[70, 5] ^= 255
    assert nearest(some, others) == nearest(some, others, few=0) == (5, 31)


def test_bits_are_counted() -> None:
    assert bits_apart(plain(), plain()) == 0
    assert bits_apart(plain(3, 7), plain(7, 200, 255)) == 3


def apart(one: Pixels, other: Pixels) -> tuple[int, int]:
    """In how many bits the faces in the middle of two pictures differ, and their scenes."""
    pairs = []
    for image in (one, other):
        side = image.shape[1]
        face = a_face(Box(*[round(side * 0.2)] * 2, *[round(side * 0.58)] * 2))
        ((pair, _),) = cut_out(encode_png(image), BuildConfig(min_sharpness=0), face).kept
        pairs.append(pair)
    face_bits, scene_bits = map(bits_apart, pairs[0].likeness, pairs[1].likeness)
    return face_bits, scene_bits


@pytest.mark.parametrize(
    "copy",
    [
        jpeg_damaged(portrait(), 40),
        resize(portrait(), 300, 300),
        np.clip(portrait() * 0.9 + 10, 0, 255).astype(np.uint8),
        blurred(portrait(), 3),
    ],
    ids=["compressed", "smaller", "paler", "blurred"],
)
def test_a_copy_of_a_photo_is_a_near_duplicate(copy: Pixels) -> None:
    face_bits, scene_bits = apart(portrait(), copy)
    assert face_bits <= FACE_LIMIT
    assert scene_bits <= SCENE_LIMIT


def test_another_photo_is_none() -> None:
    for other in (portrait()[:, ::-1], people.photo(0, 3, 0).image[:400, :400]):
        face_bits, scene_bits = apart(portrait(), np.ascontiguousarray(other))
        assert face_bits > 1.5 * FACE_LIMIT
        assert scene_bits > 4 * SCENE_LIMIT


def test_the_scene_is_the_photo_as_far_as_it_is_round_the_face() -> None:
    wide = np.full((500, 3000, 3), 90, np.uint8)
    wide[:, 1250:1750] = resize(portrait(), 500, 500)
    box = Box(1420, 180, 125, 125)
    ((pair, _),) = cut_out(encode_png(wide), BuildConfig(min_sharpness=0), a_face(box)).kept
    assert pair.likeness[1] == likeness(wide[:492, 1232:1732])
