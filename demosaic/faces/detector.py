"""A detector of faces: what it finds, and MediaPipe's, which is used nowhere else."""

import importlib.util
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np

from demosaic.config.rules import LEAST_SCORE
from demosaic.errors import DemosaicError
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.geometry import Box

MODEL_FILE = "modules/face_detection/face_detection_short_range.tflite"
"""The face model inside the mediapipe package."""


@dataclass(frozen=True)
class Face:
    """One face found in a photo."""

    box: Box
    """From chin to brow and ear to ear, in pixels of the photo; may reach over its edge."""
    score: float
    """The detector's confidence, 0..1."""
    keypoints: tuple[tuple[float, float], ...]
    """Right eye, left eye, nose tip, mouth, right ear and left ear, each (x, y) in pixels of the
    photo; `right` is the person's right.
    """
    angle: int = 0
    """Degrees by which the photo, turned counter-clockwise, shows the face upright."""


class FaceDetector(Protocol):
    """Anything that finds faces in a picture."""

    def detect(self, image: Pixels) -> Sequence[Face]:
        """The faces in a picture (H, W, 3), those with the highest score first."""
        ...


class MediaPipeDetector:
    """MediaPipe's short-range detector, with the model in the mediapipe package; works offline."""

    @staticmethod
    def name() -> str:
        """The detector and its version: detectors of one name find the same faces."""
        return f"mediapipe short-range {version('mediapipe')}"

    def __init__(self, min_score: float) -> None:
        """Find faces whose score is `min_score` (0..1) or more. Raises DemosaicError when the
        mediapipe package contains no model.
        """
        with _quiet():  # MediaPipe's C++ writes to stderr, across the progress bar
            from mediapipe.tasks.python import BaseOptions, vision

            options = vision.FaceDetectorOptions(
                base_options=BaseOptions(model_asset_buffer=_model()),
                min_detection_confidence=min_score,
            )
            self._detector = vision.FaceDetector.create_from_options(options)
            # The rest of what it writes comes with the first picture
            self.detect(np.zeros((128, 128, 3), np.uint8))

    def detect(self, image: Pixels) -> list[Face]:
        """The faces in a picture (H, W, 3), those with the highest score first."""
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
    """The model in the mediapipe package, found without importing that."""
    package = importlib.util.find_spec("mediapipe")
    for place in (package.submodule_search_locations if package else None) or []:
        model = Path(place) / MODEL_FILE
        if model.is_file():
            return model.read_bytes()
    raise DemosaicError(
        "the installed mediapipe carries no face model: install one that does, "
        "pip install 'mediapipe==0.10.21'"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Discard what native code writes to stderr."""
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def default_detector() -> FaceDetector:
    """The detector that commands use. It finds all that may be a face; callers filter by score."""
    return MediaPipeDetector(LEAST_SCORE)
