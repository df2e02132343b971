"""Mosaics in lossless files, where every pixel of a cell has exactly its colour.

Flat rectangles that fit together are the cells (`flat_cells`). Nothing in a photo looks like that,
except what JPEG leaves of its smooth parts. Here each mosaic gets its box and its pixels.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.detection.ellipse import nearest_ellipse
from demosaic.detection.flat_cells import CellGroup, FlatCells, group_cells
from demosaic.detection.lattice import Lattice, Lines, Positions, filling_lines
from demosaic.detection.region import trimmed
from demosaic.detection.thresholds import FLAT_CELLS, LOSSLESS
from demosaic.imaging.arrays import Mask, Pixels
from demosaic.imaging.geometry import Box, crop
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours, cell_shares, paint_cells

_Bits = NDArray[np.uint8]
"""A plane of 0 and 1."""

_Numbers = NDArray[np.int32]

_PAIR, _NEIGHBOURS = np.ones((2, 2), np.uint8), np.ones((3, 3), np.uint8)

LEAST_FLAT = 3
"""Pixels a side of the patches in which flat pixels are looked for."""

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


@dataclass(frozen=True)
class FlatMosaic:
    """A mosaic of flat cells."""

    lattice: Lattice
    box: Box
    hidden: Mask
    """(box.height, box.width): True where the picture is mosaic."""

    @property
    def cell_count(self) -> int:
        """How many cells its box has, cut ones among them."""
        rows, columns = self.lattice.grid(self.box).shape(self.box.height, self.box.width)
        return rows * columns


def find_flat_mosaics(image: Pixels) -> Iterator[FlatMosaic]:
    """The mosaics of exactly flat cells in a picture (H, W, 3); no pixel belongs to two."""
    flat = _flat_pixels(image)
    _, parts, stats, _ = cv2.connectedComponentsWithStats(flat, connectivity=4)
    x, y, width, height, area = stats.T
    is_rectangle = (area == width * height) & (np.minimum(width, height) > 1)
    is_rectangle[0] = False  # part 0 is what is not flat
    numbers = np.nonzero(is_rectangle)[0]
    starts = x[is_rectangle], y[is_rectangle]
    sides = width[is_rectangle] + 1, height[is_rectangle] + 1
    groups = group_cells(FlatCells(*starts, *sides, numbers))
    if len(groups) == 1:
        found = iter([_mosaic_of(image, flat, np.zeros_like(flat), groups[0])])
    else:
        found = _mosaics_of(image, flat, np.asarray(parts), groups)
    for mosaic in found:
        if mosaic.cell_count >= FLAT_CELLS.min_cells or _is_seen_by_few_cells(image, flat, mosaic):
            yield mosaic


def _is_seen_by_few_cells(image: Pixels, flat: _Bits, mosaic: FlatMosaic) -> bool:
    """Whether few cells fill a box, have many colours, and lie in what is not flat, as a photo."""
    box = mosaic.box
    around = box.grown(FLAT_CELLS.few_side, FLAT_CELLS.few_side, flat)
    beside = np.ones((around.height, around.width), bool)
    crop(beside, box.seen_from(around))[:] = False
    if not (beside.any() and mosaic.hidden.all()):
        return False
    columns, rows = mosaic.lattice.positions(box)
    cells = crop(image, box)[np.append(0, rows)][:, np.append(0, columns)].reshape(-1, 3)
    colours = len(np.unique(cells, axis=0))
    return (
        colours > FLAT_CELLS.few_colours * len(cells)
        and float(crop(flat, around)[beside].mean()) < FLAT_CELLS.few_flat
    )


def _flat_pixels(image: Pixels) -> _Bits:
    """(H, W): which pixels have the colour of those right, below and diagonally below, in patches
    of at least 3 x 3 pixels.
    """
    colours = cv2.cvtColor(image, cv2.COLOR_RGB2RGBA).view(np.uint32)[:, :, 0]
    across = colours[:, 1:] == colours[:, :-1]
    down = colours[1:, 1:] == colours[:-1, 1:]
    flat = np.zeros(colours.shape, np.uint8)
    flat[:-1, :-1] = across[1:] & across[:-1] & down
    return _with_equals(np.asarray(cv2.erode(flat, _PAIR, anchor=(0, 0)), np.uint8))


def _with_equals(flat: _Bits) -> _Bits:
    """(H, W): the flat pixels and those right, below and diagonally below, which equal them."""
    return np.asarray(cv2.dilate(flat, _PAIR, anchor=(1, 1)), np.uint8)


def _mosaics_of(
    image: Pixels, flat: _Bits, parts: _Numbers, groups: list[CellGroup]
) -> Iterator[FlatMosaic]:
    """A mosaic for each group of cells, first those that fill their boxes: they lie on others."""
    taken = np.zeros_like(flat)
    owners = np.full(int(parts.max()) + 1, -1)
    for number, group in enumerate(groups):
        owners[group.cells.number] = number

    def flat_near(number: int) -> _Bits:
        """What is flat (H, W) near a group, except the cells of others and what is taken."""
        around = groups[number].surroundings.clipped(Box.whole(flat))
        owner = owners[crop(parts, around)]
        own = ((owner == number) | (owner < 0)) & (crop(taken, around) == 0)
        near = np.zeros(flat.shape, np.uint8)
        crop(near, around)[:] = crop(flat, around) & own
        return near

    extents = [
        _extent_of(flat_near(number), taken, group.lattice, group.cells.extent)
        for number, group in enumerate(groups)
    ]
    for number in np.argsort([hidden.mean() for _, hidden in extents])[::-1]:
        group, near = groups[number], flat_near(number)
        if near[group.cells.y, group.cells.x].mean() > 0.5:
            mosaic = _mosaic_of(image, near, taken, group)
            crop(taken, mosaic.box)[:] |= mosaic.hidden
            yield mosaic


def _mosaic_of(image: Pixels, flat: _Bits, taken: _Bits, group: CellGroup) -> FlatMosaic:
    """The mosaic of a group of cells, without what others have taken."""
    lattice = group.lattice
    box, hidden = _extent_of(flat, taken, lattice, group.cells.extent)
    if hidden.all():
        lattice, box = _refined_box(image, lattice, box)
        return FlatMosaic(lattice, box, np.ones((box.height, box.width), bool))
    if not (hidden | crop(taken, box)).all():
        box, hidden = _refined_mask(image, flat, lattice, (box, hidden))
        box, hidden = trimmed(box, _snapped_to_ellipse(hidden) & (crop(taken, box) == 0))
    return FlatMosaic(lattice, box, hidden)


def _extent_of(flat: _Bits, taken: _Bits, lattice: Lattice, core: Box) -> tuple[Box, Mask]:
    """The box and the pixels of a mosaic around the extent of its whole cells: those, and what is
    flat beside them. A part may be taken by others that lie on it.
    """
    around = _with_cut_cells(flat, lattice, core)
    columns, rows = lattice.positions(around)
    within = crop(flat, around).copy()
    within[:, columns - 1] = 0
    within[rows - 1] = 0
    closed = cv2.morphologyEx(_with_equals(within), cv2.MORPH_CLOSE, _NEIGHBOURS)
    seen = _largest_part(closed.astype(bool)) & (crop(taken, around) == 0)
    box, hidden = trimmed(around, seen)
    covered = crop(taken, box).astype(bool)
    return trimmed(box, _snapped_to_box(hidden | covered, lattice) & ~covered)


def _snapped_to_box(mask: Mask, lattice: Lattice) -> Mask:
    """Snap a nearly rectangular mask to its box and drop leftovers too small for a cell, such as a
    plain wall or a faded edge. Otherwise return the mask.
    """
    box: Mask = np.outer(mask.mean(1) > 0.5, mask.mean(0) > 0.5)
    if (mask & box).sum() < LOSSLESS.full * box.sum():
        return mask
    beside = mask & ~box
    if beside.sum() < (1 - LOSSLESS.full) * box.sum():
        return box
    cell = np.ones((round(lattice.down.period), round(lattice.across.period)), np.uint8)
    return mask if cv2.erode(beside.astype(np.uint8), cell, borderValue=(0,)).any() else box


def _with_cut_cells(flat: _Bits, lattice: Lattice, core: Box) -> Box:
    """The core, grown by a cell on each side where the mosaic continues."""
    height, width = flat.shape
    right, bottom = core.x + core.width, core.y + core.height
    across, down = round(lattice.across.period), round(lattice.down.period)
    rows = lattice.down.positions(core.y + 2, bottom - 1) - core.y
    columns = lattice.across.positions(core.x + 2, right - 1) - core.x
    beside, stacked = flat[core.y : bottom], flat[:, core.x : right].T
    whole = core.grown(across, down, flat) == Box.whole(flat)
    left = core.x - across * _continues(beside[:, : core.x][:, ::-1], rows, across, whole=whole)
    top = core.y - down * _continues(stacked[:, : core.y][:, ::-1], columns, down, whole=whole)
    right += across * _continues(beside[:, right:], rows, across, whole=whole)
    bottom += down * _continues(stacked[:, bottom:], columns, down, whole=whole)
    x, y = max(0, left), max(0, top)
    return Box(x, y, min(right, width) - x, min(bottom, height) - y)


def _continues(beyond: _Bits, lines: Positions, length: int, *, whole: bool) -> bool:
    """Whether the first `length` columns beyond an end are mosaic too: the steps between what is
    flat there lie on lines.

    A plain stretch has no steps. It is a wall beside the mosaic or, where the mosaic is about the
    `whole` picture, a part of it.
    """
    here = beyond[:, :length]
    steps = here[:-2] & here[2:] & ~here[1:-1]
    on_lines = int(steps[lines - 2].sum())
    if on_lines > LOSSLESS.min_on_lines * steps.sum():
        return True
    return whole and here.size > 0 and bool(here[:-1].mean() > LOSSLESS.plain)


def _refined_box(image: Pixels, lattice: Lattice, box: Box) -> tuple[Lattice, Box]:
    """The lattice and the box of a mosaic that fills it, with the pixel by which outermost cells
    may be longer.
    """
    columns, rows = lattice.positions(box)
    beside, stacked = image[box.y : box.y + box.height], image[:, box.x : box.x + box.width]
    ends_across, ends_down = (box.x, box.x + box.width), (box.y, box.y + box.height)
    across, left, right = _refined_ends(beside, lattice.across, ends_across, rows)
    transposed = stacked.transpose(1, 0, 2)
    down, top, bottom = _refined_ends(transposed, lattice.down, ends_down, columns)
    return Lattice(across, down), Box(left, top, right - left, bottom - top)


def _refined_ends(
    strip: Pixels, lines: Lines, ends: tuple[int, int], rows: Positions
) -> tuple[Lines, int, int]:
    """The lines between columns of cells in a strip (n, W, 3) with known rows of cells, the first
    pixel of the mosaic and the one after its last.
    """

    def is_mosaic(column: int) -> bool:
        if not 0 <= column < strip.shape[1]:
            return False
        steps = (strip[1:, column] != strip[:-1, column]).any(1)
        return bool(steps[rows - 1].sum() > LOSSLESS.min_on_lines * steps.sum())

    def has_step(line: int) -> bool:
        return bool((strip[:, line] != strip[:, line - 1]).any(1).mean() > 0.5)

    low, high = ends
    low -= _narrow_cells(is_mosaic, range(low - 1, low - LEAST_FLAT - 1, -1))
    high += _narrow_cells(is_mosaic, range(high, high + LEAST_FLAT))
    if not any(map(has_step, lines.slivers(low, high))):
        lines = filling_lines(lines, low, high)
    return lines, low, high


def _narrow_cells(is_mosaic: Callable[[int], bool], beyond: range) -> int:
    """How many columns beyond an end are mosaic too: cells too narrow for a flat patch; 0 where
    there are as many as in a patch, because then the end was placed for another reason.
    """
    count = sum(1 for _ in takewhile(is_mosaic, beyond))
    return 0 if count == len(beyond) else count


def _refined_mask(
    image: Pixels, flat: _Bits, lattice: Lattice, place: tuple[Box, Mask]
) -> tuple[Box, Mask]:
    """The box and the pixels of a mosaic that is no box: the pixels about known, and those nearby
    that have exactly the colour of their cell.
    """
    box, about = place
    around = box.grown(math.ceil(lattice.across.period), math.ceil(lattice.down.period), flat)
    grid, piece = lattice.grid(around), crop(image, around)
    known = np.zeros((around.height, around.width), bool)
    crop(known, box.seen_from(around))[:] = about
    same, in_flat_cell = _cell_coloured(piece, grid, known & crop(flat, around).astype(bool))
    hidden = _largest_part(np.where(in_flat_cell, same, known))
    in_cells = _pixels_of(cell_shares(hidden, grid) > 0, grid, piece)
    touching = cv2.dilate(hidden.astype(np.uint8), _CROSS).astype(bool)
    slivers, _ = _cell_coloured(piece, grid, touching & ~in_cells)
    return trimmed(around, _largest_part(hidden | slivers))


def _snapped_to_ellipse(mask: Mask) -> Mask:
    """Drop what lies beyond the ellipse that a mask nearly fills, such as a plain wall beside it.
    Otherwise return the mask.
    """
    ellipse = nearest_ellipse(mask)
    if (mask & ellipse).sum() < LOSSLESS.full * ellipse.sum():
        return mask
    snapped: Mask = mask & cv2.dilate(ellipse.astype(np.uint8), _NEIGHBOURS).astype(bool)
    return snapped


def _cell_coloured(piece: Pixels, grid: Grid, known: Mask) -> tuple[Mask, Mask]:
    """Which pixels of a piece (h, w, 3) have the one colour of the `known` pixels of their cell,
    and which lie in a cell that has several known pixels, all of one colour; both (h, w).
    """
    rows, columns = grid.edges(*piece.shape[:2])
    colours = cell_colours(piece, grid, known)
    painted = paint_cells(colours, grid, (piece.shape[0], piece.shape[1]))
    same = (piece == painted).all(2)
    all_known, alike = cell_shares(known, grid), cell_shares(known & same, grid)
    several = all_known * np.outer(np.diff(rows), np.diff(columns)) > 1.5
    in_flat_cell = _pixels_of((alike == all_known) & several, grid, piece)
    return same & in_flat_cell, in_flat_cell


def _pixels_of(cells: Mask, grid: Grid, piece: Pixels) -> Mask:
    """(h, w): the pixels of some cells (rows, columns) of a piece (h, w, 3)."""
    painted = paint_cells(cells[None].astype(np.float32), grid, (piece.shape[0], piece.shape[1]))
    return painted[:, :, 0].astype(bool)


def _largest_part(mask: Mask) -> Mask:
    """The largest connected part of a mask (H, W), without its holes."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(contours, key=cv2.contourArea)
    part = cv2.drawContours(np.zeros(mask.shape, np.uint8), [largest], -1, (1,), -1)
    return part.astype(bool)
