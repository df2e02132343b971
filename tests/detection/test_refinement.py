"""The lines and ends of a mosaic along an axis are found to the pixel, from steps and evidence.

The steps are those that cv2 leaves: cell k begins at the first pixel from k times the period on.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from demosaic.detection.lattice import Lines
from demosaic.detection.refinement import refine_axis
from demosaic.imaging.arrays import Floats

_Positions = NDArray[np.intp]


def starts(low: int, high: int, cells: int) -> _Positions:
    """Where so many cells begin that fill a box."""
    places: _Positions = low + np.ceil(np.arange(cells) * (high - low) / cells).astype(np.intp)
    return places


def steps(places: _Positions, within: tuple[int, int]) -> Floats:
    """The root of the step in each of 250 columns: on lines, and of a photo beside them."""
    photo = np.random.default_rng(0).uniform(0.8, 1.6, 250)
    photo[slice(*within)] = 0.5
    photo[places] = 2.5
    return photo.astype(np.float32)


def evidence(low: int, high: int) -> Floats:
    seen = np.full(250, -1, np.float32)
    seen[low:high] = 1
    return seen


def test_lines_are_those_of_the_steps_where_a_mosaic_begins_before_it_is_seen() -> None:
    """50 cells over 203 px, the first 11 of which a plain wall hides: cells of 4 px and of 5."""
    true = starts(14, 217, 50)
    profile = steps(true[11:], (59, 217))
    lines, low, high = refine_axis(Lines(4.064, 63.12), profile, evidence(59, 217), 59, 217)
    assert (low, high) == (59, 217)
    assert lines.positions(60, 217).tolist() == true[true > 59].tolist()


@pytest.mark.parametrize(("low", "first"), [(51, 8), (52, 7)])
def test_a_first_cell_is_a_pixel_longer_where_the_step_at_the_end_is(low: int, first: int) -> None:
    true = starts(low, 192, 20)
    lines, *ends = refine_axis(Lines(7, 52), steps(true, (low, 192)), evidence(low, 192), 52, 192)
    assert ends == [low, 192]
    assert lines.positions(low + 1, 192).tolist() == true[1:].tolist()
    assert true[1] - low == first


def test_an_end_that_was_taken_for_the_next_line_is_found() -> None:
    """What speaks for the first cell is little, but there is a step where it begins."""
    true = starts(28, 216, 18)
    seen = evidence(28, 216)
    seen[28:39] = 0.2
    lines, *ends = refine_axis(Lines(10.44, 39.2), steps(true, (28, 216)), seen, 39, 216)
    assert ends == [28, 216]
    assert lines.positions(29, 216).tolist() == true[1:].tolist()


def test_a_step_of_the_photo_where_one_more_cell_would_begin_is_no_end() -> None:
    true = starts(39, 216, 17)
    profile = steps(np.append(true, 28), (39, 216))
    _, *ends = refine_axis(Lines(10.41, 39.4), profile, evidence(39, 216), 39, 216)
    assert ends == [39, 216]


def test_whole_cells_stay_where_a_block_of_jpeg_ends_beside_a_mosaic() -> None:
    """At column 56, a pixel before the first cell."""
    profile = steps(starts(57, 197, 20), (56, 197))
    profile[[56, 57]] = 2.1, 0.7
    assert refine_axis(Lines(7, 57), profile, evidence(57, 197), 57, 197) == (Lines(7, 57), 57, 197)


def test_a_last_cell_may_be_cut_anywhere() -> None:
    profile = steps(np.arange(40, 190, 12), (40, 189))
    profile[189] = 2
    assert refine_axis(Lines(12, 40), profile, evidence(40, 189), 40, 189) == (
        Lines(12, 40),
        40,
        189,
    )


def test_a_mosaic_without_lines_stays_as_it_is() -> None:
    profile = np.zeros(250, np.float32)
    assert refine_axis(Lines(60, 40), profile, evidence(41, 99), 41, 99) == (Lines(60, 40), 41, 99)
