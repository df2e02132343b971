"""What training minimises. Each loss is one number for a batch of images (N, C, H, W)."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

_FLOOR = 1e-5  # of the squared error, in [-1, 1]: 56 dB, which nothing here reaches


def log_error(restored: Tensor, target: Tensor, hidden: Tensor) -> Tensor:
    """The mean over the images of the logarithm of their squared error where `hidden` (N, 1, H, W)
    is 1.

    It is PSNR, but for sign and scale. Under a plain squared error large blocks, which err most,
    drown the small ones: at block 4 that cost 0.7 dB after 150 s of training.
    """
    squares = ((restored - target).square() * hidden).sum((1, 2, 3))
    area = hidden.sum((1, 2, 3)).clamp(min=1) * restored.shape[1]
    return (squares / area + _FLOOR).log().mean()


def relativistic(better: Sequence[Tensor], worse: Sequence[Tensor]) -> Tensor:
    """How far `better` scores from being above `worse`, map by map and patch by patch
    (Jolicoeur-Martineau 2019, paired).
    """
    return _mean(F.softplus(b - a).mean() for a, b in zip(better, worse, strict=True))


def roughness(scores: Sequence[Tensor], disturbed: Sequence[Tensor], noise: float) -> Tensor:
    """How steep a critic is: the squared change of its scores under noise of that standard
    deviation, for each unit of it.

    It approximates the gradient penalties R1 and R2 without a second derivative (Lin et al. 2025).
    """
    return _mean((a - b).square().mean() / noise**2 for a, b in zip(scores, disturbed, strict=True))


def feature_distance(first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    """Mean absolute difference of a critic's features, map by map (Wang et al. 2018)."""
    return _mean((a - b).abs().mean() for a, b in zip(first, second, strict=True))


def _mean(parts: Iterable[Tensor]) -> Tensor:
    return torch.stack([*parts]).mean()
