"""Records come from JSON whole and checked, or not at all."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from demosaic.errors import DemosaicError
from demosaic.records import between, digits, read, read_all


@dataclass(frozen=True)
class Inner:
    name: str


@dataclass(frozen=True)
class Outer:
    count: int
    share: float
    kind: Literal["small", "large"]
    box: tuple[int, int] | None
    points: tuple[tuple[float, float], ...]
    inner: Inner
    anything: Mapping[str, Any]
    sure: bool = True


JSON = {
    "count": 3,
    "share": 0.5,
    "kind": "small",
    "box": [1, 2],
    "points": [[0.5, 1], [2, 3]],
    "inner": {"name": "Zoë"},
    "anything": {"a": [1, None]},
}


def test_lists_become_tuples_and_objects_records() -> None:
    assert read(Outer, JSON, "here") == Outer(
        3, 0.5, "small", (1, 2), ((0.5, 1), (2, 3)), Inner("Zoë"), {"a": [1, None]}
    )
    assert read(Outer, {**JSON, "box": None, "sure": False}, "here").box is None


def test_a_whole_number_is_written_again_as_it_was() -> None:
    found = read(Outer, {**JSON, "share": 1}, "here")
    assert repr(found.share) == "1"
    assert repr(read(Outer, {**JSON, "share": 1.0}, "here").share) == "1.0"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"count": "3"}, "count: '3' is not int"),
        ({"count": 3.0}, "count: 3.0 is not int"),
        ({"count": True}, "count: True is not int"),
        ({"share": "0.5"}, "share: '0.5' is not a number"),
        ({"share": None}, "share: None is not a number"),
        ({"sure": 1}, "sure: 1 is not bool"),
        ({"kind": "medium"}, "kind: 'medium' is none of small, large"),
        ({"box": [1, "2"]}, "box[1]: '2' is not int"),
        ({"points": [[0.5, 1], [None, 3]]}, "points[1][0]: None is not a number"),
        ({"inner": {"name": 3}}, "inner.name: 3 is not str"),
        ({"inner": {}}, "inner.name: missing"),
        ({"inner": [1]}, "inner: not an object"),
        ({"size": 4, "age": 5}, "unknown: age, size"),
        ({"count": "3", "share": "0.5"}, "count: '3' is not int; share: '0.5' is not a number"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_field(change: dict[str, Any], said: str) -> None:
    with pytest.raises(DemosaicError) as caught:
        read(Outer, {**JSON, **change}, "/a.json", advice="build again")
    assert str(caught.value) == (
        f"/a.json is damaged, or from another version of demosaic ({said}): build again"
    )


@pytest.mark.parametrize("value", [None, 3, "text", [], [1, 2], {}])
def test_what_is_no_record_at_all_is_refused_in_one_line(value: object) -> None:
    with pytest.raises(DemosaicError, match=r"^/a\.json is damaged, or from") as caught:
        read(Outer, value, "/a.json")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("box", [[], [1], [1, 2, 3], 7, "12"])
def test_a_tuple_has_as_many_values_as_it_says(box: object) -> None:
    with pytest.raises(DemosaicError, match=re.escape("(box")):
        read(Outer, {**JSON, "box": box}, "/a.json")


@dataclass(frozen=True)
class Strict:
    hash: Annotated[str, digits(4)]
    sides: tuple[Annotated[int, between(1, 9)], Annotated[int, between(1, 9)]]
    share: Annotated[float, between(0, 1)]
    count: int = 0
    turn: Literal[0, 90] = 0


STRICT = {"hash": "00ff", "sides": [1, 9], "share": 1}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hash": "00FF"}, "hash: '00FF' is not 4 hexadecimal digits"),
        ({"hash": "../x"}, "hash: '../x' is not 4 hexadecimal digits"),
        ({"hash": "00ff\n"}, r"hash: '00ff\n' is not 4 hexadecimal digits"),
        ({"hash": 4}, "hash: 4 is not str"),
        ({"sides": [0, 9]}, "sides[0]: 0 is not 1 to 9"),
        ({"sides": [1]}, "sides: Not enough values in [1]"),
        ({"share": 1.5}, "share: 1.5 is not 0 to 1"),
        ({"share": math.nan}, "share: nan is not finite"),
        ({"share": math.inf}, "share: inf is not finite"),
        ({"share": 10**400}, "share: 100000000000000000...0000000000000000000 is too large"),
        ({"count": 2**63}, "count: 9223372036854775808 is too large"),
        ({"turn": False}, "turn: False is none of 0, 90"),
        ({"turn": []}, "turn: [] is none of 0, 90"),
    ],
    ids=str,
)
def test_a_value_against_its_rule_is_refused(change: dict[str, Any], said: str) -> None:
    assert read(Strict, STRICT, "here") == Strict("00ff", (1, 9), 1)
    with pytest.raises(DemosaicError) as caught:
        read(Strict, {**STRICT, **change}, "here")
    assert f"({said})" in str(caught.value)


def test_what_a_stranger_wrote_never_fills_the_screen() -> None:
    long: list[dict[str, object]] = [
        {**STRICT, "hash": "x" * 10**6},
        {f"name {n}": 1 for n in range(10_000)},
        {**STRICT, "two\nlines \x1b[31m": 1},
    ]
    for value in long:
        with pytest.raises(DemosaicError) as caught:
            read(Strict, value, "here")
        assert len(str(caught.value)) < 400
        assert not {"\n", "\x1b"} & {*str(caught.value)}


def test_fields_of_others_are_ignored_on_request() -> None:
    value = {**JSON, "size": 4, "inner": {"name": "Zoë", "age": 5}}
    assert read(Outer, value, "here", others=True) == read(Outer, JSON, "here")


def test_fields_with_a_default_are_asked_for_on_request() -> None:
    assert read(Outer, {**JSON, "sure": True}, "here", complete=True) == read(Outer, JSON, "here")
    with pytest.raises(DemosaicError, match=re.escape("(missing: count, sure)")):
        read(Outer, {k: v for k, v in JSON.items() if k != "count"}, "here", complete=True)


def test_a_damaged_line_is_named_by_file_and_number(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"name": "a"}\n\n{"name": 3}\n{"name": "torn')
    with pytest.raises(DemosaicError, match=re.escape(f"{path}, line 3 is damaged")):
        read_all(Inner, path)
    path.write_text('{"name": "a"}\n\n{"name": "b"}\n{"name": "torn')
    assert read_all(Inner, path) == [Inner("a"), Inner("b")]
    assert read_all(Inner, tmp_path / "nothing.jsonl") == []
