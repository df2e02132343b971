"""Help as plain text, with options and commands in panels.

Typer draws panels with rich, which takes longer to import than the rest of the program.
"""

from collections.abc import Iterable
from typing import Any

from typer.core import TyperCommand, TyperGroup

from demosaic.config.options import USUAL

Rows = list[tuple[str, str]]

_ARGUMENTS = "Arguments"


class Command(TyperCommand):
    """A command whose help shows its options in panels."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """What follows the command's name in its usage line."""
        return [
            "[OPTIONS]",
            *(_term(one) for one in self.params if one.param_type_name == "argument"),
        ]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write every panel as a section."""
        for title, rows in panels(self.get_params(ctx)).items():
            with formatter.section(title):
                formatter.write_dl(rows)


class Group(TyperGroup):
    """Commands whose help shows them in panels."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options, then every panel of commands as a section."""
        with formatter.section(USUAL):
            formatter.write_dl(panels(self.get_params(ctx))[USUAL])
        found: dict[str, Rows] = {}
        for name, command in self.commands.items():
            title = getattr(command, "rich_help_panel", None) or "Commands"
            found.setdefault(title, []).append((name, command.get_short_help_str(limit=80)))
        for title, rows in found.items():
            with formatter.section(title):
                formatter.write_dl(rows)


def panels(parameters: Iterable[Any]) -> dict[str, Rows]:
    """A command's arguments and options, as term and help, by the title of their panel.

    Arguments come first, then what one usually needs, then the panels in the order of the options.
    """
    found: dict[str, Rows] = {_ARGUMENTS: [], USUAL: []}
    for one in parameters:
        found.setdefault(_panel(one), []).append((_term(one), one.help or ""))
    return {title: rows for title, rows in found.items() if rows}


def _panel(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return _ARGUMENTS
    return getattr(parameter, "rich_help_panel", None) or USUAL


def _term(parameter: Any) -> str:
    """`--size INTEGER`, `-h, --help` or `PHOTOS...`."""
    if parameter.param_type_name == "argument":
        return f"{parameter.metavar}{'...' if parameter.nargs != 1 else ''}"
    names = ", ".join(sorted(parameter.opts, key=len))
    return names if parameter.is_flag else f"{names} {parameter.metavar or 'TEXT'}"
