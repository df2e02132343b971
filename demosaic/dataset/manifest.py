"""The files of a dataset folder.

pairs/
  dataset.json   format, options, detector, counts, fingerprint
  pairs.jsonl    one line per pair
  skipped.jsonl  one line per photo or face that gave no pair
  forgotten.jsonl  content hashes of photos that must never come back
  train/<id>.png val/<id>.png test/<id>.png   observed on the left, target on the right
  spare/<id>.png   pairs beyond --max-per-group
"""

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from demosaic import __version__
from demosaic.config.dataset import BuildConfig
from demosaic.dataset.records import (
    FORMAT,
    SPARE,
    SPLITS,
    ForgottenPhoto,
    Header,
    Pair,
    Skipped,
    State,
)
from demosaic.errors import DemosaicError
from demosaic.files import (
    append_lines,
    drop_torn_line,
    hashed,
    make_folder,
    read_json,
    refuse_links_out,
    write_bytes,
    write_json,
    write_lines,
    writing,
)
from demosaic.records import read, read_all

_FOLDERS = (*SPLITS, SPARE)

_FILES = ("dataset.json", "pairs.jsonl", "skipped.jsonl", "forgotten.jsonl")

SHEETS = ("preview.jpg", "skipped.jpg")
"""Pictures of a dataset for people."""

_PICTURE = re.compile(r"[0-9a-f]{16}\.png")

_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"  # PNG 1.2, 3.1 and 4.1.4

_LITTER = re.compile(rf"\.({_PICTURE.pattern})\.part")  # a picture that a kill left half-written

_ADVICE = "build again, into another folder"


def refuse_links(folder: Path) -> None:
    """Raise DemosaicError where a file or folder of a dataset is a link that leads out of it."""
    refuse_links_out(folder, (*_FILES, *_FOLDERS))


def pictures_in(folder: Path, split: str) -> Iterator[str]:
    """The file names of the pictures of pairs in a split of a dataset folder; others are none.

    Raises DemosaicError for a picture that is a link, as only a stranger would make one.
    """
    home = folder / split
    if not home.is_dir():
        return
    with os.scandir(home) as entries:
        for entry in entries:
            if not _PICTURE.fullmatch(entry.name):
                continue
            if entry.is_symlink():
                raise DemosaicError(
                    f"{home / entry.name} is a link: put the picture that it leads to in its place"
                )
            yield entry.name


def _is_whole(path: Path) -> bool:
    """Whether a file begins and ends as a PNG file does; bits flipped between are not seen."""
    with path.open("rb") as file:
        start = file.read(len(_PNG_START))
        file.seek(max(0, path.stat().st_size - len(_PNG_END)))
        return start == _PNG_START and file.read() == _PNG_END


def _named(folder: Path, form: re.Pattern[str]) -> Iterator[Path]:
    """What has a name of this form in a folder, which may be missing."""
    inside = folder.iterdir() if folder.is_dir() else ()
    return (path for path in inside if form.fullmatch(path.name))


