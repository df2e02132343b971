"""A photo or a person taken out of a dataset, with every trace."""

from pathlib import Path

from demosaic.dataset.events import ForgetReport, PairMoved
from demosaic.dataset.previews import draw_preview
from demosaic.dataset.writer import PairWriter
from demosaic.events import Listener, ignore
from demosaic.faces.cache import forget_looks
from demosaic.files import writing


def forget(
    pairs: Path, name: str, *, looks: Path | None = None, listen: Listener = ignore
) -> ForgetReport:
    """Remove what a dataset holds of a photo, a folder or a person, and what is remembered of it in
    the folder `looks`; a later build leaves it out, whatever it is called then.

    Of the photos only the hashes of their contents stay. Killed at any instant, the same call goes
    on. Raises DemosaicError when there is nothing of that name.
    """
    writer = PairWriter.of(pairs)
    forgotten = writer.forget(name)
    if looks:
        forget_looks(looks, writer.forgotten)
    for sheet in ("preview.jpg", "skipped.jpg"):  # the next build draws the second one again
        with writing(pairs / sheet):
            (pairs / sheet).unlink(missing_ok=True)
    moved = writer.end_forgetting()
    for pair, before in moved:
        listen(PairMoved(pair.id, pair.photo, before, pair.split))
    draw_preview(writer)
    return ForgetReport(
        str(pairs), forgotten.photos, forgotten.pairs, forgotten.alike, moved=len(moved)
    )
