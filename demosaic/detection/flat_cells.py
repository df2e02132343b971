"""Flat rectangles of a lossless file, and the mosaics that they are the cells of.

Those of one mosaic fit together, side by side and one on the other, and begin on the lines of one
lattice; where mosaics lie on one another, each has its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from demosaic.detection.lattice import Comb, Lattice, Places, through
from demosaic.imaging.geometry import Box

_Mask = NDArray[np.bool_]

_Numbers = NDArray[np.int32]


_TILED = 0.4  # share of a box

_STRAY = 0.1  # of the tiles along the best line; so few begin elsewhere by chance

_MET = 0.6  # share of lines that a lattice has; of cells of 12.5 px, all lines but 1 in 3

_CELLS = 16  # that fit together, 4 x 4; 9 such lie in 1 clean photo of 100

_FEW = 6  # the same, beside a mosaic with cells of the same sides

_MANY = 200  # sheets; one mosaic that was resized can fall into 2,000, no crowd has so many

_ON_LINES = 0.9  # of the tiles of a part of a mosaic, some of which may be cut


@dataclass(frozen=True)
class Tiles:
    """Flat rectangles, one row each: where they begin, how large they are, and their numbers among
    the flat parts of a picture.
    """

    x: _Numbers
    y: _Numbers
    width: _Numbers
    height: _Numbers
    number: _Numbers

    @property
    def columns(self) -> tuple[_Numbers, ...]:
        """x, y, width, height and number of all."""
        return self.x, self.y, self.width, self.height, self.number

    @property
    def turned(self) -> "Tiles":
        """The tiles of a picture whose rows have become columns."""
        return Tiles(self.y, self.x, self.height, self.width, self.number)

    @cached_property
    def extent(self) -> Box:
        """The smallest box round all of them."""
        x, y = int(self.x.min()), int(self.y.min())
        right, bottom = int((self.x + self.width).max()), int((self.y + self.height).max())
        return Box(x, y, right - x, bottom - y)

    def only(self, which: _Mask) -> "Tiles":
        """Those of the rows given."""
        return Tiles(*(column[which] for column in self.columns))

    def and_those(self, other: "Tiles") -> "Tiles":
        """These tiles and others."""
        return Tiles(*map(np.concatenate, zip(self.columns, other.columns, strict=True)))


@dataclass(frozen=True)
class Sheet:
    """Tiles of one lattice."""

    tiles: Tiles
    lattice: Lattice

    @property
    def fullness(self) -> float:
        """The share of their extent that the tiles cover."""
        return float((self.tiles.width * self.tiles.height).sum()) / self.tiles.extent.area

    @cached_property
    def near(self) -> Box:
        """All that is at most a cell away, beyond the picture too."""
        across, down = round(self.lattice.across.pitch), round(self.lattice.down.pitch)
        x, y, width, height = self.tiles.extent.corners
        return Box(x - across, y - down, width + 2 * across, height + 2 * down)

    def goes_on(self, other: "Sheet") -> bool:
        """Whether another sheet, at most a cell away, has its tiles on the lines of this one: at
        one side at least, as the outermost may be cut.
        """
        if not self.near.shared(other.tiles.extent):
            return False
        tiles = other.tiles
        across = _meets(self.lattice.across, tiles.x, tiles.width)
        down = _meets(self.lattice.down, tiles.y, tiles.height)
        return bool((across & down).mean() > _ON_LINES)


def sheets_of(tiles: Tiles) -> list[Sheet]:
    """The sheets that tiles make up."""
    fitting = _met(_after(tiles)) & _met(_after(tiles.turned))
    if fitting.sum() < _CELLS:
        return []
    tiles = tiles.only(fitting)
    sheets: list[Sheet] = []
    waiting = list(_sets(tiles, _CELLS))
    while waiting:
        some = waiting.pop()
        sheet = _sheet(some)
        if sheet:
            sheets = _joined(sheets, sheet)
        else:
            waiting += _parted(some)
        if len(sheets) > _MANY:
            return []
    for part in _parts(tiles, sheets):
        sheets = _joined(sheets, part)
    return sheets


def _after(tiles: Tiles) -> Places:
    """For each tile the place of the one of its row and height right after it; -1 where none is."""
    lane = (tiles.y.astype(np.int64) << 40) + (tiles.height.astype(np.int64) << 20)
    starts, ends = lane + tiles.x, lane + tiles.x + tiles.width
    order = np.argsort(starts)
    after = order[np.searchsorted(starts, ends, sorter=order).clip(0, len(order) - 1)]
    return np.where(starts[after] == ends, after, -1)


def _met(after: Places) -> _Mask:
    """Which tiles have another after them or are another's."""
    met = after >= 0
    met[after[met]] = True
    return met


def _sets(tiles: Tiles, least: int) -> Iterator[Tiles]:
    """The sets of so many tiles at least in which each has another of its row or column and size
    right beside it, with those beside them that are cut. Where mosaics lie on one another their
    tiles touch, but seldom so.
    """
    right, below = _after(tiles), _after(tiles.turned)
    sets = _linked(_alike(tiles, right), _alike(tiles.turned, below))
    counts = np.bincount(sets)
    sets[counts[sets] < least] = -1
    for after in (right, below):
        sets = _with_cut(sets, after)
    for number in np.nonzero(counts >= least)[0]:
        yield tiles.only(sets == number)


