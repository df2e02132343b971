"""A mosaic that was found: its place, mask and grid."""

from dataclasses import dataclass

import numpy as np

from demosaic.imaging.arrays import Mask
from demosaic.imaging.geometry import Box, crop
from demosaic.mosaic.grid import Grid


@dataclass(frozen=True)
class Region:
    """A mosaic found in a picture."""

    box: Box
    """The smallest rectangle round it."""
    grid: Grid
    """Its cells, from the corner of the box."""
    hidden: Mask
    """(box.height, box.width): which pixels are mosaic."""
    confidence: float
    """0..1: how much fainter everything between the cells' edges is than the edges."""


@dataclass(frozen=True)
class Candidate:
    """A place with a rhythm, and about which."""

    box: Box
    pitches: tuple[float, float]
    """Across and down, pixels."""
    within: Box
    """Where it may reach."""


def weight(region: Region) -> float:
    """What the better of two regions has more of: pixels explained."""
    return region.confidence * int(region.hidden.sum())


def is_known(place: Box, regions: list[Region]) -> float:
    """The share of a place that lies in mosaics already found."""
    return sum(place.shared(region.box) for region in regions) / place.area


def overlap(one: Region, other: Region) -> float:
    """The share of the smaller mosaic that both have."""
    if not one.box.shared(other.box):
        return 0.0
    both = one.box.clipped(other.box)
    first, second = (crop(region.hidden, both.seen_from(region.box)) for region in (one, other))
    return int((first & second).sum()) / min(int(one.hidden.sum()), int(other.hidden.sum()))


@dataclass(frozen=True)
class Place:
    """Where a mosaic is said to be."""

    box: Box
    hidden: Mask
    """(box.height, box.width): which pixels are mosaic."""


def filled_place(box: Box) -> Place:
    """A place that covers every pixel of a box."""
    return Place(box, np.ones((box.height, box.width), bool))


def filled(box: Box, grid: Grid) -> Region:
    """A mosaic that covers every pixel of a box."""
    return Region(box, grid, filled_place(box).hidden, 1.0)
