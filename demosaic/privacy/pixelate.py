"""Faces in photos hidden: the opposite of restoration."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demosaic.config.privacy import PixelateConfig
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.events import Listener, Notice, ignore
from demosaic.faces import engines
from demosaic.faces.analysis import examine
from demosaic.faces.cache import MakeDetector
from demosaic.faces.detector import FaceDetector
from demosaic.files import make_folder
from demosaic.imaging.arrays import Pixels, blurred
from demosaic.imaging.batch import BatchReport, Job, Sources, do_all, plan
from demosaic.imaging.decoding import decode, read_bytes
from demosaic.imaging.edited_copy import Edit, losses, write_edited
from demosaic.imaging.encoding import encode_png
from demosaic.imaging.geometry import Box, crop, paste
from demosaic.imaging.metadata import Keeping
from demosaic.imaging.opening import NotAPicture
from demosaic.imaging.original import Original, read_original
from demosaic.imaging.pictures import Picture, to_pixels
from demosaic.imaging.stored import Stored
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import paint_cells, sample
from demosaic.privacy.events import FaceHidden, PicturePixelated
from demosaic.workers.processes import Workers

_SMALLEST = 3  # px; smallest cell when the block is a share of a face, as `restore` finds it


@dataclass(frozen=True)
class Place:
    """A place in a photo to hide."""

    box: Box
    """Inside the photo."""
    face: int
    """Width of the face in it, photo pixels; the block may be a share of it."""
    score: float | None = None
    """The detector's confidence, 0 to 1; None for a region that the user gave."""


@dataclass(frozen=True)
class Pixelated:
    """A photo with its faces hidden."""

    picture: Pixels
    """RGB levels (H, W, 3), 0 to 255."""
    faces: tuple[FaceHidden, ...]


def pixelate(
    photo: Picture,
    config: PixelateConfig = PixelateConfig(),
    *,
    make_detector: MakeDetector = engines.make_detector,
) -> Pixelated:
    """Hide the faces in a photo. Nothing is written.

    `photo`: a file, a Pillow picture, or RGB levels (H, W, 3) of type uint8. The faces are those
    found, or the regions that the config gives; every other pixel comes back as it was.

    Raises DemosaicError when it is no picture, or no face is found.
    """
    if isinstance(photo, str | PathLike):
        data = read_bytes(Path(photo))
    else:
        data = encode_png(to_pixels(photo))
    return _hidden(data, config, None if config.regions else make_detector())


def _hidden(data: bytes, config: PixelateConfig, detector: FaceDetector | None) -> Pixelated:
    """The photo in the bytes of a file with its faces hidden, or without a detector the regions
    given. Raises DemosaicError when there is nothing to hide.
    """
    photo = decode(data)
    places = faces_in(data, config, detector) if detector else regions_of(photo, config)
    if not places:
        raise DemosaicError("no face found: mark what to hide with --region X,Y,W,H", NOTHING_TO_DO)
    return pixelate_image(photo, places, config)


def faces_in(data: bytes, config: PixelateConfig, detector: FaceDetector) -> list[Place]:
    """Every face in the bytes of a photo, as a place with its margin. Raises NotAPicture."""
    examined = examine(data, detector)
    if examined.reason:
        raise NotAPicture(examined.detail)
    photo = Box(0, 0, examined.width, examined.height)
    return [
        Place(_around(face.box, config.margin).clipped(photo), face.box.width, face.score)
        for face in examined.faces
        if face.score >= config.min_score
    ]


def _around(face: Box, margin: float) -> Box:
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
        piece = _covered(crop(photo, place.box), block, config)
        mask = _mask(place.box, config)[:, :, None]
        # Pasted into the result so far: boxes may overlap, and hidden pixels stay hidden
        result = paste(result, np.where(mask, piece, crop(result, place.box)), place.box)
        shown = None if config.style == "solid" else block
        hidden.append(FaceHidden(place.box.corners, config.style, shown, place.score))
    return Pixelated(result, tuple(hidden))


def _block(place: Place, config: PixelateConfig) -> int:
    """The side of a cell, photo pixels."""
    if config.block >= 1:
        return round(config.block)
    return max(_SMALLEST, round(config.block * place.face))


def _covered(piece: Pixels, block: int, config: PixelateConfig) -> Pixels:
    """A piece of the photo (H, W, 3), covered in the style of the config."""
    if config.style == "solid":
        return np.zeros_like(piece)
    if config.style == "blur":
        return blurred(piece, block)
    grid = Grid.square(block)
    return paint_cells(sample(piece, grid, config.sampler), grid, (piece.shape[0], piece.shape[1]))


