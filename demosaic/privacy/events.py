"""Events of pixelating photos and of a privacy audit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from demosaic.config.privacy import Shape, Style
from demosaic.evaluation.events import Estimate
from demosaic.events import Event


@dataclass(frozen=True)
class FaceHidden:
    """One face of a picture was hidden."""

    box: tuple[int, int, int, int]
    """x, y, width and height, picture pixels."""
    style: str
    block: int | None
    """Side of a cell, or spread of the blur, picture pixels; None for the style `solid`."""
    score: float | None
    """The detector's confidence, 0 to 1; None for a region that the user gave."""


@dataclass(frozen=True)
class PicturePixelated(Event):
    """The faces of one picture were hidden; the result is in `out`."""

    picture: str
    out: str
    faces: tuple[FaceHidden, ...]


@dataclass(frozen=True)
class Hiding:
    """A way to hide faces."""

    style: Style
    share: float | None
    """Side of a cell, or spread of the blur, as a share of the face's width; None for solid."""
    shape: Shape

    @property
    def cells(self) -> float | None:
        """Cells across the face, or how often the spread of the blur fits across it."""
        return 1 / self.share if self.share else None

    def __str__(self) -> str:
        ellipse = " in an ellipse" if self.shape == "ellipse" else ""
        if self.style == "solid":
            return f"black{ellipse}"
        if self.style == "blur":
            return f"a blur of {self.share or 0:.0%} of the face's width{ellipse}"
        return f"a mosaic of {self.cells:.3g} cells across the face{ellipse}"


@dataclass(frozen=True)
class ClipPixelated(Event):
    """The faces of one clip were hidden; the result is in `out`."""

    clip: str
    out: str
    frames: int
    hidden: int
    """Frames in which something was hidden."""
    faces: int
    """Faces that were followed, or regions that the user gave."""
    bridged: int
    """How often a face was hidden in a frame in which the detector missed it."""
    copied: int
    """Frames that were copied without encoding them again."""
    sheet: str
    """A picture of what was hidden, the least certain first."""


@dataclass(frozen=True)
class Attack:
    """How often one recogniser identified the right person in one way to compare."""

    hiding: Hiding | None
    """How the faces were hidden; None where nothing hid them."""
    way: str
    """`direct`: compared with clear photos; `alike`: with photos hidden in the same way;
    `restored`: restored first, then compared with clear photos.
    """
    recogniser: str
    found: int
    """Hidden faces whose right person came first."""
    first: Estimate
    """The share of them."""
    above_chance: bool
    """Whether that is significantly more than by guessing."""


Level = Literal["red", "amber", "green"]


@dataclass(frozen=True)
class AuditReport(Event):
    """The result of a privacy audit."""

    verdict: str
    """The answer in one sentence."""
    level: Level
    """red: people were recognised. amber: they were not, or it cannot be said; that proves nothing.
    green: nothing of the faces is left.
    """
    advice: str
    """What to do."""
    asked: Hiding
    """The way to hide faces that the verdict is about."""
    photos: str
    model: str | None
    people: int
    """People in the gallery."""
    gallery: int
    """Known faces."""
    hidden: int
    """Hidden faces, other photos of some of these people."""
    hidden_people: int
    left_out: Mapping[str, int]
    """The number of people without a hidden face, by reason."""
    chance: float
    """The share that guessing finds."""
    attacks: tuple[Attack, ...]
    least_significant: int
    """The smallest number of faces found that would be significantly more than by guessing."""
    seconds: float

    @property
    def hidings(self) -> list[Hiding]:
        """The ways to hide faces that were tried, the one asked about first."""
        return [*dict.fromkeys(attack.hiding for attack in self.attacks if attack.hiding)]

    def best(self, hiding: Hiding | None, way: str | None = None) -> Attack:
        """The attack that found the most behind this hiding, in one way to compare or in any."""
        return best_of(
            attack
            for attack in self.attacks
            if attack.hiding == hiding and way in (None, attack.way)
        )


def best_of(attacks: Iterable[Attack]) -> Attack:
    """The attack that found the most; of equal ones the first."""
    return max(attacks, key=lambda attack: attack.found)
