"""Lines along an axis change their phase where two mosaics meet."""

import numpy as np

from demosaic.detection.lattice import Lines
from demosaic.detection.periodicity import phase_change


def test_a_change_of_phase_is_found_and_its_absence_too() -> None:
    """Between pixels 66 and 69; lines of 3 px meet those of both phases."""
    changed = np.full(150, 0.2, np.float32)
    changed[6:67:6] = 1
    steady = changed.copy()
    steady[72::6] = 1
    changed[69::6] = 1
    assert phase_change(changed, Lines(3, 0)) == 69
    assert phase_change(changed, Lines(6, 0)) == 69
    assert phase_change(steady, Lines(6, 0)) is None
    assert phase_change(steady, Lines(3, 0)) is None