def _mask(box: Box, config: PixelateConfig) -> NDArray[np.bool_]:
    """(H, W): which pixels of a box are hidden."""
    if config.shape == "box":
        return np.ones((box.height, box.width), bool)
    down, across = (
        (2 * np.arange(side) + 1 - side) / side for side in (box.height, box.width)
    )  # pixel centres, -1 to 1
    return np.add.outer(down**2, across**2) <= 1


def pixelate_file(
    job: Job, config: PixelateConfig, detector: FaceDetector | None, listen: Listener = ignore
) -> PicturePixelated:
    """Hide the faces of one photo, or of all its frames or pages, found by the detector, or without
    one the regions given, and write the result. What it cannot keep is said before. Raises
    DemosaicError that names the file.

    The result keeps the photo's size, depth, transparency and colour profile. Of its EXIF it keeps
    only how the photo was taken: no thumbnail, which would show the face, no place, no names.
    """
    # The other pictures of an MPO show the same people, at another place or as a map of light
    original = read_original(job.source).first_of_mpo()
    for loss in losses(job.out, original, Keeping(None)):
        listen(Notice(f"{job.source}: {loss}"))
    try:
        places = _places_in_pages(original, config, detector)
    except DemosaicError as error:
        raise DemosaicError(f"{job.source}: {error}", error.exit_code) from error
    hidden = [
        _hidden_page(page, found, config)
        for page, found in zip(original.pages, places, strict=True)
    ]
    make_folder(job.out.parent)
    pages = tuple(page for page, _ in hidden)
    write_edited(job.out, Edit(original, pages, Keeping(None)))
    faces = tuple(face for _, faces in hidden for face in faces)
    return PicturePixelated(str(job.source), str(job.out), faces)


def _places_in_pages(
    original: Original, config: PixelateConfig, detector: FaceDetector | None
) -> list[list[Place]]:
    """What to hide in each picture of a file: in a frame of an animation, what is found in any, as
    a face that turns is not found in all. Raises DemosaicError when there is nothing to hide.
    """
    places = []
    for number, page in enumerate(original.pages):
        if detector is None:
            places.append(regions_of(page.shown, config))
            continue
        data = encode_png(page.shown) if number else original.data
        places.append(faces_in(data, config, detector))
    if not any(places):
        raise DemosaicError("no face found: mark what to hide with --region X,Y,W,H", NOTHING_TO_DO)
    if original.is_animation and detector:
        return [[place for found in places for place in found]] * len(places)
    return places


def _hidden_page(
    page: Stored, places: Sequence[Place], config: PixelateConfig
) -> tuple[Stored, tuple[FaceHidden, ...]]:
    """A picture with these places hidden in the colours that are stored, and what was hidden."""
    done: list[Pixelated] = []

    def paint(colours: Pixels) -> Pixels:
        done.append(pixelate_image(colours, places, config))
        return done[-1].picture

    painted = page.painted(paint, [place.box for place in places])
    return painted, done[0].faces


def pixelate_files(
    photos: Sources,
    out: str | PathLike[str] | None = None,
    *,
    force: bool = False,
    config: PixelateConfig = PixelateConfig(),
    make_detector: MakeDetector = engines.make_detector,
    workers: Workers | None = None,
    listen: Listener = ignore,
) -> BatchReport[PicturePixelated]:
    """Hide the faces in photos and write the results; what `demosaic pixelate` does.

    `photos`: one or several files, folders of them, or patterns such as `photos/**/*.jpg`. `out`:
    the file to write, or the folder for several; without it a result goes beside its photo, as
    NAME.pixelated and the suffix. Results that are there stay, unless `force` is given. `workers`
    do the work, as `workers.cluster` makes them; without them this process does.

    A photo in which no face is found is reported as skipped. Raises DemosaicError when there is no
    photo, when there is only one and it cannot be done, or when nothing was hidden in any.
    """
    jobs = plan(
        photos,
        Path(out) if out is not None else None,
        "pixelated",
        force=force,
        listen=listen,
    )
    make = None if config.regions else make_detector
    return do_all(jobs, _Hiding(config, make), "pixelated", listen, workers)


@dataclass
class _Hiding:
    """Hides the faces of photos; sent to a worker, it makes a detector there."""

    config: PixelateConfig
    make_detector: MakeDetector | None
    """None when the config says which regions to hide."""
    _detector: FaceDetector | None = None

    def __call__(self, job: Job, listen: Listener) -> PicturePixelated:
        if self.make_detector and self._detector is None:
            self._detector = self.make_detector()
        return pixelate_file(job, self.config, self._detector, listen)
