"""How gradients become steps: Muon for the filters, AdamW for the rest."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

_MOMENTUM = 0.9  # Jordan's 0.95 is for larger batches

_DECAY = 0.1
"""Per unit of rate: filters cannot grow beyond ten times an orthogonal matrix. Without it they
exploded.
"""

ADAM_SHARE = 0.1
"""AdamW's rate as a part of Muon's: 2e-3 beside 0.02."""

_ROUNDS = 5
_A, _B, _C = 3.4445, -4.7750, 2.0315  # Jordan 2024: singular values end within 0.7..1.2


class Muon(torch.optim.Optimizer):
    """Momentum, then the nearest orthogonal matrix as the step (Jordan 2024, "Muon").

    All directions of a filter move equally far, whatever the size of their gradients.

    torch.optim.Muon is not used: it exists from torch 2.9 on only, accepts two-dimensional
    parameters only, while filters have four dimensions, and takes three times as long. On
    two-dimensional weights both take the same steps, except for rounding: it iterates in bfloat16.
    """

    def __init__(self, filters: list[nn.Parameter], lr: float) -> None:
        super().__init__(filters, {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Update every filter (out, in, height, width) by its gradient."""
        for group in self.param_groups:
            for same in _of_one_shape(group["params"]):
                # Channels last, as filters lie in memory; the order of the columns does not matter
                directions = torch.stack(
                    [self._with_momentum(weight).permute(0, 2, 3, 1) for weight in same]
                )
                steps = orthogonal(directions.flatten(2)).view(directions.shape)
                for weight, step in zip(same, steps, strict=True):
                    rate = group["lr"] * max(1.0, len(weight) / weight[0].numel()) ** 0.5
                    weight.mul_(1 - group["lr"] * _DECAY)
                    weight.permute(0, 2, 3, 1).sub_(step, alpha=rate)

    def _with_momentum(self, weight: nn.Parameter) -> Tensor:
        """The gradient with Nesterov's momentum."""
        assert weight.grad is not None
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        momentum: Tensor = state["momentum"].lerp_(weight.grad, 1 - _MOMENTUM)
        return weight.grad.lerp(momentum, _MOMENTUM)


def _of_one_shape(filters: Sequence[nn.Parameter]) -> Iterable[list[nn.Parameter]]:
    """The filters in groups of one shape, which are orthogonalised together."""
    groups: dict[torch.Size, list[nn.Parameter]] = {}
    for one in filters:
        groups.setdefault(one.shape, []).append(one)
    return groups.values()


def orthogonal(matrices: Tensor) -> Tensor:
    """About the nearest orthogonal matrices to `matrices` (..., rows, columns), by Newton-Schulz
    iteration: singular values end within 0.7..1.2 (Jordan 2024).

    A round multiplies X by a polynomial of X X^T. These polynomials commute. They are small square
    matrices, so they are multiplied with each other first, and with X only once, at the end.
    """
    tall = matrices.shape[-2] > matrices.shape[-1]
    wide: Tensor = matrices.mT if tall else matrices
    wide = wide / (wide.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    gram = wide @ wide.mT
    factor = product = _polynomial(gram)
    for _ in range(_ROUNDS - 1):
        gram = factor @ gram @ factor
        factor = _polynomial(gram)
        product = factor @ product
    wide = product @ wide
    return wide.mT if tall else wide


def _polynomial(gram: Tensor) -> Tensor:
    unit = torch.eye(gram.shape[-1], device=gram.device)
    factor: Tensor = _A * unit + _B * gram + _C * gram @ gram
    return factor
