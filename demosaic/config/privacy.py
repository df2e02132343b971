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

_ASKED = "How you hide faces"

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
            block_problem(self.block),
        )


@dataclass(frozen=True)
class AuditConfig:
    """Whether a way to hide faces hides the people of an album, and how much is compared for it."""

    like: str | None = option(
        None,
        "A picture or clip that you published: answer for the mosaics in it.",
        metavar="FILE",
        panel=_ASKED,
    )
    style: Style = as_in(
        PixelateConfig, "style", help="What covers your faces: answer for this.", panel=_ASKED
    )
    block: float = as_in(
        PixelateConfig,
        "block",
        help="Side of your cells, or spread of your blur: px of these photos, or below 1 a share "
        "of the face's width.",
        panel=_ASKED,
    )
    shape: Shape = as_in(
        PixelateConfig,
        "shape",
        help="Whether your cells cover the whole box or the ellipse inside it.",
        panel=_ASKED,
    )
    faces: int = option(200, "Hide at most this many faces, two of a person.", ge=1)
    gallery: int = option(
        1000, "Look for them among at most this many known faces, theirs and others'.", ge=2
    )
    # Recognisers take the mean for the person more often than a draw, which takes longer, too
    realism: float = as_in(RestoreConfig, "realism", default=0.0)

    enough: ClassVar[int] = 50
    """Hidden faces below which nothing can be said: half of them may be found by luck or missed."""
    blocks: ClassVar[tuple[int, ...]] = (8, 16, 32, 64, 128)
    """Sides of the cells that are measured for comparison, pixels of a face as it is cut for
    training.
    """
    spreads: ClassVar[tuple[int, ...]] = (16, 32, 64)
    """Spreads of the blur that are measured for comparison, in the same pixels."""

    def __post_init__(self) -> None:
        check(
            self,
            unless(
                self.like is None or self.style == PixelateConfig.style,
                f"--like and --style {self.style}: a picture shows its style; give one of the two",
            ),
            block_problem(self.block),
        )


def block_problem(block: float) -> str | None:
    """What is wrong with a cell or a spread in px, or as a share of the face, if anything is."""
    good = 0 < block < 1 or (2 <= block <= _MOST_SPREAD and float(block).is_integer())
    return unless(
        good, f"--block {block:g}: choose 2 to {_MOST_SPREAD} px, or a share of the face below 1"
    )
