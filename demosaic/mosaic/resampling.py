"""Cells padded for a network, and pictures of whole cells cropped to what a grid shows."""

import numpy as np

from demosaic.imaging.arrays import Floats, resize
from demosaic.mosaic.grid import Grid


def padded_cells(colours: Floats, multiple: int) -> tuple[Floats, int, int]:
    """The cells (3, rows, columns), padded with copies of the outermost ones until rows and columns
    are multiples of `multiple`; and the number of rows and columns added before.
    """
    _, rows, columns = colours.shape
    more_rows, more_columns = -rows % multiple, -columns % multiple
    top, left = more_rows // 2, more_columns // 2
    padding = ((0, 0), (top, more_rows - top), (left, more_columns - left))
    return np.pad(colours, padding, mode="edge"), top, left


def cropped_to_grid(canvas: Floats, grid: Grid, width: int, height: int) -> Floats:
    """The part of a canvas of whole cells, (3, h, w) at any scale, that `width` x `height` pixels
    on `grid` show: (3, height, width).
    """
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
