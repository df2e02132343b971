"""Pairs as a model sees them."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from dataset_doubles import opened, red_and_blue
from demosaic.errors import DemosaicError
from demosaic.imaging.arrays import Pixels, to_float
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import write_png


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


def test_pictures_of_another_size_are_brought_to_the_network_s(tmp_path: Path) -> None:
    red_and_blue(tmp_path / "train", 3, size=70)
    pairs = opened(tmp_path)
    assert pairs.size == 64
    assert [half.shape for half in pairs.read(pairs.train[0])] == [(64, 64, 3)] * 2
    red_and_blue(tmp_path / "small", 3, size=20)
    assert opened(tmp_path / "small").size == 32


def test_an_odd_column_in_the_middle_belongs_to_neither_half(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    picture: Pixels = np.zeros((32, 65, 3), np.uint8)
    picture[:, 33:] = 200
    write_png(tmp_path / "train" / "a.png", picture)
    observed, target = opened(tmp_path).read(tmp_path / "train" / "a.png")
    assert (int(observed.max()), int(target.min())) == (0, 200)


def test_a_picture_too_narrow_to_have_halves_is_named(tmp_path: Path) -> None:
    red_and_blue(tmp_path / "train", 2)
    write_png(tmp_path / "train" / "thin.png", np.zeros((32, 1, 3), np.uint8))
    with pytest.raises(DemosaicError, match=r"thin\.png"):
        opened(tmp_path).read(tmp_path / "train" / "thin.png")


def shades(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> list[int]:
    """The shade of red that tells a picture from the others, of each of a batch."""
    return [round(float(value + 1) * 127.5) for value in values[:, 0, 0, 0]]


def test_what_is_drawn_depends_on_seed_and_step_alone(tmp_path: Path) -> None:
    red_and_blue(tmp_path / "train", 40)
    pairs, fresh = opened(tmp_path), opened(tmp_path)
    drawn = {
        (seed, step): shades(pairs.draw(8, seed=seed, step=step, limit=None).observed)
        for seed in (0, 1)
        for step in (1, 2, 3)
    }
    assert shades(fresh.draw(8, seed=1, step=2, limit=None).observed) == drawn[1, 2]
    assert len({tuple(value) for value in drawn.values()}) == 6


def test_drawing_is_with_replacement_from_all_training_pairs(tmp_path: Path) -> None:
    red_and_blue(tmp_path / "train", 20)
    pairs = opened(tmp_path)
    batch = pairs.draw(400, seed=0, step=0, limit=None)
    counts = Counter(shades(batch.observed))
    assert set(counts) == {10 + int(path.stem) for path in pairs.train}
    assert 5 < min(counts.values()) <= max(counts.values()) < 50


def test_observed_and_target_of_a_draw_belong_together(tmp_path: Path) -> None:
    red_and_blue(tmp_path / "train", 20)
    batch = opened(tmp_path).draw(16, seed=0, step=0, limit=None)
    assert np.array_equal(batch.observed[:, 0], batch.target[:, 2])


def test_a_limit_takes_the_first_by_hash_and_leaves_validation_alone(tmp_path: Path) -> None:
    red_and_blue(tmp_path / "train", 40)
    pairs = opened(tmp_path)
    drawn = set(shades(pairs.draw(200, seed=0, step=0, limit=5).observed))
    assert drawn == {10 + int(path.stem) for path in pairs.train[:5]}
    names = [int(path.stem) for path in pairs.train]
    assert names != sorted(names)  # by hash, not by name
    renewed = opened(tmp_path)
    assert (renewed.train, renewed.val) == (pairs.train, pairs.val)
    assert not set(pairs.train) & set(pairs.val)


def test_a_limit_beyond_the_last_pair_is_all_of_them(tmp_path: Path) -> None:
    red_and_blue(tmp_path / "train", 10)
    pairs = opened(tmp_path)
    assert np.array_equal(
        pairs.draw(8, seed=0, step=0, limit=500).observed,
        pairs.draw(8, seed=0, step=0, limit=None).observed,
    )
