"""What a cell's colour is: the mean of its pixels, or its top-left pixel.

Inside a mosaic the two cannot be distinguished, but at its border they can. The squared difference
of two pixels of a photo grows about linearly with their distance (a linear variogram). From this,
the pixels visible around a cell predict its mean and its top-left pixel, each with its own variance
(ordinary kriging; Matheron 1963). The hypothesis that predicts the cell's colour better gets the
evidence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.config.rules import Sampler
from demosaic.detection.region import Region
from demosaic.detection.thresholds import SAMPLER
from demosaic.imaging.arrays import Doubles, Floats, Pixels, to_grey
from demosaic.imaging.geometry import Box, crop
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.operators import cells, replicate
from demosaic.mosaic.pixelate import cell_colours, cell_shares, paint_cells

_QUARTERS = (np.arange(4) + 0.5) / 4
"""Of a cell: 4 x 4 points stand for all of it."""


@dataclass(frozen=True)
class SamplerDecision:
    """How cells were made, and how far a restored face must agree with them."""

    sampler: Sampler
    consistency: float
    """How far cell colours are enforced, 0..1."""


@dataclass(frozen=True)
class _FlatPart:
    """A mosaic without its rough cells."""

    region: Region
    noise: float
    """Variance inside its cells, squared grey levels."""
    lossless: bool
    """Whether most cells are exactly flat."""


@dataclass(frozen=True)
class _Window:
    """A cell at the border of a mosaic, and which pixels around it are visible."""

    height: int
    width: int
    """Pixels of the cell and its surroundings."""
    cell: Box
    """The cell, counted from the corner of the window."""
    visible: bytes
    """(height, width) bools, row by row."""


@dataclass(frozen=True)
class _BorderCell:
    """A cell at the border of a mosaic, with its own colour and those around it."""

    window: _Window
    around: Doubles
    """(n, 3): the colours of the visible pixels, 0..255."""
    colour: Floats
    """(3,), 0..255."""
    noise: float
    """Variance inside the mosaic's cells, squared grey levels."""


def decide_sampler(image: Pixels, regions: Sequence[Region]) -> SamplerDecision:
    """How the cells of the mosaics in a picture (H, W, 3) were made, all by one program:
    `top-left`, or `mean` where nothing speaks against it.

    A single pixel says little of its cell's mean, so colours of top-left pixels are not enforced.
    Where a picture was compressed and its cells look hardly more like means, they are enforced in
    part: a wrong constraint costs what a right one gains.
    """
    parts = [_flat_part(image, region) for region in regions]
    evidence = _evidence_at_borders(image, parts, gap=0)
    if likelier_sampler(evidence) == "top-left":
        return SamplerDecision("top-left", 0.0)
    no_photo_visible = evidence == 0
    is_mean = _all_lossless(parts) or no_photo_visible or evidence < -SAMPLER.clear_mean
    return SamplerDecision("mean", 1.0 if is_mean else SAMPLER.unclear_consistency)


def likelier_sampler(evidence: float) -> Sampler:
    """The likelier sampler, by the evidence of one picture or the sum of that of many."""
    return "top-left" if evidence > 0 else "mean"


def top_left_evidence(image: Pixels, regions: Sequence[Region], *, gap: int = 0) -> float:
    """The log likelihood ratio of top-left pixels to means, for the mosaics in a picture (H, W, 3):
    above 0 for top-left pixels. Pixels at most `gap` px away from a mosaic are not used, because
    compression may have mixed their colours with its own.

    In a lossless file top-left pixels must be clearly likelier, because a mean taken for one loses
    its exact colour.
    """
    return _evidence_at_borders(image, [_flat_part(image, region) for region in regions], gap)


def _evidence_at_borders(image: Pixels, parts: Sequence[_FlatPart], gap: int) -> float:
    """The sum of the evidence of all cells at the borders of mosaics."""
    lossless = _all_lossless(parts)
    if not lossless:
        grey = np.repeat(to_grey(image)[:, :, None], 3, axis=2)
        weighted = cv2.addWeighted(image, SAMPLER.chroma, grey, 1 - SAMPLER.chroma, 0)
        image = np.asarray(weighted, np.uint8)
    hidden = _hidden_in(image, [part.region for part in parts])
    reach = gap + SAMPLER.ring
    visible = cv2.dilate(hidden, _square(gap)) == 0
    inner = cv2.erode(hidden, _square(reach)).astype(bool)
    border = (cell for part in parts for cell in _border_cells(image, part, visible, inner, reach))
    return sum(map(_evidence_of, border), -SAMPLER.lossless_margin * lossless)


