"""How a mosaic is restored."""

import math
from dataclasses import dataclass
from typing import Literal

from demosaic.config.rules import Rectangle, Sampler, misplaced, refuse, sampler_known, unless


def _too_small(width: float, height: float) -> str | None:
    """What may be wrong with the sides of a cell."""
    good = 2 <= width < math.inf and 2 <= height < math.inf
    return unless(good, f"--block {width:g}x{height:g}: choose 2 or more")


@dataclass(frozen=True)
class RestoreConfig:
    """How a mosaic is undone."""

    regions: tuple[Rectangle, ...] | Literal["whole"] = ()
    """Where mosaics are, instead of where they are found: rectangles x, y, width, height in picture
    pixels, or the whole picture.
    """
    mask: str | None = None
    """A picture of the same size that is white where mosaics are."""
    block: tuple[float, float] | None = None
    """Width and height of a cell in picture pixels, instead of what is found."""
    offset: tuple[float, float] | None = None
    """Where in a region cells of this `block` begin, right and down from its corner; where they fit
    best when it is not given.
    """
    sampler: Sampler | None = None
    """What of a cell its colour was taken from; read off the mosaic's border when not given."""
    consistency: float | None = None
    """How far a cell's mean is pulled to the colour shown, 0..1; when not given, all the way where
    colours are means, less where they may not be, not at all where they are none.
    """
    realism: float = 0.5
    """From the faithful mean, 0, to the sharpest guess, 1; a model without a second stage knows the
    mean only.
    """
    compare: bool = False
    """Write a picture of before and after beside each result."""
    copy_untouched: bool = False
    """Copy pictures without a mosaic to where their results would go."""

    def __post_init__(self) -> None:
        refuse(
            (
                *(
                    misplaced(region)
                    for region in (() if self.regions == "whole" else self.regions)
                ),
                unless(
                    not (self.mask and self.regions), "--mask and --region: give one of the two"
                ),
                self.block and _too_small(*self.block),
                unless(
                    self.offset is None or all(map(math.isfinite, self.offset)),
                    f"--offset {','.join(map(str, self.offset or ()))}: give x,y in pixels",
                ),
                unless(
                    self.offset is None or self.block is not None,
                    "--offset: give the size of the cells too, with --block",
                ),
                self.sampler and sampler_known(self.sampler),
                unless(
                    self.consistency is None or 0 <= self.consistency <= 1,
                    f"--consistency {self.consistency}: choose 0 to 1",
                ),
                unless(0 <= self.realism <= 1, f"--realism {self.realism}: choose 0 to 1"),
            )
        )
