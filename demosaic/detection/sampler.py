"""What of a cell its colour shows: its mean, or the pixel in its top left corner.

The two cannot be told inside a mosaic, but where it ends. Two pixels of a photo differ, in squares,
about by how far they are apart, times a roughness of the place (a linear variogram). That says what
the pixels seen round a cell foretell of its mean and of its corner, and how far off each is likely
to be (ordinary kriging). A cell's colour is evidence for what it is foretold by best.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.config.rules import Sampler
from demosaic.detection.region import Region
from demosaic.imaging.arrays import Floats, Pixels, to_grey
from demosaic.imaging.geometry import Box, crop
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.operators import cells, replicate
from demosaic.mosaic.pixelate import cell_colours, cell_shares, paint_cells

_CLEAR = 1.5  # the log of how much likelier

_SURE = 12.0  # the same, for means in JPEG; of 1,184 mosaics of corners 8 look so much like means

_PULL = 0.25  # to colours that may be corners; of means it keeps 0.6 dB of the 1 that all of it has

_COLOUR = 0.5  # of it counts in JPEG, which mixes colours across a border

_DEEP = 2  # pixels seen round a cell that are asked; with 1, one in 50 cannot be told

_FEWEST, _MOST = 4, 64  # of these

_CELLS = 256  # at the border that are asked; more only cost time

_FLAT_AS = 6.0  # times what is usual; rougher cells are none

_LONELY = 5  # cells across, most of them flat: those that JPEG made rough are a mosaic's too; else

# 20 of 240 mosaics of means that fill a picture are taken for corners, so 1
_NOISE = 3.0  # squared grey levels; so much is rounding, however smooth the place

_QUARTERS = (np.arange(4) + 0.5) / 4  # of a cell: 16 points stand for all of it


_Doubles = NDArray[np.float64]

_Part = tuple[Region, float]
"""What of a mosaic is flat, and how noisy its cells are, squared grey levels."""


@dataclass(frozen=True)
class _Window:
    """A cell at the border of a mosaic, and what is seen round it."""

    height: int
    width: int
    """Pixels of the cell and what is round it."""
    cell: Box
    """Where the cell is in there."""
    seen: bytes
    """Of each pixel, whether it is seen."""


@dataclass(frozen=True)
class SamplerDecision:
    """What cells show, and what follows from it."""

    sampler: Sampler
    consistency: float
    """How far cells are to be pulled to their colours, 0..1."""


def decide_sampler(image: Pixels, regions: Sequence[Region]) -> SamplerDecision:
    """What the cells of the mosaics in a picture (H, W, 3) show, all made by one program:
    `top-left`, or `mean` where nothing speaks against it.

    A point says little of a mean. So colours pull less, too, where a picture was compressed and its
    cells look hardly more like means than like corners: a wrong pull costs what it would gain.
    """
    parts = [_flat_part(image, region) for region in regions]
    evidence = _weighed(image, parts, gap=0)
    if likelier_sampler(evidence) == "top-left":
        return SamplerDecision("top-left", 0.0)
    silent = evidence == 0  # no photo is seen round any cell
    return SamplerDecision(
        "mean", 1.0 if _lossless(parts) or silent or evidence < -_SURE else _PULL
    )


def likelier_sampler(evidence: float) -> Sampler:
    """What cells show, by the evidence of one picture or the sum of that of many."""
    return "top-left" if evidence > 0 else "mean"


def top_left_evidence(image: Pixels, regions: Sequence[Region], *, gap: int = 0) -> float:
    """How clearly the mosaics in a picture (H, W, 3) show top left corners, above 0, or means,
    below: the log of how much likelier these are, but for pixels in a `gap` beside them that may
    have some of their colours.

    In a lossless file corners must be clearly likelier, as means that are taken for them lose their
    exact colours.
    """
    return _weighed(image, [_flat_part(image, region) for region in regions], gap)


def _weighed(image: Pixels, parts: Sequence[_Part], gap: int) -> float:
    if not _lossless(parts):
        grey = np.repeat(to_grey(image)[:, :, None], 3, axis=2)
        image = np.asarray(cv2.addWeighted(image, _COLOUR, grey, 1 - _COLOUR, 0), np.uint8)
    hidden = _hidden_in(image, [region for region, _ in parts])
    asked = cv2.dilate(hidden, _square(gap)) == 0
    inner = cv2.erode(hidden, _square(gap + _DEEP)).astype(bool)
    reach = gap + _DEEP
    border = (cell for part in parts for cell in _at_border(image, *part, asked, inner, reach))
    return sum((_evidence(*cell) for cell in border), -_CLEAR * _lossless(parts))


def _lossless(parts: Sequence[_Part]) -> bool:
    return bool(parts) and all(noise == _NOISE for _, noise in parts)


def _flat_part(image: Pixels, region: Region) -> _Part:
    """The mosaic without rough parts, beyond where it ends, and how noisy its cells are,
    squared grey levels.
    """
    observed, hidden, grid = crop(image, region.box), region.hidden, region.grid
    size = region.box.height, region.box.width
    painted = paint_cells(cell_colours(observed, grid, hidden), grid, size)
    apart = np.square(cv2.absdiff(observed, painted), dtype=np.float32).mean(2)
    shares = cell_shares(hidden, grid)
    misfits: Floats = cells(apart * hidden, grid) / np.where(shares > 0, shares, np.nan)
    noise = _NOISE + float(np.nanmedian(misfits))
    rough = (misfits > _FLAT_AS * noise).astype(np.uint8)
    if noise > _NOISE:
        rough = np.asarray(cv2.medianBlur(rough, _LONELY), np.uint8)
    smooth = replicate(rough.astype(np.float32), grid, size) < 0.5
    return replace(region, hidden=hidden & smooth), noise


def _at_border(
    image: Pixels,
    region: Region,
    noise: float,
    asked: NDArray[np.bool_],
    inner: NDArray[np.bool_],
    reach: int,
) -> Iterator[tuple[_Window, _Doubles, Floats, float]]:
    """Cells that are not all in the `inner` part (H, W) of the mosaics, and have pixels that are
    `asked` (H, W) at most `reach` away: each with the colours (n, 3) of these, its own (3,), and
    the noise.
    """
    box, inside = region.box, crop(inner, region.box)
    border = (cell_shares(region.hidden, region.grid) > 0) & (cell_shares(inside, region.grid) < 1)
    colours = cell_colours(crop(image, box), region.grid, region.hidden)
    rows, columns = region.grid.edges(box.height, box.width)
    for row, column in _some(border):
        top, bottom = (int(edge) + box.y for edge in rows[row : row + 2])
        left, right = (int(edge) + box.x for edge in columns[column : column + 2])
        cell = Box(left, top, right - left, bottom - top)
        around = cell.grown(reach, reach, image)
        seen = crop(asked, around)
        if seen.sum() >= _FEWEST:
            place = cell.seen_from(around)
            window = _Window(around.height, around.width, place, seen.tobytes())
            shown = crop(image, around)[seen].astype(np.float64)
            yield window, shown, colours[:, row, column], noise


def _hidden_in(image: Pixels, regions: Sequence[Region]) -> NDArray[np.uint8]:
    """(H, W): 1 where a picture is mosaic, 0 elsewhere."""
    hidden = np.zeros(image.shape[:2], np.uint8)
    for region in regions:
        crop(hidden, region.box)[region.hidden] = 1
    return hidden


def _square(reach: int) -> NDArray[np.uint8]:
    return np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)


def _some(border: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Rows and columns (n, 2) of cells, evenly over those marked."""
    marked = np.argwhere(border)
    return marked[:: max(1, -(-len(marked) // _CELLS))]


def _evidence(window: _Window, seen: _Doubles, colour: Floats, noise: float) -> float:
    """The log of how much likelier a cell's colour is as that of its corner than as its mean.

    Heavy tails (Cauchy's), as edges in a photo make the unlikely common.
    """
    foretold = _foretold(window)
    seen = seen[foretold.chosen]
    contrast = -np.mean(np.sum(seen * (foretold.precision @ seen), axis=0))
    spread = noise + foretold.doubt * max(0.0, contrast / (len(seen) - 1))
    errors = np.mean((foretold.weights.T @ seen - colour) ** 2, axis=1)
    mean, corner = -np.log(spread) / 2 - np.log1p(errors / spread)
    return float(corner - mean)


@dataclass(frozen=True)
class _Foretold:
    """What the pixels seen round a cell say of it, whatever their colours."""

    chosen: NDArray[np.intp]
    """(n,): the pixels that are asked."""
    weights: _Doubles
    """(n, 2): of these, for the cell's mean and for its corner; they add up to 1."""
    doubt: _Doubles
    """(2,): how far off, squared, for a roughness of 1."""
    precision: _Doubles
    """(n, n)"""


@lru_cache(maxsize=512)
def _foretold(window: _Window) -> _Foretold:
    seen = np.frombuffer(window.seen, bool).reshape(window.height, window.width)
    pixels = np.argwhere(seen).astype(np.float64)
    count = min(len(pixels), _MOST)
    chosen = np.linspace(0, len(pixels) - 1, count).astype(np.intp)
    pixels = pixels[chosen]
    box = window.cell
    down, across = box.y - 0.5 + _QUARTERS * box.height, box.x - 0.5 + _QUARTERS * box.width
    cell = np.stack(np.meshgrid(down, across), axis=-1).reshape(-1, 2)
    corner = np.array([[box.y, box.x]], np.float64)
    among = np.ones((count + 1, count + 1))  # the last row and column: weights add up to 1
    among[:-1, :-1], among[-1, -1] = _apart(pixels, pixels), 0
    inverse = np.linalg.inv(among)
    to = np.ones((count + 1, 2))
    to[:-1] = np.stack([_apart(pixels, points).mean(1) for points in (cell, corner)], axis=1)
    within = np.array([_apart(points, points).mean() for points in (cell, corner)])
    weights = inverse @ to
    return _Foretold(chosen, weights[:-1], np.sum(weights * to, 0) - within, inverse[:-1, :-1])


def _apart(some: _Doubles, others: _Doubles) -> _Doubles:
    """The distances of points (n, 2) to others (m, 2): (n, m)."""
    apart: _Doubles = np.hypot(*(some[:, None] - others[None]).transpose(2, 0, 1))
    return apart


def centre_cells(image: Pixels, region: Region) -> tuple[Region, Floats]:
    """A mosaic of top left pixels with its grid moved by half a cell, so that each colour is that
    of the middle of its cell; and the colours, (3, rows, columns) in 0..255.

    A corner that is not hidden has the colour that is seen there.
    """
    box, grid = region.box, region.grid
    moved = Grid(grid.width, grid.height, grid.left - grid.width / 2, grid.top - grid.height / 2)
    counts = moved.shape(box.height, box.width)
    down = _corners(counts[0], grid.height, moved.top)
    across = _corners(counts[1], grid.width, moved.left)
    rows, columns = grid.edges(box.height, box.width)
    row = np.searchsorted(rows, np.clip(down, 0, box.height - 1), side="right") - 1
    column = np.searchsorted(columns, np.clip(across, 0, box.width - 1), side="right") - 1
    shown = cell_colours(crop(image, box), grid, region.hidden)[:, row][:, :, column]
    y, x = (
        np.clip(start + places, 0, size - 1)
        for start, places, size in ((box.y, down, image.shape[0]), (box.x, across, image.shape[1]))
    )
    hidden = _hidden_in(image, [region]).astype(bool)
    beyond = (box.y + down != y)[:, None] | (box.x + across != x)[None, :]  # of the picture
    mosaic = hidden[y][:, x] | beyond
    colours = np.where(mosaic, shown, image[y][:, x].transpose(2, 0, 1)).astype(np.float32)
    return replace(region, grid=moved), colours


def _corners(count: int, cell: float, offset: float) -> NDArray[np.intp]:
    """The middles of so many cells along an axis, one of which begins at `offset`; those of cells
    cut by an end may lie beyond it.
    """
    first = offset if np.floor(offset + 0.5) > 0 else offset + cell  # where the second one begins
    middles: NDArray[np.intp] = np.floor(first - cell / 2 + np.arange(count) * cell + 0.5).astype(
        np.intp
    )
    return middles
