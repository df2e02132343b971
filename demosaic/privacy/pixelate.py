"""Faces in photos hidden: the opposite of restoration."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from demosaic.clips import without_pyav
from demosaic.config.clips import ClipConfig
from demosaic.config.privacy import PixelateConfig
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.events import Listener, Notice, ignore
from demosaic.faces import engines
from demosaic.faces.analysis import examine
from demosaic.faces.cache import MakeDetector
from demosaic.faces.detector import FaceDetector
from demosaic.files import make_folder
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.batch import BatchReport, Job, Sources, do_all, is_clip, plan
from demosaic.imaging.decoding import decode, read_bytes
from demosaic.imaging.edited_copy import Edit, losses, write_edited
from demosaic.imaging.encoding import encode_png
from demosaic.imaging.geometry import Box
from demosaic.imaging.metadata import Keeping
from demosaic.imaging.opening import NotAPicture
from demosaic.imaging.original import Original, read_original
from demosaic.imaging.pictures import Picture, to_pixels
from demosaic.imaging.stored import Stored
from demosaic.privacy.events import ClipPixelated, FaceHidden, PicturePixelated
from demosaic.privacy.places import Pixelated, Place, around, pixelate_image, regions_of
from demosaic.workers.processes import Workers


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
        Place(around(face.box, config.margin).clipped(photo), face.box.width, face.score)
        for face in examined.faces
        if face.score >= config.min_score
    ]


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
    clips: ClipConfig = ClipConfig(),
    make_detector: MakeDetector = engines.make_detector,
    workers: Workers | None = None,
    listen: Listener = ignore,
) -> BatchReport[PicturePixelated | ClipPixelated]:
    """Hide the faces in photos and clips and write the results; what `demosaic pixelate` does.

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
    return do_all(jobs, _Hiding(config, clips, make), "pixelated", listen, workers)


@dataclass
class _Hiding:
    """Hides the faces of photos and clips; sent to a worker, it makes a detector there."""

    config: PixelateConfig
    clips: ClipConfig
    make_detector: MakeDetector | None
    """None when the config says which regions to hide."""
    _detector: FaceDetector | None = None

    def __call__(self, job: Job, listen: Listener) -> PicturePixelated | ClipPixelated:
        if self.make_detector and self._detector is None:
            self._detector = self.make_detector()
        if is_clip(job.source):
            return _hide_in_clip(job, self.config, self._detector, self.clips, listen)
        return pixelate_file(job, self.config, self._detector, listen)


def _hide_in_clip(
    job: Job,
    config: PixelateConfig,
    detector: FaceDetector | None,
    clips: ClipConfig,
    listen: Listener,
) -> ClipPixelated:
    try:
        from demosaic.privacy.clip import pixelate_clip
    except ModuleNotFoundError as error:  # PyAV is an extra
        raise without_pyav(job.source) from error
    return pixelate_clip(job, config, detector, clips, listen)
