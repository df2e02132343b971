"""The networks of a model of the default recipe, as one: a mean, and draws from what it may be."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from demosaic.models.flow import Flow, course
from demosaic.models.inputs import Views
from demosaic.models.noise import white_noise
from demosaic.models.resunet import ResUNet


class Restorer(nn.Module):
    """The network of the mean and, beside it, that of the second stage.

    `sharp` is a flow, or in models of before 0.3 a network that gives one sharp picture.
    """

    def __init__(self, faithful: ResUNet, sharp: ResUNet | Flow | None) -> None:
        super().__init__()
        self.faithful = faithful
        self.sharp = sharp

    def forward(
        self,
        views: Views,
        realism: float,
        seeds: Sequence[int] | None = None,
        effort: int = 1,
    ) -> Tensor:
        """Restored (N, 3, H, W) in about [-1, 1], reconciled with the cells of the views.

        `realism` 0 gives the mean, 1 a full draw; between them `flow.course` says how. `seeds` has
        one for each picture, 0 if none are given: the same seed draws the same picture at the same
        size, whatever else is in the batch. A draw takes `effort` times the usual steps.
        """
        if self.sharp is None or realism == 0:
            return self.mean(views)
        if isinstance(self.sharp, Flow):
            seeds = [0] * len(views.seen) if seeds is None else seeds
            return self.drawn(views, realism, white_noise(seeds, views.seen), effort)
        return self._blend(self.sharp, views, realism)

    def mean(self, views: Views) -> Tensor:
        """The mean of all faces that fit the cells, (N, 3, H, W)."""
        return _reconciled(self.faithful(views.seen, views.hidden, views.guide), views)

    def drawn(self, views: Views, realism: float, white: Tensor, effort: int = 1) -> Tensor:
        """Restored as `forward` does, from white noise (N, PLANES, H, W)."""
        assert isinstance(self.sharp, Flow)
        steps, share = course(realism)
        mean = self.mean(views)
        return torch.lerp(mean, self.sharp.draw(mean, views, white, effort * steps), share)

    def _blend(self, sharp: ResUNet, views: Views, realism: float) -> Tensor:
        """Of two pictures: the best compromise between error and naturalness lies on the line
        between the two optima (Freirich et al. 2021).
        """
        outputs = [
            share * network(views.seen, views.hidden, views.guide)
            for network, share in ((self.faithful, 1 - realism), (sharp, realism))
            if share > 0
        ]
        return _reconciled(sum(outputs[1:], outputs[0]), views)


def _reconciled(restored: Tensor, views: Views) -> Tensor:
    with torch.autocast(views.seen.device.type, enabled=False):
        return views.reconcile(restored)
