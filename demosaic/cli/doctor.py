"""`doctor`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from demosaic.errors import DemosaicError


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Say whether everything demosaic needs is there and works.

    Looks at versions, devices and the disk, then takes a drawn face through the whole program:
    found, pixelated, trained on for one step, restored. Ends with 1 when something is wrong.

    \b
    demosaic doctor
    """
    from demosaic.cli import console
    from demosaic.doctor import checks as examination

    with console.Console(stderr=as_json) as screen:
        report = examination.diagnose(Path(), listen=screen)
    if as_json:
        typer.echo(json.dumps(asdict(report)))
    if report.problems:
        failed = ", ".join(check.what for check in report.problems)
        raise DemosaicError(f"{len(report.problems)} of {len(report.checks)} failed: {failed}")
