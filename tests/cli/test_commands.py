"""The three commands as a user types them."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import people
from demosaic.config import networks
from demosaic.config.networks import ResUNetConfig
from demosaic.config.privacy import PixelateConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.config.training import SeedConfig, TrainConfig
from demosaic.imaging.batch import BatchReport
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import write_png
from demosaic.models.box import BOX
from demosaic.models.checkpoint import read_card, save_model
from demosaic.models.lookup import about, remembered_model
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours
from demosaic.privacy.events import PicturePixelated
from demosaic.restoration.events import PictureRestored
from demosaic.training import blind, pix2pix
from demosaic.training import loop as training
from doubles import (
    CARD,
    OURS,
    TINY,
    a_dataset,
    demosaic,
    drawing_model,
    error,
    generator,
    means,
    mosaicked,
    side_by_side,
    stopped,
    texture,
    wave,
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder of a user who never trained."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("DEMOSAIC_MODEL", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    return folder


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The networks of both recipes, and those in the box, but small."""
    monkeypatch.setattr(SeedConfig, "network", TINY)
    box, model = tmp_path / "box.safetensors", drawing_model()
    assert isinstance(model.card.network, ResUNetConfig)
    monkeypatch.setitem(networks.NETWORKS, "S", model.card.network)
    save_model(box, model.generator, model.card)
    monkeypatch.setattr("demosaic.models.box.BOX", box)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_dataset(tmp_path_factory.mktemp("cli"))


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "model.safetensors"
    save_model(path, generator(), CARD)
    return str(path)


# All three, on drawn people, without a network, with models that are small

OFFLINE = """
import socket, sys

def refuse(*_, **__):
    sys.stderr.write("CONNECTED\\n")
    raise OSError("no network in this test")

socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse
socket.create_connection = socket.getaddrinfo = socket.gethostbyname = refuse
"""
SCRIPT = """
import json, socket, sys
from demosaic.cli.main import main
from demosaic.config import networks
from demosaic.config.training import SeedConfig
from doubles import OURS, TINY

SeedConfig.network = TINY
networks.NETWORKS["S"] = OURS

assert socket.socket.connect.__name__ == "refuse"
for words in json.loads(sys.argv[1]):
    sys.argv = ["demosaic", *words]
    try:
        main()
    except SystemExit as end:
        print("EXIT", end.code, flush=True)
"""


RUN, SEED = "runs/pairs-default", "runs/pairs-seed"


@pytest.mark.slow
def test_photos_become_pairs_a_model_and_a_restored_face_without_a_network(
    here: Path, tmp_path: Path
) -> None:
    people.draw(here / "photos", people=3, photos=4, seed=0, workers=1)
    (here / "photos" / "broken [1].jpg").write_bytes(b"\\xff\\xd8\\xff no more")
    observed = mosaicked(96, 80, Grid.square(16))
    write_png(here / "face.png", observed)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(OFFLINE)
    short = ["--validation-pairs", "1", "--precision", "fp32", "--threads", "1"]
    words = [
        ["build-dataset", "photos", "pairs", "--workers", "1", "--val", "0.4", "--size", "64"],
        ["train", "pairs", "--preset", "seed", "--steps", "2", "--batch", "2", *short],
        ["restore", "face.png", "--out", "seed.png", "--model", f"{SEED}/best.safetensors"],
        ["train", "pairs", "--init", "none", "--steps", "2", "--batch", "2", *short],
        ["restore", "face.png", "--model", f"{RUN}/best.safetensors"],
        ["restore", "face.png", "--out", "boxed.png"],
    ]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(words)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), *sys.path])},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert [line for line in done.stdout.splitlines() if line.startswith("EXIT")] == ["EXIT 0"] * 6
    run, seed = here / RUN, here / SEED
    for said in (
        "next: demosaic train pairs\n",
        "trained 2 steps; the best was step 2",
        f"next: demosaic restore face.jpg --model {RUN}/best.safetensors\n",
        f"model {SEED}/best.safetensors (--model): 2 steps\n",
        "restored face.png: seed.png\n  80 x 96 px at 0,0: cells of 16 x 16 px, ",
        f"model {RUN}/best.safetensors (--model): 2 steps, ",
        f"passed over: {RUN}/best.safetensors (only 2 steps), {SEED}/best.safetensors (only 2 st",
        f"model {BOX} (the one in the box): {about(read_card(BOX))}\n",
        "restored face.png: face.restored.png\n  80 x 96 px at 0,0: cells of 16 x 16 px, ",
    ):
        assert said in done.stdout
    dataset = json.loads((here / "pairs" / "dataset.json").read_text())
    assert dataset["splits"]["train"] >= 2
    assert dataset["splits"]["val"] >= 2
    assert "broken [1].jpg" in (here / "pairs" / "skipped.jsonl").read_text()
    card = read_card(seed / "best.safetensors")
    assert (card.network, card.size, card.blocks, card.step) == (TINY, 64, (16, 16), 2)
    card = read_card(run / "best.safetensors")
    assert (card.network, card.size, card.blocks) == (OURS, 64, (4, 32))
    assert (card.sharp, card.step) == (True, 2)
    assert remembered_model() == (run / "best.safetensors").resolve()
    grid = Grid.square(16)
    for name in ("seed.png", "face.restored.png"):
        restored = read_image(here / name)
        assert np.abs(means(restored, grid) - cell_colours(observed, grid)).max() <= 0.5
        assert not np.array_equal(restored, observed)


