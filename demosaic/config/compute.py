"""What to compute with."""

from dataclasses import dataclass
from typing import Literal, get_args

from demosaic.config.rules import refuse, unless

Precision = Literal["auto", "fp32", "bf16"]

_MOST_THREADS = 1024  # with millions torch crashes


@dataclass(frozen=True)
class DeviceConfig:
    """What to compute with; it changes speed and rounding, not the recipe."""

    device: str = "auto"
    """`auto`, `cpu`, `cuda`, `cuda:1`, `mps`."""
    precision: Precision = "auto"
    """`auto` tries bf16 where the machine has it and keeps it when it is faster and agrees with
    fp32.
    """
    threads: int | None = None
    """CPU threads; torch's own choice when none is given."""

    def __post_init__(self) -> None:
        refuse(
            (
                unless(
                    self.precision in get_args(Precision),
                    f"--precision {self.precision}: choose auto, fp32 or bf16",
                ),
                unless(
                    self.threads is None or 1 <= self.threads <= _MOST_THREADS,
                    f"--threads {self.threads}: choose 1 to {_MOST_THREADS}",
                ),
            )
        )
