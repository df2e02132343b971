"""The self-test: a drawn face from photo to restored picture, in five steps.

Each step works on the files that the one before left in the folder, and returns what it found. It
raises DemosaicError when a result is wrong.
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from demosaic.config.compute import DeviceConfig
from demosaic.config.dataset import BuildConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.config.training import FROM_NOTHING, TrainConfig
from demosaic.dataset.build import build_dataset
from demosaic.dataset.manifest import Manifest
from demosaic.dataset.reader import open_pairs
from demosaic.errors import DemosaicError
from demosaic.faces.engines import detector_name, make_detector
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import write_png
from demosaic.imaging.geometry import Box, crop, paste
from demosaic.models.checkpoint import load_model
from demosaic.models.compute import choose
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours, paint_cells
from demosaic.restoration.image import restore_image
from demosaic.training.loop import train as train_on

FACE = Path(__file__).with_name("drawn-face.png")
"""A person who does not exist, by examples/people.py; 256 px."""

_BUILD = BuildConfig(size=128, val=0)  # half of the usual side, to be quick
_TRAIN = TrainConfig(
    steps=1, batch=2, network="S", init=FROM_NOTHING, validations=1, validation_pairs=1
)
_DEVICES = DeviceConfig(precision="fp32")  # `auto` is another check
_GRID = Grid.square(8)


def detect(folder: Path) -> str:
    """The drawing becomes a dataset of one pair."""
    (folder / "photos").mkdir()
    shutil.copy(FACE, folder / "photos")
    report = build_dataset(
        folder / "photos",
        folder / "pairs",
        _BUILD,
        make_detector=make_detector,
        detector_name=detector_name(),
    )
    _require(report.pairs == 1, f"{report.pairs} faces were found in the drawing of one")
    return f"the face in a drawing, at {_face(folder).corners}"


def pixelate(folder: Path) -> str:
    """The pair's left half is the mosaic of its right half; the drawn face is pixelated."""
    pairs = open_pairs(
        folder / "pairs", direction=TrainConfig.direction, multiple=TrainConfig.multiple
    )
    observed, target = pairs.read(pairs.train[0])
    grid = pairs.grid(pairs.train[0])
    assert grid is not None
    _require(np.array_equal(observed, _mosaic(target, grid)), "a pair's left half is wrong")
    photo, box = read_image(FACE), _face(folder)
    write_png(folder / "hidden.png", paste(photo, _mosaic(crop(photo, box), _GRID), box))
    return f"its mosaic, in cells of {_GRID.width} px"


def train(folder: Path) -> str:
    """One training step, validated and saved."""
    start = time.perf_counter()
    report = train_on(folder / "pairs", folder / "run", _TRAIN, devices=_DEVICES)
    _require(report.step == 1, f"{report.step} steps were trained instead of one")
    return f"one step, validated and saved in {time.perf_counter() - start:.1f} s"


def restore(folder: Path) -> str:
    """The mosaic in the drawing is found and restored with the model of that step."""
    compute, _ = choose(_DEVICES)
    model = load_model(folder / "run" / "best.safetensors", compute.device)
    restored = restore_image(read_image(folder / "hidden.png"), model, RestoreConfig(), compute)
    write_png(folder / "restored.png", restored.picture)
    found = [(region.box, region.block) for region in restored.regions]
    expected = [(_face(folder).corners, (_GRID.width, _GRID.height))]
    _require(found == expected, f"the mosaic is at {expected} but was found at {found}")
    return "the mosaic was found where it is, and restored"


def reconcile(folder: Path) -> str:
    """The result pixelates back to the mosaic, and equals the drawing outside."""
    hidden, restored = read_image(folder / "hidden.png"), read_image(folder / "restored.png")
    box = _face(folder)
    back = paste(restored, _mosaic(crop(restored, box), _GRID), box)
    wrong = int((back != hidden).any(2).sum())
    _require(wrong == 0, f"{wrong} pixels of the result do not pixelate back to the mosaic")
    return "the result pixelates back to exactly the mosaic"


STEPS: dict[str, Callable[[Path], str]] = {
    step.__name__: step for step in (detect, pixelate, train, restore, reconcile)
}
"""The steps by name, in their order."""


def _face(folder: Path) -> Box:
    """The box of the face found in the drawing."""
    return Box(*Manifest(folder / "pairs").pairs()[0].box)


def _mosaic(image: Pixels, grid: Grid) -> Pixels:
    return paint_cells(cell_colours(image, grid), grid, (image.shape[0], image.shape[1]))


def _require(good: bool, problem: str) -> None:
    if not good:
        raise DemosaicError(f"{problem}: this is a fault of demosaic; please report it")
