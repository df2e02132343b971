"""Two folders of pictures become side-by-side pictures."""

from pathlib import Path

import numpy as np
import pytest

from demosaic.dataset.events import JoinReport
from demosaic.dataset.joining import join_folders
from demosaic.dataset.reader import open_pairs
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.imaging.encoding import write_jpeg
from doubles import demosaic, noise, save


def two_folders(folder: Path) -> tuple[Path, Path]:
    inputs, targets = folder / "A", folder / "B"
    for number in range(3):
        split = "val" if number == 2 else "train"
        for place, seed in ((inputs, number), (targets, 10 + number)):
            (place / split).mkdir(parents=True, exist_ok=True)
            save(place / split / f"{number}.png", noise(seed))
    save(inputs / "train" / "alone.png", noise(5))
    save(inputs / "train" / "odd.png", noise(6))
    write_jpeg(targets / "train" / "odd.jpg", noise(7, 48))
    (inputs / "train" / "broken.png").write_bytes(b"no")
    save(targets / "train" / "broken.png", noise(8))
    return inputs, targets


def test_pictures_of_the_same_name_stand_side_by_side_in_their_split(tmp_path: Path) -> None:
    inputs, targets = two_folders(tmp_path)
    out = tmp_path / "pairs"
    left_out = {
        "no picture of that name among the targets": 1,
        "not a picture": 1,
        "of another size than its target": 1,
    }
    report = join_folders(inputs, targets, out)
    assert report == JoinReport(str(out), 3, left_out)
    pairs = open_pairs(out, direction="left-to-right", multiple=32)
    assert (len(pairs.train), len(pairs.val)) == (2, 1)
    observed, target = pairs.read(pairs.val[0])
    assert np.array_equal(observed, noise(2))
    assert np.array_equal(target, noise(12))
    with pytest.raises(DemosaicError, match="is not empty: name a new folder"):
        join_folders(inputs, targets, out)


def test_folders_without_common_names_are_nothing_to_do(tmp_path: Path) -> None:
    for name in ("A", "B"):
        (tmp_path / name).mkdir()
        save(tmp_path / name / f"{name}.png", noise())
    with pytest.raises(DemosaicError, match="nothing to join: 1 x no picture of that") as raised:
        join_folders(tmp_path / "A", tmp_path / "B", tmp_path / "out")
    assert raised.value.exit_code == NOTHING_TO_DO


def test_the_command_says_what_is_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two_folders(tmp_path)
    monkeypatch.chdir(tmp_path)
    code, said, _ = demosaic("build-dataset", "A", "pairs", "--targets", "B")
    first, second, third = said.splitlines()
    assert (code, first) == (0, "3 side-by-side pictures in pairs")
    assert second.startswith("left out: 1 x ")
    assert third == "next: demosaic train pairs --preset seed"
