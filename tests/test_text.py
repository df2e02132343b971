"""One is one, and more are many."""

import json

from demosaic.text import counted, in_json, in_lines, in_one_line, in_width


def test_what_is_counted_is_named_after_its_number() -> None:
    assert counted(1, "step") == "1 step"
    assert [counted(number, "step") for number in (0, 2)] == ["0 steps", "2 steps"]
    assert [counted(number, "person", "people") for number in (1, 2)] == ["1 person", "2 people"]


def test_a_name_is_one_line_and_moves_no_cursor() -> None:
    assert in_one_line("a\nb\x1b[2J\x07\x9bc\udcff") == r"a\nb\x1b[2J\x07\x9bc\udcff"
    assert in_one_line("ü 💡 [b]\u3000日本") == "ü 💡 [b]\u3000日本"


CONTROLS = "".join(
    map(chr, (*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x2028, 0x202E, 0x2066))
)


def test_no_character_that_a_terminal_obeys_is_left() -> None:
    assert in_one_line("a\u202egnp.exe\u2069\u2028") == r"a\u202egnp.exe\u2069\u2028"
    assert not {*CONTROLS} & {*in_one_line(CONTROLS)}
    assert in_lines("a\n\tb\x1b[2J\u202e\udcff") == "a\n\tb\\x1b[2J\\u202e\\udcff"
    assert {*CONTROLS} & {*in_lines(CONTROLS)} == {"\n", "\t"}


def test_json_with_escapes_says_the_same() -> None:
    value = {CONTROLS: [CONTROLS, "Zo\u00eb"]}
    text = in_json(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
    assert {*CONTROLS} & {*text} == {"\n"}
    assert "Zo\u00eb" in text
    assert json.loads(text) == value


def test_lines_of_a_width_end_between_words() -> None:
    assert in_width("one two three", 8) == "one two three"  # less than 20 is not worth breaking
    assert in_width("four words are enough here", 20) == "four words are\n  enough here"
    path = "x/" * 15
    assert in_width(f"  at {path} it lies", 20) == f"  at\n    {path}\n    it lies"
    assert in_width(f"no width {path}", None) == f"no width {path}"
