"""How the faces of a picture that was published are hidden."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from demosaic.config.privacy import PixelateConfig, Shape
from demosaic.detection.detector import find_mosaics
from demosaic.detection.region import Region
from demosaic.errors import NOTHING_TO_DO, DemosaicError, how_to_install
from demosaic.events import Listener, Notice, ignore
from demosaic.faces.detector import Face, FaceDetector
from demosaic.faces.search import find_faces
from demosaic.imaging.arrays import Pixels, to_uint8
from demosaic.imaging.batch import is_clip
from demosaic.imaging.geometry import crop, paste
from demosaic.imaging.pictures import to_pixels
from demosaic.mosaic.operators import base
from demosaic.mosaic.pixelate import cell_colours
from demosaic.privacy.events import Hiding

_FRAMES, _EVERY = 250, 10
"""Frames of a clip that are searched for a mosaic, and which of them."""

_ELLIPSE = 0.9  # of its box; an ellipse covers 0.79


def hiding_in(picture: Path, detector: FaceDetector, listen: Listener = ignore) -> Hiding:
    """The mosaic in a picture, or in the first frame of a clip that has one, that hides least: that
    with the most cells across a face.

    The face is detected behind the mosaic. Where it is not, the mosaic is taken to be as much wider
    as `pixelate` makes it, and a notice says so. Raises DemosaicError when there is no mosaic.
    """
    shown = ((image, find_mosaics(image)) for image in _pictures(picture))
    image, regions = next((one for one in shown if one[1]), (None, []))
    if image is None:
        raise DemosaicError(
            f"{picture}: no mosaic found; give the cells with --block, or --style blur or solid",
            NOTHING_TO_DO,
        )
    faces = find_faces(_smooth(image, regions), detector)
    found = [(_width(region, faces), region) for region in regions]
    width, region = max(found, key=lambda one: (one[0] or _usual_width(one[1])) / one[1].grid.width)
    face = width or _usual_width(region)
    shape: Shape = "ellipse" if region.hidden.mean() < _ELLIPSE else "box"
    hiding = Hiding("mosaic", round(region.grid.width / face, 4), shape)
    how = "" if width else f", if the face is {face:.0f} px wide"
    cells = f"{region.grid.width:.3g} px"
    listen(Notice(f"{picture}: cells of {cells}, {hiding.cells:.3g} across the face{how}"))
    return hiding


def _pictures(path: Path) -> Iterator[Pixels]:
    """The picture in a file, or some from the beginning of a clip."""
    if not is_clip(path):
        yield to_pixels(path)
        return
    try:
        from demosaic.clips.planes import first_pictures
    except ModuleNotFoundError as error:  # PyAV is an extra
        raise DemosaicError(f"{path}: a clip needs PyAV: {how_to_install('video')}") from error
    yield from first_pictures(path, _FRAMES, _EVERY)


def _smooth(image: Pixels, regions: Sequence[Region]) -> Pixels:
    """The picture (H, W, 3) with its mosaics smoothed, so that a detector may find faces."""
    for region in regions:
        observed = crop(image, region.box)
        colours = cell_colours(observed, region.grid, region.hidden)
        size = (region.box.height, region.box.width)
        smooth = to_uint8(base(colours / np.float32(127.5) - np.float32(1), region.grid, size))
        shown = np.where(region.hidden[:, :, None], smooth, observed)
        image = paste(image, shown, region.box)
    return image


def _width(region: Region, faces: Sequence[Face]) -> float | None:
    """The width of the face that a mosaic hides, pixels; None if none is detected."""
    inside = [face.box for face in faces if region.box.shared(face.box) > face.box.area / 2]
    return max((float(box.width) for box in inside), default=None)


def _usual_width(region: Region) -> float:
    return region.box.width / PixelateConfig.margin
