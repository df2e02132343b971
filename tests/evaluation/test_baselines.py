"""Scores of one picture, and of the methods that need no learning."""

import math
from pathlib import Path

import numpy as np
import pytest

from demosaic.dataset.reader import Pairs, open_pairs
from demosaic.evaluation import baselines
from demosaic.evaluation.events import Scores
from demosaic.imaging.encoding import write_png
from demosaic.mosaic.grid import Grid
from doubles import GRID, TINY, a_dataset, as_mosaic, grey, noise, smooth

GRIDS = {"block 4": Grid.square(4), "askew": Grid(7, 5, 3, 2)}


def test_an_equal_picture_scores_perfectly() -> None:
    picture = noise()
    observed = as_mosaic(picture)
    scores = baselines.score(picture, observed, picture, GRID)
    assert (scores.psnr, scores.l1) == (100, 0)
    assert scores.ssim == pytest.approx(1, abs=1e-6)
    assert scores.cell_error < 0.51  # cells are observed rounded


def test_psnr_and_l1_of_a_known_error() -> None:
    target = grey(100)
    restored = target.copy()
    restored[0, 0] = (110, 100, 70)  # errors of 10, 0 and 30 among 768 values
    scores = baselines.score(restored, target, target, None)
    assert scores.psnr == pytest.approx(10 * math.log10(255**2 / ((100 + 900) / 768)))
    assert scores.l1 == pytest.approx(40 / 768 / 127.5)


def test_without_a_grid_there_is_no_cell_error() -> None:
    assert baselines.score(noise(0), noise(1), noise(2), None).cell_error == 0


def test_mean_scores_are_means_score_by_score() -> None:
    scores = [Scores(10, 0.5, 0.1, 0), Scores(20, 0.7, 0.3, 3)]
    expected = Scores(15, 0.6, 0.2, 1.5)
    found = baselines.mean_scores(scores)
    assert vars(found) == pytest.approx(vars(expected))


def smooth_pairs(folder: Path) -> Pairs:
    """A dataset of one smooth picture beside its mosaic."""
    dataset = a_dataset(folder)
    target = smooth()
    for picture in dataset.glob("*/*.png"):
        write_png(picture, np.hstack([as_mosaic(target), target]))
    return open_pairs(dataset, direction="left-to-right", multiple=TINY.multiple)


def test_base_beats_bicubic_and_bicubic_the_mosaic_on_smooth_pictures(tmp_path: Path) -> None:
    pairs = smooth_pairs(tmp_path)
    scores = baselines.baselines(pairs, pairs.val)
    assert list(scores) == ["mosaic", "bicubic", "base"]
    assert scores["base"].psnr > scores["bicubic"].psnr + 1
    assert scores["bicubic"].psnr > scores["mosaic"].psnr + 1
    assert scores["base"].cell_error < 0.5 < scores["bicubic"].cell_error
    assert scores["mosaic"].cell_error == 0


def test_the_baseline_of_other_pictures_is_the_input(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    for seed in range(2):
        write_png(tmp_path / "train" / f"{seed}.png", np.hstack([grey(100, 32), grey(110, 32)]))
    pairs = open_pairs(tmp_path, direction="left-to-right", multiple=TINY.multiple)
    scores = baselines.baselines(pairs, pairs.val)
    assert list(scores) == ["input"]
    assert scores["input"].psnr == pytest.approx(20 * math.log10(255 / 10))


def test_records_of_scores_are_plain_numbers() -> None:
    record = baselines.as_record({"base": Scores(20, 0.5, 0.1, 0)})
    assert record == {"base": {"psnr": 20, "ssim": 0.5, "l1": 0.1, "cell_error": 0}}


def test_what_needs_no_learning_is_scored_on_every_grid() -> None:
    scores = baselines.score_unlearned([smooth(), smooth()], GRIDS)
    kinds = ("mosaic", "bicubic", "base")
    assert list(scores) == [f"{grid}, {kind}" for grid in GRIDS for kind in kinds]
    for grid in GRIDS:
        mosaic, bicubic, base = (scores[f"{grid}, {kind}"] for kind in kinds)
        assert mosaic.psnr < bicubic.psnr < base.psnr
        assert mosaic.cell_error < 1e-4
    alone = baselines.score_unlearned([smooth()], GRIDS)
    assert {name: vars(found) for name, found in scores.items()} == {
        name: pytest.approx(vars(found)) for name, found in alone.items()
    }


def test_bicubic_keeps_its_place_where_cells_are_cut_by_an_edge() -> None:
    grids = {"whole": Grid.square(8), "cut": Grid.square(8, 3, 5)}
    scores = baselines.score_unlearned([smooth(64)], grids)
    assert scores["cut, bicubic"].psnr > scores["whole, bicubic"].psnr - 2
