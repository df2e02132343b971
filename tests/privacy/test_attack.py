"""People are found as often as they are, nobody is counted who should not be, and the answer
follows from the figures.
"""

import base64
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from browser import browsing
from demosaic.cli import main
from demosaic.config.privacy import AuditConfig
from demosaic.errors import USAGE, DemosaicError
from demosaic.evaluation.statistics import share
from demosaic.events import Event, Notice
from demosaic.files import write_json, write_lines
from demosaic.models.box import BOX
from demosaic.privacy.attack import Audit, Shown, asked_for, compared, trained_photos
from demosaic.privacy.events import Attack, AuditReport, Hiding
from demosaic.privacy.page import smallest_missed, write_audit
from demosaic.privacy.verdict import ALIKE, DIRECT, RESTORED, judge
from doubles import CARD

COUNT, PEOPLE = 200, 100
MOSAIC, COARSE = Hiding("mosaic", 0.1, "box"), Hiding("mosaic", 0.5, "box")
BLUR, BLACK = Hiding("blur", 0.1, "box"), Hiding("solid", None, "box")
TRIED = (MOSAIC, COARSE, BLUR, BLACK)


def attacks(found: dict[Hiding | None, int], *, luck: int = 2) -> list[Attack]:
    """Attacks that find so many of COUNT faces behind each hiding, by the way that finds the most;
    more than 8 are more than guessing.
    """
    made = []
    for hiding in (None, *TRIED):
        most = found.get(hiding, luck)
        restored = (RESTORED,) if hiding and hiding.style == "mosaic" else ()
        for way in (DIRECT, *(() if hiding is None else (ALIKE,)), *restored):
            hits = most if way == ALIKE or hiding is None else min(most, luck)
            made.append(Attack(hiding, way, "both", hits, share(hits, COUNT), hits > 8))
    return made


# The answer


def test_faces_found_again_are_red_and_the_attack_and_the_way_out_are_named() -> None:
    found = judge(attacks({None: 90, MOSAIC: 52, BLACK: 1}), MOSAIC, COUNT, 1 / PEOPLE)
    assert found.level == "red"
    assert found.text == (
        "Not safe: behind a mosaic of 10 cells across the face, simple software found 52 of 200 "
        "faces again, by comparing them with other photos hidden in the same way; guessing finds "
        "about 2."
    )
    assert found.advice == (
        "Paint faces over instead: demosaic pixelate PHOTOS --style solid. Behind black, the same "
        "software found 1 of 200."
    )


def test_a_mosaic_behind_which_nobody_is_found_is_never_green() -> None:
    for hiding in (MOSAIC, BLUR):
        found = judge(attacks({None: 90}), hiding, COUNT, 1 / PEOPLE)
        assert found.level == "amber"
        assert found.text.startswith("Not shown to be safe")
        assert "--style solid" in found.advice


def test_black_behind_which_nobody_is_found_is_green_and_its_corners_are_red() -> None:
    assert judge(attacks({None: 90}), BLACK, COUNT, 1 / PEOPLE).level == "green"
    corners = judge(attacks({None: 90, BLACK: 30}), BLACK, COUNT, 1 / PEOPLE)
    assert corners.level == "red"
    assert "not an ellipse" in corners.advice


def test_software_that_knows_nobody_answers_nothing_but_what_it_found_counts() -> None:
    blind = judge(attacks({}), BLACK, COUNT, 1 / PEOPLE)
    assert (blind.level, "cannot answer" in blind.text) == ("amber", True)
    assert judge(attacks({MOSAIC: 52}), MOSAIC, COUNT, 1 / PEOPLE).level == "red"


def test_the_size_from_which_on_nobody_is_found_follows_from_the_figures() -> None:
    above = {None: 90, MOSAIC: 52}
    assert "With 2 cells across the face or fewer" in smallest_missed(a_report(above))
    assert "Even behind the largest cells" in smallest_missed(a_report({**above, COARSE: 52}))
    assert "With 10 cells" in smallest_missed(a_report({None: 90}))


# What is asked


def test_cells_in_px_are_those_of_the_album_s_own_photos() -> None:
    assert asked_for(AuditConfig(block=20), [100, 120, 400]) == Hiding("mosaic", 0.1667, "box")
    assert asked_for(AuditConfig(block=0.2), [100]) == Hiding("mosaic", 0.2, "box")
    ellipse = AuditConfig(style="solid", shape="ellipse")
    assert asked_for(ellipse, [100]) == Hiding("solid", None, "ellipse")


def test_blur_and_black_are_measured_beside_mosaics() -> None:
    styles = [hiding.style for hiding in compared(AuditConfig(), "box")]
    assert styles == ["mosaic"] * 5 + ["blur"] * 3 + ["solid"]


def test_a_picture_shows_its_own_style() -> None:
    with pytest.raises(DemosaicError, match="--like and --style blur") as caught:
        AuditConfig(like="a.png", style="blur")
    assert caught.value.exit_code == USAGE


