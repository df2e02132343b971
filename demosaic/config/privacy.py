"""How faces are hidden, and an album audited."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from demosaic.config.dataset import BuildConfig
from demosaic.config.options import USUAL, as_in, check, option
from demosaic.config.reading import read_block, read_rectangles
from demosaic.config.restoration import RestoreConfig
from demosaic.config.rules import LEAST_SCORE, Rectangle, Sampler, misplaced, unless

Style = Literal["mosaic", "solid", "blur"]
Shape = Literal["box", "ellipse"]

_WHERE = "What is hidden"

_MOST_SPREAD = 10_000  # px; a blur that wide takes minutes


@dataclass(frozen=True)
class PixelateConfig:
    """How faces are hidden."""

    regions: tuple[Rectangle, ...] = option(
        (),
        "Hide this rectangle, px, instead of the faces found; may be repeated.",
        shown="every face found",
        metavar="X,Y,W,H",
        panel=_WHERE,
        flag="--region",
        read=read_rectangles,
    )
    style: Style = option("mosaic", "What covers a face; only solid leaves nothing to restore.")
    block: float = option(
        0.1,
        "Side of a cell, or spread of the blur: px, or below 1 a share of the face's width.",
        metavar="PX|SHARE",
        read=read_block,
    )
    shape: Shape = option("box", "Hide the whole box, or the ellipse inside it.", panel=_WHERE)
    # The detected box shows neither hair nor chin
    margin: float = option(
        1.3, "Side of the box, as a multiple of the detected face.", ge=1, le=4, panel=_WHERE
    )
    sampler: Sampler = as_in(BuildConfig, "sampler", panel=USUAL)
    min_score: float = option(
        LEAST_SCORE,
        "Hide only faces that the detector is at least this sure of.",
        ge=LEAST_SCORE,
        le=1,
        panel=_WHERE,
    )

    def __post_init__(self) -> None:
        check(
            self,
            *map(misplaced, self.regions),
            unless(
                0 < self.block < 1
                or (2 <= self.block <= _MOST_SPREAD and float(self.block).is_integer()),
                f"--block {self.block:g}: choose 2 to {_MOST_SPREAD} px, or a share of the face "
                "below 1",
            ),
        )


@dataclass(frozen=True)
class AuditConfig:
    """How much of an album is compared to see what its mosaics reveal."""

    faces: int = option(200, "Hide at most this many faces, two of a person.", ge=1)
    gallery: int = option(
        1000, "Look for them among at most this many known faces, theirs and others'.", ge=2
    )
    # Recognisers take the mean for the person more often than a draw, which takes longer, too
    realism: float = as_in(RestoreConfig, "realism", default=0.0)

    blocks: ClassVar[tuple[int, ...]] = (4, 8, 12, 16, 24, 32, 64, 128, 256)
    """Sides of the cells, pixels of a face as it is cut for training."""

    def __post_init__(self) -> None:
        check(self)
