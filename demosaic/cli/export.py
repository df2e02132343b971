"""`export`."""

from pathlib import Path
from typing import Annotated

import typer

from demosaic.cli.options import RealismOption
from demosaic.config.restoration import RestoreConfig
from demosaic.errors import DemosaicError


def export(
    model: Annotated[Path, typer.Argument(help="The model file.")],
    onnx: Annotated[
        bool, typer.Option("--onnx", help="As ONNX, the only format so far.", show_default=False)
    ] = True,
    out: Annotated[
        Path | None, typer.Option(help="The file to write.", show_default="beside the model")
    ] = None,
    realism: RealismOption = RestoreConfig.realism,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a file that is already there.")
    ] = False,
) -> None:
    """Write a model as ONNX, for programs without PyTorch.

    \b
    demosaic export runs/pairs-default/best.safetensors --onnx
    """
    config = RestoreConfig(realism=realism)
    from demosaic.cli import console
    from demosaic.models import checkpoint
    from demosaic.models import onnx as exporting

    path = out or model.with_suffix(".onnx")
    if path.is_file() and not force:
        raise DemosaicError(f"{path} is already there: --force replaces it")
    exporting.export_onnx(checkpoint.load_model(model), path, realism=config.realism)
    with console.Console() as screen:
        screen.say(f"saved {path}")
