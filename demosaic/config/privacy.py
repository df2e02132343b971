"""How faces are hidden, and an album audited."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from demosaic.config.restoration import RestoreConfig
from demosaic.config.rules import (
    LEAST_SCORE,
    Rectangle,
    Sampler,
    misplaced,
    refuse,
    sampler_known,
    unless,
)

Style = Literal["mosaic", "solid", "blur"]

Shape = Literal["box", "ellipse"]

_MOST_SPREAD = 10_000  # px; of a blur that takes minutes


@dataclass(frozen=True)
class PixelateConfig:
    """How faces are hidden."""

    regions: tuple[Rectangle, ...] = ()
    """Rectangles x, y, width, height in photo pixels to hide, instead of the faces found."""
    style: Style = "mosaic"
    """What is put over a face: a mosaic, black, or blur."""
    block: float = 0.1
    """Side of a mosaic cell, or the spread of a blur: photo pixels, or below 1 a share of the
    face's width.
    """
    shape: Shape = "box"
    """What is hidden: the whole box or the ellipse in it."""
    margin: float = 1.3
    """Side of the box, as a multiple of the detected face box, which has neither hair nor chin."""
    sampler: Sampler = "mean"
    """What of a cell its colour is taken from."""
    min_score: float = LEAST_SCORE
    """What the detector is less sure of (0..1) is not hidden."""

    def __post_init__(self) -> None:
        refuse(
            (
                *(misplaced(region) for region in self.regions),
                unless(
                    self.style in get_args(Style),
                    f"--style {self.style}: choose mosaic, solid or blur",
                ),
                unless(
                    0 < self.block < 1
                    or (2 <= self.block <= _MOST_SPREAD and float(self.block).is_integer()),
                    f"--block {self.block:g}: choose 2 to {_MOST_SPREAD} px, or a share below 1 of "
                    "the face",
                ),
                unless(
                    self.shape in get_args(Shape), f"--shape {self.shape}: choose box or ellipse"
                ),
                unless(1 <= self.margin <= 4, f"--margin {self.margin}: choose 1 to 4"),
                sampler_known(self.sampler),
                unless(
                    LEAST_SCORE <= self.min_score <= 1,
                    f"--min-score {self.min_score}: choose {LEAST_SCORE} to 1",
                ),
            )
        )


@dataclass(frozen=True)
class AuditConfig:
    """How much of an album is compared to see what its mosaics give away."""

    faces: int = 200
    """At most so many faces are hidden, two of a person."""
    gallery: int = 1000
    """So many faces are known, where the album has them: of those hidden, and of others."""
    realism: float = RestoreConfig.realism
    """Of what is restored, 0..1."""

    blocks: ClassVar[tuple[int, ...]] = (4, 8, 12, 16, 24, 32, 64, 128, 256)
    """Sides of the cells, pixels of a face as it is cut for training."""

    def __post_init__(self) -> None:
        refuse(
            (
                unless(self.faces >= 1, f"--faces {self.faces}: choose 1 or more"),
                unless(self.gallery >= 2, f"--gallery {self.gallery}: choose 2 or more"),
                unless(0 <= self.realism <= 1, f"--realism {self.realism}: choose 0 to 1"),
            )
        )
