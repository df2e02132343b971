"""Where a mosaic is in a picture, its cells and offset; by arithmetic, nothing here is learned.

The edges of a mosaic's cells are steps of one pixel between flat neighbours, and they return at the
same distance across and down. First a coarse look: where do such steps have a rhythm along both
axes? Then, for each such place, a fit: which comb of lines explains the profile of steps best, and
how far do the lines and the flat cells between them reach?
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.images import Box, Pixels, crop, to_grey
from demosaic.mosaic import Grid, cells, replicate

Mask = NDArray[np.bool_]
Floats = NDArray[np.float32]
_Levels = NDArray[np.uint8]
_Span = tuple[int, int]
"""Where a stretch of pixels begins and ends."""

_CAP = 32  # grey levels; a larger step says no more, and a few should not outweigh the rest
_BAND = 16  # pixels of a level averaged before rhythm is looked for
_LAGS = range(3, 25)  # pixels of a level
_SCALES = (1, 2, 4)  # of the levels: cells of 3 to 96 px
_FAINT = 0.5  # of a squared profile, grey levels; what is fainter has no rhythm
_RHYTHM = 0.3  # correlation of a profile with itself, one cell on, that is looked into
_CERTAIN = 0.5  # confidence below which a region is no mosaic
_MERIT = 0.4  # checked cloth and shelves have up to 0.3, mosaics through JPEG of quality 60 0.48
_JPEG_CERTAIN = 0.8  # the same, of squares as JPEG's own
_CELLS = 4  # rows and columns of cells a mosaic has at least
_FLAT = 1.0  # grey levels
_LIKELY = 0.35  # of the best score; so much of it a comb of broken pixels has when they are rounded
_CLEARLY = 0.03  # of a correlation
_ASTRAY = 0.1  # share of lines; fewer may lie beside a step by chance
_HALF_CLEAR = 0.25  # contrast of edges to what is between: 0 on a photo, 0.5 to 1 in a mosaic
_LOSSLESS = 0.05  # grey levels inside the cells; what is below was never coded with loss
_FULL = 0.975  # share of a box; a mosaic that fills it so far is the box (an ellipse fills 0.79)
_PLAIN = -0.05  # evidence of what is flat and without edges: a mosaic of the sky, or the sky
_UNTOUCHED = 0.85  # share of equal neighbours
_NEAR = 0.15  # of a cell
_ROUNDS = 4  # of fitting, as a place turns out larger than it looked


@dataclass(frozen=True)
class Region:
    """A mosaic found in a picture."""

    box: Box
    """The smallest rectangle round it."""
    grid: Grid
    """Its cells, from the corner of the box."""
    hidden: Mask
    """(box.height, box.width): which pixels are mosaic."""
    confidence: float
    """0..1: how much fainter everything between the cells' edges is than the edges."""


@dataclass(frozen=True)
class _Comb:
    """Lines at `start + k * pitch` along an axis, and how well a profile agrees, 0..1."""

    pitch: float
    start: float
    score: float

    def lines(self, low: int, high: int) -> NDArray[np.intp]:
        """The pixels from `low` to below `high` at which a cell begins."""
        first = np.ceil((low - 0.5 - self.start) / self.pitch)
        last = np.ceil((high - 0.5 - self.start) / self.pitch)
        places = np.floor(self.start + np.arange(first, last) * self.pitch + 0.5)
        inside: NDArray[np.intp] = places[(places >= low) & (places < high)].astype(np.intp)
        return inside

    def moved(self, way: int) -> "_Comb":
        """The comb as seen from a point so many pixels before."""
        return _Comb(self.pitch, self.start + way, self.score)


@dataclass(frozen=True)
class _Candidate:
    """A place with a rhythm, and about which."""

    box: Box
    pitches: tuple[float, float]
    """Across and down, pixels."""


