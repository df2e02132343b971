"""The lattice that explains the steps in a candidate best, and whether it is a mosaic."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np

from demosaic.detection import jpeg_blocks
from demosaic.detection.extent import Extent, find_extent, without_photo
from demosaic.detection.gradients import (
    Luma,
    Profiles,
    Steps,
    confidence_of,
    contrast,
    line_step,
    mean_along,
    profiles_of,
)
from demosaic.detection.lattice import Lattice
from demosaic.detection.lookalikes import is_lookalike
from demosaic.detection.outline import find_outline
from demosaic.detection.periodicity import best_lines, phase_change
from demosaic.detection.refinement import refine_axis
from demosaic.detection.region import Candidate, Region, explained, known_share, overlap
from demosaic.detection.thresholds import FIT, OVERLAP
from demosaic.imaging.geometry import Box, crop


@dataclass(frozen=True)
class Fit:
    """A lattice and the box that it explains, to the pixel."""

    lattice: Lattice
    box: Box

    def repeats(self, lattice: Lattice, box: Box) -> bool:
        """Whether a lattice with about the same cells explains about the same box."""
        own = self.lattice
        wider = abs(own.across.period - lattice.across.period)
        higher = abs(own.down.period - lattice.down.period)
        same_cells = max(wider, higher) < OVERLAP.same_cell
        return same_cells and _are_alike(self.box, box, FIT.repeated)


def fit_lattice(
    steps: Steps, candidate: Candidate, known: Sequence[Region], earlier: Iterable[Fit] = ()
) -> Fit | None:
    """The lattice that explains the steps in a candidate best, and its box; one of the `earlier`
    fits where that has about the same box and cells.

    None where no lattice explains them, or the box lies mostly in mosaics already known.
    """
    box = _with_room(candidate, steps.across).clipped(candidate.within)
    for _ in range(FIT.rounds):
        lattice = _best_lattice(profiles_of(steps, box), box)
        extent = find_extent(steps, lattice, box, candidate.within) if lattice else None
        if extent is None or known_share(extent.box, known) > OVERLAP.known:
            return None
        assert lattice is not None
        for fit in earlier:
            if fit.repeats(lattice, extent.box):
                return fit
        is_stable = _are_alike(box, extent.box, FIT.stable)
        box = extent.box
        if is_stable:
            break
    assert lattice is not None and extent is not None
    fit = _refined(steps, lattice, extent)
    calm = without_photo(steps, fit.lattice, fit.box)
    if calm == fit.box or min(calm.width, calm.height) == 0:
        return fit
    return _refined(steps, lattice, extent.only(calm))


def _are_alike(one: Box, other: Box, least: float) -> bool:
    """Whether two boxes share more than a part of the larger one."""
    return one.shared(other) > least * max(one.area, other.area)


def mosaics_in(
    luma: Luma, steps: Steps, fit: Fit, within: Box, splits: int = FIT.max_splits
) -> list[Region]:
    """One mosaic, or several if the lattice changes phase inside the box; none if it is no mosaic.

    Each split halves `within` at the change and fits both halves anew; the halves may be split
    again, at most `splits` times one inside another.
    """
    region = _region_of(luma, steps, fit)
    halves = []
    for half in _halves_at_phase_change(steps, fit, within) if splits else ():
        again = fit_lattice(steps, half, [])
        found = mosaics_in(luma, steps, again, half.within, splits - 1) if again else []
        halves.append(found)
    several = list(chain(*halves))
    conflict = any(
        overlap(one, other) > OVERLAP.same_place for one, other in combinations(several, 2)
    )
    if conflict or (region is None and not all(halves)):
        several = []
    whole = [region] if region else []
    return max(whole, several, key=lambda regions: sum(map(explained, regions)))


def _halves_at_phase_change(steps: Steps, fit: Fit, within: Box) -> Iterator[Candidate]:
    """The two sides of a place at which the lines of a fit have another phase; mostly none."""
    lattice, box = fit.lattice, fit.box
    across, down = (np.sqrt(profile) for profile in profiles_of(steps, box))
    periods = lattice.across.period, lattice.down.period
    x = phase_change(across, lattice.across.shifted(-box.x))
    y = phase_change(down, lattice.down.shifted(-box.y))
    for half in _halves(within, x and box.x + x, y and box.y + y):
        yield Candidate(box.clipped(half), periods, half)


def _halves(box: Box, x: int | None, y: int | None) -> Iterator[Box]:
    """The halves of a box, cut at a column or else at a row; none without either."""
    if x is not None:
        yield Box(box.x, box.y, x - box.x, box.height)
        yield Box(x, box.y, box.x + box.width - x, box.height)
    elif y is not None:
        yield Box(box.x, box.y, box.width, y - box.y)
        yield Box(box.x, y, box.width, box.y + box.height - y)


def _region_of(luma: Luma, steps: Steps, fit: Fit) -> Region | None:
    """The mosaic that a fit is; None if it is none."""
    lattice, box = fit.lattice, fit.box
    confidence = confidence_of(profiles_of(steps, box), lattice, box)
    if _fit_of(lattice, confidence) < FIT.min_fit or confidence < FIT.min_confidence:
        return None
    if jpeg_blocks.explain(lattice, box) and not _is_beyond_jpeg(steps, fit, confidence):
        return None
    unsure = confidence < FIT.clear_confidence
    if is_lookalike(crop(luma, box), lattice.grid(box), unsure=unsure):
        return None
    box, hidden = find_outline(steps, lattice, box)
    return Region(box, lattice.grid(box), hidden, confidence)


def _is_beyond_jpeg(steps: Steps, fit: Fit, confidence: float) -> bool:
    """Whether a fit whose lines are edges of JPEG's blocks is clearer than JPEG makes it."""
    aligned = jpeg_blocks.explain_both_axes(fit.lattice, fit.box)
    least = FIT.aligned_confidence if aligned else FIT.jpeg_confidence
    return (
        confidence > least
        and _fit_of(fit.lattice, confidence) > FIT.jpeg_fit
        and line_step(steps, fit.lattice, fit.box) >= FIT.jpeg_step
    )


