"""What a detector of faces finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from demosaic.imaging.arrays import Pixels
from demosaic.imaging.geometry import Box


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