class Manifest:
    """What a dataset folder holds. Every write is whole or not at all, or adds one line; what is
    new can be read by its owner only.
    """

    def __init__(self, folder: Path) -> None:
        """Raises DemosaicError when something in the folder is a link that leads out of it."""
        refuse_links(folder)
        self.folder = folder
        self._described, self._pairs, self._skipped, self._forgotten = map(folder.joinpath, _FILES)

    # Reading

    def header(self) -> Header | None:
        """What dataset.json says; None when there is none.

        Raises DemosaicError when it is damaged or another version of demosaic wrote it.
        """
        if not self._described.exists():
            return None
        record = read_json(self._described)
        header = read(Header, record, str(self._described), advice=_ADVICE, others=True)
        if header.format != FORMAT:
            raise DemosaicError(
                f"{self._described} is from another version of demosaic "
                f"(format {header.format} instead of {FORMAT}): {_ADVICE}"
            )
        return header

    def config(self, header: Header) -> BuildConfig:
        """The options in dataset.json. Raises DemosaicError when another version had others."""
        where = f"config in {self._described}"
        return read(BuildConfig, header.config, where, advice=_ADVICE, complete=True)

    def pairs(self) -> list[Pair]:
        """The lines of pairs.jsonl. Raises DemosaicError when one is no pair."""
        return read_all(Pair, self._pairs, advice=_ADVICE)

    def skipped(self) -> list[Skipped]:
        """The lines of skipped.jsonl. Raises DemosaicError when one is something else."""
        return read_all(Skipped, self._skipped, advice=_ADVICE)

    def forgotten(self) -> set[str]:
        """The content hashes of the photos that must never come back."""
        return {line.sha256 for line in read_all(ForgottenPhoto, self._forgotten, advice=_ADVICE)}

    def fingerprint(self, rules: str) -> str:
        """16 hexadecimal digits, made from the lines of pairs and of what was skipped, as they are
        on disk, and from a text.
        """
        digest = hashlib.sha256(rules.encode())
        for path in (self._pairs, self._skipped):
            digest.update(hashed(path) if path.exists() else b"")
        return digest.hexdigest()[:16]

    def without_picture(self, pairs: Iterable[Pair]) -> list[Pair]:
        """Those pairs whose PNG file is missing or cut short, in whatever split it is."""
        whole = {path.stem for path in self.pictures() if _is_whole(path)}
        return [pair for pair in pairs if pair.id not in whole]

    # Writing

    def prepare(self) -> None:
        """Make the folders, and cut off lines that a kill tore."""
        for name in _FOLDERS:
            make_folder(self.folder / name, private=True)
        for path in (self._pairs, self._skipped, self._forgotten):
            drop_torn_line(path)

    def clear(self) -> None:
        """Remove the lines of pairs and of what was skipped."""
        self._pairs.unlink(missing_ok=True)
        self._skipped.unlink(missing_ok=True)

    def describe(self, config: BuildConfig, state: State, facts: Mapping[str, Any]) -> None:
        """Write dataset.json."""
        head = {"format": FORMAT, "demosaic": __version__, "config": asdict(config)}
        write_json(self._described, {**head, "state": state, **facts}, private=True)

    def add_pair(self, pair: Pair, picture: bytes) -> None:
        """Write the PNG file of a pair, then its line."""
        write_bytes(self._picture(pair), picture, private=True)
        append_lines(self._pairs, [vars(pair)], private=True)

    def add_skipped(self, skipped: Skipped) -> None:
        """Write a line of skipped.jsonl."""
        append_lines(self._skipped, [vars(skipped)], private=True)

    def write(self, pairs: Iterable[Pair], skipped: Iterable[Skipped]) -> None:
        """Write all lines of pairs.jsonl and skipped.jsonl anew."""
        write_lines(self._pairs, map(vars, pairs), private=True)
        write_lines(self._skipped, map(vars, skipped), private=True)

    def write_forgotten(self, hashes: Iterable[str]) -> None:
        """Write all lines of forgotten.jsonl anew."""
        write_lines(
            self._forgotten, [{"sha256": sha256} for sha256 in sorted(hashes)], private=True
        )

    def move_pictures(self, pairs: Mapping[str, Pair]) -> None:
        """Put every picture into the folder of its split; `pairs` are by id."""
        for picture in list(self.pictures()):
            pair = pairs.get(picture.stem)
            if pair and pair.split != picture.parent.name:
                with writing(self._picture(pair)):
                    picture.replace(self._picture(pair))

    def remove_orphans(self, ids: Collection[str]) -> None:
        """Remove pictures that belong to none of these pairs, half-written files that a kill left,
        and folders that are empty then. Files whose names we never give stay.
        """
        orphans = [path for path in self.pictures() if path.stem not in ids]
        for path in (*self._half_written(), *orphans):
            with writing(path):
                path.unlink()
        for name in _FOLDERS:
            with suppress(OSError):  # most are not empty
                (self.folder / name).rmdir()

    def _half_written(self) -> list[Path]:
        parts = [self.folder / f".{name}.part" for name in (*_FILES, *SHEETS)]
        pictures = (path for name in _FOLDERS for path in _named(self.folder / name, _LITTER))
        return [*filter(os.path.lexists, parts), *pictures]

    def _picture(self, pair: Pair) -> Path:
        return self.folder / pair.split / f"{pair.id}.png"

    def pictures(self) -> Iterator[Path]:
        """The pictures of pairs in all splits."""
        return (
            self.folder / split / name
            for split in _FOLDERS
            for name in pictures_in(self.folder, split)
        )
