"""The commands by name. Nothing heavy is imported before a command needs it."""

from collections.abc import Callable

from demosaic.cli.application import app
from demosaic.cli.config import config
from demosaic.cli.dataset import build_dataset, forget
from demosaic.cli.doctor import doctor
from demosaic.cli.evaluate import compare, evaluate
from demosaic.cli.export import export
from demosaic.cli.help import Command
from demosaic.cli.models import models
from demosaic.cli.options import takes
from demosaic.cli.privacy import audit, pixelate
from demosaic.cli.restore import restore
from demosaic.cli.runs import runs
from demosaic.cli.serve import serve
from demosaic.cli.train import train

__all__ = ["app", "main"]


def _add(command: Callable[..., None], panel: str, name: str | None = None) -> None:
    app.command(name, cls=Command, rich_help_panel=panel)(takes(command))


_add(build_dataset, "From photos to a restored face", "build-dataset")
_add(train, "From photos to a restored face")
_add(restore, "From photos to a restored face")
_add(serve, "From photos to a restored face")
_add(evaluate, "Measuring models")
_add(compare, "Measuring models")
_add(runs, "Measuring models")
_add(models, "Measuring models")
_add(pixelate, "Privacy")
_add(audit, "Privacy")
_add(forget, "Privacy")
_add(export, "More")
_add(config, "More")
_add(doctor, "More")


def main() -> None:
    """The console script."""
    app()
