"""The inputs of the default recipe's network, the same in training and at use.

The mosaic itself is a poor input: its blocks are edges that the result must not have. The network
sees `base` instead, the smooth image with the same cell means. Beside it, it sees which pixels are
mosaic, where in its cell each point lies, how large the cells are, and where in the picture each
point is. Its output is reconciled with the cells by the same matrices.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from demosaic.imaging.arrays import Floats, Pixels, to_float
from demosaic.imaging.geometry import Box
from demosaic.mosaic.grid import Axis, Grid

COARSE = 4
"""Pixels of a picture along one side of a point of the guide."""

GUIDES = 9
"""Planes of the guide: phase in the cell (sine and cosine, down and across), cell height and width,
place in the picture (down and across), consistency.
"""

_MIDDLE, _REACH = 3.5, 1.5  # of the logarithms (base 2) of 4 to 32 px

MULTIPLE = 32
"""Sides of a batch of views are multiples of this many pixels."""


@dataclass(frozen=True)
class Observation:
    """One picture (H, W) with a mosaic in it, as a network sees it; values in [-1, 1]."""

    seen: Floats
    """(3, H, W): `base` where there is mosaic, the picture elsewhere."""
    hidden: Floats
    """(1, H, W): 1 where there is mosaic, 0 elsewhere."""
    guide: Floats
    """(GUIDES, H / COARSE, W / COARSE), rounded up."""
    colours: Floats
    """(3, rows, columns): the means that the cells are to have."""
    down: Axis
    across: Axis
    box: Box
    """The rectangle that the cells fill."""
    consistency: float
    """How far the result's cells are pulled to their means, 0..1."""


def observe(
    picture: Pixels,
    grid: Grid,
    *,
    box: Box | None = None,
    hidden: NDArray[np.bool_] | None = None,
    consistency: float = 1.0,
) -> Observation:
    """A picture (H, W, 3) with a mosaic on `grid`, which begins in the corner of `box` and covers
    the pixels `hidden` (H, W) of it. Without a box the mosaic fills the picture, without `hidden`
    the box. `consistency` (0..1) is how far the result's cells are pulled to their means.
    """
    box = box or Box.whole(picture)
    levels = to_float(picture)
    inside = (..., slice(box.y, box.y + box.height), slice(box.x, box.x + box.width))
    mask = np.zeros((1, *picture.shape[:2]), np.float32)
    mask[inside] = 1.0 if hidden is None else hidden[inside]
    down = Axis.of(box.height, grid.height, grid.top)
    across = Axis.of(box.width, grid.width, grid.left)
    colours = _colours(levels[inside], mask[inside], down, across)
    smooth = down.smoothing @ colours @ across.smoothing.T
    np.copyto(levels[inside], smooth, where=mask[inside] > 0)
    guide = _guide((picture.shape[0], picture.shape[1]), grid, box, consistency)
    return Observation(levels, mask, guide, colours, down, across, box, consistency)


def _colours(levels: Floats, mask: Floats, down: Axis, across: Axis) -> Floats:
    """The mean of each cell's mosaicked pixels, or of all its pixels if none is: (3, rows,
    columns), from an image (3, H, W) and its mask (1, H, W).
    """
    everything = np.asarray(down.averaging @ levels @ across.averaging.T, np.float32)
    if mask.all():
        return everything
    area = down.averaging @ mask @ across.averaging.T
    sums = down.averaging @ (levels * mask) @ across.averaging.T
    return np.asarray(np.where(area > 0, sums / np.maximum(area, 1e-6), everything), np.float32)


