"""How models are scored."""

from dataclasses import dataclass
from typing import ClassVar

from demosaic.config.options import check, option


@dataclass(frozen=True)
class EvaluateConfig:
    """How models are scored."""

    faces: int = option(200, "Score at most this many held-out faces, the first by hash.", ge=1)
    realism: float | None = option(
        None,
        "Score only this realism, from the mean (0) to a draw (1).",
        ge=0,
        le=1,
        shown="0, and draws on fewer faces; 0 alone with --quick",
    )
    quick: bool = option(
        False, "Score PSNR, SSIM and cell error of aligned mosaics only; write no page."
    )

    blocks: ClassVar[tuple[int, ...]] = (4, 8, 12, 16, 24, 32)
    """Sides of the cells, px."""

    def __post_init__(self) -> None:
        check(self)

    def realisms(self, *, draws: bool) -> tuple[float, ...]:
        """Those to score on all faces. A model that `draws` would take hours: its draws are judged
        on fewer. Others blend two pictures, which costs nothing.
        """
        if self.realism is not None:
            return (self.realism,)
        return (0.0,) if self.quick or draws else (0.0, 0.25, 0.5, 0.75, 1.0)
