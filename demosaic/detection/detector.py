"""Where mosaics are in a picture, with their cells; by arithmetic, nothing here is learned.

In a lossless file cells are exactly flat (`lossless`). What was compressed, resized or blended
later still has steps on the edges of cells, at one distance across and down. A coarse search finds
places where steps repeat (`candidates`). For each, a lattice is fitted (`fit`). Where finds
overlap, those that explain more of the picture remain.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, combinations

import cv2
import numpy as np

from demosaic.detection import jpeg_blocks
from demosaic.detection.candidates import find_candidates
from demosaic.detection.extent import columns_seen_in
from demosaic.detection.fit import Fit, fit_lattice, mosaics_in
from demosaic.detection.gradients import (
    Luma,
    Steps,
    confidence_of,
    contrast_among,
    line_step,
    profiles_of,
)
from demosaic.detection.lattice import Lattice
from demosaic.detection.lookalikes import is_pattern
from demosaic.detection.lossless import FlatMosaic, find_flat_mosaics
from demosaic.detection.region import (
    Candidate,
    Region,
    explained,
    known_share,
    overlap,
    trimmed,
)
from demosaic.detection.thresholds import CANDIDATES, FIT, LOSSLESS, OVERLAP
from demosaic.imaging.arrays import to_grey
from demosaic.imaging.geometry import Box, crop
from demosaic.imaging.pictures import Picture, to_pixels
from demosaic.mosaic.grid import Grid


def find_mosaics(picture: Picture) -> list[Region]:
    """The mosaics in a picture, those that hide the most pixels first; none in a clean picture.

    `picture`: a file, a Pillow picture, or RGB levels (H, W, 3) of type uint8. Cells of 3 to 64 px
    are found where there are at least 4 x 4 of them, in a lossless file from 2 x 2 cells of 9 px
    on. A mosaic may be a box, an ellipse, or what
    another mosaic that lies on it leaves of either. Raises DemosaicError when it is no picture.
    """
    image = to_pixels(picture)
    if min(image.shape[:2]) < FIT.min_cells * CANDIDATES.min_lag:
        return []
    luma = to_grey(image)
    steps = Steps.of(luma)
    exact = [
        Region(mosaic.box, mosaic.lattice.grid(mosaic.box), mosaic.hidden, 1.0)
        for mosaic in find_flat_mosaics(image)
        if _is_mosaic(mosaic, luma, steps)
    ]
    found = _with_fits(find_candidates(luma), exact, luma, steps)
    if not found:  # a few cells that fill a picture repeat in too few tiles
        periods = CANDIDATES.min_lag, CANDIDATES.min_lag
        whole = Candidate(Box.whole(luma), periods, Box.whole(luma))
        found = _with_fits([whole], exact, luma, steps)
    return _completed(_without_overlaps(found, steps), steps)


def _is_mosaic(mosaic: FlatMosaic, luma: Luma, steps: Steps) -> bool:
    """Whether flat cells have clear steps between them and are no pattern."""
    lattice, box = mosaic.lattice, mosaic.box
    least = FIT.jpeg_step if jpeg_blocks.explain(lattice, box) else LOSSLESS.min_step
    pattern = is_pattern(crop(luma, box), lattice.grid(box))
    return line_step(steps, lattice, box) > least and not pattern


def _with_fits(
    places: Iterable[Candidate], exact: list[Region], luma: Luma, steps: Steps
) -> list[Region]:
    """The exact finds, and those fitted at candidates that are not known yet.

    The rest of a place beside a find may hold another mosaic; so it is a candidate of the next
    round. A rest has no pixel of the find, and there are `OVERLAP.max_rounds` rounds at most.
    """
    found: list[Region] = []
    mosaics: dict[Fit, list[Region]] = {}
    sure = exact if len(exact) < OVERLAP.fragments else []
    waiting = list(places)
    for _ in range(OVERLAP.max_rounds):
        rests: list[Candidate] = []
        for candidate in waiting:
            if known_share(candidate.box, [*sure, *found]) <= OVERLAP.known:
                fit = fit_lattice(steps, candidate, sure, mosaics)
                if fit and fit not in mosaics:
                    some = mosaics_in(luma, steps, fit, candidate.within)
                    mosaics[fit] = [one for one in some if not _repeats_exact(one, exact, steps)]
                    found += mosaics[fit]
                if fit and not exact:
                    rests += chain(*(_beside(candidate, region) for region in mosaics[fit]))
        waiting = list(dict.fromkeys(rests))
    return [*exact, *found]


def _beside(candidate: Candidate, region: Region) -> Iterator[Candidate]:
    """What a mosaic leaves of a candidate on its four sides, where that has room for another."""
    rests = zip(
        _around(candidate.box, region.box), _around(candidate.within, region.box), strict=True
    )
    least_width, least_height = (
        max(2 * CANDIDATES.tile, FIT.min_cells * period) for period in candidate.periods
    )
    for rest, within in rests:
        if rest.width > least_width and rest.height > least_height:
            yield replace(candidate, box=rest, within=within)


def _around(box: Box, other: Box) -> list[Box]:
    """The parts of a box left of another, right of it, above and below, empty or not."""
    right, bottom = box.x + box.width, box.y + box.height
    width_left, height_above = min(other.x, right) - box.x, min(other.y, bottom) - box.y
    x, y = max(box.x, other.x + other.width), max(box.y, other.y + other.height)
    return [
        Box(box.x, box.y, max(0, width_left), box.height),
        Box(x, box.y, max(0, right - x), box.height),
        Box(box.x, box.y, box.width, max(0, height_above)),
        Box(box.x, y, box.width, max(0, bottom - y)),
    ]


def _repeats_exact(region: Region, exact: list[Region], steps: Steps) -> bool:
    """Whether a fitted mosaic only repeats exact finds, with cells or ends that are less exact.

    A fit through several mosaics beside each other repeats them: what it adds is the picture
    between them. A mosaic that was resized keeps a few flat rectangles. So one exact find that is
    a small part of the fit, or several that are less than all of it, are only its remains.
    """

    def has_same_cells(other: Region) -> bool:
        wider, higher = region.grid.width - other.grid.width, region.grid.height - other.grid.height
        return max(abs(wider), abs(higher)) < OVERLAP.same_cell

    parts = [other for other in exact if overlap(region, other) > OVERLAP.same_place]
    if parts and contrast_beside(region, parts, steps) < FIT.min_confidence:
        return True
    if len(parts) >= OVERLAP.fragments:
        return explained(region) < sum(map(explained, parts))
    known = known_share(region.box, exact)
    return known > OVERLAP.known or (known > OVERLAP.fragment and any(map(has_same_cells, parts)))


def contrast_beside(region: Region, others: Sequence[Region], steps: Steps) -> float:
    """The contrast of a mosaic's lines where it is a pixel or more away from others, 0..1."""
    rest = region.hidden.astype(np.uint8)
    for other in others:
        if other.box.shared(region.box):
            both = region.box.clipped(other.box)
            covered = crop(other.hidden, both.seen_from(other.box))
            crop(rest, both.seen_from(region.box))[covered] = 0
    away = cv2.erode(rest, np.ones((3, 3), np.uint8), borderValue=(1,)).astype(bool)
    lattice = Lattice.of_grid(region.grid, region.box)
    return contrast_among(steps, lattice, region.box, away)


