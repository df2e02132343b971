"""How far a mosaic extends from a box that holds most of it.

On a photo, steps on the lines of a lattice are as large as between them. In a mosaic they are large
on lines and small between. So each column is evidence for or against a mosaic, and the mosaic is
the stretch with the largest sum.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from demosaic.detection import jpeg_blocks
from demosaic.detection.gradients import Luma, Steps, mean_along
from demosaic.detection.lattice import Lattice, Lines, Positions
from demosaic.detection.thresholds import FIT, OUTLINE
from demosaic.imaging.arrays import Floats
from demosaic.imaging.geometry import Box, crop

_Span = tuple[int, int]
"""The first pixel of a stretch and the one after its last."""


@dataclass(frozen=True)
class Extent:
    """How far a mosaic extends, about to the pixel."""

    box: Box
    across: Floats
    """(W,): the evidence for a mosaic in each column of the picture, about -1..1."""
    down: Floats
    """(H,): the same in each row."""

    def only(self, box: Box) -> "Extent":
        """The extent in a box: what is outside speaks against a mosaic."""
        across, down = np.full_like(self.across, -1), np.full_like(self.down, -1)
        columns, rows = slice(box.x, box.x + box.width), slice(box.y, box.y + box.height)
        across[columns], down[rows] = self.across[columns], self.down[rows]
        return Extent(box, across, down)


def find_extent(steps: Steps, lattice: Lattice, core: Box, within: Box) -> Extent | None:
    """The extent of a mosaic inside `within`, from a box that has most of it or lies in its middle;
    None where it has fewer cells than a mosaic.
    """
    columns: _Span = (core.x, core.x + core.width)
    rows: _Span = (core.y, core.y + core.height)
    for _ in range(2):  # rows are judged again in the columns found, columns in the rows
        across = _column_evidence(steps.down, lattice, rows, columns)
        across[: within.x] = across[within.x + within.width :] = -1
        columns = _best_span(across, lattice.across, columns)
        if columns[1] <= columns[0]:
            return None
        down = _column_evidence(steps.transposed.down, lattice.transposed, columns, rows)
        down[: within.y] = down[within.y + within.height :] = -1
        rows = _best_span(down, lattice.down, rows)
        if rows[1] <= rows[0]:
            return None
    box = Box(columns[0], rows[0], columns[1] - columns[0], rows[1] - rows[0])
    cells = FIT.min_cells - FIT.end_tolerance
    if box.width < cells * lattice.across.period or box.height < cells * lattice.down.period:
        return None
    return Extent(box, across, down)


def without_photo(steps: Steps, lattice: Lattice, box: Box) -> Box:
    """A box without the ends whose cells are not calm along both axes, where its lattice is known
    to the pixel. Hair and foliage beside a mosaic may be calm along one axis.
    """
    turned = Box(box.y, box.x, box.height, box.width)
    x, right = _span_of_cells(_cell_evidence(steps, lattice, box), lattice.across.shifted(-box.x))
    y, bottom = _span_of_cells(
        _cell_evidence(steps.transposed, lattice.transposed, turned), lattice.down.shifted(-box.y)
    )
    return Box(box.x + x, box.y + y, right - x, bottom - y)


def columns_seen_in(steps: Steps, lattice: Lattice, rows: _Span, core: _Span) -> _Span:
    """The first column of a mosaic and the one after its last, as some of its rows show them, from
    columns that are mosaic.
    """
    evidence = _column_evidence(steps.down, lattice, rows, core)
    return _best_span(evidence, lattice.across, core)


def _span_of_cells(evidence: Floats, lines: Lines) -> _Span:
    """The stretch with the most evidence (n,); all of it except ends that speak clearly against a
    mosaic.
    """
    first, last = _best_span(evidence, lines, (0, len(evidence)))
    return (
        first if evidence[:first].sum() < -FIT.gap else 0,
        last if evidence[last:].sum() < -FIT.gap else len(evidence),
    )


def _cell_evidence(steps: Steps, lattice: Lattice, box: Box) -> Floats:
    """(box.width,): for each column of a box the evidence for a mosaic, as `_column_evidence`, but
    from the steps along both axes: those down in the column, and those across in its cells.
    """
    part = Steps(crop(steps.across, box), crop(steps.down, box))
    columns, rows = lattice.positions(box)
    calm_rows = jpeg_blocks.calm_pixels(lattice.down, box.y, box.y + box.height)
    calm_columns = jpeg_blocks.calm_pixels(lattice.across, box.x, box.x + box.width)
    if not (len(rows) > 1 and len(columns) > 1 and calm_rows.any() and calm_columns.any()):
        return np.ones(box.width, np.float32)
    mean_across = mean_along(part.across, 0)
    cell = np.searchsorted(columns, np.arange(box.width), side="right")
    count = np.bincount(cell, calm_columns, len(columns) + 1)
    in_cells = np.bincount(cell, calm_columns * mean_across, len(columns) + 1) / np.maximum(
        count, 1
    )
    on_lines = mean_across[columns]
    least = np.minimum(np.append(on_lines[0], on_lines), np.append(on_lines, on_lines[-1]))
    edge = mean_along(part.down[rows], 0) + least[cell]
    calm = mean_along(part.down[calm_rows], 0) + np.where(count > 0, in_cells, 0)[cell]
    ratios = (calm + OUTLINE.noise) / (edge + OUTLINE.noise)
    return _evidence(edge, calm, float(np.quantile(ratios, 0.25)))


def _column_evidence(plane: Luma, lattice: Lattice, rows: _Span, core: _Span) -> Floats:
    """(W,): for each column of the steps down (H, W), the evidence for a mosaic in some rows, about
    -1..1.

    The steps between lines are compared with two predictions: as large as on the lines (a photo),
    or as small a share of these as in the columns of the core (the mosaic).
    """
    low, high = max(1, rows[0]), rows[1]
    on_lines = lattice.down.positions(low, high)
    between = jpeg_blocks.calm_pixels(lattice.down, low, high)
    if len(on_lines) < 2 or not between.any():
        return np.full(plane.shape[1], np.float32(-1))
    edge, calm = mean_along(plane[on_lines], 0), mean_along(plane[low:high][between], 0)
    noise = OUTLINE.noise
    ratios = (calm + noise)[slice(*core)] / (edge + noise)[slice(*core)]
    quarter = len(ratios) // 4
    share = float(np.partition(ratios, quarter)[quarter]) if len(ratios) else 1.0
    return _evidence(edge, calm, share)


def _evidence(edge: Floats, calm: Floats, share: float) -> Floats:
    """The evidence for a mosaic, about -1..1, of steps on lines and between them, which are as
    large in a photo, and so small a share of those on lines in the mosaic.
    """
    noise = OUTLINE.noise
    seen = np.log(calm + noise)
    below_photo = np.log(edge + noise) - seen
    above_mosaic = seen - np.log(share * edge + noise)
    evidence = np.maximum(below_photo, 0) ** 2 - np.maximum(above_mosaic, 0) ** 2
    clipped: Floats = np.clip(2 * evidence, -1, 1).astype(np.float32) - np.float32(OUTLINE.doubt)
    return clipped


def _best_span(evidence: Floats, lines: Lines, core: _Span) -> _Span:
    """The unbroken stretch with the most evidence in the core, its ends moved onto lines where that
    costs little; an empty one if there is none.
    """
    sums = np.concatenate([[0.0], np.cumsum(evidence)])

    def in_core(span: _Span) -> float:
        start, end = np.clip(span, *core)
        return float(sums[end] - sums[start])

    start, end = max(_unbroken(sums), key=in_core, default=(0, 0))
    if start == end:
        return start, end
    positions = np.concatenate([[0], lines.positions(1, len(evidence)), [len(evidence)]])
    first = _snapped(start, positions, -sums, lines.period)
    last = _snapped(end, positions, sums, lines.period)
    first -= _has_extra_column(evidence[:first][::-1], first - 1)
    return first, last + _has_extra_column(evidence[last:], last + 1)


def _unbroken(sums: Floats) -> Iterator[_Span]:
    """The stretches with the largest sums, from the sums (n + 1,) before each column, divided where
    the sum falls by `FIT.gap`: there lies a picture between two mosaics.

    Kadane's algorithm, which begins anew after such a fall too.
    """
    values, start, top = sums.tolist(), 0, 0
    for place, value in enumerate(values):
        if value <= values[start] or value < values[top] - FIT.gap:
            if top > start:
                yield start, top
            start = top = place
        elif value > values[top]:
            top = place
    if top > start:
        yield start, top


def _has_extra_column(beyond: Floats, end: int) -> bool:
    """Whether exactly one column beyond an end belongs to the mosaic: where a program fills a box
    with cells of whole sides, one may be a pixel longer. At an edge of JPEG's blocks the calm ends
    anyway, so a change there proves nothing.
    """
    enough = FIT.extra_column
    plainly = len(beyond) > 1 and bool(beyond[0] > enough and beyond[1] < -enough)
    return plainly and end % jpeg_blocks.SIDE != 0


def _snapped(place: int, positions: Positions, worth: Floats, period: float) -> int:
    """The best line within half a period of a place, unless the place is worth clearly more."""
    near = positions[np.abs(positions - place) <= period / 2 + 1]
    if len(near) == 0:
        return place
    best = int(near[np.argmax(worth[near])])
    cost = max(FIT.min_snap_cost, FIT.snap_cost * period)
    return best if worth[place] - worth[best] < cost else place
