"""Models on held-out faces, and the page about them; with networks of a few values."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from browser import browsing
from demosaic.config.compute import DeviceConfig
from demosaic.config.evaluation import EvaluateConfig
from demosaic.errors import DemosaicError
from demosaic.evaluation import benchmark
from demosaic.evaluation.benchmark import Evaluation, Kind
from demosaic.evaluation.events import Estimate, Way
from demosaic.evaluation.page import write_scorecard
from demosaic.evaluation.validation import restored_pictures
from demosaic.events import Event, Notice, WorkDone, WorkStarted
from demosaic.models.card import ModelCard
from demosaic.models.checkpoint import save_model
from demosaic.models.model import TwoStageModel
from demosaic.models.restorer import Restorer
from demosaic.models.resunet import ResUNet
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_means, pixelated
from demosaic.training.curves import training_curves
from doubles import CARD, COMPUTE, OURS, a_dataset, drawing_model, generator, noise, smooth

FP32 = DeviceConfig(device="cpu", precision="fp32")


def a_restorer() -> Restorer:
    torch.manual_seed(0)
    restorer = Restorer(ResUNet(OURS), ResUNet(OURS)).eval()
    for network in (restorer.faithful, restorer.sharp):
        assert isinstance(network, ResUNet)
        nn.init.normal_(network.head.weight, std=0.1)
    return restorer


def a_card(**changes: object) -> ModelCard:
    known = {**vars(CARD), "preset": "default", "network": OURS, "blocks": (4, 32), "sharp": True}
    return ModelCard(**{**known, **changes})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_dataset(tmp_path_factory.mktemp("scoring"))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One of our recipe and one of the article's."""
    made = tmp_path_factory.mktemp("models")
    save_model(made / "ours.safetensors", a_restorer(), a_card())
    save_model(made / "article.safetensors", generator(), CARD)
    return {"ours": made / "ours.safetensors", "article": made / "article.safetensors"}


@pytest.fixture(scope="module")
def heard() -> list[Event]:
    return []


@pytest.fixture(scope="module")
def found(folder: Path, models: dict[str, Path], heard: list[Event]) -> Evaluation:
    config = EvaluateConfig(faces=3)
    return benchmark.evaluate(folder, models, config, devices=FP32, listen=heard.append)


# Numbers


def test_a_face_has_the_same_offset_every_time_and_another_face_another() -> None:
    drawn = [Kind(32, aligned=False).grid(face) for face in range(20)]
    assert drawn == [Kind(32, aligned=False).grid(face) for face in range(20)]
    assert len({(grid.left, grid.top) for grid in drawn}) > 10
    assert Kind(32, aligned=True).grid(7) == Grid.square(32)


def test_a_blend_is_what_the_network_makes_at_that_realism() -> None:
    restorer, grid = a_restorer(), Grid.square(8, 3, 5)
    observed = [pixelated(noise(seed, 64), grid) for seed in range(2)]
    model = TwoStageModel(restorer, a_card())
    realisms = (0.0, 0.3, 1.0)
    blends = benchmark.restore_faces(model, observed, [grid, grid], realisms, COMPUTE)
    for realism in realisms:
        known = restored_pictures(restorer, observed, grid, COMPUTE, realism)
        for one, picture in zip(blends, known, strict=True):
            assert np.abs(one[realism].astype(int) - picture).max() <= 1
    assert np.abs(blends[0][0.0].astype(int) - blends[0][1.0]).max() > 10


def test_every_way_is_scored_on_every_kind_of_mosaic(found: Evaluation) -> None:
    ours = [Way("ours", realism) for realism in (0.0, 0.25, 0.5, 0.75, 1.0)]
    ways = [*map(Way, ("mosaic", "bicubic", "base")), *ours, Way("article")]
    kinds = [(aligned, block) for aligned in (True, False) for block in EvaluateConfig.blocks]
    scored = [(scores.aligned, scores.block, scores.way) for scores in found.report.scores]
    assert scored == [(*kind, way) for kind in kinds for way in ways]
    for scores in found.report.scores:
        for one in scores.estimates.values():
            assert one.low <= one.mean <= one.high
        if scores.way.method in ("mosaic", "ours", "article"):
            assert scores.estimates["cell_error"].mean < 0.01
        if scores.way.method == "base":
            assert scores.estimates["gain"] == Estimate(0, 0, 0)


def test_what_is_not_wanted_is_not_scored(folder: Path, models: dict[str, Path]) -> None:
    config = EvaluateConfig(faces=2, quick=True)
    quick = benchmark.evaluate(folder, models, config, devices=FP32)
    assert {scores.aligned for scores in quick.report.scores} == {True}
    assert {scores.way.realism for scores in quick.report.scores} == {None, 0.0}
    assert {name for scores in quick.report.scores for name in scores.estimates} == {
        "psnr",
        "gain",
        "ssim",
        "cell_error",
    }
    assert (quick.worst, quick.median) == ((), ())


def test_progress_adds_up_to_what_was_announced(found: Evaluation, heard: list[Event]) -> None:
    assert found.report.faces == 3
    counts = [event.count for event in heard if isinstance(event, WorkDone)]
    assert WorkStarted("mosaics", sum(counts)) in heard
    assert sum(counts) == 3 * 12
    assert isinstance(heard[-1], WorkDone)  # the report follows the page
    said = " ".join(event.text for event in heard if isinstance(event, Notice))
    assert "ours was trained on other pairs" in said


