"""Events of pixelating photos and of a privacy audit."""

from collections.abc import Mapping
from dataclasses import dataclass

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
class Attack:
    """How often one recogniser identified the right person in one way to compare."""

    way: str
    """`clear`, `mosaic` (compared with clear photos), `mosaic, alike` (compared with photos
    pixelated alike) or `restored`.
    """
    block: int | None
    """Side of a cell, pixels of the crop; None for clear faces."""
    cells: float | None
    """Cells across the face."""
    recogniser: str
    first: Estimate
    """Share of hidden faces whose right person came first."""
    few: Estimate
    """Share whose right person was among the first five."""
    above_chance: bool
    """Whether that is significantly more than chance."""


@dataclass(frozen=True)
class AuditReport(Event):
    """The result of a privacy audit."""

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
    chance_first: float
    chance_few: float
    attacks: tuple[Attack, ...]
    least_told: float
    """The smallest share coming first that would be significant."""
    safe_block: int | None
    """The smallest block from which on no attack was better than chance; None when there is none,
    or when not even clear faces were identified.
    """
    finding: str
    """The result in one sentence."""
    seconds: float

    @property
    def ways(self) -> list[str]:
        """The ways in which hidden faces were compared."""
        return [*dict.fromkeys(attack.way for attack in self.attacks if attack.block)]

    @property
    def blocks(self) -> list[int]:
        """The blocks tried, in rising order."""
        return sorted({attack.block for attack in self.attacks if attack.block})

    def best(self, way: str, block: int | None) -> Attack:
        """The attack with the highest rate in this way at this block."""
        tried = [attack for attack in self.attacks if (attack.way, attack.block) == (way, block)]
        return max(tried, key=lambda attack: (attack.first.mean, attack.few.mean))
