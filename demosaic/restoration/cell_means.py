"""The means of cells anywhere over a face, not only on one grid, and how uncertain they are.

Everything is computed on a lattice with eight points along the side of a cell: what is finer hardly
changes a mean. The error of the network is taken as noise with the spectrum that the model file
holds. The covariance of two cells then depends on the way from one to the other only.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from scipy import fft, sparse

from demosaic.imaging.arrays import Doubles, Floats, Pixels
from demosaic.imaging.geometry import Box, crop
from demosaic.models.noise import RINGS, Spectrum
from demosaic.mosaic.grid import Grid
from demosaic.restoration.motion import Points

_LEVELS = 127.5  # grey levels of a change by 1 in [-1, 1]
_FINE = 8  # points of the lattice along a cell
_MARGIN = 1.5  # cells of the lattice around the mosaic
_APART = 3  # cells between the end of the lattice and its beginning, as a transform repeats it
_FINER = 4  # times: the table of covariances is that much finer than the lattice
_STEP = 1 / 16  # of a cell to both sides, for the slope of a covariance
_NEAR = 0.5  # points to both sides, for a slope
_REACH = 16  # cells; two that are half as far apart count as unrelated


def _power(spectrum: Spectrum, side: int, fine: int) -> Doubles:
    """(side, side): the power of the errors at the frequencies of a Fourier transform of `side` x
    `side` points, of which `fine` are as long as a cell; grey levels squared.
    """
    scale = fine / spectrum.cell  # points of the lattice a pixel that the network saw
    steps = np.fft.fftfreq(side) * scale
    rings = np.hypot(steps[:, None], steps) * 2 * (RINGS - 1)
    amplitudes = np.interp(rings, np.arange(RINGS), spectrum.amplitudes)
    return np.asarray((_LEVELS * scale * amplitudes) ** 2, np.float64)


def _averaged(side: int, fine: int) -> Doubles:
    """(side, side): what averaging over a cell of `fine` points leaves of each frequency."""
    along = np.sinc(np.fft.fftfreq(side) * fine)
    return np.outer(along, along)


@dataclass(frozen=True)
class Transfer:
    """Two filters, (side, side // 2 + 1), for the real Fourier transform of a lattice."""

    to_means: Floats
    """From weights of cells to the means of cells."""
    to_picture: Floats
    """From weights of cells to the error itself."""


@lru_cache(maxsize=16)
def transfer(spectrum: Spectrum, side: int) -> Transfer:
    """The filters for a lattice of `side` x `side` points."""
    half = np.s_[:, : side // 2 + 1]
    power, averaged = _power(spectrum, side, _FINE), _averaged(side, _FINE)
    return Transfer(
        (power * averaged**2)[half].astype(np.float32), (power * averaged)[half].astype(np.float32)
    )


@lru_cache(maxsize=8)
def _covariances(spectrum: Spectrum) -> Floats:
    """The covariance of the errors of two cells' means by how far the one is below the other and to
    its right, in steps of 1 / (_FINE * _FINER) of a cell; grey levels squared.
    """
    fine = _FINE * _FINER
    side = _REACH * fine
    power = _power(spectrum, side, fine) * _averaged(side, fine) ** 2
    half = side // 2  # beyond it, the transform begins to repeat itself
    return np.asarray(np.fft.ifft2(power).real[:half, :half], np.float32)


def covariance(one: Points, other: Points, cell: complex, spectrum: Spectrum) -> Floats:
    """(len(one), len(other)): the covariances of the errors of the means of cells with these
    centres, grey levels squared. `cell` has the width and height, pixels.
    """
    table, fine = _covariances(spectrum), _FINE * _FINER
    across = np.abs(one.real[:, None] - other.real) * (fine / cell.real)
    down = np.abs(one.imag[:, None] - other.imag) * (fine / cell.imag)
    values = cv2.remap(
        table,
        across.astype(np.float32),
        down.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(values, np.float32)


def covariance_slopes(places: Points, cell: complex, spectrum: Spectrum) -> tuple[Floats, Floats]:
    """How the covariances of cells with these centres change when the first of the two moves: for
    each pixel right and down, each (n, n).
    """
    right, down = _STEP * cell.real, _STEP * cell.imag

    def moved(by: complex) -> Floats:
        return covariance(places + by, places, cell, spectrum)

    return (
        (moved(right) - moved(-right)) / np.float32(2 * right),
        (moved(1j * down) - moved(-1j * down)) / np.float32(2 * down),
    )


@dataclass(frozen=True)
class Lattice:
    """Points over a mosaic and its surroundings, eight along each cell. Each stands for the cell
    whose centre it is.
    """

    box: Box
    """Where in the frame the mosaic is."""
    around: Box
    """The mosaic and its surroundings; partly outside the frame, perhaps."""
    size: tuple[int, int]
    """Points down and across."""
    side: int
    """Points of the square in which the lattice is transformed."""

    @classmethod
    def over(cls, box: Box, grid: Grid) -> "Lattice":
        """The lattice of a mosaic."""
        across, down = math.ceil(_MARGIN * grid.width), math.ceil(_MARGIN * grid.height)
        around = Box(box.x - across, box.y - down, box.width + 2 * across, box.height + 2 * down)
        size = (
            round(around.height * _FINE / grid.height),
            round(around.width * _FINE / grid.width),
        )
        return cls(box, around, size, fft.next_fast_len(max(size) + _APART * _FINE, real=True))

    @property
    def _scale(self) -> tuple[float, float]:
        """Points a pixel, across and down."""
        return self.size[1] / self.around.width, self.size[0] / self.around.height

    def sampling(self, points: Points) -> sparse.csr_matrix:
        """(len(points), side**2): reads values of the lattice at places in the frame."""
        return _cubic(self._at(points), self.side)

    def slopes(self, points: Points) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
        """Two matrices as that of `sampling`: they read how fast values change, for each pixel to
        the right and down.
        """
        across, down = self._scale
        at = self._at(points)
        right = (_cubic(at + _NEAR, self.side) - _cubic(at - _NEAR, self.side)) * across
        below = (_cubic(at + 1j * _NEAR, self.side) - _cubic(at - 1j * _NEAR, self.side)) * down
        return right / (2 * _NEAR), below / (2 * _NEAR)

    def _at(self, points: Points) -> Points:
        """Places in the frame, counted in points of the lattice."""
        across, down = self._scale
        x = (points.real + 0.5 - self.around.x) * across - _FINE / 2
        y = (points.imag + 0.5 - self.around.y) * down - _FINE / 2
        return np.asarray(x + 1j * y, np.complex128)

    def means(self, picture: Pixels, inside: Floats) -> Floats:
        """(side**2, 3): the mean over a cell around each point, of the frame (H, W, 3) with the
        levels `inside` (box.height, box.width, 3) in the mosaic. Pixels beyond the frame are copies
        of those at its edge.
        """
        whole = _with_edges(picture, self.around)
        crop(whole, self.box.seen_from(self.around))[:] = inside
        points = cv2.resize(whole, self.size[::-1], interpolation=cv2.INTER_AREA)
        means = np.zeros((self.side, self.side, 3), np.float32)
        means[: self.size[0], : self.size[1]] = cv2.boxFilter(
            points, -1, (_FINE, _FINE), anchor=(0, 0), borderType=cv2.BORDER_REFLECT
        )
        return means.reshape(-1, 3)

    def steepness(self, values: Floats) -> Floats:
        """(side**2,): how fast values of the lattice (side**2, 3) change around each point."""
        square = values.reshape(self.side, self.side, 3)
        down, right = np.gradient(square, axis=(0, 1))
        steep = np.sqrt((down**2 + right**2).sum(2))
        return np.asarray(steep.reshape(-1), np.float32)

    def picture(self, values: Floats) -> Floats:
        """(box.height, box.width, 3): values of the lattice (side**2, 3) at the mosaic's pixels."""
        across, down = self._scale
        start = self._at(np.array([complex(self.box.x, self.box.y)]))[0]
        matrix = np.array([[across, 0, start.real], [0, down, start.imag]])
        square = values.reshape(self.side, self.side, 3)
        size = (self.box.width, self.box.height)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(square, matrix, size, flags=flags), np.float32)


def filtered(values: Floats, transform: Floats) -> Floats:
    """Values of a lattice (side**2, 3) with a filter of `Transfer` applied."""
    side = len(transform)
    square = values.reshape(side, side, 3)
    frequencies = fft.rfft2(square, axes=(0, 1)) * transform[:, :, None]
    result = fft.irfft2(frequencies, s=(side, side), axes=(0, 1))
    return np.asarray(result.reshape(-1, 3), np.float32)


def _with_edges(picture: Pixels, around: Box) -> Floats:
    """A box of the frame (H, W, 3) as levels, which may reach beyond it: filled up with copies of
    the pixels at the edge.
    """
    rows = np.clip(np.arange(around.y, around.y + around.height), 0, picture.shape[0] - 1)
    columns = np.clip(np.arange(around.x, around.x + around.width), 0, picture.shape[1] - 1)
    return picture[rows][:, columns].astype(np.float32)


def _cubic(at: Points, side: int) -> sparse.csr_matrix:
    """(len(at), side**2): reads a square of values at places between them, by the cubic convolution
    of Keys (1981). Places beyond the end lie at the beginning.
    """
    left, top = np.floor(at.real).astype(int), np.floor(at.imag).astype(int)
    columns = (left[:, None] + np.arange(-1, 3)) % side
    rows = (top[:, None] + np.arange(-1, 3)) % side
    across, down = _keys(at.real - left), _keys(at.imag - top)
    weights = (down[:, :, None] * across[:, None, :]).astype(np.float32)
    indices = rows[:, :, None] * side + columns[:, None, :]
    starts = np.arange(0, 16 * len(at) + 1, 16)
    return sparse.csr_matrix(
        (weights.ravel(), indices.ravel(), starts), shape=(len(at), side * side)
    )


def _keys(t: Doubles) -> Doubles:
    """The weights (n, 4) of four neighbours for places `t` (n,) of 0..1 between the middle two."""
    return np.stack(
        [
            -0.5 * t + t**2 - 0.5 * t**3,
            1 - 2.5 * t**2 + 1.5 * t**3,
            0.5 * t + 2 * t**2 - 1.5 * t**3,
            -0.5 * t**2 + 0.5 * t**3,
        ],
        -1,
    )
