"""Places in a picture that may hold a mosaic."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from demosaic.detection.gradients import CAP, neighbour_differences
from demosaic.detection.lattice import SQUARE, Floats
from demosaic.detection.outline import Levels
from demosaic.detection.region import Candidate
from demosaic.imaging.geometry import Box

BAND = 16  # pixels of a level averaged before rhythm is looked for

LAGS = range(3, 25)  # pixels of a level

_AROUND = (5, 1)  # squares of _BAND px over which rhythm is averaged

_SCALES = (1, 2, 4)  # of the levels: cells of 3 to 96 px

# Grey levels, of a mean step; of four places with a rhythm in a photo kept as JPEG, three had it
# from the weaker edges of JPEG's squares
_WEAK = 5

_FAINT = 0.5  # squared grey levels; at 2 some large cells are missed, at 0.1 none are gained

_RHYTHM = 0.37  # correlation of a profile with itself, one cell on, that is looked into


# The coarse look


def find_candidates(luma: Levels) -> Iterator[Candidate]:
    """Places with a rhythm along both axes, those with small cells first."""
    for scale in _SCALES:
        level = luma
        if scale > 1:
            size = (luma.shape[1] // scale, luma.shape[0] // scale)
            if min(size) < 4 * LAGS[0]:
                return
            level = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
        for candidate in _places(level, scale):
            box = Box(*(scale * side for side in candidate.box.corners))
            across, down = candidate.pitches
            yield Candidate(box, (across * scale, down * scale), Box.whole(luma))


def _places(level: Levels, scale: int) -> Iterator[Candidate]:
    rhythm_across, pitch_across = _rhythm(level, scale)
    rhythm_down, pitch_down = (plane.T for plane in _rhythm(np.ascontiguousarray(level.T), scale))
    both = (np.minimum(rhythm_across, rhythm_down) > _RHYTHM).astype(np.uint8)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(both, connectivity=8)
    for number in range(1, count):
        x, y, width, height, _ = (int(value) for value in boxes[number])
        inside = labels == number
        pitches = (_middle(pitch_across[inside]), _middle(pitch_down[inside]))
        box = Box(x * BAND, y * BAND, width * BAND, height * BAND)
        yield Candidate(box.grown(0, 0, level), pitches, Box.whole(level))


def _middle(values: Floats) -> float:
    return float(np.sort(values)[len(values) // 2])


def _rhythm(level: Levels, scale: int) -> tuple[Floats, Floats]:
    """For each square of _BAND pixels, how alike the steps across are to those one cell on, and
    how many pixels a cell has.

    Weak edges of JPEG's own squares say nothing.
    """
    height, width = level.shape
    rows, columns = -(-height // BAND), -(-width // BAND)
    steps = np.zeros((rows * BAND, width), np.uint8)
    steps[:height] = _steps(level, min(scale, 2))
    profile = steps.reshape(rows, BAND, width).mean(1, dtype=np.float32)
    edges = profile[:, :: SQUARE // scale]  # of JPEG's squares
    weak = edges < _WEAK
    profile -= cv2.blur(profile, (3 * LAGS[-1], 1))
    edges[weak] = 0
    padded = np.zeros((rows, columns * BAND + LAGS[-1]), np.float32)
    padded[:, :width] = profile
    ahead = sliding_window_view(padded, BAND + LAGS[-1], axis=1)[:, ::BAND]
    shifted = sliding_window_view(ahead, BAND, axis=2)
    # Products are summed as they are made: stored for each pixel, they take four times as long
    products = np.einsum("ijk,ijlk->lij", ahead[:, :, :BAND], shifted)
    around = cv2.blur(products.reshape(-1, columns), _AROUND).reshape(products.shape)
    energy, likeness = around[0] + _FAINT * BAND, around[LAGS[0] :]
    best = likeness.max(0)
    first = np.argmax(likeness > 0.8 * best, axis=0)
    return best / energy, (first + LAGS[0]).astype(np.float32)


def _steps(level: Levels, way: int) -> Levels:
    """How much larger than those so many pixels before and after the difference of each pixel to
    the one on its left is: two where an edge may lie in the middle of a pixel, with a step on
    either side.
    """
    differences = neighbour_differences(level)
    beside = np.zeros_like(differences)
    beside[:, :-way] = differences[:, way:]
    np.maximum(beside[:, way:], differences[:, :-way], out=beside[:, way:])
    return np.minimum(cv2.subtract(differences, beside), CAP)
