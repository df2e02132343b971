"""Which faces of an album are learnt, and what is kept of the model to start from."""

from pathlib import Path

import pytest
import torch
from torch import nn

from demosaic.dataset.listing import Listing
from demosaic.dataset.reader import Pairs
from demosaic.errors import DemosaicError
from demosaic.files import write_lines
from demosaic.training.album import FEWEST, album_faces, blended


def pairs(folder: Path, **people: int) -> Pairs:
    """A dataset with so many faces of each person, of records only."""
    photos = [f"{name}/{number}.jpg" for name, count in people.items() for number in range(count)]
    lines = [{"id": f"{number:016x}", "photo": photo} for number, photo in enumerate(photos)]
    write_lines(folder / "pairs.jsonl", lines)
    paths = [folder / "train" / f"{line['id']}.png" for line in lines]
    return Pairs(folder, "left-to-right", Listing(paths, [], [], size=64, fingerprint="f"))


def test_people_with_photos_enough_are_learnt_and_the_others_left_out(tmp_path: Path) -> None:
    found = pairs(tmp_path, ann=FEWEST, bob=FEWEST - 1, cid=FEWEST + 1, dan=1)
    chosen, said = album_faces(found, found.train)
    assert chosen == [*found.train[:FEWEST], *found.train[2 * FEWEST - 1 : -1]]
    assert said == "an album: 2 people, 31 faces; 2 folders of fewer than 15 faces left out"


def test_photos_beside_each_other_are_of_one_person(tmp_path: Path) -> None:
    found = pairs(tmp_path, ann=FEWEST)
    assert album_faces(found, found.train) == (found.train, "an album: 1 person, 15 faces")


def test_an_album_in_which_nobody_has_photos_enough_is_refused(tmp_path: Path) -> None:
    found = pairs(tmp_path, ann=FEWEST - 1, bob=2)
    with pytest.raises(DemosaicError, match=r"nobody has 15 photos .* at most 14") as caught:
        album_faces(found, found.train)
    assert caught.value.exit_code == 3


def test_pairs_of_another_program_are_no_album(tmp_path: Path) -> None:
    strange = Pairs(tmp_path, "left-to-right", Listing([], [], [], size=64, fingerprint="f"))
    with pytest.raises(DemosaicError, match="only for a folder that build-dataset wrote"):
        album_faces(strange, [])


def test_half_of_what_was_known_is_kept() -> None:
    origin, learnt = nn.Linear(2, 1), nn.Linear(2, 1)
    expected = {
        name: (origin.state_dict()[name] + value) / 2 for name, value in learnt.state_dict().items()
    }
    made = blended(origin, learnt).state_dict()
    assert made.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(made[name], value)
