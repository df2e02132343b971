"""The pictures of a file restored, on disk."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from demosaic.config.restoration import RestoreConfig
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.events import Listener, Notice, ignore
from demosaic.files import make_folder
from demosaic.imaging.arrays import Mask, Pixels
from demosaic.imaging.batch import numbered
from demosaic.imaging.decoding import read_mask
from demosaic.imaging.edited_copy import (
    Edit,
    comparison_beside,
    losses,
    write_comparison,
    write_edited,
)
from demosaic.imaging.encoding import write_png
from demosaic.imaging.geometry import Box
from demosaic.imaging.heat import heat_sheet
from demosaic.imaging.metadata import MADE, MADE_IN_PART, Keeping
from demosaic.imaging.original import Original, read_original
from demosaic.imaging.stored import Stored
from demosaic.models.compute import Compute
from demosaic.models.model import Model
from demosaic.restoration.events import PictureRestored, RegionRestored
from demosaic.restoration.image import Restored, restore_image

Show = Callable[[PictureRestored, Pixels, Restored], None]
"""What else to do with a picture that was restored, (H, W, 3) before, and the result."""


def restore_file(
    source: Path,
    out: Path,
    model: Model,
    config: RestoreConfig,
    compute: Compute,
    listen: Listener = ignore,
    show: Show | None = None,
) -> PictureRestored:
    """Restore the picture in a file, or all of its frames or pages, and write the results. What
    these cannot keep is said before. Raises DemosaicError that names the file.

    The network sees the colours that a viewer shows. Spread and comparison are those of the first
    picture in which a mosaic was restored; `show` gets that one, too, when all is written.
    """
    original = read_original(source)
    for loss in losses(out, original, Keeping(MADE)):
        listen(Notice(f"{source}: {loss}"))
    mask = read_mask(Path(config.mask)) if config.mask else None
    try:
        found = _restored_pages(original, model, config, compute, mask)
    except DemosaicError as error:
        raise DemosaicError(f"{source}: {error}", error.exit_code) from error
    if len(found) > 1:
        count = sum(one is not None for one in found)
        listen(Notice(f"{source}: {count} of {len(found)} pictures had a mosaic and are restored"))
    make_folder(out.parent)
    page, first = next(pair for pair in zip(original.pages, found, strict=True) if pair[1])
    assert first
    spread = _write_beside(out, page.shown, first, config)
    outs = numbered(out, config.samples)
    _write_samples(outs, original, found)
    done = PictureRestored(
        str(source),
        str(outs[0]),
        _regions_of(found),
        tuple(map(str, outs)) if len(outs) > 1 else (),
        spread,
        str(comparison_beside(out)) if config.compare else "",
    )
    if show:
        show(done, page.shown, first)
    return done


def _restored_pages(
    original: Original,
    model: Model,
    config: RestoreConfig,
    compute: Compute,
    mask: Mask | None,
) -> list[Restored | None]:
    """Each picture of a file restored; None for those without a mosaic, and for smaller ones that
    the places given do not fit. Raises DemosaicError when there is no mosaic in any.
    """
    found: list[Restored | None] = []
    size, given = original.pages[0].size, bool(config.regions or config.mask)
    reasons = []
    for page in original.pages:
        if given and page.size != size:
            found.append(None)
            continue
        try:
            found.append(restore_image(page.shown, model, config, compute, mask=mask))
        except DemosaicError as error:
            if error.exit_code != NOTHING_TO_DO:
                raise
            reasons.append(error)
            found.append(None)
    if not any(found):
        raise reasons[0]
    return found


def _write_beside(out: Path, shown: Pixels, first: Restored, config: RestoreConfig) -> str:
    """Write the spread and the comparison that the config asks for; the path of the spread, or
    nothing.
    """
    name = out.stem.removesuffix(".restored")
    if config.compare:
        write_comparison(comparison_beside(out), shown, first.picture)
    if first.spread is None:
        return ""
    spread = out.with_name(f"{name}.spread.png")
    write_png(spread, heat_sheet(shown, first.spread))
    return str(spread)


def _write_samples(
    outs: Sequence[Path], original: Original, found: Sequence[Restored | None]
) -> None:
    """Write each draw of all pictures of a file to its path."""
    pairs = [*zip(original.pages, found, strict=True)]
    keeping = Keeping(MADE if _is_all(pairs) else MADE_IN_PART)
    # The first is written last: while it is missing, the same command does all of them again
    for number, path in reversed([*enumerate(outs)]):
        pages = [page.edited(one.samples[number]) if one else page for page, one in pairs]
        write_edited(path, Edit(original, tuple(pages), keeping))


def _regions_of(found: Sequence[Restored | None]) -> tuple[RegionRestored, ...]:
    """The mosaics of all pictures of a file, with the number of their picture."""
    return tuple(
        replace(region, page=number)
        for number, one in enumerate(found)
        for region in (one.regions if one else ())
    )


def _is_all(pairs: Sequence[tuple[Stored, Restored | None]]) -> bool:
    """Whether the model made every pixel of every picture of a file."""
    return all(
        one and any(region.box == Box.whole(one.picture).corners for region in one.regions)
        for _, one in pairs
    )
