"""How a mosaicked face moved, from the cells of its frames alone.

What the network makes of the frames known already predicts the mean of any cell, and how uncertain
that is. A few steps of Gauss and Newton, weighted with that uncertainty, find the motion that makes
the new frame's colours likeliest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from demosaic.imaging.arrays import Doubles, Floats
from demosaic.restoration.cell_means import Lattice, covariance
from demosaic.restoration.fusion import Moved, averaged
from demosaic.restoration.motion import Motion, Points
from demosaic.restoration.sight import Sight

_STEPS = 8
_WEIGHED = 3  # steps after which the weights stay
_LONGEST = 4.0  # px of a step, by which more is not trusted
_STILL = 0.01  # px; a smaller step is the last
_CELLS = 200  # of each frame, those next to the centre: more add little but time
_FEWEST = 9  # cells
_LEAST = 1e-6
_UNEVEN = 4.0  # times the variance of the spectrum, where a face has more detail than on average
_MEDIAN = 0.6  # of the square of a normal value, mean of three colours that mostly change together
_CONTRADICTS = 12.0  # times what is usual between two frames
_STRANGE, _MOST_CONTRADICTING = 12.0, 0.35
TURNS = 0.03
"""Standard deviation of the zoom's logarithm and the angle from frame to frame."""


class Known:
    """Frames whose motions are known, averaged in the coordinates of the latest of them."""

    def __init__(self, latest: Sight, others: Sequence[Moved]) -> None:
        face = averaged(latest, others)
        self.latest = latest
        self._lattice = Lattice.over(latest.box, latest.region.grid)
        self._means = self._lattice.means(latest.picture, face)
        near = central(latest, latest.places)
        places, noise = [latest.places[near]], [np.full(near.sum(), latest.noise)]
        for other in others:
            moved = other.motion.of(other.sight.places)
            near = central(latest, moved)
            places.append(moved[near])
            noise.append(other.noise[near])
        self._places = np.concatenate(places)
        own = self._covariance(self._places, self._places) + np.diag(np.concatenate(noise))
        self._root = linalg.cholesky(own, lower=True)

    def _covariance(self, one: Points, other: Points) -> Floats:
        return covariance(one, other, self.latest.cell, self.latest.spectrum)

    def predicted(self, places: Points) -> Floats:
        """(n, 3): the means of cells with these centres, grey levels."""
        return np.asarray(self._lattice.sampling(places) @ self._means, np.float32)

    def slopes(self, places: Points) -> Floats:
        """(n, 3, 2): how fast these means change, for each pixel right and down."""
        right, down = self._lattice.slopes(places)
        return np.stack([right @ self._means, down @ self._means], -1)

    def uncertainty(self, places: Points, noise: float) -> Doubles:
        """(n, n): the covariance of colours observed there with those predicted."""
        explained = linalg.solve_triangular(
            self._root, self._covariance(self._places, places), lower=True
        )
        own = self._covariance(places, places) - explained.T @ explained
        return np.asarray(own + noise * np.eye(len(places)), np.float64)


@dataclass(frozen=True)
class Registration:
    """How a face moved, and how well its cells agree with that."""

    motion: Motion
    """From the new frame to the latest of those known."""
    misfit: float
    """The mean square of the differences from the prediction, each in units of its uncertainty: 1
    for a perfect model, a few in practice, hundreds for another face.
    """


def register(new: Sight, known: Known, starts: Sequence[Motion]) -> Registration | None:
    """How the face moved from a new frame to the latest known one, from the likeliest of several
    first guesses; None if no guess brings it onto that face.
    """
    fits = [(fit, start) for start in starts if (fit := _fit(new, known, start))]
    if not fits:
        return None
    fit, motion = min(fits, key=lambda one: one[0].unlikeliness)
    for step in range(_STEPS):
        steps = _gauss_newton(fit, similarity=step > 0)
        motion = Motion.about(known.latest.centre, steps).after(motion)
        if step > 0 and np.abs(steps[:2]).max() < _STILL:
            break
        again = _fit(new, known, motion, fit if step >= _WEIGHED else None)
        if again is None:
            return None
        fit = again
    return Registration(motion, fit.misfit)


