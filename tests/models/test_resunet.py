"""The networks of the default recipe."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demosaic.config.networks import NETWORKS, ResUNetConfig
from demosaic.models.inputs import COARSE, GUIDES
from demosaic.models.restorer import Restorer
from demosaic.models.resunet import Attention, ResUNet, ShuffledConv


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# Ours

OURS = ResUNetConfig(widths=(8, 12, 16), down=(2, 1, 1), up=(1, 1), attention=2, head=4)


def shown(count: int = 2, height: int = 32, width: int = 48, seed: int = 0) -> list[Tensor]:
    """What a network of ours takes: a picture, what is hidden of it, and the guide."""
    hidden = (random(count, 1, height, width, seed=seed + 1) > 0).float()
    guide = random(count, GUIDES, height // COARSE, width // COARSE, seed=seed + 2)
    return [random(count, 3, height, width, seed=seed), hidden, guide]


def stirred(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network with every weight drawn, those that begin at zero too."""
    source = torch.Generator().manual_seed(seed)
    for weight in network.parameters():
        weight.data = 0.2 * torch.randn(weight.shape, generator=source)
    return network


@pytest.mark.parametrize("config", [OURS, ResUNetConfig((4,), (1,), (), attention=0, head=1)])
def test_a_new_network_of_ours_gives_back_what_it_was_shown(config: ResUNetConfig) -> None:
    picture, hidden, guide = shown()
    assert torch.equal(ResUNet(config)(picture, hidden, guide), picture)


def test_a_network_of_ours_uses_all_that_it_is_shown() -> None:
    network = stirred(ResUNet(OURS))
    given = [one.requires_grad_() for one in shown()]
    (network(*given) - given[0]).square().sum().backward()
    for one in given:
        assert one.grad is not None
        assert bool((one.grad.abs().sum((0, 2, 3)) > 0).all())  # every plane
    assert all(w.grad is not None and w.grad.any() for w in network.parameters())


def test_a_picture_s_result_does_not_hang_on_the_others_of_its_batch() -> None:
    network = stirred(ResUNet(OURS))
    given = shown(count=3)
    with torch.no_grad():
        together = network(*given)
        alone = torch.cat([network(*(one[[number]] for one in given)) for number in range(3)])
    assert float((together - given[0]).abs().mean()) > 1
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=5e-3)


@torch.no_grad()
def test_a_new_network_hears_its_coarse_levels_as_well_as_its_fine_ones() -> None:
    torch.manual_seed(0)
    network = ResUNet(ResUNetConfig((32, 64, 96, 128), (1, 1, 1, 1), (1, 1, 1), 2, 8))
    features = random(4, 4 * COARSE**2 + GUIDES, 64, 64)
    strengths = []
    for layer in (network.stem, *network.narrow, *reversed(network.widen)):
        features = layer(features)
        strengths.append(float(features.std()))
    assert strengths == pytest.approx([1] * 7, abs=0.3)


def test_the_first_step_of_a_new_network_reaches_its_head() -> None:
    """Zeros at the end of every branch, but not so that nothing would ever learn."""
    network = ResUNet(OURS)
    network(*shown()).square().sum().backward()
    assert network.head.weight.grad is not None and network.head.weight.grad.any()


def test_inner_filters_and_the_rest_are_all_there_is() -> None:
    network = ResUNet(OURS)
    inner, rest = network.parameters_by_kind()
    assert {*map(id, inner)} | {*map(id, rest)} == {*map(id, network.parameters())}
    assert len(inner) + len(rest) == len(list(network.parameters()))
    assert all(one.ndim == 4 for one in inner)
    outer = {id(w) for layer in (network.stem, network.head) for w in layer.parameters()}
    assert outer <= {*map(id, rest)}
    filters = [w for w in network.parameters() if w.ndim == 4]
    assert len(filters) == len(inner) + 2


@pytest.mark.parametrize(("name", "millions"), [("S", 1.9), ("M", 13.0)])
def test_our_networks_have_about_so_many_values(name: str, millions: float) -> None:
    with torch.device("meta"):
        network = ResUNet(NETWORKS[name])
    values = sum(weight.numel() for weight in network.parameters())
    assert values / 1e6 == pytest.approx(millions, rel=0.15)


def test_attention_begins_as_nothing_and_then_joins_the_farthest_points() -> None:
    attention = Attention(8)
    features = random(1, 8, 6, 5).requires_grad_()
    assert torch.equal(attention(features), features)
    stirred(attention)
    attention(features)[0, :, 0, 0].sum().backward()
    assert features.grad is not None
    assert bool((features.grad[0].abs().sum(0) > 0).all())


def test_attention_is_the_same_while_learning_and_in_use() -> None:
    attention, features = stirred(Attention(8)), random(2, 8, 4, 6)
    learning = attention(features).detach()
    with torch.no_grad():
        torch.testing.assert_close(attention(features), learning, rtol=1e-4, atol=1e-5)


def test_the_head_convolves_what_was_shuffled_and_averaged() -> None:
    """Up to two points from the border, beyond which lie zeros."""
    head = ShuffledConv(5, 3)
    stirred(head)
    features = random(2, 20, 8, 9)
    fine = F.avg_pool2d(F.pad(F.pixel_shuffle(features, 2), (1, 0, 1, 0)), 2, stride=1)
    expected = F.pixel_shuffle(F.conv2d(fine, head.weight, head.bias, padding=1), 2)
    found = F.pixel_shuffle(head(features), 4)
    assert found.shape == expected.shape == (2, 3, 32, 36)
    inner = (..., slice(4, -4), slice(4, -4))
    torch.testing.assert_close(found[inner], expected[inner], rtol=0, atol=1e-5)


def test_the_head_cannot_tell_a_point_s_four_parts_from_their_checkered_opposite() -> None:
    head = stirred(ShuffledConv(1, 1))
    checks = torch.tensor([1.0, -1.0, -1.0, 1.0]).view(1, 4, 1, 1).expand(1, 4, 6, 6)
    change = head(5 + 3 * checks) - head(torch.full_like(checks, 5))
    assert float(change.detach()[..., 1:-1, 1:-1].abs().max()) < 1e-5


def test_attention_does_not_care_where_points_lie() -> None:
    attention = stirred(Attention(8))
    features = random(2, 8, 4, 6)
    order = torch.randperm(24, generator=torch.Generator().manual_seed(3))
    moved = features.flatten(2)[:, :, order].view_as(features)
    expected = attention(features).flatten(2)[:, :, order]
    torch.testing.assert_close(attention(moved).flatten(2), expected, rtol=1e-4, atol=1e-5)


def test_a_restorer_s_weights_are_named_by_their_stage() -> None:
    both = {name.split(".")[0] for name in Restorer(ResUNet(OURS), ResUNet(OURS)).state_dict()}
    one = {name.split(".")[0] for name in Restorer(ResUNet(OURS), None).state_dict()}
    assert (both, one) == ({"faithful", "sharp"}, {"faithful"})