def _without_overlaps(finds: Sequence[Region], steps: Steps) -> list[Region]:
    """The finds that explain the most pixels, in that order, with no pixel in two of them. Of two
    that overlap much, each keeps what is its own, or else the lesser is dropped.
    """
    kept: list[Region] = []
    for region in sorted(finds, key=explained, reverse=True):
        rivals = [
            number
            for number, other in enumerate(kept)
            if overlap(region, other) > OVERLAP.same_place
        ]
        if not rivals:
            kept.append(region)
        elif len(rivals) == 1 and _continues_beside(region, kept[rivals[0]], steps):
            kept += _separated(region, kept.pop(rivals[0]), steps)
    for one, other in combinations(range(len(kept)), 2):
        if 0 < overlap(kept[one], kept[other]) < 1:
            kept[one], kept[other] = _separated(kept[one], kept[other], steps)
    return sorted(kept, key=explained, reverse=True)


def _continues_beside(region: Region, other: Region, steps: Steps) -> bool:
    """Whether most of a mosaic lies beside another, with lines as clear as in all of it."""
    if region.box.shared(other.box) > OVERLAP.max_covered * region.box.area:
        return False
    rest = max(_around(region.box, other.box), key=lambda box: box.area)
    return _contrast_in(region, rest, steps) > OVERLAP.contrast_kept * region.confidence


