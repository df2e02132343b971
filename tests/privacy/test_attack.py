"""People are found as often as they are, nobody is counted who should not be, and chance is
chance.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from browser import browsing
from demosaic.cli import main
from demosaic.config.privacy import AuditConfig
from demosaic.errors import DemosaicError
from demosaic.evaluation.events import Estimate
from demosaic.events import Event, Notice
from demosaic.files import write_json, write_lines
from demosaic.models.box import BOX
from demosaic.privacy.attack import Audit, Shown, finding, safe_block, trained_photos
from demosaic.privacy.events import Attack, AuditReport
from demosaic.privacy.page import lead, sections
from demosaic.reporting.page import render, write_report
from doubles import CARD


def attack(block: int | None, *, above: bool) -> Attack:
    nothing = Estimate(0, 0, 0)
    return Attack("mosaic" if block else "clear", block, 1.0, "both", nothing, nothing, above)


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


def test_people_found_behind_a_mosaic_are_reported_even_where_clear_faces_are_not() -> None:
    attacks = [attack(None, above=False), attack(4, above=False), attack(8, above=True)]
    assert safe_block(attacks, (4, 8)) is None
    assert finding(attacks, None).startswith("people are identified more often than by chance")


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
    assert f"model {BOX} (the one in the box): " in done.stderr
    *_, page, report = map(json.loads, done.stdout.splitlines())
    assert page == {"event": "Notice", "text": "look at audit.html"}
    least = f"with 4 hidden faces, less than {report['least_told']:.0%} coming first cannot be "
    assert f"{least}distinguished from chance\n" in done.stderr
    assert (report["event"], report["hidden"], report["model"]) == ("AuditReport", 4, str(BOX))
    assert len(report["attacks"]) == 3 + 2 * 3 * 3  # clear; blocks, ways, recognisers
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


def test_the_first_five_of_five_people_are_not_reported() -> None:
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


def test_a_page_shows_no_path_through_the_user_s_folder(tmp_path: Path) -> None:
    made = an_audit(people=3)
    report = replace(made.report, photos=str(tmp_path / "album"), model=str(tmp_path / "m.st"))
    page = tmp_path / "audit.html"
    write_report(page, title="t", lead="l", sections=sections(replace(made, report=report)))
    text = page.read_text()
    assert str(tmp_path) not in text
    assert "in album; " in text and "Restored by m.st." in text