def _fit_of(lattice: Lattice, confidence: float) -> float:
    """How well a lattice explains the steps in it, 0..1: its confidence times the geometric mean of
    its correlations across and down.
    """
    return confidence * float(np.sqrt(max(0.0, lattice.across.score * lattice.down.score)))


def _with_room(candidate: Candidate, plane: Luma) -> Box:
    """The candidate's box, grown where it is too small for the cells of the smallest mosaic."""
    box = candidate.box
    more_x, more_y = (
        max(0, round((FIT.min_cells + 1) * period - length) // 2)
        for period, length in zip(candidate.periods, (box.width, box.height), strict=True)
    )
    return box.grown(more_x, more_y, plane)


def _best_lattice(profiles: Profiles, box: Box) -> Lattice | None:
    """The lattice that correlates best with the steps in a box; None where it fits too badly to be
    a mosaic. Roots of the steps are correlated, so that faint lines count beside strong ones.
    """
    across = best_lines(np.sqrt(profiles[0]))
    if across is None:
        return None
    clarity = contrast(profiles[0], across.positions(1, box.width))
    if clarity * np.sqrt(max(0.0, across.score)) < FIT.min_early_fit:  # 7 of 10 false candidates
        return None
    down = best_lines(np.sqrt(profiles[1]))
    if down is None:
        return None
    lattice = Lattice(across.shifted(box.x), down.shifted(box.y))
    fit = _fit_of(lattice, confidence_of(profiles, lattice, box))
    return None if fit < FIT.min_early_fit else lattice


def _refined(steps: Steps, lattice: Lattice, extent: Extent) -> Fit:
    """The lattice of a mosaic and its box, to the pixel."""
    x, y, width, height = extent.box.corners
    profile_across = np.sqrt(mean_along(steps.across[y : y + height], 0))
    profile_down = np.sqrt(mean_along(steps.down[:, x : x + width], 1))
    across, left, right = refine_axis(lattice.across, profile_across, extent.across, x, x + width)
    down, top, bottom = refine_axis(lattice.down, profile_down, extent.down, y, y + height)
    return Fit(Lattice(across, down), Box(left, top, right - left, bottom - top))