def _separated(one: Region, other: Region, steps: Steps) -> tuple[Region, Region]:
    """Two mosaics of which one lies on the other: the upper one, whose lines are clearer where both
    are, and the lower one without what it covers.
    """
    both = one.box.clipped(other.box)
    ranked = sorted((one, other), key=lambda it: _contrast_in(it, both, steps), reverse=True)
    upper, lower = ranked
    visible = lower.hidden.copy()
    covered = crop(upper.hidden, both.seen_from(upper.box))
    crop(visible, both.seen_from(lower.box))[covered] = False
    box, hidden = trimmed(lower.box, visible)
    lattice = Lattice.of_grid(lower.grid, lower.box)
    return upper, Region(box, lattice.grid(box), hidden, lower.confidence)


def _completed(found: list[Region], steps: Steps) -> list[Region]:
    """The mosaics, each with what goes on past another that lies on its corner."""
    done = list(found)
    for number, region in enumerate(found):
        for other in found:
            grid = region.grid  # where another begins within a cell, a mosaic seems to end before
            near = other.box.grown(round(grid.width), round(grid.height), steps.across)
            if other is not region and near.shared(region.box):
                done[number] = _past(done[number], other, steps)
    return done


def _past(region: Region, other: Region, steps: Steps) -> Region:
    """A mosaic with the columns and rows that are seen above, below or beside another one."""
    turned = _with_columns_past(_turned(region), _turned(other), steps.transposed)
    return _with_columns_past(_turned(turned), other, steps)


def _turned(region: Region) -> Region:
    """The mosaic in the picture with rows and columns exchanged."""
    box, grid = region.box, region.grid
    return Region(
        Box(box.y, box.x, box.height, box.width),
        Grid(grid.height, grid.width, grid.top, grid.left),
        region.hidden.T,
        region.confidence,
    )


def _with_columns_past(region: Region, other: Region, steps: Steps) -> Region:
    """A mosaic with the columns that only its rows above or below another one show."""
    box, cover = region.box, other.box
    lattice = Lattice.of_grid(region.grid, box)
    above = box.y, min(cover.y, box.y + box.height)
    below = max(cover.y + cover.height, box.y), box.y + box.height
    rows = max(above, below, key=lambda part: part[1] - part[0])
    if rows[1] - rows[0] < OVERLAP.min_cells_past * lattice.down.period:
        return region
    low, high = columns_seen_in(steps, lattice, rows, (box.x, box.x + box.width))
    right = box.x + box.width
    low = min(low, box.x) if cover.x <= box.x else box.x
    high = max(high, right) if cover.x + cover.width >= right else right
    if high - low < box.width + OVERLAP.min_past:
        return region
    wider = Box(low, box.y, high - low, box.height)
    hidden = np.zeros((wider.height, wider.width), bool)
    hidden[rows[0] - box.y : rows[1] - box.y] = True
    added = hidden.copy()
    crop(added, box.seen_from(wider))[:] = False
    crop(hidden, box.seen_from(wider))[:] |= region.hidden
    if contrast_among(steps, lattice, wider, added) < FIT.min_confidence:
        return region
    return Region(wider, lattice.grid(wider), hidden, region.confidence)


def _contrast_in(region: Region, place: Box, steps: Steps) -> float:
    """The contrast of a mosaic's lines in a part of its box, 0..1."""
    lattice = Lattice.of_grid(region.grid, region.box)
    return confidence_of(profiles_of(steps, place), lattice, place)
