"""Who belongs together, so that no group is in two splits."""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dataset_doubles import (
    CONFIG,
    HALF,
    SMALL,
    a_pair,
    build,
    contents,
    finding,
    folder_of,
    lines,
    saved_again,
    splits_of,
)
from demosaic.config.dataset import BuildConfig
from demosaic.dataset.events import PairMoved
from demosaic.dataset.near_duplicates import FACE_LIMIT, SCENE_LIMIT, bits_apart
from demosaic.dataset.reader import open_pairs
from demosaic.dataset.records import COPY, Pair, Skipped
from demosaic.dataset.regroup import Grouped, Member, Move, groups, moves, regroup
from demosaic.dataset.splits import split_of
from demosaic.events import Event
from demosaic.imaging.encoding import write_png
from demosaic.imaging.geometry import Box
from hashes import BITS, plain, strange

# By people, files, bursts and near duplicates


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
                member("a", face=plain(), scene=plain()),
                member("b", face=plain(*bits[0]), scene=plain(*bits[1])),
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


def test_people_connected_through_others_are_one_group_named_after_the_first() -> None:
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


persons = st.sampled_from([f"p{number}" for number in range(8)])
members_of_an_album = st.lists(
    st.builds(
        lambda person, file, moment, face, scene: member(
            person, f"file {file}", f"moment {moment}", face=face, scene=scene
        ),
        person=persons,
        file=st.integers(0, 30),
        moment=st.integers(0, 30),
        face=st.builds(
            lambda who, turned: plain(*turned) if who == 0 else strange(who),
            st.integers(0, 40),
            st.sets(st.integers(0, BITS - 1), max_size=60),
        ),
        scene=st.builds(strange, st.integers(100, 130)),
    ),
    max_size=14,
)


def joined(one: Member, other: Member) -> bool:
    """Whether two must be in the same group."""
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
def test_people_who_are_not_connected_are_not_in_one_group(members: list[Member]) -> None:
    names = groups(members)
    found: dict[str, set[str]] = {}
    for person, name in names.items():
        found.setdefault(name, set()).add(person)
    assert {frozenset(group) for group in found.values()} == split_by_hand(members)
    assert all(name == min(group) for name, group in found.items())


@given(members_of_an_album, members_of_an_album)
def test_new_members_rename_only_groups_that_they_join(
    members: list[Member], newcomers: list[Member]
) -> None:
    before, after = groups(members), groups([*members, *newcomers])
    touched = {after[newcomer.person] for newcomer in newcomers}
    for person, name in before.items():
        assert after[person] == name or after[person] in touched


