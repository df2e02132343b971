"""What a command does before its work."""

import os
from pathlib import Path

from demosaic.errors import DemosaicError


def keep_numpy_to_one_thread() -> None:
    """Give the cores to the workers or to torch, unless the user decided otherwise.

    Works only before numpy is imported.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def new_page(page: Path, force: bool) -> Path:
    """Where to write a page. Raises DemosaicError before the work when it may not be written."""
    if page.is_dir():
        raise DemosaicError(f"{page} is a folder: name the page to write with --out")
    if page.exists() and not force:
        raise DemosaicError(f"{page} is already there: --force replaces it")
    if not os.access(page.parent, os.W_OK):
        raise DemosaicError(f"cannot write {page}: choose another place with --out")
    return page
