"""Where the faces are in a photo. Only here is MediaPipe known."""

import importlib.util
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from demosaic.errors import DemosaicError
from demosaic.images import Box, Pixels

_MODEL = "modules/face_detection/face_detection_short_range.tflite"


@dataclass(frozen=True)
class Face:
    """One face found in a photo."""

    box: Box
    """Chin to brow, ear to ear; may reach over the photo's edge."""
    score: float
    """How sure the detector is, 0..1."""
    keypoints: tuple[tuple[float, float], ...]
    """Photo pixels (x, y) of right eye, left eye, nose tip, mouth, right ear, left ear; `right`
    is the person's.
    """


class FaceDetector(Protocol):
    """Whatever finds faces."""

    def detect(self, image: Pixels) -> Sequence[Face]:
        """The faces in a picture (H, W, 3), the most certain first."""
        ...


class MediaPipeDetector:
    """MediaPipe's short-range detector with the model its wheel carries; it works offline."""

    name = "mediapipe short-range"

    def __init__(self, min_score: float) -> None:
        with _quiet():  # MediaPipe's C++ greets on stderr and would tear the progress bar
            from mediapipe.tasks.python import BaseOptions, vision

            options = vision.FaceDetectorOptions(
                base_options=BaseOptions(model_asset_buffer=_model()),
                min_detection_confidence=min_score,
            )
            self._detector = vision.FaceDetector.create_from_options(options)
            self.detect(
                np.zeros((128, 128, 3), np.uint8)
            )  # the rest of the greeting comes with the first picture

    def detect(self, image: Pixels) -> list[Face]:
        """The faces in a picture (H, W, 3), the most certain first."""
        import mediapipe

        picture = mediapipe.Image(
            image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image)
        )
        height, width = image.shape[:2]
        found = []
        for detection in self._detector.detect(picture).detections:
            box = detection.bounding_box
            points = tuple((point.x * width, point.y * height) for point in detection.keypoints)
            face = Face(
                Box(box.origin_x, box.origin_y, box.width, box.height),
                float(detection.categories[0].score),
                points,
            )
            found.append(face)
        return sorted(found, key=lambda face: -face.score)


def _model() -> bytes:
    """The bundled model, found without importing MediaPipe."""
    package = importlib.util.find_spec("mediapipe")
    for place in (package.submodule_search_locations if package else None) or []:
        model = Path(place) / _MODEL
        if model.is_file():
            return model.read_bytes()
    raise DemosaicError(
        "the installed mediapipe carries no face model: install one that does, "
        "pip install 'mediapipe==0.10.21'"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Send what native code writes to stderr nowhere."""
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
