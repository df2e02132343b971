"""Contact sheets: a sample of the pairs, and examples of what was left out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np

from demosaic.dataset.records import Pair, Skipped
from demosaic.dataset.summary import in_splits
from demosaic.errors import DemosaicError
from demosaic.imaging.arrays import Pixels, resize
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import write_jpeg
from demosaic.imaging.geometry import Box
from demosaic.imaging.sheets import contact_sheet, thumbnail, titled

_MOST_PAIRS = 60

_COLUMNS, _SKIPPED_COLUMNS = 5, 10

_MOST_REASONS = 40  # a stranger's dataset may have any number

_SIDE = 128  # px of one picture on a sheet


def draw_preview(folder: Path, pairs: Iterable[Pair]) -> None:
    """Write preview.jpg, a sample of the pairs in splits, without pictures that cannot be read;
    remove it when there are none.
    """
    shown = sorted(in_splits(pairs), key=lambda pair: pair.id)[:_MOST_PAIRS]
    pictures = [*_small(folder / pair.split / f"{pair.id}.png" for pair in shown)]
    if pictures:
        write_jpeg(folder / "preview.jpg", contact_sheet(pictures, _COLUMNS, _SIDE), private=True)
    else:
        (folder / "preview.jpg").unlink(missing_ok=True)


def _small(paths: Iterable[Path]) -> Iterator[Pixels]:
    for path in paths:
        with suppress(DemosaicError):
            yield resize(read_image(path), 2 * _SIDE, _SIDE)


def draw_skipped(
    folder: Path, skipped: Sequence[Skipped], counts: Mapping[str, int], photos: Path
) -> None:
    """Write skipped.jpg, a row of examples for each reason in `counts`; remove it when no example
    can be shown.
    """
    rows = []
    for reason, count in islice(counts.items(), _MOST_REASONS):
        examples = _examples([one for one in skipped if one.reason == reason], photos)
        if examples:
            row = contact_sheet(examples, _SKIPPED_COLUMNS, _SIDE)
            rows.append(titled(row, f"{reason}: {count}"))
    if rows:
        write_jpeg(folder / "skipped.jpg", np.vstack(rows), private=True)
    else:
        (folder / "skipped.jpg").unlink(missing_ok=True)


def _examples(skipped: Sequence[Skipped], photos: Path) -> list[Pixels]:
    """A row of pictures, filled up with white ones; empty when none of the first can be read."""
    shown: list[Pixels] = []
    for one in skipped[:_SKIPPED_COLUMNS]:
        try:
            image = read_image(photos / one.photo)
        except DemosaicError:
            continue
        shown.append(thumbnail(image, _SIDE, Box(*one.box) if one.box else None))
    blank = np.full((_SIDE, _SIDE, 3), 255, np.uint8)
    return shown + [blank] * (_SKIPPED_COLUMNS - len(shown)) if shown else []
