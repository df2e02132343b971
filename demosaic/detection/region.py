"""A mosaic that was found, a candidate for one, and a place named by the user."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from demosaic.imaging.arrays import Mask
from demosaic.imaging.geometry import Box, crop
from demosaic.mosaic.grid import Grid


@dataclass(frozen=True)
class Region:
    """A mosaic found in a picture: a box or an ellipse, or what another mosaic leaves of it."""

    box: Box
    """The smallest rectangle of picture pixels around it."""
    grid: Grid
    """Width and height of its cells in pixels, and where one begins, counted from the corner of the
    box. Sides may be fractional: each edge lies at the nearest pixel."""
    hidden: Mask
    """(box.height, box.width): True where the picture is mosaic."""
    confidence: float
    """0..1: 1 - (mean step inside cells) / (mean step on edges of cells), along the axis where it
    is lower; 1 where every cell is exactly flat."""


@dataclass(frozen=True)
class Candidate:
    """A place in which steps repeat along both axes."""

    box: Box
    periods: tuple[float, float]
    """Across and down, pixels."""
    within: Box
    """The part of the picture that a mosaic found here may cover."""


def explained(region: Region) -> float:
    """How much of the picture a region explains: its pixels times its confidence."""
    return region.confidence * int(region.hidden.sum())


def known_share(place: Box, regions: Sequence[Region]) -> float:
    """The share of a place that lies in mosaics already found."""
    return sum(place.shared(region.box) for region in regions) / place.area


def overlap(one: Region, other: Region) -> float:
    """The share of the smaller mosaic, in pixels, that lies in both."""
    if not one.box.shared(other.box):
        return 0.0
    both = one.box.clipped(other.box)
    first, second = (crop(region.hidden, both.seen_from(region.box)) for region in (one, other))
    return int((first & second).sum()) / min(int(one.hidden.sum()), int(other.hidden.sum()))


def trimmed(box: Box, mask: Mask) -> tuple[Box, Mask]:
    """The smallest box around the pixels set in a mask (box.height, box.width), and that part of
    the mask; at least one pixel is set.
    """
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    top, left = int(rows[0]), int(columns[0])
    inner = Box(left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)
    return Box(box.x + left, box.y + top, inner.width, inner.height), crop(mask, inner)


@dataclass(frozen=True)
class Place:
    """Where the user says that a mosaic is."""

    box: Box
    hidden: Mask
    """(box.height, box.width): True where the picture is mosaic."""


def filled_place(box: Box) -> Place:
    """A place that covers every pixel of a box."""
    return Place(box, np.ones((box.height, box.width), bool))


def filled(box: Box, grid: Grid) -> Region:
    """A mosaic that covers every pixel of a box, with confidence 1."""
    return Region(box, grid, filled_place(box).hidden, 1.0)
