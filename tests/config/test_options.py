"""An option stands on its field: what is checked, shown and read is made from it."""

from dataclasses import dataclass
from math import inf, nan
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demosaic.config.options import Option, as_in, check, option, options_of
from demosaic.config.reading import (
    read_block,
    read_block_range,
    read_cell_sides,
    read_point,
    read_rectangle,
    read_rectangles,
    read_regions,
)
from demosaic.errors import USAGE, DemosaicError


@dataclass(frozen=True)
class Print:
    copies: int = option(1, "How many.", ge=1, le=99)
    scale: float = option(1.0, "How large.", gt=0, lt=inf)
    margin: float | None = option(None, "Around it.", ge=0, lt=0.5)
    paper: Literal["a4", "a5", "letter"] = option("a4", "On what.", panel="Paper")
    corners: tuple[tuple[int, int], ...] = option((), "Where.", flag="--corner", read=read_point)
    inner: int = 3

    def __post_init__(self) -> None:
        check(self, "--copies and --scale: too much" if self.copies * self.scale == 100 else None)


@dataclass(frozen=True)
class Poster:
    copies: int = as_in(Print, "copies", 2, le=5)
    paper: Literal["a4", "a5", "letter"] = as_in(Print, "paper")


def named(record: type, name: str) -> Option:
    (found,) = (one for one in options_of(record) if one.name == name)
    return found


def test_the_options_of_a_record_are_its_described_fields_in_order() -> None:
    names = ["--copies", "--scale", "--margin", "--paper", "--corner"]
    assert [one.name for one in options_of(Print)] == names
    assert [one.type for one in options_of(Print)[:3]] == [int, float, float]
    assert named(Print, "--paper").choices == ("a4", "a5", "letter")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("--copies", "1 to 99"),
        ("--scale", "more than 0"),
        ("--margin", "0 to below 0.5"),
        ("--paper", "a4, a5 or letter"),
        ("--corner", ""),
    ],
)
def test_a_range_reads_like_a_sentence(name: str, expected: str) -> None:
    assert named(Print, name).range == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"copies": 101}, "--copies 101: choose 1 to 99"),
        ({"scale": 0.0}, "--scale 0: choose more than 0"),
        ({"scale": nan}, "--scale nan: choose more than 0"),
        ({"scale": inf}, "--scale inf: choose more than 0"),
        ({"margin": 0.5}, "--margin 0.5: choose 0 to below 0.5"),
        ({"paper": "a3"}, "--paper a3: choose a4, a5 or letter"),
        (
            {"copies": 0, "paper": "a3"},
            "--copies 0: choose 1 to 99; --paper a3: choose a4, a5 or letter",
        ),
        ({"copies": 50, "scale": 2.0}, "--copies and --scale: too much"),
    ],
)
def test_what_is_out_of_bounds_or_against_a_rule_is_named_in_one_line(
    values: dict[str, Any], message: str
) -> None:
    with pytest.raises(DemosaicError) as caught:
        Print(**values)
    assert (str(caught.value), caught.value.exit_code) == (message, USAGE)


@given(st.integers(1, 99), st.none() | st.floats(0, 0.5, exclude_max=True))
def test_what_is_within_the_bounds_is_allowed(copies: int, margin: float | None) -> None:
    assert Print(copies=copies, margin=margin).copies == copies


def test_an_option_as_in_another_record_differs_in_its_changes_only() -> None:
    assert Poster() == Poster(copies=2, paper="a4")
    first, second = options_of(Poster)
    assert (first.help, first.range) == ("How many.", "1 to 5")
    assert (second.help, second.panel) == ("On what.", "Paper")


def test_a_text_is_read_by_the_type_of_its_field() -> None:
    assert named(Print, "--copies").value("7") == 7
    assert named(Print, "--scale").value("0.5") == 0.5
    assert named(Print, "--paper").value("a5") == "a5"
    for name, text, message in (
        ("--copies", "7.5", "--copies 7.5: give a whole number"),
        ("--scale", "big", "--scale big: give a number"),
        ("--corner", "1", "--corner 1: give x,y in px"),
    ):
        with pytest.raises(DemosaicError) as caught:
            named(Print, name).value(text)
        assert (str(caught.value), caught.value.exit_code) == (message, USAGE)


@pytest.mark.parametrize(
    ("read", "given_text", "expected"),
    [
        (read_block, "16", 16),
        (read_block, "1/8", 0.125),
        (read_block, "16/1", 16),
        (read_block_range, "8:24", (8, 24)),
        (read_cell_sides, "12", (12, 12)),
        (read_cell_sides, "12x8.5", (12, 8.5)),
        (read_point, "3,4.5", (3, 4.5)),
        (read_rectangle, "1,2,30,40", (1, 2, 30, 40)),
        (read_rectangles, ["1,2,3,4", "5,6,7,8"], ((1, 2, 3, 4), (5, 6, 7, 8))),
        (read_regions, ["whole"], "whole"),
        (read_regions, ["1,2,3,4"], ((1, 2, 3, 4),)),
    ],
)
def test_a_text_becomes_a_value(read: Any, given_text: Any, expected: Any) -> None:
    assert read(given_text) == expected


@pytest.mark.parametrize(
    ("read", "given_text", "message"),
    [
        (read_block, "x", "x: give px, or a share of the face such as 1/12"),
        (read_block, "1/0", "1/0: give px, or a share of the face such as 1/12"),
        (read_block_range, "8", "8: give two sides in px, as in 8:24"),
        (read_cell_sides, "8x", "8x: give N or WxH in px"),
        (read_point, "3", "3: give x,y in px"),
        (read_regions, ["1,2,3,4", "whole"], "whole: give x,y,width,height in px"),
    ],
)
def test_a_wrong_text_says_what_to_give(read: Any, given_text: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        read(given_text)
