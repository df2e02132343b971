"""How near one picture is to another: numbers checked by hand, and against torchmetrics."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    structural_similarity_index_measure,
)

import people
from demosaic.evaluation import metrics
from demosaic.imaging.arrays import Pixels
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours
from doubles import GRID, as_mosaic, grey, noise, smooth


def waves(cycles: int, amplitude: float, side: int = 64, down: bool = False) -> Pixels:
    """A grey picture of so many waves across, or down."""
    line = 128 + amplitude * np.cos(2 * np.pi * cycles * np.arange(side) / side)
    plane = np.broadcast_to(line, (side, side))
    plane = plane.T if down else plane
    return np.repeat(np.rint(plane)[:, :, None], 3, axis=2).astype(np.uint8)


def sharpness(restored: Pixels, target: Pixels, block: int = 8) -> float:
    return metrics.sharpness(metrics.spectrum(restored), metrics.spectrum(target), block)


def test_errors_downwards_count_as_errors_upwards() -> None:
    """Bytes wrap round where they are subtracted as bytes."""
    assert metrics.psnr(grey(0), grey(255)) == pytest.approx(0)
    assert metrics.psnr(grey(255), grey(0)) == pytest.approx(0)


def test_ssim_of_two_flat_pictures_is_that_of_their_brightness() -> None:
    constant = (0.01 * 255) ** 2
    expected = (2 * 100 * 120 + constant) / (100**2 + 120**2 + constant)
    assert metrics.ssim(grey(100, 32), grey(120, 32)) == pytest.approx(expected, abs=5e-4)


def test_ssim_of_unrelated_noise_is_near_nothing() -> None:
    assert abs(metrics.ssim(noise(0), noise(1))) < 0.1


def test_cell_error_is_in_grey_levels_of_the_cells() -> None:
    picture = noise()
    observed = cell_colours(picture, GRID)
    off = observed.copy()
    off[0, 0, 0] += 64  # one of 3 * 8 * 8 cells
    base = metrics.cell_error(picture, observed, GRID)
    assert base < 0.51
    assert metrics.cell_error(grey(90), np.full((3, 4, 4), 93.5, np.float32), GRID) == 3.5
    assert metrics.cell_error(picture, off, GRID) - base == pytest.approx(64 / 192, abs=0.01)


def mosaicked_photo(height: int, width: int, block: int) -> list[Pixels]:
    photo = people.photo(0, 0, 0).image[20 : 20 + height, 20 : 20 + width]
    assert photo.shape == (height, width, 3)
    return [as_mosaic(photo, Grid.square(block)), photo]


def known(measure: Callable[..., object], pictures: list[Pixels]) -> float:
    """What torchmetrics says, in double precision."""
    planes = [picture.transpose(2, 0, 1)[None].astype(np.float64) for picture in pictures]
    found = measure(*map(torch.from_numpy, planes), data_range=255.0)
    assert isinstance(found, torch.Tensor)
    return float(found)


@pytest.mark.parametrize("side", [(64, 64), (45, 80), (16, 16)])
@pytest.mark.parametrize("block", [4, 16])
def test_ssim_is_that_of_torchmetrics(side: tuple[int, int], block: int) -> None:
    pictures = mosaicked_photo(*side, block)
    expected = known(structural_similarity_index_measure, pictures)
    assert metrics.ssim(*pictures) == pytest.approx(expected, abs=5e-5)
    assert 0 < expected < 0.999


@pytest.mark.parametrize("side", [(256, 256), (183, 201)])
@pytest.mark.parametrize("block", [4, 16])
def test_ms_ssim_is_that_of_torchmetrics(side: tuple[int, int], block: int) -> None:
    pictures = mosaicked_photo(*side, block)
    expected = known(multiscale_structural_similarity_index_measure, pictures)
    assert metrics.ms_ssim(*pictures) == pytest.approx(expected, abs=5e-5)
    assert 0 < expected < 0.999


def test_ms_ssim_is_1_for_equal_pictures_and_falls_with_the_cells() -> None:
    picture = smooth(176)
    found = [metrics.ms_ssim(as_mosaic(picture, Grid.square(side)), picture) for side in (1, 4, 16)]
    assert found[0] == pytest.approx(1)
    assert found[0] > found[1] > found[2] > 0.3  # type: ignore[operator]


def test_pictures_too_small_for_five_scales_have_no_ms_ssim() -> None:
    assert metrics.ms_ssim(noise(0, 175), noise(1, 175)) is None
    assert metrics.ms_ssim(noise(0, 176), noise(1, 176)) is not None


@pytest.mark.parametrize("down", [False, True])
def test_the_spectrum_of_waves_is_at_their_number(down: bool) -> None:
    energy = metrics.spectrum(waves(11, 50, down=down))
    assert energy.shape == (33,)
    assert energy.argmax() == 11
    assert energy[10:13].sum() > 0.999 * energy.sum()


def test_the_spectrum_knows_amplitude_not_brightness() -> None:
    assert metrics.spectrum(grey(200, 64)).sum() == pytest.approx(0, abs=1e-9)
    once, twice = (metrics.spectrum(waves(9, amplitude)).sum() for amplitude in (50, 100))
    assert math.sqrt(twice / once) == pytest.approx(2, rel=0.01)


def test_sharpness_is_the_ratio_of_the_amplitudes() -> None:
    assert sharpness(waves(20, 30), waves(20, 60)) == pytest.approx(0.5, rel=0.01)
    assert sharpness(waves(20, 60, down=True), waves(20, 60)) == pytest.approx(1, rel=0.01)
    assert sharpness(grey(90, 64), waves(20, 60)) == pytest.approx(0, abs=1e-6)


def test_sharpness_is_of_what_is_finer_than_the_cells() -> None:
    """64 px in cells of 8 px hold waves up to 4 across."""
    both: NDArray[np.uint8] = (waves(2, 60) // 2 + waves(20, 60) // 2).astype(np.uint8)
    assert sharpness(both, waves(20, 30)) == pytest.approx(1, rel=0.05)
    assert sharpness(waves(2, 60), waves(20, 60)) < 0.01
    assert sharpness(waves(2, 60), waves(20, 60), block=32) == pytest.approx(1, rel=0.05)
    assert sharpness(waves(20, 60), grey(90, 64)) == 1  # there is nothing to reach
