"""Which pictures of a folder are trained on."""

import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from dataset_doubles import build, opened, red_and_blue
from demosaic.config.dataset import BuildConfig
from demosaic.dataset.build import build_dataset
from demosaic.dataset.reader import open_pairs
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.mosaic.grid import Grid

# A dataset of ours


def test_a_dataset_is_read_with_its_own_splits(dataset: Path) -> None:
    pairs = opened(dataset, multiple=256)
    lines = [json.loads(line) for line in (dataset / "pairs.jsonl").read_text().splitlines()]
    ids = {line["id"] for line in lines if line["split"] == "train"}
    assert {path.stem for path in pairs.train} == ids
    assert {path.stem for path in pairs.val} == {line["id"] for line in lines} - ids
    assert pairs.size == 256
    assert pairs.grids == dict.fromkeys({line["id"] for line in lines}, Grid.square(16))
    assert pairs.grid(pairs.train[0]) == Grid.square(16)
    enlarged = {line["id"]: line["enlarged"] for line in lines}
    assert {path.stem: pairs.enlarged(path) for path in [*pairs.train, *pairs.val]} == enlarged
    assert pairs.fingerprint == json.loads((dataset / "dataset.json").read_text())["fingerprint"]


def test_an_unfinished_dataset_is_refused_with_the_way_on(dataset: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pairs"
    shutil.copytree(dataset, folder)
    record = json.loads((folder / "dataset.json").read_text())
    del record["fingerprint"]
    (folder / "dataset.json").write_text(json.dumps(record))
    with pytest.raises(DemosaicError, match="unfinished: run the same build-dataset command again"):
        opened(folder, multiple=256)


def test_a_size_the_network_cannot_take_is_refused_with_one_it_can(
    dataset: Path, tmp_path: Path
) -> None:
    for size, multiple, advice in ((200, 256, 256), (48, 32, 64), (700, 256, 768)):
        folder = tmp_path / f"{size}"
        shutil.copytree(dataset, folder)
        record = json.loads((folder / "dataset.json").read_text())
        record["config"]["size"] = size
        (folder / "dataset.json").write_text(json.dumps(record))
        with pytest.raises(DemosaicError) as caught:
            opened(folder, multiple=multiple)
        assert f"--size {advice}" in str(caught.value)
        assert BuildConfig(size=advice).size % multiple == 0


def test_whole_people_are_held_out_when_none_were_kept_for_validation(
    photos: Path, tmp_path: Path
) -> None:
    build_dataset(
        photos,
        tmp_path / "pairs",
        BuildConfig(size=32, block=8, val=0),
        make_detector=partial(ShortRangeDetector, 0.5),
        detector_name="mediapipe",
    )
    pairs = opened(tmp_path / "pairs")
    lines = [json.loads(line) for line in (tmp_path / "pairs/pairs.jsonl").read_text().splitlines()]
    group = {line["id"]: line["group"] for line in lines}
    trained, held_out = ({group[path.stem] for path in part} for part in (pairs.train, pairs.val))
    assert len(pairs.train) + len(pairs.val) == len(lines)
    assert held_out and trained and not trained & held_out


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


# Any folder of side-by-side pictures


def test_a_pix2pix_folder_is_read(tmp_path: Path) -> None:
    red_and_blue(tmp_path / "train", 5)
    red_and_blue(tmp_path / "val", 2, start=5)
    pairs = opened(tmp_path)
    assert {path.name for path in pairs.train} == {f"{n}.png" for n in range(5)}
    assert {path.name for path in pairs.val} == {"5.png", "6.png"}
    assert pairs.size == 32
    assert pairs.grid(pairs.train[0]) is None
    observed, target = pairs.read(tmp_path / "train" / "3.png")
    assert np.array_equal(observed[0, 0], (13, 0, 0))
    assert np.array_equal(target[31, 31], (0, 0, 13))


def test_its_test_pictures_are_held_out_when_it_has_no_val(tmp_path: Path) -> None:
    red_and_blue(tmp_path / "train", 5)
    red_and_blue(tmp_path / "test", 2, start=5)
    pairs = opened(tmp_path)
    assert len(pairs.train) == 5
    assert {path.name for path in pairs.val} == {"5.png", "6.png"}


def test_a_tenth_is_held_out_when_there_is_nothing_else(tmp_path: Path) -> None:
    red_and_blue(tmp_path / "split" / "train", 30)
    red_and_blue(tmp_path / "flat", 30)
    for pairs in (opened(tmp_path / "split"), opened(tmp_path / "flat")):
        assert (len(pairs.train), len(pairs.val)) == (27, 3)
        assert {path.name for path in [*pairs.train, *pairs.val]} == {f"{n}.png" for n in range(30)}


def test_files_that_are_no_pictures_are_left_out_and_named(tmp_path: Path) -> None:
    red_and_blue(tmp_path / "train", 4)
    (tmp_path / "train" / "notes.txt").write_text("about these pictures")
    pairs = opened(tmp_path)
    assert pairs.left_out == [tmp_path / "train" / "notes.txt"]
    assert len(pairs.train) + len(pairs.val) == 4


def test_a_folder_of_photos_is_not_taken_for_pairs(photos: Path) -> None:
    with pytest.raises(DemosaicError, match="for a folder of photos run build-dataset first"):
        opened(photos)


def test_the_val_pictures_of_a_folder_without_train_are_not_trained_on(tmp_path: Path) -> None:
    red_and_blue(tmp_path, 3)
    red_and_blue(tmp_path / "val", 2, start=3)
    pairs = opened(tmp_path)
    assert sorted(path.name for path in pairs.train) == ["0.png", "1.png", "2.png"]
    assert sorted(path.name for path in pairs.val) == ["3.png", "4.png"]


def test_a_single_picture_is_trained_on_and_looked_at(tmp_path: Path) -> None:
    red_and_blue(tmp_path / "train", 1)
    pairs = opened(tmp_path)
    assert pairs.train == pairs.val == [tmp_path / "train" / "0.png"]


def test_another_set_of_pictures_has_another_fingerprint(tmp_path: Path) -> None:
    red_and_blue(tmp_path / "train", 5)
    first, again = opened(tmp_path).fingerprint, opened(tmp_path).fingerprint
    red_and_blue(tmp_path / "train", 1, start=5)
    assert first == again != opened(tmp_path).fingerprint


def test_a_folder_without_pictures_or_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    with pytest.raises(DemosaicError, match="pairs") as caught:
        opened(tmp_path)
    assert caught.value.exit_code == NOTHING_TO_DO
    with pytest.raises(DemosaicError, match="is not a folder"):
        opened(tmp_path / "gone")
