"""Who belongs together, and that nothing parts them."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demosaic.dataset.near_duplicates import (
    FACE_LIMIT,
    SCENE_LIMIT,
    Likenesses,
    bits_apart,
    near_any,
    nearest,
)
from demosaic.dataset.splits import Member, burst, groups, person_of, split_of

BITS = 256
PLAIN = np.random.default_rng(0).integers(0, 2, BITS).astype(bool)


def likeness(*flipped: int) -> str:
    """One picture's, with some of its bits turned."""
    bits = PLAIN.copy()
    bits[list(flipped)] ^= True
    return np.packbits(bits).tobytes().hex()


def strange(number: int) -> str:
    """One that is like no other."""
    bits = np.random.default_rng(number + 1).integers(0, 2, BITS).astype(bool)
    return np.packbits(bits).tobytes().hex()


def member(person: str, *shared: str, face: str, scene: str) -> Member:
    return Member(person, shared, (face, scene))


# Who is on a photo


@pytest.mark.parametrize(
    ("photo", "by", "person"),
    [
        ("album/jane/1.jpg", "parent", "album/jane"),
        ("1.jpg", "parent", "1.jpg"),
        ("album/jane/1.jpg", "photo", "album/jane/1.jpg"),
        ("2020/jane_01.jpg", r"(\w+)_\d+", "jane"),
        ("2021/jane_02.jpg", r"(\w+)_\d+", "jane"),
        ("jane/2020/1.jpg", r"^([^/]+)/", "jane"),
        ("2020/beach.jpg", r"(\w+)_\d+", "2020"),
        ("beach.jpg", r"(\w+)_\d+", "beach.jpg"),
        ("2020/beach.jpg", r"beach|(jane)", "2020"),
    ],
)
def test_a_photo_is_of_whom_group_by_says(photo: str, by: str, person: str) -> None:
    assert person_of(photo, by) == person


# Splits


@given(st.lists(st.text(max_size=12), min_size=1, max_size=20), st.floats(0, 0.9))
def test_a_group_s_split_depends_on_nothing_but_its_name(names: list[str], val: float) -> None:
    alone = [split_of(name, val=val, test=0.05) for name in names]
    after_others = [split_of(name, val=val, test=0.05) for name in reversed(names)]
    assert alone == after_others[::-1]


@pytest.mark.parametrize(("val", "test"), [(0.1, 0.0), (0.1, 0.2), (0.0, 0.0), (0.45, 0.5)])
def test_splits_have_about_their_shares_of_many_groups(val: float, test: float) -> None:
    names = [f"person-{number:04d}/2020" for number in range(4000)]
    counts = Counter(split_of(name, val=val, test=test) for name in names)
    assert abs(counts["val"] / 4000 - val) < 0.025
    assert abs(counts["test"] / 4000 - test) < 0.025
    assert (counts["val"] == 0, counts["test"] == 0) == (val == 0, test == 0)


def test_a_larger_share_moves_groups_out_of_training_only() -> None:
    for number in range(500):
        if split_of(f"{number}", val=0.1, test=0) == "val":
            assert split_of(f"{number}", val=0.3, test=0) == "val"


# Bursts


@pytest.mark.parametrize(("seconds", "joined"), [(0, True), (1, True), (5, True), (10, False)])
def test_photos_taken_within_seconds_are_a_burst(seconds: int, joined: bool) -> None:
    for start in range(20):
        first = datetime(2024, 2, 29, 23, 59, 40) + timedelta(seconds=start)
        second = first + timedelta(seconds=seconds)
        shared = {*burst("a/1.jpg", first)} & {*burst("a/2.jpg", second)}
        assert bool(shared) is joined


def test_photos_of_two_folders_or_without_a_time_are_no_burst() -> None:
    noon = datetime(2024, 1, 1, 12)
    assert not {*burst("a/1.jpg", noon)} & {*burst("b/1.jpg", noon)}
    assert burst("a/1.jpg", None) == ()


def test_a_burst_does_not_tell_when_it_was() -> None:
    assert not [mark for mark in burst("a/1.jpg", datetime(2024, 1, 1)) if "2024" in mark]


# Near duplicates


@pytest.mark.parametrize(
    ("face", "scene", "joined"),
    [
        (FACE_LIMIT, BITS, True),
        (FACE_LIMIT + 1, SCENE_LIMIT + 1, False),
        (BITS, SCENE_LIMIT, True),
        (0, 0, True),
    ],
)
def test_near_duplicates_are_alike_in_face_or_scene(face: int, scene: int, joined: bool) -> None:
    """Wherever the bits are that differ: the coarse look first must miss none."""
    rng = np.random.default_rng(face)
    for _ in range(20):
        bits = [rng.permutation(BITS)[:count].tolist() for count in (face, scene)]
        found = groups(
            [
                member("a", face=likeness(), scene=likeness()),
                member("b", face=likeness(*bits[0]), scene=likeness(*bits[1])),
            ]
        )
        assert (found["a"] == found["b"]) is joined


