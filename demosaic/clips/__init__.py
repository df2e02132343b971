"""Clips: frames read, edited in their own planes and written; all else copied as it is."""

from pathlib import Path

from demosaic.errors import DemosaicError, how_to_install


def without_pyav(source: Path) -> DemosaicError:
    """What is said where a clip is given and PyAV, which is an extra, is missing."""
    return DemosaicError(
        f"{source}: a clip needs PyAV (Python 3.11 or later): {how_to_install('video')}"
    )
