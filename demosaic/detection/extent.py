"""Where a mosaic begins and ends along an axis and where the lines between its cells are.

Most programs make cells that fill a box: then its ends and their number say where every line is. An
end has a step, as lines have, and nothing beyond it speaks for a mosaic.
"""

import math

import numpy as np
from numpy.typing import NDArray

from demosaic.detection.lattice import SQUARE, Comb, Floats, Places
from demosaic.detection.periodicity import sharpened

_Ends = NDArray[np.intp]
"""(N, 2): where a mosaic may begin and end."""

_Tries = NDArray[np.float64]
"""(N, 5): the pitch and start of a comb, where a mosaic begins and ends, what speaks against."""


# How much longer all cells are and where the first begins: programs round the edges of cells to the
# nearest, down or up, and by an error of 1e-6 even those up that fall on whole pixels
_ROUNDINGS = ((0, 0), (0, -0.01), (0, -0.49), (0, 0.49), (0.04, 0.49))

# All in steps of a line, from 3,400 ends of whole cells through JPEG that lie on a line or a pixel
# beside one, as a regression tells these apart
_MOST = 2.0

_SEEN = 0.25  # what a column's evidence of 1 is worth

# What speaks against an end that is not about where it was, or where a square of JPEG's ends too;
# and against cells that do not fill the mosaic
_UNUSUAL = 0.4

_WHOLE = 0.5  # against other than whole sides; at 0.4 one in 100 through JPEG 60 loses them

_SLIVER = 1.0  # what speaks against a cell of one pixel


def settled(
    comb: Comb, profile: Floats, evidence: Floats, low: int, high: int
) -> tuple[Comb, int, int]:
    """The comb of a mosaic's cells, where the first begins and where the last ends, all of which is
    about known; from the root of the step in each column of the picture and what speaks for it.
    """
    worth = _worth(profile, comb, low, high)
    sharp = sharpened(comb.moved(-low - 1), worth[low + 1 : high - 1]).moved(low + 1)
    ends = _ends(comb if comb.is_whole else sharp, low, high, len(profile))
    tries = np.concatenate([_filling(comb, ends), _anywhere(sharp, ends)])
    tries[:, 4] += _UNUSUAL * (np.abs(tries[:, 2:4] - (low, high)) > 1).sum(1)
    if comb.is_whole:
        given = _anywhere(comb, np.array([(low, high)])) - (0, 0, 0, 0, _UNUSUAL + _WHOLE)
        tries = np.concatenate([tries, given])
    best = tries[np.argmax(_explained(worth, evidence, tries))].tolist()
    return Comb(best[0], best[1], comb.score), int(best[2]), int(best[3])


def _worth(profile: Floats, comb: Comb, low: int, high: int) -> Floats:
    """The steps in each column, so that on average those on lines are 1 and others 0, as those at
    the ends of the picture are.
    """
    lines = comb.lines(low + 1, high)
    between = np.zeros(len(profile), bool)
    between[low + 1 : high] = True
    between[lines] = False
    worth = np.zeros(len(profile) + 1, np.float32)
    if len(lines) > 0 and between.any():
        calm = profile[between].mean()
        step = max(float(profile[lines].mean() - calm), 1e-3)
        worth[1:-1] = np.minimum((profile[1:] - calm) / step, _MOST)
    return worth


def _ends(comb: Comb, low: int, high: int, size: int) -> _Ends:
    """Where a mosaic may begin and end that does so about here."""
    firsts, lasts = (_near(comb, end, size) for end in (low, high))
    ends: _Ends = np.stack(np.meshgrid(firsts, lasts), 2).reshape(-1, 2)
    return ends


def _near(comb: Comb, end: int, size: int) -> Places:
    """The pixels beside an end and, of cells that have no whole sides, beside the lines next to
    it.
    """
    reach = math.ceil(comb.pitch)
    lines = comb.lines(end - reach, end + reach + 1)[: 0 if comb.is_whole else None]
    places = np.append(lines, end)[:, None] + np.arange(-1, 2)
    near: Places = np.unique(places.clip(0, size))
    return near


def _filling(comb: Comb, ends: _Ends) -> _Tries:
    """Combs of cells that fill a mosaic, as programs make them, about as large as those of one."""
    length = ends[:, 1] - ends[:, 0]
    count = np.rint(length / comb.pitch)
    fits = (count > 1) & (np.abs(count * comb.pitch - length) <= 2 - comb.is_whole)
    ends, length, count = ends[fits], length[fits], count[fits]
    return np.concatenate(
        [
            np.column_stack([(length + more) / count, ends[:, 0] + phase, ends, 0 * count])
            for more, phase in _ROUNDINGS
        ]
    )


def _anywhere(comb: Comb, ends: _Ends) -> _Tries:
    """One comb with several ends, whose first and last cells may be cut."""
    lines = comb.lines(int(ends.min()), int(ends.max()) + 2)
    slivers = np.isin(ends + np.array([1, -1]), lines).sum(1)
    same = np.tile((comb.pitch, comb.start), (len(ends), 1))
    return np.column_stack([same, ends, _UNUSUAL + _SLIVER * slivers])


def _explained(worth: Floats, evidence: Floats, tries: _Tries) -> Floats:
    """The steps on the lines and at the ends of combs, with what of the evidence lies within, less
    what speaks against.
    """
    pitch, start, low, high, _ = tries.T[:, :, None]
    first = np.ceil((low + 1.5 - start) / pitch)  # a sliver's line is its end's
    numbers = first + np.arange(np.ceil((high - low) / pitch).max())
    places = np.floor(start + numbers * pitch + 0.5)
    inside = places < high - 1
    on_lines = (worth[(places * inside).astype(np.intp)]).sum(1)  # worth[0] is 0
    ends = worth - _UNUSUAL * (np.arange(len(worth)) % SQUARE == 0)
    ends[[0, -1]] = 0
    first, last = tries[:, 2].astype(np.intp), tries[:, 3].astype(np.intp)
    sums = np.append(0, np.cumsum(evidence))
    seen = _SEEN * (sums[last] - sums[first])
    explained: Floats = on_lines + ends[first] + ends[last] + seen - tries[:, 4]
    return explained
