"""Places in pictures, hidden."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demosaic.config.privacy import PixelateConfig
from demosaic.errors import DemosaicError
from demosaic.imaging.arrays import Pixels, blurred
from demosaic.imaging.geometry import Box, crop, paste
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import paint_cells, sample
from demosaic.privacy.events import FaceHidden

SMALLEST_CELL = 3  # px; smallest cell when the block is a share of a face, as `restore` finds it


@dataclass(frozen=True)
class Place:
    """A place in a photo to hide."""

    box: Box
    """Inside the photo."""
    face: int
    """Width of the face in it, photo pixels; the block may be a share of it."""
    score: float | None = None
    """The detector's confidence, 0 to 1; None for a region that the user gave."""
    grid: Grid | None = None
    """The cells, where they do not begin in the corner of the box."""


@dataclass(frozen=True)
class Pixelated:
    """A photo with its faces hidden."""

    picture: Pixels
    """RGB levels (H, W, 3), 0 to 255."""
    faces: tuple[FaceHidden, ...]


def around(face: Box, margin: float) -> Box:
    """The box `margin` times as large around the same centre."""
    width, height = round(face.width * margin), round(face.height * margin)
    return Box(
        face.x + (face.width - width) // 2, face.y + (face.height - height) // 2, width, height
    )


def regions_of(photo: Pixels, config: PixelateConfig) -> list[Place]:
    """The regions given. Raises DemosaicError when one is not inside the photo (H, W, 3)."""
    boxes = [Box(*region) for region in config.regions]
    for box in boxes:
        if not box.inside(photo):
            raise DemosaicError(
                f"the region {box.x},{box.y},{box.width},{box.height} is not inside the picture "
                f"of {photo.shape[1]} x {photo.shape[0]} px"
            )
    return [Place(box, box.width) for box in boxes]


def pixelate_image(photo: Pixels, places: Sequence[Place], config: PixelateConfig) -> Pixelated:
    """The photo (H, W, 3) with these places hidden, every other pixel as it was.

    Cells begin in the corner of their box, as in most programs.
    """
    result, hidden = photo, []
    for place in places:
        block = _block(place, config)
        piece = _covered(crop(photo, place.box), place.grid or Grid.square(block), config)
        mask = hidden_mask(place.box, config)[:, :, None]
        # Pasted into the result so far: boxes may overlap, and hidden pixels stay hidden
        result = paste(result, np.where(mask, piece, crop(result, place.box)), place.box)
        shown = None if config.style == "solid" else block
        hidden.append(FaceHidden(place.box.corners, config.style, shown, place.score))
    return Pixelated(result, tuple(hidden))


def _block(place: Place, config: PixelateConfig) -> int:
    """The side of a cell, photo pixels."""
    if config.block >= 1:
        return round(config.block)
    return max(SMALLEST_CELL, round(config.block * place.face))


def _covered(piece: Pixels, grid: Grid, config: PixelateConfig) -> Pixels:
    """A piece of the photo (H, W, 3), covered in the style of the config."""
    if config.style == "solid":
        return np.zeros_like(piece)
    if config.style == "blur":
        return blurred(piece, round(grid.width))
    return paint_cells(sample(piece, grid, config.sampler), grid, (piece.shape[0], piece.shape[1]))


def hidden_mask(box: Box, config: PixelateConfig) -> NDArray[np.bool_]:
    """(H, W): which pixels of a box are hidden."""
    if config.shape == "box":
        return np.ones((box.height, box.width), bool)
    down, across = (
        (2 * np.arange(side) + 1 - side) / side for side in (box.height, box.width)
    )  # pixel centres, -1 to 1
    return np.add.outer(down**2, across**2) <= 1
