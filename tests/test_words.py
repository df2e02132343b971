"""One is one, and more are many."""

from demosaic.words import counted


def test_what_is_counted_is_named_after_its_number() -> None:
    assert counted(1, "step") == "1 step"
    assert [counted(number, "step") for number in (0, 2)] == ["0 steps", "2 steps"]
    assert [counted(number, "person", "people") for number in (1, 2)] == ["1 person", "2 people"]
