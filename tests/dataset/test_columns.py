"""Many pairs in little memory."""

from pathlib import Path

import numpy as np
import pytest

from demosaic.dataset.columns import Enlarged, Facts, Grids, Pictures
from demosaic.mosaic.grid import Grid

ONE, TWO, THREE = "0" * 15 + "1", "2" * 16, "f" * 16

FACTS = Facts.of(
    iter(
        [
            (int(THREE, 16), (8, 9), (1, 2), True, 0.5),
            (int(ONE, 16), (4, 4), (0, 0), False, 2.0),
            (int(THREE, 16), (6, 7), (3, 5), True, 1.04),
        ]
    )
)


def test_pictures_are_a_sequence_of_paths(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path, np.array([int(THREE, 16), int(ONE, 16)], np.uint64))
    paths = [tmp_path / f"{THREE}.png", tmp_path / f"{ONE}.png"]
    assert [*pictures] == paths
    assert [*pictures[1:]] == paths[1:]
    assert (pictures[-1], len(pictures), paths[0] in pictures) == (paths[1], 2, True)
    with pytest.raises(IndexError):
        pictures[2]


def test_the_last_line_of_a_pair_counts() -> None:
    assert dict(Grids(FACTS)) == {THREE: Grid(6, 7, 3, 5)}
    assert dict(Enlarged(FACTS)) == {ONE: 2.0, THREE: 1.04}


@pytest.mark.parametrize("id", [TWO, "", "g" * 16, ONE.upper() + "0", "holiday"])
def test_of_another_picture_nothing_is_known(id: str) -> None:
    assert (Grids(FACTS).get(id), Enlarged(FACTS).get(id, 1.0)) == (None, 1.0)
    assert Grids(FACTS).get(ONE) is None


def test_pictures_are_chosen_by_how_much_they_were_enlarged(tmp_path: Path) -> None:
    ids = np.array([int(one, 16) for one in (TWO, ONE, THREE)], np.uint64)
    chosen = Enlarged(FACTS).at_most(Pictures(tmp_path, ids), 1.05)
    assert [path.stem for path in chosen] == [TWO, THREE]
