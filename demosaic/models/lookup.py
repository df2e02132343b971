"""Which model to take, and loading it."""

import os
from contextlib import suppress
from pathlib import Path

import platformdirs
import torch

from demosaic.errors import DemosaicError
from demosaic.events import Listener, Notice, ignore
from demosaic.files import encoded, make_folder, write_bytes
from demosaic.models import checkpoint
from demosaic.models.compute import settle
from demosaic.models.model import Model

MODEL_VARIABLE = "DEMOSAIC_MODEL"


def load_model(
    model: "str | os.PathLike[str] | Model | None" = None,
    device: torch.device = torch.device("cpu"),
    listen: Listener = ignore,
) -> Model:
    """The model of a file on the device, ready to restore; a loaded model is moved there.

    Without a file, `find_model` chooses; `listen` hears which one and why. Raises DemosaicError
    when there is no model, or the file is not one.
    """
    if isinstance(model, Model):
        settle(model.generator, device)
        return model
    path, why = (Path(model), "--model") if model else find_model(Path())
    listen(Notice(f"model {path} ({why})"))
    return checkpoint.load_model(path, device)


def find_model(folder: Path) -> tuple[Path, str]:
    """The model to use when none is named, and why this one. Raises DemosaicError when there is
    none.
    """
    named = os.environ.get(MODEL_VARIABLE)
    if named:
        return Path(named), f"${MODEL_VARIABLE}"
    runs = sorted(folder.glob("runs/*/best.safetensors"), key=lambda path: path.stat().st_mtime)
    if runs:
        return runs[-1], "the newest below runs/"
    last = remembered_model()
    if last is not None:
        return last, "the last one you trained"
    raise DemosaicError(
        "there is no model yet: train one with `demosaic train PAIRS`, or name one with --model"
    )


def model_at_hand(folder: Path) -> Path | None:
    """The model of `find_model`, if there is one."""
    try:
        return find_model(folder)[0]
    except DemosaicError:
        return None


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
