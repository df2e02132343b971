"""Options that several commands share and that belong to no record."""

from pathlib import Path
from typing import Annotated

import typer

from demosaic.cli.options import own_option

ModelOption = Annotated[
    Path | None,
    own_option(
        "The model file.",
        metavar="FILE",
        default="$DEMOSAIC_MODEL, the newest in runs/, or the last you trained",
    ),
]

ForceOption = Annotated[
    bool, typer.Option("--force", help="Replace results that are already there.")
]

JsonOption = Annotated[
    bool,
    typer.Option(
        "--json", help="Report every event as a line of JSON on stdout; text goes to stderr."
    ),
]
