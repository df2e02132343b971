"""The coarse search: places in a picture where steps repeat along both axes.

At three scales the picture is cut into tiles. For each tile the profile of its steps is correlated
with itself some pixels on (autocorrelation). Neighbouring tiles in which the steps repeat both
across and down are a candidate.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from demosaic.detection import jpeg_blocks
from demosaic.detection.gradients import MAX_STEP, Luma, differences_across
from demosaic.detection.region import Candidate
from demosaic.detection.thresholds import CANDIDATES
from demosaic.imaging.arrays import Floats
from demosaic.imaging.geometry import Box


def find_candidates(luma: Luma) -> Iterator[Candidate]:
    """The places in a grey picture (H, W) where steps repeat along both axes, those with small
    cells first.
    """
    for scale in CANDIDATES.scales:
        level = luma
        if scale > 1:
            size = (luma.shape[1] // scale, luma.shape[0] // scale)
            if min(size) < 4 * CANDIDATES.min_lag:
                return
            level = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
        for candidate in _candidates_at(level, scale):
            box = Box(*(scale * side for side in candidate.box.corners))
            across, down = candidate.periods
            yield Candidate(box, (across * scale, down * scale), Box.whole(luma))


def _candidates_at(level: Luma, scale: int) -> Iterator[Candidate]:
    """The candidates in the picture at one scale, in its pixels."""
    transposed = np.ascontiguousarray(level.T)
    correlation_across, period_across = _repetition(level, scale)
    correlation_down, period_down = (plane.T for plane in _repetition(transposed, scale))
    both = np.minimum(correlation_across, correlation_down) > CANDIDATES.min_correlation
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(
        both.astype(np.uint8), connectivity=8
    )
    for number in range(1, count):
        x, y, width, height, _ = (CANDIDATES.tile * int(value) for value in boxes[number])
        inside = labels == number
        periods = _upper_median(period_across[inside]), _upper_median(period_down[inside])
        box = Box(x, y, width, height)
        yield Candidate(box.grown(0, 0, level), periods, Box.whole(level))


def _upper_median(values: Floats) -> float:
    return float(np.sort(values)[len(values) // 2])


def _repetition(level: Luma, scale: int) -> tuple[Floats, Floats]:
    """For each tile (rows, columns) of a picture, the autocorrelation across at its best lag, and
    that lag, pixels.
    """
    profile = _tile_profiles(level, scale)
    rows, width = profile.shape
    tile, columns = CANDIDATES.tile, -(-width // CANDIDATES.tile)
    padded = np.zeros((rows, columns * tile + CANDIDATES.max_lag), np.float32)
    padded[:, :width] = profile
    ahead = sliding_window_view(padded, tile + CANDIDATES.max_lag, axis=1)[:, ::tile]
    shifted = sliding_window_view(ahead, tile, axis=2)
    # Products are summed as they are made: stored for each pixel, they take four times as long
    products = np.einsum("ijk,ijlk->lij", ahead[:, :, :tile], shifted)
    around = cv2.blur(products.reshape(-1, columns), CANDIDATES.averaged_tiles)
    around = around.reshape(products.shape)
    energy, covariance = around[0] + CANDIDATES.faint_energy * tile, around[CANDIDATES.min_lag :]
    best = covariance.max(0)
    first = np.argmax(covariance > CANDIDATES.first_peak * best, axis=0)
    return best / energy, (first + CANDIDATES.min_lag).astype(np.float32)


def _tile_profiles(level: Luma, scale: int) -> Floats:
    """(rows of tiles, W): the mean step in each column of each row of tiles, less its moving mean;
    0 on weak edges of JPEG's blocks.
    """
    height, width = level.shape
    rows = -(-height // CANDIDATES.tile)
    steps = np.zeros((rows * CANDIDATES.tile, width), np.uint8)
    steps[:height] = _isolated_steps(level, min(scale, 2))
    profile: Floats = steps.reshape(rows, CANDIDATES.tile, width).mean(1, dtype=np.float32)
    edges = profile[:, jpeg_blocks.edges(scale)]
    weak = edges < CANDIDATES.weak_jpeg_edge
    profile -= cv2.blur(profile, (3 * CANDIDATES.max_lag, 1))
    edges[weak] = 0
    return profile


def _isolated_steps(level: Luma, distance: int) -> Luma:
    """(H, W): by how much the step to the left pixel exceeds those `distance` pixels before and
    after, at most `MAX_STEP`.

    The distance is 2 where an edge may lie in the middle of a pixel, with a step on either side.
    """
    differences = differences_across(level)
    beside = np.zeros_like(differences)
    beside[:, :-distance] = differences[:, distance:]
    np.maximum(beside[:, distance:], differences[:, :-distance], out=beside[:, distance:])
    return np.minimum(cv2.subtract(differences, beside), MAX_STEP)
