"""The second tab: faces found and hidden."""

from dataclasses import dataclass
from functools import cache
from typing import Annotated

from demosaic.app.jobs import Job, Result
from demosaic.app.pictures import explained, has_frames, opened, result_suffix
from demosaic.app.tools import Tools
from demosaic.config.detector import Engine
from demosaic.config.privacy import PixelateConfig, Shape, Style
from demosaic.errors import DemosaicError
from demosaic.faces import engines
from demosaic.faces.detector import FaceDetector
from demosaic.imaging.batch import Job as FileJob
from demosaic.imaging.decoding import read_bytes
from demosaic.imaging.edited_copy import losses
from demosaic.imaging.encoding import encode_png
from demosaic.imaging.metadata import Keeping
from demosaic.imaging.original import read_original
from demosaic.privacy.pixelate import faces_in, pixelate_file
from demosaic.records import between


@dataclass(frozen=True)
class FindFaces:
    """Find the faces of a picture."""

    upload: str


@dataclass(frozen=True)
class Hide:
    """Hide what is in the boxes of a picture."""

    upload: str
    boxes: tuple[tuple[int, int, int, int], ...]
    style: Style
    shape: Shape
    block: Annotated[float, between(0.01, 1)]
    """Side of a cell or spread of the blur, as a share of the box's width."""


@cache
def _detector(engine: Engine) -> FaceDetector:
    return engines.make_detector(engine)


def find_faces(asked: FindFaces, tools: Tools, job: Job) -> Result:
    """The faces of a picture with the margin that is hidden too, and what a result cannot keep."""
    upload = tools.upload(asked.upload)
    job.begin(2, "Opening the picture")
    original = opened(upload)
    if has_frames(original):
        raise DemosaicError(
            "This file has several pictures. Hide faces in it with: demosaic pixelate"
        )
    first = original.pages[0].shown
    job.add_file("shown.png", encode_png(first))
    job.advance()
    job.step = "Looking for faces"
    with explained(upload):
        faces = faces_in(
            read_bytes(upload.source), PixelateConfig(), _detector(tools.detectors.detector)
        )
    height, width = first.shape[:2]
    out = upload.folder / f"x{result_suffix(original)}"
    return {
        "width": width,
        "height": height,
        "notes": losses(out, original.first_of_mpo(), Keeping(None)),
        "faces": [{"box": one.box.corners, "score": one.score} for one in faces],
    }


def hide(asked: Hide, tools: Tools, job: Job) -> Result:
    """The picture with these boxes hidden as a file, `result`, and as it looks, `shown.png`."""
    upload = tools.upload(asked.upload)
    if not asked.boxes:
        raise DemosaicError("Draw a box around each face first.")
    job.begin(2, "Hiding")
    config = PixelateConfig(
        regions=asked.boxes, style=asked.style, shape=asked.shape, block=asked.block
    )
    out = job.place_file("result", result_suffix(opened(upload)))
    with explained(upload):
        pixelate_file(FileJob(upload.source, out), config, None)
    job.advance()
    job.add_file("shown.png", encode_png(read_original(out).pages[0].shown))
    return {"suffix": out.suffix}
