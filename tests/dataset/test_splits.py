"""Whose a photo is, and which split it goes into."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demosaic.dataset.splits import burst, person_of, split_of

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
def test_group_by_says_to_which_person_a_photo_belongs(photo: str, by: str, person: str) -> None:
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


def test_the_keys_of_a_burst_do_not_reveal_the_time() -> None:
    assert not [mark for mark in burst("a/1.jpg", datetime(2024, 1, 1)) if "2024" in mark]
