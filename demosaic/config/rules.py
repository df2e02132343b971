"""Frozen option records: the only home of a default. Importing this costs nothing."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Literal, get_args

from demosaic.errors import USAGE, DemosaicError

Rectangle = tuple[int, int, int, int]

Sampler = Literal["mean", "centre", "top-left", "linear"]

LEAST_SCORE = 0.3
"""Nothing the detector is less sure of (0..1) is taken for a face at all."""


def refuse(problems: Iterable[str | None]) -> None:
    """Raise one DemosaicError with every problem found, if there is any."""
    found = [problem for problem in problems if problem]
    if found:
        raise DemosaicError("; ".join(found), USAGE)


def unless(good: bool, problem: str) -> str | None:
    """The problem, if there is one."""
    return None if good else problem


def sampler_known(sampler: str) -> str | None:
    """What may be wrong with the name of a sampler."""
    known = sampler in get_args(Sampler)
    return unless(known, f"--sampler {sampler}: choose mean, centre, top-left or linear")


def misplaced(region: Rectangle) -> str | None:
    """What may be wrong with a rectangle of picture pixels."""
    x, y, width, height = region
    return unless(
        min(x, y) >= 0 and min(width, height) >= 1,
        f"--region {','.join(map(str, region))}: give x,y,width,height, the last two 1 or more",
    )


def differences(before: dict[str, Any], now: object) -> list[str]:
    """How the config `now` (a dataclass) differs from a stored record of one, as readable `field
    old -> new`.
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
