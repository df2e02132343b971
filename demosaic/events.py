"""What the program reports while it works: one stream of events, many listeners.

Every package defines its own events; a report, which ends a command, is an event too.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from demosaic.files import append_lines, as_line, drop_torn_line, encoded


@dataclass(frozen=True)
class Event:
    """Something to report, such as a photo done, a choice made or what a command found."""

    def records(self) -> list[dict[str, object]]:
        """The event as JSON objects, each a line; `event` is its kind."""
        return [{"event": type(self).__name__, **asdict(self)}]


@dataclass(frozen=True)
class Notice(Event):
    """A choice made or a thing to know, in one sentence."""

    text: str


@dataclass(frozen=True)
class Failed(Event):
    """The command ends before it is done, with this message and exit code: the last event."""

    message: str
    exit_code: int


@dataclass(frozen=True)
class PicturesFound(Event):
    """There are `total` pictures to work on."""

    total: int


@dataclass(frozen=True)
class PictureSkipped(Event):
    """One picture of several could not be worked on."""

    picture: str
    reason: str


@dataclass(frozen=True)
class PicturesDone(Event):
    """The pictures are done: so many of the `total` were `restored` or `pixelated`."""

    what: str
    done: int
    total: int


@dataclass(frozen=True)
class WorkStarted(Event):
    """There are `total` things to work on, such as `mosaics` to score; `unit` names them."""

    unit: str
    total: int


@dataclass(frozen=True)
class WorkDone(Event):
    """`count` more of them are done."""

    count: int


Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to nothing."""


def tee(*listeners: Listener) -> Listener:
    """A listener that passes every event to each of `listeners`."""

    def listen(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return listen


Record = dict[str, object]


def _as_it_is(record: Record) -> Record:
    return record


def log_to(path: Path, edit: Callable[[Record], Record] = _as_it_is) -> Listener:
    """A listener that appends the records of each event, edited, to a JSON lines file."""
    drop_torn_line(path)

    def listen(event: Event) -> None:
        append_lines(path, map(edit, event.records()))

    return listen


def write_to(stream: TextIO) -> Listener:
    """A listener that writes the records of each event as lines of JSON, each at once, for another
    program to read.
    """

    def listen(event: Event) -> None:
        for record in event.records():
            stream.write(encoded(as_line(record)).decode())
        stream.flush()

    return listen
