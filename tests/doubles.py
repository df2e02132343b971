"""What several test files share: tiny models, pictures, datasets, short trainings, commands."""

import io
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pillow_heif
import torch
from hypothesis import strategies as st
from PIL import Image, ImageCms
from torch import Tensor
from typer.testing import CliRunner

from demosaic.cli.main import app
from demosaic.config.compute import DeviceConfig
from demosaic.config.dataset import BuildConfig
from demosaic.config.networks import FlowConfig, ResUNetConfig, UNetConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.config.training import SeedConfig, TrainConfig
from demosaic.dataset.build import build_dataset
from demosaic.events import Event, Listener
from demosaic.faces.detector import Face
from demosaic.files import read_lines
from demosaic.imaging.arrays import Floats, Pixels
from demosaic.imaging.encoding import write_png
from demosaic.imaging.geometry import Box
from demosaic.models.card import ModelCard
from demosaic.models.checkpoint import load_state
from demosaic.models.compute import Compute
from demosaic.models.flow import Flow
from demosaic.models.model import Model, Pix2PixModel, TwoStageModel
from demosaic.models.noise import CELLS, RINGS
from demosaic.models.pix2pix import Generator
from demosaic.models.restorer import Restorer
from demosaic.models.resunet import ResUNet
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.operators import cells
from demosaic.mosaic.pixelate import cell_colours, paint_cells
from demosaic.training.events import StepDone
from demosaic.training.loop import train

TINY = UNetConfig(down=(4, 8, 8), up=(8, 4))

CARD = ModelCard(
    preset="seed",
    network=TINY,
    size=32,
    blocks=(4, 4),
    sharp=False,
    step=6,
    seed=0,
    dataset="0123456789abcdef",
    train_pairs=12,
    val_pairs=3,
    scores={"reconciled": {"psnr": 20.125, "ssim": 0.5, "l1": 0.0625, "cell_error": 0.0}},
)

OURS = ResUNetConfig(widths=(8, 8), down=(1, 2), up=(1,), attention=1, head=4)

OUR_CARD = replace(CARD, preset="default", network=OURS, blocks=(4, 32), sharp=True)


def generator(network: UNetConfig = TINY) -> Generator:
    """A network whose values all differ, the moving statistics included."""
    made = Generator(network)
    source = torch.Generator().manual_seed(1)
    for value in made.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.rand(value.shape, generator=source))
    return made


GRID = Grid.square(4)


class Echo(Generator):
    """A generator that returns its input and records how it was called."""

    def __init__(self) -> None:
        super().__init__(TINY)
        self.runs: list[tuple[bool, int]] = []

    def forward(self, observed: Tensor) -> Tensor:
        self.runs.append((self.training, len(observed)))
        return observed


def grey(level: int, side: int = 16) -> Pixels:
    return np.full((side, side, 3), level, np.uint8)


