"""The page in a real browser: at both widths, by mouse and by keys, in two tabs."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import people
from browser import Browser, browsing
from demosaic.imaging.geometry import Box, paste
from demosaic.mosaic.grid import Grid
from doubles import mosaicked, save, texture

if TYPE_CHECKING:
    from served import Served

FILE = "#restore input[type=file]"
FOUND = "!document.querySelector('#restore .work').hidden"
RESTORED = "document.querySelector('#restore').classList.contains('has-result')"
SAID = "document.querySelector('#restore [role=status]').textContent"


@pytest.fixture(scope="module")
def browser(served: "Served") -> Iterator[Browser]:
    with browsing() as one:
        one.own = served.address.partition("?")[0]
        yield one


@pytest.fixture(scope="module")
def mosaic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture with a mosaic of 64 x 48 px at 24, 16."""
    picture = paste(texture(96, 128), mosaicked(48, 64, Grid.square(8)), Box(24, 16, 64, 48))
    return save(tmp_path_factory.mktemp("mosaic") / "my face.png", picture)


def enter(browser: Browser, served: "Served", *, width: int = 1200, dark: bool = False) -> None:
    browser.complaints.clear()
    browser.open(served.address, width=width, dark=dark)
    browser.wait("document.body.dataset.ready")


def click(browser: Browser, selector: str) -> None:
    browser.run(f"document.querySelector({selector!r}).click()")


def layers(browser: Browser) -> list[str]:
    """What lies over the picture: the files, and how opaque they are."""
    found: list[str] = browser.run("""[...document.querySelectorAll("#restore .stage g image")]
        .map(one => one.href.baseVal.split("/").pop() + " " + one.getAttribute("opacity"))""")
    return found


def value(browser: Browser, label: str) -> float:
    """The number in a field beside the picture."""
    script = f"""[...document.querySelectorAll("#restore .boxes label")]
        .find(one => one.textContent.trim() == {label!r}).querySelector("input").valueAsNumber"""
    return float(browser.run(script))


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (390, True)])
def test_a_face_is_found_restored_and_compared(
    browser: Browser, served: "Served", mosaic: Path, width: int, dark: bool
) -> None:
    enter(browser, served, width=width, dark=dark)
    assert browser.run("location.href") == browser.own  # no token is left in the address
    browser.choose_file(FILE, mosaic)
    browser.wait(FOUND)
    assert browser.run(SAID) == "One mosaic found."
    assert browser.run("document.querySelector('#restore summary').textContent") == (
        "Mosaic 1: 8 x 8 px cells, offset 0, 0, 100 % sure"
    )
    click(browser, "#restore .work .go")
    browser.wait(RESTORED)
    assert browser.run(SAID) == "Restored. Drag the edge to compare."
    assert layers(browser) == ["mean-0.png 1", "draw-0-1-0.png 1"]
    assert browser.run("document.documentElement.scrollWidth") == width
    assert browser.complaints == []


def test_realism_moves_at_once(browser: Browser, served: "Served", mosaic: Path) -> None:
    enter(browser, served)
    browser.choose_file(FILE, mosaic)
    browser.wait(FOUND)
    click(browser, "#restore .work .go")
    browser.wait(RESTORED)
    for realism, shown in (
        (0, ["mean-0.png 1", "draw-0-1-0.png 0"]),
        (0.25, ["mean-0.png 1", "draw-0-1-0.png 0.5"]),
        (0.75, ["draw-0-1-0.png 1", "draw-0-2-0.png 0.5"]),
        (1, ["draw-0-1-0.png 1", "draw-0-2-0.png 1"]),
    ):
        browser.run(f"""(() => {{ const range = document.querySelector('[name=realism]');
            range.value = {realism}; range.dispatchEvent(new Event('input')) }})()""")
        assert layers(browser) == shown


def test_boxes_are_moved_sized_and_removed_by_keys(
    browser: Browser, served: "Served", mosaic: Path
) -> None:
    enter(browser, served)
    browser.choose_file(FILE, mosaic)
    browser.wait(FOUND)
    browser.run("document.querySelector('#restore .box').focus()")
    browser.press("ArrowRight", 39)
    browser.press("ArrowDown", 40)
    assert [value(browser, one) for one in ("Left", "Top", "Width", "Height")] == [25, 17, 64, 48]
    # The cells stay where they are in the picture
    assert [value(browser, one) for one in ("Offset x", "Offset y")] == [7, 7]
    browser.press("Delete", 46)
    assert browser.run("document.querySelectorAll('#restore .box').length") == 0
    click(browser, "#restore .work .go")
    assert browser.run(SAID) == "Draw a box around each mosaic first."
    assert browser.complaints == []


