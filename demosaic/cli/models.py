"""`models`."""

from pathlib import Path

from demosaic.cli.application import listening
from demosaic.cli.shared import JsonOption


def models(as_json: JsonOption = False) -> None:
    """List the models at hand, and which one `restore` takes.

    These are the models of the runs below runs/, the last one you trained, and the one that comes
    with the package. The first of the list is taken, unless --model names another.

    \b
    demosaic models
    """
    from demosaic.models import lookup

    with listening(as_json) as listen:
        listen(lookup.models_at_hand(Path()))
