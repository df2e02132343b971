"""Which faces of an album are known, and which are hidden."""

import json
from pathlib import Path

import pytest

import people
from demosaic.config.privacy import AuditConfig, PixelateConfig
from demosaic.config.rules import LEAST_SCORE
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.faces.cache import Examiner
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.imaging.arrays import resize
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import write_png
from demosaic.privacy import gallery
from demosaic.privacy.pixelate import pixelate
from doubles import save

EXAMINER = Examiner(lambda: ShortRangeDetector(LEAST_SCORE), None)


@pytest.fixture(autouse=True)
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AuditConfig, "enough", 1)


def test_below_fifty_faces_it_is_said_that_they_are_too_few_and_nothing_else(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    too_few = r"^too few people to say: \d+ faces of \d+ people can be tested, and it takes 50; "
    with pytest.raises(DemosaicError, match=f"{too_few}give more photos of more people$") as caught:
        gallery.gather(photos, AuditConfig(), EXAMINER)
    assert caught.value.exit_code == NOTHING_TO_DO
    with pytest.raises(DemosaicError, match=r"give --faces 50 or more$"):
        gallery.gather(photos, AuditConfig(faces=4), EXAMINER)


def test_an_album_that_is_already_pixelated_is_refused_for_that_reason(
    photos: Path, tmp_path: Path
) -> None:
    for path in sorted(photos.rglob("*.jpg"))[:8]:
        photo = pixelate(path, PixelateConfig(block=1 / 16)).picture
        save(tmp_path / path.parent.name / f"{path.stem}.png", photo)
    with pytest.raises(DemosaicError, match="the others are already pixelated; give the photos"):
        gallery.gather(tmp_path, AuditConfig(), EXAMINER)


def test_known_and_hidden_faces_are_different_photos_of_the_same_people(photos: Path) -> None:
    found = gallery.gather(photos, AuditConfig(faces=20), EXAMINER)
    hidden = {portrait.person for portrait in found.hidden}
    assert hidden and hidden <= {portrait.person for portrait in found.gallery}
    faces = [portrait.face.tobytes() for portrait in [*found.gallery, *found.hidden]]
    assert len(set(faces)) == len(faces)


def test_copies_of_a_photo_are_one_photo(tmp_path: Path) -> None:
    """Or whoever is hidden would be found by the same picture."""
    people.draw(tmp_path / "drawn", 1, 2, seed=0)
    first, second = sorted((tmp_path / "drawn").rglob("*.jpg"))
    person = tmp_path / "album" / "one"
    person.mkdir(parents=True)
    for name in ("a.jpg", "b.jpg"):
        (person / name).write_bytes(first.read_bytes())
    picture = read_image(first)
    write_png(person / "c.png", resize(picture, picture.shape[0] // 2, picture.shape[1] // 2))
    with pytest.raises(
        DemosaicError, match="1 person with one usable face; give two photos or more of each"
    ):
        gallery.gather(person.parent, AuditConfig(), EXAMINER)
    (person / "d.jpg").write_bytes(second.read_bytes())
    found = gallery.gather(person.parent, AuditConfig(), EXAMINER)
    assert (len(found.gallery), len(found.hidden)) == (1, 1)


def test_who_the_model_was_trained_on_is_left_out(photos: Path, dataset: Path) -> None:
    lines = [json.loads(line) for line in (dataset / "pairs.jsonl").read_text().splitlines()]
    trained = {line["sha256"] for line in lines if line["split"] == "train"}
    people = {line["photo"].rpartition("/")[0] for line in lines if line["sha256"] in trained}
    found = gallery.gather(photos, AuditConfig(faces=20), EXAMINER, trained=trained)
    assert found.left_out[gallery.TRAINED] == len(people)
    assert people.isdisjoint(portrait.person for portrait in found.hidden)
    everybody = {line["sha256"] for line in lines}
    way_out = r"people that the model was trained on; .* or with --model a model that was not"
    with pytest.raises(DemosaicError, match=way_out):
        gallery.gather(photos, AuditConfig(faces=20), EXAMINER, trained=everybody)


def test_an_album_without_folders_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DemosaicError, match="a folder for each person"):
        gallery.gather(tmp_path, AuditConfig(), EXAMINER)