def noise(seed: int = 0, side: int = 32) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Cells of any shape, up to larger than any image here, anywhere."""
    side, offset = st.integers(1, 30), st.integers(-40, 40)
    return Grid(draw(side), draw(side), draw(offset), draw(offset))


def normal(seed: int, *shape: int) -> Floats:
    """Normally distributed values with mean 0 and deviation 1."""
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def smooth(side: int = 32) -> Pixels:
    """Waves much longer than a cell."""
    y, x = np.mgrid[:side, :side] / side
    planes = [np.sin(3 * x + 2 * y), np.cos(4 * y), np.sin(2 * x) * np.cos(3 * y)]
    picture: Pixels = np.rint(127 + 100 * np.stack(planes, -1)).astype(np.uint8)
    return picture


def as_mosaic(target: Pixels, grid: Grid = GRID) -> Pixels:
    height, width = target.shape[:2]
    return paint_cells(cell_colours(target, grid), grid, (height, width))


INVERSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def swapped_profile() -> bytes:
    """An sRGB profile whose red and blue primaries have changed places, under another name."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", data[128:132])[0]
    entries = {bytes(data[place : place + 4]): place for place in range(132, 132 + 12 * count, 12)}
    red, blue = entries[b"rXYZ"], entries[b"bXYZ"]
    data[red : red + 4], data[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(data).replace("sRGB".encode("utf-16-be"), "Bogs".encode("utf-16-be"))


CPU = torch.device("cpu")

COMPUTE = Compute(CPU, False)

ANYTHING = RestoreConfig()


def a_model(block: int | None = 4, size: int = 32, network: UNetConfig = TINY) -> Model:
    """A pix2pix model with random weights: its output has little to do with the picture."""
    torch.manual_seed(0)
    blocks = (block, block) if block else None
    card = replace(CARD, blocks=blocks, size=size, network=network)
    return Pix2PixModel(Generator(network).eval().requires_grad_(False), card)


def our_model(size: int = 64, *, sharp: bool = True, wild: bool = True) -> Model:
    """A model of the default recipe. With `wild` its weights are random, and its output has little
    to do with the picture; without, it is untrained and returns `base`.
    """
    torch.manual_seed(0)
    made = Restorer(ResUNet(OURS), ResUNet(OURS) if sharp else None)
    for weight in made.parameters():
        if wild and weight.ndim == 4:
            torch.nn.init.normal_(weight, std=0.2)
    card = replace(OUR_CARD, size=size, sharp=sharp)
    return TwoStageModel(made.eval().requires_grad_(False), card)


def drawing_model(size: int = 64) -> Model:
    """A model of the default recipe whose second stage draws, with random weights."""
    torch.manual_seed(0)
    config, mean = FlowConfig(light=4), ResUNet(OURS)
    flow = Flow.beginning_as(mean, config, torch.full((len(CELLS), RINGS), 0.2))
    made = Restorer(mean, flow)
    for weight in made.parameters():
        if weight.ndim == 4:
            torch.nn.init.normal_(weight, std=0.1)
    card = replace(OUR_CARD, size=size, sharp=True, flow=config)
    return TwoStageModel(made.eval().requires_grad_(False), card)


def texture(height: int, width: int, seed: int = 0) -> Pixels:
    """Random colours, which also differ within a cell."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """A file of the picture in Pillow's format `kind`."""
    pillow_heif.register_heif_opener()
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def mosaicked(height: int, width: int, grid: Grid, seed: int = 0) -> Pixels:
    """A mosaic of random colours."""
    rows, columns = grid.shape(height, width)
    colours = np.random.default_rng(seed).integers(0, 256, (3, rows, columns))
    return paint_cells(colours.astype(np.float32), grid, (height, width))


def means(picture: Pixels, grid: Grid) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return cells(picture.transpose(2, 0, 1).astype(np.float64), grid)


def save(path: Path, picture: Pixels) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, picture)
    return path


DEVICES = DeviceConfig(device="cpu", precision="fp32", threads=1)

CONFIG = SeedConfig(
    steps=6, batch=2, validate_every=3, validation_pairs=2, save_every=2, down=TINY.down, up=TINY.up
)


