"""Photos in, pairs out; interrupted, killed, repeated, grown, and fed with bad files."""

import errno
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

import people
from demosaic import __version__
from demosaic.config.dataset import BuildConfig
from demosaic.dataset import crops
from demosaic.dataset.build import build_dataset
from demosaic.dataset.events import BuildReport, PairMoved, PhotoDone, PhotosFound, PhotoSkipped
from demosaic.dataset.near_duplicates import FACE_LIMIT, SCENE_LIMIT
from demosaic.dataset.reader import open_pairs
from demosaic.dataset.splits import split_of
from demosaic.errors import INTERRUPTED, NOTHING_TO_DO, PROBLEM, USAGE, DemosaicError, Interrupted
from demosaic.events import Event, Listener, ignore
from demosaic.faces.cache import MakeDetector
from demosaic.faces.detector import Face, FaceDetector, MediaPipeDetector
from demosaic.imaging import conversion
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.decoding import decode, read_image
from demosaic.imaging.encoding import write_png
from demosaic.imaging.geometry import Box
from kills import COUNTED

SMALL = BuildConfig(size=64, block=8)
CONFIG = BuildConfig(size=128, block=16, margin=1.6, min_sharpness=0)
"""Of an 80 px face: exactly 128 photo pixels."""

Line = dict[str, Any]


@dataclass(frozen=True)
class GivenFaces:
    """A detector that finds the same boxes in every picture."""

    boxes: tuple[Box, ...]

    def detect(self, image: Pixels) -> Sequence[Face]:
        return [Face(box, 0.9, ((0.04, 1.06),) * 6) for box in self.boxes]


def given(*boxes: Box) -> MakeDetector:
    return lambda: GivenFaces(boxes)


def build(
    photos: Path,
    out: Path,
    config: BuildConfig = SMALL,
    *,
    detector: MakeDetector = partial(MediaPipeDetector, 0.5),  # noqa: B008
    looks: Path | None = None,
    prune: bool = False,
    workers: int = 1,
    listen: Listener = ignore,
) -> BuildReport:
    return build_dataset(
        photos,
        out,
        config,
        make_detector=detector,
        detector_name="mediapipe",
        looks=looks,
        prune=prune,
        workers=workers,
        listen=listen,
    )


def lines(path: Path) -> list[Line]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(files)}


