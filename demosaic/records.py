"""Frozen records from JSON: every field is checked, and what is wrong is one clear line."""

from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import cattrs
from cattrs.errors import ForbiddenExtraKeysError

from demosaic.errors import DemosaicError
from demosaic.files import numbered_lines

Record = TypeVar("Record")


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
    field is missing, unknown or of another type.
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
            f"{where} is damaged, or from another version of demosaic ({problems})"
            + (f": {advice}" if advice else "")
        ) from error


def read_all(
    kind: type[Record], path: Path, *, advice: str = "", others: bool = False
) -> list[Record]:
    """The records in a file of JSON lines, without a torn last line; none when there is no file.

    Raises DemosaicError with the path and the number of a line that holds no such record.
    """
    return [
        read(kind, value, f"{path}, line {number}", advice=advice, others=others)
        for number, value in numbered_lines(path)
    ]


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
    return "missing" if isinstance(error, KeyError) else str(error)


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
    return converter


def _as_it_is(value: Any, kind: type) -> Any:
    """cattrs itself would make a number of a text."""
    if type(value) is not kind:
        raise TypeError(f"{value!r} is not {kind.__name__}")
    return value


def _number(value: Any, _: type) -> Any:
    if type(value) not in (int, float):
        raise TypeError(f"{value!r} is not a number")
    return value


def _is_literal(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is Literal


def _choice(value: Any, kind: Any) -> Any:
    if value not in get_args(kind):
        raise ValueError(f"{value!r} is none of {', '.join(map(str, get_args(kind)))}")
    return value


def _is_union_of_records(kind: Any) -> bool:
    return get_origin(kind) in (Union, UnionType) and all(map(is_dataclass, get_args(kind)))


def _read_before(value: Any, kind: Any) -> Any:
    """Which record of several it is depends on other fields: the caller knows, and reads it."""
    if not isinstance(value, get_args(kind)):
        raise TypeError("not a record")
    return value


_EXACT, _IGNORING = _converter(exact=True), _converter(exact=False)
