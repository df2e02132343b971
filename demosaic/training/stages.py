"""The two stages of the default recipe: what a step computes and what it changes.

A step's faces may come in parts, one after the other or in several processes. Every loss is a mean
over faces, so the gradients of parts, weighted by their share of the faces, add up to those of the
whole.
"""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from demosaic.models.compute import Compute, settle
from demosaic.models.flow import Flow
from demosaic.models.inputs import Views
from demosaic.models.noise import white_noise
from demosaic.models.resunet import ResUNet
from demosaic.training.losses import log_error, path_error
from demosaic.training.muon import ADAM_SHARE, Muon

Network = TypeVar("Network", bound=ResUNet | Flow)

_WARM_UP = 50  # steps
_FAST = 60  # steps; after so many the rate falls with the root of their number
_STEADY = 0.5  # share of the second stage before the rate begins to fall
_LAST = 0.005  # of the rate, at the end
_MEMORY, _FLOW_MEMORY = 0.998, 0.999  # of the moving averages, once there are steps enough
_CLIP = 1.0  # the largest norm of a step's gradient

_CAUTION = 0.25
"""The rate of a network that was trained before (`--init`), as a part of a new one's."""

_GOLDEN = (math.sqrt(5) - 1) / 2

_SHARPENING = 0.3
"""The rate in the second stage, as a part of that in the first."""


@dataclass(frozen=True)
class Faces:
    """What a step learns from."""

    views: Views
    """Of the mosaics."""
    target: Tensor
    """(N, 3, H, W) in [-1, 1]."""
    seeds: Sequence[int]
    """One for each face: of the noise that is drawn for it during the step."""

    def to(self, device: torch.device) -> "Faces":
        """The same faces on the device."""
        return Faces(self.views.to(device), self.target.to(device), self.seeds)

    def halves(self) -> "list[Faces]":
        """The same faces in two parts, or in one when it is a single face."""
        middle = len(self.seeds) // 2
        return [self._part(slice(middle)), self._part(slice(middle, None))] if middle else [self]

    def _part(self, which: slice) -> "Faces":
        return Faces(self.views.part(which), self.target[which], self.seeds[which])


