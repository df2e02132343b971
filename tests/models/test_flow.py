"""The second stage's network: where a draw begins, where it ends, and what it depends on."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from demosaic.config.networks import FlowConfig
from demosaic.models.flow import STEPS, Flow, course
from demosaic.models.inputs import Views, observe, views
from demosaic.models.noise import CELLS, RINGS, white_noise
from demosaic.models.restorer import Restorer
from demosaic.models.resunet import ResUNet
from demosaic.mosaic.grid import Grid
from doubles import OURS, mosaicked

GRIDS = (Grid.square(8), Grid(7, 5, 3, 1))
SPECTRUM = torch.full((len(CELLS), RINGS), 0.2)


def some_views(side: int = 64) -> Views:
    return views([observe(mosaicked(side, side, grid), grid) for grid in GRIDS])


def a_mean() -> ResUNet:
    torch.manual_seed(0)
    network = ResUNet(OURS)
    for weight in network.parameters():
        if weight.ndim == 4:
            nn.init.normal_(weight, std=0.1)
    return network


def a_restorer(*, wild: bool = False) -> Restorer:
    """A mean and a flow, new or with random weights."""
    mean = a_mean()
    flow = Flow.beginning_as(mean, FlowConfig(light=4), SPECTRUM)
    for weight in flow.parameters():
        if wild:
            nn.init.normal_(weight, std=0.1)
    return Restorer(mean, flow).eval().requires_grad_(False)


def lacking(made: Tensor, shown: Views) -> float:
    """How far the cells of the made are from those observed, at most."""
    means = shown.means_down @ made @ shown.means_across.transpose(-1, -2)
    return float((means - shown.colours).abs().max())


def draw(restorer: Restorer, views: Views, seeds: Sequence[int], steps: int) -> Tensor:
    """One full draw for each picture, (N, 3, H, W), in so many steps."""
    assert isinstance(restorer.sharp, Flow)
    white = white_noise(seeds, views.seen)
    return restorer.sharp.draw(restorer.mean(views), views, white, steps)


@pytest.mark.parametrize(
    ("realism", "expected"),
    [(0.0, (4, 0.0)), (0.25, (4, 0.5)), (0.5, (4, 1.0)), (0.75, (8, 1.0)), (1.0, (STEPS, 1.0))],
)
def test_more_realism_takes_more_steps(realism: float, expected: tuple[int, float]) -> None:
    assert course(realism) == expected


def test_a_new_flow_draws_the_mean_with_its_noise() -> None:
    """The linear part alone leads along a path that ends as far from the mean as it began."""
    restorer, shown = a_restorer(), some_views()
    assert isinstance(restorer.sharp, Flow)
    mean = restorer.mean(shown)
    begun = restorer.sharp.begin(mean, shown, white_noise([1, 2], mean)) - mean
    drawn = draw(restorer, shown, [1, 2], 40) - mean
    torch.testing.assert_close(drawn, begun, rtol=0, atol=0.05 * float(begun.abs().max()))


@pytest.mark.parametrize("steps", [1, 4])
def test_draws_of_a_wild_flow_agree_with_the_cells(steps: int) -> None:
    restorer, shown = a_restorer(wild=True), some_views()
    drawn = draw(restorer, shown, [1, 2], steps)
    assert lacking(drawn, shown) < 1e-4
    assert float((drawn - restorer.mean(shown)).abs().mean()) > 0.05


def test_where_cells_are_no_means_a_draw_has_those_of_the_mean() -> None:
    picture, restorer = mosaicked(64, 64, GRIDS[0]), a_restorer(wild=True)
    shown = views([observe(picture, GRIDS[0], consistency=0.0)])
    drawn, mean = draw(restorer, shown, [1], 3), restorer.mean(shown)
    assert lacking(mean, shown) > 0.01
    assert lacking(drawn, shown.with_cells_of(mean)) < 1e-4
    assert float((drawn - mean).abs().mean()) > 0.05


def test_visible_pixels_stay() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    hidden = np.zeros((64, 64), bool)
    hidden[16:48, 16:40] = True
    shown = views([observe(picture, Grid.square(8), hidden=hidden)])
    drawn = draw(a_restorer(wild=True), shown, [0], 2)
    visible = torch.from_numpy(~hidden)
    assert torch.equal(drawn[..., visible], shown.seen[..., visible])
    assert not torch.equal(drawn, shown.seen)


def test_a_picture_depends_on_its_own_seed_only() -> None:
    restorer, shown = a_restorer(wild=True), some_views()
    both, other = restorer(shown, 0.4, [3, 4]), restorer(shown, 0.4, [3, 5])
    alone = restorer(shown.part(slice(1, 2)), 0.4, [4])
    torch.testing.assert_close(both[0], other[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(both[1], alone[0], rtol=0, atol=1e-4)
    assert float((both[1] - other[1]).abs().mean()) > 0.01
    assert torch.equal(restorer(shown, 0.4), restorer(shown, 0.4, [0, 0]))


def test_without_realism_it_is_the_mean_and_a_little_is_a_blend() -> None:
    restorer, shown = a_restorer(wild=True), some_views()
    mean, four = restorer(shown, 0.0), restorer(shown, 0.5, [1, 2])
    assert torch.equal(mean, restorer.mean(shown))
    expected = torch.lerp(mean, four, 0.2)
    torch.testing.assert_close(restorer(shown, 0.1, [1, 2]), expected, rtol=0, atol=1e-5)


def test_the_time_reaches_every_block() -> None:
    restorer, shown = a_restorer(wild=True), some_views()
    flow = restorer.sharp
    assert isinstance(flow, Flow)
    mean = restorer.mean(shown)
    early, late = (flow(mean, mean, shown, torch.full((2,), time)) for time in (0.1, 0.8))
    assert float((early - late).abs().mean()) > 0.01
    assert flow.time.out_features == 2 * (sum(flow.trunk.block_widths) + 2 * 4)
    assert flow.trunk.block_widths == [8] * (sum(OURS.down) + sum(OURS.up))


def test_every_parameter_is_of_one_kind() -> None:
    flow = a_restorer().sharp
    assert isinstance(flow, Flow)
    filters, rest = flow.parameters_by_kind()
    assert {*filters, *rest} == {*flow.parameters()}
    assert len(filters) + len(rest) == len([*flow.parameters()])
    assert all(weight.ndim == 4 for weight in filters)
