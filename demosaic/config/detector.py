"""What finds faces."""

from dataclasses import dataclass
from typing import Literal

from demosaic.config.options import check, option

Engine = Literal["opencv", "mediapipe"]


@dataclass(frozen=True)
class DetectorConfig:
    """What finds faces; every engine finds the same ones."""

    detector: Engine = option(
        "opencv",
        "What runs the face network. mediapipe is an extra, and finds the same faces.",
        panel="Computing",
    )

    def __post_init__(self) -> None:
        check(self)
