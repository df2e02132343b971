"""Which pixels are mosaic, where its lattice and most of its box are known: a box or an ellipse.

Each pixel is evidence for or against a mosaic: are the steps around it large on lines and small
inside cells, or equally large? The outline is the box or the ellipse with the most evidence in it.
"""

import cv2
import numpy as np

from demosaic.detection import ellipse, jpeg_blocks
from demosaic.detection.ellipse import CellCuts, Ends
from demosaic.detection.gradients import Luma, Steps
from demosaic.detection.lattice import Lattice, Lines
from demosaic.detection.thresholds import OUTLINE
from demosaic.imaging.arrays import Floats, Mask
from demosaic.imaging.geometry import Box, crop

_Size = tuple[int, int]
"""Columns and rows."""


def find_outline(steps: Steps, lattice: Lattice, box: Box) -> tuple[Box, Mask]:
    """The box of a mosaic and its pixels (box.height, box.width), from a box that is about it or
    lies in it, and the steps of the picture (H, W).
    """
    whole = Box.whole(steps.across)
    for reach in OUTLINE.reaches:
        around = box.grown(int(reach * box.width), int(reach * box.height), steps.across)
        ample, strict = _evidence(steps, lattice, box, around)
        inner = _slices(box, around, strict)
        in_box = float(strict[inner].sum())
        if around == whole and strict.sum() > OUTLINE.whole_picture * in_box:
            return around, np.ones((around.height, around.width), bool)
        if strict.clip(0).sum() <= OUTLINE.outside * in_box:
            break
        ends = ellipse.most_evident(ample, inner)
        if ellipse.evidence_in(strict, ends) <= in_box or not _has_corners(strict, ends):
            break
        share = OUTLINE.strict_share
        mixed = (1 - share) * ample + share * strict
        size = mixed.shape[1], mixed.shape[0]
        cuts = _cell_cuts(steps, lattice, around, size)
        placed = _in_picture(ellipse.refined(ends, mixed, cuts), around, size)
        if _ends_seen(placed, around, whole):
            return ellipse.rasterised(placed, steps.across)
    return box, np.ones((box.height, box.width), bool)


def _ends_seen(ends: Ends, around: Box, whole: Box) -> bool:
    """Whether an ellipse ends in the part that was looked at, or beyond the picture. Nothing speaks
    against one that goes on elsewhere, as over a mosaic beside this one.
    """
    left, top, right, bottom = ends
    return bool(
        (left >= around.x - 1 or around.x == 0)
        and (top >= around.y - 1 or around.y == 0)
        and (right <= around.x + around.width + 1 or around.x + around.width == whole.width)
        and (bottom <= around.y + around.height + 1 or around.y + around.height == whole.height)
    )


def _in_picture(ends: Ends, around: Box, size: _Size) -> Ends:
    """The ends of an ellipse in the picture, from those in a part that was reduced to a size."""
    corner = np.array([around.x, around.y])
    places = ends.reshape(2, 2) * [around.width, around.height] / size + corner
    placed: Ends = places.astype(np.float32).ravel() - np.float32(0.5)
    return placed  # a step is stored in the pixel after it


def _has_corners(evidence: Floats, ends: Ends) -> bool:
    """Whether an ellipse leaves a photo in every corner of its box, at least two of which lie in
    the picture.
    """
    means = [float(part.mean()) for part in ellipse.corners(evidence, ends) if part.size]
    return len(means) > 1 and max(means) < OUTLINE.max_corner


def _cell_cuts(steps: Steps, lattice: Lattice, around: Box, size: _Size) -> CellCuts:
    """Where an ellipse may cut through cells in a part of the picture, reduced to a size."""
    larger = np.maximum(crop(steps.across, around), crop(steps.down, around))
    columns = lattice.across.inside_cells(around.x, around.x + around.width)
    inside = np.outer(lattice.down.inside_cells(around.y, around.y + around.height), columns)
    across, down = size[0] / around.width, size[1] / around.height
    return CellCuts(
        _reduced(np.sqrt(larger, dtype=np.float32) * inside, size),
        _reduced(inside.astype(np.float32), size),
        (
            _line_centres(lattice.across, around.x, around.width) * np.float32(across),
            _line_centres(lattice.down, around.y, around.height) * np.float32(down),
        ),
        (lattice.across.period * across, lattice.down.period * down),
    )