class Learner(Generic[Network]):
    """A network being trained, with its moving average and its optimisers."""

    def __init__(
        self,
        network: Network,
        lr: float,
        compute: Compute,
        share_at: Callable[[int, float], float],
        *,
        memory: float,
    ) -> None:
        """`share_at`: the share of the learning rate by step and progress. `memory`: of the moving
        average, 0..1.
        """
        self._share_at = share_at
        self._memory = memory
        settle(network, compute.device)
        self.network: Network = network
        self.average: Network = copy.deepcopy(network)
        self.average.requires_grad_(False)
        filters, rest = network.parameters_by_kind()
        self.muon = Muon(filters, lr)
        self.adam = torch.optim.AdamW(
            rest, lr * ADAM_SHARE, betas=(0.9, 0.99), weight_decay=0.01, fused=True
        )
        self.rates = (lr, lr * ADAM_SHARE)
        self.steps = 0

    def update(self, progress: float) -> None:
        """Take one step along the gradients, after `progress` (0..1) of the stage."""
        nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP)
        share = self._share_at(self.steps, progress)
        for optimiser, rate in zip((self.muon, self.adam), self.rates, strict=True):
            optimiser.param_groups[0]["lr"] = rate * share
            optimiser.step()
        self.steps += 1
        memory = min(self._memory, self.steps / (self.steps + 9))
        with torch.no_grad():
            torch._foreach_lerp_(
                [*self.average.parameters()], [*self.network.parameters()], 1 - memory
            )

    def state(self) -> dict[str, Any]:
        """Weights, averages and optimisers, as `load` takes them."""
        return {
            "steps": self.steps,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "muon": self.muon.state_dict(),
            "adam": self.adam.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Continue from a `state`."""
        self.steps = state["steps"]
        for name in ("network", "average", "muon", "adam"):
            getattr(self, name).load_state_dict(state[name])


def mean_rate(step: int, progress: float) -> float:
    """The share (0..1) of the full rate in the first stage: it warms up, falls with the root of the
    number of steps, and at the end of the stage to nearly nothing.
    """
    return _warm_up(step) / math.sqrt(1 + step / _FAST) * max(_LAST, 1 - progress)


def flow_rate(step: int, progress: float) -> float:
    """The share (0..1) of the full rate in the second stage: it warms up, stays, and falls as a
    cosine.
    """
    falling = max(0.0, (progress - _STEADY) / (1 - _STEADY))
    return _warm_up(step) * max(_LAST, (1 + math.cos(math.pi * falling)) / 2)


def _warm_up(step: int) -> float:
    return min(1.0, (step + 1) / _WARM_UP)


class FaithfulStage:
    """The first stage: the mean of all faces that fit a mosaic."""

    def __init__(self, network: ResUNet, lr: float, compute: Compute, *, trained: bool) -> None:
        """`trained`: the network is not new, so it learns at a lower rate."""
        rate = lr * (_CAUTION if trained else 1.0)
        self.learner: Learner[ResUNet] = Learner(network, rate, compute, mean_rate, memory=_MEMORY)
        self._compute = compute

    def trained(self) -> Iterator[nn.Parameter]:
        """All weights that a step changes."""
        yield from self.learner.network.parameters()

    def gradients(self, faces: Faces, weight: float) -> dict[str, float]:
        """Add the gradients of some faces, which are `weight` (0..1) of the step's; their losses by
        name, weighted too.
        """
        shown = faces.views
        with self._compute.precision():
            restored = self.learner.network(shown.seen, shown.hidden, shown.guide)
        error = log_error(shown.reconcile(restored), faces.target, shown.hidden)
        (weight * error).backward()  # type: ignore[no-untyped-call]
        return {"log_error": weight * float(error.detach())}

    def update(self, progress: float) -> None:
        """Change the weights, after `progress` (0..1) of the stage."""
        self.learner.update(progress)

    def state(self) -> dict[str, Any]:
        """All that steps change, as `load` takes it."""
        return self.learner.state()

    def load(self, state: dict[str, Any]) -> None:
        """Continue from a `state`."""
        self.learner.load(state)


class FlowStage:
    """The second stage: a flow from the mean with noise on it to a face."""

    def __init__(
        self, flow: Flow, mean: ResUNet, lr: float, compute: Compute, *, trained: bool
    ) -> None:
        """`mean`: the first stage's network, which stays as it is. `trained`: the flow is not new,
        so it learns at a lower rate.
        """
        rate = lr * _SHARPENING * (_CAUTION if trained else 1.0)
        self.learner: Learner[Flow] = Learner(flow, rate, compute, flow_rate, memory=_FLOW_MEMORY)
        self._mean = mean
        self._compute = compute

    def trained(self) -> Iterator[nn.Parameter]:
        """All weights that a step changes."""
        yield from self.learner.network.parameters()

    def gradients(self, faces: Faces, weight: float) -> dict[str, float]:
        """Add the gradients of some faces, which are `weight` (0..1) of the step's; their losses by
        name, weighted too.
        """
        shown, flow = faces.views, self.learner.network
        with torch.no_grad(), self._compute.precision():
            mean = shown.reconcile(self._mean(shown.seen, shown.hidden, shown.guide))
        time, white = _chance(faces.seeds, faces.target)
        with torch.no_grad():
            # A draw has the cells of the mean, so the end of its path must, also where these are
            # not the target's: the target itself could never be reached
            shown = shown.with_cells_of(mean)
            end = shown.reconcile(faces.target)
            begin = flow.begin(mean, shown, white)
            state = torch.lerp(begin, end, time[:, None, None, None])
        with self._compute.precision():
            predicted = flow(state, mean, shown, time)
        loss = path_error(predicted, end, mean, shown.hidden, time)
        (weight * loss).backward()  # type: ignore[no-untyped-call]
        return {"flow": weight * float(loss.detach())}

    def update(self, progress: float) -> None:
        """Change the weights, after `progress` (0..1) of the stage."""
        self.learner.update(progress)

    def state(self) -> dict[str, Any]:
        """All that steps change, as `load` takes it."""
        return self.learner.state()

    def load(self, state: dict[str, Any]) -> None:
        """Continue from a `state`."""
        self.learner.load(state)


def _chance(seeds: Sequence[int], like: Tensor) -> tuple[Tensor, Tensor]:
    """For each picture a time (N,) and white noise (N, PLANES, H, W), from its own seed: the parts
    that faces come in make no difference. Consecutive seeds have times evenly over 0..1.
    """
    times = [seed * _GOLDEN % 1 for seed in seeds]
    return torch.tensor(times, device=like.device), white_noise(seeds, like)
