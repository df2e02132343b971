"""What training minimises. Each loss is one number for a batch of images (N, C, H, W)."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

_FLOOR = 1e-5  # of the squared error, in [-1, 1]: 56 dB, which nothing here reaches


def log_error(restored: Tensor, target: Tensor, hidden: Tensor) -> Tensor:
    """The mean over the images of the logarithm of their squared error, where `hidden` (N, 1, H, W)
    is 1. Images are (N, 3, H, W) in about [-1, 1].

    It is PSNR except for sign and scale. Under a plain squared error large blocks, whose errors are
    largest, outweigh the small ones.
    """
    squares = ((restored - target).square() * hidden).sum((1, 2, 3))
    area = hidden.sum((1, 2, 3)).clamp(min=1) * restored.shape[1]
    return (squares / area + _FLOOR).log().mean()


def relativistic(better: Sequence[Tensor], worse: Sequence[Tensor]) -> Tensor:
    """The paired relativistic loss (Jolicoeur-Martineau 2019): softplus(worse - better), averaged
    over the patches of each score map (N, 1, h, w), then over the maps. 0 when `better` scores far
    above `worse`, log 2 when they are equal.
    """
    return _mean(F.softplus(b - a).mean() for a, b in zip(better, worse, strict=True))


def gradient_penalty(scores: Sequence[Tensor], disturbed: Sequence[Tensor], noise: float) -> Tensor:
    """How steep a critic is: the squared change of its scores under noise with this standard
    deviation, divided by the noise's variance; averaged over patches, then over maps.

    It approximates the gradient penalties R1 and R2 without a second derivative (Lin et al. 2025).
    """
    return _mean((a - b).square().mean() / noise**2 for a, b in zip(scores, disturbed, strict=True))


def feature_distance(first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    """Feature matching (Wang et al. 2018): the mean absolute difference of a critic's features,
    averaged over each map (N, C, h, w), then over the maps.
    """
    return _mean((a - b).abs().mean() for a, b in zip(first, second, strict=True))


def _mean(parts: Iterable[Tensor]) -> Tensor:
    return torch.stack([*parts]).mean()