def _line_centres(lines: Lines, first: int, count: int) -> Floats:
    """The middles of the pixels on lines, counted from `first`, among `count` pixels and as many on
    either side, where an ellipse may end too.
    """
    positions = lines.positions(first - count, first + 2 * count)
    return (positions - first + 0.5).astype(np.float32)


def _slices(box: Box, around: Box, plane: Floats) -> tuple[slice, slice]:
    """The rows and columns of a box in a plane of what is around it."""
    scale_y, scale_x = plane.shape[0] / around.height, plane.shape[1] / around.width
    top, left = (box.y - around.y) * scale_y, (box.x - around.x) * scale_x
    return (
        slice(round(top), round(top + box.height * scale_y)),
        slice(round(left), round(left + box.width * scale_x)),
    )


def _evidence(steps: Steps, lattice: Lattice, core: Box, around: Box) -> tuple[Floats, Floats]:
    """Two planes of evidence for a mosaic, about -1..1, over a part of the picture, at most 256 x
    256; most of the core is mosaic.

    The ample one uses the steps on lines all around a pixel: the mosaic ends where the calm ends.
    The strict one uses the smallest of those nearby: what is merely calm beside a mosaic is none.
    """
    lines_across, calm_across = _line_and_calm_marks(lattice.across, around.x, around.width)
    lines_down, calm_down = _line_and_calm_marks(lattice.down, around.y, around.height)
    size = min(OUTLINE.max_side, around.width), min(OUTLINE.max_side, around.height)
    periods = (
        lattice.across.period * size[0] / around.width,
        lattice.down.period * size[1] / around.height,
    )
    part = crop(steps.across, around), crop(steps.down, around)
    window = _odd(max(OUTLINE.step_window, periods[0])), _odd(max(OUTLINE.step_window, periods[1]))
    edge = _local_mean(part, (lines_across, lines_down), size, window) + OUTLINE.noise
    near = jpeg_blocks.calm_window(lattice, OUTLINE.calm_window)
    calm = _local_mean(part, (calm_across, calm_down), size, (near, near)) + OUTLINE.noise
    nearby = _odd(OUTLINE.everywhere * periods[1]), _odd(OUTLINE.everywhere * periods[0])
    least = np.asarray(cv2.erode(edge, np.ones(nearby, np.uint8)), np.float32)
    inside = _slices(core, around, calm)
    usual = float(np.percentile(calm[inside] / edge[inside], OUTLINE.usual_percentile))
    share = max(OUTLINE.min_share, usual)
    return _pixel_evidence(edge, calm, share), _pixel_evidence(least, calm, share)


def _pixel_evidence(edge: Floats, calm: Floats, share: float) -> Floats:
    """The evidence at each pixel, about -1..1: for a mosaic as steps inside cells are below those
    on lines, against one as they are above that share of them.
    """
    noise = OUTLINE.noise
    below_photo = np.log(edge / calm)
    above_mosaic = np.log(calm / (share * (edge - noise) + noise))
    evidence: Floats = np.clip(np.maximum(below_photo, 0) - np.maximum(above_mosaic, 0), -1, 1)
    return evidence - np.float32(OUTLINE.doubt)


def _odd(length: float) -> int:
    """The side of a window with a middle pixel."""
    return 2 * int(length / 2) + 1


def _line_and_calm_marks(lines: Lines, first: int, count: int) -> tuple[Floats, Floats]:
    """(count,) each: 1 on lines and 1 on calm pixels, counted from `first`."""
    on_lines = np.zeros(count, np.float32)
    on_lines[lines.positions(max(1, first), first + count) - first] = 1
    return on_lines, jpeg_blocks.calm_pixels(lines, first, first + count).astype(np.float32)


def _local_mean(
    steps: tuple[Luma, Luma], marks: tuple[Floats, Floats], size: _Size, window: _Size
) -> Floats:
    """The mean step in a window around each pixel of a plane of `size`: of the steps across in
    marked columns and those down in marked rows.
    """
    (across, down), (columns, rows) = steps, marks
    marked = across * columns + down * rows[:, None]
    total = cv2.blur(_reduced(marked, size), window)
    counted_columns = cv2.blur(_reduced(columns[None], (size[0], 1)), (window[0], 1))
    counted_rows = cv2.blur(_reduced(rows[:, None], (1, size[1])), (1, window[1]))
    mean: Floats = total / np.maximum(counted_columns + counted_rows, 1e-3)
    return mean


def _reduced(plane: Floats, size: _Size) -> Floats:
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)
