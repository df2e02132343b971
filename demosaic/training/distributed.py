"""Several processes that train one model, as PyTorch's own launcher (torchrun) starts them.

Each process computes its share of a step's faces, the gradients are summed, and all processes take
the same step. Every process reads; only the first one writes. In a single process, everything here
does nothing.
"""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor
from torch import distributed as dist

from demosaic.errors import DemosaicError

_LOOK_EVERY = 0.2  # seconds

_TIMEOUT = timedelta(hours=1)  # the other processes wait while the first one validates


@dataclass(frozen=True)
class Processes:
    """This process, number `rank` of `size`."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the process that validates, writes and reports."""
        return self.rank == 0

    def share(self, count: int) -> range:
        """Which of `count` items this process computes; the shares differ by at most one item."""
        return range(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def sum_gradients(self, gradients: Sequence[Tensor]) -> None:
        """Replace gradients by their sums over all processes.

        Raises DemosaicError when another process has ended.
        """
        if self.size == 1:
            return
        together = torch.cat([gradient.flatten() for gradient in gradients])
        with _lost_connection_named():
            dist.all_reduce(together)
        sums = torch.split(together, [gradient.numel() for gradient in gradients])
        for gradient, total in zip(gradients, sums, strict=True):
            gradient.copy_(total.view_as(gradient))

    def broadcast(self, number: float) -> float:
        """The first process's number, in every process. Raises DemosaicError when another process
        has ended.
        """
        if self.size == 1:
            return number
        device = torch.device("cuda") if dist.get_backend() == "nccl" else torch.device("cpu")
        shared = torch.tensor([number], dtype=torch.float64, device=device)
        with _lost_connection_named():
            dist.broadcast(shared, 0)
        return float(shared.item())

    def broadcast_flag(self, flag: bool) -> bool:
        """The first process's flag, in every process; raises as `broadcast`."""
        return bool(self.broadcast(flag))

    def wait_for_first(self) -> None:
        """Return when the first process has come here too; raises as `broadcast`."""
        self.broadcast(0.0)


@contextmanager
def processes() -> Iterator[Processes]:
    """The processes that torchrun started together with this one; or this one alone."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Processes()
        return
    threading.Thread(target=_end_with_launcher, args=(os.getppid(),), daemon=True).start()
    backend = "gloo"
    if torch.cuda.is_available():
        backend = "nccl"
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group(backend, timeout=_TIMEOUT)
    try:
        yield Processes(dist.get_rank(), size)
    finally:
        dist.destroy_process_group()


def _end_with_launcher(launcher: int) -> None:
    """End this process when torchrun has ended, however it did: a killed one leaves its processes
    behind, and they would go on writing. Windows does not say when.
    """
    while os.getppid() == launcher:
        time.sleep(_LOOK_EVERY)
    os._exit(1)


@contextmanager
def _lost_connection_named() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # gloo and NCCL raise nothing more specific
        raise DemosaicError(
            "another process of this training has ended, so this one ends too: "
            "run the same command again to continue from the last saved state"
        ) from error
