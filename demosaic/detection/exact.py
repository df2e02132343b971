"""Mosaics as they come out of lossless files: every pixel of a cell has exactly its colour.

Flat rectangles that fit together are the cells (`tiles`); nothing in a photo looks like that but
what JPEG leaves of its smooth parts. Here it is told how far each mosaic reaches.
"""

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.detection.ellipse import oval
from demosaic.detection.flat_cells import Sheet, Tiles, sheets_of
from demosaic.detection.lattice import Comb, Lattice, Places, ending
from demosaic.imaging.arrays import Mask, Pixels
from demosaic.imaging.geometry import Box, crop
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours, cell_shares, paint_cells

Bits = NDArray[np.uint8]

_Numbers = NDArray[np.int32]


_SQUARE, _GAP = np.ones((2, 2), np.uint8), np.ones((3, 3), np.uint8)

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)

_ALL = 0.9  # of the steps; JPEG's own squares have as many between the lines

_PLAIN = 0.8  # share of flat pixels in cells of 10 px and one colour

_FULL = 0.975  # share of a box; a mosaic that fills it so far is the box (an ellipse fills 0.79)


def flat_mosaics(image: Pixels) -> Iterator[tuple[Lattice, Box, Mask]]:
    """The lattice, box and pixels (box.height, box.width) of each mosaic of flat cells in a picture
    (H, W, 3); no pixel is of two.
    """
    flat = _flat(image)
    _, parts, stats, _ = cv2.connectedComponentsWithStats(flat, connectivity=4)
    x, y, width, height, area = stats.T
    full = (area == width * height) & (np.minimum(width, height) > 1)
    full[0] = False  # what is not flat
    numbers = np.nonzero(full)[0]
    tiles = Tiles(x[full], y[full], width[full] + 1, height[full] + 1, numbers)
    sheets = sheets_of(tiles)
    if len(sheets) == 1:
        yield _mosaic(image, flat, np.zeros_like(flat), sheets[0])
    elif sheets:
        yield from _mosaics(image, flat, np.asarray(parts), sheets)


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


def _mosaics(
    image: Pixels, flat: Bits, parts: _Numbers, sheets: list[Sheet]
) -> Iterator[tuple[Lattice, Box, Mask]]:
    """A mosaic for each sheet of tiles, first those that fill their boxes: they lie on others."""
    taken = np.zeros_like(flat)
    owners = np.full(int(parts.max()) + 1, -1)
    for number, sheet in enumerate(sheets):
        owners[sheet.tiles.number] = number

    def alone(number: int) -> Bits:
        """What is flat (H, W) about a sheet, but for the tiles of others and what is taken."""
        around = sheets[number].near.clipped(Box.whole(flat))
        owner = owners[crop(parts, around)]
        mine = ((owner == number) | (owner < 0)) & (crop(taken, around) == 0)
        seen = np.zeros(flat.shape, np.uint8)
        crop(seen, around)[:] = crop(flat, around) & mine
        return seen

    reached = [
        _reach(alone(number), taken, sheet.lattice, sheet.tiles.extent)
        for number, sheet in enumerate(sheets)
    ]
    for number in np.argsort([hidden.mean() for _, hidden in reached])[::-1]:
        sheet, seen = sheets[number], alone(number)
        if seen[sheet.tiles.y, sheet.tiles.x].mean() > 0.5:
            lattice, box, hidden = _mosaic(image, seen, taken, sheet)
            crop(taken, box)[:] |= hidden
            yield lattice, box, hidden


def _mosaic(image: Pixels, flat: Bits, taken: Bits, sheet: Sheet) -> tuple[Lattice, Box, Mask]:
    """The mosaic that a sheet of tiles is most of, but for what is taken by others."""
    lattice = sheet.lattice
    box, hidden = _reach(flat, taken, lattice, sheet.tiles.extent)
    if hidden.all():
        lattice, box = _ended(image, lattice, box)
        return lattice, box, np.ones((box.height, box.width), bool)
    if not (hidden | crop(taken, box)).all():
        box, hidden = _exact(image, flat, lattice, (box, hidden))
        box, hidden = shrunk(box, _rounded(hidden) & (crop(taken, box) == 0))
    return lattice, box, hidden


def _reach(flat: Bits, taken: Bits, lattice: Lattice, core: Box) -> tuple[Box, Mask]:
    """The box and the pixels of a mosaic, of which a core is known: its whole tiles, and what of
    those around them is flat. What is taken by others may hide a part of it.
    """
    around = _trimmed(flat, lattice, core)
    columns, rows = lattice.lines(around)
    within = crop(flat, around).copy()
    within[:, columns - 1] = 0
    within[rows - 1] = 0
    closed = cv2.morphologyEx(_covered(within), cv2.MORPH_CLOSE, _GAP)
    seen = _filled(closed.astype(bool)) & (crop(taken, around) == 0)
    box, hidden = shrunk(around, seen)
    covered = crop(taken, box).astype(bool)
    return shrunk(box, _boxed(hidden | covered, lattice) & ~covered)


def _boxed(mask: Mask, lattice: Lattice) -> Mask:
    """The box that a mask nearly is, without what beside it is like a mosaic but has no room for a
    cell: a plain wall's, or what is left of cells where a mosaic fades; or else the mask.
    """
    box: Mask = np.outer(mask.mean(1) > 0.5, mask.mean(0) > 0.5)
    if (mask & box).sum() < _FULL * box.sum():
        return mask
    beside = mask & ~box
    if beside.sum() < (1 - _FULL) * box.sum():
        return box
    cell = np.ones((round(lattice.down.pitch), round(lattice.across.pitch)), np.uint8)
    return mask if cv2.erode(beside.astype(np.uint8), cell, borderValue=(0,)).any() else box


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
    crop(known, box.seen_from(around))[:] = about
    same, plain = _coloured(piece, grid, known & crop(flat, around).astype(bool))
    hidden = _filled(np.where(plain, same, known))
    in_cells = _painted(cell_shares(hidden, grid) > 0, grid, piece)
    touching = cv2.dilate(hidden.astype(np.uint8), _CROSS).astype(bool)
    slivers, _ = _coloured(piece, grid, touching & ~in_cells)
    return shrunk(around, _filled(hidden | slivers))


def _rounded(mask: Mask) -> Mask:
    """The ellipse that a mask nearly fills, without what of a plain wall beside it is like a
    mosaic; or else the mask.
    """
    ellipse = oval(mask)
    if (mask & ellipse).sum() < _FULL * ellipse.sum():
        return mask
    rounded: Mask = mask & cv2.dilate(ellipse.astype(np.uint8), _GAP).astype(bool)
    return rounded


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


def shrunk(box: Box, mask: Mask) -> tuple[Box, Mask]:
    """The smallest box round what is set of a mask (box.height, box.width), and that part of it."""
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    top, left = int(rows[0]), int(columns[0])
    inner = Box(left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)
    return Box(box.x + left, box.y + top, inner.width, inner.height), crop(mask, inner)


def _filled(mask: Mask) -> Mask:
    """The largest connected part of a mask, without its holes."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(contours, key=cv2.contourArea)
    whole = cv2.drawContours(np.zeros(mask.shape, np.uint8), [largest], -1, (1,), -1)
    return whole.astype(bool)
