"""What is done of a clip, on disk, so that the same command goes on after a stop."""

import json
import shutil
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from demosaic.errors import DemosaicError
from demosaic.files import (
    append_lines,
    drop_torn_line,
    make_folder,
    read_json,
    read_lines,
    write_json,
    write_with,
)

_HEAD = struct.Struct("<qBII")  # time, whether it is a key frame, bytes, bytes beside them


@dataclass(frozen=True)
class Stored:
    """An encoded packet."""

    time: int
    """When it is shown, ticks of the clip."""
    key: bool
    data: bytes
    beside: bytes = b""
    """Its transparency, in codecs that store it apart."""


@dataclass
class Tally:
    """What was done, to be reported."""

    frames: int = 0
    changed: int = 0
    """Frames in which something was painted."""
    places: int = 0
    """How often something was painted."""
    copied: int = 0
    """Frames that were copied without being encoded."""
    cells: int = 0
    """Cells whose mean was compared after decoding, of all colours."""
    error: float = 0.0
    """The sum of their differences from the clip, levels of 8 bits."""
    largest: float = 0.0
    """The largest of these."""

    def add(self, other: "Tally") -> None:
        """Count what another tally counts, too."""
        for name in ("frames", "changed", "places", "copied", "cells", "error"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.largest = max(self.largest, other.largest)

    @property
    def mean_error(self) -> float | None:
        """The mean difference of a cell; None without any."""
        return self.error / self.cells if self.cells else None


@dataclass(frozen=True)
class Segment:
    """A part of the result that is done: packets in a file, or packets of the clip."""

    file: str
    """Empty where packets of the clip are copied."""
    times: tuple[int, ...]
    """When each packet is shown, in the order in which they are stored."""
    copied: tuple[tuple[int, int], ...]
    """The ranges of packets of the clip that are copied: the first, and the one after the last."""
    next_frame: int
    """The number of the frame that follows."""
    next_unit: int
    extradata: str
    """The encoder's header, as hexadecimal digits."""
    tally: Tally = field(default_factory=Tally)


class Work:
    """The folder of a result that is being made, beside it."""

    def __init__(self, out: Path) -> None:
        self._folder = out.with_name(f".{out.name}.work")
        self._list = self._folder / "segments.jsonl"
        self.segments: list[Segment] = []

    def begin(self, plan: Mapping[str, object]) -> None:
        """Go on with what is there if it was begun with the same plan; else begin anew."""
        plan = json.loads(json.dumps(plan))
        if self._plan() != plan:
            shutil.rmtree(self._folder, ignore_errors=True)
            make_folder(self._folder, private=True)
            write_json(self._folder / "plan.json", plan)
        if self._list.exists():
            drop_torn_line(self._list)
            self.segments = [_segment(record) for record in read_lines(self._list)]

    @property
    def first_time(self) -> int:
        """When the first frame is shown, ticks."""
        return min(time for one in self.segments for time in one.times)

    def _plan(self) -> dict[str, Any] | None:
        path = self._folder / "plan.json"
        try:
            return read_json(path) if path.exists() else None
        except DemosaicError:
            return None

    def add(self, segment: Segment, packets: Sequence[Stored] = ()) -> None:
        """Add a part that is done."""
        if segment.file:
            write_with(self._folder / segment.file, lambda part: _write(part, packets))
        append_lines(self._list, [asdict(segment)])
        self.segments.append(segment)

    def packets(self, segment: Segment) -> Iterator[Stored]:
        """The packets of a part, one after the other."""
        with (self._folder / segment.file).open("rb") as file:
            while head := file.read(_HEAD.size):
                time, key, size, beside = _HEAD.unpack(head)
                yield Stored(time, bool(key), file.read(size), file.read(beside))

    def remove(self) -> None:
        """Forget all that was done."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _write(path: Path, packets: Sequence[Stored]) -> None:
    with path.open("wb") as file:
        for one in packets:
            file.write(_HEAD.pack(one.time, one.key, len(one.data), len(one.beside)))
            file.write(one.data)
            file.write(one.beside)


def _segment(record: dict[str, Any]) -> Segment:
    return Segment(
        str(record["file"]),
        tuple(map(int, record["times"])),
        tuple((int(first), int(end)) for first, end in record["copied"]),
        int(record["next_frame"]),
        int(record["next_unit"]),
        str(record["extradata"]),
        Tally(**record["tally"]),
    )