def test_the_trained_photos_are_those_of_the_dataset_of_the_run(tmp_path: Path) -> None:
    pairs, model = tmp_path / "pairs", tmp_path / "run" / "best.safetensors"
    pairs.mkdir()
    model.parent.mkdir()
    lines = [{"sha256": "a" * 64, "split": "train"}, {"sha256": "b" * 64, "split": "val"}]
    write_lines(pairs / "pairs.jsonl", lines)
    write_json(pairs / "dataset.json", {"config": {"size": 64}, "fingerprint": CARD.dataset})
    heard: list[Event] = []
    assert trained_photos(model, CARD.dataset, None, heard.append) == set()
    assert isinstance(heard[0], Notice) and "--pairs" in heard[0].text
    write_json(model.parent / "config.json", {"pairs": str(pairs)})
    assert trained_photos(model, CARD.dataset, None) == {"a" * 64}
    with pytest.raises(DemosaicError, match="is not the dataset"):
        trained_photos(model, "another", pairs)


# The command


def test_an_audit_writes_a_page_and_says_as_json_what_it_found(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name, values in {"blocks": (16,), "spreads": (), "enough": 4}.items():
        monkeypatch.setattr(AuditConfig, name, values)
    words = ["audit", str(photos), "--faces", "4", "--block", "1/2", "--no-faces", "--json"]
    done = CliRunner().invoke(main.app, words)
    assert done.exit_code == 0
    *_, page, report = map(json.loads, done.stdout.splitlines())
    assert page == {"event": "Notice", "text": "look at audit.html"}
    assert (report["event"], report["hidden"], report["model"]) == ("AuditReport", 4, str(BOX))
    assert report["asked"] == {"style": "mosaic", "share": 0.5, "shape": "box"}
    assert len(report["attacks"]) == 3 * (1 + 3 + 3 + 2)  # recognisers; clear, two mosaics, black
    text = (tmp_path / "audit.html").read_text()
    assert "data:image" not in text and "This page shows nobody." in text
    again = CliRunner().invoke(main.app, words)
    assert (again.exit_code, again.stderr) == (
        1,
        "error: audit.html is already there: --force replaces it\n",
    )


# The page


def a_report(found: dict[Hiding | None, int]) -> AuditReport:
    made = attacks(found)
    verdict = judge(made, MOSAIC, COUNT, 1 / PEOPLE)
    return AuditReport(
        verdict=verdict.text,
        level=verdict.level,
        advice=verdict.advice,
        asked=MOSAIC,
        photos="photos",
        model="a/model.safetensors",
        people=PEOPLE,
        gallery=150,
        hidden=COUNT,
        hidden_people=PEOPLE,
        left_out={"with one photo": 1},
        chance=1 / PEOPLE,
        attacks=tuple(made),
        least_significant=9,
        seconds=1.0,
    )


def an_audit(found: dict[Hiding | None, int]) -> Audit:
    names = ("hidden", "restored", "original")
    pictures = {name: np.full((64, 64, 3), 99, np.uint8) for name in names}
    places = {DIRECT: 19, ALIKE: 1, RESTORED: 3}
    return Audit(a_report(found), [Shown(pictures, places)] * 8)


def test_the_page_of_an_audit_works_in_a_browser_and_prints_on_one_sheet(tmp_path: Path) -> None:
    page, without = tmp_path / "audit.html", tmp_path / "mail.html"
    made = an_audit({None: 90, MOSAIC: 52})
    write_audit(page, made)
    write_audit(without, made, faces=False)
    with browsing() as browser:
        for width, dark in ((390, False), (390, True), (1100, False)):
            assert browser.faults(page, width=width, dark=dark) == []
        first = browser.run("document.querySelector('h1 + *').className")
        headings = browser.run("[...document.querySelectorAll('h2')].map(one => one.innerText)")
        title = browser.run("document.querySelector('.face figcaption').innerText")
        sheets = []
        for one in (page, without):
            browser.open(one, width=1100)
            printed = browser.call("Page.printToPDF", preferCSSPageSize=True)["data"]
            sheets.append(len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(printed))))
    assert first == "verdict red"
    assert headings == [
        "Some of the faces",
        "How many are found again",
        "Who was looked for, and how",
    ]
    assert title == (
        "face 1: rank 19 against clear photos; rank 1 against photos hidden alike; rank 3 once "
        "restored"
    )
    assert sheets == [1, 1]
    assert "data:image" not in without.read_text()


def test_a_page_shows_no_path_through_the_user_s_folder(tmp_path: Path) -> None:
    made = an_audit({})
    report = replace(made.report, photos=str(tmp_path / "album"), model=str(tmp_path / "m.st"))
    page = tmp_path / "audit.html"
    write_audit(page, replace(made, report=report))
    text = page.read_text()
    assert str(tmp_path) not in text
    assert "in album; " in text and "Restored by m.st." in text
