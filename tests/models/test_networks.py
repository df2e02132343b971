"""The article's networks: their sizes, their layers, and Keras's arithmetic in them."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from demosaic.config.networks import NETWORKS, ResUNetConfig, UNetConfig
from demosaic.models.inputs import COARSE, GUIDES
from demosaic.models.pix2pix import Discriminator, Generator, SameConv, UpConv, frozen
from demosaic.models.resunet import Attention, Critic, Restorer, ResUNet, ShuffledConv

SUMMARY = UNetConfig(discriminator="summary")
TINY = UNetConfig(down=(4, 8, 8), up=(8, 4))

Doubles = NDArray[np.float64]


def on_meta(network: type[nn.Module], config: UNetConfig) -> nn.Module:
    """A network of shapes alone: no memory, no arithmetic."""
    with torch.device("meta"):
        return network(config)


def values(network: nn.Module) -> tuple[int, int]:
    """How many values Keras counts in all (without PyTorch's counter), and how many it trains."""
    trainable = sum(weight.numel() for weight in network.parameters())
    moving = sum(value.numel() for value in network.buffers() if value.dim())
    return trainable + moving, trainable


def image_like(network: nn.Module, *shape: int) -> Tensor:
    return torch.empty(shape, device=next(network.parameters()).device)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def slow_same_conv(image: Doubles, weight: Doubles, bias: Doubles) -> Doubles:
    """Keras's Conv2D(filters, 4, padding="same") of one (C, H, W) image, tap by tap."""
    _, height, width = image.shape
    result = np.zeros((len(bias), height, width))
    for row, column, down, right in product(range(height), range(width), range(4), range(4)):
        y, x = row + down - 1, column + right - 1  # one pixel before, two after
        if 0 <= y < height and 0 <= x < width:
            result[:, row, column] += weight[:, :, down, right] @ image[:, y, x]
    return result + bias[:, None, None]


def doubled(image: Doubles) -> Doubles:
    return image.repeat(2, axis=1).repeat(2, axis=2)


# The sizes of the article


def test_the_generator_has_the_values_the_article_prints() -> None:
    assert values(on_meta(Generator, UNetConfig())) == (41_937_603, 41_928_515)


@pytest.mark.parametrize(
    ("config", "counts"),
    [(UNetConfig(), (2_771_649, 2_769_729)), (SUMMARY, (6_998_369, 6_995_361))],
)
def test_each_discriminator_has_the_values_the_article_prints(
    config: UNetConfig, counts: tuple[int, int]
) -> None:
    assert values(on_meta(Discriminator, config)) == counts


@pytest.mark.parametrize(("config", "side"), [(UNetConfig(), 16), (SUMMARY, 4)])
def test_a_discriminator_gives_a_number_for_each_patch(config: UNetConfig, side: int) -> None:
    network = on_meta(Discriminator, config)
    face = image_like(network, 2, 3, 256, 256)
    assert network(face, face).shape == (2, 1, side, side)


def blocks(network: nn.Module, part: str) -> list[nn.Sequential]:
    """The down or up blocks of a network."""
    found = list(network.get_submodule(part).children())
    assert all(isinstance(block, nn.Sequential) for block in found)
    return [block for block in found if isinstance(block, nn.Sequential)]


def test_every_layer_of_the_generator_has_the_shape_of_the_articles_table() -> None:
    network = on_meta(Generator, UNetConfig())
    shapes: list[tuple[int, int]] = []

    def note(module: nn.Module, taken: Any, given: Tensor) -> None:
        assert given.shape[-1] == given.shape[-2]
        shapes.append((given.shape[1], given.shape[2]))

    head = network.get_submodule("head")
    for layer in (*blocks(network, "down"), *blocks(network, "up"), head):
        layer.register_forward_hook(note)
    restored = network(image_like(network, 2, 3, 256, 256))
    down = [(32, 128), (64, 64), (128, 32), (256, 16), (512, 8), (512, 4), (512, 2), (512, 1)]
    up = [(512, 2), (512, 4), (512, 8), (256, 16), (128, 32), (64, 64), (32, 128)]
    assert shapes == [*down, *up, (3, 256)]
    assert restored.shape == (2, 3, 256, 256)


def test_every_up_block_is_joined_by_the_skip_of_its_size() -> None:
    network = on_meta(Generator, UNetConfig())
    convolutions = [*(block[0] for block in blocks(network, "up")), network.get_submodule("head")]
    taken = [layer.in_channels for layer in convolutions if isinstance(layer, nn.Conv2d)]
    joined = [512, 512 + 512, 512 + 512, 512 + 512, 256 + 256, 128 + 128, 64 + 64, 32 + 32]
    assert taken == joined


def test_the_skip_follows_the_up_block_in_the_channels() -> None:
    network = Generator(TINY).eval()
    seen: dict[str, Tensor] = {}
    network.down[0].register_forward_hook(lambda *call: seen.update(skip=call[2]))
    network.up[-1].register_forward_hook(lambda *call: seen.update(up=call[2]))
    network.head.register_forward_pre_hook(lambda *call: seen.update(joined=call[1][0]))
    network(random(1, 3, 32, 32))
    assert torch.equal(seen["joined"], torch.cat([seen["up"], seen["skip"]], 1))


def test_the_restored_picture_is_the_tanh_of_the_head() -> None:
    network = Generator(TINY).eval()
    seen: dict[str, Tensor] = {}
    network.head.register_forward_hook(lambda *call: seen.update(head=call[2]))
    restored = network(random(2, 3, 16, 24))
    assert restored.shape == (2, 3, 16, 24)
    assert torch.equal(restored, torch.tanh(seen["head"]))


def test_the_discriminator_sees_the_face_before_the_mosaic() -> None:
    network = Discriminator(TINY).eval()
    face, observed = random(1, 3, 32, 32), random(1, 3, 32, 32, seed=1)
    both = torch.cat([face, observed], 1)
    assert torch.equal(network(face, observed), network.head(network.down(both)))


# Keras's arithmetic


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 9), (8, 8), (9, 12), (16, 8)])
def test_up_convolution_is_doubling_then_keras_same_convolution(size: tuple[int, int]) -> None:
    layer = UpConv(3, 2).double()
    nn.init.normal_(layer.bias)  # type: ignore[arg-type]
    image = random(2, 3, *size).double()
    with torch.no_grad():
        found = layer(image).numpy()
        weight, bias = layer.weight.numpy(), layer.bias.numpy()  # type: ignore[union-attr]
    expected = [slow_same_conv(doubled(one), weight, bias) for one in image.numpy()]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("side", [3, 9])
