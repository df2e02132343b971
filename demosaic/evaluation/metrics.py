"""Similarity of two pictures, and sharpness of one.

All functions take RGB levels (H, W, 3), 0 to 255.

SSIM and MS-SSIM equal torchmetrics' (a test compares them). They filter along each axis in turn
instead of with the whole window, which takes a tenth of the time.
"""

import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.imaging.arrays import Doubles, Floats, Pixels, to_grey
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_means

_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2  # as in Wang et al. 2004
_WINDOW = 11  # px
_SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # weights, from fine to coarse
_LEAST_SIDE = _WINDOW * 2 ** (len(_SCALES) - 1)  # px; the coarsest scale is then one window wide


def psnr(restored: Pixels, target: Pixels) -> float:
    """Peak signal-to-noise ratio in dB of one picture, over all its pixels and channels; 100 for
    equal ones.
    """
    error = cv2.norm(restored, target, cv2.NORM_L2SQR) / target.size  # of bytes, an exact sum
    return 10 * math.log10(255**2 / error) if error else 100.0


def ssim(restored: Pixels, target: Pixels) -> float:
    """Structural similarity, 0..1 (Wang et al. 2004: Gaussian window of 11 px, sigma 1.5; mean
    over the channels).
    """
    similarity, _ = _similarity(restored.astype(np.float32), target.astype(np.float32))
    return float(similarity.mean())


def ms_ssim(restored: Pixels, target: Pixels) -> float | None:
    """Structural similarity over five scales, 0..1 (Wang et al. 2003); None for pictures too small
    for them.
    """
    if min(target.shape[:2]) < _LEAST_SIDE:
        return None
    x, y = restored.astype(np.float32), target.astype(np.float32)
    product = 1.0
    edge = _WINDOW // 2
    for weight in _SCALES[:-1]:
        _, contrast = _similarity(x, y)
        product *= _positive_mean(contrast[edge:-edge, edge:-edge]) ** weight
        x, y = _halved(x), _halved(y)
    similarity, _ = _similarity(x, y)
    return float(product * _positive_mean(similarity) ** _SCALES[-1])


def _positive_mean(similarity: Floats) -> float:
    return max(float(similarity.mean()), 0.0)


def _similarity(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The structural similarity of each pixel and channel, (H, W, 3), and its factor without
    brightness.
    """
    x, y = x - 128, y - 128  # smaller squares have exact differences
    mean_x, mean_y = _windowed(x), _windowed(y)
    variances = _windowed(x * x + y * y) - (mean_x * mean_x + mean_y * mean_y)
    covariance = _windowed(x * y) - mean_x * mean_y
    light_x, light_y = mean_x + 128, mean_y + 128
    brightness: Floats = (2 * light_x * light_y + _C1) / (light_x**2 + light_y**2 + _C1)
    contrast: Floats = (2 * covariance + _C2) / (variances + _C2)
    return brightness * contrast, contrast


def _windowed(image: Floats) -> Floats:
    size = (_WINDOW, _WINDOW)
    return np.asarray(cv2.GaussianBlur(image, size, 1.5, borderType=cv2.BORDER_REFLECT_101))


def _halved(image: Floats) -> Floats:
    """Means of 2 x 2 pixels; an odd last row or column is dropped."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    even = image[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA))


def cell_error(restored: Pixels, observed: Floats, grid: Grid) -> float:
    """Mean absolute difference in grey levels of a picture's cells and the observed ones (3,
    rows, columns).
    """
    return float(np.abs(cell_means(restored, grid) - observed).mean())


def detail(picture: Pixels, distance: int) -> float:
    """The mean difference of pixels that are `distance` px apart, down and across, grey levels."""
    levels = picture.astype(np.float32)
    down = np.abs(levels[distance:] - levels[:-distance]).mean()
    across = np.abs(levels[:, distance:] - levels[:, :-distance]).mean()
    return float((down + across) / 2)


def spectrum(picture: Pixels) -> Doubles:
    """The energy of a picture's brightness at 0, 1, 2, ... cycles over its longer side, up to the
    Nyquist frequency: (max(H, W) // 2 + 1,).

    A Hann window fades out the borders, which would otherwise count as edges.
    """
    grey = to_grey(picture).astype(np.float64)
    height, width = grey.shape
    window = np.outer(np.hanning(height), np.hanning(width))
    energy = np.abs(np.fft.fft2((grey - grey.mean()) * window)) ** 2
    cycles = _cycles(height, width)
    summed: Doubles = np.bincount(cycles, weights=energy.ravel()).astype(np.float64)
    return summed[: max(height, width) // 2 + 1]


@lru_cache(maxsize=8)
def _cycles(height: int, width: int) -> NDArray[np.intp]:
    """The rounded number of cycles of each term of a Fourier transform, (height * width,)."""
    down, across = np.fft.fftfreq(height), np.fft.fftfreq(width)
    radius = max(height, width) * np.hypot(down[:, None], across)
    cycles: NDArray[np.intp] = np.rint(radius).astype(np.intp).ravel()
    return cycles


def sharpness(restored: Doubles, target: Doubles, block: int) -> float:
    """The amplitude of detail finer than cells of `block` px, right or wrong, as a share of the
    target's. Both arguments are spectra. 1 when the target has no such detail.
    """
    first = math.ceil((len(target) - 1) / block)  # a cycle has two cells
    wanted = float(target[first:].sum())
    return math.sqrt(float(restored[first:].sum()) / wanted) if wanted else 1.0
