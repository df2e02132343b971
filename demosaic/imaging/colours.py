"""Stored colours to those that a viewer shows, and back: profiles, grey and inks."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demosaic.imaging.arrays import Doubles, Pixels
from demosaic.imaging.conversion import in_srgb, is_srgb, to_rgb

_ROUNDS = 8  # of Newton's method; colours that can be had are met within one level before
_STEP = 6  # levels; the derivative of a transform of 8 bits needs some distance
_DAMPING = 0.01  # keeps a step small where a channel changes nothing, as at the edge of a gamut
_GREY = np.array([0.299, 0.587, 0.114])  # BT.601, as Pillow takes


def shown_colours(colours: NDArray[np.uint8], mode: str, profile: bytes | None) -> Pixels:
    """Colours (H, W, C) of the mode `L`, `RGB` or `CMYK` as a viewer shows them, in sRGB (H, W, 3).
    A profile of another mode or a broken one counts as none. Raises NotAPicture when the profile
    turns out damaged in use.
    """
    if mode == "RGB" and is_srgb(profile, mode):
        return colours
    height, width = colours.shape[:2]
    image = Image.frombytes(mode, (width, height), np.ascontiguousarray(colours).tobytes())
    if profile:
        image.info["icc_profile"] = profile
    return np.asarray(to_rgb(in_srgb(image)))


def stored_colours(
    wanted: NDArray[np.uint8], before: NDArray[np.uint8], mode: str, profile: bytes | None
) -> NDArray[np.uint8]:
    """The colours (N, C) to store so that a viewer shows those `wanted`, sRGB (N, 3), as nearly as
    possible. `before` is what is stored (N, C): black ink stays, as do colours not changed.

    Newton's method inverts any transform, as many profiles of inks and scanners have one direction
    only.
    """

    def shown(colours: NDArray[np.uint8]) -> Doubles:
        return np.asarray(shown_colours(colours[None], mode, profile)[0], np.float64)

    if not len(wanted):
        return before
    if mode == "L":
        return _nearest_grey(wanted @ _GREY, shown)
    if mode == "RGB" and is_srgb(profile, mode):
        return wanted
    return _solved(wanted.astype(np.float64), before, shown)


def _nearest_grey(
    wanted: Doubles, shown: Callable[[NDArray[np.uint8]], Doubles]
) -> NDArray[np.uint8]:
    """The levels (N, 1) of grey that are shown nearest to the `wanted` ones (N,)."""
    scale = shown(np.arange(256, dtype=np.uint8)[:, None]) @ _GREY
    order = np.argsort(scale, kind="stable")
    middles = (scale[order][1:] + scale[order][:-1]) / 2
    return order[np.searchsorted(middles, wanted)].astype(np.uint8)[:, None]


def _solved(
    wanted: Doubles, before: NDArray[np.uint8], shown: Callable[[NDArray[np.uint8]], Doubles]
) -> NDArray[np.uint8]:
    """Colours (N, C), of which the first three may change, by damped Gauss-Newton steps."""
    found, best = before, before.copy()
    least = np.full(len(wanted), np.inf)
    for _ in range(_ROUNDS):
        now = shown(found)
        error = np.square(wanted - now).sum(1)
        if not error.any():
            return found
        better = error < least
        best[better], least[better] = found[better], error[better]
        slopes = np.stack([_slope(found, now, shown, channel) for channel in range(3)], axis=2)
        square = slopes.transpose(0, 2, 1) @ slopes + _DAMPING * np.eye(3)
        right = np.einsum("nij,ni->nj", slopes, wanted - now)
        steps = np.linalg.solve(square, right[:, :, None])[:, :, 0]
        found = found.copy()
        found[:, :3] = np.clip(np.rint(found[:, :3] + steps), 0, 255)
    error = np.square(wanted - shown(found)).sum(1)
    best[error < least] = found[error < least]
    return best


def _slope(
    colours: NDArray[np.uint8],
    now: Doubles,
    shown: Callable[[NDArray[np.uint8]], Doubles],
    channel: int,
) -> Doubles:
    """How what is shown changes with one channel: (N, 3) levels to a level."""
    moved = colours.copy()
    step = np.where(colours[:, channel] < 128, _STEP, -_STEP)
    moved[:, channel] = (colours[:, channel] + step).astype(np.uint8)
    return np.asarray((shown(moved) - now) / step[:, None])
