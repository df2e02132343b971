"""The face network, run by the mediapipe package it comes from.

It finds what `short_range` finds, which needs no package. It is here to compare with.
"""

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from demosaic.errors import DISTRIBUTION, DemosaicError
from demosaic.faces.detector import Face
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.geometry import Box

MODEL_FILE = "modules/face_detection/face_detection_short_range.tflite"
"""The face model inside the mediapipe package."""


class MediaPipeDetector:
    """MediaPipe's short-range detector, with the model in the mediapipe package; works offline."""

    def __init__(self, min_score: float) -> None:
        """Find faces whose score is `min_score` (0..1) or more. Raises DemosaicError when
        there is no mediapipe package, or one without a model.
        """
        model = _model()
        with _quiet():  # MediaPipe's C++ writes to stderr, across the progress bar
            from mediapipe.tasks.python import BaseOptions, vision

            options = vision.FaceDetectorOptions(
                base_options=BaseOptions(model_asset_buffer=model),
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
    """The model in the mediapipe package, found without importing that.

    Packages without one, from 0.10.30 on, are refused before they run: some send data home.
    """
    package = importlib.util.find_spec("mediapipe")
    if package is None:
        raise DemosaicError(
            "mediapipe is not installed: leave --detector out, which finds the same faces, or "
            f"pip install '{DISTRIBUTION}[mediapipe]' (Python 3.10 to 3.12)"
        )
    for place in package.submodule_search_locations or []:
        model = Path(place) / MODEL_FILE
        if model.is_file():
            return model.read_bytes()
    raise DemosaicError(
        "the installed mediapipe carries no face model: leave --detector out, which finds the same "
        "faces, or pip install 'mediapipe==0.10.21'"
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