def test_the_worst_faces_come_first_with_all_their_pictures(found: Evaluation) -> None:
    assert [shown.psnr for shown in found.worst] == sorted(shown.psnr for shown in found.worst)
    names = ["ours, realism 0", "ours, realism 0.5", "ours, realism 1", "article"]
    for shown in (*found.worst, *found.median):
        assert [*shown.pictures] == ["mosaic", *names, "base", "original"]
        observed = cell_means(shown.pictures["original"], Grid.square(16))
        for name in ("mosaic", *names):
            again = cell_means(shown.pictures[name], Grid.square(16))
            assert np.abs(again - observed).max() <= 1


def test_a_model_of_other_pictures_is_refused(folder: Path, tmp_path: Path) -> None:
    save_model(tmp_path / "m", generator(), ModelCard(**{**vars(CARD), "blocks": None}))
    with pytest.raises(DemosaicError, match=r"m was not trained on mosaics"):
        benchmark.evaluate(folder, {"m": tmp_path / "m"}, EvaluateConfig(), devices=FP32)


# Runs


def a_run(folder: Path) -> Path:
    folder.mkdir()
    save_model(folder / "best.safetensors", a_restorer(), a_card())
    (folder / "config.json").write_text(json.dumps({"pairs": "some/pairs"}))
    scores = {"block 16, restored": {"psnr": 24.5}, "block 8, restored": {"psnr": 29.0}}
    lines = [
        *({"event": "StepDone", "step": n, "losses": {"psnr": float(n)}} for n in range(100)),
        {"event": "Evaluated", "step": 99, "scores": scores},
    ]
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


# The page


def test_the_page_of_an_evaluation_works_in_a_browser(found: Evaluation, tmp_path: Path) -> None:
    curves = {"ours": training_curves(a_run(tmp_path / "ours"))}
    write_scorecard(tmp_path / "report.html", found, curves)
    assert (tmp_path / "report.html").stat().st_size < 8_000_000
    with browsing() as browser:
        for width in (390, 1100):
            assert browser.faults(tmp_path / "report.html", width=width) == []
        headings = browser.run("[...document.querySelectorAll('h2')].map(one => one.innerText)")
        sliders = browser.run("document.querySelectorAll('.slider input').length")
        tables = browser.run("document.querySelectorAll('table').length")
        shown, names = browser.run("""[
            [...new Set([...document.querySelectorAll(".slider")].map(one => one.dataset.right))],
            [...document.querySelectorAll(".slider img, .slider input")].map(
                one => one.alt || one.getAttribute("aria-label")),
        ]""")
    assert shown == ["ours, realism 0.5"]
    assert len({*names}) == len(names)
    assert headings == [
        "Ordinary faces",
        "The worst faces",
        "Nearness to the truth",
        "Fidelity against realism",
        "Training",
        "All other numbers",
        "How this was measured",
    ]
    assert sliders == len(found.worst) + len(found.median)
    metrics = {name for scores in found.report.scores for name in scores.estimates}
    assert tables == 2 * len(metrics)


def test_a_realism_alone_is_not_drawn_against_itself(found: Evaluation, tmp_path: Path) -> None:
    alone = tuple(one for one in found.report.scores if one.way.realism in (None, 0.5))
    spectra = {name: shares for name, shares in found.spectra.items() if "realism" not in name}
    report = replace(found.report, scores=alone)
    write_scorecard(tmp_path / "one.html", replace(found, report=report, spectra=spectra))
    write_scorecard(tmp_path / "five.html", found)
    assert "ours, by realism" in (tmp_path / "five.html").read_text()
    assert "by realism" not in (tmp_path / "one.html").read_text()


def test_a_model_that_draws_is_shown_with_draws_and_their_spread(
    folder: Path, tmp_path: Path
) -> None:
    model = drawing_model(64)
    save_model(tmp_path / "model.safetensors", model.generator, model.card)
    config = EvaluateConfig(faces=2)
    found = benchmark.evaluate(folder, tmp_path / "model.safetensors", config, devices=FP32)
    ways = {one.way for one in found.report.scores if one.way.method == "restored"}
    assert ways == {Way("restored", 0.0)}
    assert [one.block for one in found.report.draws] == [8, 12, 16, 24]
    drawn = ["restored, a draw", "restored, another", "restored, spread"]
    assert list(found.worst[0].pictures) == [
        "mosaic",
        "restored, realism 0",
        *drawn,
        "base",
        "original",
    ]
    write_scorecard(tmp_path / "page.html", found)
    page = (tmp_path / "page.html").read_text()
    assert "<h2>Draws</h2>" in page and "inside the range of 9 draws" in page
    quick = replace(config, quick=True)
    assert benchmark.evaluate(folder, tmp_path / "model.safetensors", quick).report.draws == ()


def test_a_model_that_is_not_there_is_an_error_before_any_event(folder: Path) -> None:
    heard: list[Event] = []
    with pytest.raises(DemosaicError, match="there is no model file"):
        benchmark.evaluate(
            folder, {"a": folder / "missing"}, EvaluateConfig(), devices=FP32, listen=heard.append
        )
    assert heard == []


def test_a_smooth_face_is_nearer_than_its_mosaic(folder: Path, models: dict[str, Path]) -> None:
    judge = benchmark.Judge([smooth(64)], {}, EvaluateConfig(), COMPUTE)
    (scored,) = judge.score(Kind(8, aligned=False), [0])
    mosaic, base = (scored[Way(name)].numbers for name in ("mosaic", "base"))
    assert base["psnr"] > mosaic["psnr"] + 3
    assert mosaic["gain"] == mosaic["psnr"] - base["psnr"]
    assert base["ssim"] > mosaic["ssim"]
