"""The Typer application, and how a command ends."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from demosaic import __version__
from demosaic.cli.help import Group
from demosaic.cli.signals import ending_signals
from demosaic.cli.streams import careful_output
from demosaic.errors import INTERRUPTED, USAGE, DemosaicError, exit_code_of

if TYPE_CHECKING:
    from demosaic.config.screen import ScreenConfig
    from demosaic.events import Listener


_WIDEST_HELP = 120  # columns, where the terminal has so many: longer lines are hard to read

_SIGNALS = exit_code_of(0)  # a code above is that of a signal

_LONGEST = 2000  # characters of a message: names and options may come from a stranger's file

_UsageError: Any = typer.BadParameter.__base__  # Typer gives no name of its own to the parent


@contextmanager
def listening(screen: "ScreenConfig") -> Iterator["Listener"]:
    """The listeners of a command: the console or, with `--json`, JSON on stdout and the console on
    stderr.
    """
    from demosaic import events
    from demosaic.cli import console

    terminal = console.terminal(stderr=screen.json)
    with console.Console(terminal, quiet=screen.quiet, verbose=screen.verbose) as shown:
        yield events.tee(events.write_to(sys.stdout), shown) if screen.json else shown


class _Commands(Group):
    """Ends every expected failure with one line on stderr and its exit code."""

    def main(self, *args: Any, **extra: Any) -> Any:
        with ending_signals() as exit_code:
            code = self._code(exit_code, *args, **extra)
        sys.exit(code)

    def _code(self, of_signal: Callable[[int], int], *args: Any, **extra: Any) -> int:
        """Run the command; its exit code."""
        as_json = "--json" in (args[0] if args else extra.get("args") or sys.argv)
        try:
            with careful_output():
                code = super().main(*args, **{**extra, "standalone_mode": False})
        except DemosaicError as error:
            return _end(str(error), of_signal(error.exit_code), as_json)
        except _UsageError as error:
            command = error.ctx.command_path if error.ctx else "demosaic"
            return _end(f"{error.format_message()} (see {command} --help)", USAGE, as_json)
        if code == INTERRUPTED:  # what Typer makes of Ctrl-C
            return _end("stopped", of_signal(code), as_json)
        return code if isinstance(code, int) else 0


def _end(message: str, code: int, as_json: bool) -> int:
    """Say why the command ends before it is done; its exit code. Of several processes that train
    together, all of which end for one reason, only the first one speaks.

    What Ctrl-C or another signal ended is no error.
    """
    if os.environ.get("RANK", "0") != "0":
        return code
    from demosaic.events import Failed, write_to
    from demosaic.text import in_one_line, in_width

    said = in_one_line(" ".join(message.splitlines()))
    said = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."
    if as_json and sys.stdout:
        with suppress(OSError):  # a full disk or a closed pipe may be why it ends
            write_to(sys.stdout)(Failed(said, code))
    line = said[:1].upper() + said[1:] if code > _SIGNALS else f"error: {said}"
    width = shutil.get_terminal_size().columns if sys.stderr.isatty() else None
    typer.echo(in_width(line, width), err=True)
    return code


app = typer.Typer(
    cls=_Commands,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": _WIDEST_HELP},
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
