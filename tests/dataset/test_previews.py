"""Sheets show pairs and what was left out."""

from pathlib import Path

import numpy as np

from dataset_doubles import build
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import write_png


def test_the_sheets_show_pairs_and_what_was_refused(album: Path, tmp_path: Path) -> None:
    write_png(album / "wall.png", np.full((300, 200, 3), 128, np.uint8))
    build(album, tmp_path / "out")
    preview = read_image(tmp_path / "out" / "preview.jpg")
    skipped = read_image(tmp_path / "out" / "skipped.jpg")
    assert min(preview.shape[:2]) > 100
    assert min(skipped.shape[:2]) > 100
    assert np.any(np.abs(skipped.astype(int) - 128).max(axis=2) < 8)  # the grey wall
