"""Mosaics tracked through the frames of a clip, and their restored pixels kept from flickering.

Mosaics are detected in every frame. Where detection misses a mosaic, or merges two into one, the
neighbouring frames say where it should be, and its cells confirm it.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from demosaic.detection.detector import find_mosaics
from demosaic.detection.region import Region
from demosaic.imaging.arrays import Floats, Pixels, resize, to_grey
from demosaic.imaging.geometry import Box, crop, paste
from demosaic.mosaic.operators import base, cells, mosaic
from demosaic.mosaic.pixelate import cell_colours

Find = Callable[[Pixels], list[Region]]
"""Detects the mosaics in a picture (H, W, 3)."""

_Frame = TypeVar("_Frame")
_Flags = NDArray[np.bool_]
_Levels = NDArray[np.uint8]


_BATCH = 8  # frames in which a later detection also serves the frames before it
_CLEAR = 1.5  # times: how much stronger the steps on cell edges are than other steps
_CAP = 32  # grey levels; larger steps count the same, so that a few cannot outweigh the rest
_FLAT = 2.0  # grey levels from the cell's mean, on average: always counts as flat
_FLAT_AS = 3.0  # times the median roughness of the mosaic's cells: still counts as flat
_EDGE_FLAT = 0.6  # share of the outermost cells on each side that are flat
_BETTER = 0.02  # share of cells by which another position must fit better
_FEW = 3  # cells across and down; smaller mosaics are not tracked
_SAME = 0.3  # overlap, as a share of the smaller box, of two boxes of the same mosaic
_NEAR = 1  # px; error of a detected edge in a lossy clip
_MEMORY = 0.7  # share of a pixel from the previous frame, where its cell did not change
_ALIKE = 6.0  # grey levels; at this change of a cell the share falls to 1/e


# Tracking


@dataclass(frozen=True)
class _Track:
    """A mosaic in one frame, with its motion."""

    region: Region
    motion: tuple[int, int] = (0, 0)
    """Pixels right and down since the previous frame."""


def track(
    pictures: Iterable[tuple[_Frame, Pixels]], find: Find
) -> Iterator[tuple[_Frame, Pixels, list[Region]]]:
    """Each frame with its picture and its mosaics; it reads a few frames ahead."""
    known: list[_Track] = []
    source = iter(pictures)
    while batch := list(islice(source, _BATCH)):
        tracks = _in_batch([picture for _, picture in batch], known, find)
        known = tracks[-1]
        for (frame, picture), here in zip(batch, tracks, strict=True):
            yield frame, picture, [track.region for track in here]


def _in_batch(pictures: Sequence[Pixels], known: list[_Track], find: Find) -> list[list[_Track]]:
    """The mosaics in each picture: the detected ones, and those that were missed but are confirmed
    by the neighbouring pictures. `known` are those of the picture before the first.
    """
    tracks = []
    for picture in pictures:
        found = [_Track(region) for region in find(picture)]
        found = _with_lost(picture, found, known)
        known = [_settled(picture, track, _before(track, found, known)) for track in found]
        tracks.append(known)
    for number in range(len(pictures) - 2, -1, -1):
        tracks[number] = _with_lost(pictures[number], tracks[number], tracks[number + 1])
    return tracks


def _with_lost(picture: Pixels, found: Sequence[_Track], beside: Sequence[_Track]) -> list[_Track]:
    """Detections of this picture plus the neighbour's detections confirmed in it; a detection that
    covers several of them is dropped as a merge.
    """
    tracks = [track for track in found if sum(_same(track, other) for other in beside) < 2]
    for other in beside:
        again = None if _among(other, tracks) else _again(picture, other)
        if again and not _among(again, tracks):
            tracks.append(again)
    return [*tracks, *(track for track in found if not _among(track, tracks))]


def _among(track: _Track, others: Sequence[_Track]) -> bool:
    return any(_same(track, other) for other in others)


def _same(one: _Track, other: _Track) -> bool:
    return _alike(one.region, other.region)


def _alike(one: Region, other: Region) -> bool:
    """Whether both are the same mosaic, by the overlap of their boxes."""
    return one.box.shared(other.box) > _SAME * min(one.box.area, other.box.area)


def _again(picture: Pixels, track: _Track) -> _Track | None:
    """A mosaic of the neighbouring picture, searched for near its place in this one; else shifted
    to where its cells still show; None where they do not.
    """
    region = track.region
    around = region.box.grown(round(region.grid.width), round(region.grid.height), picture)
    for found in find_mosaics(crop(picture, around)):
        found = _shifted(found, around.x, around.y)
        if _alike(found, region):
            return _Track(found)
    luma = to_grey(picture)
    moved = _moved(luma, track)
    return _Track(moved, _motion(region, moved)) if moved and _holds(luma, moved) else None


def _before(track: _Track, found: Sequence[_Track], known: Sequence[_Track]) -> _Track | None:
    """The same mosaic in the previous picture, if the match is one to one."""
    same = [other for other in known if _same(track, other)]
    alone = len(same) == 1 and sum(_same(other, same[0]) for other in found) == 1
    return same[0] if alone else None


def _settled(picture: Pixels, track: _Track, before: _Track | None) -> _Track:
    """A detected mosaic, or the previous one shifted, where that is nearly the same box or clearly
    covers more of the mosaic: so the grid stays the same from picture to picture.
    """
    if before is None:
        return track
    luma, region = to_grey(picture), track.region
    moved = _moved(luma, before)
    if moved and (_about(moved.box, region.box) or _has_more(luma, moved, region)):
        region = moved
    return _Track(region, _motion(before.region, region))


def _about(one: Box, other: Box) -> bool:
    return max(abs(a - b) for a, b in zip(one.corners, other.corners, strict=True)) <= _NEAR


def _has_more(luma: _Levels, moved: Region, found: Region) -> bool:
    """Whether the shifted mosaic extends beyond the detected one, with flat cells to its edges."""
    beyond = found.box.within(moved.box) and _calm(luma, moved) > _calm(luma, found)
    return beyond and _holds(luma, moved)


def _motion(before: Region, now: Region) -> tuple[int, int]:
    return now.box.x - before.box.x, now.box.y - before.box.y


def _shifted(region: Region, across: int, down: int) -> Region:
    box = region.box
    return replace(region, box=replace(box, x=box.x + across, y=box.y + down))


def _moved(luma: _Levels, track: _Track) -> Region | None:
    """The mosaic at the position where its cell edges are now; None where there are no edges.

    The edges give the shift up to a whole number of cells. The last motion decides which, unless
    flat cells inside and rough cells outside clearly fit another one better.
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
    if not moved:
        return None
    expected = _fit(luma, moved[0])
    if expected > 1 - _BETTER:
        return moved[0]  # none can fit clearly better
    fits = [expected, *(_fit(luma, one) for one in moved[1:])]
    return moved[0] if expected > max(fits) - _BETTER else moved[int(np.argmax(fits))]


