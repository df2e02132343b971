"""The user's own defaults, and where they come from, for `config`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from demosaic.cli.options import OPTIONS
from demosaic.config.defaults import defaults_of, files
from demosaic.config.options import Option, written
from demosaic.errors import USAGE, DemosaicError
from demosaic.events import Event


@dataclass(frozen=True)
class Setting:
    """An option of a command, and its value when it is not given."""

    command: str
    option: str
    value: str
    """As on the command line; empty for none."""
    source: str
    """The file or the variable that it is from; `demosaic` for the program's own default."""


@dataclass(frozen=True)
class Settings(Event):
    """The user's defaults."""

    files: Mapping[str, bool]
    """The files that count, the first before the second, and whether they are there."""
    settings: tuple[Setting, ...]


def settings_of(command: str | None) -> Settings:
    """Every option of a command, or those of all commands whose default is the user's own.

    Raises DemosaicError for another command, or a file that cannot be read.
    """
    if command is not None and command not in OPTIONS:
        raise DemosaicError(f"{command}: choose one of {', '.join(OPTIONS)}", USAGE)
    chosen = [command] if command else [*OPTIONS]
    found = (one for name in chosen for one in _settings(name, every=command is not None))
    return Settings({str(path): path.is_file() for path in files()}, tuple(found))


def _settings(command: str, *, every: bool) -> Iterator[Setting]:
    own = defaults_of(command, OPTIONS[command])
    for option in OPTIONS[command]:
        if option.field in own:
            given, source = own[option.field].given, own[option.field].source
            said = " ".join(given) if isinstance(given, list) else written(given)
            yield Setting(command, option.name, said, source)
        elif every:
            yield Setting(command, option.name, _own_default(option), "demosaic")


def _own_default(option: Option) -> str:
    if option.shown or option.default in (None, ()):
        return option.shown
    return written(option.default)
