"""Flat rectangles of a lossless file, grouped into mosaics by lattice.

The cells of one mosaic touch, side by side and one above the other, and begin on the lines of one
lattice. Where mosaics lie on one another, each has its own lattice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from demosaic.detection import jpeg_blocks
from demosaic.detection.lattice import Lattice, Lines, Positions, lines_through
from demosaic.detection.thresholds import FLAT_CELLS
from demosaic.imaging.geometry import Box

_Mask = NDArray[np.bool_]
_Numbers = NDArray[np.int32]


@dataclass(frozen=True)
class FlatCells:
    """N flat rectangles, one an element of each array (N,): where they begin, how large they are,
    pixels, and their numbers among the flat parts of a picture.
    """

    x: _Numbers
    y: _Numbers
    width: _Numbers
    height: _Numbers
    number: _Numbers

    @property
    def _arrays(self) -> tuple[_Numbers, ...]:
        return self.x, self.y, self.width, self.height, self.number

    @property
    def transposed(self) -> "FlatCells":
        """The cells of the picture with rows and columns exchanged."""
        return FlatCells(self.y, self.x, self.height, self.width, self.number)

    @cached_property
    def extent(self) -> Box:
        """The smallest box around all of them."""
        x, y = int(self.x.min()), int(self.y.min())
        right, bottom = int((self.x + self.width).max()), int((self.y + self.height).max())
        return Box(x, y, right - x, bottom - y)

    def only(self, which: _Mask) -> "FlatCells":
        """The cells where `which` (N,) is true."""
        return FlatCells(*(values[which] for values in self._arrays))

    def and_those(self, other: "FlatCells") -> "FlatCells":
        """These cells, then the other ones."""
        return FlatCells(*map(np.concatenate, zip(self._arrays, other._arrays, strict=True)))


@dataclass(frozen=True)
class CellGroup:
    """The cells of one mosaic, on one lattice."""

    cells: FlatCells
    lattice: Lattice

    @property
    def fill(self) -> float:
        """The share of their extent that the cells cover, 0..1."""
        return float((self.cells.width * self.cells.height).sum()) / self.cells.extent.area

    @cached_property
    def surroundings(self) -> Box:
        """The extent and a cell more on each side, beyond the picture too."""
        across, down = round(self.lattice.across.period), round(self.lattice.down.period)
        x, y, width, height = self.cells.extent.corners
        return Box(x - across, y - down, width + 2 * across, height + 2 * down)

    def continues_in(self, other: "CellGroup") -> bool:
        """Whether another group, at most a cell away, has its cells on the lines of this one: with
        one side at least, because the outermost may be cut.
        """
        if not self.surroundings.shared(other.cells.extent):
            return False
        cells = other.cells
        across = _touch_lines(self.lattice.across, cells.x, cells.width)
        down = _touch_lines(self.lattice.down, cells.y, cells.height)
        return bool((across & down).mean() > FLAT_CELLS.min_on_lines)


def group_cells(cells: FlatCells) -> list[CellGroup]:
    """The groups of cells that are mosaics, few large cells among them; none if there are more than
    a crowd has.
    """
    cells = cells.only(_has_neighbours(cells))
    groups = _groups_of_many(cells)
    if len(groups) > FLAT_CELLS.max_groups:
        return []
    for part in _small_parts(cells, groups):
        groups = _merged(groups, part)
    return [*groups, *_groups_of_few(cells, groups)]


def _has_neighbours(cells: FlatCells) -> _Mask:
    """(N,): which cells touch others of one size side by side and one above the other."""
    across, down = _next_cells(cells), _next_cells(cells.transposed)
    both: _Mask = _has_neighbour(across) & _has_neighbour(down)
    return both


def _groups_of_many(cells: FlatCells) -> list[CellGroup]:
    """The groups of at least `FLAT_CELLS.min_cells` cells, or too many groups.

    A set of touching cells without a common lattice is split, and its parts again. The parts are
    disjoint, smaller than the set, and have at least `FLAT_CELLS.min_cells` cells, so this ends.
    """
    groups: list[CellGroup] = []
    waiting = list(_connected_sets(cells, FLAT_CELLS.min_cells))
    while waiting and len(groups) <= FLAT_CELLS.max_groups:
        some = waiting.pop()
        group = _group_of(some)
        if group:
            groups = _merged(groups, group)
        else:
            waiting += _split_by_phase(some)
    return groups


def _groups_of_few(cells: FlatCells, groups: list[CellGroup]) -> Iterator[CellGroup]:
    """Groups of at least 2 x 2 large cells that lie in no other group and are no blocks of JPEG."""
    is_large = np.minimum(cells.width, cells.height) >= FLAT_CELLS.few_side
    if is_large.sum() < FLAT_CELLS.few_cells:
        return
    large = cells.only(is_large & ~_in_groups(cells, groups))
    for some in _connected_sets(large.only(_has_neighbours(large)), FLAT_CELLS.few_cells):
        group = _group_of(some)
        if group and not jpeg_blocks.are_cells(group.lattice):
            yield group


def _in_groups(cells: FlatCells, groups: list[CellGroup]) -> _Mask:
    """(N,): which cells belong to a group or lie in its surroundings."""
    inside = np.zeros(len(cells.x), bool)
    for group in groups:
        x, y, width, height = group.surroundings.corners
        inside |= (cells.x >= x) & (cells.x < x + width) & (cells.y >= y) & (cells.y < y + height)
    return inside


def _next_cells(cells: FlatCells) -> Positions:
    """(N,): for each cell the index of the one with its row and height right after it, or -1."""
    lane = (cells.y.astype(np.int64) << 40) + (cells.height.astype(np.int64) << 20)
    starts, ends = lane + cells.x, lane + cells.x + cells.width
    order = np.argsort(starts)
    after = order[np.searchsorted(starts, ends, sorter=order).clip(0, len(order) - 1)]
    return np.where(starts[after] == ends, after, -1)


def _has_neighbour(after: Positions) -> _Mask:
    """(N,): which cells have another after them or are after another."""
    has = after >= 0
    has[after[has]] = True
    return has


def _connected_sets(cells: FlatCells, least: int) -> Iterator[FlatCells]:
    """The sets of at least so many cells that are connected through neighbours of one size, with
    the cut cells beside them. Cells of mosaics on one another touch, but seldom so.
    """
    right, below = _next_cells(cells), _next_cells(cells.transposed)
    sets = _connected(_same_width(cells, right), _same_width(cells.transposed, below))
    counts = np.bincount(sets)
    sets[counts[sets] < least] = -1
    for after in (right, below):
        sets = _with_cut_cells(sets, after)
    for number in np.nonzero(counts >= least)[0]:
        yield cells.only(sets == number)


def _split_by_phase(cells: FlatCells) -> list[FlatCells]:
    """The sets of the cells that begin on the commonest lines, and those of the others; none if all
    or only few cells begin on those lines.
    """
    common = _on_commonest_lines(cells.x, cells.width) & _on_commonest_lines(cells.y, cells.height)
    if not max(FLAT_CELLS.min_cells, FLAT_CELLS.stray * len(common)) <= common.sum() < len(common):
        return []
    least = FLAT_CELLS.min_cells
    return [
        *_connected_sets(cells.only(common), least),
        *_connected_sets(cells.only(~common), least),
    ]


def _small_parts(cells: FlatCells, groups: list[CellGroup]) -> Iterator[CellGroup]:
    """Groups of few cells that other mosaics leave of a mosaic; a larger group has cells of the
    same sides.
    """
    known = {(_usual(group.cells.width), _usual(group.cells.height)) for group in groups}
    if not known:
        return
    used = np.concatenate([group.cells.number for group in groups])
    left = cells.only(~np.isin(cells.number, used))
    if len(left.x) >= FLAT_CELLS.min_part:
        for some in _connected_sets(left, FLAT_CELLS.min_part):
            if (_usual(some.width), _usual(some.height)) in known:
                yield from filter(None, [_group_of(some)])


def _group_of(cells: FlatCells) -> CellGroup | None:
    """The cells as a group, if they have one lattice and fill enough of their extent."""
    lattice = _lattice_of(cells)
    group = CellGroup(cells, lattice) if lattice else None
    return group if group and group.fill > FLAT_CELLS.min_fill else None


def _on_commonest_lines(starts: _Numbers, lengths: _Numbers) -> _Mask:
    """(N,): which cells begin on the lines, of a whole period, on which the most begin."""
    phases = starts % _usual(lengths)
    commonest: _Mask = phases == np.bincount(phases).argmax()
    return commonest


def _usual(lengths: _Numbers) -> int:
    """The upper median, which is always one of the lengths."""
    return int(np.partition(lengths, len(lengths) // 2)[len(lengths) // 2])


def _same_width(cells: FlatCells, after: Positions) -> Positions:
    """(N,): for each cell the index of the one after it if both are about equally wide, or one is
    as wide as several of the other (neighbouring cells of one colour are one rectangle); else -1.
    """
    short = np.minimum(cells.width, cells.width[after])
    long = np.maximum(cells.width, cells.width[after])
    several = np.rint(long / short)
    return np.where(np.abs(long - several * short) <= several, after, -1)


def _connected(right: Positions, below: Positions) -> Positions:
    """(N,): the lowest index of the cells that each is connected with, by links to the index of the
    next cell, or -1. It converges because indices only fall.
    """
    links = [np.stack([np.nonzero(after >= 0)[0], after[after >= 0]]) for after in (right, below)]
    one, other = np.concatenate(links, 1)
    first, last = np.arange(len(right)), None
    while last is None or (first != last).any():
        last = first
        first = last.copy()
        np.minimum.at(first, one, last[other])
        np.minimum.at(first, other, last[one])
        first = first[first]
    return first


def _with_cut_cells(sets: Positions, after: Positions) -> Positions:
    """The sets (N,) with the cells of no set (-1) that lie right before or after one of theirs:
    those that the end of the mosaic cuts.
    """
    first = np.nonzero(after >= 0)[0]
    second = after[first]
    more = sets.copy()
    for some, others in ((first, second), (second, first)):
        free = sets[some] < 0
        more[some[free]] = sets[others[free]]
    return more


def _touch_lines(lines: Lines, starts: _Numbers, lengths: _Numbers) -> _Mask:
    """(N,): which stretches begin or end on a line."""
    ends = starts + lengths
    positions = lines.positions(int(starts.min()), int(ends.max()) + 1)
    return np.isin(starts, positions) | np.isin(ends, positions)


def _merged(groups: list[CellGroup], new: CellGroup) -> list[CellGroup]:
    """The groups and a new one, which is merged with those that it continues."""
    separate = []
    for group in groups:
        small, large = sorted((group, new), key=lambda one: len(one.cells.x))
        both = _extended(large, small.cells) if large.continues_in(small) else None
        if both:
            new = both
        else:
            separate.append(group)
    return [*separate, new]


def _extended(group: CellGroup, more: FlatCells) -> CellGroup | None:
    """The group with more cells on its lines. Only fractional periods are measured anew: a large
    mosaic takes in many small parts, and each time that would sort all its cells.
    """
    cells, lattice = group.cells.and_those(more), group.lattice
    if _is_certain(lattice.across) and _is_certain(lattice.down):
        return CellGroup(cells, lattice)
    measured = _lattice_of(cells)
    return CellGroup(cells, measured) if measured else None


def _lattice_of(cells: FlatCells) -> Lattice | None:
    """The lattice of cells; None if there is none through most of their edges."""
    across = _lines_of(cells.x, cells.width)
    down = _lines_of(cells.y, cells.height)
    if across is None or down is None or min(across.score, down.score) < FLAT_CELLS.min_lines:
        return None
    return Lattice(across, down)


def _lines_of(starts: _Numbers, lengths: _Numbers) -> Lines | None:
    """The lines through the edges of cells; of a whole period if only the outermost are cut."""
    usual = np.abs(lengths - _usual(lengths)) <= 1
    starts, lengths = starts[usual], lengths[usual]
    edges, counts = np.unique(np.concatenate([starts, starts + lengths]), return_counts=True)
    positions, period = edges[counts > FLAT_CELLS.stray * counts.max()], float(lengths.mean())
    through_all = lines_through(positions, period)
    if through_all and _is_certain(through_all):
        return through_all
    shortened = (positions[:-1], positions[1:], positions[1:-1])
    tried = (lines_through(some, period) for some in shortened)
    return next((lines for lines in tried if lines and _is_certain(lines)), through_all)


def _is_certain(lines: Lines) -> bool:
    """Whether lines have a whole period and pass through every edge that they were made of."""
    return lines.score == 1 and lines.period.is_integer()
