"""How photos become pairs."""

import re
from dataclasses import dataclass
from typing import Literal

from demosaic.config.options import check, option
from demosaic.config.reading import read_block, read_block_range
from demosaic.config.rules import LEAST_SCORE, Sampler, unless

Offset = Literal["corner", "random"]

_MOSAIC = "Mosaic"
_FACES = "Which faces"
_SPLITS = "Groups and splits"


@dataclass(frozen=True)
class BuildConfig:
    """How photos become pairs."""

    size: int = option(256, "Side of a face picture, px.", ge=16, le=2048)
    block: float = option(
        16,
        "Side of a mosaic cell: px of the face picture, or a share of the face such as 1/12.",
        metavar="PX|SHARE",
        panel=_MOSAIC,
        read=read_block,
    )
    """A share is one of the longer side of the detected face."""
    blocks: tuple[int, int] | None = option(
        None,
        "Draw the cell side of each pair from this range instead, px.",
        metavar="FROM:TO",
        panel=_MOSAIC,
        read=read_block_range,
    )
    """Each pair's side is drawn from its id."""
    offset: Offset = option(
        "corner",
        "Start the cells in the corner, or at a random point for each pair.",
        panel=_MOSAIC,
    )
    """A random point is drawn from the pair's id."""
    sampler: Sampler = option(
        "mean",
        "How a cell's colour is computed: mean, centre pixel, top-left pixel or linear "
        "interpolation.",
        panel=_MOSAIC,
    )
    margin: float = option(
        1.7, "Side of the crop, as a multiple of the detected face.", ge=1, le=4, panel=_FACES
    )
    min_face: int = option(
        48, "Leave out faces that are narrower in the photo, px.", ge=8, panel=_FACES
    )
    # Most faces below are halves of faces, backs of heads, gaps between people or lettering
    min_score: float = option(
        0.7,
        "Leave out faces that the detector is less sure of.",
        ge=LEAST_SCORE,
        le=1,
        panel=_FACES,
    )
    max_per_photo: int = option(
        0, "Keep at most this many faces of a photo, the largest; 0 keeps all.", ge=0, panel=_FACES
    )
    max_enlarge: float = option(
        4.0,
        "Leave out faces whose crop must be enlarged by more than this factor.",
        gt=0,
        panel=_FACES,
    )
    min_sharpness: float = option(
        0.2, "Leave out faces that are less sharp; 0 is blurred.", ge=0, le=1, panel=_FACES
    )
    group_by: str = option(
        "parent",
        "What identifies a person: the photo's folder, the photo itself, or the first group of a "
        "regular expression found in its path below the photo folder.",
        metavar="parent|photo|REGEX",
        panel=_SPLITS,
    )
    max_per_group: int = option(
        0, "Keep at most this many pairs of a group; 0 keeps all.", ge=0, panel=_SPLITS
    )
    val: float = option(0.1, "Share of the groups for validation.", ge=0, lt=1, panel=_SPLITS)
    test: float = option(0.0, "Share of the groups for a final test.", ge=0, lt=1, panel=_SPLITS)

    def __post_init__(self) -> None:
        check(
            self,
            unless(
                0 < self.block < 1
                or (2 <= self.block <= self.size and float(self.block).is_integer()),
                f"--block {self.block:g}: choose 2 to --size, or a share of the face below 1",
            ),
            unless(
                self.blocks is None or 2 <= self.blocks[0] <= self.blocks[1] <= self.size,
                f"--blocks {self.blocks and '{}:{}'.format(*self.blocks)}: "
                "give the smallest and the largest, 2:--size",
            ),
            _group_by_problem(self.group_by),
            unless(self.val + self.test < 1, "--val and --test leave nothing to train on"),
        )


def _group_by_problem(by: str) -> str | None:
    """What is wrong with `--group-by`, if anything is."""
    if by in ("parent", "photo"):
        return None
    try:
        groups = re.compile(by).groups
    except re.error as error:
        return f"--group-by {by}: not a regular expression ({error}); choose parent, photo or one"
    return unless(
        groups >= 1,
        f"--group-by {by}: put brackets round what identifies a person, as in '^(\\w+)_'",
    )
