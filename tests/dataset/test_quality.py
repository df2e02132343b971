"""Blurred and pixelated faces are left out, sharp ones are not."""

import numpy as np
import pytest

from dataset_doubles import WHOLE, blurred, cut_out, portrait, reasons, saved
from demosaic.config.dataset import BuildConfig
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.encoding import jpeg_damaged


@pytest.mark.parametrize(("blur", "kept"), [(0, 1), (1, 1), (10, 0)])
def test_a_blurred_face_is_left_out(blur: float, kept: int) -> None:
    image = blurred(portrait(), blur) if blur else portrait()
    result = cut_out(saved(image), BuildConfig(), WHOLE)
    assert len(result.kept) == kept
    assert [reason for reason, _ in reasons(result)] == ["too blurred"] * (1 - kept)
    everything = cut_out(saved(image), BuildConfig(min_sharpness=0), WHOLE)
    assert len(everything.kept) == 1


def test_contrast_is_not_sharpness() -> None:
    pale = (portrait() // 3 + 120).astype(np.uint8)
    sharp, soft = (cut_out(saved(image), BuildConfig(), WHOLE) for image in (portrait(), pale))
    assert abs(sharp.kept[0][0].sharpness - soft.kept[0][0].sharpness) < 0.05


def tiles(image: Pixels, block: int, offset: int) -> Pixels:
    """A mosaic of a picture whose first cells are cut to `block` less `offset`."""
    result = image.copy()
    for y in range(-offset, image.shape[0], block):
        for x in range(-offset, image.shape[1], block):
            cell = result[max(y, 0) : y + block, max(x, 0) : x + block]
            cell[:] = cell.mean(axis=(0, 1))
    return result


@pytest.mark.parametrize("block", [3, 4, 7, 16, 40])
def test_a_face_that_was_pixelated_before_is_left_out(block: int) -> None:
    for image in (tiles(portrait(), block, 0), tiles(portrait(), block, block // 2)):
        result = cut_out(saved(image), BuildConfig(), WHOLE)
        assert reasons(result) == [("already pixelated", "")]


@pytest.mark.parametrize("quality", [None, 75, 30])
def test_a_face_that_was_compressed_is_not_pixelated(quality: int | None) -> None:
    image = jpeg_damaged(portrait(), quality) if quality else portrait()
    assert len(cut_out(saved(image), BuildConfig(min_sharpness=0), WHOLE).kept) == 1


def test_stripes_and_waves_are_no_mosaic() -> None:
    across = np.arange(512)
    stripes = np.where(across // 8 % 2, 255, 0).astype(np.uint8)
    waves = 128 + 60 * np.sin(across * np.pi / 6)
    striped = (portrait() // 2 + stripes[:, None] // 2).astype(np.uint8)
    waved = np.repeat((waves[:, None] + waves - 128)[..., None], 3, 2).astype(np.uint8)
    for image in (striped, waved):
        assert len(cut_out(saved(image), BuildConfig(min_sharpness=0), WHOLE).kept) == 1


def test_a_pixelated_and_compressed_face_is_still_pixelated() -> None:
    image = jpeg_damaged(tiles(portrait(), 12, 5), 85)
    assert reasons(cut_out(saved(image), BuildConfig(), WHOLE)) == [("already pixelated", "")]
