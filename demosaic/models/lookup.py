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
from demosaic.models.box import BOX, model_file
from demosaic.models.card import ModelCard
from demosaic.models.compute import settle
from demosaic.models.events import ModelFound, ModelsFound
from demosaic.models.model import Model
from demosaic.text import counted

MODEL_VARIABLE = "DEMOSAIC_MODEL"

FEWEST_STEPS = 100
"""A model of fewer steps is a trial: it hardly does more than to smooth."""

_NAMED_BY_USER, _BOXED = f"${MODEL_VARIABLE}", "the one in the box"

_USUAL_SCORE = "block 16, restored"

_MOST_SAID = 3  # models that are passed over, and named


def load_model(
    model: "str | os.PathLike[str] | Model | None" = None,
    device: torch.device = torch.device("cpu"),
    listen: Listener = ignore,
) -> Model:
    """The model of a file on the device, ready to restore; a loaded model is moved there.

    Without a file, `find_model` chooses; `listen` hears which one, why, and what it is. Raises
    DemosaicError when the file is not a model.
    """
    if isinstance(model, Model):
        settle(model.generator, device)
        return model
    return checkpoint.load_model(choose_model(Path(model) if model else None, listen), device)


def choose_model(named: Path | None = None, listen: Listener = ignore) -> Path:
    """The model named, a file or `box`, or else the one that `find_model` chooses in the working
    folder; `listen` hears which one, why, and what it is. Raises DemosaicError when it is no model.
    """
    path, why = (model_file(named), "--model") if named else find_model(Path(), listen)
    listen(Notice(f"model {path} ({why}): {about(checkpoint.read_card(path))}"))
    return path


def about(card: ModelCard) -> str:
    """How long a model was trained, and how good it is, in a few words."""
    minutes = "" if card.minutes is None else f" in {card.minutes:.0f} minutes"
    usual = card.scores.get(_USUAL_SCORE)
    score = f", {usual['psnr']:.1f} dB at 16 px on its own validation faces" if usual else ""
    return f"{counted(card.step, 'step')}{minutes}{score}"


def find_model(folder: Path, listen: Listener = ignore) -> tuple[Path, str]:
    """The model to use when none is named, and why this one; `listen` hears which newer ones are
    passed over, and why.
    """
    passed_over = []
    for path, why in _candidates(folder):
        reason = _unfit(path, why)
        if not reason:
            break
        passed_over.append(f"{path} ({reason})")
    if passed_over:
        more = len(passed_over) - _MOST_SAID
        rest = [f"and {more} more"] if more > 0 else []
        listen(Notice(f"passed over: {', '.join([*passed_over[:_MOST_SAID], *rest])}"))
    return path, why


def _unfit(path: Path, why: str) -> str:
    """Why a model is not taken unless it is named; empty for one that may be taken."""
    if why in (_NAMED_BY_USER, _BOXED):
        return ""
    try:
        card = checkpoint.read_card(path)
    except DemosaicError:
        return "it cannot be read"
    if not card.undoes_mosaics:
        return "it undoes no mosaics"
    return f"only {counted(card.step, 'step')}" if card.step < FEWEST_STEPS else ""


def _candidates(folder: Path) -> Iterator[tuple[Path, str]]:
    """The models at hand and what they are, in the order in which they are preferred."""
    named = os.environ.get(MODEL_VARIABLE)
    if named:
        yield Path(named), _NAMED_BY_USER
    runs = sorted(folder.glob("runs/*/best.safetensors"), key=lambda path: path.stat().st_mtime)
    for place, run in enumerate(reversed(runs)):
        yield run, "below runs/" if place else "the newest below runs/"
    last = remembered_model()
    if last is not None:
        yield last, "the last one you trained"
    yield BOX, _BOXED


def models_at_hand(folder: Path) -> ModelsFound:
    """Every model at hand, once, with what its card says; the first is the one to use. A file that
    is no model has a problem instead.
    """
    at_hand: dict[Path, ModelFound] = {}
    for path, why in _candidates(folder):
        if path.resolve() not in at_hand:
            at_hand[path.resolve()] = _described(path, why)
    taken, _ = find_model(folder)
    first = at_hand.pop(taken.resolve())
    return ModelsFound((first, *at_hand.values()))


def _described(path: Path, why: str) -> ModelFound:
    try:
        card = checkpoint.read_card(path)
    except DemosaicError as error:
        return ModelFound(str(path), why, problem=str(error), passed_over=_unfit(path, why))
    psnr = {name: round(scores["psnr"], 2) for name, scores in card.scores.items()}
    return ModelFound(
        path=str(path),
        why=why,
        preset=card.preset,
        step=card.step,
        minutes=card.minutes,
        blocks=card.blocks,
        draws=card.flow is not None,
        psnr=psnr,
        passed_over=_unfit(path, why),
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
