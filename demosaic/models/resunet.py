"""The residual U-Net of the default recipe."""

from collections.abc import Iterator
from itertools import pairwise, product, repeat

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demosaic.config.networks import ResUNetConfig
from demosaic.models.inputs import COARSE, GUIDES
from demosaic.models.layers import changed, shuffled, variance_kept, zero

_UNCHANGED: Iterator[None] = repeat(None)


class ResUNet(nn.Module):
    """A residual U-Net at a quarter of the resolution: dense convolutions, no normalisation,
    self-attention at one level.

    Pictures are pixel-unshuffled to a quarter of their sides before the first convolution. That is
    enough for the little that a mosaic shows, and maps of full size would cost most of the time.
    Every residual branch and the head start at zero: a new network returns its input.
    """

    def __init__(self, config: ResUNetConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.stem = variance_kept(nn.Conv2d(4 * COARSE**2 + GUIDES, widths[0], 1))
        self.down = nn.ModuleList(
            Level(width, blocks, attention=level == config.attention)
            for level, (width, blocks) in enumerate(zip(widths, config.down, strict=True))
        )
        self.narrow = nn.ModuleList(
            variance_kept(nn.Conv2d(a, b, 2, stride=2)) for a, b in pairwise(widths)
        )
        self.widen = nn.ModuleList(variance_kept(nn.Conv2d(b, a, 1)) for a, b in pairwise(widths))
        self.merge = nn.ModuleList(
            variance_kept(nn.Conv2d(2 * width, width, 1)) for width in widths[:-1]
        )
        self.up = nn.ModuleList(
            Level(width, blocks, attention=level == config.attention)
            for level, (width, blocks) in enumerate(zip(widths, config.up, strict=False))
        )
        self.grow = variance_kept(nn.Conv2d(widths[0], 4 * config.head, 3, padding=1))
        self.head = zero(ShuffledConv(config.head, 3))

    def parameters_by_kind(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """The inner filters, then all others: biases, norms, the first and the last layer."""
        outer = {*self.stem.parameters(), *self.head.parameters()}
        parameters = [*self.parameters()]
        inner = [one for one in parameters if one.ndim == 4 and one not in outer]
        return inner, [one for one in parameters if one.ndim < 4 or one in outer]

    def forward(self, seen: Tensor, hidden: Tensor, guide: Tensor) -> Tensor:
        """Restored (N, 3, H, W) in about [-1, 1], not yet reconciled, from the fields of the same
        names in `Views`. H and W are multiples of `inputs.MULTIPLE`.
        """
        change = self.head(self.features(self.points(seen, hidden, guide)))
        return seen + shuffled(change.float(), COARSE)

    def points(self, seen: Tensor, hidden: Tensor, guide: Tensor) -> Tensor:
        """What the first layer makes of the inputs of `forward`: (N, widths[0], H/4, W/4)."""
        coarse = [F.pixel_unshuffle(one, COARSE) for one in (seen, hidden)]
        features: Tensor = self.stem(torch.cat([*coarse, guide], 1))
        return features

    @property
    def block_widths(self) -> list[int]:
        """The width of each residual block, in the order in which `features` computes them."""
        levels = [*zip(self.config.widths, self.config.down, strict=True)]
        levels += reversed([*zip(self.config.widths, self.config.up, strict=False)])
        return [width for width, blocks in levels for _ in range(blocks)]

    def features(self, points: Tensor, changes: Iterator[Tensor | None] = _UNCHANGED) -> Tensor:
        """What the head takes, (N, 4 * head, H/4, W/4), from `points`. `changes` has a gain and a
        shift, (N, 2 * width, 1, 1), for each of the blocks of `block_widths`.
        """
        features = points
        skips: list[Tensor] = []
        for level, narrow in zip(self.down, self.narrow, strict=False):
            skips.append(level(features, changes))
            features = narrow(skips[-1])
        features = self.down[-1](features, changes)
        for level, widen, merge in reversed([*zip(self.up, self.widen, self.merge, strict=True)]):
            # Not shuffled: without overlap, the second stage drew the seams of coarse levels
            wide = F.interpolate(widen(features), scale_factor=2.0, mode="bilinear")
            features = level(merge(torch.cat([wide, skips.pop()], 1)), changes)
        return F.gelu(self.grow(features))


class ShuffledConv(nn.Conv2d):
    """Three operations as one convolution: features are pixel-shuffled to twice their sides,
    averaged over 2x2 points, and convolved 3x3 into four pixels for each point.

    The average removes what alternates from point to point when the four parts of a shuffle differ.
    Without it, the second stage drew a pattern of 4 px on plain walls.
    """

    def __init__(self, width: int, colours: int) -> None:
        super().__init__(width, 4 * colours, 3)

    def forward(self, features: Tensor) -> Tensor:
        """(N, 4 * width, H, W) to (N, 16 * colours, H, W), to be shuffled to 4 times the sides."""
        assert self.bias is not None
        bias = self.bias.view(-1, 1, 2, 1, 2).expand(-1, 2, 2, 2, 2)
        return F.conv2d(features, self._weight(), bias.flatten(), padding=1)

    def _weight(self) -> Tensor:
        """The filters, (16 * colours, 4 * width, 3, 3)."""
        averaged = F.avg_pool2d(F.pad(self.weight, (1, 1, 1, 1)), 2, stride=1)
        parts = [F.pad(averaged, (x, 2 - x, y, 2 - y)) for y, x in product(range(2), range(2))]
        # Axes: of the output, part down, part across, colour, pixel down, pixel across; of the
        # input, feature; point and part of it down, point and part of it across
        by_part = torch.stack(parts).view(2, 2, -1, 2, 2, self.in_channels, 3, 2, 3, 2)
        weight = by_part.permute(2, 0, 3, 1, 4, 5, 7, 9, 6, 8)
        return weight.reshape(4 * self.out_channels, 4 * self.in_channels, 3, 3)


class ResBlock(nn.Module):
    """Two 3x3 convolutions with a GELU (Hendrycks and Gimpel 2016) between them, added to the
    input. The factor of 2 makes up for the half of the signal that a GELU removes.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = variance_kept(nn.Conv2d(width, width, 3, padding=1))
        self.second = zero(nn.Conv2d(width, width, 3, padding=1))

    def forward(self, features: Tensor, change: Tensor | None = None) -> Tensor:
        """(N, width, H, W), unchanged shape; `change` (N, 2 * width, 1, 1) holds a gain and a shift
        for each channel between the convolutions.
        """
        inner = changed(self.first(features), change)
        added: Tensor = self.second(2 * F.gelu(inner))
        return features + added


class Attention(nn.Module):
    """Self-attention: an eye is drawn like the other eye, however far away that is."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(1, width)
        self.project = nn.Conv2d(width, 3 * width, 1)
        self.merge = zero(nn.Conv2d(width, width, 1))

    def forward(self, features: Tensor) -> Tensor:
        """(N, width, H, W), unchanged shape."""
        count, width, height, across = features.shape
        parts = self.project(self.norm(features))
        split = parts.reshape(count, 3, self.heads, width // self.heads, height * across)
        query, key, value = split.mT.unbind(1)
        seen = _attended(query, key, value)
        change: Tensor = self.merge(seen.mT.reshape(count, width, height, across))
        return features + change


def _attended(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Scaled dot-product attention (Vaswani et al. 2017), (..., points, channels).

    Written out when gradients are needed, for which PyTorch's own takes four times as long on a
    CPU. PyTorch's own keeps no matrix of all pairs of points, which would be large at use.
    """
    if not torch.is_grad_enabled():
        return F.scaled_dot_product_attention(query, key, value)
    share: Tensor = (query * query.shape[-1] ** -0.5 @ key.mT).softmax(-1)
    return share @ value


class Level(nn.Sequential):
    """The residual blocks of one level, then its self-attention if it has one."""

    def __init__(self, width: int, blocks: int, *, attention: bool) -> None:
        layers: list[nn.Module] = [ResBlock(width) for _ in range(blocks)]
        super().__init__(*layers, *([Attention(width)] if attention else []))

    def forward(self, features: Tensor, changes: Iterator[Tensor | None] = _UNCHANGED) -> Tensor:
        """(N, width, H, W), unchanged shape; each block takes the next of `changes`."""
        for layer in self:
            block = isinstance(layer, ResBlock)
            features = layer(features, next(changes)) if block else layer(features)
        return features
