"""Noise that looks, to second order, like the error of the mean: where a draw begins.

The error's power depends on the spatial frequency and on the size of the cells. White noise with
that spectrum has as much detail of each size as the mean lacks; only its form is wrong.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

CELLS = (4, 6, 8, 12, 16, 24, 32)
"""Sides of the cells, pixels, whose errors are measured; between them, the logarithm of the side
decides.
"""

RINGS = 65
"""Bands of a spectrum: ring k is around k / 128 periods a pixel; the last has the corners too."""

PLANES = 4
"""Planes of white noise for a picture: one that its three colours share, and one for each."""

_SHARED = 0.9
"""Share of the amplitude that the three colours have in common, as in the mean's errors."""

_USUAL = 0.63
"""Amplitude in ring 8 of the errors with cells of 16 px."""

_LARGEST = 20.0
"""An amplitude in [-1, 1] that no error has: the whole range at one frequency of 256 px is 8."""


@dataclass(frozen=True)
class Spectrum:
    """The spectrum of the mean's error for cells of one size."""

    amplitudes: tuple[float, ...]
    """(RINGS,), for pictures in [-1, 1]."""
    cell: float
    """Side of the cells, pixels of the picture that the network sees."""


def spectrum_of(spectra: Tensor, cell: float) -> Spectrum:
    """The spectrum for cells of a side, from those (len(CELLS), RINGS) of `CELLS`."""
    logs = torch.tensor([math.log2(cell)], dtype=spectra.dtype, device=spectra.device)
    return Spectrum(tuple((_between(logs, spectra) @ spectra)[0].tolist()), cell)


def usual_spectra() -> Tensor:
    """The spectra (len(CELLS), RINGS) of the errors of an ordinary mean, for a model whose own were
    not measured: those of the model in the box, within a fifth. They fall like those of photos,
    and what is coarser than a cell is known from its colour.
    """
    rings, cells = torch.arange(RINGS).clamp(min=1), torch.tensor(CELLS)[:, None]
    periods = rings * cells / (2 * (RINGS - 1))
    photos = _USUAL * (8 / rings) ** 1.2 * torch.exp(-((rings / 55) ** 2))
    return photos * (2 * periods**2).clamp(max=1)


def white_noise(seeds: Sequence[int], like: Tensor) -> Tensor:
    """Standard normal noise (N, PLANES, H, W) for pictures `like` (N, C, H, W). Each picture's
    depends on its own seed and the size only, not on the others or on the device.
    """
    height, width = like.shape[-2:]
    planes = [
        torch.randn(PLANES, height, width, generator=torch.Generator().manual_seed(seed))
        for seed in seeds
    ]
    return torch.stack(planes).to(like.device)


def coloured(white: Tensor, spectrum: Tensor, cell: Tensor) -> Tensor:
    """Noise (N, 3, H, W) with a `spectrum` (len(CELLS), RINGS) made of `white` (N, PLANES, H, W),
    for cells whose sides have the logarithms (base 2) `cell` (N,).

    White noise stays white under a Hartley transform, so `white` is taken to be the transformed
    noise: weighted by the amplitudes and transformed, it is noise with that spectrum.
    """
    height, width = white.shape[-2:]
    amplitude = _between(cell, white) @ spectrum
    rings = torch.from_numpy(_rings(height, width)).to(white.device)
    shared, own = white[:, :1], white[:, 1:]
    colours = _SHARED * shared + math.sqrt(1 - _SHARED**2) * own
    weighted = amplitude[:, rings][:, None] * colours
    return _hartley(height, white) @ weighted @ _hartley(width, white)


def radial_amplitude(errors: Tensor) -> Tensor:
    """The root mean square of the spectrum in each ring, (RINGS,), over errors (N, C, H, W): white
    noise of variance 1 has 1 everywhere.
    """
    height, width = errors.shape[-2:]
    transformed = _hartley(height, errors) @ errors @ _hartley(width, errors)
    power = transformed.double().square().mean((0, 1)).cpu().numpy().ravel()
    rings = _rings(height, width).ravel()
    count = np.bincount(rings, minlength=RINGS)
    sums = np.bincount(rings, power, minlength=RINGS)
    present = np.flatnonzero(count)  # a small picture has few frequencies
    found = np.interp(np.arange(RINGS), present, sums[present] / count[present])
    return torch.from_numpy(np.sqrt(found)).float()


def is_spectrum(values: Tensor) -> bool:
    """Whether these can be amplitudes of errors: all finite, none negative, none absurd."""
    return bool(torch.isfinite(values).all() and values.min() >= 0 and values.max() <= _LARGEST)


def _between(cell: Tensor, like: Tensor) -> Tensor:
    """The weights (N, len(CELLS)) of the spectra nearest to each cell size."""
    logs = torch.tensor(CELLS, dtype=like.dtype, device=like.device).log2()
    steps = ((cell[:, None] - logs[:-1]) / logs.diff()).clamp(0, 1)
    place = steps.sum(1, keepdim=True)
    return (1 - (place - torch.arange(len(CELLS), device=like.device)).abs()).clamp(min=0)


def _rings(height: int, width: int) -> NDArray[np.int64]:
    """The ring of each frequency of a picture, (height, width)."""
    down, across = np.fft.fftfreq(height), np.fft.fftfreq(width)
    radius = np.hypot(down[:, None], across[None, :])
    rings: NDArray[np.int64] = (
        np.rint(2 * (RINGS - 1) * radius).clip(max=RINGS - 1).astype(np.int64)
    )
    return rings


def _hartley(size: int, like: Tensor) -> Tensor:
    """The discrete Hartley transform as an orthogonal matrix (size, size), its own inverse: cosine
    plus sine, so that a real signal has a real spectrum.
    """
    numbers = np.arange(size)
    angle = 2 * np.pi * (np.outer(numbers, numbers) % size) / size
    matrix = (np.cos(angle) + np.sin(angle)) / math.sqrt(size)
    return torch.from_numpy(matrix.astype(np.float32)).to(like.device)
