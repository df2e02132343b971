"""Models that describe themselves, and state to go on from. Only here is safetensors known.

A model is one safetensors file; the header's `demosaic` entry holds a JSON text (the ModelCard).
Nothing is unpickled from a file a stranger may send: safetensors cannot hold code, and a run's own
resume.pt is read with weights only.
"""

import errno
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import nn

from demosaic import __version__
from demosaic.config.networks import ResUNetConfig, UNetConfig
from demosaic.config.training import SeedConfig, TrainConfig
from demosaic.errors import DemosaicError
from demosaic.files import write_bytes, write_with
from demosaic.models.pix2pix import Generator
from demosaic.models.resunet import Restorer, ResUNet

FORMAT = 2

_RECIPES: dict[str, str] = {
    TrainConfig.preset: (
        "One network for cells of any size and offset, trained on mosaics drawn anew at every step;"
        "\nthe faithful mean (`restored`) and, from the second stage on, a `sharp` one beside it."
    ),
    SeedConfig.preset: "The 2020 article's pix2pix, trained on the stored pairs.",
}

_KEY = "demosaic"

_MAIN_MEMORY = torch.device("cpu")


@dataclass(frozen=True)
class ModelCard:
    """What a model file says of itself."""

    preset: str
    network: UNetConfig | ResUNetConfig
    size: int
    """Side of the pictures it was trained on, pixels."""
    blocks: tuple[int, int] | None
    """Smallest and largest side of the mosaic cells it was trained on; None when its input is no
    mosaic, so it is never reconciled.
    """
    sharp: bool
    """Whether there is a second network, of the stage that adds sharpness."""
    step: int
    seed: int
    dataset: str
    """Fingerprint of the dataset."""
    train_pairs: int
    val_pairs: int
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    """Means over the validation pairs, by what was scored; see events.Scores for the units."""
    demosaic: str = __version__
    format: int = FORMAT

    def __post_init__(self) -> None:
        if self.size < 1 or (self.blocks and not 2 <= self.blocks[0] <= self.blocks[-1]):
            raise ValueError(f"pictures of {self.size} px with cells of {self.blocks} px")


@dataclass(frozen=True)
class Model:
    """A generator (the article's, or our two-stage one), ready to restore, and its card."""

    generator: Generator | Restorer
    card: ModelCard


def save_model(path: Path, generator: nn.Module, card: ModelCard) -> None:
    """Write a model file, whole or not at all."""
    weights = {
        name: value.detach().cpu().contiguous() for name, value in generator.state_dict().items()
    }
    # Bytes first: a full disk is then an OSError, not an error of safetensors' own
    write_bytes(path, save(weights, {_KEY: json.dumps(asdict(card))}))


def read_card(path: Path) -> ModelCard:
    """What a model file says of itself. Raises DemosaicError for anything else."""
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
            f"{path} is not a demosaic model: it is no whole safetensors file"
        ) from error
    if text is None:
        raise DemosaicError(f"{path} is not a demosaic model: another program wrote it")
    return _card(path, text)


def _card(path: Path, text: str) -> ModelCard:
    try:
        record: dict[str, Any] = json.loads(text)
        if record["format"] != FORMAT:
            raise DemosaicError(
                f"{path} has format {record['format']}, and demosaic {__version__} reads format "
                f"{FORMAT}: use demosaic {record['demosaic']}, which wrote it, or train anew"
            )
        network = _network(record["preset"], record["network"])
        blocks = tuple(map(int, record["blocks"])) if record["blocks"] else None
        return ModelCard(**{**record, "network": network, "blocks": blocks})
    except (ValueError, KeyError, TypeError, DemosaicError) as error:
        if isinstance(error, DemosaicError) and str(path) in str(error):
            raise
        raise DemosaicError(
            f"{path} is not a demosaic model: its description is damaged ({error})"
        ) from error


def _network(preset: str, record: dict[str, Any]) -> UNetConfig | ResUNetConfig:
    kind = UNetConfig if preset == SeedConfig.preset else ResUNetConfig
    return kind.from_record(record)


def _generator(card: ModelCard) -> Generator | Restorer:
    if isinstance(card.network, UNetConfig):
        return Generator(card.network)
    return Restorer(ResUNet(card.network), ResUNet(card.network) if card.sharp else None)


def load_model(path: Path, device: torch.device = _MAIN_MEMORY) -> Model:
    """A model ready for inference. Raises DemosaicError that names the file when it is not one
    of ours.
    """
    card = read_card(path)
    try:
        with torch.device("meta"):
            generator = _generator(card)
        generator.load_state_dict(load_file(path, device=str(device)), assign=True)
    except (RuntimeError, TypeError, ValueError, SafetensorError) as error:
        raise DemosaicError(
            f"{path} is damaged, or of an earlier demosaic: its weights do not fit the network it "
            "describes"
        ) from error
    generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Model(generator.eval().requires_grad_(False), card)


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write everything a run needs to go on, whole or not at all."""

    def write(part: Path) -> None:
        try:
            torch.save(state, part)
        except RuntimeError as error:  # all that torch says of a full disk
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


def write_card(path: Path, card: ModelCard) -> None:
    """Write MODEL.md: what a person should know of the model beside it."""
    rows = [
        f"| {name} | {s['psnr']:.2f} | {s['ssim']:.3f} | {s['l1']:.4f} | {s['cell_error']:.2f} |"
        for name, s in card.scores.items()
    ]
    mosaic = f"mosaic cells of {_range(card.blocks)} px" if card.blocks else "no mosaic"
    text = [
        f"# A demosaic model: preset {card.preset}, step {card.step}",
        "",
        f"Trained on {card.train_pairs} pairs of {card.size} px ({mosaic}), dataset {card.dataset},"
        f" seed {card.seed}, demosaic {card.demosaic}.",
        "",
        _RECIPES[card.preset],
        "",
        f"Means over {card.val_pairs} validation pairs, of groups that were not trained on (in",
        "mid-course over a few of them):",
        "",
        "| | PSNR, dB | SSIM | L1 | cell error, grey levels |",
        "|---|---|---|---|---|",
        *rows,
        "",
        "What it draws is plausible, not true: it is invented from the pictures it was trained on,",
        "and worst for what they do not show. Do not use it to identify anyone.",
        "",
    ]
    write_bytes(path, "\n".join(text).encode())


def _range(ends: tuple[int, int]) -> str:
    return " to ".join(map(str, sorted({*ends})))