# Usage


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("restor", "restor"),
        ("train", "pairs"),
        ("train a b", "b"),
        ("train p --stepz 3", "--stepz"),
        ("train p --steps many", "--steps"),
        ("train p --steps 0", "--steps 0"),
        ("train p --batch 0", "--batch 0"),
        ("train p --preset seed --batch 1", "--batch 1"),
        ("train p --minutes 0", "--minutes 0"),
        ("train p --minutes 3 --steps 9", "--minutes and --steps: give one of the two"),
        ("train p --sharpen 1 --init none", "--sharpen 1"),
        ("train p --network L", "L"),
        ("train p --lr 0", "--lr 0"),
        ("train p --preset other", "other"),
        ("train p --precision fp8", "fp8"),
        ("train p --threads 0", "--threads 0"),
        ("train p --name ../q", "--name ../q"),
        ("train p --name ..", "--name .."),
        ("train p --direction up", "up"),
        ("build-dataset p", "pairs"),
        ("build-dataset p q --workers 0", "--workers"),
        ("build-dataset p q --val 1.5", "--val 1.5"),
        ("build-dataset p q --size 8", "--size 8"),
        ("build-dataset p q --block x", "--block x: give px, or a share of the face such as 1/12"),
        ("build-dataset p q --block 1/0", "--block 1/0"),
        ("build-dataset p q --block 3/2", "--block 1.5: choose 2 to --size"),
        ("build-dataset p q --blocks 8", "--blocks 8: give two sides in px, as in 8:24"),
        ("build-dataset p q --blocks 24:8", "--blocks 24:8"),
        ("build-dataset p q --sampler x", "--sampler"),
        ("build-dataset p q --offset x", "--offset"),
        ("pixelate p --block 1//2", "--block 1//2"),
        ("pixelate p --block 1e999999999", "--block 1e999999999: give px"),
        ("pixelate p --block 1e20", "--block 1e+20: choose 2 to 10000 px"),
        ("restore", "picture"),
        ("restore a --region 1,2,3", "--region 1,2,3"),
        ("restore a --region 1,2,3,x", "--region 1,2,3,x"),
        ("restore a --region 1,2,0,4", "--region"),
        ("restore a --region 1,2,3,4 --region whole", "--region whole"),
        ("restore a --block 1", "--block 1x1"),
        ("restore a --block 8x", "--block 8x"),
        ("restore a --block 8 --offset 3", "--offset 3"),
        ("restore a --sampler median", "median"),
        ("restore a --realism 1.5", "--realism 1.5"),
        ("evaluate p --realism 1.5", "--realism 1.5"),
        ("evaluate p --faces 0", "--faces 0"),
        ("evaluate p --quick --out a.html", "--quick writes no page: leave out --out"),
        ("compare", "run"),
        ("compare a b --quick --out a.html", "--quick writes no page: leave out --out"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(words: str, named: str, here: Path) -> None:
    assert named.lower() in error(2, *words.split()).lower()
    assert list(here.iterdir()) == []


@pytest.mark.usefixtures("tiny")
def test_a_device_that_is_not_there_is_wrong_usage(dataset: Path) -> None:
    assert "--device gpu" in error(2, "train", str(dataset), "--device", "gpu")


# Options


@pytest.fixture
def arrived(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What `training.train` is called with; it then ends as by Ctrl-C."""
    calls: list[tuple[Any, ...]] = []

    def listen_in(folder: Path, run: Path, config: Any, **_: Any) -> None:
        calls.append((folder, run, config))
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", listen_in)
    return calls


@pytest.mark.parametrize(
    ("option", "changes"),
    [
        ("", {}),
        ("--minutes 1.5", {"minutes": 1.5}),
        ("--steps 7", {"steps": 7}),
        ("--network M", {"network": "M"}),
        ("--init m.safetensors", {"init": "m.safetensors"}),
        ("--batch 3", {"batch": 3}),
        ("--parts 2", {"parts": 2}),
        ("--lr 0.5", {"lr": 0.5}),
        ("--sharpen 0", {"sharpen": 0.0}),
        ("--seed 4", {"seed": 4}),
        ("--limit 9", {"limit": 9}),
        ("--direction right-to-left", {"direction": "right-to-left"}),
        ("--validations 11", {"validations": 11}),
        ("--validation-pairs 12", {"validation_pairs": 12}),
        ("--save-every 13", {"save_every": 13}),
        ("--preset default --seed 1 --steps 2", {"seed": 1, "steps": 2}),
    ],
)
def test_an_option_of_train_arrives_in_its_field(
    option: str, changes: dict[str, Any], arrived: list[tuple[Any, ...]]
) -> None:
    demosaic("train", "some/pairs", *option.split())
    expected = TrainConfig(**changes)
    assert arrived == [(Path("some/pairs"), Path("runs/pairs-default"), expected)]


@pytest.mark.parametrize(
    ("option", "changes"),
    [
        ("", {}),
        ("--steps 7", {"steps": 7}),
        ("--batch 3", {"batch": 3}),
        ("--lr 0.5", {"lr": 0.5}),
        ("--l1-weight 7", {"l1_weight": 7.0}),
        ("--l1-weight 0", {"l1_weight": 0.0}),
        ("--seed 4", {"seed": 4}),
        ("--limit 9", {"limit": 9}),
        ("--direction right-to-left", {"direction": "right-to-left"}),
        ("--validate-every 11", {"validate_every": 11}),
        ("--validation-pairs 12", {"validation_pairs": 12}),
        ("--save-every 13", {"save_every": 13}),
        ("--discriminator summary", {"discriminator": "summary"}),
    ],
)
def test_an_option_of_the_article_s_recipe_arrives_in_its_field(
    option: str, changes: dict[str, Any], arrived: list[tuple[Any, ...]]
) -> None:
    demosaic("train", "some/pairs", "--preset", "seed", *option.split())
    expected = SeedConfig(**changes)
    assert arrived == [(Path("some/pairs"), Path("runs/pairs-seed"), expected)]


@pytest.mark.parametrize(
    ("words", "named", "preset"),
    [
        ("--preset seed --minutes 3", "--minutes", "seed"),
        ("--preset seed --sharpen 0.5", "--sharpen", "seed"),
        ("--preset seed --validations 3", "--validations", "seed"),
        ("--preset seed --init m", "--init", "seed"),
        ("--preset seed --parts 2", "--parts", "seed"),
        ("--preset seed --network S", "--network", "seed"),
        ("--preset seed --network S --discriminator code", "--network", "seed"),
        ("--preset seed --steps 3 --minutes 3 --sharpen 0", "--minutes, --sharpen", "seed"),
        ("--l1-weight 5", "--l1-weight", "default"),
        ("--validate-every 5", "--validate-every", "default"),
        ("--discriminator code", "--discriminator", "default"),
        ("--l1-weight 5 --validate-every 5", "--l1-weight, --validate-every", "default"),
    ],
)
def test_an_option_of_the_other_recipe_is_refused_by_name(
    words: str, named: str, preset: str, here: Path, arrived: list[tuple[Any, ...]]
) -> None:
    said = error(2, "train", "p", *words.split())
    assert said == f"{named}: --preset {preset} has no such option"
    assert arrived == []
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "changes"),
    [
        ("", {}),
        ("--block 12", {"block": (12, 12)}),
        ("--block 12x8.5 --offset 3,4", {"block": (12, 8.5), "offset": (3, 4)}),
        ("--realism 0", {"realism": 0.0}),
        ("--realism 1", {"realism": 1.0}),
        ("--consistency 0.5", {"consistency": 0.5}),
        ("--sampler top-left", {"sampler": "top-left"}),
        ("--mask m.png", {"mask": "m.png"}),
        ("--region whole", {"regions": "whole"}),
        ("--region 1,2,30,40", {"regions": ((1, 2, 30, 40),)}),
        (
            "--region 1,2,30,40 --region 9,9,8,8",
            {"regions": ((1, 2, 30, 40), (9, 9, 8, 8))},
        ),
    ],
)
def test_an_option_of_restore_arrives_in_its_field(
    option: str, changes: dict[str, Any], here: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []

    def listen_in(
        *_: Any, model: Path, config: RestoreConfig, **__: Any
    ) -> BatchReport[PictureRestored]:
        found.append((model, config))
        return BatchReport((), (), 0)

    from demosaic.restoration import batch as restoring

    monkeypatch.setattr(restoring, "restore_files", listen_in)
    write_png(here / "a.png", wave(0))
    assert demosaic("restore", "a.png", "--model", model, *option.split())[0] == 0
    assert found == [(Path(model), RestoreConfig(**changes))]


@pytest.mark.parametrize(
    ("option", "changes"),
    [
        ("", {}),
        ("--style solid", {"style": "solid"}),
        ("--block 12", {"block": 12}),
        ("--block 0.2", {"block": 0.2}),
        ("--shape ellipse", {"shape": "ellipse"}),
        ("--margin 1.7", {"margin": 1.7}),
        ("--sampler top-left", {"sampler": "top-left"}),
        ("--min-score 0.6", {"min_score": 0.6}),
        ("--region 1,2,3,4 --region 5,6,7,8", {"regions": ((1, 2, 3, 4), (5, 6, 7, 8))}),
    ],
)
def test_an_option_of_pixelate_arrives_in_its_field(
    option: str, changes: dict[str, Any], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []

    def listen_in(*_: Any, config: PixelateConfig, **__: Any) -> BatchReport[PicturePixelated]:
        found.append(config)
        return BatchReport((), (), 0)

    from demosaic.privacy import pixelate as pixelation

    monkeypatch.setattr(pixelation, "pixelate_files", listen_in)
    write_png(here / "a.png", wave(0))
    assert demosaic("pixelate", "a.png", *option.split())[0] == 0
    assert found == [PixelateConfig(**changes)]


def test_a_pixelated_photo_is_restored_where_it_was_pixelated(here: Path, model: str) -> None:
    photo = texture(96, 96)
    write_png(here / "a.png", photo)
    words = ("pixelate", "a.png", "--region", "16,24,64,48", "--block", "8")
    code, said, errors = demosaic(*words)
    assert (code, errors) == (0, "")
    assert said == ("pixelated a.png: a.pixelated.png\n  64 x 48 px at 16,24: cells of 8 px\n")
    assert "already there" in error(1, *words)
    code, said, errors = demosaic("restore", "a.pixelated.png", "--model", model)
    assert (code, errors) == (0, "")
    assert "64 x 48 px at 16,24: cells of 8 x 8 px" in said


def test_what_pixelate_does_is_said_as_json_when_asked(here: Path) -> None:
    for name in ("a", "b [1]"):
        write_png(here / f"{name}.png", texture(40, 40))
    words = ["pixelate", "a.png", "b [1].png", "--region", "4,4,24,24", "--out", "out", "--json"]
    code, said, errors = demosaic(*words, "--style", "solid")
    assert code == 0
    assert errors.splitlines()[0] == "pixelated a.png: out/a.pixelated.png"
    assert errors.splitlines()[-1] == "2 of 2 pictures pixelated"
    face = {"box": [4, 4, 24, 24], "style": "solid", "block": None, "score": None}
    assert [json.loads(line) for line in said.splitlines()] == [
        {"event": "PicturesFound", "total": 2},
        *(
            {
                "event": "PicturePixelated",
                "picture": f"{name}.png",
                "out": f"out/{name}.pixelated.png",
                "faces": [face],
            }
            for name in ("a", "b [1]")
        ),
        {"event": "PicturesDone", "what": "pixelated", "done": 2, "total": 2},
    ]


def test_what_a_build_does_is_said_as_json_when_asked(here: Path, photos: Path) -> None:
    shutil.copytree(photos / "person-000", here / "photos")
    (here / "photos" / "._a.jpg").touch()
    (here / "photos" / "notes [1].txt").write_text("Dear diary")
    words = ["build-dataset", "photos", "pairs", "--workers", "1", "--json"]
    code, said, errors = demosaic(*words, "--dry-run")
    events = [json.loads(line) for line in said.splitlines()]
    assert (code, (here / "pairs").exists()) == (0, False)
    assert events[0] == {"event": "PhotosFound", "total": 5, "ignored": 1}
    forecast = events[-1]
    assert (forecast["event"], forecast["photos"], forecast["sampled"]) == ("Forecast", 5, 5)
    assert errors.endswith("\nnothing was written: the same command without --dry-run builds\n")
    code, said, errors = demosaic(*words)
    assert code == 0
    *first, alone, report = (json.loads(line) for line in said.splitlines())
    assert first == events[:-1]
    assert alone["text"].startswith("No group was assigned to val (1 group in total). ")
    reason = "not a picture"
    skipped = {"event": "PhotoSkipped", "photo": "notes [1].txt", "reason": reason}
    assert {**skipped, "detail": reason} in first
    dataset = json.loads((here / "pairs" / "dataset.json").read_text())
    assert report["event"] == "BuildReport"
    assert report["funnel"] == dataset["funnel"]
    assert report["funnel"] == {"found": 5, **dict.fromkeys(list(report["funnel"])[1:], 4)}
    assert (report["pairs"], report["skipped"]) == (dataset["pairs"], {reason: 1})
    assert (report["pairs"], report["ignored"]) == (forecast["pairs"], 1)
    assert errors.endswith("next: demosaic train pairs\n")


# Problems


def test_a_missing_folder_is_named(here: Path) -> None:
    assert "nowhere [1]" in error(1, "build-dataset", "nowhere [1]", "pairs")
    assert "nowhere [1]" in error(1, "train", "nowhere [1]")
    assert error(1, "restore", "nowhere [1].png") == "there is no file nowhere [1].png"
    assert list(here.iterdir()) == []


def test_nothing_to_do_is_exit_code_3(here: Path, model: str) -> None:
    (here / "empty").mkdir()
    assert "no photos in empty" in error(3, "build-dataset", "empty", "pairs")
    assert "empty" in error(3, "train", "empty")
    assert "no pictures in empty" in error(3, "restore", "empty", "--out", "out")
    write_png(here / "clean [1].png", texture(64, 64))
    said = error(3, "restore", "clean [1].png", "--model", model)
    assert said.startswith("clean [1].png: no mosaic")
    assert [path.name for path in here.glob("*.restored.png")] == []


def test_photos_without_faces_are_exit_code_3_with_the_reason(here: Path) -> None:
    (here / "photos").mkdir()
    write_png(here / "photos" / "wall.png", wave(0))
    said = error(3, "build-dataset", "photos", "pairs", "--workers", "1")
    assert "1 x no face" in said
    assert "skipped.jsonl" in said


def test_a_newcomer_restores_at_once_with_the_model_in_the_box(here: Path) -> None:
    grid, observed = Grid.square(8), mosaicked(64, 64, Grid.square(8))
    write_png(here / "a.png", observed)
    code, said, _ = demosaic("restore", "a.png")
    assert (code, f"model {BOX} (the one in the box): " in said) == (0, True)
    restored = read_image(here / "a.restored.png")
    assert np.abs(means(restored, grid) - cell_colours(observed, grid)).max() <= 0.5


def test_the_models_at_hand_are_listed(here: Path, model: str) -> None:
    code, said, errors = demosaic("models")
    assert (code, errors) == (0, "")
    assert said.splitlines()[0] == f"restore takes: {BOX} (the one in the box)"
    run = here / "runs" / "a"
    run.mkdir(parents=True)
    shutil.copy(model, run / "best.safetensors")
    lines = demosaic("models")[1].splitlines()
    assert lines[0] == f"restore takes: {BOX} (the one in the box)"
    assert lines[2] == "passed over: runs/a/best.safetensors (only 6 steps)"
    save_model(run / "best.safetensors", generator(), replace(CARD, step=600, minutes=21.3))
    lines = demosaic("models")[1].splitlines()
    assert lines[0] == "restore takes: runs/a/best.safetensors (the newest below runs/)"
    assert lines[1] == "  preset seed, 600 steps in 21 minutes, cells of 4 px"
    assert lines[2] == f"also at hand: {BOX} (the one in the box)"


def test_a_file_that_is_no_model_is_named(here: Path) -> None:
    write_png(here / "a.png", mosaicked(32, 32, Grid.square(4)))
    assert "there is no model file m [2]" in error(1, "restore", "a.png", "--model", "m [2]")
    assert "a.png is not a demosaic model" in error(1, "restore", "a.png", "--model", "a.png")


def test_the_model_taken_is_said(here: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_png(here / "a.png", mosaicked(32, 32, Grid.square(4)))
    monkeypatch.setenv("DEMOSAIC_MODEL", model)
    code, said, errors = demosaic("restore", "a.png")
    assert (code, errors) == (0, "")
    assert said.splitlines() == [
        f"model {model} ($DEMOSAIC_MODEL): 6 steps",
        "restored a.png: a.restored.png",
        "  32 x 32 px at 0,0: cells of 4 x 4 px, confidence 1.00, cell error 0.00",
    ]


def test_a_bracketed_name_is_printed_whole(here: Path, model: str) -> None:
    name = "group [bold red] photo [1] :smile: of a very long evening with many friends of ours.png"
    write_png(here / name, mosaicked(32, 32, Grid.square(4)))
    code, said, _ = demosaic("restore", name, "--model", model)
    result = f"{name.removesuffix('.png')}.restored.png"
    assert code == 0
    assert said.splitlines()[-2] == f"restored {name}: {result}"
    assert error(1, "restore", name, "--model", model).startswith(f"{result} is already there")
    assert demosaic("restore", name, "--model", model, "--force")[0] == 0


def test_a_name_with_two_spaces_is_printed_whole() -> None:
    assert error(1, "restore", "two  spaces.png") == "there is no file two  spaces.png"


def test_one_bad_picture_of_several_is_said_and_the_others_are_done(here: Path, model: str) -> None:
    (here / "in").mkdir()
    write_png(here / "in" / "a.png", mosaicked(32, 32, Grid.square(4)))
    (here / "in" / "b [1].png").write_text("no picture")
    code, said, errors = demosaic("restore", "in", "--out", "out", "--model", model)
    assert (code, errors.count("\n")) == (1, 1)
    assert "1 of 2 pictures failed" in errors
    assert "left out: in/b [1].png: not a picture" in said
    assert [path.name for path in (here / "out").iterdir()] == ["a.restored.png"]
    assert sorted(path.name for path in (here / "in").iterdir()) == ["a.png", "b [1].png"]


def test_a_region_and_a_consistency_arrive(here: Path, model: str) -> None:
    picture = texture(48, 64)
    grid = Grid.square(4)
    picture[8:40, 16:48] = mosaicked(32, 32, grid)
    write_png(here / "a.png", picture)
    words = ["restore", "a.png", "--region", "16,8,32,32", "--model", model]
    assert demosaic(*words)[0] == 0
    assert demosaic(*words, "--consistency", "0", "--out", "b.png")[0] == 0
    reconciled, free = read_image(here / "a.restored.png"), read_image(here / "b.png")
    colours = cell_colours(picture[8:40, 16:48], grid)
    assert np.abs(means(reconciled[8:40, 16:48], grid) - colours).max() <= 0.5
    assert np.abs(means(free[8:40, 16:48], grid) - colours).max() > 10


# Training


@pytest.mark.usefixtures("tiny")
def test_a_run_is_named_after_its_pairs_or_as_asked(here: Path, dataset: Path) -> None:
    words = ["train", str(dataset), "--steps", "1", "--batch", "2", "--precision", "fp32"]
    assert demosaic(*words)[0] == 0
    assert demosaic(*words, "--preset", "seed")[0] == 0
    assert demosaic(*words, "--name", "mine [1]")[0] == 0
    assert sorted(path.name for path in (here / "runs").iterdir()) == [
        "mine [1]",
        "pairs-default",
        "pairs-seed",
    ]
    assert read_card(here / "runs" / "pairs-default" / "best.safetensors").preset == "default"
    assert read_card(here / "runs" / "pairs-seed" / "best.safetensors").preset == "seed"
    assert remembered_model() == here / "runs" / "mine [1]" / "best.safetensors"


@pytest.mark.usefixtures("tiny")
def test_a_finished_run_says_so(here: Path, dataset: Path) -> None:
    words = ["train", str(dataset), "--steps", "1", "--batch", "2", "--precision", "fp32"]
    demosaic(*words)
    code, said, errors = demosaic(*words)
    assert (code, errors) == (0, "")
    assert "is finished" in said
    assert "Train" not in said
    code, said, _ = demosaic(*words, "--json")
    notice, report = map(json.loads, said.splitlines())
    assert (code, notice["event"], report["event"]) == (0, "Notice", "TrainReport")
    assert (report["step"], report["best"]) == (1, "runs/pairs-default/best.safetensors")


@pytest.mark.usefixtures("tiny")
def test_other_options_under_the_same_name_are_refused(here: Path, dataset: Path) -> None:
    words = ["train", str(dataset), "--steps", "1", "--batch", "2", "--precision", "fp32"]
    demosaic(*words)
    assert "lr 0.02 -> 0.1" in error(1, *words, "--lr", "0.1")
    assert "steps 1 -> None" in error(1, "train", str(dataset), "--batch", "2")
    demosaic(*words, "--preset", "seed")
    assert "lr 0.0002 -> 0.1" in error(1, *words, "--preset", "seed", "--lr", "0.1")
    named = (*words, "--name", "pairs-seed")
    assert "preset seed -> default" in error(1, *named)


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("preset", ["default", "seed"])
def test_ctrl_c_exits_130_and_says_how_to_go_on(
    here: Path, preset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = side_by_side(here / "pairs", side=32)
    words = ["train", str(folder), "--steps", "2", "--batch", "2", "--precision", "fp32"]
    words += ["--preset", preset]
    recipe: Any = blind.Blind if preset == "default" else pix2pix.Pix2Pix
    real = recipe.step

    def interrupted(*given: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return real(*given)

    with monkeypatch.context() as patched:
        patched.setattr(recipe, "step", interrupted)
        said = stopped(130, *words)
    run = Path("runs") / f"pairs-{preset}"
    assert said == (
        f"Stopped at step 1, 50% of the budget, saved in {run}: run the same command to continue"
    )
    assert demosaic(*words)[0] == 0
    assert read_card(here / run / "model.safetensors").step == 2


@pytest.mark.usefixtures("tiny")
def test_a_model_of_the_default_recipe_restores_what_it_never_saw(
    here: Path, dataset: Path
) -> None:
    words = ["train", str(dataset), "--steps", "2", "--batch", "2", "--precision", "fp32"]
    assert demosaic(*words, "--validation-pairs", "2")[0] == 0
    for block in (4, 7, 10):
        grid = Grid.square(block)
        observed = mosaicked(48, 40, grid)
        write_png(here / f"{block}.png", observed)
        code, said, errors = demosaic("restore", f"{block}.png", "--realism", "0.7")
        assert (code, errors) == (0, "")
        assert f"40 x 48 px at 0,0: cells of {block} x {block} px" in said
        restored = read_image(here / f"{block}.restored.png")
        assert np.abs(means(restored, grid) - cell_colours(observed, grid)).max() <= 0.5
        assert not np.array_equal(restored, observed)


def test_ctrl_c_before_anything_is_one_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", interrupted)
    assert stopped(130, "train", "pairs") == "Stopped"


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(training, "train", broken)
    with pytest.raises(ZeroDivisionError):
        demosaic("train", "pairs")


# Evaluating


def test_a_model_is_evaluated_onto_a_page_beside_it(dataset: Path, model: str) -> None:
    words = ["evaluate", str(dataset), "--model", model, "--faces", "2", "--precision", "fp32"]
    code, said, errors = demosaic(*words, "--json")
    assert code == 0
    events = [json.loads(line) for line in said.splitlines()]
    *_, report = events
    assert report["event"] == "EvaluationReport"
    assert (report["faces"], report["models"]) == (2, {"restored": model})
    assert report["scores"][0]["way"] == {"method": "mosaic", "realism": None}
    page = Path(model).with_name("report.html")
    assert report["page"] == str(page)
    assert "PSNR, dB" in errors  # for a person, beside the JSON
    assert errors.endswith(f"look at {page}\n")
    before = page.read_bytes()
    assert error(1, *words) == f"{page} is already there: --force replaces it"
    assert demosaic(*words, "--force")[0] == 0
    assert len(page.read_bytes()) == pytest.approx(len(before), rel=0.01)


@pytest.mark.slow
@pytest.mark.usefixtures("tiny")
def test_runs_are_compared_on_the_pairs_of_the_first(here: Path, dataset: Path) -> None:
    words = [
        "train",
        str(dataset),
        "--steps",
        "2",
        "--batch",
        "2",
        "--precision",
        "fp32",
        "--init",
        "none",
    ]
    assert demosaic(*words, "--name", "one")[0] == 0
    assert demosaic(*words, "--name", "two", "--seed", "1")[0] == 0
    words = ["compare", "runs/one", "runs/two", "--faces", "2", "--precision", "fp32"]
    code, said, errors = demosaic(*words, "--quick")
    assert (code, errors) == (0, "")
    rows = [line.split("  ")[1] for line in said.splitlines() if line.startswith("  ")]
    assert rows == ["mosaic", "bicubic", "smooth, same cells", "one, realism 0", "two, realism 0"]
    assert demosaic(*words)[0] == 0
    page = (here / "compare.html").read_text()
    assert "PSNR at validation, block 16, draw" in page
    assert "runs/nowhere is neither a run" in error(1, "compare", "runs/one", "runs/nowhere")


# Groups and forgetting


@pytest.mark.parametrize("by", ["person-", "(", "*"])
def test_an_expression_that_tells_nobody_apart_is_refused_and_nothing_written(
    by: str, here: Path
) -> None:
    people.draw(here / "photos", people=1, photos=1, seed=0, workers=1)
    assert f"--group-by {by}: " in error(2, "build-dataset", "photos", "pairs", "--group-by", by)
    assert "--max-per-group -1" in error(
        2, "build-dataset", "photos", "pairs", "--max-per-group", "-1"
    )
    assert not (here / "pairs").exists()


def test_a_person_is_forgotten_by_name(here: Path) -> None:
    people.draw(here / "photos", people=2, photos=1, seed=0, workers=1)
    demosaic("build-dataset", "photos", "pairs", "--workers", "1")
    records = (here / "pairs" / "pairs.jsonl").read_text()
    photo = json.loads(records.splitlines()[0])["photo"]
    assert "give a photo or a folder" in error(1, "forget", "pairs", "nobody")
    code, said, errors = demosaic("forget", "pairs", photo, "--json")
    assert (code, "forgotten: 1 photo, and with it 1 pair" in errors) == (0, True)
    report = json.loads(said.splitlines()[-1])
    assert (report["event"], report["photos"], report["pairs"]) == ("ForgetReport", 1, 1)
    assert photo not in (here / "pairs" / "pairs.jsonl").read_text()
    assert "holds no dataset" in error(1, "forget", "photos", photo)
