"""What the errors of the mean are measured as."""

import numpy as np
import torch

from demosaic.imaging.arrays import to_float
from demosaic.models.inputs import observe, views
from demosaic.models.noise import CELLS, RINGS, radial_amplitude
from demosaic.models.resunet import ResUNet
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import pixelated
from demosaic.training.spectrum import spectrum_of_errors
from doubles import COMPUTE, OURS, texture


def test_a_row_is_the_spectrum_of_the_errors_at_its_cell_size() -> None:
    """Of a new network, which returns the smooth image."""
    faces = [texture(64, 64, seed) for seed in range(11)]
    found = spectrum_of_errors(ResUNet(OURS), faces, COMPUTE)
    assert found.shape == (len(CELLS), RINGS)
    grid = Grid.square(12)
    shown = views([observe(pixelated(face, grid), grid) for face in faces])
    targets = torch.from_numpy(np.stack([to_float(face) for face in faces]))
    expected = radial_amplitude(targets - shown.reconcile(shown.seen))
    torch.testing.assert_close(found[CELLS.index(12)], expected, rtol=1e-4, atol=1e-5)


def test_larger_cells_leave_larger_errors() -> None:
    faces = [texture(64, 64, seed) for seed in range(2)]
    rows = spectrum_of_errors(ResUNet(OURS), faces, COMPUTE)
    low = rows[:, :8].square().mean(1).tolist()
    assert low == sorted(low)
    assert low[0] < 0.2 * low[-1]
