"""The reference of the command line as Markdown; `python -m demosaic.cli.reference` prints it."""

import inspect
import sys
from collections.abc import Iterator
from typing import Any

import typer

from demosaic.cli.help import panels
from demosaic.cli.main import app

_HEAD = """# Command line

Every command shows its part of this page with `--help`. `demosaic -V` shows the version,
`demosaic --install-completion` lets your shell complete commands, options and choices.

A command ends with one of these codes:

| Code | Meaning |
|---|---|
| 0 | done |
| 1 | a problem that you can fix |
| 2 | wrong usage |
| 3 | nothing to do |
| 130 | you pressed Ctrl-C; what was done is kept |
| 143, 129 | the system ended it (SIGTERM), the terminal was closed (SIGHUP); the same |

With `--json` a command writes every event as a line of JSON to stdout: an object whose `event` is
its kind. The last line of a command that makes a report is the report; of one that ends early it is
`Failed`, with `message` and `exit_code`. [Events](events.md) lists all of them.

This page is made from the commands: do not edit it, run
`python -m demosaic.cli.reference > docs/cli.md`.
"""


def reference() -> str:
    """All commands with their arguments and options, as one Markdown page."""
    group: Any = typer.main.get_command(app)
    parts = [_HEAD]
    for name, command in group.commands.items():
        usage = " ".join(command.collect_usage_pieces(None))
        parts += [f"## {name}\n", f"`demosaic {name} {usage}`\n"]
        parts += [*_text(command.help), *_options(command)]
    return "\n".join(parts)


def _text(docstring: str) -> Iterator[str]:
    """The paragraphs of a command's help; what stays line by line becomes a block of code."""
    for paragraph in inspect.cleandoc(docstring).split("\n\n"):
        lines = paragraph.splitlines()
        if lines[0] == "\b":
            yield "\n".join(f"    {line}" for line in lines[1:]) + "\n"
        else:
            yield paragraph + "\n"


def _options(command: Any) -> Iterator[str]:
    """A table for every panel."""
    for title, rows in panels(command.params).items():
        yield f"| {title} | |\n|---|---|"
        for term, text in rows:
            yield f"| `{_cell(term)}` | {_cell(text)} |"
        yield ""


def _cell(text: str) -> str:
    """The text with `|` escaped, as a cell of a table needs it, and in one line."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(reference())
