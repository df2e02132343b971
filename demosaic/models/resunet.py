"""The residual U-Net of the default recipe, and its critic."""

from itertools import pairwise, product

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demosaic.config.networks import ResUNetConfig
from demosaic.models.inputs import COARSE, GUIDES, Views
from demosaic.models.layers import SLOPE, shuffled

# Ours


class ResUNet(nn.Module):
    """A residual U-Net on the small grid: dense convolutions, no normalisation, one attention.

    Pictures are unshuffled to a quarter of their sides before the first convolution. A mosaic tells
    little, so that is enough, and full-size maps are what costs. Every residual branch and the head
    begin at zero: before the first step the network gives back what it was shown.
    """

    def __init__(self, config: ResUNetConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.stem = _at_one(nn.Conv2d(4 * COARSE**2 + GUIDES, widths[0], 1))
        self.down = nn.ModuleList(
            _level(width, blocks, attention=level == config.attention)
            for level, (width, blocks) in enumerate(zip(widths, config.down, strict=True))
        )
        self.narrow = nn.ModuleList(
            _at_one(nn.Conv2d(a, b, 2, stride=2)) for a, b in pairwise(widths)
        )
        self.widen = nn.ModuleList(_at_one(nn.Conv2d(b, a, 1)) for a, b in pairwise(widths))
        self.merge = nn.ModuleList(_at_one(nn.Conv2d(2 * width, width, 1)) for width in widths[:-1])
        self.up = nn.ModuleList(
            _level(width, blocks, attention=level == config.attention)
            for level, (width, blocks) in enumerate(zip(widths, config.up, strict=False))
        )
        self.grow = _at_one(nn.Conv2d(widths[0], 4 * config.head, 3, padding=1))
        self.head = _at_zero(ShuffledConv(config.head, 3))

    def parameters_by_kind(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """The inner filters, and all the rest: biases, norms, and the first and last layer."""
        outer = {*self.stem.parameters(), *self.head.parameters()}
        parameters = [*self.parameters()]
        inner = [one for one in parameters if one.ndim == 4 and one not in outer]
        return inner, [one for one in parameters if one.ndim < 4 or one in outer]

    def forward(self, seen: Tensor, hidden: Tensor, guide: Tensor) -> Tensor:
        """Restored (N, 3, H, W) in about [-1, 1] from a batch of `Views`; not yet reconciled."""
        coarse = [F.pixel_unshuffle(one, COARSE) for one in (seen, hidden)]
        features = self.stem(torch.cat([*coarse, guide], 1))
        skips: list[Tensor] = []
        for level, narrow in zip(self.down, self.narrow, strict=False):
            skips.append(level(features))
            features = narrow(skips[-1])
        features = self.down[-1](features)
        for level, widen, merge in reversed([*zip(self.up, self.widen, self.merge, strict=True)]):
            # Not shuffled: without overlap the second stage drew the seams of coarse levels
            wide = F.interpolate(widen(features), scale_factor=2.0, mode="bilinear")
            features = level(merge(torch.cat([wide, skips.pop()], 1)))
        change = self.head(F.gelu(self.grow(features)))
        return seen + shuffled(change.float(), COARSE)


class ShuffledConv(nn.Conv2d):
    """A 3x3 convolution of features shuffled to twice their sides and averaged over 2x2 of their
    points, for four pixels of each point; computed from the features as they were.

    The average takes away what alternates from point to point, as it does when a shuffle's four
    parts differ: the second stage drew a weave of 4 px with it on plain walls. Shuffled, averaged
    and convolved one after the other, this took a fifth of a step of S.
    """

    def __init__(self, width: int, colours: int) -> None:
        super().__init__(width, 4 * colours, 3)

    def forward(self, features: Tensor) -> Tensor:
        """(N, 4 * width, H, W) to (N, 16 * colours, H, W), which shuffles to 4 times the sides."""
        assert self.bias is not None
        bias = self.bias.view(-1, 1, 2, 1, 2).expand(-1, 2, 2, 2, 2)
        return F.conv2d(features, self._weight(), bias.flatten(), padding=1)

    def _weight(self) -> Tensor:
        """(16 * colours, 4 * width, 3, 3)."""
        averaged = F.avg_pool2d(F.pad(self.weight, (1, 1, 1, 1)), 2, stride=1)
        parts = [F.pad(averaged, (x, 2 - x, y, 2 - y)) for y, x in product(range(2), range(2))]
        # Output's part down and across, colour, pixel down and across; feature; point and part of
        # it down, point and part of it across
        by_part = torch.stack(parts).view(2, 2, -1, 2, 2, self.in_channels, 3, 2, 3, 2)
        weight = by_part.permute(2, 0, 3, 1, 4, 5, 7, 9, 6, 8)
        return weight.reshape(4 * self.out_channels, 4 * self.in_channels, 3, 3)


class ResBlock(nn.Module):
    """Two 3x3 convolutions round a GELU (Hendrycks and Gimpel 2016), added to what came in.

    A GELU lets half through, hence the 2. In 400 steps of S it gained 1.56, 1.19 and .86 dB over
    `base` at blocks 8, 16 and 24; without the 2 1.52, 1.16 and .85, LeakyReLU 1.42, 1.05 and .77,
    ReLU 1.50, 1.10 and .79, SiLU 1.48, 1.11 and .82, halves that gate halves 1.45, 1.04 and .75. In
    2,425 steps it gained 1.94, 1.49 and 1.22 on 200 faces, LeakyReLU 1.82, 1.42 and 1.19.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _at_one(nn.Conv2d(width, width, 3, padding=1))
        self.second = _at_zero(nn.Conv2d(width, width, 3, padding=1))

    def forward(self, features: Tensor) -> Tensor:
        """(N, width, H, W), unchanged shape."""
        change: Tensor = self.second(2 * F.gelu(self.first(features)))
        return features + change


class Attention(nn.Module):
    """Every point looks at every other: an eye is told by the other eye, however far it is."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(1, width)
        self.project = nn.Conv2d(width, 3 * width, 1)
        self.merge = _at_zero(nn.Conv2d(width, width, 1))

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
    """The values (..., points, channels) that each point's query finds.

    Written out where gradients are wanted: on a CPU PyTorch's own takes four times as long for
    them. Its own needs no room for all pairs of points, of which a large picture has many.
    """
    if not torch.is_grad_enabled():
        return F.scaled_dot_product_attention(query, key, value)
    share: Tensor = (query * query.shape[-1] ** -0.5 @ key.mT).softmax(-1)
    return share @ value


def _level(width: int, blocks: int, *, attention: bool) -> nn.Sequential:
    layers: list[nn.Module] = [ResBlock(width) for _ in range(blocks)]
    return nn.Sequential(*layers, *([Attention(width)] if attention else []))


def _at_one(conv: nn.Conv2d) -> nn.Conv2d:
    """What comes out is as strong as what goes in. PyTorch's own beginning leaves a third of the
    variance, and of that a third at the next: the coarse levels were hardly heard, and 400 steps of
    S gained .05, .03 and .04 dB less over `base` at blocks 8, 16 and 24.
    """
    nn.init.kaiming_uniform_(conv.weight, nonlinearity="linear")
    return conv


def _at_zero(conv: nn.Conv2d) -> nn.Conv2d:
    assert conv.bias is not None
    nn.init.zeros_(conv.weight)
    nn.init.zeros_(conv.bias)
    return conv


class Restorer(nn.Module):
    """One network, or a blend of two, and then the cells put right."""

    def __init__(self, faithful: ResUNet, sharp: ResUNet | None) -> None:
        super().__init__()
        self.faithful = faithful
        self.sharp = sharp

    def forward(self, views: Views, realism: float) -> Tensor:
        """Restored (N, 3, H, W) in about [-1, 1], which agree with the cells they were shown.

        `realism` 0 is the faithful mean, 1 the sharp network, and between is their blend. On the
        line between the best mean and the most natural picture lies the best of every compromise
        (Freirich et al. 2021).
        """
        if self.sharp is None:
            realism = 0.0
        outputs = [
            share * network(views.seen, views.hidden, views.guide)
            for network, share in ((self.faithful, 1 - realism), (self.sharp, realism))
            if network is not None and share > 0
        ]
        with torch.autocast(views.seen.device.type, enabled=False):
            return views.reconcile(sum(outputs[1:], outputs[0]))


class Critic(nn.Module):
    """Judges patches of three sizes: whether they are of a photo, beside the smooth image it hides.

    No normalisation: what it thinks of one picture should not hang on the others of its batch.
    """

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128, 256, 256)) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in pairwise((6, *widths))
        )
        self.heads = nn.ModuleList(nn.Conv2d(width, 1, 3, padding=1) for width in widths[2:])

    def forward(self, face: Tensor, smooth: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Scores for each patch size, (N, 1, H/8, W/8) and smaller, and the features beneath."""
        features: list[Tensor] = []
        image = torch.cat([face, smooth], 1)
        for down in self.down:
            image = F.leaky_relu(down(image), SLOPE)
            features.append(image)
        scores = [head(one) for head, one in zip(self.heads, features[2:], strict=True)]
        return scores, features
