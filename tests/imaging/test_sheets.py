"""Contact sheets."""

import numpy as np

from demosaic.imaging.sheets import contact_sheet


def test_a_contact_sheet_has_every_picture_in_rows() -> None:
    colours = [np.full((32, 64, 3), 10 * n, np.uint8) for n in range(1, 6)]
    sheet = contact_sheet(colours, 2, 16)
    assert sheet.shape == (3 * (16 + 2) + 2, 2 * (32 + 2) + 2, 3)
    centres = [sheet[2 + 18 * (n // 2) + 8, 2 + 34 * (n % 2) + 16, 0] for n in range(5)]
    assert centres == [10, 20, 30, 40, 50]
    assert np.all(sheet[2 + 36 + 8, 2 + 34 + 16] == 255)
    assert np.all(sheet[:2] == 255) and np.all(sheet[:, :2] == 255)
