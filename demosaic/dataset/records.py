"""What is recorded of each pair, and of each face that was left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demosaic.mosaic.grid import Grid

COPY, NO_FACE = "same file as another", "no face"
"""Why a photo that can be read gives no pair."""

SPLITS = ("train", "val", "test")

SPARE = "spare"
"""In place of a split: of pairs that a build has not grouped yet, and of those a group has too many
of.
"""


@dataclass(frozen=True)
class Pair:
    """A line of pairs.jsonl: where a pair comes from and how it was made."""

    id: str
    split: str
    """train, val, test or spare."""
    group: str
    """Whom nothing parts the pair from: the first of the people it is joined to."""
    photo: str
    """Path below the photo folder, with forward slashes."""
    sha256: str
    """Of the photo's bytes."""
    box: tuple[int, int, int, int]
    """The detected face, x y width height, in pixels of the upright photo."""
    keypoints: tuple[tuple[float, float], ...]
    score: float
    angle: int
    """Degrees the photo was turned by to find the face."""
    crop: int
    """Side of the square cut from the photo, before it was resized."""
    block: tuple[int, int]
    offset: tuple[int, int]
    sampler: str
    enlarged: float
    """Side of the face picture, as a multiple of `crop`."""
    sharpness: float
    """How much of its fine steps a blur would take away, 0 (blurred) to 1."""
    likeness: tuple[str, str]
    """Of the face and of the scene it is in: near duplicates differ in few bits."""
    burst: tuple[str, ...]
    """Shared with the photos of its folder that were taken within seconds."""

    @property
    def grid(self) -> Grid:
        """The cells of the observed half."""
        return grid_of(vars(self))


@dataclass(frozen=True)
class Skipped:
    """A line of skipped.jsonl: a photo, or one face of it, that gave no pair."""

    photo: str
    sha256: str
    reason: str
    detail: str = ""
    box: tuple[int, int, int, int] | None = None
    """The face left out; None when it was the whole photo."""


def grid_of(line: Mapping[str, Any]) -> Grid:
    """The cells of a line of pairs.jsonl."""
    return Grid(*line["block"], *line["offset"])
