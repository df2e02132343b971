"""Numbers become colours that a legend explains."""

import numpy as np

from demosaic.imaging.heat import heat_map, heat_sheet
from doubles import texture


def test_more_is_lighter_from_black_to_nearly_white() -> None:
    scale = heat_map(np.linspace(0, 12, 256, dtype=np.float32)[None], 12)
    light = scale.astype(float).mean(axis=2)[0]
    assert light[0] < 3 and light[-1] > 200
    assert (np.diff(light) > -2).all()


def test_what_is_beyond_the_scale_is_its_end() -> None:
    ends = heat_map(np.array([[12, 40]], np.float32), 12)
    assert np.array_equal(ends[0, 0], ends[0, 1])


def test_outside_the_values_a_sheet_shows_the_picture_dark_and_without_colour() -> None:
    picture, values = texture(30, 200), np.zeros((30, 200), np.float32)
    values[5:20, 50:100] = 7
    sheet = heat_sheet(picture, values)
    assert sheet.shape == (70, 200, 3)
    outside = sheet[:30][values == 0]
    assert outside.max() <= 255 // 3 and (outside == outside[:, :1]).all()
    assert np.array_equal(sheet[5:20, 50:100], heat_map(values[5:20, 50:100], 10))
    assert np.array_equal(sheet[30, 0], heat_map(np.zeros((1, 1), np.float32), 10)[0, 0])


def test_a_sheet_without_any_spread_is_dark() -> None:
    sheet = heat_sheet(texture(30, 200), np.zeros((30, 200), np.float32))
    assert sheet[:30].max() <= 255 // 3
