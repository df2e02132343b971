"""What the core says while it works, and what it hands back: one stream, many listeners."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from demosaic.evaluation.events import Estimate
from demosaic.files import append_lines, as_line, drop_torn_line, encoded


@dataclass(frozen=True)
class Event:
    """Something the core says while it works."""

    def records(self) -> list[dict[str, object]]:
        """What is written of it as JSON, an object a line; `event` holds its kind."""
        return [{"event": type(self).__name__, **asdict(self)}]


@dataclass(frozen=True)
class Notice(Event):
    """A choice made or a thing to know, in one sentence."""

    text: str


@dataclass(frozen=True)
class PicturesFound(Event):
    """`total` pictures are to be worked on."""

    total: int


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
class PictureSkipped(Event):
    """One picture of several could not be worked on."""

    picture: str
    reason: str


@dataclass(frozen=True)
class Checked(Event):
    """One thing that demosaic needs was looked at."""

    what: str
    found: str
    """What there is; empty when it is not as it should be."""
    advice: str = ""
    """What is wrong and what to do; empty when all is well."""


@dataclass(frozen=True)
class WorkStarted(Event):
    """`total` of `unit` (`mosaics` to score, `faces` to compare) are to be worked on."""

    unit: str
    total: int


@dataclass(frozen=True)
class WorkDone(Event):
    """So many more of them were."""

    count: int


@dataclass(frozen=True)
class DoctorReport(Event):
    """What a look at the installation found."""

    checks: tuple[Checked, ...]
    seconds: float

    @property
    def problems(self) -> list[Checked]:
        """What is not well."""
        return [check for check in self.checks if check.advice]


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


Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to nothing."""


def tee(*listeners: Listener) -> Listener:
    """A listener that passes every event to each of `listeners`."""

    def listen(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return listen


def log_to(path: Path) -> Listener:
    """A listener that appends the records of each event to a JSON lines file."""
    drop_torn_line(path)

    def listen(event: Event) -> None:
        append_lines(path, event.records())

    return listen


def write_to(stream: TextIO) -> Listener:
    """A listener that writes the records of each event as lines of JSON at once, for another
    program to read.
    """

    def listen(event: Event) -> None:
        for record in event.records():
            stream.write(encoded(as_line(record)).decode())
        stream.flush()

    return listen
