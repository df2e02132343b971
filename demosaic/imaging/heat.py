"""Numbers of a picture's pixels as colours."""

from collections.abc import Iterable

import cv2
import numpy as np

from demosaic.imaging.arrays import Floats, Pixels

_LEGEND = 40  # px; height of the legend
_STEP = 5.0  # the end of the scale is a multiple of it
_USUAL = 0.999  # share of the values that the scale covers


def spread_of(pictures: Iterable[Pixels | Floats]) -> Floats:
    """How far two or more pictures (H, W, 3) differ at each pixel, (H, W): the standard deviation,
    mean of the colours. By Welford's recurrence, which needs one of them at a time.
    """
    count = 0
    mean: Floats = np.zeros(1, np.float32)
    squares: Floats = np.zeros(1, np.float32)
    for count, picture in enumerate(pictures, 1):
        difference = picture - mean
        mean = mean + difference / np.float32(count)
        squares = squares + difference * (picture - mean)
    return np.asarray(np.sqrt(squares / np.float32(count - 1)).mean(axis=2), np.float32)


def heat_map(values: Floats, most: float) -> Pixels:
    """The picture (H, W, 3) of values (H, W): black at 0, by violet, orange and yellow to white at
    `most` and above.
    """
    levels = np.clip(np.rint(values * (255 / most)), 0, 255).astype(np.uint8)
    coloured = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)
    return np.asarray(cv2.cvtColor(coloured, cv2.COLOR_BGR2RGB), np.uint8)


def heat_scale(values: Floats) -> float:
    """The end of a scale that covers these values (H, W), except for a few outliers."""
    usual = np.quantile(values[values > 0], _USUAL) if values.any() else 0.0
    return _STEP * max(1.0, float(np.ceil(usual / _STEP)))


def heat_over(picture: Pixels, values: Floats, most: float) -> Pixels:
    """The heat map of values (H, W), up to `most`. Where a value is 0, it shows the picture
    (H, W, 3), dark and without colour.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) // 3
    shown = np.where(values[:, :, None] > 0, heat_map(values, most), grey[:, :, None])
    return shown.astype(np.uint8)


def heat_sheet(picture: Pixels, values: Floats) -> Pixels:
    """The heat map of values (H, W), grey levels, over the picture (H, W, 3), above a legend:
    (H + 40, W, 3).
    """
    most = heat_scale(values)
    shown = heat_over(picture, values, most)
    return np.vstack([shown, _legend(picture.shape[1], most)])


def _legend(width: int, most: float) -> Pixels:
    """The scale from 0 to `most` with numbers below, (40, width, 3)."""
    scale = np.linspace(0, most, width, dtype=np.float32)
    legend = np.full((_LEGEND, width, 3), 255, np.uint8)
    legend[: _LEGEND // 2] = heat_map(scale[None], most)
    for share, text in ((0.0, "0"), (1.0, f"{most:.0f} levels")):
        (length, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.4, 1)
        at = (round(share * (width - length - 4)) + 2, _LEGEND - 6)
        cv2.putText(legend, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    return legend
