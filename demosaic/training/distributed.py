"""Several processes that train one model, as PyTorch's own launcher (torchrun) starts them.

Each computes its share of a step's faces, and the gradients are added up; all then take the same
step. Every process reads, the first alone writes. On one's own, everything here does nothing.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor
from torch import distributed as dist

from demosaic.errors import DemosaicError

_PATIENCE = timedelta(hours=1)  # the others wait while the first one validates


@dataclass(frozen=True)
class Team:
    """This process's place among `size` of them."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    def share(self, count: int) -> range:
        """Which of `count` things are this process's."""
        return range(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def add_up(self, gradients: Sequence[Tensor]) -> None:
        """Replace gradients by their sums over all processes."""
        if self.size == 1:
            return
        together = torch.cat([gradient.flatten() for gradient in gradients])
        with _told_when_one_ends():
            dist.all_reduce(together)
        sums = torch.split(together, [gradient.numel() for gradient in gradients])
        for gradient, total in zip(gradients, sums, strict=True):
            gradient.copy_(total.view_as(gradient))

    def follow(self, *values: float) -> tuple[float, ...]:
        """What the first process has for these values."""
        if self.size == 1:
            return values
        device = torch.device("cuda") if dist.get_backend() == "nccl" else torch.device("cpu")
        shared = torch.tensor(values, dtype=torch.float64, device=device)
        with _told_when_one_ends():
            dist.broadcast(shared, 0)
        return tuple(shared.tolist())


@contextmanager
def team() -> Iterator[Team]:
    """The team this process was started in; a team of one, when not by torchrun."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Team()
        return
    backend = "gloo"
    if torch.cuda.is_available():
        backend = "nccl"
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group(backend, timeout=_PATIENCE)
    try:
        yield Team(dist.get_rank(), size)
    finally:
        dist.destroy_process_group()


@contextmanager
def _told_when_one_ends() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # all that gloo and NCCL say of a lost connection
        raise DemosaicError(
            "another process of this training has ended, so this one does too: "
            "the same command goes on from the last saved state"
        ) from error
