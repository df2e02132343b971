"""The pieces of examples/quickstart.py; `make quickstart` runs the whole."""

from pathlib import Path

import numpy as np

import quickstart
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import encode_png
from demosaic.imaging.geometry import Box, crop, paste
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours, paint_cells


def test_hoppers_face_is_pixelated_and_nothing_else(tmp_path: Path) -> None:
    photo, box = quickstart.pixelate_hopper(tmp_path)
    hidden = read_image(tmp_path / "hopper.png")
    grid = Grid.square(quickstart.BLOCK)
    flat = paint_cells(cell_colours(crop(photo, box), grid), grid, (box.height, box.width))
    assert np.array_equal(crop(hidden, box), flat)
    assert np.array_equal(paste(hidden, crop(photo, box), box), photo)


def test_the_rows_show_every_held_out_face_and_the_photograph(tmp_path: Path) -> None:
    side = quickstart.SIDE
    for folder in ("pairs/val", "restored"):
        (tmp_path / folder).mkdir(parents=True)
    for number in range(3):
        pair = np.full((side, 2 * side, 3), 40 * number, np.uint8)
        (tmp_path / f"pairs/val/{number}.png").write_bytes(encode_png(pair))
        restored = tmp_path / f"restored/{number}.restored.png"
        restored.write_bytes(encode_png(pair[:, :side]))
    faces = quickstart.cut_held_out_faces(tmp_path)
    portrait, box = quickstart.pixelate_hopper(tmp_path)
    (tmp_path / "hopper.restored.png").write_bytes(encode_png(portrait))
    rows = quickstart.before_and_after(tmp_path, faces, portrait, box)
    assert [path.name for path in faces] == ["0.png", "1.png", "2.png"]
    assert [row.shape for row in rows] == [(side, 3 * side, 3)] * 4
    for number, row in enumerate(rows[:3]):
        assert np.array_equal(row, np.full((side, 3 * side, 3), 40 * number, np.uint8))
    before, after, photo = np.hsplit(rows[3], 3)
    assert np.array_equal(after, photo) and not np.array_equal(before, photo)


def test_the_photograph_is_shown_with_what_is_around_the_mosaic(tmp_path: Path) -> None:
    portrait, box = quickstart.pixelate_hopper(tmp_path)
    around = quickstart.with_surroundings(box, portrait)
    assert (around.width, around.height) == (480, 480)
    assert box.within(around) and around.within(Box.whole(portrait))