def pictures(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*/*.png")}


class Stopped(Exception):
    """What a listener raises to stop a build like a kill between two photos."""


@contextmanager
def stopped_after(photos: int) -> Iterator[Listener]:
    """A listener that stops the build after so many photos, and swallows its own stop."""
    done = 0

    def listen(event: Event) -> None:
        nonlocal done
        done += isinstance(event, PhotoDone)
        if done == photos:
            raise Stopped

    with pytest.raises(Stopped):
        yield listen


@pytest.fixture(scope="module")
def straight(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small dataset of `photos`, built in one go."""
    folder = tmp_path_factory.mktemp("straight") / "pairs"
    build(photos, folder)
    return folder


@pytest.fixture
def album(photos: Path, tmp_path: Path) -> Path:
    """Six of the photos, to change."""
    folder = tmp_path / "album"
    shutil.copytree(photos / "person-000", folder / "person-000")
    shutil.copytree(next((photos / "person-002").iterdir()), folder / "person-002")
    return folder


# What is in a dataset


def test_a_line_says_where_a_pair_comes_from_and_how_it_was_made(
    photos: Path, dataset: Path
) -> None:
    records = lines(dataset / "pairs.jsonl")
    assert len(records) >= 24
    assert [(line["photo"], line["id"]) for line in records] == sorted(
        (line["photo"], line["id"]) for line in records
    )
    for line in records:
        assert list(line) == [
            "id", "split", "group", "photo", "sha256", "box", "keypoints", "score", "angle",
            "crop", "block", "offset", "sampler", "enlarged", "sharpness", "likeness", "burst",
        ]  # fmt: skip
        assert hashlib.sha256((photos / line["photo"]).read_bytes()).hexdigest() == line["sha256"]
        assert line["photo"].startswith(line["group"] + "/")
        assert (line["block"], line["offset"], line["sampler"]) == ([16, 16], [0, 0], "mean")
        assert len(line["keypoints"]) == 6
        assert 0.5 <= line["score"] <= 1
        assert line["crop"] == round(1.7 * max(line["box"][2:]))
        assert (dataset / line["split"] / f"{line['id']}.png").is_file()
    assert len(pictures(dataset)) == len(records) == len({line["id"] for line in records})


def test_the_header_says_how_the_dataset_was_built(dataset: Path) -> None:
    header = json.loads((dataset / "dataset.json").read_text())
    records = lines(dataset / "pairs.jsonl")
    splits = [line["split"] for line in records]
    fingerprint, closest = header.pop("fingerprint"), header.pop("closest")
    assert len(fingerprint) == 16
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
        "groups": len({line["group"] for line in records}),
        "skipped": {},
    }


def test_the_left_half_is_exactly_the_rounded_cell_means_of_the_right(dataset: Path) -> None:
    for path in dataset.glob("*/*.png"):
        with Image.open(path) as opened:
            picture = np.asarray(opened)
        assert picture.shape == (256, 512, 3)
        means = picture[:, 256:].reshape(16, 16, 16, 16, 3).mean(axis=(1, 3), dtype=np.float64)
        expected = np.rint(means).repeat(16, 0).repeat(16, 1)
        assert np.array_equal(picture[:, :256], expected)


def test_the_right_half_is_the_square_round_the_face_of_the_upright_photo(
    photos: Path, dataset: Path
) -> None:
    turned = 0
    for line in lines(dataset / "pairs.jsonl"):
        with Image.open(photos / line["photo"]) as stored:
            turned += stored.getexif().get(0x0112, 1) != 1
            upright = np.asarray(ImageOps.exif_transpose(stored).convert("RGB"))
        (x, y, width, height), side = line["box"], line["crop"]
        left = min(max(round(x + (width - side) / 2), 0), upright.shape[1] - side)
        top = min(max(round(y + (height - side) / 2), 0), upright.shape[0] - side)
        square = upright[top : top + side, left : left + side]
        method = cv2.INTER_AREA if side > 256 else cv2.INTER_CUBIC
        expected = cv2.resize(square, (256, 256), interpolation=method)
        picture = read_image(dataset / line["split"] / f"{line['id']}.png")
        apart = np.abs(picture[:, 256:].astype(int) - expected)
        if side < 512:
            assert apart.max() <= 1
        else:  # decoded at half the size
            assert apart.mean() < 2
    assert turned >= 2


def test_two_faces_of_one_photo_share_a_split(dataset: Path) -> None:
    by_photo: dict[str, list[Line]] = {}
    for line in lines(dataset / "pairs.jsonl"):
        by_photo.setdefault(line["photo"], []).append(line)
    twos = [found for found in by_photo.values() if len(found) > 1]
    assert len(twos) >= 3
    for first, second in twos:
        assert (first["split"], first["group"]) == (second["split"], second["group"])
        assert first["id"] != second["id"]


def test_a_group_never_straddles_splits_and_there_are_several(straight: Path) -> None:
    by_group: dict[str, set[str]] = {}
    for line in lines(straight / "pairs.jsonl"):
        by_group.setdefault(line["group"], set()).add(line["split"])
    assert len(by_group) >= 6
    assert {len(splits) for splits in by_group.values()} == {1}


def test_photos_in_the_top_folder_are_groups_of_their_own(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (3, 200, 200, 3), np.uint8)
    (tmp_path / "photos").mkdir()
    for number, image in enumerate(noise):
        write_png(tmp_path / "photos" / f"{number}.png", image)
    build(tmp_path / "photos", tmp_path / "out", CONFIG, detector=given(Box(60, 60, 80, 80)))
    groups = [line["group"] for line in lines(tmp_path / "out" / "pairs.jsonl")]
    assert groups == ["0.png", "1.png", "2.png"]


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


def test_nothing_of_exif_or_place_enters_a_dataset(photos: Path, tmp_path: Path) -> None:
    source = next(photos.rglob("*.jpg"))
    exif = Image.Exif()
    exif[0x010F], exif[0x010E] = "SECRET-MAKER", "SECRET-CAPTION"
    exif.get_ifd(0x8825)[1], exif.get_ifd(0x8825)[2] = "N", (48.0, 51.0, 29.0)
    (tmp_path / "photos").mkdir()
    with Image.open(source) as opened:
        opened.save(tmp_path / "photos" / "a.jpg", exif=exif, comment=b"SECRET-COMMENT")
        opened.save(tmp_path / "photos" / "copy.jpg", exif=exif, quality=50)
    assert b"SECRET-MAKER" in (tmp_path / "photos" / "a.jpg").read_bytes()
    build(tmp_path / "photos", tmp_path / "out")
    kept = contents(tmp_path / "out")
    assert not [name for name, data in kept.items() if b"SECRET" in data or b"Exif" in data]
    for name in pictures(tmp_path / "out"):
        (path,) = (tmp_path / "out").glob(f"*/{name}")
        with Image.open(path) as opened:
            assert (dict(opened.getexif()), opened.info) == ({}, {})


# The same files, however they came about


def test_two_workers_write_the_same_bytes_as_one(
    photos: Path, straight: Path, tmp_path: Path
) -> None:
    build(photos, tmp_path / "out", workers=2)
    assert contents(tmp_path / "out") == contents(straight)


@pytest.mark.parametrize("photos_done", [1, 10, 24])
def test_an_interrupted_build_is_finished_by_the_same_call(
    photos_done: int, photos: Path, straight: Path, tmp_path: Path
) -> None:
    with stopped_after(photos_done) as listen:
        build(photos, tmp_path / "out", listen=listen)
    with pytest.raises(DemosaicError, match="unfinished"):
        open_pairs(tmp_path / "out", direction="left-to-right", multiple=32)
    build(photos, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(straight)


def times(folder: Path) -> dict[str, int]:
    """When each picture of a dataset was written."""
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*/*.png")}


def test_a_build_goes_on_where_it_stopped(photos: Path, tmp_path: Path) -> None:
    with stopped_after(20) as listen:
        build(photos, tmp_path / "out", listen=listen)
    before = times(tmp_path / "out")
    build(photos, tmp_path / "out")
    untouched = before.items() & times(tmp_path / "out").items()
    assert len(untouched) >= len(before) - 2  # the last photo alone is looked at again


KILLED = """
import sys
from functools import partial
from pathlib import Path
from demosaic.dataset.build import build_dataset
from demosaic.config.dataset import BuildConfig
from demosaic.dataset.events import PhotoDone
from demosaic.faces.detector import MediaPipeDetector

def listen(event):
    if isinstance(event, PhotoDone):
        print(event.photo, flush=True)

build_dataset(
    Path(sys.argv[1]), Path(sys.argv[2]), BuildConfig(size=64, block=8),
    make_detector=partial(MediaPipeDetector, 0.5), detector_name="mediapipe", listen=listen,
)
"""


def test_a_build_killed_at_any_moment_is_finished_by_the_same_call(
    photos: Path, straight: Path, tmp_path: Path
) -> None:
    moment = random.Random().randrange(1, 24)
    command = [sys.executable, "-c", KILLED, str(photos), str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(moment):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    build(photos, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(straight), f"killed after {moment} photos"


def test_a_kill_before_the_first_file_is_whole_is_gone_on_from(
    photos: Path, straight: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".dataset.json.part").write_text('{"format": 1, "demo')
    build(photos, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(straight)


@pytest.mark.parametrize("torn", ["pairs.jsonl", "skipped.jsonl"])
def test_a_kill_inside_a_line_is_gone_on_from(torn: str, album: Path, tmp_path: Path) -> None:
    (album / "person-000" / "0.jpg").write_text("not a picture")
    build(album, tmp_path / "straight")
    with stopped_after(4) as listen:
        build(album, tmp_path / "out", listen=listen)
    data = (tmp_path / "out" / torn).read_bytes()
    (tmp_path / "out" / torn).write_bytes(data[:-20])
    build(album, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")


def test_two_kills_with_new_photos_between_them_lose_no_face(album: Path, tmp_path: Path) -> None:
    """The first falls between the two faces of a photo; the second after an earlier photo."""
    late = sorted((album / "person-002").iterdir())[-1]
    early = album / "a-new-one.jpg"
    newcomer = next((album / "person-000").rglob("*.jpg")).rename(tmp_path / "newcomer.jpg")
    with stopped_after(len([path for path in album.rglob("*.*") if path.is_file()])) as listen:
        build(album, tmp_path / "out", listen=listen)
    manifest = tmp_path / "out" / "pairs.jsonl"
    records = lines(manifest)
    assert [line["photo"] for line in records[-2:]] == [late.relative_to(album).as_posix()] * 2
    manifest.write_text("".join(json.dumps(line) + "\n" for line in records[:-1]))
    shutil.copy(newcomer, early)
    with stopped_after(1) as listen:
        build(album, tmp_path / "out", listen=listen)
    build(album, tmp_path / "out")
    build(album, tmp_path / "straight")
    assert lines(manifest) == lines(tmp_path / "straight" / "pairs.jsonl")


def test_ctrl_c_says_what_was_kept_and_how_to_go_on(album: Path, tmp_path: Path) -> None:
    def press(event: Event) -> None:
        if isinstance(event, PhotoDone):
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        build(album, tmp_path / "out", listen=press)
    assert caught.value.exit_code == INTERRUPTED == 130
    said = f"stopped with 1 pair in {tmp_path / 'out'}: the same command goes on"
    assert str(caught.value) == said


def test_building_again_changes_nothing(photos: Path, straight: Path, tmp_path: Path) -> None:
    shutil.copytree(straight, tmp_path / "out")
    report = build(photos, tmp_path / "out")
    assert report.new_pairs == 0
    assert contents(tmp_path / "out") == contents(straight)


@pytest.mark.parametrize("workers", [1, 2])
def test_other_options_cut_the_same_photos_without_looking_again(
    workers: int, album: Path, tmp_path: Path
) -> None:
    build(album, tmp_path / "before", looks=tmp_path / "looks", workers=workers)
    other = BuildConfig(size=128, block=8, margin=1.5)
    build(
        album, tmp_path / "again", other,
        detector=no_detector, looks=tmp_path / "looks", workers=workers,
    )  # fmt: skip
    build(album, tmp_path / "anew", other)
    assert contents(tmp_path / "again") == contents(tmp_path / "anew")
    assert contents(tmp_path / "again") != contents(tmp_path / "before")


# An album that changes


def test_photos_added_later_add_only_their_pairs(album: Path, photos: Path, tmp_path: Path) -> None:
    build(album, tmp_path / "out")
    before = contents(tmp_path / "out")
    shutil.copytree(photos / "person-003", album / "person-003")
    report = build(album, tmp_path / "out")
    added = pictures(tmp_path / "out") - {Path(name).name for name in before}
    assert report.new_pairs == len(added) >= 3
    assert report.pairs == len(lines(tmp_path / "out" / "pairs.jsonl"))
    after = contents(tmp_path / "out")
    assert {name: after[name] for name in before if name.endswith(".png")} == {
        name: data for name, data in before.items() if name.endswith(".png")
    }
    build(album, tmp_path / "straight")
    assert after == contents(tmp_path / "straight")


def test_an_addition_stopped_halfway_is_unfinished(
    album: Path, photos: Path, tmp_path: Path
) -> None:
    build(album, tmp_path / "out")
    shutil.copytree(photos / "person-003", album / "person-003")
    with stopped_after(10) as listen:
        build(album, tmp_path / "out", listen=listen)
    with pytest.raises(DemosaicError, match="unfinished"):
        open_pairs(tmp_path / "out", direction="left-to-right", multiple=32)


def test_names_come_from_content_alone(album: Path, tmp_path: Path) -> None:
    build(album, tmp_path / "before")
    album.rename(tmp_path / "moved")
    (tmp_path / "moved" / "person-000").rename(tmp_path / "moved" / "Zoë [1]")
    build(tmp_path / "moved", tmp_path / "after")
    assert pictures(tmp_path / "after") == pictures(tmp_path / "before")


def test_a_photo_replaced_by_another_of_its_name_is_replaced(
    album: Path, photos: Path, tmp_path: Path
) -> None:
    build(album, tmp_path / "out")
    changed = next((album / "person-000").rglob("*.jpg"))
    shutil.copy(next((photos / "person-005").rglob("*.jpg")), changed)
    build(album, tmp_path / "out")
    build(album, tmp_path / "straight")
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")


def test_a_photo_renamed_while_another_takes_its_name_keeps_its_pair(
    album: Path, photos: Path, tmp_path: Path
) -> None:
    build(album, tmp_path / "out")
    taken = next((album / "person-000").rglob("*.jpg"))
    taken.rename(taken.with_name("renamed.jpg"))
    shutil.copy(next((photos / "person-005").rglob("*.jpg")), taken)
    build(album, tmp_path / "out")
    build(album, tmp_path / "straight")
    assert lines(tmp_path / "out" / "pairs.jsonl") == lines(tmp_path / "straight" / "pairs.jsonl")


def test_a_copy_of_a_photo_is_skipped_and_its_twin_named(album: Path, tmp_path: Path) -> None:
    original = next((album / "person-000").rglob("*.jpg"))
    shutil.copy(original, album / "z-copy.jpg")
    report = build(album, tmp_path / "out")
    (skipped,) = lines(tmp_path / "out" / "skipped.jsonl")
    assert (skipped["photo"], skipped["reason"], skipped["detail"]) == (
        "z-copy.jpg",
        "same file as another",
        original.relative_to(album).as_posix(),
    )
    assert report.skipped == {"same file as another": 1}
    assert report.pairs == len({line["id"] for line in lines(tmp_path / "out" / "pairs.jsonl")})


def test_another_config_on_the_same_folder_is_refused_naming_the_option(
    album: Path, tmp_path: Path
) -> None:
    build(album, tmp_path / "out")
    before = contents(tmp_path / "out")
    with pytest.raises(DemosaicError, match=r"other options \(block 8 -> 4\)") as caught:
        build(album, tmp_path / "out", BuildConfig(size=64, block=4))
    assert caught.value.exit_code == PROBLEM
    assert contents(tmp_path / "out") == before


def test_a_dataset_of_another_version_is_refused_saying_so(album: Path, tmp_path: Path) -> None:
    build(album, tmp_path / "out")
    described, listed = tmp_path / "out" / "dataset.json", tmp_path / "out" / "pairs.jsonl"
    record, first = json.loads(described.read_text()), listed.read_text()
    fewer = {name: value for name, value in record["config"].items() if name != "offset"}
    for strange in ({**record, "format": 0}, {**record, "config": fewer}):
        described.write_text(json.dumps(strange))
        with pytest.raises(DemosaicError, match=r"another version .* into another folder"):
            build(album, tmp_path / "out")
    described.write_text(json.dumps(record))
    listed.write_text(first.replace('"likeness"', '"fingerprint"'))
    with pytest.raises(DemosaicError, match=r"another version .* into another folder"):
        build(album, tmp_path / "out")


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ("dataset.json", "all pairs in .* are in val or test, none is in train: .* --val 0"),
        ("nothing", "holds no pairs: give the folder that build-dataset wrote, or one of side"),
    ],
)
def test_why_there_is_nothing_to_learn_from_is_said(
    left: str, said: str, album: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    build(album, out, BuildConfig(size=64, block=8, val=0.99))
    if left == "nothing":
        shutil.rmtree(out)
        out.mkdir()
    with pytest.raises(DemosaicError, match=said) as caught:
        open_pairs(out, direction="left-to-right", multiple=1)
    assert caught.value.exit_code == NOTHING_TO_DO


# Groups


def saved_again(source: Path, copy: Path, scale: float = 0.6) -> None:
    """The photo, smaller and compressed, as another format where the name says so."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as opened:
        upright = ImageOps.exif_transpose(opened).convert("RGB")
        size = round(upright.width * scale), round(upright.height * scale)
        upright.resize(size).save(copy, quality=70)


def folder_of(split: str, but: str = "") -> str:
    """A name for a folder that falls to this split, and comes first of all by name."""
    names = (f"0-{number}" for number in range(1000))
    return next(n for n in names if n != but and split_of(n, val=0.5, test=0) == split)


HALF = BuildConfig(size=64, block=8, val=0.5)


def splits_of(folder: Path) -> dict[str, str]:
    """The split of each photo; where its pictures lie must agree."""
    for line in lines(folder / "pairs.jsonl"):
        assert (folder / line["split"] / f"{line['id']}.png").is_file()
    return {line["photo"]: line["split"] for line in lines(folder / "pairs.jsonl")}


def test_a_copy_in_another_folder_another_size_and_format_shares_the_split(
    photos: Path, album: Path, tmp_path: Path
) -> None:
    original = next(path for path in sorted((album / "person-000").rglob("*.jpg")))
    name = original.parent.relative_to(album).as_posix()
    other = "train" if split_of(name, val=0.5, test=0) == "val" else "val"
    copied = folder_of(other)
    saved_again(original, album / copied / "whatsapp.webp")
    report = build(album, tmp_path / "out", HALF)
    found = lines(tmp_path / "out" / "pairs.jsonl")
    groups = {line["photo"]: line["group"] for line in found}
    splits = splits_of(tmp_path / "out")
    assert groups[original.relative_to(album).as_posix()] == copied
    assert splits[original.relative_to(album).as_posix()] == other
    assert report.groups == len({line["group"] for line in found})


def test_photos_that_join_two_groups_move_one_and_say_so(album: Path, tmp_path: Path) -> None:
    original = next(path for path in sorted((album / "person-000").rglob("*.jpg")))
    name = original.parent.relative_to(album).as_posix()
    first = build(album, tmp_path / "out", HALF)
    assert (first.moved, first.gone) == (0, 0)
    before = splits_of(tmp_path / "out")
    other = "train" if split_of(name, val=0.5, test=0) == "val" else "val"
    saved_again(original, album / folder_of(other) / "copy.jpg")
    events: list[Event] = []
    report = build(album, tmp_path / "out", HALF, listen=events.append)
    after = splits_of(tmp_path / "out")
    moved = {event.photo for event in events if isinstance(event, PairMoved)}
    assert moved == {photo for photo in before if after[photo] != before[photo]}
    assert moved == {photo for photo in before if photo.startswith(f"{name}/")}
    assert report.moved == sum(isinstance(event, PairMoved) for event in events) >= len(moved)
    build(album, tmp_path / "straight", HALF)
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")


MOVED_OR_KILLED = f"""{COUNTED}
from functools import partial
from pathlib import Path
from demosaic.config.dataset import BuildConfig
from demosaic.dataset.build import build_dataset
from demosaic.dataset.writer import PairWriter
from demosaic.faces.detector import MediaPipeDetector

settle = PairWriter.settle
def settle_with_kill(self, seen):
    Path.replace, Path.unlink = counted(Path.replace), counted(Path.unlink)
    return settle(self, seen)
PairWriter.settle = settle_with_kill

build_dataset(
    Path(sys.argv[1]), Path(sys.argv[2]), BuildConfig(size=64, block=8, val=0.5),
    make_detector=partial(MediaPipeDetector, 0.5), detector_name="mediapipe",
)
"""


@pytest.mark.parametrize("steps", [0, 1, 2, 4, 5])
def test_a_kill_while_pairs_move_is_gone_on_from(steps: int, album: Path, tmp_path: Path) -> None:
    original = next(path for path in sorted((album / "person-000").rglob("*.jpg")))
    name = original.parent.relative_to(album).as_posix()
    build(album, tmp_path / "out", HALF)
    before = splits_of(tmp_path / "out")
    other = "train" if split_of(name, val=0.5, test=0) == "val" else "val"
    saved_again(original, album / folder_of(other) / "copy.jpg")
    command = [sys.executable, "-c", MOVED_OR_KILLED, str(album), str(tmp_path / "out")]
    assert subprocess.run([*command, str(steps)], check=False).returncode == 9
    with pytest.raises(DemosaicError, match="unfinished"):
        open_pairs(tmp_path / "out", direction="left-to-right", multiple=32)
    report = build(album, tmp_path / "out", HALF)
    build(album, tmp_path / "straight", HALF)
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")
    after = splits_of(tmp_path / "out")
    assert report.moved >= sum(after[photo] != before[photo] for photo in before)


def test_an_expression_groups_photos_wherever_they_lie(photos: Path, tmp_path: Path) -> None:
    for person in (0, 3):
        for number, source in enumerate(sorted((photos / f"person-00{person}").rglob("*.jpg"))):
            target = tmp_path / "photos" / f"{number % 2}" / f"p{person}_{number}.jpg"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    config = replace(SMALL, group_by=r"(p\d)_")
    build(tmp_path / "photos", tmp_path / "out", config)
    groups = {line["photo"]: line["group"] for line in lines(tmp_path / "out" / "pairs.jsonl")}
    assert {photo[2:4] == group for photo, group in groups.items()} == {True}
    assert set(groups.values()) == {"p0", "p3"}


def test_an_expression_that_finds_nothing_is_refused_before_anything_is_written(
    album: Path, tmp_path: Path
) -> None:
    with pytest.raises(DemosaicError, match="finds nothing in any photo's name") as caught:
        build(album, tmp_path / "out", replace(SMALL, group_by=r"id(\d+)"))
    assert caught.value.exit_code == USAGE
    assert not (tmp_path / "out").exists()


def test_a_burst_in_the_top_folder_shares_a_split(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (3, 200, 200, 3), np.uint8)
    (tmp_path / "photos").mkdir()
    for number, (image, second) in enumerate(zip(noise, ("01", "04", "40"), strict=True)):
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9003] = f"2024:05:01 12:00:{second}"
        Image.fromarray(image).save(tmp_path / "photos" / f"{number}.jpg", exif=exif)
    build(tmp_path / "photos", tmp_path / "out", CONFIG, detector=given(Box(60, 60, 80, 80)))
    records = lines(tmp_path / "out" / "pairs.jsonl")
    assert [line["group"] for line in records] == ["0.jpg", "0.jpg", "2.jpg"]
    assert b"2024" not in (tmp_path / "out" / "pairs.jsonl").read_bytes()


def test_so_many_pairs_of_a_group_are_kept_and_the_others_come_back_for_those_that_go(
    album: Path, tmp_path: Path
) -> None:
    config = replace(SMALL, max_per_group=2, group_by="^(person-...)")
    report = build(album, tmp_path / "out", config)
    all_of_them = lines(tmp_path / "out" / "pairs.jsonl")
    kept = [line for line in all_of_them if line["split"] != "spare"]
    assert Counter(line["group"] for line in kept) == {"person-000": 2, "person-002": 2}
    spare = len(all_of_them) - 4
    assert (report.pairs, report.new_pairs, report.skipped) == (4, 4, {"group is large": spare})
    assert len(list((tmp_path / "out" / "spare").iterdir())) == spare > 0
    assert len(opened_pairs(tmp_path / "out")) == 4
    gone = next(line["photo"] for line in kept if line["group"] == "person-000")
    (album / gone).unlink()
    build(album, tmp_path / "out", config, prune=True)
    build(album, tmp_path / "straight", config)
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")


def opened_pairs(folder: Path) -> list[Path]:
    pairs = open_pairs(folder, direction="left-to-right", multiple=32)
    return sorted({*pairs.train, *pairs.val})


# Photos that go


def test_what_is_gone_stays_and_is_reported_until_it_is_pruned(album: Path, tmp_path: Path) -> None:
    write_png(album / "person-000" / "wall.png", np.full((300, 300, 3), 128, np.uint8))
    build(album, tmp_path / "out")
    before = contents(tmp_path / "out")
    photo = next(path for path in sorted((album / "person-000").rglob("*.jpg")))
    photo.unlink()
    (album / "person-000" / "wall.png").unlink()
    stayed = build(album, tmp_path / "out")
    assert (stayed.gone, stayed.pruned) == (2, 0)
    assert {*contents(tmp_path / "out")} >= {name for name in before if name.endswith(".png")}
    pruned = build(album, tmp_path / "out", prune=True)
    assert (pruned.gone, pruned.pruned) == (2, stayed.pairs - pruned.pairs)
    assert pruned.pruned >= 1
    build(album, tmp_path / "straight")
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")


def test_the_copy_of_a_photo_that_goes_takes_its_place(album: Path, tmp_path: Path) -> None:
    original = next(path for path in sorted((album / "person-000").rglob("*.jpg")))
    shutil.copy(original, album / "z-copy.jpg")
    shutil.copy(original, album / "z-copy-2.jpg")
    build(album, tmp_path / "out")
    original.unlink()
    report = build(album, tmp_path / "out", prune=True)
    assert (report.gone, report.pruned) == (0, 0)
    build(album, tmp_path / "straight")
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")
    assert "z-copy-2.jpg" in {line["photo"] for line in lines(tmp_path / "out" / "pairs.jsonl")}


def test_the_copy_of_a_photo_that_changes_takes_its_place(album: Path, tmp_path: Path) -> None:
    original = next(path for path in sorted((album / "person-000").rglob("*.jpg")))
    shutil.copy(original, album / "z-copy.jpg")
    build(album, tmp_path / "out")
    original.write_text("not a picture")
    build(album, tmp_path / "out")
    build(album, tmp_path / "straight")
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")


def test_photos_that_cannot_be_read_for_now_lose_nothing(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(album, tmp_path / "out")
    before = lines(tmp_path / "out" / "pairs.jsonl")

    def refuse(path: Path) -> bytes:
        raise DemosaicError(f"cannot read {path}")

    with monkeypatch.context() as patch:
        patch.setattr(crops, "read_bytes", refuse)
        report = build(album, tmp_path / "out", prune=True)
    assert lines(tmp_path / "out" / "pairs.jsonl") == before
    assert (report.gone, report.pruned) == (0, 0)
    build(album, tmp_path / "out", prune=True)
    assert lines(tmp_path / "out" / "skipped.jsonl") == []


# What is left out


def test_a_dataset_that_refused_everything_takes_other_options(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    write_png(tmp_path / "photos" / "a.png", np.zeros((60, 60, 3), np.uint8))
    small = given(Box(15, 15, 30, 30))
    with pytest.raises(DemosaicError, match="1 x face too small"):
        build(tmp_path / "photos", tmp_path / "out", detector=small)
    config = BuildConfig(size=64, block=8, min_face=20, min_sharpness=0)
    report = build(tmp_path / "photos", tmp_path / "out", config, detector=small)
    assert (report.pairs, dict(report.skipped)) == (1, {})
    assert not (tmp_path / "out" / "skipped.jpg").exists()


def no_detector() -> FaceDetector:
    raise DemosaicError("the installed mediapipe carries no face model")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_detector_that_cannot_be_made_is_what_is_reported(
    workers: int, album: Path, tmp_path: Path
) -> None:
    with pytest.raises(DemosaicError, match="carries no face model"):
        build(album, tmp_path / "out", detector=no_detector, workers=workers)


def mistaken(image: Image.Image) -> Image.Image:
    raise TypeError("a mistake of ours")


def detector_of_a_mistaken_program() -> FaceDetector:
    """Spawned workers know nothing of what a test patches: each breaks its own conversion."""
    conversion.to_rgb = mistaken
    return GivenFaces(())


@pytest.mark.parametrize("workers", [1, 2])
def test_a_mistake_of_ours_stops_the_build_and_is_not_a_bad_photo(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "to_rgb", mistaken)  # and undone after the test
    (tmp_path / "photos").mkdir()
    for grey in (100, 150, 200):
        picture = np.full((300, 300, 3), grey, np.uint8)
        write_png(tmp_path / "photos" / f"{grey}.png", picture)
    events: list[Event] = []
    with pytest.raises(TypeError, match=r"^a mistake of ours$"):
        build(
            tmp_path / "photos", tmp_path / "out",
            detector=detector_of_a_mistaken_program, workers=workers, listen=events.append,
        )  # fmt: skip
    assert not [event for event in events if isinstance(event, PhotoSkipped)]


def test_bad_files_and_photos_without_faces_are_counted_named_and_reasoned(
    album: Path, tmp_path: Path
) -> None:
    photo = next((album / "person-000").rglob("*.jpg"))
    (album / "bad").mkdir()
    (album / "bad" / "cut.jpg").write_bytes(photo.read_bytes()[:4000])
    (album / "bad" / "empty.jpg").touch()
    (album / "bad" / "notes.txt").write_text("Dear diary")
    write_png(album / "bad" / "wall.png", np.full((300, 300, 3), 128, np.uint8))
    with Image.open(photo) as opened:
        opened.convert("RGB").resize((90, 90)).save(album / "bad" / "tiny [1].png")
    events: list[Event] = []
    report = build(album, tmp_path / "out", listen=events.append)
    skipped = lines(tmp_path / "out" / "skipped.jsonl")
    reasons = {line["photo"]: line["reason"] for line in skipped}
    assert reasons == {
        "bad/cut.jpg": "damaged picture",
        "bad/empty.jpg": "empty file",
        "bad/notes.txt": "not a picture",
        "bad/tiny [1].png": "face too small",
        "bad/wall.png": "no face",
    }
    assert report.skipped == dict.fromkeys(sorted(reasons.values()), 1)
    said = {event.photo: event.reason for event in events if isinstance(event, PhotoSkipped)}
    assert said == reasons
    details = {line["photo"]: line["detail"] for line in skipped}
    assert "truncated" in details["bad/cut.jpg"]
    assert details["bad/tiny [1].png"].endswith(" px")
    assert json.loads((tmp_path / "out" / "dataset.json").read_text())["skipped"] == report.skipped


def test_the_funnel_tells_how_far_every_photo_came(album: Path, tmp_path: Path) -> None:
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


def test_a_photo_whose_name_is_no_utf8_is_a_photo_like_any_other(
    album: Path, tmp_path: Path
) -> None:
    photo = next((album / "person-000").rglob("*.jpg"))
    name = os.fsencode(album) + b"/caf\xe9.jpg"  # unpacked from an old Windows archive
    try:
        Path(os.fsdecode(name)).write_bytes(photo.read_bytes() + b"\0")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    report = build(album, tmp_path / "out")
    assert report.pairs + sum(report.skipped.values()) >= report.photos


def test_the_sheets_show_pairs_and_what_was_refused(album: Path, tmp_path: Path) -> None:
    write_png(album / "wall.png", np.full((300, 200, 3), 128, np.uint8))
    build(album, tmp_path / "out")
    preview = read_image(tmp_path / "out" / "preview.jpg")
    skipped = read_image(tmp_path / "out" / "skipped.jpg")
    assert min(preview.shape[:2]) > 100
    assert min(skipped.shape[:2]) > 100
    assert np.any(np.abs(skipped.astype(int) - 128).max(axis=2) < 8)  # the grey wall


@pytest.mark.parametrize("names", [(), (".hidden.jpg",)])
def test_a_folder_without_photos_is_nothing_to_do(names: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "photos" / "deep").mkdir(parents=True)
    for name in names:
        (tmp_path / "photos" / name).touch()
    with pytest.raises(DemosaicError, match="no photos in") as caught:
        build(tmp_path / "photos", tmp_path / "out")
    assert caught.value.exit_code == NOTHING_TO_DO == 3
    assert not (tmp_path / "out").exists()


def test_photos_without_faces_are_an_error_with_the_top_reason(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for level in (100, 150):
        wall = np.full((300, 300, 3), level, np.uint8)
        write_png(tmp_path / "photos" / f"{level}.png", wall)
    (tmp_path / "photos" / "notes.txt").write_text("Dear diary")
    with pytest.raises(DemosaicError) as caught:
        build(tmp_path / "photos", tmp_path / "out")
    assert caught.value.exit_code == NOTHING_TO_DO
    assert "no pairs from" in str(caught.value)
    assert str(caught.value).index("2 x no face") < str(caught.value).index("1 x not a picture")
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(f"in {tmp_path / 'out' / 'skipped.jsonl'}")
    assert len(lines(tmp_path / "out" / "skipped.jsonl")) == 3
    assert not [path for path in (tmp_path / "out").iterdir() if path.is_dir()]
    with pytest.raises(DemosaicError, match=r"out holds no pairs: skipped\.jsonl in it says why"):
        open_pairs(tmp_path / "out", direction="left-to-right", multiple=1)


# Folders


@pytest.mark.parametrize("leaves", ["nothing", "an empty folder"])
def test_photos_that_vanish_meanwhile_end_a_build_that_goes_on_when_they_are_back(
    leaves: str, album: Path, tmp_path: Path
) -> None:
    build(album, tmp_path / "straight")

    def unplug(event: Event) -> None:
        if isinstance(event, PhotoDone) and album.exists():
            album.rename(tmp_path / "elsewhere")
            if leaves == "an empty folder":
                album.mkdir()

    with pytest.raises(DemosaicError, match="album has vanished: bring it back"):
        build(album, tmp_path / "out", listen=unplug)
    assert lines(tmp_path / "out" / "pairs.jsonl") != []
    assert lines(tmp_path / "out" / "skipped.jsonl") == []
    shutil.rmtree(album, ignore_errors=True)
    (tmp_path / "elsewhere").rename(album)
    build(album, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")


def test_a_full_disk_ends_a_build_that_goes_on_when_there_is_room(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(album, tmp_path / "straight")
    room, write = 3, Path.write_bytes

    def write_while_there_is_room(path: Path, data: bytes) -> int:
        nonlocal room
        room -= path.name.endswith(".png.part")
        if room < 0:
            write(path, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", write_while_there_is_room)
    with pytest.raises(DemosaicError, match=r"cannot write .*\.png: the disk is full"):
        build(album, tmp_path / "out")
    monkeypatch.undo()
    assert len(lines(tmp_path / "out" / "pairs.jsonl")) == 3 == len(pictures(tmp_path / "out"))
    with pytest.raises(DemosaicError, match="unfinished"):
        open_pairs(tmp_path / "out", direction="left-to-right", multiple=32)
    build(album, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")


def test_a_folder_with_something_else_in_it_is_refused_and_untouched(
    photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("two years of work")
    with pytest.raises(DemosaicError, match="not empty and not a demosaic dataset"):
        build(photos, tmp_path / "out")
    assert contents(tmp_path / "out") == {"thesis.txt": b"two years of work"}


def test_a_file_where_the_pairs_should_go_is_refused_and_untouched(
    photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("two years of work")
    for out in (tmp_path / "out", tmp_path / "out" / "pairs"):
        with pytest.raises(DemosaicError):
            build(photos, out)
    assert (tmp_path / "out").read_text() == "two years of work"


def test_photos_that_are_no_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DemosaicError, match="is not a folder"):
        build(tmp_path / "gone", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_pairs_go_neither_into_the_photo_folder_itself_nor_above_it(album: Path) -> None:
    before = contents(album.parent)
    for out in (album, album.parent):
        with pytest.raises(DemosaicError, match="holds the photos themselves"):
            build(album, out)
    assert contents(album.parent) == before


def test_pairs_do_not_go_among_the_photos_either(album: Path) -> None:
    before = contents(album.parent)
    for out in (album / "pairs", album / "person-000" / ".." / "deep" / "pairs"):
        with pytest.raises(DemosaicError, match="where nothing is written: choose another"):
            build(album, out)
    assert contents(album.parent) == before
    assert not (album / "deep").exists()


def test_a_link_to_itself_is_no_place_for_pairs(album: Path, tmp_path: Path) -> None:
    (tmp_path / "self").symlink_to("self")
    with pytest.raises(DemosaicError, match="self is not a folder: choose another name"):
        build(album, tmp_path / "self")


def test_a_link_to_nothing_is_a_photo_that_cannot_be_read(album: Path, tmp_path: Path) -> None:
    (album / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert build(album, tmp_path / "out").skipped["cannot be read"] == 1


def test_a_pairs_folder_linked_among_the_photos_is_not_walked(album: Path, tmp_path: Path) -> None:
    (album / "pairs").symlink_to(tmp_path / "pairs")
    first = build(album, tmp_path / "pairs")
    again = build(album, tmp_path / "pairs")
    assert (again.photos, again.pairs, again.new_pairs) == (first.photos, first.pairs, 0)


def test_photos_are_only_read(album: Path, tmp_path: Path) -> None:
    before = contents(album)
    build(album, tmp_path / "out")
    assert contents(album) == before


# Where the square lies: photos whose red is x and whose green is y


def ruled(folder: Path, width: int, height: int) -> Path:
    """A folder with one photo whose every pixel tells where it is."""
    folder.mkdir(exist_ok=True)
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0], image[..., 1] = np.arange(width), np.arange(height)[:, None]
    write_png(folder / "ruled.png", image)
    return folder


@pytest.mark.parametrize(
    ("box", "corner"),
    [
        (Box(60, 50, 80, 80), (36, 26)),
        (Box(0, 50, 80, 80), (0, 26)),
        (Box(170, 50, 80, 80), (122, 26)),
        (Box(60, 0, 80, 80), (36, 0)),
        (Box(60, 120, 80, 80), (36, 72)),
        (Box(170, 120, 80, 80), (122, 72)),
        (Box(60, 60, 80, 60), (36, 26)),
    ],
)
def test_a_square_is_centred_on_the_face_and_shifted_inside(
    box: Box, corner: tuple[int, int], tmp_path: Path
) -> None:
    build(ruled(tmp_path / "photos", 250, 200), tmp_path / "out", CONFIG, detector=given(box))
    (line,) = lines(tmp_path / "out" / "pairs.jsonl")
    (path,) = (tmp_path / "out").glob("*/*.png")
    target = read_image(path)[:, 128:]
    assert tuple(target[0, 0, :2]) == corner
    assert tuple(target[127, 127, :2]) == (corner[0] + 127, corner[1] + 127)
    assert (line["box"], line["crop"]) == ([box.x, box.y, box.width, box.height], 128)
    assert line["keypoints"] == [[0.0, 1.1]] * 6


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        (Box(60, 60, 47, 60), "face too small"),
        (Box(60, 60, 60, 47), "face too small"),
        (Box(-1, 60, 80, 80), "face cut by the border"),
        (Box(60, -1, 80, 80), "face cut by the border"),
        (Box(171, 60, 80, 80), "face cut by the border"),
        (Box(60, 121, 80, 80), "face cut by the border"),
        (Box(10, 10, 140, 140), "too little round the face"),
    ],
)
def test_a_face_that_cannot_be_cut_out_is_left_out_with_its_reason(
    box: Box, reason: str, tmp_path: Path
) -> None:
    folder = ruled(tmp_path / "photos", 250, 200)
    good = Box(60, 60, 80, 80)
    report = build(folder, tmp_path / "out", CONFIG, detector=given(good, box))
    assert (report.pairs, report.skipped) == (1, {reason: 1})
    (line,) = lines(tmp_path / "out" / "skipped.jsonl")
    assert (line["photo"], line["reason"]) == ("ruled.png", reason)
    assert line["box"] == [box.x, box.y, box.width, box.height]


def test_the_largest_face_that_fits_is_kept(tmp_path: Path) -> None:
    folder = ruled(tmp_path / "photos", 250, 200)
    report = build(folder, tmp_path / "out", CONFIG, detector=given(Box(60, 30, 125, 125)))
    assert report.pairs == 1
    assert lines(tmp_path / "out" / "pairs.jsonl")[0]["crop"] == 200


def test_a_photo_stored_turned_gives_the_same_pair_as_upright(tmp_path: Path) -> None:
    drawn = people.photo(0, 0, 2)
    for orientation in (1, 6):
        folder = tmp_path / f"{orientation}"
        people.save(people.Photo(drawn.image, drawn.faces, orientation, "a.png"), folder)
        build(folder, tmp_path / f"out-{orientation}")
    first, second = (
        [decode(path.read_bytes()) for path in (tmp_path / f"out-{n}").glob("*/*.png")]
        for n in (1, 6)
    )
    assert len(first) == 1
    assert np.array_equal(first, second)
