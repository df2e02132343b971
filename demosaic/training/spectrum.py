"""The spectrum of the mean's error, by the size of the cells."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from demosaic.imaging.arrays import Pixels, to_float
from demosaic.models.compute import Compute
from demosaic.models.inputs import observe, views
from demosaic.models.noise import CELLS, radial_amplitude
from demosaic.models.resunet import ResUNet
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import pixelated

_BATCH = 8


def spectrum_of_errors(mean: ResUNet, faces: Sequence[Pixels], compute: Compute) -> Tensor:
    """The amplitudes (len(CELLS), RINGS) of the errors, in [-1, 1], that the first stage's network
    leaves on these faces (S, S, 3), pixelated with cells of each size.
    """
    return torch.stack([_of_cells(mean, faces, Grid.square(side), compute) for side in CELLS])


def _of_cells(mean: ResUNet, faces: Sequence[Pixels], grid: Grid, compute: Compute) -> Tensor:
    errors = []
    for start in range(0, len(faces), _BATCH):
        some = faces[start : start + _BATCH]
        shown = views([observe(pixelated(face, grid), grid) for face in some]).to(compute.device)
        targets = torch.from_numpy(np.stack([to_float(face) for face in some])).to(compute.device)
        with torch.no_grad(), compute.precision():
            restored = mean(shown.seen, shown.hidden, shown.guide)
        errors.append(targets - shown.reconcile(restored))
    return radial_amplitude(torch.cat(errors))
