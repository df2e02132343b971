"""Which faces teach sharpness."""

from collections.abc import Sequence
from pathlib import Path

from demosaic.dataset.reader import Pairs
from demosaic.text import counted

MOST_ENLARGED = 1.05
"""Pictures that were enlarged more are softer than a photo: a draw would learn to be as soft."""

FEWEST = 50
"""With fewer sharp faces, draws would all resemble them."""


def sharp_faces(pairs: Pairs, paths: Sequence[Path]) -> tuple[Sequence[Path], str]:
    """Those of the pairs that the second stage learns from, and a sentence for people: the pairs
    that were not enlarged, or all when these are fewer than `FEWEST`.
    """
    native = [path for path in paths if pairs.enlarged(path) <= MOST_ENLARGED]
    faces = f"{counted(len(native), 'face')} of {len(paths)}"
    if len(native) >= FEWEST:
        return native, f"the second stage learns from {faces}, those that were not enlarged"
    return paths, (
        f"only {faces} were not enlarged: the second stage learns from all of them, and draws "
        "will be softer; build from larger photos"
    )
