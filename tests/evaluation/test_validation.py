"""How good a model is: numbers checked by hand."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from demosaic.config.networks import UNetConfig
from demosaic.dataset.reader import Pairs, open_pairs
from demosaic.evaluation import baselines, validation
from demosaic.imaging.arrays import Pixels, to_float
from demosaic.models.inputs import Views
from demosaic.models.pix2pix import Generator
from demosaic.models.restorer import Restorer
from demosaic.models.resunet import ResUNet
from demosaic.mosaic import pixelate
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours
from doubles import COMPUTE, OURS, TINY, Echo, a_dataset, as_mosaic, noise, smooth


class Oracle(Echo):
    """A generator that knows the answers."""

    def __init__(self, targets: list[Pixels]) -> None:
        super().__init__()
        self._answers = iter(targets)

    def forward(self, observed: Tensor) -> Tensor:
        super().forward(observed)
        return torch.from_numpy(np.stack([to_float(next(self._answers)) for _ in observed]))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Pairs:
    folder = a_dataset(tmp_path_factory.mktemp("evaluation"))
    return open_pairs(folder, direction="left-to-right", multiple=TINY.multiple)


# A dataset


def test_a_generator_that_knows_the_answers_scores_perfectly(pairs: Pairs) -> None:
    paths = [*pairs.val, *pairs.train][:6]
    oracle = Oracle([pairs.read(path)[1] for path in paths])
    scores = validation.evaluate(oracle, pairs, paths, COMPUTE)
    assert list(scores) == ["restored", "reconciled"]
    assert (scores["restored"].psnr, scores["restored"].l1) == (100, 0)
    assert scores["restored"].ssim == pytest.approx(1, abs=1e-6)
    assert scores["reconciled"].psnr > 48  # the observed cells are rounded


def test_the_reconciled_never_has_a_cell_error(pairs: Pairs) -> None:
    torch.manual_seed(0)
    generator = Generator(TINY)
    nn.init.normal_(generator.head.weight, std=3)  # far out of range
    paths = [*pairs.val, *pairs.train][:5]
    scores = validation.evaluate(generator, pairs, paths, COMPUTE)
    assert scores["restored"].cell_error > 10
    assert scores["reconciled"].cell_error < 1e-3
    assert scores["reconciled"].psnr > scores["restored"].psnr


def test_every_pair_is_scored_on_its_own_grid(tmp_path: Path) -> None:
    dataset = a_dataset(tmp_path, blocks=(3, 8), offset="random")
    pairs = open_pairs(dataset, direction="left-to-right", multiple=TINY.multiple)
    assert len({pairs.grid(path) for path in pairs.train}) > 3
    for path in pairs.train:
        observed, target = pairs.read(path)
        grid = pairs.grid(path)
        assert grid is not None
        assert np.array_equal(observed, as_mosaic(target, grid))
    torch.manual_seed(0)
    scores = validation.evaluate(Generator(TINY), pairs, pairs.train, COMPUTE)
    assert scores["reconciled"].cell_error < 1e-3 < scores["restored"].cell_error
    unlearned = baselines.baselines(pairs, pairs.train)
    assert unlearned["mosaic"].cell_error < 1e-4
    assert unlearned["base"].cell_error < 0.5 < unlearned["bicubic"].cell_error


def test_cells_that_are_no_means_are_not_reconciled_with(tmp_path: Path) -> None:
    dataset = a_dataset(tmp_path, sampler="centre")
    pairs = open_pairs(dataset, direction="left-to-right", multiple=TINY.multiple)
    assert pairs.grids == {}
    torch.manual_seed(0)
    assert list(validation.evaluate(Generator(TINY), pairs, pairs.val, COMPUTE)) == ["restored"]


def test_the_echo_scores_what_the_mosaic_scores(pairs: Pairs) -> None:
    scores = validation.evaluate(Echo(), pairs, pairs.train[:5], COMPUTE)
    assert scores["restored"] == baselines.baselines(pairs, pairs.train[:5])["mosaic"]


def test_the_scores_do_not_depend_on_how_many_are_run_together(pairs: Pairs) -> None:
    generator, paths = Generator(TINY), pairs.train[:5]
    together = validation.evaluate(generator, pairs, paths, COMPUTE)
    alone = [validation.evaluate(generator, pairs, [path], COMPUTE) for path in paths]
    means = baselines.mean_scores([scores["restored"] for scores in alone])
    assert vars(together["restored"]) == pytest.approx(vars(means), rel=1e-3)


@pytest.mark.parametrize("training", [True, False])
def test_evaluating_uses_moving_statistics_and_gives_the_mode_back(
    pairs: Pairs, training: bool
) -> None:
    echo = Echo().train(training)
    validation.evaluate(echo, pairs, pairs.train[:5], COMPUTE)
    assert not any(was_training for was_training, _ in echo.runs)
    assert sum(count for _, count in echo.runs) == 5
    assert echo.training == training


def test_the_mode_comes_back_even_when_the_reader_stops_early(pairs: Pairs) -> None:
    echo = Echo().train()
    for _ in validation.restorations(echo, pairs, pairs.train[:5], COMPUTE):
        break
    assert echo.training


def test_evaluating_changes_nothing_in_the_generator(pairs: Pairs) -> None:
    generator = Generator(TINY).train()
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    validation.evaluate(generator, pairs, pairs.train[:5], COMPUTE)
    assert all(torch.equal(before[name], value) for name, value in generator.state_dict().items())


def test_the_network_of_these_tests_is_small() -> None:
    assert UNetConfig(down=(4, 8, 8), up=(8, 4)) == TINY


# Grids, and a model of our recipe

GRIDS = {"block 4": Grid.square(4), "askew": Grid(7, 5, 3, 2)}


class Knowing(Restorer):
    """A restorer that knows the answers; the sharp one answers a little brighter."""

    def __init__(self, targets: list[Pixels], *, sharp: bool) -> None:
        super().__init__(ResUNet(OURS), ResUNet(OURS) if sharp else None)
        self._answers = targets
        self.asked: list[tuple[int, float]] = []

    def forward(
        self,
        views: Views,
        realism: float,
        seeds: Sequence[int] | None = None,
        effort: int = 1,
    ) -> Tensor:
        self.asked.append((len(views.seen), realism))
        restored = torch.zeros_like(views.seen)
        for picture in restored:
            side = self._answers[0].shape[0]
            picture[:, :side, :side] = torch.from_numpy(to_float(self._answers[0]))
        return restored + 0.1 * realism


def test_pixelated_is_the_mosaic_of_means() -> None:
    picture, grid = noise(), Grid(7, 5, 3, 2)
    found = pixelate.pixelated(picture, grid)
    assert np.array_equal(found, as_mosaic(picture, grid))
    assert not np.array_equal(found, picture)


def test_a_restorer_that_knows_the_answers_scores_perfectly_on_every_grid() -> None:
    restorer = Knowing([smooth()], sharp=False)
    scores = validation.score_grids(restorer, [smooth()] * 6, GRIDS, COMPUTE)
    assert list(scores) == ["block 4, restored", "askew, restored"]
    for found in scores.values():
        assert found.psnr > 48  # the observed cells are rounded
        assert found.cell_error < 1e-3
    assert restorer.asked == [(4, 0.0), (4, 0.0), (2, 0.0), (2, 0.0)]


def test_draws_are_scored_under_their_own_name() -> None:
    restorer = Knowing([smooth()], sharp=True)
    scores = validation.score_grids(restorer, [smooth()], GRIDS, COMPUTE, 1.0)
    assert list(scores) == [f"{grid}, draw" for grid in GRIDS]
    assert {realism for _, realism in restorer.asked} == {1.0}
    # What is brighter all over is put right by the cells
    assert scores["askew, draw"].psnr > 45


@pytest.mark.parametrize("side", [32, 45])
def test_restored_pictures_do_not_depend_on_how_many_are_run_together(side: int) -> None:
    torch.manual_seed(0)
    restorer = Restorer(ResUNet(OURS), None).eval()
    nn.init.normal_(restorer.faithful.head.weight, std=0.3)
    grid = Grid(7, 5, 3, 2)
    observed = [as_mosaic(noise(seed, side), grid) for seed in range(3)]
    together = validation.restored_pictures(restorer, observed, grid, COMPUTE)
    for shown, found in zip(observed, together, strict=True):
        (alone,) = validation.restored_pictures(restorer, [shown], grid, COMPUTE)
        assert found.shape == (side, side, 3)
        assert np.abs(found.astype(int) - alone).max() <= 1
        assert np.abs(cell_colours(found, grid) - cell_colours(shown, grid)).max() == 0
