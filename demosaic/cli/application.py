"""The Typer application, and how a command ends."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from demosaic import __version__
from demosaic.cli.help import Group
from demosaic.cli.signals import ending_signals
from demosaic.cli.streams import careful_output
from demosaic.errors import INTERRUPTED, USAGE, DemosaicError

if TYPE_CHECKING:
    from demosaic.events import Listener


_LONGEST = 2000  # characters of a message: names and options may come from a stranger's file

_UsageError: Any = typer.BadParameter.__base__  # Typer gives no name of its own to the parent


@contextmanager
def listening(as_json: bool) -> Iterator["Listener"]:
    """The listeners of a command: the console or, with `--json`, JSON on stdout and the console on
    stderr.
    """
    from demosaic import events
    from demosaic.cli import console

    with console.Console(stderr=as_json) as screen:
        yield events.tee(events.write_to(sys.stdout), screen) if as_json else screen


class _Commands(Group):
    """Ends every expected failure with one line on stderr and its exit code."""

    def main(self, *args: Any, **extra: Any) -> Any:
        with ending_signals() as exit_code:
            code = exit_code(self._code(*args, **extra))
        sys.exit(code)

    def _code(self, *args: Any, **extra: Any) -> int:
        """Run the command; its exit code."""
        try:
            with careful_output():
                code = super().main(*args, **{**extra, "standalone_mode": False})
        except DemosaicError as error:
            return _fail(str(error), error.exit_code)
        except _UsageError as error:
            command = error.ctx.command_path if error.ctx else "demosaic"
            return _fail(f"{error.format_message()} (see {command} --help)", USAGE)
        if code == INTERRUPTED:  # what Typer makes of Ctrl-C
            return _fail("stopped: run the same command again", INTERRUPTED)
        return code if isinstance(code, int) else 0


def _fail(message: str, code: int) -> int:
    """Say why the command ends. Of several processes that train together, all of which fail for one
    reason, only the first one speaks.
    """
    if os.environ.get("RANK", "0") != "0":
        return code
    from demosaic.text import in_one_line

    said = in_one_line(" ".join(message.splitlines()))
    said = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."
    typer.echo(f"error: {said}", err=True)
    return code


app = typer.Typer(
    cls=_Commands,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"demosaic {__version__}")
        raise typer.Exit()


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_show_version, is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    """Photo folders in, a face-restoring model out, in three commands.

    \b
    demosaic build-dataset ./photos ./pairs
    demosaic train ./pairs
    demosaic restore face.jpg
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
