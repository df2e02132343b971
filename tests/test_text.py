"""One is one, and more are many."""

from demosaic.text import counted, in_one_line


def test_what_is_counted_is_named_after_its_number() -> None:
    assert counted(1, "step") == "1 step"
    assert [counted(number, "step") for number in (0, 2)] == ["0 steps", "2 steps"]
    assert [counted(number, "person", "people") for number in (1, 2)] == ["1 person", "2 people"]


def test_a_name_is_one_line_and_moves_no_cursor() -> None:
    assert in_one_line("a\nb\x1b[2J\x07\x9bc\udcff") == r"a\nb\x1b[2J\x07\x9bc\udcff"
    assert in_one_line("ü 💡 [b]\u3000日本") == "ü 💡 [b]\u3000日本"
