"""Sheets of what was kept and what was refused."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from demosaic.dataset.records import Skipped
from demosaic.dataset.writer import PairWriter
from demosaic.errors import DemosaicError
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import write_jpeg
from demosaic.imaging.geometry import Box
from demosaic.imaging.sheets import contact_sheet, thumbnail, titled

_SHEET_PAIRS, _SHEET_COLUMNS, _REFUSED_COLUMNS, _SHEET_SIDE = 60, 5, 10, 128


# Sheets to look at


def draw_sheets(writer: PairWriter, photos: Path) -> None:
    """preview.jpg: a sample of the pairs; skipped.jpg: a few of what was refused, a row a
    reason.
    """
    draw_preview(writer)
    rows = []
    for reason, count in writer.reasons().items():
        refused = _refused(writer.examples(reason), photos)
        if refused:
            row = contact_sheet(refused, _REFUSED_COLUMNS, _SHEET_SIDE)
            rows.append(titled(row, f"{reason}: {count}"))
    if rows:
        write_jpeg(writer.folder / "skipped.jpg", np.vstack(rows))
    else:
        (writer.folder / "skipped.jpg").unlink(missing_ok=True)


def draw_preview(writer: PairWriter) -> None:
    """preview.jpg anew: a sample of the pairs; none when there are none."""
    sheet = writer.folder / "preview.jpg"
    shown = sorted(writer.pairs(), key=lambda pair: pair.id)[:_SHEET_PAIRS]
    pictures = [read_image(writer.folder / pair.split / f"{pair.id}.png") for pair in shown]
    if pictures:
        write_jpeg(sheet, contact_sheet(pictures, _SHEET_COLUMNS, _SHEET_SIDE))
    else:
        sheet.unlink(missing_ok=True)


def _refused(examples: Sequence[Skipped], photos: Path) -> list[Pixels]:
    """A row of pictures of what was refused, filled up with white; none when none can be shown."""
    shown: list[Pixels] = []
    for skipped in examples[:_REFUSED_COLUMNS]:
        try:
            image = read_image(photos / skipped.photo)
        except DemosaicError:
            continue
        shown.append(thumbnail(image, _SHEET_SIDE, Box(*skipped.box) if skipped.box else None))
    blank = np.full((_SHEET_SIDE, _SHEET_SIDE, 3), 255, np.uint8)
    return shown + [blank] * (_REFUSED_COLUMNS - len(shown)) if shown else []
