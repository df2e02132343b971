"""Layers that several networks share."""

from torch import Tensor

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
