"""`config`."""

from typing import Annotated

import typer

from demosaic.cli.application import listening
from demosaic.cli.settings import settings_of
from demosaic.config.screen import ScreenConfig


def config(
    command: Annotated[
        str | None,
        typer.Argument(metavar="[COMMAND]", help="Show every option of this command."),
    ] = None,
    *,
    screen: ScreenConfig,
) -> None:
    """Show which defaults are yours, and where each comes from.

    An option that is not given is taken from the variable DEMOSAIC_COMMAND_OPTION, then from
    demosaic.toml in the working folder, then from that in your configuration folder. A file has a
    table for each command: below [train], `minutes = 60`. No other folder is looked into, as a file
    beside photos may be a stranger's; for the same reason, options that name a file, overwrite or
    remove cannot have a default there. $DEMOSAIC_MODEL names the model to use.

    \b
    demosaic config
    demosaic config train
    """
    with listening(screen) as listen:
        listen(settings_of(command))
