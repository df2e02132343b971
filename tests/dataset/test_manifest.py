"""The files of a dataset, whole after a kill, and refused when damaged."""

import json
import re
from pathlib import Path

import pytest

from dataset_doubles import a_pair, build, contents, stopped_after
from demosaic.config.dataset import BuildConfig
from demosaic.dataset.manifest import Manifest
from demosaic.dataset.records import Header, Skipped
from demosaic.errors import DemosaicError

PAIR = vars(a_pair(1, "a.jpg"))
SKIPPED = Skipped("b.jpg", "0" * 64, "face too small", "30 x 40 px", (1, 2, 30, 40))


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """That of an empty dataset."""
    made = Manifest(tmp_path)
    made.prepare()
    made.describe(BuildConfig(), "building", {})
    return made


def test_lines_and_header_come_back_as_they_were_written(manifest: Manifest) -> None:
    pairs = [a_pair(1, "a.jpg"), a_pair(2, "c.jpg", split="train", burst=("0" * 16, "1" * 16))]
    for pair in pairs:
        manifest.add_pair(pair, b"PNG")
    manifest.add_skipped(SKIPPED)
    manifest.write_forgotten({"b" * 64, "a" * 64})
    header = manifest.header()
    assert header is not None
    assert (manifest.pairs(), manifest.skipped()) == (pairs, [SKIPPED])
    assert manifest.forgotten() == {"a" * 64, "b" * 64}
    assert manifest.config(header) == BuildConfig()
    assert (header.state, header.fingerprint) == ("building", None)
    written = contents(manifest.folder)
    manifest.write(pairs, [SKIPPED])
    assert contents(manifest.folder) == written


def test_a_folder_without_a_dataset_has_no_header_and_no_lines(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    assert (manifest.header(), manifest.pairs(), manifest.skipped()) == (None, [], [])
    assert manifest.forgotten() == set()
    assert list(tmp_path.iterdir()) == []


def test_pictures_go_where_their_pairs_are_and_orphans_go(manifest: Manifest) -> None:
    moved, stays = a_pair(1, "a.jpg"), a_pair(2, "b.jpg")
    for pair in (moved, stays, a_pair(3, "c.jpg")):
        manifest.add_pair(pair, pair.id.encode())
    (manifest.folder / "spare" / f".{stays.id}.png.part").write_bytes(b"half")
    after = {moved.id: a_pair(1, "a.jpg", split="val"), stays.id: stays}
    manifest.move_pictures(after)
    manifest.remove_orphans(after)
    pictures = {name for name in contents(manifest.folder) if name.endswith(("png", "part"))}
    assert pictures == {f"val/{moved.id}.png", f"spare/{stays.id}.png"}
    assert not (manifest.folder / "train").exists()


@pytest.mark.parametrize(
    ("name", "line", "said"),
    [
        ("pairs.jsonl", {"id": "0"}, "split: missing"),
        (
            "pairs.jsonl",
            {**vars(a_pair(1, "a.jpg")), "split": ".."},
            "split: '..' is none of train",
        ),
        (
            "pairs.jsonl",
            {**vars(a_pair(1, "a.jpg")), "score": "high"},
            "score: 'high' is not a num",
        ),
        ("skipped.jsonl", {"photo": "a.jpg"}, "sha256: missing; reason: missing"),
        ("forgotten.jsonl", {"sha256": 3}, "sha256: 3 is not str"),
        ("forgotten.jsonl", [], "not an object"),
    ],
)
def test_a_damaged_line_is_named(name: str, line: object, said: str, manifest: Manifest) -> None:
    path = manifest.folder / name
    path.write_text("\n" + json.dumps(line) + "\n")
    with pytest.raises(DemosaicError) as caught:
        _ = manifest.pairs(), manifest.skipped(), manifest.forgotten()
    assert str(caught.value).startswith(
        f"{path}, line 2 is damaged, or from another version of demosaic ("
    )
    assert said in str(caught.value)


def test_a_line_that_is_no_json_is_named(manifest: Manifest) -> None:
    path = manifest.folder / "pairs.jsonl"
    path.write_text(json.dumps(vars(a_pair(1, "a.jpg"))) + "\n{\n")
    with pytest.raises(DemosaicError, match=re.escape(f"{path}, line 2 is damaged: it is not")):
        manifest.pairs()


def test_a_header_of_an_early_version_is_read(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text('{"format": 1, "config": {"size": 64}, "colour": "red"}')
    assert Manifest(tmp_path).header() == Header(1, {"size": 64})


@pytest.mark.parametrize("torn", ["pairs.jsonl", "skipped.jsonl"])
def test_a_build_continues_after_a_kill_inside_a_line(
    torn: str, album: Path, tmp_path: Path
) -> None:
    (album / "person-000" / "0.jpg").write_text("not a picture")
    build(album, tmp_path / "straight")
    with stopped_after(4) as listen:
        build(album, tmp_path / "out", listen=listen)
    data = (tmp_path / "out" / torn).read_bytes()
    (tmp_path / "out" / torn).write_bytes(data[:-20])
    build(album, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")
