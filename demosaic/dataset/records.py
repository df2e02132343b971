"""The lines and the header of a dataset on disk; docs/dataset-format.md describes the same.

A dataset may be a stranger's: the rules beside the types keep a line from naming a file outside the
folder, or a size that no picture has.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from demosaic.config.rules import Sampler
from demosaic.dataset.events import Closest
from demosaic.mosaic.grid import Grid
from demosaic.records import Rule, between, digits

FORMAT = 1
"""Raise it when a dataset of before cannot be read any more."""

COPY, NO_FACE = "same file as another", "no face"
"""Why a photo that can be read gives no pair."""

MOST_ENLARGED = 1.05
"""Pictures that were enlarged more from their photo are softer than a photo."""

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


def _is_inside(name: str) -> bool:
    """Whether a name leads to a file below the folder that it is appended to."""
    path = Path(name)
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return bool(path.parts) and not path.anchor and ".." not in path.parts and "\0" not in name


PhotoName = Annotated[str, Rule("a path inside the photo folder", _is_inside)]
"""Path below the photo folder, with forward slashes."""

_HASH = digits(64)

Sha256 = Annotated[str, _HASH]

_Sha256OrEmpty = Annotated[
    str, Rule(f"{_HASH.what} or empty", lambda text: not text or _HASH.fits(text))
]

ShortHash = Annotated[str, digits(16)]

CellSide = Annotated[int, between(1, 4096)]

CellStart = Annotated[int, between(0, 4095)]

_PhotoPixels = Annotated[int, between(-(10**9), 10**9)]

_PhotoPlace = Annotated[float, between(-(10**9), 10**9)]

_RightAngle = Annotated[
    int, Rule("0, 90, 180 or 270", lambda degrees: degrees in (0, 90, 180, 270))
]

_Share = Annotated[float, between(0, 1)]

_Box = tuple[_PhotoPixels, _PhotoPixels, _PhotoPixels, _PhotoPixels]


@dataclass(frozen=True)
class Pair:
    """A line of pairs.jsonl: where a pair comes from and how it was made."""

    id: ShortHash
    """16 hexadecimal digits, made from `sha256` and the cropped square; the picture's name."""
    split: Literal["train", "val", "test", "spare"]
    group: str
    """Pairs of one group share a split. A group is named after its first person, in order of the
    names.
    """
    photo: PhotoName
    """Path below the photo folder, with forward slashes."""
    sha256: Sha256
    """Of the photo's bytes, as 64 hexadecimal digits."""
    box: _Box
    """The detected face: x, y, width, height in pixels of the upright photo."""
    keypoints: tuple[tuple[_PhotoPlace, _PhotoPlace], ...]
    """x and y of right eye, left eye (the person's), nose, mouth, right ear and left ear, in pixels
    of the upright photo.
    """
    score: _Share
    """Confidence of the detector, 0 to 1."""
    angle: _RightAngle
    """Degrees by which the photo was turned, counter-clockwise, for the face to be upright: 0, 90,
    180 or 270.
    """
    crop: Annotated[int, between(1, 10**9)]
    """Side of the square cut from the photo before it was resized, in photo pixels."""
    block: tuple[CellSide, CellSide]
    """Width and height of a cell, in pixels of the face picture."""
    offset: tuple[CellStart, CellStart]
    """Where the first whole cell begins: x and y in pixels of the face picture."""
    sampler: Sampler
    """How a cell's colour was computed: mean, centre, top-left or linear."""
    enlarged: Annotated[float, between(0, 10**6)]
    """Side of the face picture, as a multiple of `crop`."""
    sharpness: _Share
    """0 (blurred) to 1, see `quality.sharpness_of`."""
    likeness: tuple[Sha256, Sha256]
    """Perceptual hashes of the face and of the scene around it, 64 hexadecimal digits each. Near
    duplicates differ in few bits.
    """
    burst: tuple[ShortHash, ...]
    """Keys shared by photos of one folder that were taken within seconds of each other."""

    @property
    def grid(self) -> Grid:
        """The cells of the observed half."""
        return Grid(*self.block, *self.offset)


@dataclass(frozen=True)
class Skipped:
    """A line of skipped.jsonl: a photo, or one face of it, that gave no pair."""

    photo: PhotoName
    """Path below the photo folder, with forward slashes."""
    sha256: _Sha256OrEmpty
    """Of the photo's bytes; empty when the photo cannot be read."""
    reason: str
    """A few words that many lines share, such as `no face`."""
    detail: str = ""
    """What is particular to this one."""
    box: _Box | None = None
    """The face that was left out: x, y, width, height in pixels of the upright photo; None when it
    was the whole photo.
    """


@dataclass(frozen=True)
class ForgottenPhoto:
    """A line of forgotten.jsonl: a photo that must never come back."""

    sha256: Sha256


@dataclass(frozen=True)
class Header:
    """What dataset.json always holds; the counts beside it are for people."""

    format: int
    config: Mapping[str, Any]
    """The options of the build, as `BuildConfig` names them."""
    state: State = "building"
    detector: str | None = None
    """The detector's name and version, once a build has finished."""
    ignored: Annotated[int, between(0, 10**12)] | None = None
    """Files below the photo folder that are no photos, once a build has finished."""
    fingerprint: ShortHash | None = None
    """16 hexadecimal digits, made from the options, the pairs and their splits; only a finished
    dataset has one.
    """
    closest: Closest | None = None
    """The training pair and the pair of another split that are the most alike, if there are both;
    in a finished dataset.
    """
    lines: ShortHash | None = None
    """16 hexadecimal digits, made from the files of lines and the rules of grouping: where they
    are still the same, the groups are right. Only a finished dataset has them.
    """
