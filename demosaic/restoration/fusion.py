"""Several frames of a face as one picture.

Where a mosaic does not move with the face, each frame has the means of other patches of it. Given
all of them, the likeliest face is

    x = x0 + C A' (A C A' + N)^-1 (c - A x0)

x0 is the mean of what the network makes of each frame, moved to the present one. A takes a picture
to the cells of all frames, c are their colours, N is how uncertain these are, and C has the
spectrum of the network's error. This is kriging (Matheron 1963) with the network's mean as the
trend. It is solved by conjugate gradients.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy import sparse

from demosaic.imaging.arrays import Doubles, Floats
from demosaic.restoration.cell_means import Lattice, filtered, transfer
from demosaic.restoration.motion import Motion
from demosaic.restoration.sight import Sight

_ROUNDS = 20  # more change nothing that is seen
_ACCURATE = 0.02  # of the norm of the first residual
_TINY = np.float32(1e-30)


@dataclass(frozen=True)
class Moved:
    """What another frame shows, and where that is in the present one."""

    sight: Sight
    motion: Motion
    """From that frame to the present one."""
    noise: Doubles
    """(n,): how uncertain the colour of each cell is, grey levels squared."""


def averaged(present: Sight, others: Sequence[Moved]) -> Floats:
    """(box.height, box.width, 3), grey levels: the mean of what the network makes of each frame,
    moved to the present one.
    """
    total = present.mean.copy()
    weight = np.ones(total.shape[:2], np.float32)
    for other in others:
        there = other.motion.back().matrix(complex(present.box.x, present.box.y))
        there[:, 2] += present.box.x - other.sight.box.x, present.box.y - other.sight.box.y
        seen = _moved(other.sight.region.hidden.astype(np.float32), there, present)
        total += _moved(other.sight.mean, there, present) * seen[:, :, None]
        weight += seen
    return total / weight[:, :, None]


def _moved(image: Floats, there: Doubles, present: Sight) -> Floats:
    """The image as the present frame's mosaic shows it; 0 where it shows nothing."""
    size = (present.box.width, present.box.height)
    flags = cv2.INTER_LINEAR if image.ndim == 2 else cv2.INTER_CUBIC
    border = cv2.BORDER_CONSTANT if image.ndim == 2 else cv2.BORDER_REPLICATE
    moved = cv2.warpAffine(
        image, there, size, flags=flags | cv2.WARP_INVERSE_MAP, borderMode=border
    )
    return np.asarray(moved, np.float32)


def fused(present: Sight, others: Sequence[Moved], trend: Floats) -> Floats:
    """(box.height, box.width, 3), grey levels: the likeliest face in the present frame, given the
    cells of all frames and a `trend` of that shape, whose errors have the present one's spectrum.
    """
    lattice = Lattice.over(present.box, present.region.grid)
    cells, colours, noise = _all_cells(present, others, lattice)
    wanted = colours - cells @ lattice.means(present.picture, trend)
    filters = transfer(present.spectrum, lattice.side)
    back = cells.T.tocsr()

    def covered(weights: Floats) -> Floats:
        means = cells @ filtered(back @ weights, filters.to_means)
        return np.asarray(means + noise * weights, np.float32)

    weights = _solved(covered, wanted.astype(np.float32))
    return trend + lattice.picture(filtered(back @ weights, filters.to_picture))


def _all_cells(
    present: Sight, others: Sequence[Moved], lattice: Lattice
) -> tuple[sparse.csr_matrix, Doubles, Floats]:
    """The cells of all frames: how they are read from the lattice, (n, side**2), their colours,
    (n, 3), and how uncertain these are, (n, 1).
    """
    rows, colours = [lattice.sampling(present.places)], [present.colours]
    noise = [np.full(len(present.places), present.noise)]
    for other in others:
        places = other.motion.of(other.sight.places)
        seen = present.covers(places)
        rows.append(lattice.sampling(places[seen]))
        colours.append(other.sight.colours[seen])
        noise.append(other.noise[seen])
    uncertain = np.concatenate(noise)[:, None].astype(np.float32)
    return sparse.vstack(rows).tocsr(), np.concatenate(colours), uncertain


def _solved(matrix: Callable[[Floats], Floats], wanted: Floats) -> Floats:
    """x (n, 3) with matrix(x) = wanted, by conjugate gradients (Hestenes and Stiefel 1952)."""
    x = np.zeros_like(wanted)
    residual = direction = wanted
    square = first = (residual**2).sum(0)
    for _ in range(_ROUNDS):
        if (square <= _ACCURATE**2 * first).all():
            break
        product = matrix(direction)
        step = square / np.maximum((direction * product).sum(0), _TINY)
        x = x + step * direction
        residual = residual - step * product
        before, square = square, (residual**2).sum(0)
        direction = residual + square / np.maximum(before, _TINY) * direction
    return x
