"""The engines that run the face network, by name."""

from demosaic.config.detector import DetectorConfig, Engine
from demosaic.config.rules import LEAST_SCORE
from demosaic.faces.detector import FaceDetector

NETWORK_NAME = "mediapipe short-range 0.10.21"
"""What finds are remembered under. It does not name the engine: all find the same faces."""


def detector_name(engine: Engine = DetectorConfig.detector) -> str:
    """What a dataset records of the detector that found its faces."""
    return f"{NETWORK_NAME} by {engine}"


def make_detector(engine: Engine = DetectorConfig.detector) -> FaceDetector:
    """The detector that commands use. It finds all that may be a face; callers filter by score.

    Raises DemosaicError when the engine is not installed.
    """
    if engine == "mediapipe":
        from demosaic.faces.mediapipe_engine import MediaPipeDetector

        return MediaPipeDetector(LEAST_SCORE)
    from demosaic.faces.short_range import ShortRangeDetector

    return ShortRangeDetector(LEAST_SCORE)
