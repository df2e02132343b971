"""Model files, and the saved state of a run. Only this module knows safetensors.

A model is one safetensors file; the header's `demosaic` entry holds the ModelCard as JSON. Nothing
from a stranger is unpickled: safetensors cannot hold code, and a run's own resume.pt is read with
`weights_only`.
"""

import errno
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from demosaic import __version__
from demosaic.config.networks import ResUNetConfig, UNetConfig
from demosaic.config.training import SeedConfig
from demosaic.errors import DemosaicError
from demosaic.files import parsed, write_bytes, write_with
from demosaic.models.card import FORMATS, ModelCard
from demosaic.models.flow import Flow
from demosaic.models.model import Model, Pix2PixModel, TwoStageModel
from demosaic.models.noise import is_spectrum
from demosaic.models.pix2pix import Generator
from demosaic.models.restorer import Restorer
from demosaic.models.resunet import ResUNet
from demosaic.records import read

_KEY = "demosaic"
_MAIN_MEMORY = torch.device("cpu")


def save_model(path: Path, generator: nn.Module, card: ModelCard) -> None:
    """Write a model file, whole or not at all; the network stays as it is."""
    weights = {
        name: value.detach().cpu().contiguous() for name, value in generator.state_dict().items()
    }
    # Bytes first: a full disk is then an OSError, not an error of safetensors' own
    write_bytes(path, save(weights, {_KEY: json.dumps(asdict(card))}))


def read_card(path: Path) -> ModelCard:
    """The card of a model file. Raises DemosaicError for any other file."""
    if path.is_dir():
        best = path / "best.safetensors"
        raise DemosaicError(f"{path} is a folder: name a model in it, such as {best}")
    if not path.is_file():
        raise DemosaicError(f"there is no model file {path}")
    try:
        with safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get(_KEY)
    except (SafetensorError, OSError) as error:
        raise DemosaicError(
            f"{path} is not a demosaic model: it is not a complete safetensors file"
        ) from error
    if text is None:
        raise DemosaicError(f"{path} is not a demosaic model: another program wrote it")
    return _card(path, text)


@dataclass(frozen=True)
class _Description:
    """The fields that are read first: they say which others a description must have."""

    format: int
    preset: str
    network: dict[str, Any]
    demosaic: str = "of its time"


def _card(path: Path, text: str) -> ModelCard:
    where = f"{path} is not a demosaic model: its description"
    record = parsed(text.encode("utf-8", "replace"), where)
    found = read(_Description, record, where, others=True)
    if found.format not in FORMATS:
        raise DemosaicError(
            f"{path} has format {found.format}, and demosaic {__version__} reads "
            f"{' and '.join(map(str, FORMATS))}: "
            f"use demosaic {found.demosaic}, which wrote it, or train anew"
        )
    network: UNetConfig | ResUNetConfig
    if found.preset == SeedConfig.preset:
        network = read(UNetConfig, found.network, where, complete=True)
    else:
        network = read(ResUNetConfig, found.network, where, complete=True)
    return read(ModelCard, {**record, "network": network}, where)


def _untrained(card: ModelCard) -> Model:
    """The model that a card describes, before its weights are loaded."""
    if isinstance(card.network, UNetConfig):
        return Pix2PixModel(Generator(card.network), card)
    return TwoStageModel(Restorer(ResUNet(card.network), _second(card.network, card)), card)


def _second(network: ResUNetConfig, card: ModelCard) -> ResUNet | Flow | None:
    if not card.sharp:
        return None
    return Flow(network, card.flow) if card.flow else ResUNet(network)


def load_model(path: Path, device: torch.device = _MAIN_MEMORY) -> Model:
    """A model on the device, ready for inference. Raises DemosaicError that names the file when it
    is not a model of demosaic.
    """
    card = read_card(path)
    try:
        with torch.device("meta"):
            model = _untrained(card)
        weights = load_file(path, device=str(device))
        model.generator.load_state_dict(_computable(weights, model, path), assign=True)
        _check_spectrum(model, path)
    except (RuntimeError, TypeError, ValueError, SafetensorError) as error:
        raise DemosaicError(
            f"{path} is damaged, or of an earlier demosaic: its weights do not fit the network it "
            "describes"
        ) from error
    model.generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload, unused-ignore]
    model.generator.eval().requires_grad_(False)
    return model


def _computable(weights: dict[str, Tensor], model: Model, path: Path) -> dict[str, Tensor]:
    """The weights of a file in the types that the model computes with: those of another program
    may have half of the precision, or twice. Raises DemosaicError when one is not finite, and
    ValueError for whole numbers in place of others.
    """
    wanted = {name: value.dtype for name, value in model.generator.state_dict().items()}
    found = {}
    for name, value in weights.items():
        found[name] = value.to(wanted.get(name)) if value.is_floating_point() else value
        if found[name].dtype != wanted.get(name, value.dtype):
            raise ValueError(f"{name} is {value.dtype}")
        if not bool(torch.isfinite(found[name]).all()):
            raise DemosaicError(
                f"{path} is no model that can restore: its weights, such as {name}, are not "
                "finite; use another"
            )
    return found


def _check_spectrum(model: Model, path: Path) -> None:
    """Raise DemosaicError for a flow whose noise would be nonsense."""
    flow = model.generator.sharp if isinstance(model.generator, Restorer) else None
    if isinstance(flow, Flow) and not is_spectrum(flow.spectrum):
        raise DemosaicError(
            f"{path} is no model that can restore: the spectrum of its noise has amplitudes that "
            "no error has; use another"
        )


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write everything a run needs to continue, whole or not at all."""

    def write(part: Path) -> None:
        try:
            torch.save(state, part)
        except RuntimeError as error:  # torch reports a full disk as nothing more specific
            raise OSError(errno.ENOSPC, str(error)) from error

    write_with(path, write)


def load_state(path: Path) -> dict[str, Any]:
    """A run's saved state, in main memory. Raises DemosaicError when the file is damaged."""
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's zip reader and unpickler have errors of their own
        raise DemosaicError(
            f"{path} is damaged ({error}): delete it to train from the start"
        ) from error
    return state
