"""Damage is found, said and mended."""

import os
import shutil
from pathlib import Path

import pytest

from dataset_doubles import build, contents, lines
from demosaic.dataset.check import check_dataset
from demosaic.dataset.events import FaultFound, PhotoDone
from demosaic.dataset.forget import forget
from demosaic.errors import DemosaicError
from demosaic.events import Event, Notice
from demosaic.files import write_lines
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import write_png


@pytest.fixture
def pairs(album: Path, tmp_path: Path) -> Path:
    """The dataset of `album`, to damage."""
    build(album, tmp_path / "pairs")
    return tmp_path / "pairs"


def pictures(pairs: Path) -> list[Path]:
    """Those on the sheet come first."""
    return sorted(pairs.glob("*/*.png"), key=lambda path: path.stem)


def notices(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Notice)]


def test_missing_and_truncated_pictures_are_made_again(album: Path, pairs: Path) -> None:
    before = contents(pairs)
    first, second, *_ = pictures(pairs)
    first.unlink()
    second.write_bytes(second.read_bytes()[:1000])
    events: list[Event] = []
    build(album, pairs, listen=events.append)
    assert notices(events)[0] == "made again: 2 pictures, missing or damaged before"
    assert contents(pairs) == before


def test_a_pair_that_cannot_be_made_again_is_removed_with_a_word(album: Path, pairs: Path) -> None:
    lost = lines(pairs / "pairs.jsonl")[0]
    (pairs / lost["split"] / f"{lost['id']}.png").unlink()
    (album / lost["photo"]).unlink()
    events: list[Event] = []
    report = build(album, pairs, listen=events.append)
    assert notices(events)[0] == (
        "removed: 1 pair whose picture was missing or damaged, and whose photo gives it no more"
    )
    left = {line["id"] for line in lines(pairs / "pairs.jsonl")}
    assert lost["id"] not in left
    assert (report.pairs, left) == (len(left), {path.stem for path in pictures(pairs)})


def test_forgetting_goes_on_without_a_picture_and_says_so(album: Path, pairs: Path) -> None:
    other, one = (lines(pairs / "pairs.jsonl")[number] for number in (0, -1))
    (pairs / one["split"] / f"{one['id']}.png").unlink()
    events: list[Event] = []
    forget(pairs, other["photo"], listen=events.append)
    assert notices(events) == [
        "the pictures of 1 pair are missing or damaged: build-dataset makes them again"
    ]
    assert (pairs / "preview.jpg").is_file()


def faults(photos: Path, pairs: Path) -> dict[str, str]:
    found: list[Event] = []
    before = contents(pairs)
    report = check_dataset(photos, pairs, listen=found.append)
    assert contents(pairs) == before
    said = {event.path: event.problem for event in found if isinstance(event, FaultFound)}
    assert report.faults == len(said)
    return said


def test_a_dataset_as_it_was_built_has_no_fault(photos: Path, straight: Path) -> None:
    assert faults(photos, straight) == {}


def test_every_fault_of_a_dataset_is_named(album: Path, pairs: Path) -> None:
    gone, short, flipped, small, other, face, mosaic = pictures(pairs)[:7]
    names = {path: f"{path.parent.name}/{path.name}" for path in pictures(pairs)}
    gone.unlink()
    short.write_bytes(short.read_bytes()[:1000])
    data = bytearray(flipped.read_bytes())
    data[len(data) // 2] ^= 1
    flipped.write_bytes(data)
    write_png(small, read_image(small)[:32])
    picture = read_image(face).copy()
    picture[:, 64:] = picture[:, 64:][::-1]
    write_png(face, picture)
    picture = read_image(mosaic).copy()
    picture[:8, :8] = 255 - picture[:8, :8]
    write_png(mosaic, picture)
    stranger = other.with_name(f"{1:016x}.png")
    shutil.copy(other, stranger)
    first, second, *_ = sorted({line["photo"] for line in lines(pairs / "pairs.jsonl")})
    (album / first).unlink()
    (album / second).write_bytes(b"another")
    said = faults(album, pairs)
    assert "damaged picture" in said.pop(names[short])
    assert "damaged picture" in said.pop(names[flipped])
    assert said == {
        names[gone]: f"cannot read {gone}: No such file or directory",
        names[small]: "it has 128 x 32 px instead of 128 x 64",
        names[face]: "its right half is not the face that its line describes",
        names[mosaic]: "its left half is not the mosaic of the right one that its line describes",
        f"{stranger.parent.name}/{stranger.name}": "it belongs to no line of pairs.jsonl",
        first: "the photo is gone",
        second: "the photo has changed",
    }


def test_lines_that_are_not_those_of_the_build_are_a_fault(album: Path, pairs: Path) -> None:
    first, *rest = lines(pairs / "pairs.jsonl")
    write_lines(pairs / "pairs.jsonl", [*rest, rest[0]])
    said = faults(album, pairs)
    assert said["dataset.json"] == "its fingerprint is not that of the options and the lines"
    assert said["pairs.jsonl"] == "1 lines are of a pair that has another line"
    assert said[f"{first['split']}/{first['id']}.png"] == "it belongs to no line of pairs.jsonl"


def test_what_holds_no_dataset_cannot_be_checked(tmp_path: Path) -> None:
    with pytest.raises(DemosaicError, match="holds no dataset"):
        check_dataset(tmp_path, tmp_path)


def test_a_photo_that_changes_or_vanishes_while_the_build_runs_is_named(
    album: Path, tmp_path: Path
) -> None:
    first, *_, last = sorted(path for path in album.rglob("*") if path.is_file())
    events: list[Event] = []

    def meddle(event: Event) -> None:
        events.append(event)
        if isinstance(event, PhotoDone) and first.exists():
            first.unlink()
            os.utime(last, ns=(1, 1))

    build(album, tmp_path / "out", listen=meddle)
    assert notices(events)[-1] == (
        f"changed while the build ran: {first.relative_to(album).as_posix()}, "
        f"{last.relative_to(album).as_posix()}; run the same command again"
    )
