"""`import demosaic` offers the functions that the commands call, and loads them when used."""

import ast
import inspect
import re
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import demosaic
import people
from demosaic.events import Event, Notice, PicturesFound
from demosaic.files import read_lines
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.decoding import read_image
from demosaic.models import lookup
from demosaic.models.box import BOX
from demosaic.models.checkpoint import read_card, save_model
from demosaic.models.lookup import about
from demosaic.mosaic.grid import Grid
from doubles import TINY, a_dataset, a_model, mosaicked, save, texture

CPU = demosaic.DeviceConfig(device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    model = a_model()
    save_model(path, model.generator, model.card)
    return path


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a user who never trained."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.chdir(folder)
    return folder


# Names


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ("torch", "cv2", "numpy", "PIL", "mediapipe", "typer", "rich", "scipy")
    script = f"import sys, demosaic; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_every_public_name_is_there_and_listed() -> None:
    assert list(demosaic.__all__) == sorted(demosaic.__all__)
    assert set(demosaic.__all__) <= set(dir(demosaic))
    for name in demosaic.__all__:
        assert getattr(demosaic, name) is not None


def test_type_checkers_see_every_public_name_where_it_is_defined() -> None:
    tree = ast.parse(inspect.getsource(demosaic))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    typed = {
        (name.name, node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    assert {name for name, _ in typed} == set(demosaic.__all__) - {"__version__"}
    for name, module in typed:
        assert getattr(demosaic, name) is getattr(import_module(str(module)), name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = demosaic.nothing


REFERENCE = (Path(__file__).parents[1] / "docs" / "python.md").read_text(encoding="utf-8")


def test_the_python_reference_describes_everything_public() -> None:
    documented = set(re.findall(r"^\.\. auto\w+:: demosaic\.(\w+)(?:\(\))?$", REFERENCE, re.M))
    assert documented == set(demosaic.__all__) - {"__version__"}


def test_the_first_lines_of_the_python_reference_work(here: Path, model_file: Path) -> None:
    (here / "runs" / "a").mkdir(parents=True)
    newest = here / "runs" / "a" / "best.safetensors"
    save_model(newest, a_model().generator, replace(a_model().card, step=600))
    levels = mosaicked(32, 48, Grid.square(4))
    save(here / "a.png", levels).rename(here / "face.jpg")  # content counts, not the name
    lines = REFERENCE.split("```")[1].removeprefix("python\n")
    subprocess.run([sys.executable, "-c", lines], check=True)
    restored = read_image(here / "face.restored.png")
    assert restored.shape == levels.shape
    assert not np.array_equal(restored, levels)


# Restoring


def test_a_picture_is_restored_from_a_file_a_pillow_picture_or_an_array(
    folder: Path, model_file: Path
) -> None:
    levels = mosaicked(32, 48, Grid.square(4))
    source = save(folder / "a.png", levels)
    model = demosaic.load_model(model_file)
    from_file = demosaic.restore(str(source), model=model_file, devices=CPU)
    for picture in (source, Image.fromarray(levels), levels):
        restored = demosaic.restore(picture, model=model, devices=CPU)
        assert np.array_equal(restored.picture, from_file.picture)
        assert restored.regions == from_file.regions
    region = demosaic.RegionRestored((0, 0, 48, 32), (4, 4), (0, 0), "mean", 1.0, 0.0)
    assert from_file.regions == (region,)
    assert from_file.picture.shape == levels.shape
    assert not np.array_equal(from_file.picture, levels)
    assert [path.name for path in folder.iterdir()] == ["a.png"]


def test_without_a_model_the_newest_of_the_runs_is_taken_and_named(
    here: Path, model_file: Path
) -> None:
    levels = mosaicked(32, 32, Grid.square(4))
    box: list[Event] = []
    demosaic.restore(levels, listen=box.append)
    assert box == [Notice(f"model {BOX} (the one in the box): {about(read_card(BOX))}")]
    (here / "runs" / "a").mkdir(parents=True)
    newest = here / "runs" / "a" / "best.safetensors"
    save_model(newest, a_model().generator, replace(a_model().card, step=600))
    heard: list[Event] = []
    restored = demosaic.restore(levels, listen=heard.append)
    assert heard == [Notice("model runs/a/best.safetensors (the newest below runs/): 600 steps")]
    given = demosaic.restore(levels, model=model_file)
    assert np.array_equal(restored.picture, given.picture)


def test_a_mask_marks_the_mosaic_of_an_array(folder: Path, model_file: Path) -> None:
    levels = mosaicked(32, 48, Grid.square(4))
    white = save(folder / "mask.png", np.full((32, 48, 3), 255, np.uint8))
    masked = demosaic.RestoreConfig(mask=str(white), block=(4, 4))
    whole = demosaic.RestoreConfig(regions="whole", block=(4, 4))
    first, second = (
        demosaic.restore(levels, model=model_file, config=config) for config in (masked, whole)
    )
    assert np.array_equal(first.picture, second.picture)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((8, 8, 3), np.float32),
        np.zeros((3, 8, 8), np.uint8),
    ],
)
def test_an_array_of_another_kind_is_refused(array: Pixels, model_file: Path) -> None:
    with pytest.raises(demosaic.DemosaicError, match=r"give RGB levels of shape \(H, W, 3\)"):
        demosaic.restore(array, model=model_file)


def test_a_folder_is_restored_into_another(folder: Path, model_file: Path) -> None:
    good = save(folder / "in" / "deep" / "a.png", mosaicked(32, 32, Grid.square(4)))
    clean = save(folder / "in" / "b.png", texture(32, 32))
    heard: list[Event] = []
    report = demosaic.restore_files(
        [folder / "in"], folder / "out", model=model_file, devices=CPU, listen=heard.append
    )
    out = folder / "out" / "deep" / "a.restored.png"
    assert [(one.picture, one.out) for one in report.results if hasattr(one, "picture")] == [
        (str(good), str(out))
    ]
    assert [skipped.picture for skipped in report.skipped] == [str(clean)]
    expected = demosaic.restore(good, model=model_file, devices=CPU).picture
    assert np.array_equal(read_image(out), expected)
    assert heard[1] == PicturesFound(2)


# Mosaics and faces


def test_mosaics_are_found_in_a_file_a_pillow_picture_or_an_array(folder: Path) -> None:
    levels = mosaicked(32, 48, Grid.square(4))
    source = save(folder / "a.png", levels)
    for picture in (source, str(source), Image.fromarray(levels), levels):
        (region,) = demosaic.find_mosaics(picture)
        assert (region.box.corners, region.grid) == ((0, 0, 48, 32), Grid.square(4))
    assert demosaic.find_mosaics(texture(64, 64)) == []


def test_faces_are_hidden_in_a_file_a_pillow_picture_or_an_array(folder: Path) -> None:
    levels = people.photo(0, 0, 0).image
    source = save(folder / "a.png", levels)
    config = demosaic.PixelateConfig(style="solid")
    first = demosaic.pixelate(source, config)
    for photo in (Image.fromarray(levels), levels):
        hidden = demosaic.pixelate(photo, config)
        assert np.array_equal(hidden.picture, first.picture)
        assert hidden.faces == first.faces
    changed = (first.picture != levels).any(2)
    x, y, width, height = first.faces[0].box
    assert changed[y : y + height, x : x + width].any()
    report = demosaic.pixelate_files(source, folder / "b.png", config=config)
    assert np.array_equal(read_image(folder / "b.png"), first.picture)
    assert [result.faces for result in report.results] == [first.faces]


def test_a_photo_without_a_face_is_an_error() -> None:
    with pytest.raises(demosaic.DemosaicError, match="no face found"):
        demosaic.pixelate(texture(64, 64))


# From photos to a scored model


def test_photos_become_a_dataset_with_the_commands_detector(here: Path, photos: Path) -> None:
    person = sorted(photos.iterdir())[0]
    config = demosaic.BuildConfig(size=64, min_face=8, val=0)
    heard: list[Event] = []
    report = demosaic.build_dataset(person, "pairs", config, listen=heard.append)
    assert isinstance(report, demosaic.BuildReport)
    assert report.pairs == len(read_lines(here / "pairs" / "pairs.jsonl")) > 0
    assert list((here / "cache").rglob("looks/mediapipe-*/*/*.json"))
    again = demosaic.build_dataset(str(person), here / "pairs", config)
    assert (again.pairs, again.new_pairs) == (report.pairs, 0)


def test_a_run_without_a_name_lies_in_runs_and_its_model_is_scored(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "FEWEST_STEPS", 1)
    pairs = a_dataset(here)
    config = demosaic.SeedConfig(steps=1, batch=2, validation_pairs=1, down=TINY.down, up=TINY.up)
    report = demosaic.train("pairs", config=config, devices=CPU)
    assert (report.step, Path(report.best)) == (1, Path("runs/pairs-seed/best.safetensors"))
    quick = demosaic.EvaluateConfig(faces=1, quick=True)
    chosen = demosaic.evaluate(pairs, config=quick, devices=CPU).report
    assert chosen.models == {"restored": "runs/pairs-seed/best.safetensors"}
    named = demosaic.evaluate(pairs, {"restored": report.best}, quick, devices=CPU).report
    single = demosaic.evaluate(str(pairs), Path(report.best), quick, devices=CPU).report
    assert chosen.scores == named.scores == single.scores
    assert replace(named, seconds=0, computed="") == replace(single, seconds=0, computed="")
