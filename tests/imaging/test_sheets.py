"""Contact sheets."""

import numpy as np

from demosaic.imaging.sheets import contact_sheet, headed


def test_a_contact_sheet_has_every_picture_in_rows() -> None:
    colours = [np.full((32, 64, 3), 10 * n, np.uint8) for n in range(1, 6)]
    sheet = contact_sheet(colours, 2, 16)
    assert sheet.shape == (3 * (16 + 2) + 2, 2 * (32 + 2) + 2, 3)
    centres = [sheet[2 + 18 * (n // 2) + 8, 2 + 34 * (n % 2) + 16, 0] for n in range(5)]
    assert centres == [10, 20, 30, 40, 50]
    assert np.all(sheet[2 + 36 + 8, 2 + 34 + 16] == 255)
    assert np.all(sheet[:2] == 255) and np.all(sheet[:, :2] == 255)


def test_the_columns_of_a_sheet_have_names_above_them() -> None:
    sheet = np.full((300, 300, 3), 128, np.uint8)
    made = headed(sheet, ["one", "a name that is rather long", "three"])
    assert made.shape == (328, 300, 3)
    assert np.array_equal(made[28:], sheet)
    parts = [made[:28, start : start + 100] for start in (0, 100, 200)]
    assert all(part.min() < 128 and (part[:, -2:] == 255).all() for part in parts)