@dataclass(frozen=True)
class _Fit:
    """A new frame's cells at some motion, compared with what is predicted of them."""

    chosen: NDArray[np.bool_]
    """(all,): the n cells that are compared."""
    from_centre: Points
    """(n,): where they are."""
    slopes: Floats
    """(n, 3, 2): of the means, by pixels right and down."""
    root: Doubles
    """(n, n): of the covariance of the differences, lower triangular."""
    whitened: Doubles
    """(n, 3): the differences in units of their uncertainty."""

    @property
    def misfit(self) -> float:
        return float((self.whitened**2).mean())

    @property
    def unlikeliness(self) -> float:
        """Minus twice the logarithm of the likelihood, a cell and colour."""
        return self.misfit + 2 * float(np.log(np.diag(self.root)).mean())


def _fit(new: Sight, known: Known, motion: Motion, before: _Fit | None = None) -> _Fit | None:
    """The cells compared at a motion; the same ones with the same weights as `before`, if given.
    None where hardly any of them is on the face.
    """
    places = motion.of(new.places)
    chosen = before.chosen if before else central(known.latest, places)
    if chosen.sum() < _FEWEST:
        return None
    near = places[chosen]
    root = (
        before.root if before else linalg.cholesky(known.uncertainty(near, new.noise), lower=True)
    )
    differences = new.colours[chosen] - known.predicted(near)
    return _Fit(
        chosen,
        near - known.latest.centre,
        known.slopes(near),
        root,
        linalg.solve_triangular(root, differences, lower=True),
    )


def _gauss_newton(fit: _Fit, *, similarity: bool) -> Doubles:
    """The step (4,) that `Motion.about` takes; zoom and turn only if it is a `similarity`."""
    changes = changes_by_steps(fit.slopes[:, :, 0], fit.slopes[:, :, 1], fit.from_centre)
    flat = changes.reshape(len(changes), -1)
    whitened = linalg.solve_triangular(fit.root, flat, lower=True).reshape(-1, 4)
    free = 4 if similarity else 2
    prior = np.diag([0, 0, TURNS**-2, TURNS**-2])
    matrix = (whitened.T @ whitened + prior + _LEAST * np.eye(4))[:free, :free]
    steps = np.zeros(4)
    steps[:free] = np.linalg.solve(matrix, (whitened.T @ fit.whitened.reshape(-1))[:free])
    return limited(steps, _LONGEST)


def limited(steps: Doubles, longest: float) -> Doubles:
    """Steps (4,) of `Motion.about`, all shortened alike so that no shift is longer, pixels."""
    return steps * min(1.0, longest / max(float(np.abs(steps[:2]).max()), _LEAST))


def central(sight: Sight, places: Points, most: int = _CELLS) -> NDArray[np.bool_]:
    """Which places are mosaic, and among the `most` nearest to its centre, (n,)."""
    away = np.where(sight.covers(places), np.abs(places - sight.centre), np.inf)
    furthest = np.sort(away)[min(most, len(away)) - 1]
    return np.asarray((away <= furthest) & np.isfinite(away), np.bool_)


def changes_by_steps(right: Floats, down: Floats, from_centre: Points) -> Floats:
    """(n, 3, 4): how the means (n, 3) change with each of the steps that `Motion.about` takes, from
    their slopes (n, 3) right and down.
    """
    x, y = from_centre.real[:, None], from_centre.imag[:, None]
    return np.stack([right, down, right * x + down * y, down * x - right * y], -1)


# Agreement


def agreeing(alone: Known, other: Sight, motion: Motion) -> Moved | None:
    """The other frame with how uncertain each of its cells is as part of the face that one frame
    shows `alone`: more where they contradict each other. None where they do as a whole: the face
    has changed, is hidden, or is another one.
    """
    places = motion.of(other.places)
    seen = alone.latest.covers(places)
    if seen.sum() < _FEWEST:
        return None
    noise = np.full(len(places), other.noise)
    squares = ((other.colours[seen] - alone.predicted(places[seen])) ** 2).mean(1)
    expected = np.diag(alone.uncertainty(places[seen], other.noise / _UNEVEN)) * _UNEVEN
    ratios = squares / expected
    scale = max(1.0, float(np.median(ratios)) / _MEDIAN)
    contradicting = ratios > _CONTRADICTS * scale
    if scale > _STRANGE or contradicting.mean() > _MOST_CONTRADICTING:
        return None
    noise[seen] = scale * other.noise + contradicting * squares
    return Moved(other, motion, noise)
