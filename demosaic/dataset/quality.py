"""How good a photo of a face is: sharp, and not pixelated already."""

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.imaging.arrays import resize

Grey = NDArray[np.float32]
"""The brightness of a square (N, N), 0 to 255, or values made from it."""

_SHARPNESS_AT = 128  # px; a crop that has no finer detail than this is of a small face, not blurred

_PERIODIC = 0.25  # photos reach .12, JPEGs of quality 20 .15 and of 10 .26; mosaics 1, as JPEG .26


def sharpness_of(grey: Grey) -> float:
    """The share of the steps between a face's pixels that a blur takes away: 0 (blurred) to 1.
    Contrast makes no difference. `grey` is (N, N).

    After Crete et al. 2007, "The blur effect: perception and estimation with a new no-reference
    perceptual blur metric".
    """
    small = resize(grey, _SHARPNESS_AT, _SHARPNESS_AT)
    blurred = np.asarray(cv2.GaussianBlur(small, (0, 0), 1.5), np.float32)
    return min(
        float(np.maximum(steps - fewer, 0).sum() / max(steps.sum(), 1.0))
        for steps, fewer in zip(_steps(small), _steps(blurred), strict=True)
    )


def is_pixelated(grey: Grey) -> bool:
    """Whether a face (N, N) is a mosaic of cells of 3 pixels or more, along both axes.

    The steps between neighbouring columns of a mosaic are periodic pulses: their spectrum is as
    strong at twice the frequency of the cells as at that frequency.
    """
    down, across = _steps(grey)
    return _periodicity(down.mean(axis=1)) > _PERIODIC and (
        _periodicity(across.mean(axis=0)) > _PERIODIC
    )


def _steps(grey: Grey) -> tuple[Grey, Grey]:
    """The absolute differences between neighbours, down and across, in the inner three fifths of a
    square, which is the face itself.
    """
    edge = len(grey) // 5
    face = grey[edge : len(grey) - edge, edge : len(grey) - edge]
    down, across = cv2.absdiff(face[1:], face[:-1]), cv2.absdiff(face[:, 1:], face[:, :-1])
    return np.asarray(down, np.float32), np.asarray(across, np.float32)


def _periodicity(steps: Grey) -> float:
    """The share, 0 to 1, of a row (N,) of steps that recurs with some period of 3 to N / 4."""
    length = 1 << (8 * len(steps)).bit_length()
    spectrum = np.abs(np.fft.rfft(steps, length)) / max(float(steps.sum()), 1e-6)
    once = np.arange(4 * length // len(steps), length // 3 + 1)
    twice = np.minimum(2 * once, length - 2 * once)
    return float(np.minimum(spectrum[once], spectrum[twice]).max(initial=0.0))