def find_mosaic(image: Pixels) -> list[Region]:
    """The mosaics in a picture (H, W, 3), the largest first; none on a clean picture.

    Cells of 3 to 64 px, at least 4 x 4 of them.
    """
    if min(image.shape[:2]) < _CELLS * _LAGS[0]:
        return []
    luma = to_grey(image)
    tried: list[Region] = []
    for candidate in _candidates(luma):
        if not any(_inside(candidate, region) for region in tried):
            region = _region(luma, candidate)
            if region:
                tried.append(region)
    found: list[Region] = []
    for region in sorted(tried, key=_weight, reverse=True):
        if not any(_overlap(region.box, other.box) > 0.2 for other in found):
            found.append(region)
    return found


def _weight(region: Region) -> float:
    """What the better of two regions has more of: pixels explained."""
    return region.confidence * int(region.hidden.sum())


def _inside(candidate: "_Candidate", region: Region) -> bool:
    """Whether a place only repeats a mosaic already found: the same cells, or parts of them."""
    ratios = (candidate.pitches[0] / region.grid.width, candidate.pitches[1] / region.grid.height)
    same = all(abs(ratio - max(1, round(ratio))) < 0.1 for ratio in ratios)
    return same and _overlap(candidate.box, region.box) > 0.6


def _overlap(one: Box, other: Box) -> float:
    """The share of the smaller box that both have."""
    return one.shared(other) / min(one.area, other.area)


# The coarse look


