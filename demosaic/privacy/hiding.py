"""Faces of an album hidden as an audit tries it, and what an attacker sees of them."""

import numpy as np

from demosaic.config.privacy import PixelateConfig
from demosaic.imaging.arrays import Mask, Pixels, blurred, to_uint8
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.operators import base
from demosaic.mosaic.pixelate import cell_colours, pixelated
from demosaic.privacy.events import Hiding
from demosaic.privacy.gallery import BUILD

_HIDDEN = PixelateConfig.margin / BUILD.margin
"""Side of the box that `pixelate` hides, as a share of a crop's side."""


def hidden(face: Pixels, hiding: Hiding) -> Pixels:
    """The crop of a face (S, S, 3) as one would publish it."""
    if hiding.style == "solid":
        cover = np.zeros_like(face)
    elif hiding.style == "blur":
        cover = blurred(face, _pixels(face, hiding))
    else:
        cover = pixelated(face, grid_of(face, hiding))
    return np.where(covered(face, hiding)[:, :, None], cover, face)


def seen(face: Pixels, hiding: Hiding) -> Pixels:
    """The hidden face (S, S, 3) as an attacker compares it: of a mosaic, the smooth picture with
    the same cell means, as the edges of its cells are no part of a face.
    """
    if hiding.style != "mosaic":
        return hidden(face, hiding)
    return np.where(covered(face, hiding)[:, :, None], smoothed(face, grid_of(face, hiding)), face)


def smoothed(face: Pixels, grid: Grid) -> Pixels:
    """The smooth picture (S, S, 3) whose cell means are those of the face (S, S, 3)."""
    colours = cell_colours(face, grid) / np.float32(127.5) - np.float32(1)
    return to_uint8(base(colours, grid, (face.shape[0], face.shape[1])))


def grid_of(face: Pixels, hiding: Hiding) -> Grid:
    """The grid of a mosaic over the crop of a face (S, S, 3); it begins in the corner."""
    side = _pixels(face, hiding)
    return Grid(side, side)


def share_of(pixels: float) -> float:
    """What is `pixels` long in a crop, as a share of the face's width."""
    return pixels * BUILD.margin / BUILD.size


def _pixels(face: Pixels, hiding: Hiding) -> float:
    """The side of a cell or the spread of the blur, pixels of the crop (S, S, 3)."""
    return max(1.0, round((hiding.share or 0) * face.shape[0] / BUILD.margin, 3))


def covered(face: Pixels, hiding: Hiding) -> Mask:
    """(S, S): which pixels of a crop are hidden. What is outside the box is not tested, so it is
    hidden too; the corners of an ellipse stay.
    """
    side = face.shape[0]
    middle = np.abs((2 * np.arange(side) + 1 - side) / (side * _HIDDEN))  # 1 on the box's edge
    if hiding.shape == "box":
        return np.ones((side, side), bool)
    in_box = np.logical_and.outer(middle <= 1, middle <= 1)
    in_ellipse = np.add.outer(middle**2, middle**2) <= 1
    return np.asarray(~in_box | in_ellipse, bool)
