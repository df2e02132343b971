"""Mosaics as they come out of lossless files: every pixel of a cell has exactly its colour.

Flat rectangles that fit together, side by side and one on the other, are the cells; nothing in a
photo looks like that but what JPEG leaves of its smooth parts.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.combs import Comb, Lattice, Places, ending, through
from demosaic.images import Box, Pixels, crop
from demosaic.mosaic import Grid, cell_colours, cell_shares, paint_cells

Mask = NDArray[np.bool_]
Bits = NDArray[np.uint8]
_Numbers = NDArray[np.int32]

_SQUARE, _GAP = np.ones((2, 2), np.uint8), np.ones((3, 3), np.uint8)
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
_TILED = 0.4  # share of a box
_STRAY = 0.1  # of the tiles along the best line; so few begin elsewhere by chance
_MET = 0.6  # share of lines that a lattice has; of cells of 12.5 px, all lines but 1 in 3
_CELLS = 16  # that fit together, 4 x 4; 9 such lie in 1 clean photo of 100
_ALL = 0.9  # of the steps; JPEG's own squares have as many between the lines
_PLAIN = 0.8  # share of flat pixels in cells of 10 px and one colour
_FULL = 0.975  # share of a box; a mosaic that fills it so far is the box (an ellipse fills 0.79)


@dataclass(frozen=True)
class _Tiles:
    """Flat rectangles, one row each: where they begin and how large they are."""

    x: _Numbers
    y: _Numbers
    width: _Numbers
    height: _Numbers

    def only(self, which: NDArray[np.bool_]) -> "_Tiles":
        return _Tiles(self.x[which], self.y[which], self.width[which], self.height[which])


def flat_mosaics(image: Pixels) -> Iterator[tuple[Lattice, Box, Mask]]:
    """The lattice, box and pixels (box.height, box.width) of each mosaic of flat cells in a picture
    (H, W, 3).
    """
    flat = _flat(image)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(flat, connectivity=4)
    x, y, width, height, area = stats.T
    full = (area == width * height) & (np.minimum(width, height) > 1)
    full[0] = False  # what is not flat
    fitting = np.zeros(count, bool)
    numbers = np.nonzero(full)[0]
    tiles = _Tiles(x[full], y[full], width[full] + 1, height[full] + 1)
    fitting[numbers] = _fitting(tiles)
    if fitting.sum() < _CELLS:
        return
    cores = _covered(fitting.astype(np.uint8)[labels])
    yield from _mosaics(image, flat, cores, _Tiles(x, y, width + 1, height + 1).only(fitting))


def _flat(image: Pixels) -> Bits:
    """Which pixels (H, W) have the colour of those to their right, below them and across, in
    patches of 3 x 3 pixels at least.
    """
    colours = cv2.cvtColor(image, cv2.COLOR_RGB2RGBA).view(np.uint32)[:, :, 0]
    across = colours[:, 1:] == colours[:, :-1]
    down = colours[1:, 1:] == colours[:-1, 1:]
    flat = np.zeros(colours.shape, np.uint8)
    flat[:-1, :-1] = across[1:] & across[:-1] & down
    return _covered(np.asarray(cv2.erode(flat, _SQUARE, anchor=(0, 0)), np.uint8))


def _covered(flat: Bits) -> Bits:
    """The pixels that flat ones and those they are like make up."""
    return np.asarray(cv2.dilate(flat, _SQUARE, anchor=(1, 1)), np.uint8)


def _fitting(tiles: _Tiles) -> Mask:
    """Which have another of the same height right beside them and one of the same width right on
    or under them.
    """
    beside = _joined(tiles.x, tiles.width, tiles.y, tiles.height)
    stacked = _joined(tiles.y, tiles.height, tiles.x, tiles.width)
    return beside & stacked


def _joined(place: _Numbers, length: _Numbers, row: _Numbers, thickness: _Numbers) -> Mask:
    """Which begin where another of the same row ends, or end where one begins."""
    lane = (row.astype(np.int64) << 40) + (thickness.astype(np.int64) << 20)
    starts, ends = lane + place, lane + place + length
    return np.isin(starts, ends) | np.isin(ends, starts)


def _mosaics(
    image: Pixels, flat: Bits, cores: Bits, tiles: _Tiles
) -> Iterator[tuple[Lattice, Box, Mask]]:
    """A mosaic for each patch of tiles."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cores, connectivity=8)
    patch = labels[tiles.y, tiles.x]
    for number in range(1, count):
        some = tiles.only(patch == number)
        if len(some.x) < _CELLS:
            continue
        core = Box(*stats[number, :4].tolist())
        lattice = _lattice(some)
        if lattice and (some.width * some.height).sum() > _TILED * core.area:
            box, hidden = _reach(flat, lattice, core)
            if hidden.all():
                lattice, box = _ended(image, lattice, box)
                hidden = np.ones((box.height, box.width), bool)
            else:
                box, hidden = _exact(image, flat, lattice, (box, hidden))
            yield lattice, box, hidden