def test_near_duplicates_are_found_among_more_than_are_compared_at_a_time() -> None:
    members = [
        member(f"{number:04d}", face=strange(2 * number), scene=strange(2 * number + 1))
        for number in range(1100)
    ]
    twin = members[3].likeness
    assert twin is not None
    found = groups([*members, Member("twin", (), twin)])
    assert found["twin"] == "0003"
    assert Counter(found.values()).most_common(2) == [("0003", 2), ("0000", 1)]


def test_the_nearest_of_two_splits_and_those_near_any_are_found() -> None:
    far = [(strange(2 * number), strange(2 * number + 1)) for number in range(1000)]
    some = Likenesses.of([*far[:600], (likeness(*range(70)), strange(9000))])
    others = Likenesses.of([*far[600:], (likeness(), likeness())])
    assert nearest(some, others) == (600, 400)
    assert nearest(some, Likenesses.of([])) is nearest(Likenesses.of([]), some) is None
    close = Likenesses.of([(strange(5000), likeness(1, 2, 3)), (strange(5001), strange(5002))])
    assert near_any(close, others) == [0]
    assert near_any(Likenesses.of([]), others) == []


def test_bits_are_counted() -> None:
    assert bits_apart(likeness(), likeness()) == 0
    assert bits_apart(likeness(3, 7), likeness(7, 200, 255)) == 3


# Groups


def test_what_is_joined_through_others_is_one_group_named_by_the_first() -> None:
    found = groups(
        [
            member("dora", face=strange(1), scene=strange(2)),
            member("carl", "one file", face=strange(3), scene=strange(4)),
            Member("bert", ("one file",)),
            member("bert", face=strange(5), scene=strange(6)),
            member("anna", face=strange(7), scene=strange(5)),
            member("anna", "burst", face=strange(8), scene=strange(9)),
            member("emil", "burst", face=strange(10), scene=strange(11)),
        ]
    )
    assert found == {
        "anna": "anna",
        "bert": "bert",
        "carl": "bert",
        "dora": "dora",
        "emil": "anna",
    }


people = st.sampled_from([f"p{number}" for number in range(8)])
members_of_an_album = st.lists(
    st.builds(
        lambda person, file, moment, face, scene: member(
            person, f"file {file}", f"moment {moment}", face=face, scene=scene
        ),
        person=people,
        file=st.integers(0, 30),
        moment=st.integers(0, 30),
        face=st.builds(
            lambda who, turned: likeness(*turned) if who == 0 else strange(who),
            st.integers(0, 40),
            st.sets(st.integers(0, BITS - 1), max_size=60),
        ),
        scene=st.builds(strange, st.integers(100, 130)),
    ),
    max_size=14,
)


def joined(one: Member, other: Member) -> bool:
    """Whether two must not be parted."""
    assert one.likeness and other.likeness
    apart = list(map(bits_apart, one.likeness, other.likeness))
    return (
        one.person == other.person
        or bool({*one.shared} & {*other.shared})
        or apart[0] <= FACE_LIMIT
        or apart[1] <= SCENE_LIMIT
    )


def split_by_hand(members: Sequence[Member]) -> set[frozenset[str]]:
    """The people who belong together, by taking up whoever is joined until nobody is."""
    left, found = set(range(len(members))), set()
    while left:
        group, new = set[int](), {min(left)}
        while new:
            group |= new
            near = {n for n in left - group if any(joined(members[n], members[m]) for m in new)}
            new = near
        left -= group
        found.add(frozenset(members[number].person for number in group))
    return found


@given(members_of_an_album, st.floats(0.05, 0.5))
def test_no_group_straddles_splits(members: list[Member], val: float) -> None:
    names = groups(members)
    splits = {person: split_of(name, val=val, test=0.1) for person, name in names.items()}
    for one in members:
        for other in members:
            if joined(one, other):
                assert names[one.person] == names[other.person]
                assert splits[one.person] == splits[other.person]


@given(members_of_an_album)
def test_nobody_is_together_who_is_not_joined(members: list[Member]) -> None:
    names = groups(members)
    found: dict[str, set[str]] = {}
    for person, name in names.items():
        found.setdefault(name, set()).add(person)
    assert {frozenset(group) for group in found.values()} == split_by_hand(members)
    assert all(name == min(group) for name, group in found.items())


@given(members_of_an_album, members_of_an_album)
def test_newcomers_rename_only_groups_that_they_join(
    members: list[Member], newcomers: list[Member]
) -> None:
    before, after = groups(members), groups([*members, *newcomers])
    touched = {after[newcomer.person] for newcomer in newcomers}
    for person, name in before.items():
        assert after[person] == name or after[person] in touched


@given(members_of_an_album.flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_groups_do_not_depend_on_the_order(orders: tuple[list[Member], list[Member]]) -> None:
    assert groups(orders[0]) == groups(orders[1])