@given(members_of_an_album.flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_groups_do_not_depend_on_the_order(orders: tuple[list[Member], list[Member]]) -> None:
    assert groups(orders[0]) == groups(orders[1])


# Pairs


def test_pairs_get_groups_and_splits_and_an_order() -> None:
    config = BuildConfig(val=0.5)
    pairs = [a_pair(3, "b/2.jpg"), a_pair(2, "b/1.jpg"), a_pair(1, "a/1.jpg")]
    found = regroup(pairs, [], config)
    assert list(found.values()) == [
        replace(pair, group=group, split=split_of(group, val=0.5, test=0))
        for pair, group in zip(reversed(pairs), "abb", strict=True)
    ]
    assert regroup(reversed(pairs), [], config) == found
    assert regroup(found.values(), [], config) == found


def test_a_skipped_copy_connects_the_people_of_both_photos() -> None:
    pairs = [a_pair(1, "b/1.jpg"), a_pair(2, "c/1.jpg")]
    copy = Skipped("a/copy.jpg", pairs[1].sha256, "same file as another", "c/1.jpg")
    other = Skipped("b/bad.jpg", "0" * 64, "damaged picture")
    found = regroup(pairs, [copy, other], BuildConfig())
    assert [pair.group for pair in found.values()] == ["b", "a"]


def test_the_first_ids_of_a_large_group_stay_in_its_split() -> None:
    pairs = [a_pair(number, f"a/{9 - number}.jpg") for number in range(5)]
    found = regroup(pairs, [], BuildConfig(max_per_group=2))
    in_splits = {pair.photo for pair in found.values() if pair.split != "spare"}
    assert in_splits == {"a/9.jpg", "a/8.jpg"}


@given(st.data())
def test_what_was_grouped_before_is_grouped_as_if_anew(data: st.DataObject) -> None:
    """Whatever is added, changed and taken out, copies too."""
    pools = st.lists(st.integers(0, 11), unique=True, max_size=12)
    config = BuildConfig(val=0.3, max_per_group=data.draw(st.sampled_from([0, 3])))

    def a_line(number: int) -> Pair:
        like = plain(*range(number // 2)) if number % 3 else strange(number)
        return a_pair(
            number, f"{'abcdef'[number % 6]}/{number}.jpg", sha256=f"{number // 2:064x}",
            likeness=(like, strange(1000 + number)), burst=(f"{number % 5:016x}",),
        )  # fmt: skip

    def copies(numbers: list[int]) -> list[Skipped]:
        return [Skipped(f"{'ghab'[n % 4]}/c.jpg", f"{n:064x}", COPY) for n in numbers]

    skipped = copies(data.draw(pools))
    before = Grouped(regroup(map(a_line, data.draw(pools)), skipped, config), skipped)
    kept = [one for one in before.pairs.values() if data.draw(st.booleans())]
    added = [a_line(number) for number in data.draw(pools)]
    now = {one.id: one for one in (*kept, *added)}.values()
    later = copies(data.draw(pools))
    assert regroup(now, later, config, before) == regroup(now, later, config)


def test_people_whom_only_a_copy_connected_come_apart_with_it() -> None:
    pairs = [a_pair(1, "a/1.jpg"), a_pair(2, "b/1.jpg"), a_pair(3, "c/1.jpg")]
    copy = Skipped("b/copy.jpg", pairs[0].sha256, COPY)
    before = Grouped(regroup(pairs, [copy], BuildConfig()), [copy])
    assert [pair.group for pair in before.pairs.values()] == ["a", "a", "c"]
    after = regroup(before.pairs.values(), [], BuildConfig(), before)
    assert [pair.group for pair in after.values()] == ["a", "b", "c"]
    assert after[pairs[2].id] is before.pairs[pairs[2].id]


def test_a_move_is_from_one_split_into_another() -> None:
    def pair(number: int, split: str) -> Pair:
        return a_pair(number, "a.jpg", split=split)

    before = {one.id: one for one in (pair(0, "train"), pair(1, "train"), pair(2, "spare"))}
    after = {one.id: one for one in (pair(0, "val"), pair(1, "spare"), pair(2, "val"))}
    assert moves(before, after) == (Move(pair(0, "val"), "train"),)
    assert moves(after, after) == ()


# In a build


def test_a_group_never_straddles_splits_and_there_are_several(straight: Path) -> None:
    by_group: dict[str, set[str]] = {}
    for line in lines(straight / "pairs.jsonl"):
        by_group.setdefault(line["group"], set()).add(line["split"])
    assert len(by_group) >= 6
    assert {len(splits) for splits in by_group.values()} == {1}


def test_photos_in_the_top_folder_are_groups_of_their_own(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (3, 200, 200, 3), np.uint8)
    (tmp_path / "photos").mkdir()
    for number, image in enumerate(noise):
        write_png(tmp_path / "photos" / f"{number}.png", image)
    build(tmp_path / "photos", tmp_path / "out", CONFIG, detector=finding(Box(60, 60, 80, 80)))
    groups = [line["group"] for line in lines(tmp_path / "out" / "pairs.jsonl")]
    assert groups == ["0.png", "1.png", "2.png"]


def test_a_copy_in_another_folder_another_size_and_format_shares_the_split(
    photos: Path, album: Path, tmp_path: Path
) -> None:
    original = next(path for path in sorted((album / "person-000").rglob("*.jpg")))
    name = original.parent.relative_to(album).as_posix()
    other = "train" if split_of(name, val=0.5, test=0) == "val" else "val"
    copied = folder_of(other)
    saved_again(original, album / copied / "whatsapp.webp")
    report = build(album, tmp_path / "out", HALF)
    found = lines(tmp_path / "out" / "pairs.jsonl")
    groups = {line["photo"]: line["group"] for line in found}
    splits = splits_of(tmp_path / "out")
    assert groups[original.relative_to(album).as_posix()] == copied
    assert splits[original.relative_to(album).as_posix()] == other
    assert report.groups == len({line["group"] for line in found})


def test_photos_that_join_two_groups_move_one_and_say_so(album: Path, tmp_path: Path) -> None:
    original = next(path for path in sorted((album / "person-000").rglob("*.jpg")))
    name = original.parent.relative_to(album).as_posix()
    first = build(album, tmp_path / "out", HALF)
    assert (first.moved, first.gone) == (0, 0)
    before = splits_of(tmp_path / "out")
    other = "train" if split_of(name, val=0.5, test=0) == "val" else "val"
    saved_again(original, album / folder_of(other) / "copy.jpg")
    events: list[Event] = []
    report = build(album, tmp_path / "out", HALF, listen=events.append)
    after = splits_of(tmp_path / "out")
    moved = {event.photo for event in events if isinstance(event, PairMoved)}
    assert moved == {photo for photo in before if after[photo] != before[photo]}
    assert moved == {photo for photo in before if photo.startswith(f"{name}/")}
    assert report.moved == sum(isinstance(event, PairMoved) for event in events) >= len(moved)
    build(album, tmp_path / "straight", HALF)
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")


def test_an_expression_groups_photos_wherever_they_lie(photos: Path, tmp_path: Path) -> None:
    for person in (0, 3):
        for number, source in enumerate(sorted((photos / f"person-00{person}").rglob("*.jpg"))):
            target = tmp_path / "photos" / f"{number % 2}" / f"p{person}_{number}.jpg"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    config = replace(SMALL, group_by=r"(p\d)_")
    build(tmp_path / "photos", tmp_path / "out", config)
    groups = {line["photo"]: line["group"] for line in lines(tmp_path / "out" / "pairs.jsonl")}
    assert {photo[2:4] == group for photo, group in groups.items()} == {True}
    assert set(groups.values()) == {"p0", "p3"}


def test_a_burst_in_the_top_folder_shares_a_split(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (3, 200, 200, 3), np.uint8)
    (tmp_path / "photos").mkdir()
    for number, (image, second) in enumerate(zip(noise, ("01", "04", "40"), strict=True)):
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9003] = f"2024:05:01 12:00:{second}"
        Image.fromarray(image).save(tmp_path / "photos" / f"{number}.jpg", exif=exif)
    build(tmp_path / "photos", tmp_path / "out", CONFIG, detector=finding(Box(60, 60, 80, 80)))
    records = lines(tmp_path / "out" / "pairs.jsonl")
    assert [line["group"] for line in records] == ["0.jpg", "0.jpg", "2.jpg"]
    assert b"2024" not in (tmp_path / "out" / "pairs.jsonl").read_bytes()


def test_so_many_pairs_of_a_group_are_kept_and_the_others_come_back_for_those_that_go(
    album: Path, tmp_path: Path
) -> None:
    config = replace(SMALL, max_per_group=2, group_by="^(person-...)")
    report = build(album, tmp_path / "out", config)
    all_of_them = lines(tmp_path / "out" / "pairs.jsonl")
    kept = [line for line in all_of_them if line["split"] != "spare"]
    assert Counter(line["group"] for line in kept) == {"person-000": 2, "person-002": 2}
    spare = len(all_of_them) - 4
    assert (report.pairs, report.new_pairs, report.skipped) == (4, 4, {"group is large": spare})
    assert len(list((tmp_path / "out" / "spare").iterdir())) == spare > 0
    assert len(opened_pairs(tmp_path / "out")) == 4
    gone = next(line["photo"] for line in kept if line["group"] == "person-000")
    (album / gone).unlink()
    build(album, tmp_path / "out", config, prune=True)
    build(album, tmp_path / "straight", config)
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")


def opened_pairs(folder: Path) -> list[Path]:
    pairs = open_pairs(folder, direction="left-to-right", multiple=32)
    return sorted({*pairs.train, *pairs.val})
