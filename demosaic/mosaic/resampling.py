"""Pictures seen at another size, and the part of them that shows."""

import numpy as np

from demosaic.imaging.arrays import Floats, resize
from demosaic.mosaic.grid import Grid


def surrounded(colours: Floats, multiple: int) -> tuple[Floats, int, int]:
    """The cells with enough copies of the outermost round them to make rows and columns multiples,
    and how many rows and columns were put before.
    """
    _, rows, columns = colours.shape
    more_rows, more_columns = -rows % multiple, -columns % multiple
    top, left = more_rows // 2, more_columns // 2
    padding = ((0, 0), (top, more_rows - top), (left, more_columns - left))
    return np.pad(colours, padding, mode="edge"), top, left


def part_shown(canvas: Floats, grid: Grid, width: int, height: int) -> Floats:
    """The part of a canvas of whole cells that `width` x `height` pixels on `grid` show."""
    left, top = (-grid.left) % grid.width, (-grid.top) % grid.height
    rows, columns = grid.shape(height, width)
    scaled = resize(
        canvas.transpose(1, 2, 0),
        max(width, round(columns * grid.width)),
        max(height, round(rows * grid.height)),
    )
    top, left = (
        min(round(top), scaled.shape[0] - height),
        min(round(left), scaled.shape[1] - width),
    )
    shown: Floats = scaled[top : top + height, left : left + width].transpose(2, 0, 1)
    return shown
