"""A photo or a person is taken out of a dataset with every trace, and does not come back."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demosaic.config.dataset import BuildConfig
from demosaic.dataset.build import build_dataset
from demosaic.dataset.events import BuildReport, PhotoSkipped
from demosaic.dataset.forget import forget
from demosaic.dataset.reader import open_pairs
from demosaic.errors import DemosaicError
from demosaic.events import Event, Listener, ignore
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import write_png
from kills import COUNTED

CONFIG = BuildConfig(size=64, block=8, val=0.5)


def build(photos: Path, out: Path, looks: Path, listen: Listener = ignore) -> BuildReport:
    return build_dataset(
        photos,
        out,
        CONFIG,
        make_detector=partial(ShortRangeDetector, 0.5),
        detector_name="mediapipe",
        looks=looks,
        listen=listen,
    )


@pytest.fixture(scope="module")
def looks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache") / "looks"


@pytest.fixture(scope="module")
def built(photos: Path, looks: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An album of two people and a wall, and its dataset. Only read them."""
    folder = tmp_path_factory.mktemp("forgetting")
    album = folder / "album"
    shutil.copytree(photos / "person-000", album / "jane")
    shutil.copytree(photos / "person-002", album / "john")
    write_png(album / "jane" / "wall.png", np.full((300, 300, 3), 128, np.uint8))
    build(album, folder / "pairs", looks)
    return album, folder / "pairs"


@pytest.fixture
def album(built: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(built[0], tmp_path / "album"))


@pytest.fixture
def pairs(built: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(built[1], tmp_path / "pairs"))


@pytest.fixture
def cache(looks: Path, tmp_path: Path, built: tuple[Path, Path]) -> Path:
    return Path(shutil.copytree(looks, tmp_path / "looks"))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def hashes(folder: Path) -> set[str]:
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.*g")}


def without(album: Path, name: str, folder: Path, looks: Path) -> dict[str, bytes]:
    """What a dataset of the album is in which a photo or a folder never was."""
    kept = Path(shutil.copytree(album, folder / "kept"))
    shutil.rmtree(kept / name) if (kept / name).is_dir() else (kept / name).unlink()
    build(kept, folder / "never", looks)
    return contents(folder / "never")


def a_photo(album: Path) -> str:
    return sorted((album / "jane").rglob("*.jpg"))[0].relative_to(album).as_posix()


@pytest.mark.parametrize("kind", ["a photo", "a person"])
def test_what_is_forgotten_leaves_a_dataset_as_if_it_had_never_been_there(
    kind: str, album: Path, pairs: Path, cache: Path, tmp_path: Path
) -> None:
    name = a_photo(album) if kind == "a photo" else "jane"
    before = len(lines(pairs / "pairs.jsonl"))
    report = forget(pairs, name, looks=cache)
    after = contents(pairs)
    forgotten = [line["sha256"] for line in lines(pairs / "forgotten.jsonl")]
    assert forgotten == sorted(
        hashes(album / "jane")
        if kind == "a person"
        else [hashlib.sha256((album / name).read_bytes()).hexdigest()]
    )
    assert (report.photos, report.pairs) == (
        len(forgotten),
        before - len(lines(pairs / "pairs.jsonl")),
    )
    assert not [path for path in cache.rglob("*.json") if path.stem in forgotten]
    assert len(list(cache.rglob("*.json"))) > 0
    build(album, pairs, cache)
    expected = without(album, name, tmp_path, cache)
    assert {**expected, "forgotten.jsonl": after["forgotten.jsonl"]} == contents(pairs)
    del after["forgotten.jsonl"]
    expected.pop("skipped.jpg", None)  # the next build draws it
    assert after == expected
    assert not [path for path in cache.rglob("*.json") if path.stem in forgotten]


def test_no_file_names_what_is_forgotten(album: Path, pairs: Path, cache: Path) -> None:
    forget(pairs, "jane/", looks=cache)
    build(album, pairs, cache)
    assert not [name for name, data in contents(pairs).items() if b"jane" in data]
    assert not {name for name in contents(pairs) if "jane" in name}


def test_a_later_build_leaves_it_out_whatever_its_name_and_counts_it(
    album: Path, pairs: Path, cache: Path
) -> None:
    forget(pairs, a_photo(album), looks=cache)
    (album / a_photo(album)).rename(album / "john" / "renamed.jpg")
    events: list[Event] = []
    report = build(album, pairs, cache, events.append)
    assert report.skipped["forgotten"] == 1
    assert PhotoSkipped("john/renamed.jpg", "forgotten") in events
    assert "john/renamed.jpg" not in {line["photo"] for line in lines(pairs / "pairs.jsonl")}
    assert b"renamed" not in b"".join(contents(pairs).values())


