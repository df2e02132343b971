"""The motions of all frames of a window, likeliest together.

Registered one after the other, errors add up. Together, each frame is bound to every other one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from demosaic.imaging.arrays import Doubles, Floats
from demosaic.restoration.cell_means import (
    Lattice,
    covariance,
    covariance_slopes,
    filtered,
    transfer,
)
from demosaic.restoration.fusion import Moved, averaged
from demosaic.restoration.motion import Motion, Points
from demosaic.restoration.registration import TURNS, changes_by_steps, limited
from demosaic.restoration.sight import Sight

_CELLS = 70  # of each frame, those that tell most
_FACE = 0.4  # of the side of the mosaic: how far from its centre the face reaches
_LEAST = 1e-3
_FARTHEST = 1.0  # px of a step
_PLACES = 1.0  # px; standard deviation of what is left to correct


@dataclass(frozen=True)
class _Cells:
    """Cells of all frames, where they are in the anchor; n of them."""

    places: Points
    colours: Doubles
    """(n, 3)."""
    noise: Doubles
    """(n,)."""
    frame: Doubles
    """(n,): -1 for those of the anchor, else which of the others."""

    @classmethod
    def of(
        cls, anchor: Sight, others: Sequence[Moved], lattice: Lattice, means: Floats
    ) -> "_Cells":
        """The cells that tell most of the motion, where `means` are those of the lattice."""
        parts, steep = [], lattice.steepness(means)
        for number, (one, motion) in enumerate(
            [(anchor, Motion()), *((other.sight, other.motion) for other in others)]
        ):
            places = motion.of(one.places)
            telling = _telling(anchor, places, lattice, steep)
            best = np.argsort(-telling)[:_CELLS]
            best = best[anchor.covers(places[best])]
            same = np.ones(len(best))
            parts.append((places[best], one.colours[best], one.noise * same, (number - 1) * same))
        return cls(*(np.concatenate(kind) for kind in zip(*parts, strict=True)))


def _telling(anchor: Sight, places: Points, lattice: Lattice, steep: Floats) -> Doubles:
    """How much each cell tells of the motion, (n,): the steeper the means around it, the more, and
    less towards the edge of the mosaic, where the background may move otherwise.
    """
    away = np.abs(places - anchor.centre) / (_FACE * min(anchor.box.width, anchor.box.height))
    here = (lattice.sampling(places) @ steep) * np.exp(-0.5 * away**2)
    return np.where(anchor.covers(places), here, -1.0)


def refined(anchor: Sight, others: Sequence[Moved]) -> list[Motion]:
    """The motions of the others to the anchor, one step nearer to those that make the cells of all
    frames likeliest together.

    With r the differences of the cells from the mean of the networks, K their covariance and g the
    scale of K, the step of Fisher's scoring lowers r' K^-1 r / g + log det K.
    """
    lattice = Lattice.over(anchor.box, anchor.region.grid)
    trend = lattice.means(anchor.picture, averaged(anchor, others))
    cells = _Cells.of(anchor, others, lattice, trend)
    own = covariance(cells.places, cells.places, anchor.cell, anchor.spectrum)
    precision = linalg.inv(own + np.diag(cells.noise))
    means, weights, scale = _predicted(anchor, cells, lattice, trend, precision)
    belongs = cells.frame[:, None] == np.arange(len(others))  # the anchor's to none: it stays
    away = cells.places - anchor.centre
    slopes = changes_by_steps(*means, away)
    unlikelier = changes_by_steps(*_determinant(cells, precision, anchor), away)
    pull = np.einsum("nci,nc->ni", slopes, weights) / scale - 3 * unlikelier[:, 0]
    vector = (belongs.T @ pull).ravel()
    by_frame = (slopes[:, :, None] * belongs[:, None, :, None]).reshape(*slopes.shape[:2], -1)
    matrix = sum(one.T @ precision @ one for one in by_frame.transpose(1, 0, 2)) / scale
    prior = np.tile([_PLACES**-2, _PLACES**-2, TURNS**-2, TURNS**-2], len(others))
    steps = np.linalg.solve(matrix + np.diag(prior), vector).reshape(-1, 4)
    return [
        Motion.about(anchor.centre, limited(step, _FARTHEST)).after(other.motion)
        for other, step in zip(others, steps, strict=True)
    ]


def _predicted(
    anchor: Sight, cells: _Cells, lattice: Lattice, trend: Floats, precision: Doubles
) -> tuple[tuple[Floats, Floats], Doubles, float]:
    """What all frames predict: the slopes of the means of the cells, each (n, 3), right and down;
    the weights K^-1 r, (n, 3); and the scale of K.
    """
    reading = lattice.sampling(cells.places)
    wanted = cells.colours - reading @ trend
    weights = precision @ wanted
    filters = transfer(anchor.spectrum, lattice.side)
    means = trend + filtered((reading.T @ weights).astype(np.float32), filters.to_means)
    right, down = (slope @ means for slope in lattice.slopes(cells.places))
    return (right, down), weights, max(float((wanted * weights).mean()), _LEAST)


def _determinant(cells: _Cells, precision: Doubles, anchor: Sight) -> tuple[Floats, Floats]:
    """How half of log det K changes with the place of each cell, each (n, 1), for each pixel right
    and down. Cells of one frame move together.
    """
    coupled = precision * (cells.frame[:, None] != cells.frame)
    slopes = covariance_slopes(cells.places, anchor.cell, anchor.spectrum)
    sums = [(coupled * slope).sum(1, keepdims=True).astype(np.float32) for slope in slopes]
    return sums[0], sums[1]
