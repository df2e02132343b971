"""Where a mosaic is in a picture, its cells and offset; by arithmetic, nothing here is learned.

In a lossless file a cell is exactly flat (`lossless`). What was compressed, resized or blended
afterwards still has steps between flat neighbours, which return at the same distance across and
down. First a coarse look: where do such steps have a rhythm along both axes? Then, for each such
place, a fit: which comb of lines explains the profile of steps best, and how far do the lines and
the calm between them reach?
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, combinations

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from demosaic.combs import SQUARE, Comb, Floats, Lattice, best_comb, slip
from demosaic.ellipses import Mask
from demosaic.ends import settled
from demosaic.imaging.arrays import Pixels, to_grey
from demosaic.imaging.geometry import Box, crop
from demosaic.lossless import flat_mosaics, shrunk
from demosaic.mosaic.grid import Grid
from demosaic.outlines import DOUBT, NOISE, Levels, outlined
from demosaic.weaves import is_repeating, is_woven

_Span = tuple[int, int]
"""Where a stretch of pixels begins and ends."""
_Means = tuple[Floats, Floats]
"""The mean step across in each column of a box and the mean step down in each row."""

_Fit = tuple[Lattice, Box]

_CAP = 32  # grey levels; a larger step says no more, and a few should not outweigh the rest
_BAND = 16  # pixels of a level averaged before rhythm is looked for
_LAGS = range(3, 25)  # pixels of a level
_AROUND = (5, 1)  # squares of _BAND px over which rhythm is averaged
_SCALES = (1, 2, 4)  # of the levels: cells of 3 to 96 px
# Grey levels, of a mean step; of four places with a rhythm in a photo kept as JPEG, three had it
# from the weaker edges of JPEG's squares
_WEAK = 5
_FAINT = 0.5  # squared grey levels; at 2 some large cells are missed, at 0.1 none are gained
_RHYTHM = 0.37  # correlation of a profile with itself, one cell on, that is looked into
_CERTAIN = 0.5  # confidence below which a region is no mosaic
_SURE = 0.8  # mosaics through JPEG of quality 60 have more, checked cloth in fine cells 0.77
_JPEG_CERTAIN = 0.8  # the same, of squares as JPEG's own
_MERIT = 0.28  # of 3,600 clean photos one has 0.2, none more; mosaics resized and in JPEG 0.3
_HOPE = 0.2  # of merit, before the reach is known; four false places of five have less
_CELLS = 4  # rows and columns of cells a mosaic has at least
_ON_LINE = 0.2  # of a cell, columns of evidence that a mosaic's end on a line is worth
_PLAINLY = 0.9  # of a column's evidence of 1; at 0.5 one mosaic in 300 gets a column too many
_KNOWN = 0.6  # of a place, that then only repeats mosaics already found: the same cells, or parts
_CRUMB = 0.2  # of a mosaic
_CRUMBS = 3  # of one mosaic
_BOTH = 0.5  # of a mosaic, that may lie under another
_AS_CLEAR = 0.9  # beside that, as in all of it
_ROUNDS = 4  # of fitting, as a place turns out larger than it looked
_FLAT_STEP = 3  # grey levels; what rounding leaves of a smooth part has steps of 1 or 2
_JPEG_STEP = 12  # grey levels; a smooth part has less between JPEG's squares down to quality 10


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
class _Candidate:
    """A place with a rhythm, and about which."""

    box: Box
    pitches: tuple[float, float]
    """Across and down, pixels."""
    within: Box
    """Where it may reach."""


@dataclass(frozen=True)
class _Reach:
    """How far a mosaic reaches."""

    box: Box
    across: Floats
    """What speaks for a mosaic in each column of the picture, -1 to 1."""
    down: Floats
    """The same in each row."""


@dataclass(frozen=True)
class _Steps:
    """The capped differences of each pixel of a picture to the one on its left and to the one
    above, (H, W).
    """

    across: Levels
    down: Levels

    @classmethod
    def of(cls, luma: Levels) -> "_Steps":
        across, down = np.zeros_like(luma), np.zeros_like(luma)
        across[:, 1:] = cv2.absdiff(luma[:, 1:], luma[:, :-1])
        down[1:] = cv2.absdiff(luma[1:], luma[:-1])
        return cls(np.minimum(across, _CAP), np.minimum(down, _CAP))

    @cached_property
    def turned(self) -> "_Steps":
        return _Steps(np.ascontiguousarray(self.down.T), np.ascontiguousarray(self.across.T))


def find_mosaic(image: Pixels) -> list[Region]:
    """The mosaics in a picture (H, W, 3), the largest first; none on a clean picture.

    Cells of 3 to 64 px, at least 4 x 4 of them.
    """
    if min(image.shape[:2]) < _CELLS * _LAGS[0]:
        return []
    luma = to_grey(image)
    steps = _Steps.of(luma)
    exact = []
    for lattice, box, hidden in flat_mosaics(image):
        least = _JPEG_STEP if _like_jpeg(lattice, box) else _FLAT_STEP
        repeating = is_repeating(crop(luma, box), lattice.grid(box))
        if _step(steps, lattice, box) > least and not repeating:
            exact.append(Region(box, lattice.grid(box), hidden, 1.0))
    tried = _with_those_at(_candidates(luma), exact, luma, steps)
    if not tried:  # of few cells that fill a picture too few squares have a rhythm
        whole = _Candidate(Box.whole(luma), (_LAGS[0], _LAGS[0]), Box.whole(luma))
        tried = _with_those_at([whole], exact, luma, steps)
    return _apart(tried, steps)


def _apart(tried: list[Region], steps: _Steps) -> list[Region]:
    """The mosaics that explain the most pixels, the largest first; where two overlap, each without
    what belongs to the other.
    """
    found: list[Region] = []
    for region in sorted(tried, key=_weight, reverse=True):
        over = [place for place, other in enumerate(found) if _overlap(region, other) > 0.2]
        if not over:
            found.append(region)
        elif len(over) == 1 and _goes_on(region, found[over[0]], steps):
            found += _parted(region, found.pop(over[0]), steps)
    return sorted(found, key=_weight, reverse=True)


def _goes_on(region: Region, other: Region, steps: _Steps) -> bool:
    """Whether most of a mosaic lies beside another, with its lines as clear as elsewhere."""
    if region.box.shared(other.box) > _BOTH * region.box.area:
        return False
    rest = max(_rests(region.box, other.box), key=lambda box: box.area)
    return _clear(region, rest, steps) > _AS_CLEAR * region.confidence


def _parted(one: Region, other: Region, steps: _Steps) -> tuple[Region, Region]:
    """Two mosaics of which one lies on the other: that whose lines are clearer in what both have,
    and the other without that.
    """
    both = one.box.clipped(other.box)
    top, under = sorted((one, other), key=lambda it: _clear(it, both, steps), reverse=True)
    seen = under.hidden.copy()
    crop(seen, both.seen_from(under.box))[crop(top.hidden, both.seen_from(top.box))] = False
    box, hidden = shrunk(under.box, seen)
    return top, Region(box, _lattice_of(under).grid(box), hidden, under.confidence)


def _clear(region: Region, place: Box, steps: _Steps) -> float:
    """How clear the lines of a mosaic are in a part of its box."""
    return _confidence(_means(steps, place), _lattice_of(region), place)


def _lattice_of(region: Region) -> Lattice:
    box, grid = region.box, region.grid
    return Lattice(Comb(grid.width, box.x + grid.left), Comb(grid.height, box.y + grid.top))


def _with_those_at(
    places: Iterable[_Candidate], exact: list[Region], luma: Levels, steps: _Steps
) -> list[Region]:
    """The mosaics known to the pixel and those found at places where none is known yet."""
    tried, fits = [*exact], []
    sure = exact if len(exact) < _CRUMBS else []
    waiting = list(places)
    while waiting:
        candidate = waiting.pop(0)
        if _known(candidate.box, [*sure, *tried[len(exact) :]]) <= _KNOWN:
            fit = _fit(steps, candidate, sure)
            if fit and fit not in fits:
                fits.append(fit)
                for region in _there(luma, steps, fit, candidate.within):
                    if not _repeats(region, exact):
                        tried.append(region)
                        waiting += [] if exact else _beside(candidate, region)
    return tried


def _beside(candidate: _Candidate, region: Region) -> Iterator[_Candidate]:
    """What of a place is left beside a mosaic in it, where that may be another."""
    rests = zip(
        _rests(candidate.box, region.box), _rests(candidate.within, region.box), strict=True
    )
    for rest, within in rests:
        least = (max(2 * _BAND, _CELLS * pitch) for pitch in candidate.pitches)
        if rest.width > next(least) and rest.height > next(least):
            yield replace(candidate, box=rest, within=within)


def _rests(box: Box, other: Box) -> list[Box]:
    """What of a box lies left of another, right of it, above and below, empty or not."""
    right, bottom = box.x + box.width, box.y + box.height
    left_of, above = min(other.x, right) - box.x, min(other.y, bottom) - box.y
    x, y = max(box.x, other.x + other.width), max(box.y, other.y + other.height)
    return [
        Box(box.x, box.y, max(0, left_of), box.height),
        Box(x, box.y, max(0, right - x), box.height),
        Box(box.x, box.y, box.width, max(0, above)),
        Box(box.x, y, box.width, max(0, bottom - y)),
    ]


def _weight(region: Region) -> float:
    """What the better of two regions has more of: pixels explained."""
    return region.confidence * int(region.hidden.sum())


def _known(place: Box, regions: list[Region]) -> float:
    """The share of a place that lies in mosaics already found."""
    return sum(place.shared(region.box) for region in regions) / place.area


def _repeats(region: Region, exact: list[Region]) -> bool:
    """Whether a mosaic is some that are known to the pixel, with cells or ends that are not.

    Of one that was resized flat rectangles are left here and there: one small part of it that is
    known, or several that are less than all of it, are no mosaics.
    """

    def same(other: Region) -> bool:
        more = (region.grid.width - other.grid.width, region.grid.height - other.grid.height)
        return max(map(abs, more)) < 0.5

    parts = [other for other in exact if _overlap(region, other) > 0.2]
    if len(parts) >= _CRUMBS:
        return _weight(region) < sum(map(_weight, parts))
    known = _known(region.box, exact)
    return known > _KNOWN or (known > _CRUMB and any(map(same, parts)))


def _overlap(one: Region, other: Region) -> float:
    """The share of the smaller mosaic that both have."""
    if not one.box.shared(other.box):
        return 0.0
    both = one.box.clipped(other.box)
    first, second = (crop(region.hidden, both.seen_from(region.box)) for region in (one, other))
    return int((first & second).sum()) / min(int(one.hidden.sum()), int(other.hidden.sum()))


# The coarse look


def _candidates(luma: Levels) -> Iterator[_Candidate]:
    """Places with a rhythm along both axes, those with small cells first."""
    for scale in _SCALES:
        level = luma
        if scale > 1:
            size = (luma.shape[1] // scale, luma.shape[0] // scale)
            if min(size) < 4 * _LAGS[0]:
                return
            level = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
        for candidate in _places(level, scale):
            box = Box(*(scale * side for side in candidate.box.corners))
            across, down = candidate.pitches
            yield _Candidate(box, (across * scale, down * scale), Box.whole(luma))


def _places(level: Levels, scale: int) -> Iterator[_Candidate]:
    rhythm_across, pitch_across = _rhythm(level, scale)
    rhythm_down, pitch_down = (plane.T for plane in _rhythm(np.ascontiguousarray(level.T), scale))
    both = (np.minimum(rhythm_across, rhythm_down) > _RHYTHM).astype(np.uint8)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(both, connectivity=8)
    for number in range(1, count):
        x, y, width, height, _ = (int(value) for value in boxes[number])
        inside = labels == number
        pitches = (_middle(pitch_across[inside]), _middle(pitch_down[inside]))
        box = Box(x * _BAND, y * _BAND, width * _BAND, height * _BAND)
        yield _Candidate(box.grown(0, 0, level), pitches, Box.whole(level))


def _middle(values: Floats) -> float:
    return float(np.sort(values)[len(values) // 2])


def _rhythm(level: Levels, scale: int) -> tuple[Floats, Floats]:
    """For each square of _BAND pixels, how alike the steps across are to those one cell on, and
    how many pixels a cell has.

    Weak edges of JPEG's own squares say nothing.
    """
    height, width = level.shape
    rows, columns = -(-height // _BAND), -(-width // _BAND)
    steps = np.zeros((rows * _BAND, width), np.uint8)
    steps[:height] = _steps(level, min(scale, 2))
    profile = steps.reshape(rows, _BAND, width).mean(1, dtype=np.float32)
    edges = profile[:, :: SQUARE // scale]  # of JPEG's squares
    weak = edges < _WEAK
    profile -= cv2.blur(profile, (3 * _LAGS[-1], 1))
    edges[weak] = 0
    padded = np.zeros((rows, columns * _BAND + _LAGS[-1]), np.float32)
    padded[:, :width] = profile
    ahead = sliding_window_view(padded, _BAND + _LAGS[-1], axis=1)[:, ::_BAND]
    shifted = sliding_window_view(ahead, _BAND, axis=2)
    # Products are summed as they are made: stored for each pixel, they take four times as long
    products = np.einsum("ijk,ijlk->lij", ahead[:, :, :_BAND], shifted)
    around = cv2.blur(products.reshape(-1, columns), _AROUND).reshape(products.shape)
    energy, likeness = around[0] + _FAINT * _BAND, around[_LAGS[0] :]
    best = likeness.max(0)
    first = np.argmax(likeness > 0.8 * best, axis=0)
    return best / energy, (first + _LAGS[0]).astype(np.float32)


def _steps(level: Levels, way: int) -> Levels:
    """How much larger than those so many pixels before and after the difference of each pixel to
    the one on its left is: two where an edge may lie in the middle of a pixel, with a step on
    either side.
    """
    differences = _differences(level)
    beside = np.zeros_like(differences)
    beside[:, :-way] = differences[:, way:]
    np.maximum(beside[:, way:], differences[:, :-way], out=beside[:, way:])
    return np.minimum(cv2.subtract(differences, beside), _CAP)


def _differences(level: Levels) -> Levels:
    """Of each pixel to the one on its left; 0 at the border."""
    differences = np.zeros_like(level)
    differences[:, 1:] = cv2.absdiff(
        np.ascontiguousarray(level[:, 1:]), np.ascontiguousarray(level[:, :-1])
    )
    return differences


# The fit


def _fit(steps: _Steps, candidate: _Candidate, sure: list[Region]) -> _Fit | None:
    """The lines that explain the steps at a place best and the box they are in, if any do and it is
    none of the mosaics that are sure.
    """
    box = _widened(candidate, steps.across).clipped(candidate.within)
    for _ in range(_ROUNDS):
        lattice = _lattice(_means(steps, box), box)
        reached = _reach(steps, lattice, box, candidate.within) if lattice else None
        if reached is None or _known(reached.box, sure) > _KNOWN:
            return None
        stays = reached.box.shared(box) > 0.98 * max(reached.box.area, box.area)
        box = reached.box
        if stays:
            break
    assert lattice is not None and reached is not None
    return _settled(steps, lattice, reached)


def _there(luma: Levels, steps: _Steps, fit: _Fit, within: Box) -> list[Region]:
    """The mosaics that lines in a box are: one, or those on either side of where they go on at
    another phase.
    """
    region = _region(luma, steps, fit)
    parts = []
    for part in _parts(steps, fit, within):
        again = _fit(steps, part, [])
        parts.append(_there(luma, steps, again, part.within) if again else [])
    several = list(chain(*parts))
    lapping = any(_overlap(one, other) > 0.2 for one, other in combinations(several, 2))
    if lapping or (region is None and not all(parts)):
        several = []
    whole = [region] if region else []
    return max(whole, several, key=lambda regions: sum(map(_weight, regions)))


def _parts(steps: _Steps, fit: _Fit, within: Box) -> Iterator[_Candidate]:
    """The two parts of a fit whose lines go on at another phase; none of most."""
    lattice, box = fit
    means = [np.sqrt(mean) for mean in _means(steps, box)]
    pitches = lattice.across.pitch, lattice.down.pitch
    x = slip(means[0], lattice.across.moved(-box.x))
    y = slip(means[1], lattice.down.moved(-box.y))
    for part in _halves(within, x and box.x + x, y and box.y + y):
        yield _Candidate(box.clipped(part), pitches, part)


def _halves(box: Box, x: int | None, y: int | None) -> Iterator[Box]:
    """The halves of a box, cut at a column or at a row; none without either."""
    if x is not None:
        yield Box(box.x, box.y, x - box.x, box.height)
        yield Box(x, box.y, box.x + box.width - x, box.height)
    elif y is not None:
        yield Box(box.x, box.y, box.width, y - box.y)
        yield Box(box.x, y, box.width, box.y + box.height - y)


def _region(luma: Levels, steps: _Steps, fit: _Fit) -> Region | None:
    """The mosaic that lines in a box are, if they are one."""
    lattice, box = fit
    confidence = _confidence(_means(steps, box), lattice, box)
    if _merit(lattice, confidence) < _MERIT or confidence < _CERTAIN:
        return None
    if _like_jpeg(lattice, box) and (
        confidence < _JPEG_CERTAIN or _step(steps, lattice, box) < _JPEG_STEP
    ):
        return None
    if is_woven(crop(luma, box), lattice.grid(box), unsure=confidence < _SURE):
        return None
    box, hidden = outlined((steps.across, steps.down), lattice, box)
    return Region(box, lattice.grid(box), hidden, confidence)


def _merit(lattice: Lattice, confidence: float) -> float:
    """How well the lines of a mosaic explain the steps in it, 0..1."""
    return confidence * float(np.sqrt(max(0.0, lattice.across.score * lattice.down.score)))


def _like_jpeg(lattice: Lattice, box: Box) -> bool:
    """Whether most columns or rows of cells in a box begin where the squares do that JPEG codes a
    picture in, or where each second does.
    """
    columns, rows = lattice.lines(box)
    return any(
        min(abs(comb.pitch - side) for side in (SQUARE, 2 * SQUARE)) < 0.4
        and (places % SQUARE == 0).sum() > len(places) / 2
        for comb, places in ((lattice.across, columns + box.x), (lattice.down, rows + box.y))
    )


def _widened(candidate: _Candidate, plane: Levels) -> Box:
    """The place with enough round it to hold the cells of the smallest mosaic."""
    box = candidate.box
    more_x, more_y = (
        max(0, round((_CELLS + 1) * pitch - length) // 2)
        for pitch, length in zip(candidate.pitches, (box.width, box.height), strict=True)
    )
    return box.grown(more_x, more_y, plane)


def _means(steps: _Steps, box: Box) -> _Means:
    return _averaged(crop(steps.across, box), 0), _averaged(crop(steps.down, box), 1)


def _lattice(means: _Means, box: Box) -> Lattice | None:
    """The combs that explain the steps in a box best, if there is hope; of their square roots, as
    faint edges count beside strong ones.
    """
    across = best_comb(np.sqrt(means[0]))
    if across is None:
        return None
    clarity = _clarity(means[0], across.lines(1, box.width))
    if clarity * np.sqrt(max(0.0, across.score)) < _HOPE:  # as it is for 7 of 10 false places
        return None
    down = best_comb(np.sqrt(means[1]))
    if down is None:
        return None
    lattice = Lattice(across.moved(box.x), down.moved(box.y))
    hopeless = _merit(lattice, _confidence(means, lattice, box)) < _HOPE
    return None if hopeless else lattice


def _reach(steps: _Steps, lattice: Lattice, core: Box, within: Box) -> _Reach | None:
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
    least = _CELLS - 0.5
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
    edge, calm = _averaged(plane[on], 0), _averaged(plane[low:high][off], 0)
    ratios = (calm + NOISE)[slice(*core)] / (edge + NOISE)[slice(*core)]
    quarter = len(ratios) // 4
    share = float(np.partition(ratios, quarter)[quarter]) if len(ratios) else 1.0
    seen = np.log(calm + NOISE)
    like_photo = np.log(edge + NOISE) - seen
    like_mosaic = seen - np.log(share * edge + NOISE)
    evidence = np.maximum(like_photo, 0) ** 2 - np.maximum(like_mosaic, 0) ** 2
    clear: Floats = np.clip(2 * evidence, -1, 1) - np.float32(DOUBT)
    return clear


def _averaged(plane: Levels, axis: int) -> Floats:
    # Along rows numpy sums six times as fast as cv2.reduce
    sums = plane.sum(axis, dtype=np.uint32)
    return np.asarray(sums / plane.shape[axis], np.float32)


def _settled(steps: _Steps, lattice: Lattice, reach: _Reach) -> _Fit:
    """The lattice of a mosaic and its box, to the pixel."""
    x, y, width, height = reach.box.corners
    beside = np.sqrt(_averaged(steps.across[y : y + height], 0))
    stacked = np.sqrt(_averaged(steps.down[:, x : x + width], 1))
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


def _confidence(means: _Means, lattice: Lattice, box: Box) -> float:
    """1 less the strength of what is between the edges, as a part of that of the edges; the less
    clear axis counts.
    """
    columns, rows = lattice.lines(box)
    return min(_clarity(means[0], columns), _clarity(means[1], rows))


def _clarity(profile: Floats, lines: NDArray[np.intp]) -> float:
    between = np.ones(len(profile), bool)
    between[0] = between[lines] = False
    if len(lines) == 0 or not between.any():
        return 0.0
    edge, calm = float(profile[lines].mean()), float(profile[between].mean())
    return max(0.0, 1 - calm / edge) if edge > 1 else 0.0


def _step(steps: _Steps, lattice: Lattice, box: Box) -> float:
    """How large the larger steps of a mosaic are: a tenth are larger."""
    columns, rows = lattice.lines(box)
    return max(
        float(np.percentile(crop(steps.across, box)[:, columns], 90)),
        float(np.percentile(crop(steps.down, box)[rows], 90)),
    )