def test_up_convolution_has_the_gradients_of_the_unfolded_one(side: int) -> None:
    layer = UpConv(2, 2).double()
    image = random(1, 2, side, side + 1).double().requires_grad_()
    pull = random(1, 2, 2 * side, 2 * side + 2, seed=1).double()
    (layer(image) * pull).sum().backward()

    weight, bias = (value.detach().numpy() for value in (layer.weight, layer.bias))  # type: ignore[union-attr]
    padded = np.pad(doubled(image.detach().numpy()[0]), ((0, 0), (1, 2), (1, 2)))
    by_weight, by_padded = np.zeros_like(weight), np.zeros_like(padded)
    rows, columns = 2 * side, 2 * side + 2
    for down, right in product(range(4), range(4)):
        window = np.s_[:, down : down + rows, right : right + columns]
        force = pull.numpy()[0]
        by_weight[:, :, down, right] = np.einsum("fhw,chw->fc", force, padded[window])
        by_padded[window] += np.einsum("fhw,fc->chw", force, weight[:, :, down, right])
    large = by_padded[:, 1 : rows + 1, 1 : columns + 1]
    by_image = large.reshape(2, side, 2, side + 1, 2).sum((2, 4))
    assert layer.weight.grad is not None and layer.bias is not None
    assert layer.bias.grad is not None and image.grad is not None
    np.testing.assert_allclose(layer.weight.grad, by_weight, atol=1e-12)
    np.testing.assert_allclose(layer.bias.grad, pull.sum((0, 2, 3)), atol=1e-12)
    np.testing.assert_allclose(image.grad[0], by_image, atol=1e-12)
    assert bias.shape == (2,)


def test_a_stride_one_convolution_pads_one_before_and_two_after() -> None:
    layer = SameConv(1, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.arange(1.0, 17).reshape(1, 1, 4, 4))
        assert layer.bias is not None
        layer.bias.fill_(100)
        found = layer(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]))
    # top left: its own tap is 6, so 1*6 + 2*7 + 3*10 + 4*11; bottom right: 1*1 + 2*2 + 3*5 + 4*6
    assert found.tolist() == [[[[194.0, 184.0], [154.0, 144.0]]]]


def test_a_down_block_agrees_with_one_computed_by_hand() -> None:
    block = blocks(Generator(UNetConfig(down=(1, 1), up=(1,))).eval(), "down")[0]
    convolution, norm = block[0], block[2]
    assert isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    assert convolution.bias is not None and norm.running_mean is not None
    assert norm.running_var is not None
    with torch.no_grad():
        convolution.weight.zero_()
        convolution.weight[0, 0] = torch.arange(1.0, 17).reshape(4, 4)  # the red channel alone
        convolution.bias.fill_(-50)
        norm.running_mean.fill_(2)
        norm.running_var.fill_(4 - 1e-3)  # with Keras's eps: a deviation of exactly 2
        norm.weight.fill_(3)
        norm.bias.fill_(1)
        image = torch.zeros(1, 3, 4, 4)
        image[0, 0] = torch.tensor([[1.0, 0, 0, 2], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 1]])
        found = block(image)
    # one pixel of padding on each side, so the image's first pixel meets the filter's 6:
    # 6 + 11 = 17, 2*7 + 9 = 23, 3 + 3*10 = 33, 1 + 11 = 12; less 50; a fifth of what is below
    # zero; less the mean of 2, by the deviation of 2, times 3, plus 1
    products = torch.tensor([[17.0, 23.0], [33.0, 12.0]])
    expected = (0.2 * (products - 50) - 2) / 2 * 3 + 1
    torch.testing.assert_close(found, expected[None, None])


