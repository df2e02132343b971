"""Scores of models, and the report of an evaluation."""

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
    """A mean over faces, or a share of them (0 to 1), with its 95 % confidence interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Way:
    """A way to fill a mosaic."""

    method: str
    """`mosaic` (left as it is), `bicubic`, `base`, or the name of a model."""
    realism: float | None = None
    """Of a model with two stages, 0 to 1; None for everything else."""

    def __str__(self) -> str:
        return self.method if self.realism is None else f"{self.method}, realism {self.realism:g}"


@dataclass(frozen=True)
class WayScores:
    """The scores of one way on one kind of mosaic."""

    way: Way
    block: int
    """Side of the square cells, px."""
    aligned: bool
    """Whether the cells begin in the corner; if not, at a random offset for each face."""
    estimates: Mapping[str, Estimate]
    """By metric: `psnr` (dB), `gain` (dB over `base` on the same face), `ssim` and `ms_ssim`
    (0..1), `cell_error` (grey levels), `sharpness` (1 is the original's).
    """


@dataclass(frozen=True)
class AtRealism:
    """The pictures of a model that draws at one realism; means over faces."""

    realism: float
    psnr: float
    """dB."""
    detail: tuple[float, ...]
    """Differences of pixels 1, 2 and 4 apart, as shares of the originals'."""


@dataclass(frozen=True)
class DrawScores:
    """The draws of a model at one cell size, which begin in the corner."""

    method: str
    block: int
    """Side of the square cells, px."""
    faces: int
    realisms: tuple[AtRealism, ...]
    mean_psnr: float
    """dB, of the mean of 9 draws."""
    spread: float
    """Standard deviation of draws over the error of their mean; 1 if draws are as far apart as
    their errors say.
    """
    covered: float
    """Share of the original's values inside the range of 9 draws; 0.8 if the truth is like a draw.
    """


@dataclass(frozen=True)
class EvaluationReport(Event):
    """The scores of all models."""

    pairs: str
    split: str
    """The pairs scored: `test` if the dataset has such a split, else `val`."""
    faces: int
    models: Mapping[str, str]
    """The model files by name."""
    computed: str
    """The device, its precision and the number of workers."""
    seconds: float
    scores: tuple[WayScores, ...]
    draws: tuple[DrawScores, ...] = ()
    """Of the models that draw; none in a quick evaluation."""
    page: str = ""
    """The page with all of it; empty if none was written."""
