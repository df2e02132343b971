"""Boxes, and the pixels in them."""

import numpy as np
import pytest

from demosaic.imaging.geometry import Box, crop, paste
from doubles import texture


def test_a_crop_pasted_back_changes_nothing_and_pasting_copies() -> None:
    image, box = texture(20, 30), Box(4, 5, 10, 7)
    piece = crop(image, box)
    assert piece.shape == (7, 10, 3)
    assert np.array_equal(piece[0, 0], image[5, 4])
    assert np.array_equal(paste(image, piece, box), image)
    pasted = paste(image, np.zeros_like(piece), box)
    changed = np.any(pasted != image, axis=2)
    assert not changed[:5].any() and not changed[12:].any()
    assert not changed[:, :4].any() and not changed[:, 14:].any()
    assert not pasted[5:12, 4:14].any()
    assert np.array_equal(image, texture(20, 30))


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        (Box(0, 0, 30, 20), True),
        (Box(-1, 0, 5, 5), False),
        (Box(0, -1, 5, 5), False),
        (Box(26, 0, 5, 5), False),
        (Box(0, 16, 5, 5), False),
        (Box(25, 15, 5, 5), True),
    ],
)
def test_a_box_knows_whether_it_is_inside(box: Box, inside: bool) -> None:
    assert box.inside(texture(20, 30)) is inside
    assert Box.whole(texture(20, 30)) == Box(0, 0, 30, 20)
