"""`export`."""

from pathlib import Path
from typing import Annotated

import typer

from demosaic.cli.application import listening
from demosaic.cli.options import Only, own_option
from demosaic.cli.shared import ForceOption
from demosaic.config.restoration import RestoreConfig
from demosaic.config.screen import ScreenConfig
from demosaic.errors import DemosaicError


def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The model file, or box.")],
    *,
    config: Annotated[RestoreConfig, Only("realism")],
    onnx: Annotated[bool, typer.Option("--onnx", help="As ONNX, the only format so far.")] = True,
    out: Annotated[
        Path | None,
        own_option(
            "The file to write.", metavar="FILE", default="beside the model, with the suffix .onnx"
        ),
    ] = None,
    force: ForceOption = False,
    screen: ScreenConfig,
) -> None:
    """Write a model as ONNX, for programs without PyTorch.

    \b
    demosaic export runs/pairs-default/best.safetensors --onnx
    """
    from demosaic.models import checkpoint
    from demosaic.models import onnx as exporting
    from demosaic.models.box import beside, model_file
    from demosaic.models.events import ModelExported

    model = model_file(model)
    path = out or beside(model, f"{model.stem}.onnx")
    if path.is_file() and not force:
        raise DemosaicError(f"{path} is already there: --force replaces it")
    with listening(screen) as listen:
        exporting.export_onnx(checkpoint.load_model(model), path, realism=config.realism)
        listen(ModelExported(str(model), str(path), config.realism))
