"""How a mosaic is restored."""

import math
from dataclasses import dataclass
from typing import Literal

from demosaic.config.options import check, option
from demosaic.config.reading import read_cell_sides, read_point, read_regions
from demosaic.config.rules import Rectangle, Sampler, misplaced, unless

Quality = Literal["usual", "best"]

_DRAWS = "Draws"
_LAST_SEED = 2**32 - 1
_MOST_SAMPLES = 100
_WHERE = "Where the mosaic is, instead of where it is found"


@dataclass(frozen=True)
class RestoreConfig:
    """How a mosaic is restored."""

    regions: tuple[Rectangle, ...] | Literal["whole"] = option(
        (),
        "Restore this rectangle, px, or the `whole` picture; may be repeated.",
        shown="every mosaic found",
        metavar="X,Y,W,H|whole",
        panel=_WHERE,
        flag="--region",
        read=read_regions,
    )
    mask: str | None = option(
        None, "A picture of the same size, white on the mosaics.", metavar="FILE", panel=_WHERE
    )
    block: tuple[float, float] | None = option(
        None,
        "Side of a cell, or its width and height, px.",
        shown="as found",
        metavar="N|WxH",
        panel=_WHERE,
        read=read_cell_sides,
    )
    offset: tuple[float, float] | None = option(
        None,
        "Where the first cell begins in a region, px from its corner; needs --block.",
        shown="where the cells fit best",
        metavar="X,Y",
        panel=_WHERE,
        read=read_point,
    )
    sampler: Sampler | None = option(
        None,
        "How the colour of a cell was computed: mean, centre pixel, top-left pixel or linear "
        "interpolation.",
        shown="as found on its border",
        panel=_WHERE,
    )
    realism: float = option(
        0.5,
        "From the mean of all faces that fit the cells (0), which is soft, to one draw from them "
        "(1), which is sharp and partly invented.",
        ge=0,
        le=1,
    )
    """A model without a second stage knows the mean only."""
    seed: int = option(
        0, "Which draw: another seed gives another.", ge=0, le=_LAST_SEED, panel=_DRAWS
    )
    samples: int = option(
        1, "Write this many draws: NAME.restored-1 and so on.", ge=1, le=_MOST_SAMPLES, panel=_DRAWS
    )
    spread: bool = option(
        False,
        "Also write a heat map of how far full draws differ: NAME.spread.png. Where they differ, "
        "the cells do not say what was there.",
        panel=_DRAWS,
    )
    quality: Quality = option(
        "usual", "best takes several times as long for slightly better pictures.", panel=_DRAWS
    )
    compare: bool = option(False, "Also write before and after side by side: NAME.compare.jpg.")
    page: bool = option(
        False,
        "Also write a page to look at all that was restored: NAME.restored.html, or restored.html "
        "for several pictures.",
    )
    copy_untouched: bool = option(False, "Copy pictures without a mosaic to the results.")
    consistency: float | None = option(
        None,
        "How strictly the result keeps the colours of the cells: 1 fully, 0 not at all.",
        ge=0,
        le=1,
        shown="1 if they are means, less if that is uncertain",
    )

    def __post_init__(self) -> None:
        check(
            self,
            *map(misplaced, () if self.regions == "whole" else self.regions),
            unless(not (self.mask and self.regions), "--mask and --region: give one of the two"),
            self.block and _cell_problem(*self.block),
            unless(
                self.samples == 1 or self.realism > 0,
                "--samples: with --realism 0 all would be the same; give a higher one",
            ),
            unless(
                self.offset is None or all(map(math.isfinite, self.offset)),
                f"--offset {','.join(map(str, self.offset or ()))}: give x,y in px",
            ),
            unless(
                self.offset is None or self.block is not None,
                "--offset: give the size of the cells too, with --block",
            ),
        )


def _cell_problem(width: float, height: float) -> str | None:
    """What is wrong with the sides of a cell, if anything is."""
    good = 2 <= width < math.inf and 2 <= height < math.inf
    return unless(good, f"--block {width:g}x{height:g}: choose 2 or more")
