"""Which model to take, and loading it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import platformdirs
import torch

from demosaic.errors import DemosaicError
from demosaic.events import Listener, Notice, ignore
from demosaic.files import encoded, make_folder, write_bytes
from demosaic.models import checkpoint
from demosaic.models.box import BOX
from demosaic.models.compute import settle
from demosaic.models.events import ModelFound, ModelsFound
from demosaic.models.model import Model

MODEL_VARIABLE = "DEMOSAIC_MODEL"


def load_model(
    model: "str | os.PathLike[str] | Model | None" = None,
    device: torch.device = torch.device("cpu"),
    listen: Listener = ignore,
) -> Model:
    """The model of a file on the device, ready to restore; a loaded model is moved there.

    Without a file, `find_model` chooses; `listen` hears which one and why. Raises DemosaicError
    when the file is not a model.
    """
    if isinstance(model, Model):
        settle(model.generator, device)
        return model
    path, why = (Path(model), "--model") if model else find_model(Path())
    listen(Notice(f"model {path} ({why})"))
    return checkpoint.load_model(path, device)


def find_model(folder: Path) -> tuple[Path, str]:
    """The model to use when none is named, and why this one."""
    return next(_candidates(folder))


def _candidates(folder: Path) -> Iterator[tuple[Path, str]]:
    """The models at hand and what they are, in the order in which they are preferred."""
    named = os.environ.get(MODEL_VARIABLE)
    if named:
        yield Path(named), f"${MODEL_VARIABLE}"
    runs = sorted(folder.glob("runs/*/best.safetensors"), key=lambda path: path.stat().st_mtime)
    for place, run in enumerate(reversed(runs)):
        yield run, "below runs/" if place else "the newest below runs/"
    last = remembered_model()
    if last is not None:
        yield last, "the last one you trained"
    yield BOX, "the one in the box"


def models_at_hand(folder: Path) -> ModelsFound:
    """Every model at hand, once, with what its card says; the first is the one to use. A file that
    is no model has a problem instead.
    """
    seen = set[Path]()
    found = []
    for path, why in _candidates(folder):
        if path.resolve() not in seen:
            seen.add(path.resolve())
            found.append(_described(path, why))
    return ModelsFound(tuple(found))


def _described(path: Path, why: str) -> ModelFound:
    try:
        card = checkpoint.read_card(path)
    except DemosaicError as error:
        return ModelFound(str(path), why, problem=str(error))
    psnr = {name: round(scores["psnr"], 2) for name, scores in card.scores.items()}
    return ModelFound(
        str(path), why, card.preset, card.step, card.blocks, card.flow is not None, psnr
    )


def remember_model(path: Path) -> None:
    """Record the last model this user trained in the user's data folder, if that can be written."""
    with suppress(DemosaicError):
        make_folder(_memory().parent, private=True)
        write_bytes(_memory(), encoded(str(path.resolve())), private=True)


def remembered_model() -> Path | None:
    """The last model this user trained, if it is still there."""
    if not _memory().is_file():
        return None
    path = Path(_memory().read_text(encoding="utf-8"))
    return path if path.is_file() else None


def _memory() -> Path:
    return platformdirs.user_data_path("demosaic") / "last-model.txt"