def test_a_box_is_drawn_with_the_mouse_and_its_cells_are_found(
    browser: Browser, served: "Served", mosaic: Path
) -> None:
    enter(browser, served)
    browser.choose_file(FILE, mosaic)
    browser.wait(FOUND)
    browser.run("document.querySelector('#restore .box').focus()")
    browser.press("Delete", 46)
    browser.run("document.querySelector('#restore .stage').scrollIntoView({block: 'center'})")
    left, top, scale = browser.run("""(() => {
        const at = document.querySelector('#restore .stage').getBoundingClientRect();
        return [at.left, at.top, at.width / 128] })()""")
    for kind, x, y in (
        ("Pressed", 24, 16),
        ("Moved", 60, 40),
        ("Moved", 88, 64),
        ("Released", 88, 64),
    ):
        browser.mouse(f"mouse{kind}", left + scale * x, top + scale * y)
    browser.wait("document.querySelector('#restore summary')?.textContent.includes('100 % sure')")
    assert [value(browser, one) for one in ("Left", "Top", "Width", "Height")] == [24, 16, 64, 48]
    assert [value(browser, one) for one in ("Cell width", "Offset x")] == [8, 0]


def test_the_tabs_are_reached_by_keys(browser: Browser, served: "Served") -> None:
    enter(browser, served)
    browser.run("document.querySelector('#tab-restore').focus()")
    browser.press("ArrowRight", 39)
    shown = """[...document.querySelectorAll("[role=tabpanel]")]
        .filter(one => !one.hidden).map(one => one.id)"""
    assert browser.run(shown) == ["hide"]
    browser.press("ArrowLeft", 37)
    browser.press("ArrowLeft", 37)
    assert browser.run(shown) == ["audit"]
    assert "demosaic serve --album FOLDER" in browser.run("document.body.innerText")


def test_a_missed_face_is_marked_and_hidden(
    browser: Browser, served: "Served", tmp_path: Path
) -> None:
    photo = np.ascontiguousarray(people.photo(0, 0, 0).image)
    enter(browser, served, width=390)
    click(browser, "#tab-hide")
    browser.choose_file("#hide input[type=file]", save(tmp_path / "photo.png", photo))
    browser.wait("!document.querySelector('#hide .work').hidden")
    boxes = "document.querySelectorAll('#hide .box').length"
    assert browser.run(boxes) == 1
    browser.run("document.querySelector('#hide .add').click()")
    assert browser.run(boxes) == 2
    click(browser, "#hide .go")
    browser.wait("document.querySelector('#hide').classList.contains('has-result')")
    assert browser.run("document.documentElement.scrollWidth") == 390
    assert browser.complaints == []


@pytest.mark.parametrize(
    ("event", "data"), [("Drag", "dataTransfer"), ("Clipboard", "clipboardData")]
)
def test_a_file_is_dropped_or_pasted_and_what_is_wrong_is_said(
    browser: Browser, served: "Served", event: str, data: str
) -> None:
    enter(browser, served)
    kind = {"Drag": "drop", "Clipboard": "paste"}[event]
    browser.run(f"""(() => {{
        const sent = new DataTransfer();
        sent.items.add(new File(["Dear Sir or Madam"], "letter.png"));
        const options = {{ bubbles: true, {data}: sent }};
        document.body.dispatchEvent(new {event}Event("{kind}", options)) }})()""")
    browser.wait(f"{SAID} == 'not a picture'")
    assert browser.run("document.querySelector('#restore .error') !== null")


def test_two_tabs_at_once_each_have_their_own_picture(
    browser: Browser, served: "Served", mosaic: Path, tmp_path: Path
) -> None:
    plain = save(tmp_path / "plain.png", texture(64, 80))
    enter(browser, served)
    browser.choose_file(FILE, mosaic)
    browser.wait(FOUND)
    first, second = browser.current, browser.new_tab()
    enter(browser, served)
    browser.choose_file(FILE, plain)
    browser.turn_to(first)
    click(browser, "#restore .work .go")
    browser.wait(RESTORED)
    browser.turn_to(second)
    browser.wait(FOUND)
    assert browser.run(SAID) == "No mosaic found."
    browser.turn_to(first)
    assert browser.run(SAID) == "Restored. Drag the edge to compare."
