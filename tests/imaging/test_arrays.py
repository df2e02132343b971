"""Arrays of one type become arrays of another, and change their size."""

import cv2
import numpy as np
import pytest

from demosaic.imaging.arrays import (
    Floats,
    different_colours,
    one_core,
    resize,
    to_float,
    to_levels,
    to_uint8,
)
from doubles import texture


def test_floats_and_back_keeps_every_level() -> None:
    image = np.arange(256 * 3, dtype=np.uint8).reshape(16, 16, 3)
    floats = to_float(image)
    assert floats.dtype == np.float32
    assert floats.shape == (3, 16, 16)
    assert (float(floats.min()), float(floats.max())) == (-1.0, 1.0)
    assert np.array_equal(to_uint8(floats), image)
    assert np.allclose(to_levels(floats), image.transpose(2, 0, 1), atol=1e-4)


def test_floats_out_of_range_are_clipped() -> None:
    floats: Floats = np.array([-9.0, -1.0, 0.0, 1.0, 9.0], np.float32).reshape(1, 1, 5)
    assert to_uint8(np.repeat(floats, 3, 0))[0, :, 0].tolist() == [0, 0, 128, 255, 255]


def test_resizing_down_takes_means_and_to_the_same_size_takes_nothing() -> None:
    image = texture(16, 24)
    means = image.reshape(4, 4, 6, 4, 3).mean(axis=(1, 3))
    assert np.abs(resize(image, 6, 4) - means).max() <= 0.51
    assert np.array_equal(resize(image, 24, 16), image)
    assert resize(image, 50, 40).shape == (40, 50, 3)
    assert resize(image.astype(np.float32), 7, 5).dtype == np.float32


def test_resizing_up_is_smooth() -> None:
    edge = np.zeros((8, 8, 3), np.uint8)
    edge[:, 4:] = 200
    assert len(np.unique(resize(edge, 64, 64)[32, :, 0])) > 5


def test_cv2_has_one_thread_in_the_block_and_then_as_many_as_before() -> None:
    before = cv2.getNumThreads()
    with pytest.raises(KeyError), one_core():
        assert cv2.getNumThreads() == 1
        raise KeyError
    assert cv2.getNumThreads() == before


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_colours_without_repetition_give_the_picture_back(channels: int) -> None:
    picture = np.random.default_rng(0).integers(0, 3, (7, 9, channels), dtype=np.uint8)
    colours, where = different_colours(picture)
    assert np.array_equal(colours[where], picture)
    assert len(colours) == len(np.unique(picture.reshape(-1, channels), axis=0))
