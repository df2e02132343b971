"""Options that several commands share and that belong to no record."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from demosaic.cli.options import own_option
from demosaic.errors import DemosaicError

if TYPE_CHECKING:
    from demosaic.imaging.batch import BatchReport

ModelOption = Annotated[
    Path | None,
    own_option(
        "The model file, or box for the one that comes with demosaic.",
        metavar="FILE",
        default="$DEMOSAIC_MODEL, the newest in runs/, the last you trained, or box",
    ),
]

ForceOption = Annotated[
    bool, typer.Option("--force", help="Replace results that are already there.")
]


def refuse_failures(report: "BatchReport[Any]") -> None:
    """Raise DemosaicError when some of the pictures failed, whose reasons are on the screen."""
    if report.failed:
        total = len(report.results) + len(report.skipped)
        raise DemosaicError(
            f"{report.failed} of {total} pictures failed, for the reasons above: the same command "
            "tries them again"
        )