def _all_lossless(parts: Sequence[_FlatPart]) -> bool:
    return bool(parts) and all(part.lossless for part in parts)


def _flat_part(image: Pixels, region: Region) -> _FlatPart:
    """The mosaic without rough cells, which lie beyond its true end, and its noise."""
    observed, hidden, grid = crop(image, region.box), region.hidden, region.grid
    size = region.box.height, region.box.width
    painted = paint_cells(cell_colours(observed, grid, hidden), grid, size)
    squares = np.square(cv2.absdiff(observed, painted), dtype=np.float32).mean(2)
    shares = cell_shares(hidden, grid)
    known = np.where(shares > 0, shares, np.float32(np.nan))
    variances = np.asarray(cells(squares * hidden, grid) / known, np.float32)
    usual = float(np.nanmedian(variances))
    noise, lossless = SAMPLER.rounding_noise + usual, usual == 0
    rough = (variances > SAMPLER.rough * noise).astype(np.uint8)
    if not lossless:
        rough = np.asarray(cv2.medianBlur(rough, SAMPLER.rough_window), np.uint8)
    is_smooth = replicate(rough.astype(np.float32), grid, size) < 0.5
    return _FlatPart(replace(region, hidden=hidden & is_smooth), noise, lossless)


def _border_cells(
    image: Pixels,
    part: _FlatPart,
    visible: NDArray[np.bool_],
    inner: NDArray[np.bool_],
    reach: int,
) -> Iterator[_BorderCell]:
    """The cells of a mosaic that have `visible` (H, W) pixels at most `reach` away; those that lie
    in the `inner` (H, W) part of mosaics are skipped.
    """
    region, box = part.region, part.region.box
    inside = crop(inner, box)
    border = (cell_shares(region.hidden, region.grid) > 0) & (cell_shares(inside, region.grid) < 1)
    colours = cell_colours(crop(image, box), region.grid, region.hidden)
    rows, columns = region.grid.edges(box.height, box.width)
    for row, column in _evenly_chosen(border):
        top, bottom = (int(edge) + box.y for edge in rows[row : row + 2])
        left, right = (int(edge) + box.x for edge in columns[column : column + 2])
        cell = Box(left, top, right - left, bottom - top)
        around = cell.grown(reach, reach, image)
        seen = crop(visible, around)
        if seen.sum() >= SAMPLER.min_pixels:
            place = cell.seen_from(around)
            window = _Window(around.height, around.width, place, seen.tobytes())
            shown = crop(image, around)[seen].astype(np.float64)
            yield _BorderCell(window, shown, colours[:, row, column], part.noise)


def _hidden_in(image: Pixels, regions: Sequence[Region]) -> NDArray[np.uint8]:
    """(H, W): 1 where a picture is mosaic, 0 elsewhere."""
    hidden = np.zeros(image.shape[:2], np.uint8)
    for region in regions:
        crop(hidden, region.box)[region.hidden] = 1
    return hidden


def _square(reach: int) -> NDArray[np.uint8]:
    """A window of all pixels at most `reach` away."""
    return np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)


