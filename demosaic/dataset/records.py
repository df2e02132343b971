"""The lines and the header of a dataset on disk; docs/dataset-format.md describes the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from demosaic.mosaic.grid import Grid

FORMAT = 1
"""Raise it when a dataset of before cannot be read any more."""

COPY, NO_FACE = "same file as another", "no face"
"""Why a photo that can be read gives no pair."""

Split = Literal["train", "val", "test"]

SPLITS: tuple[Split, ...] = ("train", "val", "test")

SPARE: Literal["spare"] = "spare"
"""In place of a split, for pairs that a build has not grouped yet and for pairs beyond
`--max-per-group`.
"""

State = Literal["building", "settling", "forgetting", "finished"]
"""What is being done to a dataset: photos are added; all pairs are being grouped and moved into
their splits; photos are taken out; nothing.
"""


@dataclass(frozen=True)
class Pair:
    """A line of pairs.jsonl: where a pair comes from and how it was made."""

    id: str
    """16 hexadecimal digits, made from `sha256` and the cropped square; the picture's name."""
    split: Literal["train", "val", "test", "spare"]
    group: str
    """Pairs of one group share a split. A group is named after its first person, in order of the
    names.
    """
    photo: str
    """Path below the photo folder, with forward slashes."""
    sha256: str
    """Of the photo's bytes, as 64 hexadecimal digits."""
    box: tuple[int, int, int, int]
    """The detected face: x, y, width, height in pixels of the upright photo."""
    keypoints: tuple[tuple[float, float], ...]
    """x and y of right eye, left eye (the person's), nose, mouth, right ear and left ear, in pixels
    of the upright photo.
    """
    score: float
    """Confidence of the detector, 0 to 1."""
    angle: int
    """Degrees by which the photo was turned, counter-clockwise, for the face to be upright: 0, 90,
    180 or 270.
    """
    crop: int
    """Side of the square cut from the photo before it was resized, in photo pixels."""
    block: tuple[int, int]
    """Width and height of a cell, in pixels of the face picture."""
    offset: tuple[int, int]
    """Where the first whole cell begins: x and y in pixels of the face picture."""
    sampler: str
    """How a cell's colour was computed: mean, centre, top-left or linear."""
    enlarged: float
    """Side of the face picture, as a multiple of `crop`."""
    sharpness: float
    """0 (blurred) to 1, see `quality.sharpness_of`."""
    likeness: tuple[str, str]
    """Perceptual hashes of the face and of the scene around it, 64 hexadecimal digits each. Near
    duplicates differ in few bits.
    """
    burst: tuple[str, ...]
    """Keys shared by photos of one folder that were taken within seconds of each other."""

    @property
    def grid(self) -> Grid:
        """The cells of the observed half."""
        return Grid(*self.block, *self.offset)


@dataclass(frozen=True)
class Skipped:
    """A line of skipped.jsonl: a photo, or one face of it, that gave no pair."""

    photo: str
    """Path below the photo folder, with forward slashes."""
    sha256: str
    """Of the photo's bytes; empty when the photo cannot be read."""
    reason: str
    """A few words that many lines share, such as `no face`."""
    detail: str = ""
    """What is particular to this one."""
    box: tuple[int, int, int, int] | None = None
    """The face that was left out: x, y, width, height in pixels of the upright photo; None when it
    was the whole photo.
    """


@dataclass(frozen=True)
class ForgottenPhoto:
    """A line of forgotten.jsonl: a photo that must never come back."""

    sha256: str


@dataclass(frozen=True)
class Header:
    """What dataset.json always holds; the counts beside it are for people."""

    format: int
    config: Mapping[str, Any]
    """The options of the build, as `BuildConfig` names them."""
    state: State = "building"
    detector: str | None = None
    """The detector's name and version, once a build has finished."""
    ignored: int | None = None
    """Files below the photo folder that are no photos, once a build has finished."""
    fingerprint: str | None = None
    """16 hexadecimal digits, made from the options, the pairs and their splits; only a finished
    dataset has one.
    """
