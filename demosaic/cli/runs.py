"""`runs`."""

from pathlib import Path

from demosaic.cli.application import listening
from demosaic.config.screen import ScreenConfig


def runs(*, screen: ScreenConfig) -> None:
    """List your trainings: how far each has come, how good its model is, and how old.

    These are the runs below runs/, the newest first. The score is that of the best model on the
    validation faces of its own dataset: runs on other pairs cannot be compared by it, `compare`
    can. `models` says which model `restore` takes.

    \b
    demosaic runs
    """
    from demosaic.training import runs as trainings

    with listening(screen) as listen:
        listen(trainings.runs_in(Path("runs")))
