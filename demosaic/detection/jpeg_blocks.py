"""The blocks of 8 x 8 pixels in which JPEG codes a picture, and what they explain.

Their edges have steps in every photo saved as JPEG, at one distance across and down, as a mosaic's
cells have. Every rule that allows for this is here.
"""

import numpy as np
from numpy.typing import NDArray

from demosaic.detection.lattice import Lattice, Lines, Positions
from demosaic.imaging.geometry import Box

SIDE = 8
"""Pixels."""

_SAME_PERIOD = 0.4
"""Pixels from the side of one block or two within which a period is that of the blocks."""


def edges(scale: int = 1) -> slice:
    """The edges of blocks along an axis of a picture that was reduced by 1, 2 or 4."""
    return slice(None, None, SIDE // scale)


def on_edge(positions: Positions) -> NDArray[np.bool_]:
    """Which pixels along an axis are the first of a block."""
    on: NDArray[np.bool_] = positions % SIDE == 0
    return on


def has_only_edges(lines: Lines) -> bool:
    """Whether all lines are edges of blocks, and some edges of blocks are no lines."""
    return lines.period > SIDE and lines.period % SIDE == 0 and lines.phase % SIDE == 0


def are_cells(lattice: Lattice) -> bool:
    """Whether all cells of a lattice consist of whole blocks."""
    return all(
        lines.period % SIDE == 0 and lines.phase % SIDE == 0
        for lines in (lattice.across, lattice.down)
    )


def calm_pixels(lines: Lines, low: int, high: int) -> NDArray[np.bool_]:
    """(high - low,): the pixels that are calm in a mosaic with these lines: those inside cells.

    Where all lines are edges of blocks, a photo has steps on them too; then only the other edges of
    blocks are compared with the lines.
    """
    calm = lines.inside_cells(low, high)
    if has_only_edges(lines):
        calm &= on_edge(np.arange(low, high))
    return calm


def calm_window(lattice: Lattice, usual: int) -> int:
    """Pixels over which calm ones are averaged: `usual`, or two blocks where they are sparse."""
    sparse = has_only_edges(lattice.across) or has_only_edges(lattice.down)
    return 2 * SIDE + 1 if sparse else usual


def explain(lattice: Lattice, box: Box) -> bool:
    """Whether most lines between columns or between rows in a box are edges of blocks, at the
    distance of one block or two.
    """
    return any(_explained_axes(lattice, box))


def explain_both_axes(lattice: Lattice, box: Box) -> bool:
    """The same, of the lines between columns and of those between rows. JPEG leaves the cells of
    such a mosaic exactly flat.
    """
    return all(_explained_axes(lattice, box))


def _explained_axes(lattice: Lattice, box: Box) -> tuple[bool, bool]:
    """The same, of the lines between columns, and of those between rows."""
    columns, rows = lattice.positions(box)
    return _are_edges(lattice.across, columns + box.x), _are_edges(lattice.down, rows + box.y)


def _are_edges(lines: Lines, places: Positions) -> bool:
    near = min(abs(lines.period - side) for side in (SIDE, 2 * SIDE)) < _SAME_PERIOD
    return near and bool(on_edge(places).sum() > len(places) / 2)
