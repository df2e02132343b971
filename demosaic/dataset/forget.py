"""A photo or a person taken out of a dataset, with every trace."""

from collections.abc import Collection, Sequence
from pathlib import Path

from demosaic.dataset.events import ForgetReport, PairMoved
from demosaic.dataset.manifest import SHEETS, Manifest
from demosaic.dataset.near_duplicates import near_any
from demosaic.dataset.opened import OpenDataset, by_id, without
from demosaic.dataset.previews import draw_preview
from demosaic.dataset.records import Header, Pair, Skipped
from demosaic.dataset.regroup import Move
from demosaic.dataset.splits import person_of
from demosaic.dataset.summary import likenesses
from demosaic.errors import DemosaicError
from demosaic.events import Listener, Notice, ignore
from demosaic.faces.cache import forget_faces
from demosaic.files import writing
from demosaic.locks import written_alone
from demosaic.text import counted


def forget(
    pairs: Path, name: str, *, looks: Path | None = None, listen: Listener = ignore
) -> ForgetReport:
    """Remove what the dataset in the folder `pairs` holds of a photo, a folder or a person, and
    what the folder `looks` remembers of it. Later builds leave it out, whatever it is called then.

    Only the content hashes of the photos stay. If the process is killed, the same call continues.
    Raises DemosaicError when nothing has that name, or another process writes there.
    """
    _refuse_no_dataset(pairs)
    with written_alone(pairs, private=True):
        dataset = Eraser(pairs)
        photos = dataset.named(name)
        if not photos and not dataset.forgetting:
            raise DemosaicError(
                f"nothing in {pairs} is called {name}: give a photo or a folder as pairs.jsonl "
                "names it, or a person as --group-by names them"
            )
        hashes, removed = dataset.forget(photos)
        if looks:
            forget_faces(looks, dataset.forgotten)
        for sheet in SHEETS:  # the next build draws the second one again
            with writing(pairs / sheet):
                (pairs / sheet).unlink(missing_ok=True)
        alike = _near_duplicates(list(dataset.pairs.values()), removed)
        moved = dataset.finish()
        lost = dataset.lost_pictures()
        if lost:
            listen(
                Notice(
                    f"the pictures of {counted(lost, 'pair')} are missing or damaged: "
                    "build-dataset makes them again"
                )
            )
        for move in moved:
            listen(PairMoved(move.pair.id, move.pair.photo, move.before, move.pair.split))
        draw_preview(pairs, dataset.pairs.values())
        return ForgetReport(str(pairs), len(hashes), len(removed), alike, moved=len(moved))


class Eraser(OpenDataset):
    """An open dataset that photos are taken out of."""

    def __init__(self, folder: Path) -> None:
        """Raises DemosaicError when the folder holds no dataset."""
        manifest = Manifest(folder)
        header = _known_header(manifest)
        super().__init__(manifest, manifest.config(header), header)

    def named(self, name: str) -> set[str]:
        """The photos that are called `name`, lie in the folder `name` or show the person `name`."""
        name, by = name.strip("/"), self.config.group_by
        return {
            photo
            for photo in self.contents
            if photo == name or photo.startswith(f"{name}/") or person_of(photo, by) == name
        }

    def forget(self, photos: Collection[str]) -> tuple[set[str], list[Pair]]:
        """Drop these photos and their copies, which no later build lets in again; the content
        hashes and the pairs that were dropped.

        The hashes are on disk first; `finish` removes the rest.
        """
        lines: tuple[Pair | Skipped, ...] = (*self.pairs.values(), *self.skipped)
        hashes = {line.sha256 for line in lines if line.photo in photos}
        removed = [pair for pair in self.pairs.values() if pair.sha256 in hashes]
        self.forgotten |= hashes - {""}  # the hash of a photo that cannot be read
        self._manifest.write_forgotten(self.forgotten)
        if self._state != "building":
            self._enter("forgetting")
        self.pairs = by_id(without(self.forgotten, self.pairs.values()))
        rest = without(self.forgotten, self.skipped)
        self.skipped = [one for one in rest if one.photo not in photos]
        return hashes, removed

    def lost_pictures(self) -> int:
        """How many pairs have a picture that is missing or cut short."""
        return len(self._manifest.without_picture(self.pairs.values()))

    def finish(self) -> tuple[Move, ...]:
        """Write everything anew without what was forgotten; the pairs that changed splits. An
        unfinished build stays one.
        """
        if self._state == "forgetting":
            return self.settle(self.contents).moved
        self._manifest.write(self.pairs.values(), self.skipped)
        self._manifest.remove_orphans(self.pairs)
        return ()


def _refuse_no_dataset(folder: Path) -> None:
    """Raise DemosaicError when the folder holds no dataset."""
    _known_header(Manifest(folder))


def _known_header(manifest: Manifest) -> Header:
    header = manifest.header()
    if header is None:
        raise DemosaicError(
            f"{manifest.folder} holds no dataset: give the folder that build-dataset wrote"
        )
    return header


def _near_duplicates(pairs: Sequence[Pair], removed: Sequence[Pair]) -> tuple[str, ...]:
    """The photos of pairs that are near duplicates of removed ones, sorted."""
    near = near_any(likenesses(pairs), likenesses(removed))
    return tuple(sorted({pairs[number].photo for number in near}))
