"""Text for people: numbers with what they count, and names that a terminal can show."""

import re

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 step` or `2 steps`; `many` is the plural of words like person."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def in_one_line(text: str) -> str:
    """The text with escapes for control characters and for bytes that are no Unicode: a file name
    may contain line ends, and codes that a terminal obeys.
    """
    escaped = _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)
    return escaped.encode(errors="backslashreplace").decode()
