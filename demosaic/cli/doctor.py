"""`doctor`."""

from pathlib import Path

from demosaic.cli.application import listening
from demosaic.config.screen import ScreenConfig
from demosaic.errors import DemosaicError


def doctor(*, screen: ScreenConfig) -> None:
    """Check that everything demosaic needs is there and works.

    Checks versions, devices and the disk, then takes a drawn face through the whole program: finds
    it, pixelates it, trains on it for one step and restores it. Exits with 1 when something is
    wrong.

    \b
    demosaic doctor
    """
    from demosaic.doctor import checks as examination

    with listening(screen) as listen:
        report = examination.diagnose(Path(), listen=listen)
        listen(report)
    if report.problems:
        failed = ", ".join(check.what for check in report.problems)
        raise DemosaicError(f"{len(report.problems)} of {len(report.checks)} failed: {failed}")
