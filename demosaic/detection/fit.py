"""The lattice that explains a candidate's edges best."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
from numpy.typing import NDArray

from demosaic.detection.extent import settled
from demosaic.detection.gradients import (
    Means,
    Steps,
    averaged,
    clarity_of,
    confidence_of,
    region_means,
    step_of,
)
from demosaic.detection.lattice import SQUARE, Comb, Floats, Lattice
from demosaic.detection.outline import DOUBT, NOISE, Levels, outlined
from demosaic.detection.periodicity import best_comb, slip
from demosaic.detection.region import Candidate, Region, is_known, overlap, weight
from demosaic.detection.texture import is_woven
from demosaic.imaging.geometry import Box, crop

_Span = tuple[int, int]
"""Where a stretch of pixels begins and ends."""


_Fit = tuple[Lattice, Box]

_CERTAIN = 0.5  # confidence below which a region is no mosaic

_SURE = 0.8  # mosaics through JPEG of quality 60 have more, checked cloth in fine cells 0.77

_JPEG_CERTAIN = 0.8  # the same, of squares as JPEG's own

_MERIT = 0.28  # of 3,600 clean photos one has 0.2, none more; mosaics resized and in JPEG 0.3

_HOPE = 0.2  # of merit, before the reach is known; four false places of five have less

CELLS = 4  # rows and columns of cells a mosaic has at least

_ON_LINE = 0.2  # of a cell, columns of evidence that a mosaic's end on a line is worth

_PLAINLY = 0.9  # of a column's evidence of 1; at 0.5 one mosaic in 300 gets a column too many

KNOWN = 0.6  # of a place, that then only repeats mosaics already found: the same cells, or parts

_ROUNDS = 4  # of fitting, as a place turns out larger than it looked

JPEG_STEP = 12  # grey levels; a smooth part has less between JPEG's squares down to quality 10


@dataclass(frozen=True)
class _Reach:
    """How far a mosaic reaches."""

    box: Box
    across: Floats
    """What speaks for a mosaic in each column of the picture, -1 to 1."""
    down: Floats
    """The same in each row."""


# The fit


def fit_lattice(steps: Steps, candidate: Candidate, sure: list[Region]) -> _Fit | None:
    """The lines that explain the steps at a place best and the box they are in, if any do and it is
    none of the mosaics that are sure.
    """
    box = _widened(candidate, steps.across).clipped(candidate.within)
    for _ in range(_ROUNDS):
        lattice = _lattice(region_means(steps, box), box)
        reached = _reach(steps, lattice, box, candidate.within) if lattice else None
        if reached is None or is_known(reached.box, sure) > KNOWN:
            return None
        stays = reached.box.shared(box) > 0.98 * max(reached.box.area, box.area)
        box = reached.box
        if stays:
            break
    assert lattice is not None and reached is not None
    return _settled(steps, lattice, reached)


def lattices_in(luma: Levels, steps: Steps, fit: _Fit, within: Box) -> list[Region]:
    """The mosaics that lines in a box are: one, or those on either side of where they go on at
    another phase.
    """
    region = _region(luma, steps, fit)
    parts = []
    for part in _parts(steps, fit, within):
        again = fit_lattice(steps, part, [])
        parts.append(lattices_in(luma, steps, again, part.within) if again else [])
    several = list(chain(*parts))
    lapping = any(overlap(one, other) > 0.2 for one, other in combinations(several, 2))
    if lapping or (region is None and not all(parts)):
        several = []
    whole = [region] if region else []
    return max(whole, several, key=lambda regions: sum(map(weight, regions)))


def _parts(steps: Steps, fit: _Fit, within: Box) -> Iterator[Candidate]:
    """The two parts of a fit whose lines go on at another phase; none of most."""
    lattice, box = fit
    means = [np.sqrt(mean) for mean in region_means(steps, box)]
    pitches = lattice.across.pitch, lattice.down.pitch
    x = slip(means[0], lattice.across.moved(-box.x))
    y = slip(means[1], lattice.down.moved(-box.y))
    for part in _halves(within, x and box.x + x, y and box.y + y):
        yield Candidate(box.clipped(part), pitches, part)


def _halves(box: Box, x: int | None, y: int | None) -> Iterator[Box]:
    """The halves of a box, cut at a column or at a row; none without either."""
    if x is not None:
        yield Box(box.x, box.y, x - box.x, box.height)
        yield Box(x, box.y, box.x + box.width - x, box.height)
    elif y is not None:
        yield Box(box.x, box.y, box.width, y - box.y)
        yield Box(box.x, y, box.width, box.y + box.height - y)


def _region(luma: Levels, steps: Steps, fit: _Fit) -> Region | None:
    """The mosaic that lines in a box are, if they are one."""
    lattice, box = fit
    confidence = confidence_of(region_means(steps, box), lattice, box)
    if _merit(lattice, confidence) < _MERIT or confidence < _CERTAIN:
        return None
    if resembles_jpeg_blocks(lattice, box) and (
        confidence < _JPEG_CERTAIN or step_of(steps, lattice, box) < JPEG_STEP
    ):
        return None
    if is_woven(crop(luma, box), lattice.grid(box), unsure=confidence < _SURE):
        return None
    box, hidden = outlined((steps.across, steps.down), lattice, box)
    return Region(box, lattice.grid(box), hidden, confidence)


def _merit(lattice: Lattice, confidence: float) -> float:
    """How well the lines of a mosaic explain the steps in it, 0..1."""
    return confidence * float(np.sqrt(max(0.0, lattice.across.score * lattice.down.score)))


def resembles_jpeg_blocks(lattice: Lattice, box: Box) -> bool:
    """Whether most columns or rows of cells in a box begin where the squares do that JPEG codes a
    picture in, or where each second does.
    """
    columns, rows = lattice.lines(box)
    return any(
        min(abs(comb.pitch - side) for side in (SQUARE, 2 * SQUARE)) < 0.4
        and (places % SQUARE == 0).sum() > len(places) / 2
        for comb, places in ((lattice.across, columns + box.x), (lattice.down, rows + box.y))
    )


def _widened(candidate: Candidate, plane: Levels) -> Box:
    """The place with enough round it to hold the cells of the smallest mosaic."""
    box = candidate.box
    more_x, more_y = (
        max(0, round((CELLS + 1) * pitch - length) // 2)
        for pitch, length in zip(candidate.pitches, (box.width, box.height), strict=True)
    )
    return box.grown(more_x, more_y, plane)


def _lattice(means: Means, box: Box) -> Lattice | None:
    """The combs that explain the steps in a box best, if there is hope; of their square roots, as
    faint edges count beside strong ones.
    """
    across = best_comb(np.sqrt(means[0]))
    if across is None:
        return None
    clarity = clarity_of(means[0], across.lines(1, box.width))
    if clarity * np.sqrt(max(0.0, across.score)) < _HOPE:  # as it is for 7 of 10 false places
        return None
    down = best_comb(np.sqrt(means[1]))
    if down is None:
        return None
    lattice = Lattice(across.moved(box.x), down.moved(box.y))
    hopeless = _merit(lattice, confidence_of(means, lattice, box)) < _HOPE
    return None if hopeless else lattice


def _reach(steps: Steps, lattice: Lattice, core: Box, within: Box) -> _Reach | None:
    """How far the mosaic reaches within a part of the picture, from a box that has most of it or
    lies in its middle.
    """
    columns: _Span = (core.x, core.x + core.width)
    rows: _Span = (core.y, core.y + core.height)
    turned = steps.turned
    for _ in range(2):
        across = _evidence(steps.down, lattice, rows, columns)
        across[: within.x] = across[within.x + within.width :] = -1
        columns = _richest(across, lattice.across)
        if columns[1] <= columns[0]:
            return None
        down = _evidence(turned.down, lattice.turned, columns, rows)
        down[: within.y] = down[within.y + within.height :] = -1
        rows = _richest(down, lattice.down)
        if rows[1] <= rows[0]:
            return None
    box = Box(columns[0], rows[0], columns[1] - columns[0], rows[1] - rows[0])
    least = CELLS - 0.5
    if box.width < least * lattice.across.pitch or box.height < least * lattice.down.pitch:
        return None
    return _Reach(box, across, down)


def _evidence(plane: Levels, lattice: Lattice, within: _Span, core: _Span) -> Floats:
    """For each column of `plane` how far there are steps on the lines between rows of cells and
    calm between these, -1 to 1, of the rows `within`; in the columns `core` this is so.

    On a photo there is as much between lines as on them; in a mosaic, so much of it as in the core.
    """
    low, high = max(1, within[0]), within[1]
    on = lattice.down.lines(low, high)
    off = lattice.down.calm(low, high)
    if len(on) < 2 or not off.any():
        return np.full(plane.shape[1], np.float32(-1))
    edge, calm = averaged(plane[on], 0), averaged(plane[low:high][off], 0)
    ratios = (calm + NOISE)[slice(*core)] / (edge + NOISE)[slice(*core)]
    quarter = len(ratios) // 4
    share = float(np.partition(ratios, quarter)[quarter]) if len(ratios) else 1.0
    seen = np.log(calm + NOISE)
    like_photo = np.log(edge + NOISE) - seen
    like_mosaic = seen - np.log(share * edge + NOISE)
    evidence = np.maximum(like_photo, 0) ** 2 - np.maximum(like_mosaic, 0) ** 2
    clear: Floats = np.clip(2 * evidence, -1, 1) - np.float32(DOUBT)
    return clear


def _settled(steps: Steps, lattice: Lattice, reach: _Reach) -> _Fit:
    """The lattice of a mosaic and its box, to the pixel."""
    x, y, width, height = reach.box.corners
    beside = np.sqrt(averaged(steps.across[y : y + height], 0))
    stacked = np.sqrt(averaged(steps.down[:, x : x + width], 1))
    across, left, right = settled(lattice.across, beside, reach.across, x, x + width)
    down, top, bottom = settled(lattice.down, stacked, reach.down, y, y + height)
    return Lattice(across, down), Box(left, top, right - left, bottom - top)


def _richest(evidence: Floats, ends: Comb) -> _Span:
    """The stretch with the largest sum (Kadane), its ends on lines where that costs little."""
    sums = np.concatenate([[0.0], np.cumsum(evidence)])
    end = int(np.argmax(sums - np.minimum.accumulate(sums)))
    start = int(np.argmin(sums[: end + 1]))
    places = np.concatenate([[0], ends.lines(1, len(evidence)), [len(evidence)]])
    first = _snapped(start, places, -sums, ends.pitch)
    last = _snapped(end, places, sums, ends.pitch)
    first -= _one_more(evidence[:first][::-1], first - 1)
    return first, last + _one_more(evidence[last:], last + 1)


def _one_more(beyond: Floats, end: int) -> bool:
    """Whether of the columns beyond an end just the next is mosaic: where a program makes cells of
    whole sides fill a box, one may be a pixel longer. On edges of JPEG's squares calm ends anyhow.
    """
    plainly = len(beyond) > 1 and bool(beyond[0] > _PLAINLY and beyond[1] < -_PLAINLY)
    return plainly and end % SQUARE != 0


def _snapped(place: int, lines: NDArray[np.intp], worth: Floats, pitch: float) -> int:
    near = lines[np.abs(lines - place) <= pitch / 2 + 1]
    if len(near) == 0:
        return place
    best = int(near[np.argmax(worth[near])])
    return best if worth[place] - worth[best] < max(1.5, _ON_LINE * pitch) else place
