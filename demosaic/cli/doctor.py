"""`doctor`."""

from pathlib import Path

from demosaic.cli.application import listening
from demosaic.cli.shared import JsonOption
from demosaic.errors import DemosaicError


def doctor(as_json: JsonOption = False) -> None:
    """Check that everything demosaic needs is there and works.

    Checks versions, devices and the disk, then takes a drawn face through the whole program: finds
    it, pixelates it, trains on it for one step and restores it. Exits with 1 when something is
    wrong.

    \b
    demosaic doctor
    """
    from demosaic.doctor import checks as examination

    with listening(as_json) as listen:
        report = examination.diagnose(Path(), listen=listen)
        listen(report)
    if report.problems:
        failed = ", ".join(check.what for check in report.problems)
        raise DemosaicError(f"{len(report.problems)} of {len(report.checks)} failed: {failed}")