def test_the_copies_of_a_photo_go_with_it_and_near_ones_are_named(
    album: Path, pairs: Path, cache: Path
) -> None:
    photo = album / a_photo(album)
    shutil.copy(photo, album / "john" / "copy.jpg")
    with Image.open(photo) as opened:
        opened.convert("RGB").resize((opened.width // 2, opened.height // 2)).save(
            album / "john" / "small.png", exif=opened.getexif()
        )
    build(album, pairs, cache)
    report = forget(pairs, a_photo(album), looks=cache)
    assert report.alike == ("john/small.png",)
    left = {line["photo"] for line in lines(pairs / "pairs.jsonl") + lines(pairs / "skipped.jsonl")}
    assert not left & {a_photo(album), "john/copy.jpg"}
    assert "john/small.png" in left


def test_what_an_expression_finds_is_a_person_too(
    built: tuple[Path, Path], cache: Path, tmp_path: Path
) -> None:
    config = BuildConfig(size=64, block=8, group_by="^(j)a|^(?:j)(o)")
    build_dataset(
        built[0],
        tmp_path / "by-letter",
        config,
        make_detector=partial(ShortRangeDetector, 0.5),
        detector_name="mediapipe",
        looks=cache,
    )
    forget(tmp_path / "by-letter", "j", looks=cache)
    left = {str(line["photo"]) for line in lines(tmp_path / "by-letter" / "pairs.jsonl")}
    assert left and all(photo.startswith("john/") for photo in left)


def test_a_dataset_stays_one_to_train_on(album: Path, pairs: Path) -> None:
    forget(pairs, "jane")
    left = open_pairs(pairs, direction="left-to-right", multiple=32)
    assert {path.stem for path in [*left.train, *left.val]} == {
        line["id"] for line in lines(pairs / "pairs.jsonl")
    }
    assert min(read_image(pairs / "preview.jpg").shape[:2]) > 100


def test_everybody_can_be_forgotten(album: Path, pairs: Path, cache: Path) -> None:
    forget(pairs, "jane", looks=cache)
    forget(pairs, "john", looks=cache)
    assert not list(pairs.glob("*/*.png")) and not list(pairs.glob("*.jpg"))
    assert (pairs / "pairs.jsonl").read_bytes() == (pairs / "skipped.jsonl").read_bytes() == b""
    assert not list(cache.rglob("*.json"))


def test_photos_of_an_interrupted_build_can_be_forgotten_and_it_continues(
    album: Path, pairs: Path, cache: Path, tmp_path: Path
) -> None:
    record = json.loads((pairs / "dataset.json").read_text())
    del record["fingerprint"], record["state"]
    (pairs / "dataset.json").write_text(json.dumps(record))
    forget(pairs, "jane", looks=cache)
    with pytest.raises(DemosaicError, match="unfinished"):
        open_pairs(pairs, direction="left-to-right", multiple=32)
    assert b"jane" not in b"".join(contents(pairs).values())
    build(album, pairs, cache)
    expected = without(album, "jane", tmp_path, cache)
    found = contents(pairs)
    del found["forgotten.jsonl"]
    assert found == expected


KILLED = f"""{COUNTED}
from pathlib import Path
from demosaic.dataset.forget import forget

Path.replace, Path.unlink = counted(Path.replace), counted(Path.unlink)
forget(Path(sys.argv[1]), "jane", looks=Path(sys.argv[2]))
"""


@pytest.mark.parametrize("then", ["forget", "build"])
@pytest.mark.parametrize("steps", [2, 3, 5, 8, 9, 10, 11, 13, 15])
def test_forgetting_continues_after_a_kill_at_any_step(
    steps: int, then: str, album: Path, pairs: Path, cache: Path, tmp_path: Path
) -> None:
    """By the same command, and by a build."""
    command = [sys.executable, "-c", KILLED, str(pairs), str(cache), str(steps)]
    assert subprocess.run(command, check=False).returncode == 9
    again: dict[str, Callable[[], object]] = {
        "forget": lambda: forget(pairs, "jane", looks=cache),
        "build": lambda: build(album, pairs, cache),
    }
    again[then]()
    assert b"jane" not in b"".join(contents(pairs).values())
    assert not [p for p in cache.rglob("*.json") if p.stem in hashes(album / "jane")]
    assert not list(pairs.rglob(".*.part"))
    open_pairs(pairs, direction="left-to-right", multiple=32)
    build(album, pairs, cache)
    found = contents(pairs)
    del found["forgotten.jsonl"]
    assert found == without(album, "jane", tmp_path, cache)


def test_a_name_that_is_not_there_is_refused_and_nothing_changes(
    album: Path, pairs: Path, tmp_path: Path
) -> None:
    before = contents(pairs)
    for name in ("jan", "jane/nothing.jpg", "j", ""):
        with pytest.raises(DemosaicError, match="give a photo or a folder as"):
            forget(pairs, name)
    assert contents(pairs) == before
    with pytest.raises(DemosaicError, match="holds no dataset"):
        forget(album, "jane")
    with pytest.raises(DemosaicError, match="holds no dataset"):
        forget(tmp_path / "gone", "jane")


def test_a_dataset_of_another_version_is_refused(pairs: Path) -> None:
    record = json.loads((pairs / "dataset.json").read_text())
    record["config"]["shoe_size"] = 43
    (pairs / "dataset.json").write_text(json.dumps(record))
    with pytest.raises(DemosaicError, match="another version of demosaic"):
        forget(pairs, "jane")