def _evenly_chosen(border: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(n, 2): row and column of at most `SAMPLER.max_cells` marked cells, evenly chosen."""
    marked = np.argwhere(border)
    return marked[:: max(1, -(-len(marked) // SAMPLER.max_cells))]


def _evidence_of(cell: _BorderCell) -> float:
    """The log likelihood ratio of a cell's colour as its top-left pixel to that as its mean.

    The likelihoods are Cauchy's, with heavy tails, because edges in a photo make unlikely colours
    common.
    """
    prediction = _prediction_for(cell.window)
    around = cell.around[prediction.chosen]
    contrast = -np.mean(np.sum(around * (prediction.precision @ around), axis=0))
    roughness = max(0.0, contrast / (len(around) - 1))
    variances = cell.noise + prediction.variance * roughness
    errors = np.mean((prediction.weights.T @ around - cell.colour) ** 2, axis=1)
    mean, top_left = -np.log(variances) / 2 - np.log1p(errors / variances)
    return float(top_left - mean)


@dataclass(frozen=True)
class _Prediction:
    """How n visible pixels predict a cell's mean and its top-left pixel, whatever their colours."""

    chosen: NDArray[np.intp]
    """(n,): the visible pixels that are used."""
    weights: Doubles
    """(n, 2): their weights for the mean and for the top-left pixel; each column adds up to 1."""
    variance: Doubles
    """(2,): the variance of each prediction, for a roughness of 1."""
    precision: Doubles
    """(n, n): the inverse of the variogram matrix, without the row of the constraint."""


@lru_cache(maxsize=512)
def _prediction_for(window: _Window) -> _Prediction:
    """The kriging weights for a window; the same for all cells with the same surroundings."""
    visible = np.frombuffer(window.visible, bool).reshape(window.height, window.width)
    pixels = np.argwhere(visible).astype(np.float64)
    count = min(len(pixels), SAMPLER.max_pixels)
    chosen = np.linspace(0, len(pixels) - 1, count).astype(np.intp)
    pixels = pixels[chosen]
    box = window.cell
    down, across = box.y - 0.5 + _QUARTERS * box.height, box.x - 0.5 + _QUARTERS * box.width
    cell = np.stack(np.meshgrid(down, across), axis=-1).reshape(-1, 2)
    top_left = np.array([[box.y, box.x]], np.float64)
    among = np.ones((count + 1, count + 1))  # the last row and column: weights add up to 1
    among[:-1, :-1], among[-1, -1] = _distances(pixels, pixels), 0
    inverse = np.linalg.inv(among)
    to = np.ones((count + 1, 2))
    to[:-1] = np.stack([_distances(pixels, points).mean(1) for points in (cell, top_left)], axis=1)
    within = np.array([_distances(points, points).mean() for points in (cell, top_left)])
    weights = inverse @ to
    return _Prediction(chosen, weights[:-1], np.sum(weights * to, 0) - within, inverse[:-1, :-1])


def _distances(some: Doubles, others: Doubles) -> Doubles:
    """(n, m): the distances of points (n, 2) to other points (m, 2)."""
    distances: Doubles = np.hypot(*(some[:, None] - others[None]).transpose(2, 0, 1))
    return distances


def centre_cells(image: Pixels, region: Region) -> tuple[Region, Floats]:
    """A mosaic of top-left pixels with its grid moved by half a cell, so that each colour is that
    of the middle of its cell; and the colours, (3, rows, columns) in 0..255.

    A top-left pixel that is not hidden has the colour that the picture (H, W, 3) shows there.
    """
    box, grid = region.box, region.grid
    moved = Grid(grid.width, grid.height, grid.left - grid.width / 2, grid.top - grid.height / 2)
    counts = moved.shape(box.height, box.width)
    down = _middles(counts[0], grid.height, moved.top)
    across = _middles(counts[1], grid.width, moved.left)
    rows, columns = grid.edges(box.height, box.width)
    row = np.searchsorted(rows, np.clip(down, 0, box.height - 1), side="right") - 1
    column = np.searchsorted(columns, np.clip(across, 0, box.width - 1), side="right") - 1
    of_cells = cell_colours(crop(image, box), grid, region.hidden)[:, row][:, :, column]
    y, x = (
        np.clip(start + places, 0, size - 1)
        for start, places, size in ((box.y, down, image.shape[0]), (box.x, across, image.shape[1]))
    )
    hidden = _hidden_in(image, [region]).astype(bool)
    outside_picture = (box.y + down != y)[:, None] | (box.x + across != x)[None, :]
    is_mosaic = hidden[y][:, x] | outside_picture
    colours = np.where(is_mosaic, of_cells, image[y][:, x].transpose(2, 0, 1)).astype(np.float32)
    return replace(region, grid=moved), colours


def _middles(count: int, cell: float, offset: float) -> NDArray[np.intp]:
    """(count,): the middle pixels of cells along an axis, one of which begins at `offset`. Those of
    cells that an end cuts may lie beyond it.
    """
    second = offset if np.floor(offset + 0.5) > 0 else offset + cell  # where the second cell begins
    middles: NDArray[np.intp] = np.floor(second - cell / 2 + np.arange(count) * cell + 0.5).astype(
        np.intp
    )
    return middles
