"""What is said of how good a model is."""

from collections.abc import Mapping
from dataclasses import dataclass

from demosaic.events import Event


@dataclass(frozen=True)
class Scores:
    """Means over held-out pairs, on the 8-bit pictures a user would get."""

    psnr: float
    """dB, over all pixels and channels of a picture."""
    ssim: float
    """0..1, as in Wang et al. 2004 (11 px Gaussian window)."""
    l1: float
    """Mean absolute error in [-1, 1] units, as the article logs it."""
    cell_error: float
    """Grey levels (0..255) between the restored cells and the observed ones, on average."""


@dataclass(frozen=True)
class Estimate:
    """A mean over faces, or a share of them (0..1), and the interval that holds the true one in 95
    of 100 cases.
    """

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Way:
    """What fills a mosaic."""

    method: str
    """`mosaic` (as it is), `bicubic`, `base`, or a model's name."""
    realism: float | None = None
    """A model's, 0..1; None where there is none to choose."""

    def __str__(self) -> str:
        return self.method if self.realism is None else f"{self.method}, realism {self.realism:g}"


@dataclass(frozen=True)
class WayScores:
    """How one way did on one kind of mosaic."""

    way: Way
    block: int
    """Side of the square cells, px."""
    aligned: bool
    """Whether the cells begin in the corner, or at an offset drawn for each face."""
    estimates: Mapping[str, Estimate]
    """By metric: `psnr` (dB), `gain` (dB over `base` on the same face), `ssim` and `ms_ssim`
    (0..1), `cell_error` (grey levels), `sharpness` (1 is the original's).
    """


@dataclass(frozen=True)
class EvaluationReport(Event):
    """What an evaluation found."""

    pairs: str
    split: str
    """Which of the pairs: `test` where there are any, else `val`."""
    faces: int
    models: Mapping[str, str]
    """The model files by name."""
    computed: str
    """On what, and in which precision."""
    seconds: float
    scores: tuple[WayScores, ...]
