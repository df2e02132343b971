"""What is said while faces are hidden or an album is audited."""

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
    """Side of a cell, or spread of the blur, picture pixels; None of what is black."""
    score: float | None
    """How sure it is that this is a face, 0..1; None where a person said so."""


@dataclass(frozen=True)
class PicturePixelated(Event):
    """The faces of one picture were hidden in `out`."""

    picture: str
    out: str
    faces: tuple[FaceHidden, ...]


@dataclass(frozen=True)
class Attack:
    """How often one recogniser found the right person in one way to look."""

    way: str
    """`clear`, `mosaic` (beside clear photos), `mosaic, alike` (beside photos pixelated alike) or
    `restored`.
    """
    block: int | None
    """Side of a cell, pixels of a cut face; None when nothing hides it."""
    cells: float | None
    """Cells across the face."""
    recogniser: str
    first: Estimate
    """The right person came first."""
    few: Estimate
    """The right person was among the first five."""
    above_chance: bool
    """Whether that is more than chance would be."""


@dataclass(frozen=True)
class AuditReport(Event):
    """What an audit of an album found."""

    photos: str
    model: str | None
    people: int
    """In the gallery, among whom the right one is looked for."""
    gallery: int
    """Known faces."""
    hidden: int
    """Hidden faces, other photos of some of these people."""
    hidden_people: int
    left_out: Mapping[str, int]
    """How many people had no face hidden, by reason."""
    chance_first: float
    chance_few: float
    attacks: tuple[Attack, ...]
    least_told: float
    """The smallest share coming first that could not be by chance."""
    safe_block: int | None
    """The smallest block from which on nobody was found more often than by chance; None when
    somebody always was, or not even clear faces were, which tells nothing.
    """
    finding: str
    """The same in a sentence."""
    seconds: float

    @property
    def ways(self) -> list[str]:
        """Ways to look at what is hidden."""
        return [*dict.fromkeys(attack.way for attack in self.attacks if attack.block)]

    @property
    def blocks(self) -> list[int]:
        """The blocks tried, the smallest first."""
        return sorted({attack.block for attack in self.attacks if attack.block})

    def best(self, way: str, block: int | None) -> Attack:
        """The recogniser that found the most in this way at this block."""
        tried = [attack for attack in self.attacks if (attack.way, attack.block) == (way, block)]
        return max(tried, key=lambda attack: (attack.first.mean, attack.few.mean))
