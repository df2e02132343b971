"""A model as ONNX, run by another program."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from torch import nn
from typer.testing import CliRunner

from demosaic.cli.main import app
from demosaic.config.networks import ResUNetConfig, UNetConfig
from demosaic.imaging.decoding import read_image
from demosaic.models.card import ModelCard
from demosaic.models.checkpoint import save_model
from demosaic.models.inputs import Views, observe, views
from demosaic.models.model import Model, TwoStageModel
from demosaic.models.noise import white_noise
from demosaic.models.onnx import export_onnx
from demosaic.models.pix2pix import Generator
from demosaic.models.restorer import Restorer
from demosaic.models.resunet import ResUNet
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import pixelated
from doubles import drawing_model, save

EXAMPLE = Path(__file__).parents[2] / "examples" / "restore_with_onnx.py"

SIDE = 32
TINY = ResUNetConfig((4, 4, 8), (1, 1, 1), (1, 1), attention=2, head=4)
CARD = ModelCard(
    preset="default",
    network=TINY,
    size=SIDE,
    blocks=(4, 32),
    sharp=True,
    step=1,
    seed=0,
    dataset="d",
    train_pairs=1,
    val_pairs=1,
)
AGREES = 1e-3


def scattered(network: nn.Module) -> nn.Module:
    """With weights that leave nothing at zero."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(torch.randn_like(weight) * 0.2)
    return network.eval()


@pytest.fixture(scope="module")
def model() -> Model:
    torch.manual_seed(0)
    restorer = Restorer(ResUNet(TINY), ResUNet(TINY))
    scattered(restorer)
    return TwoStageModel(restorer, CARD)


def shown(grid: Grid, count: int) -> Views:
    rng = np.random.default_rng(count)
    faces = [rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8) for _ in range(count)]
    return views([observe(pixelated(face, grid), grid) for face in faces])


def said(out: Path) -> str:
    return f"saved {out}\nits inputs are in docs/model-format.md, an example in examples/\n"


def run(path: Path, **inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(path)
    restored: NDArray[np.float32] = session.run(["restored"], inputs)[0]
    return restored


@pytest.mark.slow
def test_onnx_agrees_with_pytorch_on_any_grid_and_any_number_of_faces(
    model: Model, tmp_path: Path
) -> None:
    save_model(tmp_path / "model.safetensors", model.generator, model.card)
    words = ["export", str(tmp_path / "model.safetensors"), "--onnx", "--realism", "0.25"]
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, result.stdout) == (0, said(tmp_path / "model.onnx"))
    for grid, count in ((Grid(8, 8), 1), (Grid(5, 7, 2, 3), 3), (Grid(32, 16), 2)):
        batch = shown(grid, count)
        with torch.inference_mode():
            expected = model.generator(batch, 0.25).numpy()
        inputs = {name: tensor.numpy() for name, tensor in vars(batch).items()}
        assert np.abs(run(tmp_path / "model.onnx", **inputs) - expected).max() < AGREES
    metadata = onnxruntime.InferenceSession(tmp_path / "model.onnx").get_modelmeta()
    assert json.loads(metadata.custom_metadata_map["demosaic"])["blocks"] == [4, 32]


@pytest.mark.slow
def test_a_model_that_draws_takes_its_noise_as_an_input(tmp_path: Path) -> None:
    drawing = drawing_model(SIDE)
    assert isinstance(drawing.generator, Restorer)
    export_onnx(drawing, tmp_path / "model.onnx", realism=0.5)
    batch = shown(Grid(5, 7, 2, 3), 3)
    white = white_noise([1, 2, 3], batch.seen)
    with torch.inference_mode():
        expected = drawing.generator(batch, 0.5, [1, 2, 3]).numpy()
    inputs = {name: tensor.numpy() for name, tensor in vars(batch).items()}
    made = run(tmp_path / "model.onnx", **inputs, white=white.numpy())
    assert np.abs(made - expected).max() < AGREES
    the_example_restores_with_numpy_alone(drawing.generator, tmp_path)


def the_example_restores_with_numpy_alone(restorer: Restorer, folder: Path) -> None:
    """On cells of which the last is cut; with the model.onnx in the folder."""
    face = np.random.default_rng(3).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    observed, grid = pixelated(face, Grid.square(6)), Grid.square(6)
    save(folder / "face.png", observed)
    words = ["model.onnx", "face.png", "6", "result.png"]
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), *words], cwd=folder, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    white = np.random.default_rng(0).normal(size=(1, 4, SIDE, SIDE)).astype(np.float32)
    with torch.inference_mode():
        given = views([observe(observed, grid)])
        expected = restorer.drawn(given, 0.5, torch.from_numpy(white)).numpy()
    levels = np.clip((expected[0].transpose(1, 2, 0) + 1) * 127.5, 0, 255)
    assert np.abs(read_image(folder / "result.png") - levels).max() < 1


def test_the_articles_model_is_exported_too(tmp_path: Path) -> None:
    config = UNetConfig(down=(4, 8, 8), up=(8, 4))
    torch.manual_seed(0)
    generator = Generator(config)
    scattered(generator)
    card = ModelCard(**{**vars(CARD), "preset": "seed", "network": config, "sharp": False})
    save_model(tmp_path / "seed.safetensors", generator, card)
    out = tmp_path / "elsewhere.onnx"
    source = str(tmp_path / "seed.safetensors")
    result = CliRunner().invoke(app, ["export", source, "--out", str(out), "--json"])
    assert (result.exit_code, result.stderr) == (0, said(out))
    report = {"event": "ModelExported", "model": source, "out": str(out), "realism": 0.5}
    assert json.loads(result.stdout) == report
    observed = torch.rand(3, 3, SIDE, SIDE) * 2 - 1
    with torch.inference_mode():
        expected = generator(observed).numpy()
    assert np.abs(run(out, observed=observed.numpy()) - expected).max() < AGREES
    graph = onnx.load(out).graph
    described = [(one.name, one.doc_string) for one in (*graph.input, *graph.output)]
    assert described == [
        ("observed", "The pictures to restore, RGB in [-1, 1]."),
        ("restored", "The restored pictures, RGB in [-1, 1]."),
    ]


def test_a_file_that_is_no_model_is_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["export", str(tmp_path / "none.safetensors")])
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)


def test_nothing_is_exported_over_what_is_there(model: Model, tmp_path: Path) -> None:
    source, photo = tmp_path / "model.safetensors", tmp_path / "photo.jpg"
    save_model(source, model.generator, model.card)
    photo.write_bytes(b"dear")
    result = CliRunner().invoke(app, ["export", str(source), "--out", str(photo)])
    said = f"error: {photo} is already there: --force replaces it\n"
    assert (result.exit_code, result.stderr, photo.read_bytes()) == (1, said, b"dear")


def test_without_onnxscript_it_says_what_to_install(
    model: Model, tmp_path: Path, distribution: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_model(tmp_path / "model.safetensors", model.generator, model.card)
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    result = CliRunner().invoke(app, ["export", str(tmp_path / "model.safetensors"), "--onnx"])
    said = f"error: ONNX needs the package onnxscript: pip install '{distribution}[onnx]'\n"
    assert (result.exit_code, result.stderr) == (1, said)
