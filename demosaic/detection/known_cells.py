"""Mosaics whose cells have a known size, also few cells in a compressed picture.

Where the side of a cell is known, each place is compared with those a cell further on: a cell is
flat beside its steps to its neighbours. For each phase of the lattice, cells that touch are a
mosaic.
"""

from collections.abc import Iterator

import cv2
import numpy as np

from demosaic.detection.extent import columns_seen_in
from demosaic.detection.gradients import Luma, Steps, confidence_of, profiles_of
from demosaic.detection.lattice import Lattice, Lines, margin
from demosaic.detection.region import Region, explained, filled, known_share
from demosaic.detection.thresholds import KNOWN_CELLS
from demosaic.imaging.arrays import Doubles, Mask, Pixels, to_grey
from demosaic.imaging.geometry import Box


def find_cells_of_size(image: Pixels, cell: tuple[int, int]) -> list[Region]:
    """The mosaics in a picture (H, W, 3) whose cells are so many pixels wide and high, 3 or more,
    from 2 x 2 cells on; those that hide the most pixels first.
    """
    luma = to_grey(image)
    if (
        min(cell) < KNOWN_CELLS.min_side
        or luma.shape[1] < 2 * cell[0]
        or luma.shape[0] < 2 * cell[1]
    ):
        return []
    steps = Steps.of(luma)
    cells = _flat_cells(luma, cell)
    found = filter(None, (_region_at(steps, cell, box) for box in _boxes_of(cells, cell)))
    kept: list[Region] = []
    for region in sorted(found, key=explained, reverse=True):
        if not known_share(region.box, kept):
            kept.append(region)
    return kept


def _flat_cells(luma: Luma, cell: tuple[int, int]) -> Mask:
    """(rows, columns): whether a cell that begins at each pixel is flat beside its steps, which are
    the squared differences of the two pixels on either side of each of its four edges.
    """
    wide, high = cell
    left_out = margin(wide), margin(high)
    sums, squares = (table.astype(np.float64) for table in cv2.integral2(luma, sdepth=cv2.CV_64F))
    inside = wide - 2 * left_out[0], high - 2 * left_out[1]
    rows, columns = luma.shape[0] - high + 1, luma.shape[1] - wide + 1
    place = np.s_[left_out[1] : left_out[1] + rows, left_out[0] : left_out[0] + columns]
    variance = (_means_of(squares, inside) - _means_of(sums, inside) ** 2)[place]
    beside = _squared_steps(_means_of(sums, (2, high)).T, wide, columns).transpose(0, 2, 1)
    stacked = _squared_steps(_means_of(sums, (wide, 2)), high, rows)
    # A smooth place beside a mosaic has one such edge, a cell that is like a neighbour three
    squared_step: Doubles = np.partition(np.concatenate([beside, stacked]), 1, axis=0)[1]
    flat: Mask = variance < KNOWN_CELLS.uneven * squared_step
    return flat & (squared_step > KNOWN_CELLS.min_step**2)


def _squared_steps(pairs: Doubles, side: int, count: int) -> Doubles:
    """(2, count, n): the squared steps at the first and at the last edge of cells of a side, from
    the means of two pixels that begin at each one; 0 at the ends of the picture.
    """
    steps = np.zeros((2, count, pairs.shape[1]))
    differences = np.square(pairs[2:] - pairs[:-2])  # element k is the step at pixel k + 2
    steps[0, 2:] = differences[: count - 2]
    steps[1, : len(differences) - side + 2] = differences[side - 2 :]
    return steps


def _means_of(table: Doubles, window: tuple[int, int]) -> Doubles:
    """The mean in a window (width, height) that begins at each pixel, from a summed-area table."""
    wide, high = window
    sums = table[high:, wide:] - table[:-high, wide:] - table[high:, :-wide] + table[:-high, :-wide]
    means: Doubles = sums / (wide * high)
    return means


def _boxes_of(cells: Mask, cell: tuple[int, int]) -> Iterator[Box]:
    """The boxes of at least 2 x 2 flat cells that touch, for each phase of the lattice."""
    wide, high = cell
    for top in range(min(high, cells.shape[0])):
        for left in range(min(wide, cells.shape[1])):
            at_phase = cells[top::high, left::wide].astype(np.uint8)
            if at_phase.sum() < KNOWN_CELLS.min_cells:
                continue
            _, _, stats, _ = cv2.connectedComponentsWithStats(at_phase, connectivity=4)
            for x, y, columns, rows, count in stats[1:].tolist():
                if min(columns, rows) > 1 and count > KNOWN_CELLS.min_fill * columns * rows:
                    yield Box(left + x * wide, top + y * high, columns * wide, rows * high)


def _region_at(steps: Steps, cell: tuple[int, int], box: Box) -> Region | None:
    """The mosaic of some cells, with the cut ones beside them; None if its lines are not clear."""
    lattice = Lattice(Lines(cell[0], box.x), Lines(cell[1], box.y))
    confidence = confidence_of(profiles_of(steps, box), lattice, box)
    if confidence < KNOWN_CELLS.min_confidence:
        return None
    columns, rows = (box.x, box.x + box.width), (box.y, box.y + box.height)
    left, right = _with_cut_cells(columns, columns_seen_in(steps, lattice, rows, columns), cell[0])
    seen = columns_seen_in(steps.transposed, lattice.transposed, columns, rows)
    top, bottom = _with_cut_cells(rows, seen, cell[1])
    whole = Box(left, top, right - left, bottom - top)
    return filled(whole, lattice.grid(whole))


def _with_cut_cells(core: tuple[int, int], seen: tuple[int, int], side: int) -> tuple[int, int]:
    """The ends of a stretch of whole cells, with what is seen beyond them: less than a cell, and
    more than the pixel that compression blurs.
    """
    before, after = (
        length if 1 < length < side else 0 for length in (core[0] - seen[0], seen[1] - core[1])
    )
    return core[0] - before, core[1] + after
