"""Edited photos, and what they keep of their originals."""

from pathlib import Path

import cv2
import numpy as np

from demosaic.imaging.arrays import Levels
from demosaic.imaging.decoding import read_image
from demosaic.imaging.edited_copy import write_pixelated


def deep_picture(path: Path, channels: int) -> Levels:
    """Write a 16-bit picture of noise (20, 30, `channels`) by no code of ours."""
    levels = np.random.default_rng(7).integers(0, 65536, (20, 30, channels), dtype=np.uint16)
    assert cv2.imwrite(str(path), levels if channels == 1 else levels[..., [2, 1, 0, 3][:channels]])
    return levels


def test_a_pixelated_photo_keeps_nothing_of_its_lower_eight_bits(tmp_path: Path) -> None:
    deep_picture(tmp_path / "a.png", 3)
    image = read_image(tmp_path / "a.png")
    write_pixelated(tmp_path / "b.png", image, like=tmp_path / "a.png")
    assert (tmp_path / "b.png").read_bytes()[24] == 8
    assert np.array_equal(read_image(tmp_path / "b.png"), image)
