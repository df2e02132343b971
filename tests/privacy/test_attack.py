"""People are found as often as they are, nobody is counted who should not be, and chance is
chance.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import people
from browser import browsing
from demosaic.cli import main
from demosaic.config.privacy import AuditConfig
from demosaic.config.rules import LEAST_SCORE
from demosaic.errors import DemosaicError
from demosaic.evaluation.events import Estimate
from demosaic.events import Event, Notice
from demosaic.faces.cache import Look
from demosaic.faces.detector import MediaPipeDetector
from demosaic.files import write_json, write_lines
from demosaic.imaging.arrays import resize
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import write_png
from demosaic.privacy import gallery, recognizers
from demosaic.privacy.attack import Audit, Shown, finding, safe_block, trained_photos
from demosaic.privacy.events import Attack, AuditReport
from demosaic.privacy.page import lead, sections
from demosaic.reporting.page import render, write_report
from doubles import CARD

LOOK = Look(lambda: MediaPipeDetector(LEAST_SCORE), None)


def noise(count: int, seed: int = 0) -> recognizers.Described:
    rng = np.random.default_rng(seed)
    return recognizers.describe(rng.integers(0, 256, (count, 96, 96, 3), np.uint8))


def attack(block: int | None, *, above: bool) -> Attack:
    nothing = Estimate(0, 0, 0)
    return Attack("mosaic" if block else "clear", block, 1.0, "both", nothing, nothing, above)


def test_the_same_faces_are_found_first_by_every_recogniser() -> None:
    known = noise(8)
    people = list("abcdefgh")
    for alike in recognizers.similarities(known, known).values():
        assert recognizers.ranks(alike, people, people).tolist() == [1] * 8


def test_who_is_as_much_alike_as_everybody_comes_last() -> None:
    alike = np.zeros((1, 3), np.float32)
    assert recognizers.ranks(alike, ["a", "b", "c"], ["a"]).tolist() == [3]


def test_a_person_is_as_much_alike_as_the_best_of_their_faces() -> None:
    alike = np.array([[0.1, 0.9, 0.5]], np.float32)
    assert recognizers.ranks(alike, ["a", "a", "b"], ["a"]).tolist() == [1]
    assert recognizers.ranks(alike, ["a", "a", "b"], ["b"]).tolist() == [2]


@pytest.mark.parametrize(
    ("above", "safe"),
    [((4, 8), 16), ((4, 16), 32), ((), 4), ((32,), None)],
)
def test_a_block_is_safe_when_all_larger_ones_are(above: tuple[int, ...], safe: int | None) -> None:
    blocks = (4, 8, 16, 32)
    hidden = [attack(block, above=block in above) for block in blocks]
    assert safe_block([attack(None, above=True), *hidden], blocks) == safe


def test_no_block_is_safe_where_even_clear_faces_are_not_found() -> None:
    attacks = [attack(None, above=False), attack(4, above=False), attack(8, above=False)]
    assert safe_block(attacks, (4, 8)) is None
    assert "shows nothing about mosaics" in finding(attacks, None)


def test_who_is_found_behind_a_mosaic_is_told_even_where_clear_faces_are_not() -> None:
    attacks = [attack(None, above=False), attack(4, above=False), attack(8, above=True)]
    assert safe_block(attacks, (4, 8)) is None
    assert finding(attacks, None).startswith("people are identified more often than by chance")


def test_known_and_hidden_faces_are_different_photos_of_the_same_people(photos: Path) -> None:
    found = gallery.gather(photos, AuditConfig(faces=20), LOOK)
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
        gallery.gather(person.parent, AuditConfig(), LOOK)
    (person / "d.jpg").write_bytes(second.read_bytes())
    found = gallery.gather(person.parent, AuditConfig(), LOOK)
    assert (len(found.gallery), len(found.hidden)) == (1, 1)


def test_who_the_model_was_trained_on_is_left_out(photos: Path, dataset: Path) -> None:
    lines = [json.loads(line) for line in (dataset / "pairs.jsonl").read_text().splitlines()]
    trained = {line["sha256"] for line in lines if line["split"] == "train"}
    people = {line["photo"].rpartition("/")[0] for line in lines if line["sha256"] in trained}
    found = gallery.gather(photos, AuditConfig(faces=20), LOOK, trained=trained)
    assert found.left_out[gallery.TRAINED] == len(people)
    assert people.isdisjoint(portrait.person for portrait in found.hidden)
    everybody = {line["sha256"] for line in lines}
    way_out = r"people that the model was trained on; .* or with --model a model that was not"
    with pytest.raises(DemosaicError, match=way_out):
        gallery.gather(photos, AuditConfig(faces=20), LOOK, trained=everybody)


def test_the_trained_photos_are_those_of_the_dataset_of_the_run(tmp_path: Path) -> None:
    pairs, model = tmp_path / "pairs", tmp_path / "run" / "best.safetensors"
    pairs.mkdir()
    model.parent.mkdir()
    lines = [{"sha256": "a", "split": "train"}, {"sha256": "b", "split": "val"}]
    write_lines(pairs / "pairs.jsonl", lines)
    write_json(pairs / "dataset.json", {"fingerprint": CARD.dataset})
    heard: list[Event] = []
    assert trained_photos(model, CARD.dataset, None, heard.append) == set()
    assert isinstance(heard[0], Notice) and "--pairs" in heard[0].text
    write_json(model.parent / "config.json", {"pairs": str(pairs)})
    assert trained_photos(model, CARD.dataset, None) == {"a"}
    with pytest.raises(DemosaicError, match="is not the dataset"):
        trained_photos(model, "another", pairs)


def test_an_audit_writes_a_page_and_says_as_json_what_it_found(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(AuditConfig, "blocks", (16, 256))
    words = ["audit", str(photos), "--faces", "4", "--json"]
    done = CliRunner().invoke(main.app, words)
    assert done.exit_code == 0
    assert "no model: nothing is restored\n" in done.stderr
    *_, page, report = map(json.loads, done.stdout.splitlines())
    assert page == {"event": "Notice", "text": "look at audit.html"}
    least = f"with 4 hidden faces, less than {report['least_told']:.0%} coming first cannot be "
    assert f"{least}distinguished from chance\n" in done.stderr
    assert (report["event"], report["hidden"], report["model"]) == ("AuditReport", 4, None)
    assert len(report["attacks"]) == 3 + 2 * 2 * 3  # clear; blocks, ways, recognisers
    assert "no proof of safety" in (tmp_path / "audit.html").read_text()
    again = CliRunner().invoke(main.app, words)
    assert (again.exit_code, again.stderr) == (
        1,
        "error: audit.html is already there: --force replaces it\n",
    )


def test_the_page_of_an_audit_works_in_a_browser(tmp_path: Path) -> None:
    page = tmp_path / "audit.html"
    made = an_audit(people=300)
    write_report(page, title="t", lead=lead(made.report), sections=sections(made))
    with browsing() as browser:
        for width, dark in ((390, False), (390, True), (1100, False)):
            assert browser.faults(page, width=width, dark=dark) == []
        titles = browser.run("[...document.querySelectorAll('figcaption')].map(o => o.innerText)")
    assert titles == [
        "The right person comes first",
        "The right person is among the first 5",
        "mosaic 3; both pixelated 2; restored 1",
    ]


def test_nothing_is_said_of_the_first_five_of_five_people() -> None:
    pages = [render(title="", lead="", sections=sections(an_audit(people=n))) for n in (5, 6)]
    assert ["the first 5" in page for page in pages] == [False, True]


def an_audit(*, people: int) -> Audit:
    ways = ("mosaic", "mosaic, alike", "restored")
    tried = [("clear", None), *((way, block) for way in ways for block in AuditConfig.blocks)]
    found = Estimate(0.1, 0.05, 0.2)
    attacks = [Attack(way, block, 1.0, "both", found, found, True) for way, block in tried]
    report = AuditReport(
        photos="photos",
        model="a/model.safetensors",
        people=people,
        gallery=people,
        hidden=20,
        hidden_people=5,
        left_out={"with one photo": 1},
        chance_first=1 / people,
        chance_few=min(1.0, 5 / people),
        attacks=tuple(attacks),
        least_told=0.2,
        safe_block=None,
        finding=finding(attacks, None),
        seconds=1.0,
    )
    pictures = {
        name: np.zeros((64, 64, 3), np.uint8) for name in ("mosaic", "restored", "original")
    }
    return Audit(report, [Shown(pictures, dict(zip(ways, (3, 2, 1), strict=True)))])


def test_an_album_without_folders_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DemosaicError, match="a folder for each person"):
        gallery.gather(tmp_path, AuditConfig(), LOOK)
