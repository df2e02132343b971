"""The commands by name. Nothing heavy is imported before a command needs it."""

from demosaic.cli.application import app
from demosaic.cli.dataset import build_dataset, forget
from demosaic.cli.doctor import doctor
from demosaic.cli.evaluate import compare, evaluate
from demosaic.cli.export import export
from demosaic.cli.privacy import audit, pixelate
from demosaic.cli.restore import restore
from demosaic.cli.train import train

__all__ = ["app", "main"]

app.command("build-dataset")(build_dataset)
app.command()(forget)
app.command()(train)
app.command()(restore)
app.command()(pixelate)
app.command()(evaluate)
app.command()(compare)
app.command()(export)
app.command()(audit)
app.command()(doctor)


def main() -> None:
    """The console script."""
    app()