def _parted(tiles: Tiles) -> list[Tiles]:
    """The sets of the tiles that begin on the commonest lines, and those of the others; none, where
    all do or few.
    """
    common = _commonest(tiles.x, tiles.width) & _commonest(tiles.y, tiles.height)
    if not max(_CELLS, _STRAY * len(common)) <= common.sum() < len(common):
        return []
    return [*_sets(tiles.only(common), _CELLS), *_sets(tiles.only(~common), _CELLS)]


def _parts(tiles: Tiles, sheets: list[Sheet]) -> Iterator[Sheet]:
    """Sheets of few tiles, which are no more of their mosaics than others left, where these have
    cells of the same sides.
    """
    known = {(_usual(sheet.tiles.width), _usual(sheet.tiles.height)) for sheet in sheets}
    if not known:
        return
    used = np.concatenate([sheet.tiles.number for sheet in sheets])
    left = tiles.only(~np.isin(tiles.number, used))
    if len(left.x) >= _FEW:
        for some in _sets(left, _FEW):
            if (_usual(some.width), _usual(some.height)) in known:
                yield from filter(None, [_sheet(some)])


def _sheet(tiles: Tiles) -> Sheet | None:
    """The tiles, if they are of one lattice and cover most of the place they lie in."""
    lattice = _lattice(tiles)
    sheet = Sheet(tiles, lattice) if lattice else None
    return sheet if sheet and sheet.fullness > _TILED else None


def _commonest(places: _Numbers, lengths: _Numbers) -> _Mask:
    """Which tiles begin on the lines, of whole pixels, on which the most begin."""
    phases = places % _usual(lengths)
    commonest: _Mask = phases == np.bincount(phases).argmax()
    return commonest


def _usual(lengths: _Numbers) -> int:
    """The median, as one of them: that of two halves may be no side at all."""
    return int(np.partition(lengths, len(lengths) // 2)[len(lengths) // 2])


def _alike(tiles: Tiles, after: Places) -> Places:
    """Of each tile the place of the one after it, if that is as wide, or one is as wide as several
    of the other: cells of one colour are one tile. -1 where it is not.
    """
    short = np.minimum(tiles.width, tiles.width[after])
    long = np.maximum(tiles.width, tiles.width[after])
    several = np.rint(long / short)
    return np.where(np.abs(long - several * short) <= several, after, -1)


def _linked(right: Places, below: Places) -> Places:
    """For each tile the first of those that it is linked with, by links to the next or -1."""
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


def _with_cut(sets: Places, after: Places) -> Places:
    """The sets with tiles of none that lie right before or after one of theirs: those that are cut
    by the end of the mosaic.
    """
    first = np.nonzero(after >= 0)[0]
    second = after[first]
    more = sets.copy()
    for some, others in ((first, second), (second, first)):
        free = sets[some] < 0
        more[some[free]] = sets[others[free]]
    return more


def _meets(comb: Comb, starts: _Numbers, lengths: _Numbers) -> _Mask:
    """Which stretches begin or end on a line."""
    ends = starts + lengths
    lines = comb.lines(int(starts.min()), int(ends.max()) + 1)
    return np.isin(starts, lines) | np.isin(ends, lines)


def _joined(sheets: list[Sheet], new: Sheet) -> list[Sheet]:
    """The sheets with another, which may go on what some of them are."""
    apart = []
    for sheet in sheets:
        small, large = sorted((sheet, new), key=lambda one: len(one.tiles.x))
        both = _with_more(large, small.tiles) if large.goes_on(small) else None
        if both:
            new = both
        else:
            apart.append(sheet)
    return [*apart, new]


def _with_more(sheet: Sheet, more: Tiles) -> Sheet | None:
    """The sheet with tiles on its lines. Only cells of no whole size are measured anew: a large
    mosaic takes in many small parts, and each time that would be a sort of all its tiles.
    """
    tiles, lattice = sheet.tiles.and_those(more), sheet.lattice
    if _is_whole(lattice.across) and _is_whole(lattice.down):
        return Sheet(tiles, lattice)
    measured = _lattice(tiles)
    return Sheet(tiles, measured) if measured else None


def _lattice(tiles: Tiles) -> Lattice | None:
    across = _comb(tiles.x, tiles.width)
    down = _comb(tiles.y, tiles.height)
    if across is None or down is None or min(across.score, down.score) < _MET:
        return None
    return Lattice(across, down)


def _comb(starts: _Numbers, lengths: _Numbers) -> Comb | None:
    """The comb of the tiles' edges; of whole sides, if but the outermost tiles are cut."""
    usual = np.abs(lengths - _usual(lengths)) <= 1
    starts, lengths = starts[usual], lengths[usual]
    places, counts = np.unique(np.concatenate([starts, starts + lengths]), return_counts=True)
    lines, pitch = places[counts > _STRAY * counts.max()], float(lengths.mean())
    every = through(lines, pitch)
    if every and _is_whole(every):
        return every
    cut = (through(some, pitch) for some in (lines[:-1], lines[1:], lines[1:-1]))
    return next((comb for comb in cut if comb and _is_whole(comb)), every)


def _is_whole(comb: Comb) -> bool:
    """Whether a comb of whole pixels has all lines that it was made of."""
    return comb.score == 1 and comb.pitch.is_integer()
