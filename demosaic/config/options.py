"""Options of a config record: default, help, bounds and choices stand on the field, once.

The check of a value, the option of the command line and its line in the reference are made from
the same field. A new option is one line in a record.
"""

import math
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field, fields
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from demosaic.config.reading import read_integer, read_number
from demosaic.config.rules import refuse
from demosaic.errors import USAGE, DemosaicError

USUAL = "Options"
"""The panel of the help that comes first: what one usually needs."""


def option(
    default: Any,
    help: str,
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    shown: str = "",
    metavar: str = "",
    panel: str = USUAL,
    flag: str = "",
    short: str = "",
    read: Callable[[Any], Any] | None = None,
) -> Any:
    """A field of a config record that is an option of the command line too.

    `ge`, `gt`, `le` and `lt` are the bounds of a number; choices are those of a `Literal` type.
    `shown` is the default in words, where the value itself does not say it. `flag` is the option's
    name where it is not the field's, `short` one of a single letter beside it. `read` makes the
    value from its text, or from a list of texts where the default is an empty tuple; it raises
    ValueError with the text and what to give.
    """
    described: dict[str, Any] = {
        "help": help,
        "ge": ge,
        "gt": gt,
        "le": le,
        "lt": lt,
        "shown": shown,
    }
    described |= {"metavar": metavar, "panel": panel, "flag": flag, "short": short, "read": read}
    return field(default=default, metadata=described)


def as_in(record: type, name: str, default: Any = MISSING, **changes: Any) -> Any:
    """The same option as the field `name` of another record; only `changes` differ."""
    (other,) = (one for one in fields(record) if one.name == name)
    chosen = other.default if default is MISSING else default
    return field(default=chosen, metadata={**other.metadata, **changes})


_READERS: dict[Any, Callable[[str], Any]] = {int: read_integer, float: read_number}


@dataclass(frozen=True)
class Option:
    """An option of a config record, read from its field."""

    field: str
    """The name of the field."""
    default: Any
    type: Any
    """Type of a value that is given, without None."""
    help: str
    ge: float | None
    gt: float | None
    le: float | None
    lt: float | None
    shown: str
    metavar: str
    panel: str
    flag: str
    short: str
    read: Callable[[Any], Any] | None

    @property
    def name(self) -> str:
        """The option on the command line: `--min-face`."""
        return self.flag or f"--{self.field.replace('_', '-')}"

    @property
    def names_file(self) -> bool:
        """Whether its value names a file to read."""
        return self.metavar in ("FILE", "MODEL")

    @property
    def choices(self) -> tuple[str, ...]:
        """The words to choose from; empty where any value of the type may be given."""
        return get_args(self.type) if get_origin(self.type) is Literal else ()

    @property
    def range(self) -> str:
        """The allowed values in words: `16 to 2048`, `8 or more`, `code or summary`, or empty."""
        if self.choices:
            return " or ".join((", ".join(self.choices[:-1]), self.choices[-1]))
        upper = self.le if self.le is not None else self.lt
        end = None if upper in (None, math.inf) else f"{'' if self.lt is None else 'below '}{upper}"
        if self.ge is None:
            start = None if self.gt is None else f"more than {self.gt}"
            return start or (f"at most {end}" if end else "")
        return f"{self.ge} to {end}" if end else f"{self.ge} or more"

    def value(self, given: Any) -> Any:
        """The value of what is given on the command line: a text, a list of texts, or a flag.

        Raises DemosaicError for a text that cannot be read.
        """
        read = self.read or _READERS.get(self.type)
        try:
            return read(given) if read else given
        except ValueError as error:
            raise DemosaicError(f"{self.name} {error}", USAGE) from None

    def allows(self, value: Any) -> bool:
        """Whether the value is one of the choices and within the bounds; NaN never is."""
        if self.choices:
            return value in self.choices
        return (
            (self.ge is None or value >= self.ge)
            and (self.gt is None or value > self.gt)
            and (self.le is None or value <= self.le)
            and (self.lt is None or value < self.lt)
        )

    def problem(self, value: Any) -> str | None:
        """What is wrong with a value, in one line; None where it may be None, or all is well."""
        if (value is None and self.default is None) or self.allows(value):
            return None
        return f"{self.name} {written(value)}: choose {self.range}"


def written(value: Any) -> str:
    """A value as a user would type it: `4`, not `4.0`."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def options_of(record: type) -> tuple[Option, ...]:
    """The options of a config record, in the order of its fields."""
    types = get_type_hints(record)
    return tuple(_described(one, types[one.name]) for one in fields(record) if one.metadata)


def _described(one: "Field[Any]", type_: Any) -> Option:
    return Option(one.name, one.default, _without_none(type_), **one.metadata)


def _without_none(type_: Any) -> Any:
    """`X` of `X | None`; any other type as it is."""
    if get_origin(type_) not in (Union, UnionType):
        return type_
    rest = tuple(one for one in get_args(type_) if one is not type(None))
    return rest[0] if len(rest) == 1 else type_


def check(config: Any, *rules: str | None) -> None:
    """Raise one DemosaicError that names every value out of its bounds, and every rule between
    values that is broken; a rule that holds is None.
    """
    values = (one.problem(getattr(config, one.field)) for one in options_of(type(config)))
    refuse((*values, *rules))
