"""The pieces of examples/quickstart.py; `make quickstart` runs the whole."""

from pathlib import Path

import numpy as np

import quickstart
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import encode_png
from demosaic.imaging.geometry import Box, crop, paste
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours, paint_cells


def test_the_face_in_the_portrait_is_pixelated_and_nothing_else(tmp_path: Path) -> None:
    photo, box = quickstart.pixelate_portrait(tmp_path)
    for block in quickstart.BLOCKS:
        hidden = read_image(tmp_path / "portraits" / f"{block}.png")
        grid = Grid.square(block)
        assert (box.width % block, box.height % block) == (0, 0)
        flat = paint_cells(cell_colours(crop(photo, box), grid), grid, (box.height, box.width))
        assert np.array_equal(crop(hidden, box), flat)
        assert np.array_equal(paste(hidden, crop(photo, box), box), photo)


def test_the_rows_show_every_held_out_face(tmp_path: Path) -> None:
    side = quickstart.SIDE
    for folder in ("pairs/val", "drawn"):
        (tmp_path / folder).mkdir(parents=True)
    for number in range(3):
        pair = np.full((side, 2 * side, 3), 40 * number, np.uint8)
        (tmp_path / f"pairs/val/{number}.png").write_bytes(encode_png(pair))
        restored = tmp_path / f"drawn/{number}.restored.png"
        restored.write_bytes(encode_png(pair[:, :side]))
    faces = quickstart.cut_held_out_faces(tmp_path)
    rows = quickstart.drawn_rows(tmp_path, faces)
    assert [path.name for path in faces] == ["0.png", "1.png", "2.png"]
    assert [row.shape for row in rows] == [(side, 3 * side, 3)] * 3
    for number, row in enumerate(rows):
        assert np.array_equal(row, np.full((side, 3 * side, 3), 40 * number, np.uint8))


def test_a_row_of_the_portrait_ends_with_the_original(tmp_path: Path) -> None:
    side = quickstart.SIDE
    portrait, box = quickstart.pixelate_portrait(tmp_path)
    for folder, suffix in (("means", ".restored"), ("restored", ".restored-1")):
        (tmp_path / folder).mkdir()
        for block in quickstart.BLOCKS:
            (tmp_path / folder / f"{block}{suffix}.png").write_bytes(encode_png(portrait))
            black = encode_png(np.zeros_like(portrait))
            (tmp_path / folder / f"{block}.spread.png").write_bytes(black)
    rows = quickstart.portrait_rows(tmp_path, portrait, box)
    assert [row.shape for row in rows] == [(side, 5 * side, 3)] * 3
    for row in rows:
        mosaic, mean, draw, spread, original = np.hsplit(row, 5)
        assert np.array_equal(mean, original) and np.array_equal(draw, original)
        assert not np.array_equal(mosaic, original) and not spread.any()


def test_the_portrait_is_shown_with_what_is_around_the_mosaic(tmp_path: Path) -> None:
    portrait, box = quickstart.pixelate_portrait(tmp_path)
    around = quickstart.with_surroundings(box, portrait)
    assert (around.width, around.height) == (360, 360)
    assert box.within(around) and around.within(Box.whole(portrait))
