"""Noise with a spectrum: what goes in can be measured again."""

import math

import pytest
import torch

from demosaic.models.noise import (
    CELLS,
    PLANES,
    RINGS,
    coloured,
    is_spectrum,
    radial_amplitude,
    white_noise,
)

FALLING = torch.linspace(2.0, 0.1, RINGS)


def some_white(count: int = 8, side: int = 64) -> torch.Tensor:
    return white_noise(range(count), torch.zeros(count, 3, side, side))


def test_the_same_seed_draws_the_same_noise_whatever_is_beside_it() -> None:
    like = torch.zeros(3, 3, 32, 64)
    noise = white_noise([5, 6, 5], like)
    assert noise.shape == (3, PLANES, 32, 64)
    assert torch.equal(noise[0], noise[2])
    assert torch.equal(noise[1:2], white_noise([6], like[:1]))
    assert not torch.equal(noise[0], noise[1])


def test_white_noise_has_an_amplitude_of_1_at_every_frequency() -> None:
    found = radial_amplitude(torch.randn(64, 3, 64, 64, generator=torch.Generator().manual_seed(1)))
    assert found.shape == (RINGS,)
    assert float((found[2:] - 1).abs().max()) < 0.1


def test_coloured_noise_has_the_spectrum_asked_for() -> None:
    spectrum = FALLING.expand(len(CELLS), RINGS)
    white = some_white(64)
    noise = coloured(white, spectrum, torch.full((64,), 4.0))
    assert noise.shape == (64, 3, 64, 64)
    found = radial_amplitude(noise)
    assert float((found / FALLING - 1)[2:].abs().max()) < 0.12


def test_most_of_the_noise_is_common_to_the_three_colours() -> None:
    noise = coloured(some_white(), torch.ones(len(CELLS), RINGS), torch.full((8,), 4.0))
    red, green, _ = noise.unbind(1)
    likeness = (red * green).mean() / (red.std() * green.std())
    assert float(likeness) == pytest.approx(0.81, abs=0.02)


@pytest.mark.parametrize(
    ("side", "expected"), [(2, 4), (4, 4), (12, 12), (16, 16), (32, 32), (64, 32), (14, 14)]
)
def test_the_size_of_the_cells_chooses_the_spectrum(side: float, expected: float) -> None:
    """Between two sizes by the logarithm, beyond the ends that of the end."""
    rows = torch.tensor(CELLS, dtype=torch.float32).log2()[:, None].expand(-1, RINGS)
    white = some_white(2)
    found = coloured(white, rows.contiguous(), torch.full((2,), math.log2(side)))
    one = coloured(white, torch.ones(len(CELLS), RINGS), torch.full((2,), 3.0))
    torch.testing.assert_close(found, math.log2(expected) * one, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("value", "good"), [(0.0, True), (3.0, True), (-0.1, False), (math.nan, False), (1e6, False)]
)
def test_amplitudes_that_no_error_has_are_no_spectrum(value: float, good: bool) -> None:
    values = torch.ones(len(CELLS), RINGS)
    values[2, 3] = value
    assert is_spectrum(values) == good
