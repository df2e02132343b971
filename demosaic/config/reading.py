"""How the text of an option becomes a value. All raise ValueError with the text and what to give
instead.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

from demosaic.config.rules import Rectangle


def read_integer(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text}: give a whole number") from None


def read_number(text: str) -> float:
    """A number."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text}: give a number") from None


def read_time(text: str) -> float:
    """Seconds, from `90`, `1:30` or `0:01:30.5`."""
    try:
        parts = [float(part) for part in text.split(":")]
    except ValueError:
        parts = []
    if not 1 <= len(parts) <= 3 or not all(0 <= part < float("inf") for part in parts):
        raise ValueError(f"{text}: give seconds or h:mm:ss, as in 1:30")
    seconds = 0.0
    for part in parts:
        seconds = 60 * seconds + part
    return seconds


def read_block(text: str) -> float:
    """`16`, `0.1` or `1/12` as a number."""
    try:
        number = Fraction(text) if "/" in text else Fraction(float(text))
    except (ValueError, OverflowError, ZeroDivisionError):
        raise ValueError(f"{text}: give px, or a share of the face such as 1/12") from None
    return number.numerator if number.denominator == 1 else float(number)


def read_block_range(text: str) -> tuple[int, int]:
    """The smallest and the largest side in `8:24`."""
    try:
        smallest, largest = (int(part) for part in text.split(":"))
    except ValueError:
        raise ValueError(f"{text}: give two sides in px, as in 8:24") from None
    return smallest, largest


def read_rectangle(text: str) -> Rectangle:
    """The rectangle in `x,y,width,height`."""
    try:
        x, y, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"{text}: give x,y,width,height in px") from None
    return x, y, width, height


def read_rectangles(texts: Sequence[str]) -> tuple[Rectangle, ...]:
    """The rectangle in each text."""
    return tuple(map(read_rectangle, texts))


def read_regions(texts: Sequence[str]) -> tuple[Rectangle, ...] | Literal["whole"]:
    """The rectangle in each text, or the one word `whole`."""
    return "whole" if list(texts) == ["whole"] else read_rectangles(texts)


def read_cell_sides(text: str) -> tuple[float, float]:
    """Width and height of a cell in `12x8`, or in `12`, which is both."""
    both = text if "x" in text else f"{text}x{text}"
    try:
        width, height = (float(part) for part in both.split("x"))
    except ValueError:
        raise ValueError(f"{text}: give N or WxH in px") from None
    return width, height


def read_point(text: str) -> tuple[float, float]:
    """The point in `x,y`."""
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"{text}: give x,y in px") from None
    return x, y
