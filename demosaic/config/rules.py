"""What the option records share. Importing this costs nothing."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Literal

from demosaic.errors import USAGE, DemosaicError

Rectangle = tuple[int, int, int, int]
Sampler = Literal["mean", "centre", "top-left", "linear"]

LEAST_SCORE = 0.3
"""What the detector is less sure of than this (0..1) is not taken for a face at all."""


def refuse(problems: Iterable[str | None]) -> None:
    """Raise one DemosaicError that lists every problem, if there is any; None is no problem."""
    found = [problem for problem in problems if problem]
    if found:
        raise DemosaicError("; ".join(found), USAGE)


def unless(good: bool, problem: str) -> str | None:
    """The problem, or None where all is good."""
    return None if good else problem


def misplaced(region: Rectangle) -> str | None:
    """What is wrong with a rectangle x, y, width, height in picture pixels, if anything is."""
    x, y, width, height = region
    return unless(
        min(x, y) >= 0 and min(width, height) >= 1,
        f"--region {','.join(map(str, region))}: give x,y,width,height, the last two 1 or more",
    )


def differences(before: dict[str, Any], now: object) -> list[str]:
    """How the config `now` differs from a stored record of one: `field old -> new`, by name.

    Records within a record count as if their fields were its own.
    """
    after = asdict(now)  # type: ignore[call-overload]
    flat_before, flat_after = _flat(before), _flat(after)
    return [
        f"{name.replace('_', '-')} {flat_before.get(name)} -> {flat_after.get(name)}"
        for name in sorted({*flat_before, *flat_after})
        if flat_before.get(name) != flat_after.get(name)
    ]


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            flat.update(_flat(value))
        else:
            flat[name] = list(value) if isinstance(value, tuple) else value
    return flat
