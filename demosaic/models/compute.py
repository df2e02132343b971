"""The device, precision and thread count to compute with, and a faster allocator."""

import ctypes
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from demosaic.config.compute import DeviceConfig
from demosaic.errors import USAGE, DemosaicError
from demosaic.text import counted

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # glibc's malloc.h
_PARITY = 0.1  # bf16 keeps 8 bits, and some twenty layers multiply its error
_TRIALS = 2
_LOOKS, _BETWEEN_LOOKS = 5, 0.01  # at what else runs; the second is in seconds
_THREADS = torch.get_num_threads()  # torch's own choice, which OMP_NUM_THREADS may have made


Trial = Callable[["Compute"], torch.Tensor]
"""Representative work: computes with what it is given and returns a result to compare."""


@dataclass(frozen=True)
class Compute:
    """What to compute with."""

    device: torch.device
    bf16: bool

    def __str__(self) -> str:
        on_cpu = self.device.type == "cpu"
        threads = f", {counted(torch.get_num_threads(), 'thread')}" if on_cpu else ""
        return f"{self.arithmetic}{threads}"

    @property
    def arithmetic(self) -> str:
        """The device and its precision in words; without the number of threads."""
        return f"{self.device} in {self.number}"

    @property
    def number(self) -> str:
        """The kind of its numbers: `bf16` or `fp32`."""
        return "bf16" if self.bf16 else "fp32"

    @contextmanager
    def precision(self) -> Iterator[None]:
        """Within, convolutions and products are computed in the chosen precision."""
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16):
            yield

    def infer(self, network: nn.Module, *inputs: Any) -> NDArray[np.float32]:
        """A network's output for inputs on the device: float32, in main memory, no gradients.

        Raises DemosaicError when it is not finite: a stranger's weights may be too large.
        """
        with torch.inference_mode(), self.precision():
            made: NDArray[np.float32] = network(*inputs).float().cpu().numpy()
        if not np.isfinite(made).all():
            raise DemosaicError("what the model computes is not finite: use another model")
        return made

    def take(self, array: "torch.Tensor") -> torch.Tensor:
        """The images (N, C, H, W) on the device, channels last: convolutions are faster so."""
        return array.to(self.device, memory_format=torch.channels_last)


def settle(network: nn.Module, device: torch.device) -> None:
    """Move a network to the device, its filters channels last like the images of `Compute.take`."""
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def choose(
    config: DeviceConfig, trial: Trial | None = None, before: bool | None = None
) -> tuple[Compute, str]:
    """What to compute with, and a sentence that says why.

    `auto` precision is fp32, unless the machine computes bf16 in hardware and in a timed `trial`
    bf16 is faster and agrees with fp32. On a CPU, half of the threads are tried too, unless the
    config gives their number. `before`: whether a run that continues began in bf16. Raises
    DemosaicError for a device that does not exist.
    """
    device = _device(config.device)
    if config.precision != "auto":
        compute = Compute(device, config.precision == "bf16")
        return compute, f"computing on {compute}, as asked"
    if before is not None and (has_bf16(device) or not before):
        compute = Compute(device, before)
        return compute, f"computing on {compute}, as before"
    if trial and device.type == "cpu" and config.threads is None and before is None:
        _try_half_the_threads(Compute(device, has_bf16(device)), trial)
    if trial is None or not has_bf16(device):
        compute = Compute(device, False)
        return compute, f"computing on {compute}"
    return _fastest(Compute(device, False), Compute(device, True), trial)


def settle_threads(config: DeviceConfig, before: int | None = None) -> None:
    """Use as many CPU threads as the config says, as `before`, or as there are cores at rest.

    Torch uses one thread for each core of the machine. Threads that share a core wait for each
    other at every operation: beside five busy processes a core, two threads take five times as long
    as one.
    """
    torch.set_num_threads(config.threads or before or min(_THREADS, cores_at_rest()))


def choose_threads(compute: Compute, trial: Trial) -> None:
    """Use as many CPU threads as there are cores at rest now, or half of them where a timed trial
    is faster so.
    """
    torch.set_num_threads(min(_THREADS, cores_at_rest()))
    _try_half_the_threads(compute, trial)


