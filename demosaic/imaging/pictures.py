"""What functions take as a picture: the name of a file, a Pillow picture or an array."""

import os
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from demosaic.errors import DemosaicError
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.decoding import read_bytes
from demosaic.imaging.opening import NotAPicture, picture_in
from demosaic.imaging.stored import stored_in

Picture: TypeAlias = str | os.PathLike[str] | Image.Image | NDArray[Any]
"""A file, a Pillow picture, or RGB levels (H, W, 3) of type uint8."""


def to_pixels(picture: Picture) -> Pixels:
    """The upright picture as a viewer shows it, in sRGB (H, W, 3), 0 to 255: the first of several
    in a file. An array comes back as it is.

    Raises DemosaicError for a file that cannot be read, and for an array of another shape or type.
    """
    if isinstance(picture, Image.Image):
        return stored_in(picture).shown
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise DemosaicError(
                f"an array of shape {picture.shape} and type {picture.dtype} is no picture: "
                "give RGB levels of shape (H, W, 3) and type uint8"
            )
        return picture
    return _read_shown(Path(picture))


def _read_shown(path: Path) -> Pixels:
    try:
        with picture_in(read_bytes(path)) as image:
            return stored_in(image).shown
    except NotAPicture as error:
        raise DemosaicError(f"{path}: {error}") from error
