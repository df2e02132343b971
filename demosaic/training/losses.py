"""What training minimises. Each loss is one number for a batch of images (N, C, H, W)."""

from torch import Tensor

_FLOOR = 1e-5  # of the squared error, in [-1, 1]: 56 dB, which nothing here reaches

_LATEST = 0.02  # the squared distance from the end at which the weight stops growing


def log_error(restored: Tensor, target: Tensor, hidden: Tensor) -> Tensor:
    """The mean over the images of the logarithm of their squared error, where `hidden` (N, 1, H, W)
    is 1. Images are (N, 3, H, W) in about [-1, 1].

    It is PSNR except for sign and scale. Under a plain squared error large blocks, whose errors are
    largest, outweigh the small ones.
    """
    squares = ((restored - target).square() * hidden).sum((1, 2, 3))
    area = hidden.sum((1, 2, 3)).clamp(min=1) * restored.shape[1]
    return (squares / area + _FLOOR).log().mean()


def path_error(
    predicted: Tensor, target: Tensor, mean: Tensor, hidden: Tensor, time: Tensor
) -> Tensor:
    """The squared error of what a flow predicts at `time` (N,), 0..1, over that of the mean, where
    `hidden` (N, 1, H, W) is 1; averaged over the images, later times with more weight.

    Near the end of the path little is left to predict, and what is left is the finest detail.
    """
    ours, means = (
        ((image - target).square() * hidden).sum((1, 2, 3)) for image in (predicted, mean)
    )
    area = hidden.sum((1, 2, 3)).clamp(min=1) * target.shape[1]
    weight = 1 / ((1 - time).square() + _LATEST)
    return (weight * ours / (means + area * _FLOOR)).mean()
