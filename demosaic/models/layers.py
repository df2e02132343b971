"""Layers and their first weights, which several networks share."""

import torch
from torch import Tensor, nn

SLOPE = 0.2
"""Of every LeakyReLU, for negative values."""


def shuffled(features: Tensor, by: int) -> Tensor:
    """`pixel_shuffle`: (N, C * by^2, H, W) to (N, C, by * H, by * W), twice as fast for features
    that lie channels last.
    """
    count, _, height, width = features.shape
    parts = features.reshape(count, -1, by, by, height, width)
    side_by_side = parts.permute(0, 1, 4, 2, 5, 3)
    return side_by_side.reshape(count, -1, by * height, by * width)


def changed(features: Tensor, change: Tensor | None) -> Tensor:
    """Features (N, C, H, W) with the gain and the shift of each channel, (N, 2 * C, 1, 1); a gain
    of 0 leaves them as they are.
    """
    if change is None:
        return features
    gain, shift = change.chunk(2, 1)
    return torch.addcmul(shift, features, 1 + gain)


def variance_kept(conv: nn.Conv2d) -> nn.Conv2d:
    """Weights that keep the variance (He et al. 2015). PyTorch's default leaves a third of it in
    each layer: the coarse levels would hardly contribute at first.
    """
    nn.init.kaiming_uniform_(conv.weight, nonlinearity="linear")
    return conv


def zero(conv: nn.Conv2d) -> nn.Conv2d:
    """A convolution that gives zeros at first."""
    assert conv.bias is not None
    nn.init.zeros_(conv.weight)
    nn.init.zeros_(conv.bias)
    return conv
