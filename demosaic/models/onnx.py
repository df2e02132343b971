"""A model as ONNX, for programs without PyTorch."""

import json
import logging
import warnings
from dataclasses import asdict
from functools import singledispatch
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from demosaic.errors import DemosaicError, how_to_install
from demosaic.files import write_with
from demosaic.models.inputs import Views, observe, views
from demosaic.models.model import Model, Pix2PixModel, TwoStageModel
from demosaic.models.noise import PLANES
from demosaic.models.restorer import Restorer
from demosaic.mosaic.grid import Grid

_MEANINGS = {
    "observed": "The pictures to restore, RGB in [-1, 1].",
    "seen": "RGB in [-1, 1]: the smooth image with the cells' means in the mosaic, the picture "
    "elsewhere.",
    "hidden": "1 where there is mosaic, 0 elsewhere.",
    "guide": "At a quarter of the size: sine and cosine of the place in the cell, down and across; "
    "log2 of the cells' height and width, 4 to 32 px as -1 to 1; place in the picture, down and "
    "across, -1 to 1; consistency.",
    "colours": "The means of the cells, RGB in [-1, 1].",
    "means_down": "K x height: takes the means of K rows of cells.",
    "means_across": "L x width: takes the means of L columns of cells.",
    "smooth_down": "height x K: makes the smooth image of K rows of cells.",
    "smooth_across": "width x L: makes the smooth image of L columns of cells.",
    "pull": "How far the result keeps the means, 0 to 1.",
    "white": "Standard normal noise; other noise draws another face.",
    "restored": "The restored pictures, RGB in [-1, 1].",
}
"""What inputs and outputs are, by name; it stands in the file too."""

_Exported = tuple[nn.Module, dict[str, Tensor], Any]
"""What to export, example inputs by name, and which of their sides may differ at use."""


class _OfTensors(nn.Module):
    """A restorer whose arguments are tensors: ONNX knows nothing else."""

    def __init__(self, restorer: Restorer, realism: float) -> None:
        super().__init__()
        self.restorer = restorer
        self.realism = realism

    def forward(self, *tensors: Tensor) -> Tensor:
        restored: Tensor = self.restorer(Views(*tensors), self.realism)
        return restored


class _OfNoise(_OfTensors):
    """The same, drawing from the white noise that is its last argument."""

    def forward(self, *tensors: Tensor) -> Tensor:
        *shown, white = tensors
        return self.restorer.drawn(Views(*shown), self.realism, white)


def export_onnx(model: Model, path: Path, *, realism: float) -> None:
    """Write a model (on the CPU) as an ONNX file whose description says how to use it.

    The article's model takes `observed` (N, 3, S, S) in [-1, 1]. The default recipe's takes what
    `inputs.Views` holds, N mosaics of S x S pixels with any cells, and restores them with
    `realism`, 0..1. When that is drawn it also takes `white`, standard normal noise (N, PLANES, S,
    S). Both give `restored`, (N, 3, S, S). Raises DemosaicError when onnxscript is not installed.
    """
    try:
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise DemosaicError(
            f"ONNX needs the package onnxscript: {how_to_install('onnx')}"
        ) from error
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns that torchvision is missing
    network, inputs, free = _exported(model, realism)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns about its own code
        program = torch.onnx.export(
            network,
            tuple(inputs.values()),
            input_names=[*inputs],
            output_names=["restored"],
            dynamic_shapes=free,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    for value in (*program.model.graph.inputs, *program.model.graph.outputs):
        value.doc_string = _MEANINGS.get(value.name or "")
    program.model.metadata_props["demosaic"] = json.dumps(asdict(model.card))
    write_with(path, lambda part: program.save(part))


@singledispatch
def _exported(model: Model, realism: float) -> _Exported:
    raise NotImplementedError(type(model))


@_exported.register
def _(model: Pix2PixModel, realism: float) -> _Exported:
    observed = torch.zeros(2, 3, model.card.size, model.card.size)
    return model.generator, {"observed": observed}, ({0: torch.export.Dim("count", min=1)},)


@_exported.register
def _(model: TwoStageModel, realism: float) -> _Exported:
    side, count = model.card.size, torch.export.Dim("count", min=1)
    rows, columns = (torch.export.Dim(name, min=2) for name in ("rows", "columns"))
    picture = np.full((side, side, 3), 128, np.uint8)
    grid = Grid(side // 8, side // 4)
    shown = vars(views([observe(picture, grid)] * 2))
    free: dict[str, dict[int, Any]] = {name: {0: count} for name in shown}
    free["colours"] |= {2: rows, 3: columns}
    free["means_down"] |= {2: rows}
    free["means_across"] |= {2: columns}
    free["smooth_down"] |= {3: rows}
    free["smooth_across"] |= {3: columns}
    if not (model.draws and realism > 0):
        return _OfTensors(model.generator, realism), shown, (tuple(free.values()),)
    shown["white"], free["white"] = torch.zeros(2, PLANES, side, side), {0: count}
    return _OfNoise(model.generator, realism), shown, (tuple(free.values()),)
