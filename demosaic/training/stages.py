"""The two stages of our recipe: what a step computes and what it changes.

A step's faces may come in parts, one after the other or on several machines: every loss is a mean
over faces, so gradients of parts, weighted by their share of the faces, add up to those of the
whole.
"""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from demosaic.models.compute import Compute, settle
from demosaic.models.inputs import Views
from demosaic.models.resunet import Critic, ResUNet
from demosaic.training.losses import feature_distance, log_error, relativistic, roughness
from demosaic.training.muon import ADAM_SHARE, Muon

_WARM_UP = 50  # steps

_FAST = 60  # steps; after so many the rate falls with the root of their number

_STEADY = 0.25  # share of the second stage before the rate begins to fall

_LAST = 0.005  # of the rate, at the end

_MEMORY = 0.998  # of the moving average, once there are steps enough

_CLIP = 1.0

# The rate of what was trained before, as a part of that of what was not: with --init, and in the
# second stage
_CAUTION, _SHARPENING = 0.25, 0.1

_CRITIC_RATE = 2e-4

# Weights beside the logarithmic error. The last keeps the critic from hardening: with a third of
# it, and a rate of 0.25, 1,240 steps drew lines across faces of large cells
_ADVERSARIAL, _LIKENESS, _SMOOTH = 0.1, 0.5, 0.3

_NOISE = 0.05  # standard deviation, in [-1, 1], of what a critic should not notice


@dataclass(frozen=True)
class Faces:
    """What a step learns from."""

    views: Views
    target: Tensor
    """(N, 3, H, W) in [-1, 1]."""
    seeds: Sequence[int]
    """Of what is drawn for each face in the course of the step."""

    def to(self, device: torch.device) -> "Faces":
        """The same on the device."""
        return Faces(self.views.to(device), self.target.to(device), self.seeds)

    def halves(self) -> "list[Faces]":
        """The same in two parts, or as it is when it is a single face."""
        middle = len(self.seeds) // 2
        return [self._part(slice(middle)), self._part(slice(middle, None))] if middle else [self]

    def _part(self, which: slice) -> "Faces":
        return Faces(self.views.part(which), self.target[which], self.seeds[which])


