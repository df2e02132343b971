"""How photos become pairs."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from demosaic.config.rules import LEAST_SCORE, Sampler, refuse, sampler_known, unless

Offset = Literal["corner", "random"]


def _why_not_group_by(by: str) -> str | None:
    """What is wrong with `--group-by`, if anything is."""
    if by in ("parent", "photo"):
        return None
    try:
        groups = re.compile(by).groups
    except re.error as error:
        return f"--group-by {by}: no regular expression ({error}); choose parent, photo or one"
    return unless(
        groups >= 1,
        f"--group-by {by}: put brackets round what tells people apart, as in '^(\\w+)_'",
    )


@dataclass(frozen=True)
class BuildConfig:
    """How photos become pairs."""

    size: int = 256
    """Side of a face picture, pixels."""
    block: float = 16
    """Side of a mosaic cell: pixels of the face picture, or below 1 a share of the face's longer
    side.
    """
    blocks: tuple[int, int] | None = None
    """The smallest and largest side instead, pixels; each pair's own is drawn from its id."""
    offset: Offset = "corner"
    """Where a cell begins: in the corner of the picture, or at a point drawn from the pair's id."""
    sampler: Sampler = "mean"
    """What of a cell its colour is taken from."""
    margin: float = 1.7
    """Side of the square crop, as a multiple of the detected face box."""
    min_face: int = 48
    """Faces whose box is narrower than this many photo pixels are left out."""
    min_score: float = 0.7
    """Faces the detector is less sure of (0..1) are left out: of 88 in 3,202 that were below, most
    were halves of faces, backs of heads, gaps between two people, or lettering.
    """
    max_per_photo: int = 0
    """So many of a photo's faces, the largest, are kept; 0 keeps all."""
    max_enlarge: float = 4.0
    """Faces whose crop has to be enlarged more than this to reach `size` are left out."""
    min_sharpness: float = 0.2
    """Faces less sharp (0..1) are left out as blurred."""
    group_by: str = "parent"
    """Whose a photo is: `parent`, its folder's; `photo`, its own; or what the first group of a
    regular expression finds in its name below the photo folder. Nobody is in two splits.
    """
    max_per_group: int = 0
    """So many pairs of whoever belongs together are kept; 0 keeps all."""
    val: float = 0.1
    """Share of the groups kept for validation."""
    test: float = 0.0
    """Share of the groups kept for a last test."""

    def __post_init__(self) -> None:
        refuse(
            (
                unless(16 <= self.size <= 2048, f"--size {self.size}: choose 16 to 2048"),
                unless(
                    0 < self.block < 1
                    or (2 <= self.block <= self.size and float(self.block).is_integer()),
                    f"--block {self.block:g}: choose 2 to --size, or a share below 1 of the face",
                ),
                unless(
                    self.blocks is None or 2 <= self.blocks[0] <= self.blocks[1] <= self.size,
                    f"--blocks {self.blocks and '{}:{}'.format(*self.blocks)}: "
                    "give the smallest and the largest, 2:--size",
                ),
                unless(
                    self.offset in get_args(Offset),
                    f"--offset {self.offset}: choose corner or random",
                ),
                sampler_known(self.sampler),
                unless(1 <= self.margin <= 4, f"--margin {self.margin}: choose 1 to 4"),
                unless(self.min_face >= 8, f"--min-face {self.min_face}: choose 8 or more"),
                unless(
                    LEAST_SCORE <= self.min_score <= 1,
                    f"--min-score {self.min_score}: choose {LEAST_SCORE} to 1",
                ),
                unless(
                    self.max_per_photo >= 0,
                    f"--max-per-photo {self.max_per_photo}: choose 0 or more",
                ),
                unless(
                    self.max_enlarge > 0, f"--max-enlarge {self.max_enlarge}: choose more than 0"
                ),
                unless(
                    0 <= self.min_sharpness <= 1,
                    f"--min-sharpness {self.min_sharpness}: choose 0 to 1",
                ),
                _why_not_group_by(self.group_by),
                unless(
                    self.max_per_group >= 0,
                    f"--max-per-group {self.max_per_group}: choose 0 or more",
                ),
                unless(0 <= self.val < 1, f"--val {self.val}: choose 0 to below 1"),
                unless(0 <= self.test < 1, f"--test {self.test}: choose 0 to below 1"),
                unless(self.val + self.test < 1, "--val and --test leave nothing to train on"),
            )
        )