def test_a_block_is_convolution_then_leaky_relu_then_batch_norm() -> None:
    generator, discriminator = Generator(TINY), Discriminator(TINY)
    found = [*blocks(generator, "down"), *blocks(generator, "up"), *blocks(discriminator, "down")]
    assert len(found) == 3 + 2 + 4
    for convolution, activation, norm in found:
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(activation, nn.LeakyReLU)
        assert isinstance(norm, nn.BatchNorm2d)
        assert convolution.kernel_size == (4, 4)
        assert activation.negative_slope == 0.2
        assert [norm.eps, norm.momentum] == [1e-3, 0.01]


def test_weights_begin_glorot_uniform_and_biases_at_zero() -> None:
    torch.manual_seed(0)
    for network in (Generator(UNetConfig(down=(32, 64, 64), up=(64, 32))), Discriminator(TINY)):
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d):
                assert layer.bias is not None
                bound = (6 / (16 * (layer.in_channels + layer.out_channels))) ** 0.5
                largest = float(layer.weight.detach().abs().max())
                assert 0.97 * bound < largest <= bound
                spread = float(layer.weight.detach().std())
                assert spread == pytest.approx(bound / 3**0.5, rel=0.05)
                assert not layer.bias.any()


# Frozen


def moving_statistics(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.named_buffers() if value.dim()}


def test_frozen_changes_neither_weights_nor_moving_statistics() -> None:
    network = Discriminator(TINY)
    before = moving_statistics(network)
    face, observed = random(2, 3, 32, 32).requires_grad_(), random(2, 3, 32, 32, seed=1)
    with frozen(network):
        network(face, observed).sum().backward()
    assert face.grad is not None and face.grad.any()
    assert [weight.grad for weight in network.parameters() if weight.grad is not None] == []
    after = moving_statistics(network)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_frozen_still_normalises_by_the_batch() -> None:
    network = Discriminator(TINY)
    face, observed = 3 * random(2, 3, 32, 32) + 5, random(2, 3, 32, 32, seed=1)
    with torch.no_grad():
        with frozen(network):
            found = network(face, observed)
        assert torch.equal(found, network(face, observed))  # in training mode, as it came
        assert not torch.allclose(found, network.eval()(face, observed))


def test_after_frozen_the_network_learns_as_before_even_when_it_failed() -> None:
    network = Discriminator(TINY)
    with pytest.raises(RuntimeError, match="on purpose"), frozen(network):
        raise RuntimeError("on purpose")
    before = moving_statistics(network)
    image = random(2, 3, 32, 32)
    network(image, image).sum().backward()
    after = moving_statistics(network)
    assert all(weight.grad is not None for weight in network.parameters())
    assert not any(torch.equal(before[name], after[name]) for name in before)
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert [norm.momentum for norm in norms] == [0.01] * 4


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
    assert values(network)[0] / 1e6 == pytest.approx(millions, rel=0.15)


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


def test_a_critic_scores_patches_of_three_sizes() -> None:
    critic = Critic()
    face = random(2, 3, 64, 96)
    scores, features = critic(face, random(2, 3, 64, 96, seed=1))
    assert [tuple(one.shape) for one in scores] == [
        (2, 1, 8, 12),
        (2, 1, 4, 6),
        (2, 1, 2, 3),
    ]
    assert [tuple(one.shape) for one in features] == [
        (2, 32, 32, 48),
        (2, 64, 16, 24),
        (2, 128, 8, 12),
        (2, 256, 4, 6),
        (2, 256, 2, 3),
    ]


def test_a_critic_judges_each_picture_alone_and_beside_its_mosaic() -> None:
    critic = stirred(Critic((4, 4, 8, 8, 8)))
    face, smooth = random(3, 3, 32, 32), random(3, 3, 32, 32, seed=1)
    together, _ = critic(face, smooth)
    alone, _ = critic(face[[1]], smooth[[1]])
    other, _ = critic(face[[1]], smooth[[2]])
    for one, single, beside in zip(together, alone, other, strict=True):
        torch.testing.assert_close(one[[1]], single, rtol=1e-4, atol=1e-5)
        assert not torch.allclose(single, beside, rtol=1e-3, atol=1e-3)


def test_a_restorer_s_weights_are_named_by_their_stage() -> None:
    both = {name.split(".")[0] for name in Restorer(ResUNet(OURS), ResUNet(OURS)).state_dict()}
    one = {name.split(".")[0] for name in Restorer(ResUNet(OURS), None).state_dict()}
    assert (both, one) == ({"faithful", "sharp"}, {"faithful"})
