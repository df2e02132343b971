"""The pieces of examples/quickstart.py; `make quickstart` runs the whole."""

from pathlib import Path

import numpy as np

import quickstart
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import encode_png
from demosaic.imaging.geometry import crop, paste
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours, paint_cells


def test_hoppers_face_is_pixelated_and_nothing_else(tmp_path: Path) -> None:
    photo, box = quickstart.pixelate_hopper(tmp_path)
    hidden = read_image(tmp_path / "hopper.png")
    grid = Grid.square(quickstart.BLOCK)
    flat = paint_cells(cell_colours(crop(photo, box), grid), grid, (box.height, box.width))
    assert np.array_equal(crop(hidden, box), flat)
    assert np.array_equal(paste(hidden, crop(photo, box), box), photo)


def test_the_last_picture_shows_every_held_out_face_and_the_photograph(tmp_path: Path) -> None:
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
    sheet = quickstart.before_and_after(tmp_path, faces, portrait, box)
    assert [path.name for path in faces] == ["0.png", "1.png", "2.png"]
    assert sheet.shape[0] >= 2 * side and sheet.shape[1] >= 6 * side
