"""Defaults of the user's own: from the environment, and from demosaic.toml.

A file has a table for each command, with the names of options:

    [train]
    minutes = 60

Two files count, the one in the working folder before the one in the user's configuration folder.
No other folder is looked into: what lies beside photos or models may be a stranger's. Options that
name a file, overwrite or remove cannot be given there at all.
"""

import difflib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from demosaic.config.options import Option, written
from demosaic.errors import USAGE, DemosaicError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE = "demosaic.toml"

_LONGEST = 2**16  # bytes; a table for every command has some thousand

_YES, _NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


@dataclass(frozen=True)
class Default:
    """A default of the user's own."""

    given: Any
    """As on the command line: a text, a list of texts, or a flag."""
    source: str
    """The variable or the file that it comes from."""


def files() -> tuple[Path, Path]:
    """The files that count, the first before the second; neither need be there."""
    return Path(FILE), platformdirs.user_config_path("demosaic") / FILE


def defaults_of(command: str, options: Sequence[Option]) -> dict[str, Default]:
    """The user's defaults of a command's options, by field.

    Raises DemosaicError for a file that is no TOML, and for what is no such option.
    """
    named = {one.name.removeprefix("--"): one for one in options if not one.names_file}
    found: dict[str, Default] = {}
    for path in reversed(files()):
        for name, value in _table(path, command).items():
            option = named.get(name.replace("_", "-"))
            if option is None:
                raise DemosaicError(_unknown(path, command, name, named), USAGE)
            found[option.field] = Default(_as_given(value, option, path), str(path))
    for option in named.values():
        variable = variable_of(command, option)
        if variable in os.environ:
            found[option.field] = Default(_from_text(os.environ[variable], option), variable)
    return found


def variable_of(command: str, option: Option) -> str:
    """The environment variable of an option, such as DEMOSAIC_TRAIN_MINUTES."""
    name = f"demosaic-{command}-{option.name.removeprefix('--')}"
    return name.replace("-", "_").upper()


def _table(path: Path, command: str) -> Mapping[str, Any]:
    """What a file says of a command; nothing if there is no file."""
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST + 1)
        if len(text) > _LONGEST:
            raise ValueError("it is longer than 64 kB")
        tables = tomllib.loads(text.decode())
    except (OSError, ValueError) as error:  # TOML's own errors are ValueErrors
        raise DemosaicError(f"cannot read {path}: {error}", USAGE) from error
    loose = [name for name, value in tables.items() if not isinstance(value, dict)]
    if loose:
        raise DemosaicError(f"{path}: put {loose[0]} below a command, such as [train]", USAGE)
    table: Mapping[str, Any] = tables.get(command, {})
    return table


def _unknown(path: Path, command: str, name: str, known: Mapping[str, Option]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"{path}: {name} is no option of {command} that can have a default{hint}"


def _as_given(value: Any, option: Option, path: Path) -> Any:
    """A value of TOML as the command line would give it."""
    if option.type is bool or isinstance(value, bool):
        if option.type is bool and isinstance(value, bool):
            return value
        raise DemosaicError(f"{path}: {option.name[2:]} is true or false for a flag only", USAGE)
    return [*_texts(value)] if option.default == () else " ".join(_texts(value))


def _texts(value: Any) -> Iterator[str]:
    yield from map(written, value if isinstance(value, list) else [value])


def _from_text(text: str, option: Option) -> Any:
    if option.type is not bool:
        return text.split() if option.default == () else text
    if text.lower() not in (*_YES, *_NO):
        raise DemosaicError(f"{option.name}: give 1 or 0 in the environment, not {text}", USAGE)
    return text.lower() in _YES