def _device(name: str) -> torch.device:
    try:
        if name == "auto":
            name = (
                "cuda"
                if torch.cuda.is_available()
                else "mps"
                if torch.backends.mps.is_available()
                else "cpu"
            )
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built with CUDA
        raise DemosaicError(
            f"--device {name}: there is no such device here; try --device auto", USAGE
        ) from error
    return device


def present() -> list[str]:
    """The devices of this machine in words; `auto` uses the first."""
    cpu = f"cpu with {counted(allowed_cores(), 'core')}{_in_bf16(torch.device('cpu'))}"
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*map(_gpu, range(torch.cuda.device_count())), *mps, cpu]


def _gpu(number: int) -> str:
    device = torch.device("cuda", number)
    about = torch.cuda.get_device_properties(device)
    memory = about.total_memory / 2**30
    return f"{device}, {about.name} with {memory:.0f} GiB{_in_bf16(device)}"


def _in_bf16(device: torch.device) -> str:
    return " and bf16" if has_bf16(device) else ""


def has_bf16(device: torch.device) -> bool:
    """Whether the device computes bf16 in hardware; emulated, it is many times slower than fp32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    if not hasattr(torch.cpu, "get_capabilities"):  # before torch 2.11
        return False
    features = torch.cpu.get_capabilities()
    return any(features.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16", "sve_bf16"))


def _fastest(exact: Compute, short: Compute, trial: Trial) -> tuple[Compute, str]:
    (slow, truth), (fast, result) = _timed(exact, trial), _timed(short, trial)
    error = float((result - truth).norm() / truth.norm())
    if not error < _PARITY:  # also when it is not a number
        return exact, f"computing on {exact} (in bf16 it differs by {error:.2f})"
    chosen, other = (short, exact) if fast < slow else (exact, short)
    times = max(fast, slow) / min(fast, slow)
    return chosen, f"computing on {chosen} ({times:.1f} times as fast as in {other.number})"


def _try_half_the_threads(compute: Compute, trial: Trial) -> None:
    """Use half of the threads if that is faster: two threads on one core share its arithmetic units
    and wait for each other.
    """
    threads = torch.get_num_threads()
    if threads == 1:
        return
    all_of_them, _ = _timed(compute, trial)
    torch.set_num_threads(threads // 2)
    half_of_them, _ = _timed(compute, trial)
    if half_of_them >= all_of_them:
        torch.set_num_threads(threads)


def cores_at_rest() -> int:
    """Cores this process may use that no other process keeps busy; at least one."""
    at_rest = (os.cpu_count() or 1) - busy_elsewhere()
    return max(1, min(allowed_cores(), round(at_rest)))


def busy_elsewhere() -> float:
    """How many cores other processes keep busy just now; 0 where the system does not say.

    Linux counts the threads that run or could. Its load averages would still count the command that
    has just ended.
    """
    counts = []
    for _ in range(_LOOKS):
        try:
            running, _, _ = (
                Path("/proc/loadavg").read_text(encoding="ascii").split()[3].partition("/")
            )
            counts.append(int(running) - 1)  # without the one that asks
        except (OSError, ValueError, IndexError):
            return 0.0
        time.sleep(_BETWEEN_LOOKS)
    return float(np.median(counts))


def allowed_cores() -> int:
    """Cores this process may use, by its affinity and, on Linux, its control group's quota."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        allowed = min(allowed or 1, max(1, int(quota) // int(period)))
    return allowed or 1


def _timed(compute: Compute, trial: Trial) -> tuple[float, torch.Tensor]:
    """Seconds of the fastest trial after one to warm up, and its result as fp32."""
    times = []
    for _ in range(1 + _TRIALS):
        start = time.perf_counter()
        result = trial(compute).float().cpu()
        times.append(time.perf_counter() - start)
    return min(times[1:]), result


def tune_allocator() -> None:
    """Make glibc keep the memory of large tensors, instead of returning it to the system and
    faulting it in again at every step. The peak of memory stays taken until the process ends.

    Does nothing without glibc.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "gnu_get_libc_version"):
        for option, value in (
            (_M_MMAP_MAX, 0),
            (_M_TRIM_THRESHOLD, 2**31 - 1),
            (_M_TOP_PAD, 64 * 2**20),
        ):
            libc.mallopt(option, value)
