"""`models`."""

from pathlib import Path

from demosaic.cli.application import listening
from demosaic.config.screen import ScreenConfig


def models(*, screen: ScreenConfig) -> None:
    """List the models at hand, and which one `restore` takes.

    These are the models of the runs below runs/, the last one you trained, and the one that comes
    with the package. The first of the list is taken, unless --model names another.

    \b
    demosaic models
    """
    from demosaic.models import lookup

    with listening(screen) as listen:
        listen(lookup.models_at_hand(Path()))
