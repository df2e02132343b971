"""Where a mosaic is in a picture, its cells and offset; by arithmetic, nothing here is learned.

In a lossless file a cell is exactly flat (`lossless`). What was compressed, resized or blended
afterwards still has steps between flat neighbours, which return at the same distance across and
down. First a coarse look: where do such steps have a rhythm along both axes? Then, for each such
place, a fit: which comb of lines explains the profile of steps best, and how far do the lines and
the calm between them reach?
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from demosaic.detection.candidates import BAND, LAGS, find_candidates
from demosaic.detection.exact import flat_mosaics, shrunk
from demosaic.detection.fit import (
    CELLS,
    JPEG_STEP,
    KNOWN,
    fit_lattice,
    lattices_in,
    resembles_jpeg_blocks,
)
from demosaic.detection.gradients import Steps, confidence_of, region_means, step_of
from demosaic.detection.lattice import Comb, Lattice
from demosaic.detection.outline import Levels
from demosaic.detection.region import Candidate, Region, is_known, overlap, weight
from demosaic.detection.texture import is_repeating
from demosaic.imaging.arrays import to_grey
from demosaic.imaging.geometry import Box, crop
from demosaic.imaging.pictures import Picture, to_pixels

_CRUMB = 0.2  # of a mosaic

_CRUMBS = 3  # of one mosaic

_BOTH = 0.5  # of a mosaic, that may lie under another

_AS_CLEAR = 0.9  # beside that, as in all of it

_FLAT_STEP = 3  # grey levels; what rounding leaves of a smooth part has steps of 1 or 2


def find_mosaics(picture: Picture) -> list[Region]:
    """The mosaics in a picture, the largest first; none in a clean picture.

    `picture`: a file, a Pillow picture, or RGB levels (H, W, 3) of type uint8. Cells of 3 to 64 px
    are found where there are at least 4 x 4 of them. Raises DemosaicError when it is no picture.
    """
    image = to_pixels(picture)
    if min(image.shape[:2]) < CELLS * LAGS[0]:
        return []
    luma = to_grey(image)
    steps = Steps.of(luma)
    exact = []
    for lattice, box, hidden in flat_mosaics(image):
        least = JPEG_STEP if resembles_jpeg_blocks(lattice, box) else _FLAT_STEP
        repeating = is_repeating(crop(luma, box), lattice.grid(box))
        if step_of(steps, lattice, box) > least and not repeating:
            exact.append(Region(box, lattice.grid(box), hidden, 1.0))
    tried = _with_those_at(find_candidates(luma), exact, luma, steps)
    if not tried:  # of few cells that fill a picture too few squares have a rhythm
        whole = Candidate(Box.whole(luma), (LAGS[0], LAGS[0]), Box.whole(luma))
        tried = _with_those_at([whole], exact, luma, steps)
    return _apart(tried, steps)


def _apart(tried: list[Region], steps: Steps) -> list[Region]:
    """The mosaics that explain the most pixels, the largest first; where two overlap, each without
    what belongs to the other.
    """
    found: list[Region] = []
    for region in sorted(tried, key=weight, reverse=True):
        over = [place for place, other in enumerate(found) if overlap(region, other) > 0.2]
        if not over:
            found.append(region)
        elif len(over) == 1 and _goes_on(region, found[over[0]], steps):
            found += _parted(region, found.pop(over[0]), steps)
    return sorted(found, key=weight, reverse=True)


def _goes_on(region: Region, other: Region, steps: Steps) -> bool:
    """Whether most of a mosaic lies beside another, with its lines as clear as elsewhere."""
    if region.box.shared(other.box) > _BOTH * region.box.area:
        return False
    rest = max(_rests(region.box, other.box), key=lambda box: box.area)
    return _clear(region, rest, steps) > _AS_CLEAR * region.confidence


def _parted(one: Region, other: Region, steps: Steps) -> tuple[Region, Region]:
    """Two mosaics of which one lies on the other: that whose lines are clearer in what both have,
    and the other without that.
    """
    both = one.box.clipped(other.box)
    top, under = sorted((one, other), key=lambda it: _clear(it, both, steps), reverse=True)
    seen = under.hidden.copy()
    crop(seen, both.seen_from(under.box))[crop(top.hidden, both.seen_from(top.box))] = False
    box, hidden = shrunk(under.box, seen)
    return top, Region(box, _lattice_of(under).grid(box), hidden, under.confidence)


def _clear(region: Region, place: Box, steps: Steps) -> float:
    """How clear the lines of a mosaic are in a part of its box."""
    return confidence_of(region_means(steps, place), _lattice_of(region), place)


def _lattice_of(region: Region) -> Lattice:
    box, grid = region.box, region.grid
    return Lattice(Comb(grid.width, box.x + grid.left), Comb(grid.height, box.y + grid.top))


def _with_those_at(
    places: Iterable[Candidate], exact: list[Region], luma: Levels, steps: Steps
) -> list[Region]:
    """The mosaics known to the pixel and those found at places where none is known yet."""
    tried, fits = [*exact], []
    sure = exact if len(exact) < _CRUMBS else []
    waiting = list(places)
    while waiting:
        candidate = waiting.pop(0)
        if is_known(candidate.box, [*sure, *tried[len(exact) :]]) <= KNOWN:
            fit = fit_lattice(steps, candidate, sure)
            if fit and fit not in fits:
                fits.append(fit)
                for region in lattices_in(luma, steps, fit, candidate.within):
                    if not _repeats(region, exact):
                        tried.append(region)
                        waiting += [] if exact else _beside(candidate, region)
    return tried


def _beside(candidate: Candidate, region: Region) -> Iterator[Candidate]:
    """What of a place is left beside a mosaic in it, where that may be another."""
    rests = zip(
        _rests(candidate.box, region.box), _rests(candidate.within, region.box), strict=True
    )
    for rest, within in rests:
        least = (max(2 * BAND, CELLS * pitch) for pitch in candidate.pitches)
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


def _repeats(region: Region, exact: list[Region]) -> bool:
    """Whether a mosaic is some that are known to the pixel, with cells or ends that are not.

    Of one that was resized flat rectangles are left here and there: one small part of it that is
    known, or several that are less than all of it, are no mosaics.
    """

    def same(other: Region) -> bool:
        more = (region.grid.width - other.grid.width, region.grid.height - other.grid.height)
        return max(map(abs, more)) < 0.5

    parts = [other for other in exact if overlap(region, other) > 0.2]
    if len(parts) >= _CRUMBS:
        return weight(region) < sum(map(weight, parts))
    known = is_known(region.box, exact)
    return known > KNOWN or (known > _CRUMB and any(map(same, parts)))
