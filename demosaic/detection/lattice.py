"""Lines at one distance along an axis: the edges of a mosaic's cells, seen from one side."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demosaic.imaging.geometry import Box
from demosaic.mosaic.grid import Grid

Floats = NDArray[np.float32]

Places = NDArray[np.intp]


LEAST, MOST = 3, 64  # pixels of a cell

SQUARE = 8  # pixels of a picture; the side of those that JPEG codes it in

_WIDE = 4.5  # pixels; JPEG's ringing beside the lines of larger cells is left out


@dataclass(frozen=True)
class Comb:
    """Lines at the pixels nearest to `start + k * pitch`."""

    pitch: float
    start: float
    score: float = 1.0
    """How well a profile of steps agrees, 0..1."""

    def lines(self, low: int, high: int) -> Places:
        """The pixels from `low` to below `high` at which a cell begins."""
        first = np.ceil((low - 0.5 - self.start) / self.pitch)
        last = np.ceil((high - 0.5 - self.start) / self.pitch)
        places = np.floor(self.start + np.arange(first, last) * self.pitch + 0.5)
        inside: Places = places[(places >= low) & (places < high)].astype(np.intp)
        return inside

    def calm(self, low: int, high: int) -> NDArray[np.bool_]:
        """Which pixels from `low` to below `high` are inside cells. Where the lines are edges of
        JPEG's squares, on which a photo has steps too, the other such edges are.
        """
        calm = self.inner(low, high)
        if self.on_squares:
            calm &= np.arange(low, high) % SQUARE == 0
        return calm

    def inner(self, low: int, high: int) -> NDArray[np.bool_]:
        """Which pixels from `low` to below `high` are not on lines, nor beside them where cells are
        large enough.
        """
        inner = np.ones(high - low, bool)
        lines = self.lines(low - 1, high + 1) - low
        for beside in (-1, 0, 1) if self.pitch > _WIDE else (0,):
            near = lines + beside
            inner[near[(near >= 0) & (near < len(inner))]] = False
        return inner

    @property
    def is_whole(self) -> bool:
        """Whether cells have whole sides."""
        return float(self.pitch).is_integer()

    @property
    def on_squares(self) -> bool:
        """Whether all lines are edges of the squares that JPEG codes a picture in, but not all of
        these are lines.
        """
        return self.pitch > SQUARE and self.pitch % SQUARE == 0 and self.start % SQUARE == 0

    def slivers(self, low: int, high: int) -> set[int]:
        """The lines that leave a cell of one pixel at an end of what lies from `low` to `high`."""
        return {low + 1, high - 1} & set(self.lines(low + 1, high).tolist())

    def moved(self, way: int) -> "Comb":
        """The comb as seen from a point so many pixels before."""
        return Comb(self.pitch, self.start + way, self.score)


@dataclass(frozen=True)
class Lattice:
    """The lines of cells along both axes of a picture."""

    across: Comb
    down: Comb

    def grid(self, box: Box) -> Grid:
        """The cells as seen from the corner of a box."""
        return Grid(
            _plain(self.across.pitch),
            _plain(self.down.pitch),
            _plain((self.across.start - box.x) % self.across.pitch),
            _plain((self.down.start - box.y) % self.down.pitch),
        )

    @property
    def turned(self) -> "Lattice":
        """The lattice of a picture whose rows have become columns."""
        return Lattice(self.down, self.across)

    def lines(self, box: Box) -> tuple[Places, Places]:
        """Where columns and rows of cells begin in a box, counted from its corner, but for the
        first.
        """
        return (
            self.across.lines(box.x + 1, box.x + box.width) - box.x,
            self.down.lines(box.y + 1, box.y + box.height) - box.y,
        )


def _plain(value: float) -> float:
    return int(value) if float(value).is_integer() else value


def through(places: Places, pitch: float) -> Comb | None:
    """The comb that has a line at each of these pixels, `pitch` apart more or less: of all such
    combs one of whole pixels, or else the middle one. Where there is none, as where a program
    rounds halves now up, now down, the comb that has most of them. None for fewer than three
    pixels.
    """
    if len(places) < 3:
        return None
    numbers = np.concatenate([[0], np.cumsum(np.rint(np.diff(places) / pitch))])
    first, second = np.nonzero(numbers[None] > numbers[:, None])
    if len(first) == 0:
        return None
    spread, steps = places[second] - places[first], numbers[second] - numbers[first]
    least, most = float(((spread - 1) / steps).max()), float(((spread + 1) / steps).min())
    if least >= most:  # the outermost may be ends of the mosaic, which no line need meet
        inner = (first > 0) & (second < len(places) - 1)
        if not inner.any():
            return None
        most = float(((spread + 1) / steps)[inner].min())
    whole = float(np.rint((least + most) / 2))
    return _through(places, numbers, whole if least < whole < most else (least + most) / 2)


def ending(comb: Comb, low: int, high: int) -> Comb:
    """A comb whose cells fill a mosaic from `low` to `high`, as most programs make them, if it has
    the lines of the given one; or else that one.
    """
    inner = comb.lines(low + 1, high)
    far = inner[(inner - low > comb.pitch / 2) & (high - inner > comb.pitch / 2)]
    filled = through(np.concatenate([[low], far, [high]]), comb.pitch)
    fits = filled is not None and filled.score == 1
    return filled if filled and fits and _may_be_broken(comb, low, high) else comb


def _through(places: Places, numbers: Floats, pitch: float) -> Comb:
    """The comb of a pitch that has the most of some pixels as its lines of these numbers."""
    offsets = places - numbers * pitch
    starts = np.linspace(offsets[1:].max() - 0.5, offsets[:-1].min() + 0.5, 65)[1:-1]
    met = np.floor(starts[:, None] + numbers * pitch + 0.5) == places
    share = met[:, 1:-1].mean(1) + 0.01 * met.mean(1)
    best = starts[share > share.max() - 1e-6]
    return Comb(pitch, float(best[len(best) // 2]), float(met.mean(1).max()))


def _may_be_broken(comb: Comb, low: int, high: int) -> bool:
    """Whether cells have no whole sides, or leave a cell of one pixel at an end as if they had."""
    return bool(comb.slivers(low, high)) or not comb.is_whole