def _candidates(luma: _Levels) -> Iterator[_Candidate]:
    """Places with a rhythm along both axes, those with small cells first."""
    for scale in _SCALES:
        level = luma
        if scale > 1:
            size = (luma.shape[1] // scale, luma.shape[0] // scale)
            if min(size) < 4 * _LAGS[0]:
                return
            level = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
        for candidate in _places(level):
            box = Box(*(scale * side for side in candidate.box.corners))
            across, down = candidate.pitches
            yield _Candidate(box, (across * scale, down * scale))


def _places(level: _Levels) -> Iterator[_Candidate]:
    rhythm_across, pitch_across = _rhythm(level)
    rhythm_down, pitch_down = (plane.T for plane in _rhythm(np.ascontiguousarray(level.T)))
    both = (np.minimum(rhythm_across, rhythm_down) > _RHYTHM).astype(np.uint8)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(both, connectivity=8)
    for number in range(1, count):
        x, y, width, height, _ = (int(value) for value in boxes[number])
        inside = labels == number
        pitches = (float(np.median(pitch_across[inside])), float(np.median(pitch_down[inside])))
        box = Box(x * _BAND, y * _BAND, width * _BAND, height * _BAND)
        yield _Candidate(box.grown(0, 0, level), pitches)


def _rhythm(level: _Levels) -> tuple[Floats, Floats]:
    """For each square of _BAND pixels, how alike the steps across are to those one cell on, and
    how many pixels a cell has.
    """
    height, width = level.shape
    rows, columns = -(-height // _BAND), -(-width // _BAND)
    steps = np.pad(_steps(level), ((0, rows * _BAND - height), (0, 0)))
    profile = steps.reshape(rows, _BAND, width).mean(1, dtype=np.float32)
    window = (3 * _LAGS[-1], 1)
    profile -= cv2.blur(profile, window)
    energy = cv2.blur(profile * profile, window) + _FAINT
    likeness = np.zeros((len(_LAGS), rows, columns), np.float32)
    for number, lag in enumerate(_LAGS[: max(0, width - _LAGS[0])]):
        product = np.zeros_like(profile)
        product[:, : width - lag] = profile[:, : width - lag] * profile[:, lag:]
        near = cv2.blur(product, window) / energy
        likeness[number] = cv2.resize(near, (columns, rows), interpolation=cv2.INTER_AREA)
    best = likeness.max(0)
    first = np.argmax(likeness > 0.8 * best, axis=0)
    return best, (first + _LAGS[0]).astype(np.float32)


def _steps(level: _Levels) -> _Levels:
    """How much larger than both neighbours, before and after, the difference of each pixel to the
    one on its left is.
    """
    differences = _differences(level)
    beside = np.zeros_like(differences)
    beside[:, :-1] = differences[:, 1:]
    np.maximum(beside[:, 1:], differences[:, :-1], out=beside[:, 1:])
    return np.minimum(cv2.subtract(differences, beside), _CAP)


def _differences(level: _Levels) -> _Levels:
    """Of each pixel to the one on its left; 0 at the border."""
    differences = np.zeros_like(level)
    differences[:, 1:] = cv2.absdiff(
        np.ascontiguousarray(level[:, 1:]), np.ascontiguousarray(level[:, :-1])
    )
    return differences


# The fit


@dataclass(frozen=True)
class _Fit:
    """Combs along both axes, in picture pixels, and how far they hold."""

    across: _Comb
    down: _Comb
    box: Box
    confidence: float

    @property
    def merit(self) -> float:
        """How well the combs explain the picture, 0..1: a shelf has edges with flat between, but
        not all where a comb has its lines.
        """
        return self.confidence * float(np.sqrt(max(0.0, self.across.score * self.down.score)))


def _region(luma: _Levels, candidate: _Candidate) -> Region | None:
    """The mosaic at a place, if it is one."""
    box, pitches = _widened(candidate, luma), candidate.pitches
    fit = _fit(luma, box, pitches)
    for _ in range(_ROUNDS):
        if fit is None:
            return None
        reached = fit.box
        if reached.shared(box) > 0.98 * max(reached.area, box.area):
            break
        box = reached
        fit = _fit(luma, box, (fit.across.pitch, fit.down.pitch))
    if fit is None or fit.merit < _MERIT:
        return None
    if fit.confidence < (_JPEG_CERTAIN if _like_jpeg(fit) else _CERTAIN):
        return None
    return _cut_out(luma, fit)


def _like_jpeg(fit: _Fit) -> bool:
    """Whether the cells are the squares that JPEG codes a picture in."""
    return all(
        any(abs(comb.pitch - side) < 0.4 for side in (8, 16))
        and abs((comb.start + 2) % 8 - 2) < 1.5
        for comb in (fit.across, fit.down)
    )


def _widened(candidate: _Candidate, luma: _Levels) -> Box:
    """The place with enough round it to hold the cells of the smallest mosaic."""
    box = candidate.box
    more_x, more_y = (
        max(0, round((_CELLS + 1) * pitch - length) // 2)
        for pitch, length in zip(candidate.pitches, (box.width, box.height), strict=True)
    )
    return box.grown(more_x, more_y, luma)


def _fit(luma: _Levels, core: Box, pitches: tuple[float, float]) -> _Fit | None:
    margin = round(2 * max(pitches)) + max(_BAND, max(core.width, core.height) // 2)
    around = core.grown(margin, margin, luma)
    inner = Box(core.x - around.x, core.y - around.y, core.width, core.height)
    across, down = _planes(crop(luma, around))
    rows, columns = (inner.y, inner.height), (inner.x, inner.width)
    comb_x = _fitted(_profile(across, *rows), columns, pitches[0])
    comb_y = _fitted(_profile(down.T, *columns), rows, pitches[1])
    if comb_x is None or comb_y is None:
        return None
    box = _extent(across, down, comb_x, comb_y, inner)
    if box is None:
        return None
    comb_x = _filling(across, comb_x, (box.x, box.width), (box.y, box.height))
    comb_y = _filling(down.T, comb_y, (box.y, box.height), (box.x, box.width))
    confidence = _confidence(across, down, comb_x, comb_y, box)
    placed = Box(box.x + around.x, box.y + around.y, box.width, box.height)
    return _Fit(comb_x.moved(around.x), comb_y.moved(around.y), placed, confidence)


def _planes(piece: _Levels) -> tuple[Floats, Floats]:
    """The capped differences of each pixel to the one on its left and to the one above."""
    across = _differences(piece)
    down = _differences(np.ascontiguousarray(piece.T)).T
    return (
        np.minimum(across, _CAP).astype(np.float32),
        np.ascontiguousarray(np.minimum(down, _CAP)).astype(np.float32),
    )


def _profile(differences: Floats, start: int, length: int) -> Floats:
    """The mean over rows, its square root taken so that faint edges count beside strong ones."""
    profile: Floats = np.sqrt(differences[start : start + length].mean(0))
    return profile


def _fitted(profile: Floats, within: tuple[int, int], pitch: float) -> _Comb | None:
    """The comb near `pitch`, or a whole part or multiple of it, that explains best a stretch
    (start, length) of a profile.
    """
    stretch = profile[within[0] : within[0] + within[1]]
    guesses = [pitch * part for part in (1, 1 / 2, 1 / 3, 2, 3) if pitch * part >= 2.5]
    whole = [comb for guess in guesses if (comb := _best_of(stretch, _near(guess), 1.0))]
    likely = max((comb.score for comb in whole), default=0.0) * _LIKELY
    combs = [
        _uneven(stretch, comb) if _beside(stretch, comb) else comb
        for comb in whole
        if comb.score >= likely
    ]
    # Lines twice as far apart as the steps still meet every second one
    best = max(
        combs, key=lambda comb: comb.score * (0.95 if comb.pitch > 1.5 * pitch else 1), default=None
    )
    return best.moved(within[0]) if best else None


def _near(pitch: float) -> range:
    """The whole pixels about a pitch."""
    reach = max(1.2, 0.15 * pitch)
    return range(max(3, round(pitch - reach)), round(pitch + reach) + 1)


def _uneven(profile: Floats, whole: _Comb) -> _Comb:
    """The comb of broken pixels near one of whole pixels, if it explains a profile better."""
    step = 0.5 * whole.pitch / len(profile)  # the last line moves by half a pixel
    uneven = _best_of(profile, np.arange(max(3.0, whole.pitch - 1), whole.pitch + 1, step), 0.25)
    # With noise, some broken side is always a little better than the true whole one
    needed = whole.score + (_CLEARLY if float(np.median(profile)) > _LOSSLESS else 0)
    return _refined(profile, uneven, step) if uneven and uneven.score >= needed else whole


def _beside(profile: Floats, comb: _Comb) -> bool:
    """Whether several lines of a comb of whole pixels lie beside the steps: then the steps are not
    whole pixels apart.
    """
    lines = comb.lines(1, len(profile) - 1)
    next_to = np.maximum(profile[lines - 1], profile[lines + 1])
    return bool(np.mean(next_to > profile[lines]) > _ASTRAY)


def _best_of(profile: Floats, pitches: Iterable[float], fine: float) -> _Comb | None:
    """The comb that correlates best with a profile, its start tried every `fine` pixels."""
    excess = profile - profile.mean()
    excess /= max(float(excess.std()), 1e-6)
    combs = (_placed(excess, float(pitch), fine) for pitch in pitches)
    return max((comb for comb in combs if comb), key=lambda comb: comb.score, default=None)


def _placed(profile: Floats, pitch: float, fine: float) -> _Comb | None:
    """The best start of a comb of this pitch over a profile of mean 0 and variance 1."""
    size = len(profile)
    count = int(size / pitch)
    if count < _CELLS - 1:
        return None
    starts = np.arange(0, pitch, fine)
    places = (starts[:, None] + (np.arange(count) * pitch + 0.5)).astype(np.intp)
    sums = profile.take(places, mode="clip").sum(1)
    best = int(sums.argmax())
    score = float(sums[best]) / count * _weighting(count / size)
    return _Comb(pitch, float(starts[best]), score)


def _weighting(share: float) -> float:
    """What makes a mean over a share of the places, less the mean of all, a correlation."""
    return float(np.sqrt(share / (1 - share)))


def _refined(profile: Floats, comb: _Comb, step: float) -> _Comb:
    """The middle of all combs near one that meet the profile best."""
    pitches = comb.pitch + np.linspace(-1.5, 1.5, 31) * step
    starts = comb.start + np.linspace(-0.6, 0.6, 25)
    numbers = np.arange(int(len(profile) / comb.pitch))
    places = starts[:, None, None] + pitches[None, :, None] * numbers
    whole = np.clip(np.floor(places + 0.5).astype(int), 0, len(profile) - 1)
    values = profile[whole].sum(-1)
    start, pitch = np.nonzero(values > values.max() - 1e-4)
    return _Comb(float(pitches[pitch].mean()), float(starts[start].mean()), comb.score)


def _filling(
    differences: Floats, comb: _Comb, along: tuple[int, int], beside: tuple[int, int]
) -> _Comb:
    """A comb of cells that fill the box to its ends, as most programs make them, when it meets the
    steps as well as the given one.
    """
    start, length = along
    profile = differences[beside[0] : beside[0] + beside[1], start : start + length].mean(0)
    count = round(length / comb.pitch)
    pitch = length / count

    def met(other: _Comb) -> float:
        return float(profile[other.lines(1, length)].sum())

    lines = comb.lines(start + 1, start + length)
    if len(lines) == count - 1 and comb.pitch.is_integer():
        return comb
    # Programs round the edges of uneven cells up, down or to the nearest
    filling = [_Comb(pitch, place, comb.score) for place in (0.0, -0.25, -0.49, 0.25, 0.49)]
    best = max(filling, key=met)
    return best.moved(start) if met(best) >= 0.999 * met(comb.moved(-start)) else comb


def _extent(across: Floats, down: Floats, comb_x: _Comb, comb_y: _Comb, inner: Box) -> Box | None:
    """How far the mosaic reaches, from the middle of a place."""
    columns: _Span | None = (inner.x, inner.x + inner.width)
    rows: _Span | None = (inner.y, inner.y + inner.height)
    for _ in range(3):
        columns = columns and rows and _reach(down, comb_y, comb_x, _less(rows, 8), columns)
        rows = columns and rows and _reach(across.T, comb_x, comb_y, _less(columns, 8), rows)
    if columns is None or rows is None:
        return None
    box = Box(columns[0], rows[0], columns[1] - columns[0], rows[1] - rows[0])
    if box.width < (_CELLS - 0.5) * comb_x.pitch or box.height < (_CELLS - 0.5) * comb_y.pitch:
        return None
    return box


def _less(span: _Span, part: int) -> _Span:
    """A span without its first and its last part of so many."""
    end = (span[1] - span[0]) // part
    return span[0] + end, span[1] - end


def _reach(
    differences: Floats,
    lines: _Comb,
    snap: _Comb,
    within: _Span,
    inner: _Span,
) -> _Span | None:
    """From where to where along an axis the cells go on: differences (n, m) are those along the
    other axis, whose `lines` are known and whose part `within` is mosaic.
    """
    low, high = max(1, within[0]), within[1]
    on = lines.lines(low, high)
    if len(on) < 2:
        return None
    off = np.setdiff1d(np.arange(low, high), np.concatenate([on - 1, on, on + 1]))
    if len(off) == 0:
        off = np.setdiff1d(np.arange(low, high), on)
    edge, flat = differences[on].mean(0), differences[off].mean(0)
    middle = slice(*_less(inner, 4))
    noise = float(np.median(flat[middle]))
    if noise < _LOSSLESS:  # lossless: not a single difference in a cell
        evidence = np.where(edge > 0.1 * float(np.median(edge[middle])), 1.0, _PLAIN)
        evidence[(differences[off] == 0).mean(0) < _UNTOUCHED] = -4.0
    else:
        evidence = ((edge - flat) / (edge + flat + 1) - _HALF_CLEAR).astype(np.float64)
    start, end = _richest(evidence)
    if noise >= _LOSSLESS:
        start, end = _snapped(start, snap, len(evidence)), _snapped(end, snap, len(evidence))
    return (start, end) if end > start else None


def _richest(evidence: NDArray[np.float64]) -> tuple[int, int]:
    """The stretch with the largest sum (Kadane)."""
    sums = np.concatenate([[0.0], np.cumsum(evidence)])
    lowest = np.minimum.accumulate(sums)
    end = int(np.argmax(sums - lowest))
    start = int(np.argmin(sums[: end + 1]))
    return start, end


def _snapped(place: int, comb: _Comb, size: int) -> int:
    """The nearest line or border when it is near."""
    lines = [*comb.lines(0, size + 1), 0, size]
    nearest = min(lines, key=lambda line: abs(line - place))
    return int(nearest) if abs(nearest - place) <= max(2, _NEAR * comb.pitch) else place


def _confidence(across: Floats, down: Floats, comb_x: _Comb, comb_y: _Comb, box: Box) -> float:
    """1 less the strength of what is between the edges, as a part of that of the edges; the less
    clear axis counts.
    """
    inside = (slice(box.y, box.y + box.height), slice(box.x, box.x + box.width))
    return min(_clarity(across[inside], comb_x, box.x), _clarity(down[inside].T, comb_y, box.y))


def _clarity(differences: Floats, comb: _Comb, start: int) -> float:
    profile = differences.mean(0)
    on = comb.lines(start + 1, start + len(profile)) - start
    off = np.setdiff1d(np.arange(1, len(profile)), on)
    if len(on) == 0 or len(off) == 0:
        return 0.0
    edge, flat = float(profile[on].mean()), float(profile[off].mean())
    return max(0.0, 1 - flat / edge) if edge > _FLAT else 0.0


# Which pixels


def _cut_out(luma: _Levels, fit: _Fit) -> Region:
    """The region of a fit: its whole box, or what of the box is mosaic where that is clearly less,
    as in an ellipse.
    """
    around = fit.box
    hidden = _flat_pixels(luma, fit, around)
    if hidden.mean() > _FULL:
        hidden = np.ones_like(hidden)
    else:  # what is round reaches over the box that its middle fills
        more = max(around.width, around.height) // 4
        around = around.grown(more, more, luma)
        hidden = _flat_pixels(luma, fit, around)
    rows, columns = np.nonzero(hidden.any(1))[0], np.nonzero(hidden.any(0))[0]
    top, left = int(rows[0]), int(columns[0])
    hidden = hidden[top : rows[-1] + 1, left : columns[-1] + 1]
    box = Box(around.x + left, around.y + top, hidden.shape[1], hidden.shape[0])
    return Region(box, _grid(fit.across, fit.down, box), hidden, fit.confidence)


def _flat_pixels(luma: _Levels, fit: _Fit, box: Box) -> Mask:
    """The largest connected part of a box whose pixels are like their neighbours in the cell."""
    across, down = _planes(crop(luma, box))
    grid = _grid(fit.across, fit.down, box)
    rows, columns = grid.edges(box.height, box.width)
    across[:, columns[:-1]] = 0
    down[rows[:-1]] = 0
    rough = across + down
    middle = crop(rough, replace(fit.box, x=fit.box.x - box.x, y=fit.box.y - box.y))
    if np.mean(middle == 0) > _UNTOUCHED:  # nothing in a cell differs, so whatever does is outside
        side = max(3, round(min(grid.width, grid.height) / 2))
        flat = cv2.morphologyEx(
            (rough == 0).astype(np.uint8), cv2.MORPH_OPEN, np.ones((side, side), np.uint8)
        )
        return _filled(flat.astype(bool))
    calm = cells(rough, grid) < 2 * float(np.median(middle)) + 2
    return _filled(replicate(calm.astype(np.float32), grid, (box.height, box.width)) > 0.5)


def _filled(mask: Mask) -> Mask:
    """The largest connected part of a mask, without its holes."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(contours, key=cv2.contourArea)
    filled = cv2.drawContours(np.zeros(mask.shape, np.uint8), [largest], -1, (1,), -1)
    return filled.astype(bool)


def _grid(comb_x: _Comb, comb_y: _Comb, box: Box) -> Grid:
    return Grid(
        _plain(comb_x.pitch),
        _plain(comb_y.pitch),
        _plain((comb_x.start - box.x) % comb_x.pitch),
        _plain((comb_y.start - box.y) % comb_y.pitch),
    )


def _plain(value: float) -> float:
    return int(value) if float(value).is_integer() else value
