"""The article's networks: their sizes, their layers, and Keras's arithmetic in them."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from demosaic.config.networks import UNetConfig
from demosaic.models.pix2pix import Discriminator, Generator, SameConv, UpConv, frozen

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
