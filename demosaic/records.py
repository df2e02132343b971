"""Frozen records from JSON: every field is checked, and what is wrong is one clear line.

A stranger may have written the JSON. A type says of what kind a value is, and a `Rule` beside it
what else it must be:

    @dataclass(frozen=True)
    class Photo:
        sha256: Annotated[str, digits(64)]
        width: Annotated[int, between(1, 65_535)]
"""

import math
import re
import reprlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import cattrs
from cattrs.errors import ForbiddenExtraKeysError

from demosaic.errors import DemosaicError
from demosaic.files import numbered_lines
from demosaic.text import in_one_line

Record = TypeVar("Record")

_LONGEST = 300  # characters of what is said about one record: a stranger chooses its names

_LARGEST = 2**63  # so that numpy and torch can take every whole number


@dataclass(frozen=True)
class Rule:
    """In `Annotated[type, Rule(...)]`: what a value of the type must be, besides."""

    what: str
    """In words, to follow `is not`."""
    fits: Callable[[Any], bool]


def between(least: float, most: float) -> Rule:
    """The value is a number from `least` to `most`, both included."""
    return Rule(f"{least:g} to {most:g}", lambda value: least <= value <= most)


def digits(count: int) -> Rule:
    """The value is a text of `count` hexadecimal digits, in lower case as hashes are written."""
    form = re.compile(f"[0-9a-f]{{{count}}}")
    return Rule(f"{count} hexadecimal digits", lambda value: form.fullmatch(value) is not None)


def read(
    kind: type[Record],
    value: object,
    where: str,
    *,
    advice: str = "",
    others: bool = False,
    complete: bool = False,
) -> Record:
    """The dataclass `kind` made of a value that came from JSON. Lists become the tuples and objects
    the dataclasses that the fields declare; a whole number stays an `int` in a field for floats, so
    that it is written again as it was. In a field for one of several dataclasses one must stand
    already.

    `others`: fields that `kind` does not have are ignored. `complete`: fields with a default must
    be there too. Raises DemosaicError, which begins with `where` and ends with `advice`, when a
    field is missing, unknown, of another type or against a rule, and for a number that is not
    finite or has more than 64 bits.
    """
    converter = _IGNORING if others else _EXACT
    try:
        if not isinstance(value, dict):
            raise TypeError("not an object")
        if complete:
            _refuse_missing(kind, value)
        return converter.structure(value, kind)
    except (cattrs.BaseValidationError, TypeError) as error:
        problems = "; ".join(map(_sentence, cattrs.transform_error(error, "", _problem)))
        raise DemosaicError(
            f"{where} is damaged, or from another version of demosaic ({_shortened(problems)})"
            + (f": {advice}" if advice else "")
        ) from error


def read_all(
    kind: type[Record], path: Path, *, advice: str = "", others: bool = False
) -> list[Record]:
    """The records in a file of JSON lines, without a torn last line; none when there is no file.

    Raises DemosaicError with the path and the number of a line that holds no such record.
    """
    return [*read_each(kind, path, advice=advice, others=others)]


def read_each(
    kind: type[Record], path: Path, *, advice: str = "", others: bool = False
) -> Iterator[Record]:
    """The same records, one after the other."""
    for number, value in numbered_lines(path):
        yield read(kind, value, f"{path}, line {number}", advice=advice, others=others)


def _refuse_missing(kind: Any, value: dict[str, Any]) -> None:
    missing = {field.name for field in fields(kind)} - value.keys()
    if missing:
        raise TypeError(f"missing: {', '.join(sorted(missing))}")


def _problem(error: BaseException, kind: type | None) -> str:
    """What is wrong with the value of one field, or with the names of all."""
    if isinstance(error, ForbiddenExtraKeysError):
        return f"unknown: {', '.join(sorted(error.extra_fields))}"
    if isinstance(error, AttributeError):  # cattrs asked a list or a number for its keys
        return "not an object"
    if isinstance(error, KeyError):
        return "missing"
    return str(error).partition(" to structure as ")[0]  # what follows is the type as Python has it


def _shortened(text: str) -> str:
    """What is said in one line that never fills the screen."""
    text = in_one_line(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _sentence(found: str) -> str:
    """`box[0]: 'a' is not int` for `'a' is not int @ .box[0]`, as cattrs joins them."""
    problem, _, field = found.rpartition(" @ ")
    return f"{field[1:]}: {problem}" if field else problem


def _converter(*, exact: bool) -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=exact)
    for kind in (bool, int, str):
        converter.register_structure_hook(kind, _as_it_is)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook_func(_is_literal, _choice)
    converter.register_structure_hook_func(_is_union_of_records, _read_before)
    converter.register_structure_hook_factory(_has_rules, _checking)
    return converter


def _as_it_is(value: Any, kind: type) -> Any:
    """cattrs itself would make a number of a text."""
    if type(value) is not kind:
        raise TypeError(f"{reprlib.repr(value)} is not {kind.__name__}")
    if type(value) is int and abs(value) >= _LARGEST:
        raise ValueError(f"{reprlib.repr(value)} is too large")
    return value


def _number(value: Any, _: type) -> Any:
    if type(value) is int:
        return _as_it_is(value, int)
    if type(value) is not float:
        raise TypeError(f"{reprlib.repr(value)} is not a number")
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is not finite")
    return value


def _has_rules(kind: Any) -> bool:
    return get_origin(kind) is Annotated and isinstance(kind.__metadata__[0], Rule)


def _checking(kind: Any, converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    """How a value of an annotated type is read: as the type, then by each rule."""
    base, *rules = get_args(kind)
    inner = converter.get_structure_hook(base)

    def check(value: Any, _: Any) -> Any:
        made = inner(value, base)
        for rule in rules:
            if not rule.fits(made):
                raise ValueError(f"{reprlib.repr(value)} is not {rule.what}")
        return made

    return check


def _is_literal(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is Literal


def _choice(value: Any, kind: Any) -> Any:
    choices = get_args(kind)
    if not any(value == one and type(value) is type(one) for one in choices):  # true is not 1
        raise ValueError(f"{reprlib.repr(value)} is none of {', '.join(map(str, choices))}")
    return value


def _is_union_of_records(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType) and all(map(is_dataclass, get_args(kind)))


def _read_before(value: Any, kind: Any) -> Any:
    """Which record of several it is depends on other fields: the caller knows, and reads it."""
    if not isinstance(value, get_args(kind)):
        raise TypeError("not a record")
    return value


_EXACT, _IGNORING = _converter(exact=True), _converter(exact=False)
