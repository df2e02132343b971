"""Text for people: numbers with what they count, and names that a terminal can show."""

import re
import textwrap

# C0 and C1, which a terminal obeys; marks that turn the direction of writing; ends of lines
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 step` or `2 steps`; `many` is the plural of words like person."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def in_one_line(text: str) -> str:
    """The text with escapes for control characters, for marks that turn the direction of writing,
    and for bytes that are no Unicode: a file name may contain line ends, and codes that a terminal
    obeys.
    """
    escaped = _CONTROLS.sub(lambda found: ascii(found[0])[1:-1], text)
    return escaped.encode(errors="backslashreplace").decode()


def in_width(text: str, width: int | None) -> str:
    """The text in lines of at most `width` characters, broken between words only; lines after the
    first are indented by two more. A word that is longer, such as a path, has a line of its own.
    Without a width it stays one line.
    """
    if width is None or len(text) <= width:
        return text
    indent = " " * (len(text) - len(text.lstrip()))
    lines = textwrap.wrap(
        text[len(indent) :],
        max(width, 20),
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
        expand_tabs=False,
    )
    return "\n".join(lines)


def in_lines(text: str) -> str:
    """The same for a text of several lines: tabs and line ends stay."""
    return "".join(part if part in "\n\t" else in_one_line(part) for part in _parts(text))


def in_json(text: str) -> str:
    """JSON with escapes for the same characters, which can only be inside of its texts."""
    return "".join(
        part if part in "\n\t" else _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", part)
        for part in _parts(text)
    )


def _parts(text: str) -> list[str]:
    return re.split("([\n\t])", text)
