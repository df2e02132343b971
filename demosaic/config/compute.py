"""What to compute with."""

from dataclasses import dataclass
from typing import Literal

from demosaic.config.options import check, option

Precision = Literal["auto", "fp32", "bf16"]

_PANEL = "Computing"

_MOST_THREADS = 1024  # torch crashes with millions


@dataclass(frozen=True)
class DeviceConfig:
    """What to compute with; it changes speed and rounding, not the recipe."""

    device: str = option("auto", "Where to compute: auto, cpu, cuda, cuda:1 or mps.", panel=_PANEL)
    precision: Precision = option(
        "auto",
        "Precision of the arithmetic; auto takes bf16 if it is faster and agrees with fp32.",
        panel=_PANEL,
    )
    threads: int | None = option(
        None,
        "CPU threads.",
        ge=1,
        le=_MOST_THREADS,
        shown="one per core at rest",
        panel=_PANEL,
    )

    def __post_init__(self) -> None:
        check(self)
