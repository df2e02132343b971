"""The counts of a dataset agree with its files."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dataset_doubles import a_pair, build, lines
from demosaic import __version__
from demosaic.config.dataset import BuildConfig
from demosaic.dataset.events import PhotoDone, PhotosFound
from demosaic.dataset.near_duplicates import FACE_LIMIT, SCENE_LIMIT
from demosaic.dataset.records import Pair
from demosaic.dataset.summary import Known, summarise
from demosaic.events import Event
from demosaic.imaging.encoding import write_png
from hashes import plain, strange


def test_the_header_says_how_the_dataset_was_built(dataset: Path) -> None:
    header = json.loads((dataset / "dataset.json").read_text())
    records = lines(dataset / "pairs.jsonl")
    splits = [line["split"] for line in records]
    fingerprint, closest = header.pop("fingerprint"), header.pop("closest")
    assert len(fingerprint) == len(header.pop("lines")) == 16
    split_of_photo = {line["photo"]: line["split"] for line in records}
    assert split_of_photo[closest["train"]] == "train"
    assert split_of_photo[closest["held_out"]] == "val"
    assert closest["face_bits"] > FACE_LIMIT and closest["scene_bits"] > SCENE_LIMIT
    assert header == {
        "format": 1,
        "demosaic": __version__,
        "config": asdict(BuildConfig(val=0.4)),
        "state": "finished",
        "detector": "mediapipe",
        "ignored": 0,
        "funnel": dict.fromkeys(("found", "readable", "unique", "with faces", "kept"), 24),
        "pairs": len(splits),
        "splits": {name: splits.count(name) for name in ("train", "val", "test")},
        "sharp": sum(line["split"] == "train" and line["enlarged"] <= 1.05 for line in records),
        "groups": len({line["group"] for line in records}),
        "skipped": {},
    }


def test_the_report_and_the_events_agree_with_the_files(photos: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    report = build(photos, tmp_path / "out", listen=events.append)
    records = lines(tmp_path / "out" / "pairs.jsonl")
    done = [event for event in events if isinstance(event, PhotoDone)]
    assert events[0] == PhotosFound(24)
    assert [event.photo for event in done] == sorted(
        path.relative_to(photos).as_posix() for path in photos.rglob("*.*")
    )
    assert sum(event.pairs for event in done) == report.pairs == report.new_pairs == len(records)
    assert (report.folder, report.photos) == (str(tmp_path / "out"), 24)
    assert sum(report.splits.values()) == len(records)


@pytest.mark.parametrize("kept", ["train", "val", "both", "neither"])
@pytest.mark.parametrize("new", ["train", "val", "nearer train", "nearer val", "no"])
def test_the_closest_of_before_saves_work_and_changes_nothing(kept: str, new: str) -> None:
    def a_line(number: int, split: str, bits: int) -> Pair:
        likeness = plain(*range(bits)), strange(number)
        return a_pair(number, f"{number}.jpg", split=split, likeness=likeness)

    ends = {"train": a_line(3, "train", 0), "val": a_line(4, "val", 60)}
    others = [a_line(1, "train", 170), a_line(2, "val", 250)]
    before = sorted([*ends.values(), *others], key=lambda pair: pair.id)
    closest = summarise(before, [], BuildConfig()).closest
    assert closest is not None and (closest.train, closest.held_out) == ("3.jpg", "4.jpg")
    unchanged = [*others, *(pair for name, pair in ends.items() if kept in (name, "both"))]
    bits = 30 if "nearer" in new else 110
    added = [a_line(0, new.split()[-1], bits)] if new != "no" else []
    known = Known(closest, {pair.id for pair in unchanged})
    pairs = [*added, *sorted(unchanged, key=lambda pair: pair.id)]
    assert summarise(pairs, [], BuildConfig(), known) == summarise(pairs, [], BuildConfig())


def test_the_funnel_counts_the_photos_that_passed_each_step(album: Path, tmp_path: Path) -> None:
    photo = next((album / "person-000").rglob("*.jpg"))
    (album / "@eaDir").mkdir()
    for junk in ("._a.jpg", ".hidden.png", "Thumbs.db", "@eaDir/thumb.jpg"):
        shutil.copy(photo, album / junk)
    (album / "stub.jpg").touch()
    (album / "notes.txt").write_text("Dear diary")
    shutil.copy(photo, album / "z-copy.jpg")
    write_png(album / "wall.png", np.full((300, 300, 3), 128, np.uint8))
    with Image.open(photo) as opened:
        opened.convert("RGB").resize((90, 90)).save(album / "tiny.png")
    events: list[Event] = []
    report = build(album, tmp_path / "out", listen=events.append)
    good = len(list((album / "person-000").rglob("*.jpg"))) + len(
        list((album / "person-002").rglob("*.jpg"))
    )
    funnel = {
        "found": good + 5,
        "readable": good + 3,
        "unique": good + 2,
        "with faces": good + 1,
        "kept": good,
    }
    assert (report.funnel, report.ignored, report.photos) == (funnel, 4, good + 5)
    header = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert (header["funnel"], header["ignored"]) == (funnel, 4)
    assert events[0] == PhotosFound(good + 5, 4)
    again = build(album, tmp_path / "out")
    assert (again.funnel, again.ignored) == (funnel, 4)
