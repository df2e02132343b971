"""The same files, however a build was interrupted, and whatever changed since."""

import errno
import json
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dataset_doubles import (
    HALF,
    build,
    contents,
    finding,
    folder_of,
    lines,
    pictures,
    saved_again,
    splits_of,
    stopped_after,
)
from demosaic.config.dataset import BuildConfig
from demosaic.dataset import crops
from demosaic.dataset.reader import open_pairs
from demosaic.dataset.splits import split_of
from demosaic.errors import PROBLEM, DemosaicError
from demosaic.imaging.encoding import write_png
from demosaic.imaging.geometry import Box
from kills import COUNTED

# Interrupted, killed, repeated


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


def test_a_build_continues_where_it_stopped(photos: Path, tmp_path: Path) -> None:
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
from demosaic.faces.short_range import ShortRangeDetector

def listen(event):
    if isinstance(event, PhotoDone):
        print(event.photo, flush=True)

build_dataset(
    Path(sys.argv[1]), Path(sys.argv[2]), BuildConfig(size=64, block=8),
    make_detector=partial(ShortRangeDetector, 0.5), detector_name="mediapipe", listen=listen,
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


def test_a_build_continues_after_a_kill_before_the_first_whole_file(
    photos: Path, straight: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".dataset.json.part").write_text('{"format": 1, "demo')
    build(photos, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(straight)


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


MOVED_OR_KILLED = f"""{COUNTED}
from functools import partial
from pathlib import Path
from demosaic.config.dataset import BuildConfig
from demosaic.dataset.build import build_dataset
from demosaic.dataset.writer import PairWriter
from demosaic.faces.short_range import ShortRangeDetector

settle = PairWriter.settle
def settle_with_kill(self, seen):
    Path.replace, Path.unlink = counted(Path.replace), counted(Path.unlink)
    return settle(self, seen)
PairWriter.settle = settle_with_kill

build_dataset(
    Path(sys.argv[1]), Path(sys.argv[2]), BuildConfig(size=64, block=8, val=0.5),
    make_detector=partial(ShortRangeDetector, 0.5), detector_name="mediapipe",
)
"""


@pytest.mark.parametrize("steps", [0, 1, 2, 4, 5])
def test_a_build_continues_after_a_kill_while_pairs_move(
    steps: int, album: Path, tmp_path: Path
) -> None:
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


def test_a_full_disk_ends_a_build_that_continues_when_there_is_room(
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


def test_building_again_changes_nothing(photos: Path, straight: Path, tmp_path: Path) -> None:
    shutil.copytree(straight, tmp_path / "out")
    report = build(photos, tmp_path / "out")
    assert report.new_pairs == 0
    assert contents(tmp_path / "out") == contents(straight)


# Photos that are added, changed, renamed


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


def test_a_copy_of_a_photo_is_skipped_and_the_original_named(album: Path, tmp_path: Path) -> None:
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


# Folders that hold something already


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


def test_a_dataset_that_refused_everything_takes_other_options(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    write_png(tmp_path / "photos" / "a.png", np.zeros((60, 60, 3), np.uint8))
    small = finding(Box(15, 15, 30, 30))
    with pytest.raises(DemosaicError, match="1 x face too small"):
        build(tmp_path / "photos", tmp_path / "out", detector=small)
    config = BuildConfig(size=64, block=8, min_face=20, min_sharpness=0)
    report = build(tmp_path / "photos", tmp_path / "out", config, detector=small)
    assert (report.pairs, dict(report.skipped)) == (1, {})
    assert not (tmp_path / "out" / "skipped.jpg").exists()


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
