"""Many pairs in little memory: a million take 33 MB, as paths and records they take gigabytes.

A pair's id is 16 hexadecimal digits: a whole number of 64 bits.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from demosaic.mosaic.grid import Grid

Ids: TypeAlias = NDArray[np.uint64]

FACTS = np.dtype(
    [
        ("id", np.uint64),
        ("block", np.uint16, 2),
        ("offset", np.uint16, 2),
        ("mean", np.bool_),
        ("enlarged", np.float64),
    ]
)
"""What is known of a pair: its grid, whether that shows means, and how much it was enlarged."""


def as_text(number: int) -> str:
    """An id as its 16 hexadecimal digits."""
    return f"{number:016x}"


@dataclass(frozen=True, eq=False)
class Pictures(Sequence[Path]):
    """The pictures of pairs in a folder, in the order of their ids."""

    folder: Path
    ids: Ids

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, place: int) -> Path: ...

    @overload
    def __getitem__(self, place: slice) -> "Pictures": ...

    def __getitem__(self, place: int | slice) -> "Path | Pictures":
        if isinstance(place, slice):
            return Pictures(self.folder, self.ids[place])
        return self.folder / f"{as_text(int(self.ids[place]))}.png"


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of pairs: rows of FACTS in the order of their ids."""

    rows: NDArray[np.void]

    @classmethod
    def of(cls, rows: Iterator[tuple[Any, ...]]) -> "Facts":
        """From the values of each pair; the last ones when a pair comes twice."""
        read = np.fromiter(rows, FACTS)[::-1]
        _, first = np.unique(read["id"], return_index=True)
        return cls(read[first])

    def row(self, id: str) -> Any:
        """What is known of a pair. Raises KeyError when nothing is."""
        number = np.uint64(int(id, 16)) if len(id) == 16 and _is_hexadecimal(id) else None
        place = np.searchsorted(self.rows["id"], number) if number is not None else len(self.rows)
        if place == len(self.rows) or self.rows["id"][place] != number:
            raise KeyError(id)
        return self.rows[place]

    def of_all(self, ids: Ids) -> NDArray[np.intp]:
        """The numbers of the rows of these pairs; -1 for those of which nothing is known."""
        places = np.searchsorted(self.rows["id"], ids)
        known = places < len(self.rows)
        known[known] = self.rows["id"][places[known]] == ids[known]
        return np.where(known, places, -1)


def _is_hexadecimal(text: str) -> bool:
    return all(digit in "0123456789abcdef" for digit in text)


@dataclass(frozen=True, eq=False)
class Grids(Mapping[str, Grid]):
    """By the pair's id, the grid whose means its observed half shows."""

    facts: Facts

    def __getitem__(self, id: str) -> Grid:
        row = self.facts.row(id)
        if not row["mean"]:
            raise KeyError(id)
        return Grid(*row["block"].tolist(), *row["offset"].tolist())

    def __iter__(self) -> Iterator[str]:
        rows = self.facts.rows
        return map(as_text, rows["id"][rows["mean"]].tolist())

    def __len__(self) -> int:
        return int(self.facts.rows["mean"].sum())


@dataclass(frozen=True, eq=False)
class Enlarged(Mapping[str, float]):
    """By the pair's id, the side of its picture as a multiple of the crop's in the photo."""

    facts: Facts

    def __getitem__(self, id: str) -> float:
        return float(self.facts.row(id)["enlarged"])

    def __iter__(self) -> Iterator[str]:
        return map(as_text, self.facts.rows["id"].tolist())

    def __len__(self) -> int:
        return len(self.facts.rows)

    def at_most(self, pictures: Pictures, most: float) -> Pictures:
        """Those of the pictures that were enlarged by at most this factor, or of which it is not
        known.
        """
        places = self.facts.of_all(pictures.ids)
        enlarged = np.where(places < 0, 1.0, self.facts.rows["enlarged"][places])
        return Pictures(pictures.folder, pictures.ids[enlarged <= most])