def _whole_cells(shift: int, cell: float, expected: int) -> list[int]:
    """The shifts that give the same cell edges, the nearest to the expected shift first."""
    shifts = [shift, round(shift - cell), round(shift + cell)]
    return sorted(shifts, key=lambda one: abs(one - expected))


def _shift(steps: NDArray[np.int16], edges: NDArray[np.intp], cell: float) -> int | None:
    """The shift of the cell edges in pixels, by less than half a cell; None when the steps
    (n, pixels - 1) along the axis show no edges.
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
    """The part of a mosaic inside the picture, if that is at least a few cells."""
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
    """The cells of a mosaic and of its surroundings, on its grid."""

    covered: _Flags
    """(rows, columns): which cells are mosaic."""
    flat: _Flags
    """(rows, columns): which cells have one colour."""


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
    """The share of cells that are as expected: flat inside the mosaic, not flat outside."""
    seen = _cells(luma, region)
    return float(np.mean(seen.flat == seen.covered))


def _calm(luma: _Levels, region: Region) -> int:
    """The number of flat cells of the mosaic minus the number of others."""
    seen = _cells(luma, region)
    return int((2 * seen.flat[seen.covered].astype(int) - 1).sum())


def _holds(luma: _Levels, region: Region) -> bool:
    """Whether the outermost cells on all four sides are flat: the mosaic is not smaller."""
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


# Without flicker


@dataclass(frozen=True)
class RestoredRegion:
    """A mosaic of the previous frame and its restored pixels."""

    region: Region
    colours: Floats
    """(3, rows, columns) of its cells, grey levels."""
    pixels: Floats
    """(H, W, 3) of its box, grey levels."""


def stabilise(
    picture: Pixels, restored: Pixels, regions: Sequence[Region], before: Sequence[RestoredRegion]
) -> tuple[Pixels, list[RestoredRegion]]:
    """The restored picture (H, W, 3), its regions blended with the previous frame where their cells
    did not change; and the regions as they are now, for the next frame.
    """
    shown = []
    for region in regions:
        colours = cell_colours(crop(picture, region.box), region.grid, region.hidden)
        pixels = crop(restored, region.box).astype(np.float32)
        now = RestoredRegion(region, colours, pixels)
        last = next((one for one in before if _comparable(one.region, region)), None)
        now = _blended(now, last) if last else now
        levels = np.clip(np.rint(now.pixels), 0, 255).astype(np.uint8)
        piece = np.where(region.hidden[:, :, None], levels, crop(restored, region.box))
        restored = paste(restored, piece, region.box)
        shown.append(now)
    return restored, shown


def _comparable(one: Region, other: Region) -> bool:
    """Whether two pictures show the same cells of the same mosaic; its position may differ."""
    sizes = (one.box.width, one.box.height) == (other.box.width, other.box.height)
    return sizes and one.grid == other.grid and _alike(one, other)


def _blended(now: RestoredRegion, before: RestoredRegion) -> RestoredRegion:
    """A mean of both, weighted by how little a cell changed; the cells keep their new colours."""
    change = np.abs(now.colours - before.colours).max(0)
    weight = _MEMORY * np.exp(-((change / _ALIKE) ** 2)).astype(np.float32)
    size = now.pixels.shape[:2]
    share = np.clip(resize(weight, size[1], size[0]), 0, _MEMORY)[:, :, None]
    light = base(now.colours - before.colours, now.region.grid, (size[0], size[1]))
    then = before.pixels + light.transpose(1, 2, 0)
    return replace(now, pixels=now.pixels + share * (then - now.pixels))
