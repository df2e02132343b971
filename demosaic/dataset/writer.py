"""A dataset that photos are added to."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from demosaic.config.dataset import BuildConfig
from demosaic.config.rules import differences
from demosaic.dataset.manifest import Manifest
from demosaic.dataset.opened import OpenDataset, Settled, by_id, contents
from demosaic.dataset.records import COPY, SPARE, Header, Pair, Skipped
from demosaic.errors import DemosaicError
from demosaic.files import make_folder


@dataclass(frozen=True)
class Removed:
    """What a build found missing from the photo folder."""

    photos: tuple[str, ...]
    """Photos of earlier builds that are no longer there."""
    pairs: int
    """Pairs removed with them; 0 unless the build prunes."""
    lost: int
    """Pairs removed because their pictures are missing and could not be made again."""


class PairWriter(OpenDataset):
    """An open dataset that photos are added to, one after the other."""

    def __init__(self, folder: Path, config: BuildConfig) -> None:
        """Open a new dataset, or one that was built with the same config, finished or not.

        Raises DemosaicError when the folder holds something else, or a dataset of another config.
        """
        manifest = Manifest(folder)
        header = _header_to_continue(manifest, config)
        if header is None:
            make_folder(folder, private=True)
            manifest.clear()
            manifest.describe(config, "building", {})  # first, so that a kill leaves a dataset
        super().__init__(manifest, config, header)
        self._before = frozenset(self.pairs)
        if self._state == "building":
            self._redo_last_photo()
        self._lost = {pair.id for pair in manifest.without_picture(self.pairs.values())}
        again = {self.pairs[one].photo for one in self._lost}
        self._done = {photo: sha for photo, sha in self.contents.items() if photo not in again}
        self.made_again = 0
        """Pairs whose pictures were missing or cut short, and are there again."""

    def _redo_last_photo(self) -> None:
        """Drop the lines of the last photo of an unfinished build, which a kill may have cut short
        between two of its faces. Photos are written one after the other.
        """
        pairs = list(self.pairs.values())
        last = {lines[-1].photo for lines in (pairs, self.skipped) if lines}
        self.pairs = by_id(pair for pair in pairs if pair.photo not in last)
        self.skipped = [one for one in self.skipped if one.photo not in last]
        self._manifest.write(self.pairs.values(), self.skipped)

    def recorded(self, photo: str) -> str | None:
        """The content hash with which a photo was already worked through; None for a new one."""
        return self._done.get(photo)

    def copies_without_original(self, seen: Mapping[str, str]) -> list[str]:
        """Those photos in `seen` that were skipped as copies of a photo that has changed since, or
        is gone.
        """
        owned = {one.sha256 for one in self.pairs.values() if seen.get(one.photo) == one.sha256}
        return [
            copy.photo
            for copy in self.skipped
            if copy.reason == COPY
            and copy.sha256 not in owned
            and seen.get(copy.photo) == copy.sha256
        ]

    def add(self, pair: Pair, picture: bytes) -> None:
        """Add a pair and its PNG file. A new pair is `spare` until `finish`; a known one, as of a
        renamed photo, keeps its split.
        """
        self._enter("building")
        known = self.pairs.pop(pair.id, None)  # the new line comes last
        self.made_again += pair.id in self._lost
        self._lost.discard(pair.id)
        pair = replace(pair, split=known.split if known else SPARE)
        self._manifest.add_pair(pair, picture)
        self.pairs[pair.id] = pair

    def skip(self, skipped: Skipped) -> None:
        """Record a photo or face that gave no pair."""
        self._enter("building")
        self._manifest.add_skipped(skipped)
        self.skipped.append(skipped)

    def remove_outdated(self, seen: Mapping[str, str], *, prune: bool) -> Removed:
        """Drop, in memory, what earlier versions of changed photos gave, pairs without a picture
        and, to `prune`, what photos gave that are gone.

        `seen` is the content hash of each photo of this build; empty for what cannot be read.
        """
        pairs, skipped = _up_to_date(list(self.pairs.values()), self.skipped, seen)
        gone = _gone(contents(pairs, skipped), seen)
        removed = gone if prune else frozenset()
        kept = by_id(pair for pair in pairs if pair.photo not in removed)
        self.pairs = {one: pair for one, pair in kept.items() if one not in self._lost}
        self.skipped = [one for one in skipped if one.photo not in removed]
        lost = len(kept) - len(self.pairs)
        return Removed(tuple(sorted(gone)), len(pairs) - len(kept), lost)

    def added(self) -> int:
        """How many pairs are in a split that were not there when this writer began."""
        new = (pair for pair in self.pairs.values() if pair.id not in self._before)
        return sum(pair.split != SPARE for pair in new)

    def finish(self, seen: Mapping[str, str], *, detector: str, ignored: int) -> Settled:
        """End a build: as `settle`, with the detector's name and the number of files that are no
        photos in dataset.json.
        """
        self._facts = {"detector": detector, "ignored": ignored}
        return self.settle(seen)


@dataclass(frozen=True)
class EarlierBuild:
    """What an earlier build left in a folder."""

    done: Mapping[str, str]
    """The content hash of each photo that was worked through."""
    pairs: Sequence[Pair]
    forgotten: Collection[str]
    """The content hashes of photos that must never come back."""


def earlier_build(folder: Path, config: BuildConfig) -> EarlierBuild:
    """What a build with this config would find in a folder; nothing is written.

    Raises DemosaicError when such a build would be refused.
    """
    manifest = Manifest(folder)
    known = _header_to_continue(manifest, config) is not None
    pairs, skipped = (manifest.pairs(), manifest.skipped()) if known else ([], [])
    return EarlierBuild(contents(pairs, skipped), pairs, manifest.forgotten())


def refuse_other_folder(folder: Path, config: BuildConfig) -> None:
    """Raise DemosaicError when a build with this config may not write to the folder."""
    _header_to_continue(Manifest(folder), config)


def _header_to_continue(manifest: Manifest, config: BuildConfig) -> Header | None:
    """The header of the dataset that a build with this config continues; None when it begins a new
    one. Raises DemosaicError when the folder holds something else, or pairs of another config.
    """
    folder, header = manifest.folder, manifest.header()
    if header is None:
        if folder.exists() and not _is_empty(folder):
            raise DemosaicError(
                f"{folder} is not empty and not a demosaic dataset: choose another folder"
            )
        return None
    changed = differences(dict(header.config), config)
    if changed and not manifest.pairs():
        return None  # no photo gave a pair: other options are the way out
    manifest.config(header)
    if changed:
        raise DemosaicError(
            f"{folder} was built with other options ({'; '.join(changed)}): "
            "give the same ones, or another folder"
        )
    return header


def _is_empty(path: Path) -> bool:
    """Whether a folder holds nothing but names that begin with a dot."""
    return path.is_dir() and all(inside.name.startswith(".") for inside in path.iterdir())


def _up_to_date(
    pairs: Iterable[Pair], skipped: Iterable[Skipped], seen: Mapping[str, str]
) -> tuple[list[Pair], list[Skipped]]:
    """The lines without those of earlier contents of a photo, and without the copies that have
    pairs of their own by now.
    """

    def is_current(line: Pair | Skipped) -> bool:
        return (seen.get(line.photo) or line.sha256) == line.sha256

    current = [pair for pair in pairs if is_current(pair)]
    owners = {pair.photo for pair in current}
    return current, [
        one
        for one in skipped
        if is_current(one) and not (one.reason == COPY and one.photo in owners)
    ]


def _gone(photos: Iterable[str], seen: Mapping[str, str]) -> frozenset[str]:
    """The photos that are not there any more. What lies in a folder that cannot be read may be."""
    unreadable = {name for name, sha256 in seen.items() if not sha256}
    return frozenset(
        photo for photo in photos if photo not in seen and not lies_in_any(photo, unreadable)
    )


def lies_in_any(photo: str, folders: Collection[str]) -> bool:
    """Whether a photo lies in one of these folders, or deeper."""
    return any(str(folder) in folders for folder in PurePosixPath(photo).parents)
