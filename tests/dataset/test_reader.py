"""The dataset, read while a model learns."""

import json
import shutil
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from demosaic.config.dataset import BuildConfig
from demosaic.config.training import Direction
from demosaic.dataset.build import build_dataset
from demosaic.dataset.reader import Pairs, open_pairs
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.faces.detector import MediaPipeDetector
from demosaic.imaging.arrays import Pixels, to_float
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import write_png
from demosaic.mosaic.grid import Grid


def side_by_side(folder: Path, count: int, *, size: int = 32, start: int = 0) -> None:
    """Pictures like pix2pix's: a red left half and a blue right half, each of its own shade."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(start, start + count):
        picture = np.zeros((size, 2 * size, 3), np.uint8)
        picture[:, :size, 0] = picture[:, size:, 2] = 10 + number
        write_png(folder / f"{number}.png", picture)


def opened(folder: Path, direction: Direction = "left-to-right", multiple: int = 32) -> Pairs:
    return open_pairs(folder, direction=direction, multiple=multiple)


# A demosaic dataset


def test_a_dataset_is_read_with_its_own_splits(dataset: Path) -> None:
    pairs = opened(dataset, multiple=256)
    lines = [json.loads(line) for line in (dataset / "pairs.jsonl").read_text().splitlines()]
    ids = {line["id"] for line in lines if line["split"] == "train"}
    assert {path.stem for path in pairs.train} == ids
    assert {path.stem for path in pairs.val} == {line["id"] for line in lines} - ids
    assert pairs.size == 256
    assert pairs.grids == dict.fromkeys({line["id"] for line in lines}, Grid.square(16))
    assert pairs.grid(pairs.train[0]) == Grid.square(16)
    assert pairs.fingerprint == json.loads((dataset / "dataset.json").read_text())["fingerprint"]


def test_observed_is_the_left_half_and_target_the_right(dataset: Path) -> None:
    pairs = opened(dataset, multiple=256)
    picture = read_image(pairs.train[0])
    observed, target = pairs.read(pairs.train[0])
    assert np.array_equal(observed, picture[:, :256])
    assert np.array_equal(target, picture[:, 256:])


def test_the_other_direction_swaps_them_and_has_no_grid(dataset: Path) -> None:
    pairs = opened(dataset, "right-to-left", multiple=256)
    picture = read_image(pairs.train[0])
    observed, target = pairs.read(pairs.train[0])
    assert np.array_equal(observed, picture[:, 256:])
    assert np.array_equal(target, picture[:, :256])
    assert pairs.grid(pairs.train[0]) is None


def test_a_batch_is_what_training_takes(dataset: Path) -> None:
    pairs = opened(dataset, multiple=256)
    batch = pairs.batch(pairs.train[:3])
    halves = [pairs.read(path) for path in pairs.train[:3]]
    assert batch.observed.dtype == batch.target.dtype == np.float32
    assert np.array_equal(batch.observed, np.stack([to_float(half) for half, _ in halves]))
    assert np.array_equal(batch.target, np.stack([to_float(half) for _, half in halves]))


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


# Any folder of side-by-side pictures


def test_a_pix2pix_folder_is_read(tmp_path: Path) -> None:
    side_by_side(tmp_path / "train", 5)
    side_by_side(tmp_path / "val", 2, start=5)
    pairs = opened(tmp_path)
    assert {path.name for path in pairs.train} == {f"{n}.png" for n in range(5)}
    assert {path.name for path in pairs.val} == {"5.png", "6.png"}
    assert pairs.size == 32
    assert pairs.grid(pairs.train[0]) is None
    observed, target = pairs.read(tmp_path / "train" / "3.png")
    assert np.array_equal(observed[0, 0], (13, 0, 0))
    assert np.array_equal(target[31, 31], (0, 0, 13))


def test_its_test_pictures_are_held_out_when_it_has_no_val(tmp_path: Path) -> None:
    side_by_side(tmp_path / "train", 5)
    side_by_side(tmp_path / "test", 2, start=5)
    pairs = opened(tmp_path)
    assert len(pairs.train) == 5
    assert {path.name for path in pairs.val} == {"5.png", "6.png"}


def test_a_tenth_is_held_out_when_there_is_nothing_else(tmp_path: Path) -> None:
    side_by_side(tmp_path / "split" / "train", 30)
    side_by_side(tmp_path / "flat", 30)
    for pairs in (opened(tmp_path / "split"), opened(tmp_path / "flat")):
        assert (len(pairs.train), len(pairs.val)) == (27, 3)
        assert {path.name for path in pairs.train + pairs.val} == {f"{n}.png" for n in range(30)}


def test_whole_people_are_held_out_when_none_were_kept_for_validation(
    photos: Path, tmp_path: Path
) -> None:
    build_dataset(
        photos,
        tmp_path / "pairs",
        BuildConfig(size=32, block=8, val=0),
        make_detector=partial(MediaPipeDetector, 0.5),
        detector_name="mediapipe",
    )
    pairs = opened(tmp_path / "pairs")
    lines = [json.loads(line) for line in (tmp_path / "pairs/pairs.jsonl").read_text().splitlines()]
    group = {line["id"]: line["group"] for line in lines}
    trained, held_out = ({group[path.stem] for path in part} for part in (pairs.train, pairs.val))
    assert len(pairs.train) + len(pairs.val) == len(lines)
    assert held_out and trained and not trained & held_out


def test_what_is_no_picture_in_a_foreign_folder_is_left_out_and_named(tmp_path: Path) -> None:
    side_by_side(tmp_path / "train", 4)
    (tmp_path / "train" / "notes.txt").write_text("about these pictures")
    pairs = opened(tmp_path)
    assert pairs.left_out == [tmp_path / "train" / "notes.txt"]
    assert len(pairs.train) + len(pairs.val) == 4


def test_a_folder_of_photos_is_not_taken_for_pairs(photos: Path) -> None:
    with pytest.raises(DemosaicError, match="for a folder of photos run build-dataset first"):
        opened(photos)


def test_the_val_pictures_of_a_folder_without_train_are_not_trained_on(tmp_path: Path) -> None:
    side_by_side(tmp_path, 3)
    side_by_side(tmp_path / "val", 2, start=3)
    pairs = opened(tmp_path)
    assert sorted(path.name for path in pairs.train) == ["0.png", "1.png", "2.png"]
    assert sorted(path.name for path in pairs.val) == ["3.png", "4.png"]


def test_a_single_picture_is_trained_on_and_looked_at(tmp_path: Path) -> None:
    side_by_side(tmp_path / "train", 1)
    pairs = opened(tmp_path)
    assert pairs.train == pairs.val == [tmp_path / "train" / "0.png"]


def test_pictures_of_another_size_are_brought_to_the_network_s(tmp_path: Path) -> None:
    side_by_side(tmp_path / "train", 3, size=70)
    pairs = opened(tmp_path)
    assert pairs.size == 64
    assert [half.shape for half in pairs.read(pairs.train[0])] == [(64, 64, 3)] * 2
    side_by_side(tmp_path / "small", 3, size=20)
    assert opened(tmp_path / "small").size == 32


def test_an_odd_column_in_the_middle_belongs_to_neither_half(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    picture: Pixels = np.zeros((32, 65, 3), np.uint8)
    picture[:, 33:] = 200
    write_png(tmp_path / "train" / "a.png", picture)
    observed, target = opened(tmp_path).read(tmp_path / "train" / "a.png")
    assert (observed.max(), target.min()) == (0, 200)


def test_a_picture_too_narrow_to_have_halves_is_named(tmp_path: Path) -> None:
    side_by_side(tmp_path / "train", 2)
    write_png(tmp_path / "train" / "thin.png", np.zeros((32, 1, 3), np.uint8))
    with pytest.raises(DemosaicError, match=r"thin\.png"):
        opened(tmp_path).read(tmp_path / "train" / "thin.png")


def test_another_set_of_pictures_has_another_fingerprint(tmp_path: Path) -> None:
    side_by_side(tmp_path / "train", 5)
    first, again = opened(tmp_path).fingerprint, opened(tmp_path).fingerprint
    side_by_side(tmp_path / "train", 1, start=5)
    assert first == again != opened(tmp_path).fingerprint


def test_a_folder_without_pictures_or_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    with pytest.raises(DemosaicError, match="pairs") as caught:
        opened(tmp_path)
    assert caught.value.exit_code == NOTHING_TO_DO
    with pytest.raises(DemosaicError, match="is not a folder"):
        opened(tmp_path / "gone")


# What a step trains on


def shades(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> list[int]:
    """The shade of red that tells a picture from the others, of each of a batch."""
    return [round(float(value + 1) * 127.5) for value in values[:, 0, 0, 0]]


def test_what_is_drawn_depends_on_seed_and_step_alone(tmp_path: Path) -> None:
    side_by_side(tmp_path / "train", 40)
    pairs, fresh = opened(tmp_path), opened(tmp_path)
    drawn = {
        (seed, step): shades(pairs.draw(8, seed=seed, step=step, limit=None).observed)
        for seed in (0, 1)
        for step in (1, 2, 3)
    }
    assert shades(fresh.draw(8, seed=1, step=2, limit=None).observed) == drawn[1, 2]
    assert len({tuple(value) for value in drawn.values()}) == 6


def test_drawing_is_with_replacement_from_all_training_pairs(tmp_path: Path) -> None:
    side_by_side(tmp_path / "train", 20)
    pairs = opened(tmp_path)
    batch = pairs.draw(400, seed=0, step=0, limit=None)
    counts = Counter(shades(batch.observed))
    assert set(counts) == {10 + int(path.stem) for path in pairs.train}
    assert 5 < min(counts.values()) <= max(counts.values()) < 50


def test_observed_and_target_of_a_draw_belong_together(tmp_path: Path) -> None:
    side_by_side(tmp_path / "train", 20)
    batch = opened(tmp_path).draw(16, seed=0, step=0, limit=None)
    assert np.array_equal(batch.observed[:, 0], batch.target[:, 2])


def test_a_limit_takes_the_first_by_hash_and_leaves_validation_alone(tmp_path: Path) -> None:
    side_by_side(tmp_path / "train", 40)
    pairs = opened(tmp_path)
    drawn = set(shades(pairs.draw(200, seed=0, step=0, limit=5).observed))
    assert drawn == {10 + int(path.stem) for path in pairs.train[:5]}
    names = [int(path.stem) for path in pairs.train]
    assert names != sorted(names)  # by hash, not by name
    renewed = opened(tmp_path)
    assert (renewed.train, renewed.val) == (pairs.train, pairs.val)
    assert not set(pairs.train) & set(pairs.val)


def test_a_limit_beyond_the_last_pair_is_all_of_them(tmp_path: Path) -> None:
    side_by_side(tmp_path / "train", 10)
    pairs = opened(tmp_path)
    assert np.array_equal(
        pairs.draw(8, seed=0, step=0, limit=500).observed,
        pairs.draw(8, seed=0, step=0, limit=None).observed,
    )
