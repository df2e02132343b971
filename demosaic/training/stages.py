"""The two stages of the default recipe: what a step computes and what it changes.

A step's faces may come in parts, one after the other or in several processes. Every loss is a mean
over faces, so the gradients of parts, weighted by their share of the faces, add up to those of the
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
from demosaic.training.losses import feature_distance, gradient_penalty, log_error, relativistic
from demosaic.training.muon import ADAM_SHARE, Muon

_WARM_UP = 50  # steps
_FAST = 60  # steps; after so many the rate falls with the root of their number
_STEADY = 0.25  # share of the second stage before the rate begins to fall
_LAST = 0.005  # of the rate, at the end
_MEMORY = 0.998  # of the moving average, once there are steps enough
_CLIP = 1.0  # the largest norm of a step's gradient

_CAUTION = 0.25
"""The rate of a network that was trained before (`--init`), as a part of a new one's."""

_SHARPENING = 0.1
"""The rate in the second stage, as a part of that in the first."""

_CRITIC_RATE = 2e-4

_ADVERSARIAL, _LIKENESS = 0.1, 0.5
"""Weights of the generator's adversarial loss and feature distance, beside the log error."""

_PENALTY = 0.3
"""Weight of the gradient penalty in the critic's loss; with a third of it, lines were drawn
across faces of large cells.
"""

_NOISE = 0.05  # standard deviation, in [-1, 1], of what a critic should not notice


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


class Learner:
    """A network being trained, with its moving average and its optimisers."""

    def __init__(
        self,
        network: ResUNet,
        lr: float,
        compute: Compute,
        share_at: Callable[[int, float], float],
    ) -> None:
        """`share_at`: the share of the learning rate by step and progress."""
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
        """Take one step along the gradients, after `progress` (0..1) of the stage."""
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


def sharp_rate(step: int, progress: float) -> float:
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
        self.learner = Learner(network, lr * (_CAUTION if trained else 1.0), compute, mean_rate)
        self._compute = compute

    def trained(self) -> Iterator[nn.Parameter]:
        """All weights that a step changes."""
        yield from self.learner.network.parameters()

    def gradients(self, faces: Faces, weight: float) -> dict[str, float]:
        """Add the gradients of some faces, which are `weight` (0..1) of the step's; their losses by
        name, weighted too.
        """
        error, _ = _error(self.learner.network, faces, self._compute)
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


@dataclass(frozen=True)
class _Judged:
    """What a critic makes of real and generated faces: one tensor for each of its maps."""

    real: Sequence[Tensor]
    """Scores, (N, 1, h, w)."""
    fake: Sequence[Tensor]
    noisy: Sequence[Tensor]
    """Scores of the real ones with noise on them, then of the generated ones."""
    real_features: Sequence[Tensor]
    """(N, C, h, w)."""
    fake_features: Sequence[Tensor]


class SharpStage:
    """The second stage: a network that starts from the first stage's, and a critic that learns to
    distinguish its pictures from photos.

    Both are updated at once, each against the other as it was before the step: one pass through
    the critic serves both.
    """

    def __init__(self, start: ResUNet, critic: Critic, lr: float, compute: Compute) -> None:
        self.learner = Learner(start, lr * _SHARPENING, compute, sharp_rate)
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
        """Add the gradients of some faces, which are `weight` (0..1) of the step's; their losses by
        name, weighted too.
        """
        error, restored = _error(self.learner.network, faces, self._compute)
        fake = restored.detach().requires_grad_()
        judged = self._judge(faces, fake)
        critic_loss = self._add_critic_gradients(judged, weight)
        adversarial, likeness = _generator_losses(judged)
        generator_loss = _ADVERSARIAL * adversarial + _LIKENESS * likeness
        (grad,) = torch.autograd.grad(weight * generator_loss, fake)
        torch.autograd.backward([weight * error, restored], [torch.ones_like(error), grad])
        losses = {
            "log_error": error,
            "critic": critic_loss,
            "adversarial": adversarial,
            "likeness": likeness,
        }
        return {name: weight * float(loss.detach()) for name, loss in losses.items()}

    def _judge(self, faces: Faces, fake: Tensor) -> _Judged:
        """Run the critic once on real and generated faces (N, 3, H, W), without and with noise."""
        both = torch.cat([faces.target, fake])
        disturbed = both.detach() + _NOISE * _noise(faces.seeds, faces.target).repeat(2, 1, 1, 1)
        with self._compute.precision():
            shown = faces.views.seen.repeat(4, 1, 1, 1)
            scores, features = self.critic(torch.cat([both, disturbed]), shown)
        real, fakes, noisy_real, noisy_fake = zip(
            *(one.float().chunk(4) for one in scores), strict=True
        )
        real_features, fake_features, _, _ = zip(
            *(one.float().chunk(4) for one in features), strict=True
        )
        return _Judged(real, fakes, (*noisy_real, *noisy_fake), real_features, fake_features)

    def _add_critic_gradients(self, judged: _Judged, weight: float) -> Tensor:
        """Add the critic's gradients; its loss without the penalty."""
        loss = relativistic(judged.real, judged.fake)
        penalty = gradient_penalty((*judged.real, *judged.fake), judged.noisy, _NOISE)
        parameters = [*self.critic.parameters()]
        grads = torch.autograd.grad(
            weight * (loss + _PENALTY * penalty), parameters, retain_graph=True
        )
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter.grad = grad if parameter.grad is None else parameter.grad + grad
        return loss

    def update(self, progress: float) -> None:
        """Change the weights, after `progress` (0..1) of the stage."""
        self.learner.update(progress)
        self.critic_adam.step()

    def state(self) -> dict[str, Any]:
        """All that steps change, as `load` takes it."""
        return {
            "learner": self.learner.state(),
            "critic": self.critic.state_dict(),
            "critic_adam": self.critic_adam.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Continue from a `state`."""
        self.learner.load(state["learner"])
        self.critic.load_state_dict(state["critic"])
        self.critic_adam.load_state_dict(state["critic_adam"])


def _generator_losses(judged: _Judged) -> tuple[Tensor, Tensor]:
    """The generator's adversarial loss and feature distance; no gradient reaches the real ones."""
    adversarial = relativistic(judged.fake, [one.detach() for one in judged.real])
    likeness = feature_distance(
        judged.fake_features, [one.detach() for one in judged.real_features]
    )
    return adversarial, likeness


def _error(network: ResUNet, faces: Faces, compute: Compute) -> tuple[Tensor, Tensor]:
    """The log error of a network's reconciled output, and that output, (N, 3, H, W)."""
    shown = faces.views
    with compute.precision():
        restored = network(shown.seen, shown.hidden, shown.guide)
    reconciled = shown.reconcile(restored)
    return log_error(reconciled, faces.target, shown.hidden), reconciled


def _noise(seeds: Sequence[int], like: Tensor) -> Tensor:
    """Standard normal noise, each picture's from its own seed: the parts that faces come in make no
    difference. (N, C, H, W), as `like`.
    """
    pictures = [
        torch.randn(like.shape[1:], generator=torch.Generator().manual_seed(seed)) for seed in seeds
    ]
    return torch.stack(pictures).to(like.device)
