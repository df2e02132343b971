"""Who belongs together, so that no group is in two splits."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demosaic.dataset.near_duplicates import FACE_LIMIT, SCENE_LIMIT, bits_apart
from demosaic.dataset.regroup import Member, groups
from demosaic.dataset.splits import split_of
from hashes import BITS, likeness, strange


def member(person: str, *shared: str, face: str, scene: str) -> Member:
    return Member(person, shared, (face, scene))


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