def _lattice(tiles: _Tiles) -> Lattice | None:
    across = _comb(tiles.x, tiles.width)
    down = _comb(tiles.y, tiles.height)
    if across is None or down is None or min(across.score, down.score) < _MET:
        return None
    return Lattice(across, down)


def _comb(starts: _Numbers, lengths: _Numbers) -> Comb | None:
    """The comb of the tiles' edges; of whole sides, if but the outermost tiles are cut."""
    middle = np.sort(lengths)[len(lengths) // 2]  # the median of two halves may be no side at all
    usual = np.abs(lengths - middle) <= 1
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


def _reach(flat: Bits, lattice: Lattice, core: Box) -> tuple[Box, Mask]:
    """The box and the pixels of a mosaic, of which a core is known: its whole tiles, and what of
    those around them is flat.
    """
    around = _trimmed(flat, lattice, core)
    columns, rows = lattice.lines(around)
    within = crop(flat, around).copy()
    within[:, columns - 1] = 0
    within[rows - 1] = 0
    closed = cv2.morphologyEx(_covered(within), cv2.MORPH_CLOSE, _GAP)
    box, hidden = _bounded(_filled(closed.astype(bool)))
    if hidden.mean() > _FULL:  # a box, of whose ends a plain wall beside it is no part
        inner, hidden = _bounded(np.outer(hidden.mean(1) > 0.5, hidden.mean(0) > 0.5))
        box = Box(box.x + inner.x, box.y + inner.y, inner.width, inner.height)
    return Box(around.x + box.x, around.y + box.y, box.width, box.height), hidden


def _trimmed(flat: Bits, lattice: Lattice, core: Box) -> Box:
    """The core and, on each side where these are mosaic too, the cells next to it."""
    height, width = flat.shape
    right, bottom = core.x + core.width, core.y + core.height
    across, down = round(lattice.across.pitch), round(lattice.down.pitch)
    rows = lattice.down.lines(core.y + 2, bottom - 1) - core.y
    columns = lattice.across.lines(core.x + 2, right - 1) - core.x
    beside, stacked = flat[core.y : bottom], flat[:, core.x : right].T
    whole = core.grown(across, down, flat) == Box.whole(flat)
    left = core.x - across * _goes_on(beside[:, : core.x][:, ::-1], rows, across, whole=whole)
    top = core.y - down * _goes_on(stacked[:, : core.y][:, ::-1], columns, down, whole=whole)
    right += across * _goes_on(beside[:, right:], rows, across, whole=whole)
    bottom += down * _goes_on(stacked[:, bottom:], columns, down, whole=whole)
    x, y = max(0, left), max(0, top)
    return Box(x, y, min(right, width) - x, min(bottom, height) - y)


def _goes_on(beyond: Bits, lines: Places, length: int, *, whole: bool) -> bool:
    """Whether the first `length` pixels beyond an edge are mosaic too: steps between what is flat
    lie on the lines. What is plain is a wall beside the mosaic, or part of one of the `whole`
    picture.
    """
    here = beyond[:, :length]
    steps = here[:-2] & here[2:] & ~here[1:-1]
    on_lines = int(steps[lines - 2].sum())
    if on_lines > _ALL * steps.sum():
        return True
    return whole and here.size > 0 and bool(here[:-1].mean() > _PLAIN)


def _ended(image: Pixels, lattice: Lattice, box: Box) -> tuple[Lattice, Box]:
    """The lattice and the box of a mosaic that fills it, with what of its outermost cells lies a
    pixel beyond.
    """
    columns, rows = lattice.lines(box)
    beside, stacked = image[box.y : box.y + box.height], image[:, box.x : box.x + box.width]
    across, left, right = _ending(beside, lattice.across, (box.x, box.x + box.width), rows)
    turned = stacked.transpose(1, 0, 2)
    down, top, bottom = _ending(turned, lattice.down, (box.y, box.y + box.height), columns)
    return Lattice(across, down), Box(left, top, right - left, bottom - top)


def _ending(
    strip: Pixels, comb: Comb, ends: tuple[int, int], rows: Places
) -> tuple[Comb, int, int]:
    """The comb of the columns of cells in a strip, and where the first begins and the last ends."""

    def is_mosaic(column: int) -> bool:
        if not 0 <= column < strip.shape[1]:
            return False
        steps = (strip[1:, column] != strip[:-1, column]).any(1)
        return bool(steps[rows - 1].sum() > _ALL * steps.sum())

    def parted(line: int) -> bool:
        return bool((strip[:, line] != strip[:, line - 1]).any(1).mean() > 0.5)

    low, high = ends
    low -= is_mosaic(low - 1) and not is_mosaic(low - 2)
    high += is_mosaic(high) and not is_mosaic(high + 1)
    if not any(map(parted, comb.slivers(low, high))):
        comb = ending(comb, low, high)
    return comb, low, high


def _exact(
    image: Pixels, flat: Bits, lattice: Lattice, place: tuple[Box, Mask]
) -> tuple[Box, Mask]:
    """The box and the pixels of a mosaic that is no box: of those about known to be, and of those
    round them, the ones that have the very colour of their cell.
    """
    box, about = place
    around = box.grown(math.ceil(lattice.across.pitch), math.ceil(lattice.down.pitch), flat)
    grid, piece = lattice.grid(around), crop(image, around)
    known = np.zeros((around.height, around.width), bool)
    crop(known, Box(box.x - around.x, box.y - around.y, box.width, box.height))[:] = about
    same, plain = _coloured(piece, grid, known & crop(flat, around).astype(bool))
    hidden = _filled(np.where(plain, same, known))
    in_cells = _painted(cell_shares(hidden, grid) > 0, grid, piece)
    touching = cv2.dilate(hidden.astype(np.uint8), _CROSS).astype(bool)
    slivers, _ = _coloured(piece, grid, touching & ~in_cells)
    inner, hidden = _bounded(_filled(hidden | slivers))
    return Box(around.x + inner.x, around.y + inner.y, inner.width, inner.height), hidden


def _coloured(piece: Pixels, grid: Grid, known: Mask) -> tuple[Mask, Mask]:
    """Which pixels have the one colour that those `known` of their cell have, and which lie in a
    cell where these, two or more, have one.
    """
    rows, columns = grid.edges(*piece.shape[:2])
    colours = cell_colours(piece, grid, known)
    painted = paint_cells(colours, grid, (piece.shape[0], piece.shape[1]))
    same = (piece == painted).all(2)
    all_known, alike = cell_shares(known, grid), cell_shares(known & same, grid)
    several = all_known * np.outer(np.diff(rows), np.diff(columns)) > 1.5
    plain = _painted((alike == all_known) & several, grid, piece)
    return same & plain, plain


def _painted(which: Mask, grid: Grid, piece: Pixels) -> Mask:
    """The pixels of some cells (rows, columns) of a piece."""
    painted = paint_cells(which[None].astype(np.float32), grid, (piece.shape[0], piece.shape[1]))
    return painted[:, :, 0].astype(bool)


def _bounded(mask: Mask) -> tuple[Box, Mask]:
    """The smallest box round what is set, and what of the mask it holds."""
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    box = Box(
        int(columns[0]),
        int(rows[0]),
        int(columns[-1] - columns[0]) + 1,
        int(rows[-1] - rows[0]) + 1,
    )
    return box, crop(mask, box)


def _filled(mask: Mask) -> Mask:
    """The largest connected part of a mask, without its holes."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(contours, key=cv2.contourArea)
    whole = cv2.drawContours(np.zeros(mask.shape, np.uint8), [largest], -1, (1,), -1)
    return whole.astype(bool)
