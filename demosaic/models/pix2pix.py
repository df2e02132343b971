"""The two networks of the 2020 article, with Keras's conventions, as the article used Keras.

"Same" padding adds one pixel before and two after for a 4x4 filter of stride 1. Weights start
Glorot uniform, biases at zero. Batch normalisation has an epsilon of 1e-3 and a momentum of 0.99,
and comes after the activation.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demosaic.config.networks import UNetConfig
from demosaic.models.layers import SLOPE, shuffled

_FOLD_FROM = 8  # pixels; for smaller maps, folding the weights costs more than it saves


class SameConv(nn.Conv2d):
    """A 4x4 convolution with stride 1 and "same" padding: as many pixels out as in."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__(channels, filters, 4)

    def forward(self, image: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, filters, H, W)."""
        return super().forward(F.pad(image, (1, 2, 1, 2)))


class UpConv(SameConv):
    """Nearest-neighbour upsampling by 2, then a 4x4 "same" convolution.

    Upsampled pixels come in equal pairs. So along each axis, even outputs see three pixels of the
    small map, with the weights [w0, w1 + w2, w3], and odd outputs two, with [w0 + w1, w2 + w3].
    Both together are one 3x3 convolution with four outputs for each pixel: 36 products instead of
    64, and no large map to pad.
    """

    def forward(self, image: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, filters, 2H, 2W)."""
        if min(image.shape[-2:]) < _FOLD_FROM:
            return super().forward(F.interpolate(image, scale_factor=2.0))
        assert self.bias is not None
        weight = _folded(_folded(self.weight, 3), 3).flatten(0, 2)
        return shuffled(F.conv2d(image, weight, self.bias.repeat_interleave(4), padding=1), 2)


def _folded(weight: Tensor, axis: int) -> Tensor:
    """The weights of even and odd outputs, along a new second axis, for three pixels of the small
    map.
    """
    first, second, third, fourth = weight.unbind(axis)
    even = torch.stack([first, second + third, fourth], axis)
    odd = torch.stack([torch.zeros_like(first), first + second, third + fourth], axis)
    return torch.stack([even, odd], 1)


def _activated(conv: nn.Conv2d) -> nn.Sequential:
    """A convolution, then LeakyReLU, then batch normalisation: the article's order."""
    # PyTorch's momentum is the share of the new value, Keras's that of the old one
    norm = nn.BatchNorm2d(conv.out_channels, eps=1e-3, momentum=0.01)
    return nn.Sequential(conv, nn.LeakyReLU(SLOPE), norm)


def _down(channels: int, filters: int) -> nn.Sequential:
    """(N, channels, H, W) to (N, filters, H/2, W/2). For an even side, Keras's "same" padding is
    one pixel on each side.
    """
    return _activated(nn.Conv2d(channels, filters, 4, stride=2, padding=1))


class Generator(nn.Module):
    """The article's U-Net (Ronneberger et al. 2015)."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        channels = (3, *config.down)
        self.down = nn.ModuleList(_down(a, b) for a, b in zip(channels, config.down, strict=False))
        skips = config.down[-2::-1]
        wide = (config.down[-1], *(up + skip for up, skip in zip(config.up, skips, strict=True)))
        self.up = nn.ModuleList(
            _activated(UpConv(a, b)) for a, b in zip(wide, config.up, strict=False)
        )
        self.head = UpConv(wide[-1], 3)
        _initialise(self)

    def forward(self, observed: Tensor) -> Tensor:
        """Restored (N, 3, H, W) in [-1, 1] from observed of the same shape; sides are multiples
        of `multiple`.
        """
        skips: list[Tensor] = []
        features = observed
        for block in self.down:
            features = block(features)
            skips.append(features)
        skips.pop()
        for block in self.up:
            features = torch.cat([block(features), skips.pop()], 1)
        return torch.tanh(self.head(features))


class Discriminator(nn.Module):
    """The article's PatchGAN (Isola et al. 2017): a score for each patch of a face, given its
    mosaic.
    """

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        filters = (
            (64, 128, 256, 512) if config.discriminator == "code" else (32, 64, 128, 256, 512, 512)
        )
        self.down = nn.Sequential(
            *(_down(a, b) for a, b in zip((6, *filters), filters, strict=False))
        )
        self.head = SameConv(filters[-1], 1)
        _initialise(self)

    def forward(self, face: Tensor, observed: Tensor) -> Tensor:
        """Near 1 for target faces, near 0 for restored ones: (N, 1, H/16, W/16), or H/64 for the
        `summary` variant.
        """
        return self.head(self.down(torch.cat([face, observed], 1)))  # type: ignore[no-any-return]


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Within the context, neither the network's weights nor its moving statistics change; it still
    normalises by the batch.
    """
    norms = [
        (module, module.momentum)
        for module in network.modules()
        if isinstance(module, nn.BatchNorm2d)
    ]
    network.requires_grad_(False)
    for norm, _ in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        network.requires_grad_(True)
        for norm, momentum in norms:
            norm.momentum = momentum


def _initialise(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.xavier_uniform_(module.weight)  # Glorot and Bengio 2010, Keras's default
            assert module.bias is not None
            nn.init.zeros_(module.bias)