def _guide(size: tuple[int, int], grid: Grid, box: Box, consistency: float) -> Floats:
    height, width = (-(-side // COARSE) for side in size)
    guide = np.zeros((GUIDES, height, width), np.float32)
    guide[0:2] = _phase(height, grid.height, grid.top, box.y, box.height)[:, :, None]
    guide[2:4] = _phase(width, grid.width, grid.left, box.x, box.width)[:, None, :]
    guide[4], guide[5] = _log_size(grid.height), _log_size(grid.width)
    guide[6] = np.linspace(-1, 1, height)[:, None]
    guide[7] = np.linspace(-1, 1, width)[None, :]
    guide[8] = consistency
    return guide


def _phase(points: int, cell: float, offset: float, start: int, length: int) -> Floats:
    """Sine and cosine (2, points) of where in its cell each point lies; 0 outside the box."""
    place = (np.arange(points) + 0.5) * COARSE - start
    angle = 2 * np.pi * (place - offset) / cell
    inside = (place > 0) & (place < length)
    phase: Floats = (np.stack([np.sin(angle), np.cos(angle)]) * inside).astype(np.float32)
    return phase


def _log_size(cell: float) -> float:
    """-1 at 4 px, 1 at 32 px."""
    return (float(np.log2(cell)) - _MIDDLE) / _REACH


def cell_logs(guide: Tensor) -> Tensor:
    """The logarithm (base 2) of the side of each picture's cells, (N,), from the guide of `Views`;
    the geometric mean of the sides when these differ.
    """
    return guide[:, 4:6, 0, 0].mean(1) * _REACH + _MIDDLE


@dataclass(frozen=True)
class Views:
    """A batch of observations as tensors (N, ..., H, W); H and W are multiples of MULTIPLE."""

    seen: Tensor
    hidden: Tensor
    guide: Tensor
    colours: Tensor
    """(N, 3, K, L); grids smaller than the largest of the batch are filled up with zeros."""
    means_down: Tensor
    """(N, 1, K, H): `means_down @ image @ means_across^T` are the cells of an image."""
    means_across: Tensor
    """(N, 1, L, W)."""
    smooth_down: Tensor
    """(N, 1, H, K): `smooth_down @ cells @ smooth_across^T` is the smooth image of cells."""
    smooth_across: Tensor
    """(N, 1, W, L)."""
    pull: Tensor
    """(N, 1, 1, 1): each observation's consistency."""

    def to(self, device: torch.device) -> "Views":
        """The same on the device. The planes stay contiguous, which is fastest here."""
        return self.each(lambda tensor: tensor.to(device))

    def each(self, change: Callable[[Tensor], Tensor]) -> "Views":
        """The same, each tensor changed."""
        return Views(**{name: change(value) for name, value in vars(self).items()})

    def part(self, which: slice) -> "Views":
        """Some of the batch."""
        return self.each(lambda tensor: tensor[which])

    def reconcile(self, restored: Tensor) -> Tensor:
        """Images `restored` (N, 3, H, W) in about [-1, 1], changed to agree with the cells; where
        the picture is visible, they are the picture.

        The difference of the cells is added as a smooth image with those means, B (c - A x). The
        nearest image that agrees (`mosaic.operators.reconcile`) would shift whole cells, which
        shows their edges. In a cell that is partly visible, only the hidden pixels change.
        """
        image = torch.lerp(self.seen, restored, self.hidden)
        lacking = (self.colours - self._cells(image)) * self.pull
        smooth = self.smooth_down @ lacking @ self.smooth_across.transpose(-1, -2)
        return torch.addcmul(image, self.hidden, smooth)

    def with_cells_of(self, image: Tensor) -> "Views":
        """The same views, except that `reconcile` gives the cells of an image (N, 3, H, W) exactly,
        however certain the colours observed are.
        """
        return replace(self, colours=self._cells(image), pull=torch.ones_like(self.pull))

    def _cells(self, image: Tensor) -> Tensor:
        return self.means_down @ image @ self.means_across.transpose(-1, -2)


def views(observations: Sequence[Observation]) -> Views:
    """Observations of any sizes as one batch; smaller ones are filled up at the bottom and on the
    right with copies of the pixels at the edge.
    """
    height, width = (
        -(-max(one.seen.shape[axis] for one in observations) // MULTIPLE) * MULTIPLE
        for axis in (1, 2)
    )
    rows, columns = (max(seen.colours.shape[axis] for seen in observations) for axis in (1, 2))
    return Views(
        seen=_stacked([_grown(one.seen, height, width) for one in observations]),
        hidden=_stacked([_grown(one.hidden, height, width) for one in observations]),
        guide=_stacked(
            [_grown(one.guide, height // COARSE, width // COARSE) for one in observations]
        ),
        colours=_stacked([_placed(one.colours, (3, rows, columns)) for one in observations]),
        means_down=_stacked(
            [_shifted(one.down.averaging, (rows, height), left=one.box.y) for one in observations]
        ),
        means_across=_stacked(
            [
                _shifted(one.across.averaging, (columns, width), left=one.box.x)
                for one in observations
            ]
        ),
        smooth_down=_stacked(
            [_shifted(one.down.smoothing, (height, rows), top=one.box.y) for one in observations]
        ),
        smooth_across=_stacked(
            [
                _shifted(one.across.smoothing, (width, columns), top=one.box.x)
                for one in observations
            ]
        ),
        pull=torch.tensor([[[[one.consistency]]] for one in observations]),
    )


def _stacked(arrays: Sequence[Floats]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))


def _grown(planes: Floats, height: int, width: int) -> Floats:
    more = (height - planes.shape[1], width - planes.shape[2])
    if not any(more):
        return planes
    return np.pad(planes, ((0, 0), (0, more[0]), (0, more[1])), mode="edge")


def _placed(planes: Floats, shape: tuple[int, int, int]) -> Floats:
    """The planes in the top-left corner of zeros of `shape`."""
    placed = np.zeros(shape, np.float32)
    placed[:, : planes.shape[1], : planes.shape[2]] = planes
    return placed


def _shifted(matrix: Floats, shape: tuple[int, int], *, top: int = 0, left: int = 0) -> Floats:
    """The matrix in a plane (1, *shape) of zeros, at `top` and `left`."""
    placed = np.zeros((1, *shape), np.float32)
    placed[0, top : top + matrix.shape[0], left : left + matrix.shape[1]] = matrix
    return placed
