"""Which faces teach sharpness."""

from collections.abc import Sequence
from pathlib import Path

from demosaic.dataset.reader import Pairs
from demosaic.dataset.records import MOST_ENLARGED
from demosaic.text import counted

FEWEST = 50
"""With fewer sharp faces, draws would all resemble them."""


def sharp_faces(pairs: Pairs, paths: Sequence[Path]) -> tuple[Sequence[Path], str]:
    """Those of the pairs that the second stage learns from, and a sentence for people: the pairs
    that were not enlarged, or all when these are fewer than `FEWEST`. Soft faces would teach draws
    to be as soft.
    """
    native = pairs.enlarged_at_most(paths, MOST_ENLARGED)
    faces = f"{counted(len(native), 'face')} of {len(paths)}"
    if len(native) >= FEWEST:
        return native, f"the second stage learns from {faces}, those that were not enlarged"
    return paths, (
        f"only {faces} were not enlarged: the second stage learns from all of them, and draws "
        "will be softer; build from larger photos"
    )
