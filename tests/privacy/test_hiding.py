"""Faces hidden for an audit, and how those of a published picture are hidden."""

from pathlib import Path

import numpy as np
import pytest

import people
from demosaic.config.privacy import PixelateConfig
from demosaic.config.rules import LEAST_SCORE
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.events import Event, Notice
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours, pixelated
from demosaic.privacy.events import Hiding
from demosaic.privacy.hiding import grid_of, hidden, seen, share_of
from demosaic.privacy.pixelate import pixelate
from demosaic.privacy.published import hiding_in
from doubles import save, texture

FACE = texture(256, 256)


def test_a_mosaic_is_published_in_cells_and_seen_smooth_with_the_same_means() -> None:
    hiding = Hiding("mosaic", share_of(16), "box")
    assert grid_of(FACE, hiding) == Grid.square(16)
    assert np.array_equal(hidden(FACE, hiding), pixelated(FACE, Grid.square(16)))
    smooth = seen(FACE, hiding)
    assert not np.array_equal(smooth, hidden(FACE, hiding))
    means = (cell_colours(one, Grid.square(16)) for one in (smooth, FACE))
    assert np.abs(np.subtract(*means)).mean() < 1


def test_black_leaves_nothing_and_an_ellipse_leaves_the_corners_of_the_box() -> None:
    assert not hidden(FACE, Hiding("solid", None, "box")).any()
    left = hidden(FACE, Hiding("solid", None, "ellipse")).any(2)
    side = round(256 * PixelateConfig.margin / 1.7)
    rows = np.flatnonzero(left.any(1))
    assert abs(rows[-1] - rows[0] + 1 - side) <= 2
    assert left.mean() == pytest.approx((1 - np.pi / 4) * (side / 256) ** 2, abs=0.005)
    assert not left[128].any()


def test_blur_is_seen_as_it_is() -> None:
    hiding = Hiding("blur", share_of(32), "box")
    assert np.array_equal(seen(FACE, hiding), hidden(FACE, hiding))
    assert hidden(FACE, hiding).std() < 0.1 * FACE.std()


@pytest.mark.parametrize("shape", ["box", "ellipse"])
def test_the_cells_of_a_published_picture_are_counted_across_its_face(
    tmp_path: Path, shape: str
) -> None:
    photo = people.photo(0, 0, 0).image
    config = PixelateConfig(block=1 / 12, shape=shape)  # type: ignore[arg-type]
    picture = save(tmp_path / "a.png", pixelate(photo, config).picture)
    heard: list[Event] = []
    found = hiding_in(picture, ShortRangeDetector(LEAST_SCORE), heard.append)
    assert (found.style, found.shape) == ("mosaic", shape)
    assert found.cells == pytest.approx(12, rel=0.15)
    (notice,) = heard
    assert isinstance(notice, Notice) and f"{found.cells:.3g} across the face" in notice.text


def test_a_picture_without_a_mosaic_is_refused_with_the_way_out(tmp_path: Path) -> None:
    picture = save(tmp_path / "a.png", texture(64, 64))
    with pytest.raises(DemosaicError, match="no mosaic found; give the cells with --block") as one:
        hiding_in(picture, ShortRangeDetector(LEAST_SCORE))
    assert one.value.exit_code == NOTHING_TO_DO
