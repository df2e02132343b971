"""Sharpness is learnt from faces that were not enlarged."""

from pathlib import Path

import pytest

from demosaic.dataset.listing import Listing
from demosaic.dataset.reader import Pairs
from demosaic.training.sharp_faces import FEWEST, sharp_faces

PATHS = [Path(f"{number}.png") for number in range(100)]


def pairs(sharp: int, *, soft: float = 1.06) -> Pairs:
    """A hundred pairs; the faces of the first `sharp` were reduced, or hardly enlarged."""
    enlarged = {path.stem: soft for path in PATHS[sharp:]}
    enlarged |= {path.stem: (0.4, 1.0, 1.05)[n % 3] for n, path in enumerate(PATHS[:sharp])}
    listing = Listing(PATHS, PATHS, [], size=64, fingerprint="f", enlarged=enlarged)
    return Pairs(Path(), "left-to-right", listing)


@pytest.mark.parametrize("sharp", [FEWEST, 99, 100])
def test_faces_that_were_enlarged_are_left_out(sharp: int) -> None:
    said = f"the second stage learns from {sharp} faces of 100, those that were not enlarged"
    assert sharp_faces(pairs(sharp), PATHS) == (PATHS[:sharp], said)


@pytest.mark.parametrize("sharp", [0, FEWEST - 1])
def test_too_few_sharp_faces_are_said_and_all_are_used(sharp: int) -> None:
    found, said = sharp_faces(pairs(sharp), PATHS)
    assert found == PATHS
    assert said.startswith(f"only {sharp} faces of 100 were not enlarged: ")


def test_faces_of_which_nothing_is_known_are_taken_to_be_sharp() -> None:
    unknown = Pairs(Path(), "left-to-right", Listing(PATHS, PATHS, [], size=64, fingerprint="f"))
    assert sharp_faces(unknown, PATHS)[0] == PATHS