class Learner:
    """A network being trained, with its moving average and its optimisers."""

    def __init__(
        self,
        network: ResUNet,
        lr: float,
        compute: Compute,
        share_at: Callable[[int, float], float],
    ) -> None:
        """`share_at`: the share of the rate by step and progress."""
        self._share_at = share_at
        settle(network, compute.device)
        self.network = network
        self.average = copy.deepcopy(network).requires_grad_(False)
        filters, rest = network.parameters_by_kind()
        self.muon = Muon(filters, lr)
        self.adam = torch.optim.AdamW(
            rest, lr * ADAM_SHARE, betas=(0.9, 0.99), weight_decay=0.01, fused=True
        )
        self.rates = (lr, lr * ADAM_SHARE)
        self.steps = 0

    def update(self, progress: float) -> None:
        """One step along the gradients, when `progress` of the stage is over."""
        nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP)
        share = self._share_at(self.steps, progress)
        for optimiser, rate in zip((self.muon, self.adam), self.rates, strict=True):
            optimiser.param_groups[0]["lr"] = rate * share
            optimiser.step()
        self.steps += 1
        memory = min(_MEMORY, self.steps / (self.steps + 9))
        with torch.no_grad():
            torch._foreach_lerp_(
                [*self.average.parameters()], [*self.network.parameters()], 1 - memory
            )

    def state(self) -> dict[str, Any]:
        """All of it, as `load` takes it."""
        return {
            "steps": self.steps,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "muon": self.muon.state_dict(),
            "adam": self.adam.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        self.steps = state["steps"]
        for name in ("network", "average", "muon", "adam"):
            getattr(self, name).load_state_dict(state[name])


def settling(step: int, progress: float) -> float:
    """The share of the full rate while a network learns the faithful mean: a warm-up, then a fall
    with the root of the number of steps, and to nearly nothing at the end.

    Steady at first and then falling as a cosine, a run of 2,300 steps was worse than at step 288
    for half of its time: so large a rate only teaches so much. Falling with the number itself, one
    of 6,000 learnt nothing more after 4,800, when it was at 24.67 dB at block 16; this one rose to
    24.72.
    """
    return _warm(step) / math.sqrt(1 + step / _FAST) * max(_LAST, 1 - progress)


def sharpening(step: int, progress: float) -> float:
    """The same of the second stage: a warm-up, a steady part, and a cosine's fall."""
    falling = max(0.0, (progress - _STEADY) / (1 - _STEADY))
    return _warm(step) * max(_LAST, (1 + math.cos(math.pi * falling)) / 2)


def _warm(step: int) -> float:
    return min(1.0, (step + 1) / _WARM_UP)


class FaithfulStage:
    """The first: the mean of all faces that fit a mosaic."""

    def __init__(self, network: ResUNet, lr: float, compute: Compute, *, trained: bool) -> None:
        """`trained`: the network is not new, and shall not forget what it knows."""
        self.learner = Learner(network, lr * (_CAUTION if trained else 1.0), compute, settling)
        self._compute = compute

    def trained(self) -> Iterator[nn.Parameter]:
        """All weights that a step changes."""
        yield from self.learner.network.parameters()

    def gradients(self, faces: Faces, weight: float) -> dict[str, float]:
        """Add the gradients of some faces, `weight` of the step's; their losses, weighted too."""
        error, _ = _error(self.learner.network, faces, self._compute)
        (weight * error).backward()  # type: ignore[no-untyped-call]
        return {"log_error": weight * float(error.detach())}

    def update(self, progress: float) -> None:
        """Change the weights, when `progress` of the stage is over."""
        self.learner.update(progress)

    def state(self) -> dict[str, Any]:
        """All of it, as `load` takes it."""
        return self.learner.state()

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        self.learner.load(state)


class SharpStage:
    """The second: a network that starts from the faithful one, and a critic that tells its pictures
    from photos.

    Both change at once, each by what it thinks of the other as it was: one pass through the critic
    serves both.
    """

    def __init__(self, start: ResUNet, critic: Critic, lr: float, compute: Compute) -> None:
        self.learner = Learner(start, lr * _SHARPENING, compute, sharpening)
        settle(critic, compute.device)
        self.critic = critic
        self.critic_adam = torch.optim.Adam(
            critic.parameters(), _CRITIC_RATE, betas=(0.0, 0.99), fused=True
        )
        self._compute = compute

    def trained(self) -> Iterator[nn.Parameter]:
        """All weights that a step changes."""
        yield from self.learner.network.parameters()
        yield from self.critic.parameters()

    def gradients(self, faces: Faces, weight: float) -> dict[str, float]:
        """Add the gradients of some faces, `weight` of the step's; their losses, weighted too."""
        error, restored = _error(self.learner.network, faces, self._compute)
        made = restored.detach().requires_grad_()
        both = torch.cat([faces.target, made])
        disturbed = both.detach() + _NOISE * _noise(faces.seeds, faces.target).repeat(2, 1, 1, 1)
        with self._compute.precision():
            shown = faces.views.seen.repeat(4, 1, 1, 1)
            scores, features = self.critic(torch.cat([both, disturbed]), shown)
        photo, ours, *noisy = zip(*(one.float().chunk(4) for one in scores), strict=True)
        true, drawn, *_ = zip(*(one.float().chunk(4) for one in features), strict=True)

        wrong = relativistic(photo, ours)
        steep = roughness((*photo, *ours), (*noisy[0], *noisy[1]), _NOISE)
        critic = [*self.critic.parameters()]
        slopes = torch.autograd.grad(weight * (wrong + _SMOOTH * steep), critic, retain_graph=True)
        for parameter, slope in zip(critic, slopes, strict=True):
            parameter.grad = slope if parameter.grad is None else parameter.grad + slope

        adversarial = relativistic(ours, [one.detach() for one in photo])
        likeness = feature_distance(drawn, [one.detach() for one in true])
        wish = _ADVERSARIAL * adversarial + _LIKENESS * likeness
        (pull,) = torch.autograd.grad(weight * wish, made)
        torch.autograd.backward([weight * error, restored], [torch.ones_like(error), pull])
        losses = {
            "log_error": error,
            "critic": wrong,
            "adversarial": adversarial,
            "likeness": likeness,
        }
        return {name: weight * float(loss.detach()) for name, loss in losses.items()}

    def update(self, progress: float) -> None:
        """Change the weights, when `progress` of the stage is over."""
        self.learner.update(progress)
        self.critic_adam.step()

    def state(self) -> dict[str, Any]:
        """All of it, as `load` takes it."""
        return {
            "learner": self.learner.state(),
            "critic": self.critic.state_dict(),
            "critic_adam": self.critic_adam.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        self.learner.load(state["learner"])
        self.critic.load_state_dict(state["critic"])
        self.critic_adam.load_state_dict(state["critic_adam"])


def _error(network: ResUNet, faces: Faces, compute: Compute) -> tuple[Tensor, Tensor]:
    """The logarithmic error of what a network makes of the faces, and what that is, reconciled."""
    shown = faces.views
    with compute.precision():
        restored = network(shown.seen, shown.hidden, shown.guide)
    reconciled = shown.reconcile(restored)
    return log_error(reconciled, faces.target, shown.hidden), reconciled


def _noise(seeds: Sequence[int], like: Tensor) -> Tensor:
    """Standard normal noise, each picture's by its own seed, in whatever parts they come."""
    pictures = [
        torch.randn(like.shape[1:], generator=torch.Generator().manual_seed(seed)) for seed in seeds
    ]
    return torch.stack(pictures).to(like.device)
