"""Options of a command, made from the fields of the config records that it takes."""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from typing import Annotated, Any, get_args, get_origin

import typer

from demosaic.config.defaults import Default, defaults_of
from demosaic.config.options import Option, options_of, written
from demosaic.config.training import TrainConfig
from demosaic.text import in_one_line

OPTIONS: dict[str, tuple[Option, ...]] = {}
"""The options that come from records, by command."""

_METAVARS = {int: "INTEGER", float: "NUMBER", str: "TEXT"}


class Only:
    """In `Annotated[Record, Only("field")]`: the command takes these options of the record alone;
    the other fields keep their defaults.
    """

    def __init__(self, *fields: str) -> None:
        self.fields = fields


@dataclass(frozen=True)
class Chosen:
    """In `Annotated[dict[str, Any], Chosen(records)]`: the command takes the options of all these
    records, by preset, and gets the values given, by field.
    """

    records: Mapping[str, type]


def takes(command: Callable[..., None]) -> Callable[..., None]:
    """The command as Typer reads it: a parameter that is a config record becomes its options.

    From the options given, the record is built and handed to the command. What is not given keeps
    the default of the record, which is the only one.
    """
    parameters = inspect.signature(command).parameters
    sources = {name: _source(one.annotation) for name, one in parameters.items()}

    name_of_command = command.__name__.replace("_", "-")
    every = tuple(one for source in sources.values() if source for one in source.options)
    OPTIONS[name_of_command] = every

    @functools.wraps(command)
    def with_records(**given: Any) -> None:
        # What a run's config.json says is before the user's defaults
        own = {} if given.get("config_file") else defaults_of(name_of_command, every)
        taken: dict[str, Default] = {}
        for name, source in sources.items():
            if source:
                values = {one.field: given.pop(one.field) for one in source.options}
                taken |= source.fill(values, own, given.get("preset", ""))
                given[name] = source.build(values)
        _say(taken, given.get("screen"))
        command(**given)

    made: list[inspect.Parameter] = []
    for name, one in parameters.items():
        source = sources[name]
        made += source.parameters() if source else [one]
    signature = inspect.Signature([one.replace(kind=one.KEYWORD_ONLY) for one in made])
    with_records.__signature__ = signature  # type: ignore[attr-defined]
    with_records.__annotations__ = {one.name: one.annotation for one in made}
    return with_records


def _say(taken: Mapping[str, Default], screen: Any) -> None:
    """Say on stderr which of the user's defaults are taken, by where they are from."""
    if screen is None or screen.quiet:
        return
    for source in dict.fromkeys(one.source for one in taken.values()):
        named = (field for field, one in taken.items() if one.source == source)
        options = ", ".join(f"--{field.replace('_', '-')} {taken[field].given}" for field in named)
        typer.echo(in_one_line(f"from {source}: {options}"), err=True)


@dataclass(frozen=True)
class _Source:
    """Where options come from, and what the command gets for them."""

    options: tuple[Option, ...]
    make: Callable[..., Any]
    defaults: Mapping[str, str]
    """What the help says of the default, by field."""
    fits: Callable[[str, str, Mapping[str, Any]], bool] = lambda *_: True
    """Whether a default for a field goes with the preset and the values given."""

    def fill(
        self, values: dict[str, Any], own: Mapping[str, Default], preset: str
    ) -> dict[str, Default]:
        """Put the user's own defaults in the place of values that are not given; those taken, by
        field.
        """
        before = {field: value for field, value in values.items() if value not in (None, [])}
        taken = {
            field: default
            for field, default in own.items()
            if field in values and field not in before and self.fits(field, preset, before)
        }
        values |= {field: default.given for field, default in taken.items()}
        return taken

    def build(self, values: Mapping[str, Any]) -> Any:
        """What the command gets, from the values by field; None is one that is not given."""
        given = ((one, values[one.field]) for one in self.options)
        return self.make(
            **{one.field: one.value(text) for one, text in given if text not in (None, [])}
        )

    def parameters(self) -> list[inspect.Parameter]:
        """The options as parameters that Typer understands."""
        return [_parameter(one, self.defaults[one.field]) for one in self.options]


def _source(annotation: Any) -> _Source | None:
    """What a parameter of a command stands for; None for one that is an option itself."""
    record, *notes = get_args(annotation) if get_origin(annotation) is Annotated else [annotation]
    for note in notes:
        if isinstance(note, Chosen):
            return _of_presets(note.records)
    if not is_dataclass(record):
        return None
    assert isinstance(record, type)
    every = {one.field: one for one in options_of(record)}
    taken = next((note.fields for note in notes if isinstance(note, Only)), every)
    options = tuple(every[field] for field in taken)
    return _Source(options, record, {one.field: _default(one) for one in options})


def _of_presets(records: Mapping[str, type]) -> _Source:
    """The options of all records, each once, with the default that it has in each."""
    options: dict[str, Option] = {}
    defaults: dict[str, dict[str, str]] = {}
    for preset, record in records.items():
        for one in options_of(record):
            options.setdefault(one.field, one)
            defaults.setdefault(one.field, {})[preset] = _default(one)
    shown = {name: _in_each(texts) for name, texts in defaults.items()}
    known = {
        preset: {one.field for one in options_of(record)} for preset, record in records.items()
    }

    def fits(field: str, preset: str, given: Mapping[str, Any]) -> bool:
        exclusive = {"minutes", "steps"}
        return field in known.get(preset, ()) and not (
            field in exclusive and exclusive & given.keys()
        )

    return _Source(tuple(options.values()), dict, shown, fits)


def _in_each(defaults: Mapping[str, str]) -> str:
    """One default where all presets have the same; else `8; 4 with seed`."""
    if len({*defaults.values()}) == 1:
        return next(iter(defaults.values()))
    said = {preset: text for preset, text in defaults.items() if text}
    usual = TrainConfig.preset
    return "; ".join(text if one == usual else f"{text} with {one}" for one, text in said.items())


def _default(one: Option) -> str:
    """The default as the help shows it; empty where there is none."""
    if one.shown or one.default is None or isinstance(one.default, bool):
        return one.shown
    return written(one.default)


def _parameter(one: Option, default: str) -> inspect.Parameter:
    """An option as a parameter that Typer understands; it is None unless given.

    Typer hands over texts: the record reads and checks them, with messages of its own.
    """
    # A range with one end, such as "1 or more", says nothing that a user does not expect
    notes = [f"default: {default}" if default else "", one.range if " to " in one.range else ""]
    type_: Any = bool if one.type is bool else list[str] if one.default == () else str
    option = typer.Option(
        *filter(None, (one.name, one.short)),
        help=described(one.help, *notes),
        metavar=one.metavar or "|".join(one.choices) or _METAVARS.get(one.type),
        autocompletion=completing(one.choices) if one.choices else None,
        rich_help_panel=one.panel,
        show_default=False,
    )
    return inspect.Parameter(
        one.field,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[type_ | None, option],
    )


def completing(choices: Sequence[str]) -> Callable[[], list[str]]:
    """What the shell offers for an option with these choices."""
    return lambda: [*choices]


def described(help: str, *notes: str) -> str:
    """The help of an option with notes on its value, such as default and range, in brackets."""
    said = "; ".join(note for note in notes if note)
    return f"{help}  [{said}]" if said else help


def own_option(help: str, *, metavar: str, default: str) -> Any:
    """An option that belongs to no record, with its default in words."""
    note = described(help, f"default: {default}")
    return typer.Option(help=note, metavar=metavar, show_default=False)
