"""One server for all tests of the page."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from doubles import drawing_model

if TYPE_CHECKING:
    from served import Served


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Served]":
    """The page with a model that draws, and no album."""
    pytest.importorskip("uvicorn", reason="the extra [app] is not installed")
    from served import serving

    with serving(tmp_path_factory.mktemp("uploads"), drawing_model()) as one:
        yield one
