"""Mosaics followed from picture to picture, and what is behind them shown steadily.

To look for mosaics all over a picture takes as long as to restore one. In a clip most stand where
they stood, or have moved by a few pixels with their cells, and that is quick to see. So every few
pictures there is a full look; what it finds is followed on from there, and back to where it came.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from demosaic.grids import Region, find_mosaic
from demosaic.images import Box, Pixels, crop, paste, resize, to_grey
from demosaic.mosaic import Floats, base, cell_colours, cells, mosaic

Find = Callable[[Pixels], list[Region]]
"""A full look: the mosaics in a picture (H, W, 3)."""
_Frame = TypeVar("_Frame")
_Flags = NDArray[np.bool_]
_Levels = NDArray[np.uint8]

_BATCH = 8  # pictures from one full look to the next
_CLEAR = 1.5  # times: how much stronger lines of cells are than what is between them
_CAP = 32  # grey levels; a larger step says no more, and a few should not outweigh the rest
_FLAT = 2.0  # grey levels from a cell's mean, on average: flat, whatever was done to the clip
_FLAT_AS = 3.0  # times as rough as most cells of the mosaic, and still one of them
_EDGE_FLAT = 0.6  # share of the outermost cells on each side that are flat
_BETTER = 0.02  # share of cells that clearly say so
_FEW = 3  # cells, across and down, that are worth following
_SAME = 0.3  # of the smaller box: shared by two that are the same mosaic
_LARGER = 1.1  # times the pixels: a look that saw more of a mosaic than was followed
_MEMORY = 0.7  # of a pixel comes from the picture before, where cells did not change
_ALIKE = 6.0  # grey levels; cells that differ by so much remember a third


# Where they are


@dataclass(frozen=True)
class _Track:
    """A mosaic that is followed."""

    region: Region
    motion: tuple[int, int] = (0, 0)
    """By how many pixels, across and down, it moved since the picture before."""


def followed(
    pictures: Iterable[tuple[_Frame, Pixels]], find: Find
) -> Iterator[tuple[_Frame, Pixels, list[Region]]]:
    """Each frame with its picture and the mosaics in it, a few pictures late."""
    known: list[_Track] | None = None
    source = iter(pictures)
    while batch := list(islice(source, _BATCH)):
        if known is None:
            known = [_Track(region) for region in find(batch[0][1])]
        tracks = _in_batch([picture for _, picture in batch], known, find)
        known = tracks[-1]
        for (frame, picture), here in zip(batch, tracks, strict=True):
            yield frame, picture, [track.region for track in here]


def _in_batch(pictures: Sequence[Pixels], known: list[_Track], find: Find) -> list[list[_Track]]:
    """The mosaics in each picture: those `known` followed on, those found in the last picture
    followed back, and where either way loses one, what a full look finds.
    """
    expected, tracks = len(known), []
    for picture in pictures:
        known = _still_there(picture, known)
        tracks.append(known)
    back = _better(find(pictures[-1]), known)
    tracks[-1] = _joined(back, known)
    for number in range(len(pictures) - 2, -1, -1):
        back = _still_there(pictures[number], back)
        tracks[number] = _joined(back, tracks[number])
    expected = max(expected, len(tracks[-1]))
    for number, picture in enumerate(pictures[:-1]):
        if len(tracks[number]) < expected:
            tracks[number] = _joined(tracks[number], [_Track(one) for one in find(picture)])
    return tracks


def _better(found: Sequence[Region], known: Sequence[_Track]) -> list[_Track]:
    """Those of a full look that are new, or show clearly more than is known of them."""
    return [
        _Track(region)
        for region in found
        if not any(
            _same(region, track.region) and _area(region) < _LARGER * _area(track.region)
            for track in known
        )
    ]


def _area(region: Region) -> int:
    return int(region.hidden.sum())


def _joined(first: Sequence[_Track], others: Sequence[_Track]) -> list[_Track]:
    """The tracks of both, the first of those that follow the same mosaic."""
    joined: list[_Track] = []
    for track in (*first, *others):
        if not any(_same(track.region, other.region) for other in joined):
            joined.append(track)
    return joined


def _same(one: Region, other: Region) -> bool:
    return one.box.shared(other.box) > _SAME * min(one.box.area, other.box.area)


def _still_there(picture: Pixels, tracks: Sequence[_Track]) -> list[_Track]:
    """Where the mosaics are now; what has gone is left out."""
    luma = to_grey(picture)
    now = [_followed(picture, luma, track) for track in tracks]
    return _joined([track for track in now if track], [])


def _followed(picture: Pixels, luma: _Levels, track: _Track) -> _Track | None:
    """Where a mosaic is now: as it was, perhaps moved, or else as a look at the place finds it."""
    region = track.region
    moved = _moved(luma, track)
    if moved and _holds(luma, moved):
        return _Track(moved, _motion(region, moved))
    found = _near(picture, region)
    if found is None:
        return _Track(moved, _motion(region, moved)) if moved and _calm(luma, moved) else None
    if moved and _calm(luma, moved) > _calm(luma, found):
        return _Track(moved, _motion(region, moved))
    return _Track(found)


def _motion(before: Region, now: Region) -> tuple[int, int]:
    return now.box.x - before.box.x, now.box.y - before.box.y


def _near(picture: Pixels, region: Region) -> Region | None:
    """What a look at the place of a mosaic and round it finds of it."""
    around = region.box.grown(region.box.width // 2, region.box.height // 2, picture)
    found = [_shifted(one, around.x, around.y) for one in find_mosaic(crop(picture, around))]
    return next((one for one in found if _same(one, region)), None)


def _shifted(region: Region, across: int, down: int) -> Region:
    box = region.box
    return replace(region, box=replace(box, x=box.x + across, y=box.y + down))


def _moved(luma: _Levels, track: _Track) -> Region | None:
    """The mosaic where its lines are now; None where none are seen.

    Lines tell by how much it moved but for whole cells: it is where its motion leads, unless cells
    that are flat, beside cells that are not, clearly say that it is a cell further.
    """
    region = track.region
    piece = crop(luma, region.box).astype(np.int16)
    rows, columns = region.grid.edges(piece.shape[0], piece.shape[1])
    beside = region.hidden[:, 1:] & region.hidden[:, :-1]
    across = _shift(np.abs(np.diff(piece, axis=1)) * beside, columns, region.grid.width)
    above = region.hidden[1:] & region.hidden[:-1]
    down = _shift((np.abs(np.diff(piece, axis=0)) * above).T, rows, region.grid.height)
    if across is None or down is None:
        return None
    places = [
        (x, y)
        for x in _whole_cells(across, region.grid.width, track.motion[0])
        for y in _whole_cells(down, region.grid.height, track.motion[1])
    ]
    moved = [one for x, y in places if (one := _within(_shifted(region, x, y), luma))]
    fits = [_fit(luma, one) for one in moved]
    if not moved or fits[0] > max(fits) - _BETTER:
        return moved[0] if moved else None
    return moved[int(np.argmax(fits))]


def _whole_cells(shift: int, cell: float, expected: int) -> list[int]:
    """The shifts that move lines to the same places, those nearest to the expected one first."""
    shifts = [shift, round(shift - cell), round(shift + cell)]
    return sorted(shifts, key=lambda one: abs(one - expected))


def _shift(steps: NDArray[np.int16], edges: NDArray[np.intp], cell: float) -> int | None:
    """How far all lines of cells, before which the edges were, have moved, by less than half a
    cell; None when the steps (n, pixels - 1) along the axis show no lines.
    """
    profile = np.sqrt(np.minimum(steps, _CAP).mean(0))
    reach = int(cell // 2)
    shifts = np.arange(-reach, reach + 1)
    places = edges[1:-1] - 1 + shifts[:, None]
    inside = (places >= 0) & (places < len(profile))
    if not inside.any(1).all():
        return None
    values = profile[np.clip(places, 0, len(profile) - 1)] * inside
    scores = values.sum(1) / inside.sum(1)
    best = int(scores.argmax())
    return int(shifts[best]) if scores[best] > _CLEAR * np.median(scores) else None


def _within(region: Region, luma: _Levels) -> Region | None:
    """What of a mosaic lies in the picture, if that is a few cells."""
    box, grid = region.box, region.grid
    inside = Box(0, 0, luma.shape[1], luma.shape[0])
    if not box.shared(inside):
        return None
    seen = box.clipped(inside)
    if seen.width < _FEW * grid.width or seen.height < _FEW * grid.height:
        return None
    left, top = seen.x - box.x, seen.y - box.y
    hidden = region.hidden[top : top + seen.height, left : left + seen.width]
    return replace(
        region,
        box=seen,
        grid=replace(grid, left=grid.left - left, top=grid.top - top),
        hidden=hidden,
    )


@dataclass(frozen=True)
class _Cells:
    """The cells of a mosaic and of what is round it, on its grid."""

    covered: _Flags
    """(rows, columns): mosaic."""
    flat: _Flags


def _cells(luma: _Levels, region: Region) -> _Cells:
    box, grid = region.box, region.grid
    more = math.ceil(grid.width), math.ceil(grid.height)
    around = box.grown(*more, luma)
    left, top = box.x - around.x, box.y - around.y
    whole = replace(grid, left=grid.left + left, top=grid.top + top)
    piece = crop(luma, around).astype(np.float32)
    rough = cells(np.abs(piece - mosaic(piece, whole)), whole)
    hidden = np.zeros(piece.shape, np.float32)
    hidden[top : top + box.height, left : left + box.width] = region.hidden
    covered = cells(hidden, whole) > 0.5
    typical = float(np.median(rough[covered])) if covered.any() else 0.0
    return _Cells(covered, rough < max(_FLAT, _FLAT_AS * typical))


def _fit(luma: _Levels, region: Region) -> float:
    """The share of cells that are flat in the mosaic, and are not beside it."""
    seen = _cells(luma, region)
    return float(np.mean(seen.flat == seen.covered))


def _calm(luma: _Levels, region: Region) -> int:
    """How many cells more of the mosaic are flat than are not."""
    seen = _cells(luma, region)
    return int((2 * seen.flat[seen.covered].astype(int) - 1).sum())


def _holds(luma: _Levels, region: Region) -> bool:
    """Whether the outermost cells on all four sides of a mosaic are flat: it ends no earlier."""
    seen = _cells(luma, region)
    sides = [seen.covered & ~beyond for beyond in _neighbours(seen.covered)]
    return all(side.any() and seen.flat[side].mean() > _EDGE_FLAT for side in sides)


def _neighbours(covered: _Flags) -> Iterator[_Flags]:
    """For each of the four sides, whether a cell's neighbour there is covered."""
    padded = np.pad(covered, 1)
    yield padded[1:-1, :-2]
    yield padded[1:-1, 2:]
    yield padded[:-2, 1:-1]
    yield padded[2:, 1:-1]


