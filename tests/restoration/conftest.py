"""What the tests of clips and of tracking share."""

import pytest

from demosaic.imaging.arrays import Pixels
from drawn_clip import moving_face


@pytest.fixture(scope="session")
def frames() -> list[Pixels]:
    """A drawn person who moves before a camera. Only read them."""
    return moving_face()
