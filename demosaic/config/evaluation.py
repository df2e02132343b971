"""How models are scored."""

from dataclasses import dataclass
from typing import ClassVar

from demosaic.config.rules import refuse, unless


@dataclass(frozen=True)
class EvaluateConfig:
    """How models are scored."""

    faces: int = 200
    """At most so many held-out faces, the first by hash, are scored."""
    realism: float | None = None
    """The only blend to score; five from 0 to 1 when none is given, with `quick` 0 alone."""
    quick: bool = False
    """PSNR, SSIM and cell error of aligned mosaics only, and no page."""

    blocks: ClassVar[tuple[int, ...]] = (4, 8, 12, 16, 24, 32)
    """Sides of the cells, px."""

    def __post_init__(self) -> None:
        refuse(
            (
                unless(self.faces >= 1, f"--faces {self.faces}: choose 1 or more"),
                unless(
                    self.realism is None or 0 <= self.realism <= 1,
                    f"--realism {self.realism}: choose 0 to 1",
                ),
            )
        )

    @property
    def realisms(self) -> tuple[float, ...]:
        """The blends to score."""
        if self.realism is not None:
            return (self.realism,)
        return (0.0,) if self.quick else (0.0, 0.25, 0.5, 0.75, 1.0)