class CentreDetector:
    """Finds a face in the middle of every picture."""

    def detect(self, image: Pixels) -> list[Face]:
        height, width = image.shape[:2]
        box = Box(width // 2 - 12, height // 2 - 12, 24, 24)
        return [Face(box, 0.9, ((1.0, 1.0),) * 6)]


def wave(seed: int, side: int = 64) -> Pixels:
    """A picture of soft waves, which depend on the seed."""
    phase = np.random.default_rng(seed).uniform(0, 6, (3, 3))
    y, x = np.mgrid[:side, :side] / 12
    planes = [np.sin(x * (1 + a / 6) + b) * np.cos(y + c) for a, b, c in phase]
    picture: Pixels = np.rint(127 + 120 * np.stack(planes, -1)).astype(np.uint8)
    return picture


def a_dataset(folder: Path, people: int = 16, **recipe: Any) -> Path:
    """A dataset of 32-px pairs, with cells of 4 px unless the `recipe` says otherwise, built from
    pictures of waves.
    """
    for person in range(people):
        (folder / "photos" / f"person {person}").mkdir(parents=True)
        write_png(folder / "photos" / f"person {person}" / "photo.png", wave(person))
    config = BuildConfig(size=32, **{"block": 4, **recipe}, min_face=8, val=0.3, min_sharpness=0)
    build_dataset(
        folder / "photos",
        folder / "pairs",
        config,
        make_detector=CentreDetector,
        detector_name="the middle",
    )
    return folder / "pairs"


def side_by_side(folder: Path, train: int = 3, val: int = 2, side: int = 20) -> Path:
    """A pix2pix folder: waves on the left, their negatives on the right."""
    for split, seeds in (("train", range(train)), ("val", range(100, 100 + val))):
        (folder / split).mkdir(parents=True)
        for seed in seeds:
            picture = wave(seed, side)
            write_png(folder / split / f"{seed}.png", np.hstack([picture, 255 - picture]))
    return folder


def go(
    dataset: Path,
    run: Path,
    config: TrainConfig | SeedConfig = CONFIG,
    listen: Listener | None = None,
) -> list[Event]:
    """Train and return the events."""
    events: list[Event] = []

    def note(event: Event) -> None:
        events.append(event)
        if listen:
            listen(event)

    train(dataset, run, config, devices=DEVICES, listen=note)
    return events


def at_step(step: int, act: Callable[[], object]) -> Listener:
    def listen(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == step:
            act()

    return listen


def steps(events: list[Event]) -> list[int]:
    return [event.step for event in events if isinstance(event, StepDone)]


def losses(events: list[Event]) -> list[dict[str, float]]:
    return [dict(event.losses) for event in events if isinstance(event, StepDone)]


def same(first: Any, second: Any) -> bool:
    """Whether two states are equal, bit for bit."""
    if isinstance(first, Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        keys = first.keys()
        return bool(keys == second.keys() and all(same(first[key], second[key]) for key in keys))
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return bool(first == second)


def lasting(run: Path) -> list[dict[str, Any]]:
    """The lines of events.jsonl that depend neither on where the run stopped or how long it took
    nor on the name of its folder.
    """
    passing = ("Notice", "TrainingStarted", "SheetSaved", "ModelSaved", "TrainReport")
    lines = [line for line in read_lines(run / "events.jsonl") if line["event"] not in passing]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def state_of(run: Path) -> dict[str, Any]:
    """The saved state, except the time it took."""
    state = load_state(run / "resume.pt")
    assert state.pop("seconds") > 0
    assert state.pop("reserve") >= 0
    return state


def assert_same_run(run: Path, other: Path) -> None:
    """Weights, optimisers, scores, samples and events equal those of the other run."""
    for name in ("model.safetensors", "best.safetensors", "MODEL.md"):
        assert (run / name).read_bytes() == (other / name).read_bytes(), name
    assert same(state_of(run), state_of(other))
    samples = sorted(path.name for path in (other / "samples").iterdir())
    assert sorted(path.name for path in (run / "samples").iterdir()) == samples
    for name in samples:
        assert (run / "samples" / name).read_bytes() == (other / "samples" / name).read_bytes()
    assert lasting(run) == lasting(other)


class Killed(BaseException):
    """Stands for a kill at a certain instant."""


def die() -> None:
    raise Killed


def die_at(kind: type, step: int) -> Listener:
    def listen(event: Event) -> None:
        if isinstance(event, kind) and getattr(event, "step", None) == step:
            die()

    return listen


def demosaic(*words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    result = CliRunner().invoke(app, list(words))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def error(code: int, *words: str) -> str:
    """The one line that a command fails with."""
    exit_code, _, said = demosaic(*words)
    assert (exit_code, said.count("\n"), said[:7]) == (code, 1, "error: "), said
    assert "Traceback" not in said
    return said.removeprefix("error: ").rstrip("\n")


def stopped(code: int, *words: str) -> str:
    """The one line that a command ends with when a signal stops it."""
    exit_code, _, said = demosaic(*words)
    assert (exit_code, said.count("\n")) == (code, 1), said
    assert not said.startswith("error: ")
    return said.rstrip("\n")


def cloudy_picture(seed: int, width: int, height: int) -> Pixels:
    """Soft clouds of three sizes with ellipses and grain; no area is plain."""
    rng = np.random.default_rng(seed)
    levels = np.full((height, width, 3), 128.0)
    for side in (4, 12, 40):
        noise = rng.normal(0, 30, (height // side + 2, width // side + 2, 3))
        levels += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    picture = np.clip(levels, 30, 225).astype(np.uint8)
    for _ in range(8):
        centre, axes = rng.integers(0, (width, height)).tolist(), rng.integers(10, 60, 2).tolist()
        cv2.ellipse(picture, centre, axes, 0, 0, 360, rng.integers(30, 226, 3).tolist(), -1)
    grainy: Pixels = np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)
    return grainy