# Shown steadily


@dataclass(frozen=True)
class Shown:
    """A mosaic and what was shown behind it."""

    region: Region
    colours: Floats
    """(3, rows, columns) of its cells."""
    pixels: Floats
    """(H, W, 3) of its box, grey levels."""


def steadied(
    picture: Pixels, restored: Pixels, regions: Sequence[Region], before: Sequence[Shown]
) -> tuple[Pixels, list[Shown]]:
    """A restored picture in which the detail of each region stays as it was `before` where its
    cells did, and what is now shown there.
    """
    shown = []
    for region in regions:
        colours = cell_colours(crop(picture, region.box), region.grid, region.hidden)
        pixels = crop(restored, region.box).astype(np.float32)
        now = Shown(region, colours, pixels)
        last = next((one for one in before if _comparable(one.region, region)), None)
        now = _steadied(now, last) if last else now
        levels = np.clip(np.rint(now.pixels), 0, 255).astype(np.uint8)
        piece = np.where(region.hidden[:, :, None], levels, crop(restored, region.box))
        restored = paste(restored, piece, region.box)
        shown.append(now)
    return restored, shown


def _comparable(one: Region, other: Region) -> bool:
    """Whether two pictures show the same cells of the same mosaic, perhaps elsewhere."""
    sizes = (one.box.width, one.box.height) == (other.box.width, other.box.height)
    return sizes and one.grid == other.grid and _same(one, other)


def _steadied(now: Shown, before: Shown) -> Shown:
    """The mean of both, but for the cells' colours, by how alike these are."""
    change = np.abs(now.colours - before.colours).max(0)
    weight = _MEMORY * np.exp(-((change / _ALIKE) ** 2)).astype(np.float32)
    size = now.pixels.shape[:2]
    share = np.clip(resize(weight, size[1], size[0]), 0, _MEMORY)[:, :, None]
    light = base(now.colours - before.colours, now.region.grid, (size[0], size[1]))
    then = before.pixels + light.transpose(1, 2, 0)
    return replace(now, pixels=now.pixels + share * (then - now.pixels))
