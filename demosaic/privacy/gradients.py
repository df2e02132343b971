"""Histograms of oriented gradients (Dalal and Triggs 2005): which way edges run, where in a face.

The arithmetic is that of OpenCV 4's `HOGDescriptor`, which OpenCV 5 leaves out.
"""

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Values = NDArray[np.float32]

_BINS = 9  # directions in half a turn: an edge from dark to light is one from light to dark
_LARGEST = 0.2  # of a block's length; so that one strong edge does not drown the others


def describe_edges(grey: NDArray[np.uint8], cell: int) -> Values:
    """The histograms of a picture (S, S), in cells of `cell` px; S is a multiple of it.

    Blocks of 2 x 2 cells overlap by a cell, and each is scaled to the length 1: for n x n cells
    come back (n - 1)^2 x 4 x 9 values, block by block, down the columns.
    """
    pixels, side = _by_direction(grey), 2 * cell
    # row, column, direction, y, x; numpy 1 types one axis only
    blocks = sliding_window_view(pixels, (side, side), (0, 1))[::cell, ::cell]  # type: ignore[call-overload, unused-ignore]
    histograms = np.tensordot(blocks, _weights(cell), axes=((3, 4), (2, 3)))
    by_column = histograms.transpose(1, 0, 4, 3, 2)  # column, row; in a block x, y, direction
    return _of_length_one(by_column.reshape(-1, 4 * _BINS)).ravel()


def _by_direction(grey: NDArray[np.uint8]) -> Values:
    """Strengths of the gradients (H, W, 9), each shared by the two directions beside its own."""
    padded = np.pad(grey, 1, mode="reflect").astype(np.float32)
    across = padded[1:-1, 2:] - padded[1:-1, :-2]
    down = padded[2:, 1:-1] - padded[:-2, 1:-1]
    direction = np.arctan2(down, across) * (_BINS / np.pi) - 0.5
    lower = np.floor(direction)
    share, strength = direction - lower, np.hypot(across, down)
    planes = np.zeros((*grey.shape, _BINS), np.float32)
    first = lower.astype(np.intp)[..., None] % _BINS
    np.put_along_axis(planes, first, (strength * (1 - share))[..., None], -1)
    np.put_along_axis(planes, (first + 1) % _BINS, (strength * share)[..., None], -1)
    return planes


@lru_cache(maxsize=4)
def _weights(cell: int) -> Values:
    """How much each pixel of a block counts in each of its cells: (2, 2, 2 x cell, 2 x cell)."""
    places = np.arange(2 * cell)
    near = np.exp(-((places - cell) ** 2) / (2 * (cell / 2) ** 2))
    second = (places + 0.5) / cell - 0.5  # linear between the centres of the two cells
    shares = np.stack([np.clip(1 - np.abs(second), 0, 1), np.clip(1 - np.abs(second - 1), 0, 1)])
    side = shares * near
    return np.asarray(side[:, None, :, None] * side[None, :, None, :], np.float32)


def _of_length_one(blocks: Values) -> Values:
    """Blocks (N, D) scaled, cut off at the largest value allowed, and scaled again."""
    lengths = np.linalg.norm(blocks, axis=1, keepdims=True)
    cut = np.minimum(blocks / (lengths + 0.1 * blocks.shape[1]), _LARGEST)
    return np.asarray(cut / (np.linalg.norm(cut, axis=1, keepdims=True) + 1e-3), np.float32)
