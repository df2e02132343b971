"""The second stage: a flow that turns the mean with noise on it into a face.

After the posterior-mean rectified flow (Ohayon, Michaeli and Elad 2025, arXiv 2410.00418): a
straight path leads from `mean + noise` to the target, and the network predicts its end from a point
on it. Their noise is white and slight. Ours has the spectrum of the mean's error, so the beginning
has the right amount of detail already, and the flow only gives it form.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demosaic.config.networks import FlowConfig, ResUNetConfig
from demosaic.models.inputs import COARSE, Views, cell_logs
from demosaic.models.layers import changed, shuffled, variance_kept, zero
from demosaic.models.noise import CELLS, RINGS, coloured
from demosaic.models.resunet import ResUNet

STEPS = 12
"""Steps of a full draw: more add grain, and no form."""

_FEWEST, _BLENDED = 4, 0.5
"""Below this realism, a draw of so few steps is blended with the mean. Such a draw is as sharp as
most need, costs 1 dB and takes five passes of the networks.
"""

_HALF = 2
"""Pixels of a picture along one side of a point of the light path."""

_WAVES = 8
"""Sines, and as many cosines, by which a network knows the time."""


def course(realism: float) -> tuple[int, float]:
    """How a realism of 0..1 is drawn: the number of steps, and the share of the draw, which is
    blended with the mean.
    """
    if realism < _BLENDED:
        return _FEWEST, realism / _BLENDED
    further = (realism - _BLENDED) / (1 - _BLENDED)
    return round(_FEWEST + (STEPS - _FEWEST) * further), 1.0


class Flow(nn.Module):
    """A network that sees a point of the path, and predicts the face at its end.

    Its trunk is a residual U-Net like that of the mean, at a quarter of the resolution. A light
    path at half of it draws what is finest: without it, the trunk left grain on plain walls.
    """

    spectrum: Tensor

    def __init__(self, network: ResUNetConfig, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = ResUNet(network)
        self.stem = nn.Conv2d(6 * COARSE**2, network.widths[0], 1, bias=False)
        if not self.stem.weight.is_meta:  # there it would import torch's compiler, for two seconds
            nn.init.normal_(self.stem.weight, std=0.02)
        self.light = LightPath(network.head, config.light)
        self._widths = [*self.trunk.block_widths, config.light, config.light]
        self.time = nn.Linear(2 * _WAVES, 2 * sum(self._widths))
        nn.init.zeros_(self.time.weight)
        nn.init.zeros_(self.time.bias)
        self.register_buffer("spectrum", torch.zeros(len(CELLS), RINGS))

    @classmethod
    def beginning_as(cls, mean: ResUNet, config: FlowConfig, spectrum: Tensor) -> "Flow":
        """A new flow that begins with the filters of the mean's network; `spectrum` is that of the
        mean's errors. Its head gives nothing yet: a draw is the mean with noise.
        """
        flow = cls(mean.config, config)
        flow.trunk.load_state_dict(mean.state_dict())
        for weight in flow.trunk.head.parameters():
            nn.init.zeros_(weight)
        flow.spectrum.copy_(spectrum)
        return flow

    def parameters_by_kind(self) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
        """The inner filters, then all others, as `ResUNet.parameters_by_kind`."""
        filters, _ = self.trunk.parameters_by_kind()
        inner = {*filters}
        return filters, [one for one in self.parameters() if one not in inner]

    def forward(self, state: Tensor, mean: Tensor, views: Views, time: Tensor) -> Tensor:
        """The face (N, 3, H, W) predicted at the end of the path from its point `state` at `time`
        (N,), 0..1; reconciled with the views. `mean` is where the path began, without the noise.

        The network's part is added to the best linear guess, as if noise and error had one
        spectrum: the mean, and `time / (time^2 + (1 - time)^2)` of the difference from it.
        """
        noisy = state - mean
        changes = self._changes(time)
        points = self.trunk.points(views.seen, views.hidden, views.guide)
        points = points + self.stem(F.pixel_unshuffle(torch.cat([noisy, mean], 1), COARSE))
        features = self.trunk.features(points, changes)
        fine = F.pixel_unshuffle(torch.cat([noisy, mean, views.hidden], 1), _HALF)
        light = self.light(fine, shuffled(features, COARSE // _HALF), changes)
        added = shuffled(self.trunk.head(features).float(), COARSE) + shuffled(light.float(), _HALF)
        with torch.autocast(state.device.type, enabled=False):
            linear = (time / (time**2 + (1 - time) ** 2))[:, None, None, None]
            return views.reconcile(mean + linear * noisy + added)

    def _changes(self, time: Tensor) -> Iterator[Tensor]:
        """The gain and shift of each block, (N, 2 * width, 1, 1)."""
        angles = math.pi * time[:, None] * torch.arange(1, _WAVES + 1, device=time.device)
        waves = torch.cat([angles.sin(), angles.cos()], 1)
        sizes = [2 * width for width in self._widths]
        return iter(self.time(waves)[:, :, None, None].split(sizes, 1))

    def begin(self, mean: Tensor, views: Views, white: Tensor) -> Tensor:
        """Where the path begins, (N, 3, H, W): the mean with noise made of `white` (N, PLANES, H,
        W), reconciled with the views.
        """
        noise = coloured(white, self.spectrum, cell_logs(views.guide))
        return views.reconcile(mean + noise)

    def draw(self, mean: Tensor, views: Views, white: Tensor, steps: int) -> Tensor:
        """A draw (N, 3, H, W) in `steps` equal steps along the path; its cells are the mean's.

        The mean agrees with the cells observed as far as these are certain. Where they are not, the
        noise has nothing that a draw could make other cells of.
        """
        with torch.autocast(mean.device.type, enabled=False):
            views = views.with_cells_of(mean)
            state = self.begin(mean, views, white)
        for step in range(steps):
            time = torch.full_like(mean[:, 0, 0, 0], step / steps)
            state = torch.lerp(state, self(state, mean, views, time), 1 / (steps - step))
        return state


class LightPath(nn.Module):
    """Three convolutions at half of the resolution, from noise and features to a correction."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.first = variance_kept(nn.Conv2d(7 * _HALF**2 + features, width, 3, padding=1))
        self.second = variance_kept(nn.Conv2d(width, width, 3, padding=1))
        self.last = zero(nn.Conv2d(width, 3 * _HALF**2, 3, padding=1))

    def forward(self, fine: Tensor, features: Tensor, changes: Iterator[Tensor]) -> Tensor:
        """(N, 12, H/2, W/2) to be shuffled, from pictures and the head's features there."""
        inner: Tensor = self.first(torch.cat([fine, features], 1))
        for layer in (self.second, self.last):
            inner = layer(2 * F.gelu(changed(inner, next(changes))))
        return inner
