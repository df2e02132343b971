"""Pairs as a model sees them: from a dataset of ours, or any folder of side-by-side pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demosaic.config.training import Direction
from demosaic.dataset.columns import Enlarged, Pictures
from demosaic.dataset.listing import Listing, list_dataset, list_folder
from demosaic.errors import DemosaicError
from demosaic.imaging.arrays import Pixels, resize, to_float
from demosaic.imaging.decoding import read_image
from demosaic.mosaic.grid import Grid

_TARGET_MEMORY = 2 * 2**30  # bytes, 10,000 faces of 256 px; decoding costs 4 ms each


@dataclass(frozen=True)
class Batch:
    """Some pairs as training takes them: float32 (N, 3, size, size) in [-1, 1]."""

    observed: NDArray[np.float32]
    target: NDArray[np.float32]


class Pairs:
    """Pairs to learn from; `open_pairs` makes one."""

    def __init__(self, folder: Path, direction: Direction, listing: Listing) -> None:
        """`direction`: which half of a picture is observed, and which is the target."""
        self.folder = folder
        self.direction = direction
        self.train, self.val = listing.train, listing.val
        self.size = listing.size
        """Side of the pictures that `read` gives, in pixels."""
        self.fingerprint = listing.fingerprint
        """16 hexadecimal digits; other pairs have others."""
        self.left_out = listing.left_out
        """Files that hold no picture."""
        self.grids = listing.grids if direction == "left-to-right" else {}
        """By the pair's id, the grid whose means its observed half shows. Empty when the halves are
        no mosaics of means, or are swapped.
        """
        self.held_out = ("test", listing.test) if listing.test else ("val", listing.val)
        """The name of the split to judge a model by, and its pictures: `test`, by which no model
        was chosen, or `val` when there is none.
        """
        self._enlarged = listing.enlarged
        self._targets: dict[Path, Pixels] = {}

    def grid(self, path: Path) -> Grid | None:
        """The grid whose means a pair's observed half shows; None when it shows no such mosaic."""
        return self.grids.get(path.stem)

    def enlarged(self, path: Path) -> float:
        """Side of a pair's picture as a multiple of the crop's in the photo: above 1 it is as soft
        as it was enlarged. 1 when that is not known.
        """
        return self._enlarged.get(path.stem, 1.0)

    def enlarged_at_most(self, paths: Sequence[Path], most: float) -> Sequence[Path]:
        """Those of the pictures that were enlarged by at most this factor, or of which it is not
        known.
        """
        if isinstance(paths, Pictures) and isinstance(self._enlarged, Enlarged):
            return self._enlarged.at_most(paths, most)
        return [path for path in paths if self.enlarged(path) <= most]

    def read(self, path: Path) -> tuple[Pixels, Pixels]:
        """Observed and target of one side-by-side picture: uint8 (size, size, 3) each.

        Raises DemosaicError when the picture cannot be read or has no halves.
        """
        picture = read_image(path)
        middle = picture.shape[1] // 2
        if middle < 1:
            raise DemosaicError(
                f"{path} is no side-by-side picture: it is {picture.shape[1]} px wide"
            )
        left, right = (
            resize(half, self.size, self.size)
            for half in (picture[:, :middle], picture[:, -middle:])
        )
        return (left, right) if self.direction == "left-to-right" else (right, left)

    def target(self, path: Path) -> Pixels:
        """The target alone, uint8 (size, size, 3); kept in memory while there is room."""
        kept = self._targets.get(path)
        if kept is None:
            kept = self.read(path)[1]
            if len(self._targets) * kept.nbytes < _TARGET_MEMORY:
                self._targets[path] = kept.copy()  # the half alone, not the whole it is a view of
        return kept

    def batch(self, paths: Sequence[Path]) -> Batch:
        """These pairs as training takes them."""
        observed, target = zip(*(self.read(path) for path in paths), strict=True)
        return Batch(np.stack(list(map(to_float, observed))), np.stack(list(map(to_float, target))))

    def draw(self, count: int, *, seed: int, step: int, limit: int | None) -> Batch:
        """`count` training pairs drawn with replacement, from the first `limit` if given. The same
        seed and step draw the same pairs.
        """
        pool = self.train[:limit]
        chosen = np.random.default_rng((seed, step)).integers(len(pool), size=count)
        return self.batch([pool[number] for number in chosen])


def open_pairs(folder: Path, *, direction: Direction, multiple: int) -> Pairs:
    """The pairs in a folder, for a network that takes sides that are multiples of `multiple`.

    Raises DemosaicError when the folder holds no pairs, or a dataset that is unfinished or has
    another size.
    """
    if not folder.is_dir():
        raise DemosaicError(f"{folder} is not a folder: give the one that build-dataset wrote")
    is_dataset = (folder / "dataset.json").exists()
    listing = (list_dataset if is_dataset else list_folder)(folder, multiple=multiple)
    return Pairs(folder, direction, listing)
