"""A page of results: what is in it, and how it behaves in a real browser."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from browser import Browser, browsing
from demosaic.imaging.arrays import Pixels
from demosaic.reporting.page import (
    Cell,
    Face,
    Gallery,
    Part,
    Section,
    Table,
    Text,
    render,
    write_report,
)
from demosaic.reporting.plots import Plot, Point, Series

STRANGE = "<script>alert('1')</script> & \"2\" \udcff\u202e\x1b\x9b"
SHOWN = "<script>alert('1')</script> & \"2\" \\udcff\\u202e\\x1b\\x9b"


def grey(level: int) -> Pixels:
    return np.full((64, 64, 3), level, np.uint8)


def noise(seed: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def face(number: int) -> Face:
    return Face(f"face {number}", {"mosaic": grey(0), "restored": grey(255), "original": noise(7)})


PLOT = Plot(
    "By cell",
    "cell, px",
    "PSNR, dB",
    [
        Series("base", [Point(4, 26.0), Point(8, 24.0)], muted=True),
        Series("ours", [Point(4, 28.0, 27.0, 29.0), Point(8, 25.0, 24.5, 25.5, label="here")]),
    ],
    ticks=[4, 8],
)
TABLE = Table(
    "Scores of all",
    ["", *(f"cells of {side} px" for side in range(12))],
    [["base", *(Cell(f"{side}.5", "1 to 9", best=side == 3) for side in range(12))]],
)
SECTIONS = [
    Section("Numbers", [Text("How to read them."), TABLE, PLOT, PLOT, Text("And so on.")]),
    Section("Faces", [Gallery([face(number) for number in range(5)])]),
]


class Seen(HTMLParser):
    """The tags, texts and attribute values that a browser sees in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(value for _, value in attrs if value)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


# Pages


def test_a_page_asks_nothing_of_any_network() -> None:
    page = render(title="t", lead="l", sections=SECTIONS)
    assert re.findall(r"https?://[^\s\"']+", page) == []
    assert "default-src 'none'" in page
    assert set(re.findall(r'(?:src|href)="([^;]+);', page)) == {"data:image/webp"}


def test_several_series_have_a_legend_and_one_has_none() -> None:
    alone = Plot("", "", "", PLOT.series[:1])
    pages = [
        Seen(render(title="", lead="", sections=[Section("", [plot])])) for plot in (PLOT, alone)
    ]
    assert [page.tags.count("li") for page in pages] == [2, 0]


def test_names_on_a_page_are_never_markup() -> None:
    pictures = {STRANGE: grey(1), "b": grey(2)}
    parts: list[Part] = [
        Text(STRANGE),
        Table(STRANGE, [STRANGE], [[STRANGE], [Cell(STRANGE, STRANGE)]]),
        Plot(STRANGE, STRANGE, STRANGE, [Series(STRANGE, [Point(0, 0, label=STRANGE)])]),
        Gallery([Face(STRANGE, pictures)]),
    ]
    page = Seen(render(title=STRANGE, lead=STRANGE, sections=[Section(STRANGE, parts)]))
    assert page.tags.count("script") == 1
    assert page.tags.count("img") == 2
    texts, attributes = (" ".join(found).count(SHOWN) for found in (page.texts, page.attributes))
    assert (texts, attributes) == (19, 10)


def test_the_page_is_written_whole(tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", title="t", lead="l", sections=SECTIONS)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page == render(title="t", lead="l", sections=SECTIONS)
    assert page.startswith("<!doctype html>\n<html")
    assert page.endswith("</html>\n")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


# In a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as one:
        yield one


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(path, title="How good it is", lead="In one breath.", sections=SECTIONS)
    return path


def edge(browser: Browser) -> tuple[float, str, str]:
    """Of the first face: the input's value, the edge's place, and the clip of the left picture."""
    return tuple(
        browser.run("""(() => {
        const slider = document.querySelector(".slider");
        slider.scrollIntoView({block: "center"});
        return [
            Number(slider.querySelector("input").value),
            slider.style.getPropertyValue("--at"),
            getComputedStyle(slider.querySelector(".left")).clipPath,
        ];
    })()""")
    )


def middle(browser: Browser) -> tuple[float, float, float]:
    """Left end, middle height and width of the first face, in the window."""
    left, top, width, height = browser.run("""(() => {
        const slider = document.querySelector(".slider");
        slider.scrollIntoView({block: "center"});
        const box = slider.getBoundingClientRect();
        return [box.left, box.top, box.width, box.height];
    })()""")
    return left, top + height / 2, width


def test_the_edge_follows_the_mouse(browser: Browser, page: Path) -> None:
    browser.open(page, width=1100)
    assert edge(browser) == (50, "50%", "inset(0px 50% 0px 0px)")
    left, height, width = middle(browser)
    browser.mouse("mouseMoved", left + 0.1 * width, height)
    assert edge(browser)[0] == 50  # no button is pressed
    browser.mouse("mousePressed", left + 0.25 * width, height)
    assert edge(browser) == (25, "25%", "inset(0px 75% 0px 0px)")
    browser.mouse("mouseMoved", left + 0.8 * width, height)
    assert edge(browser)[0] == 80
    browser.mouse("mouseMoved", left + 3 * width, height)
    browser.mouse("mouseReleased", left + 3 * width, height)
    assert edge(browser) == (100, "100%", "inset(0px 0% 0px 0px)")
    browser.mouse("mouseMoved", left + 0.1 * width, height)
    assert edge(browser)[0] == 100


def test_the_edge_follows_a_finger(browser: Browser, page: Path) -> None:
    browser.open(page, width=390)
    left, height, width = middle(browser)
    browser.touch("touchStart", (left + 0.5 * width, height))
    for share in (0.6, 0.7, 0.8, 0.9):
        browser.touch("touchMove", (left + share * width, height))
    browser.touch("touchEnd")
    assert edge(browser)[0] == pytest.approx(90, abs=1)


def test_the_edge_follows_the_keys_and_says_where_it_is(browser: Browser, page: Path) -> None:
    browser.open(page, width=1100)
    browser.run("document.querySelector('.slider input').focus()")
    for _ in range(3):
        browser.press("ArrowRight", 39)
    assert edge(browser) == (53, "53%", "inset(0px 47% 0px 0px)")
    browser.press("Home", 36)
    assert edge(browser)[0] == 0
    name, value = browser.run("""(() => {
        const input = document.activeElement;
        return [input.getAttribute("aria-label"), input.getAttribute("aria-valuetext")];
    })()""")
    assert name == "face 0: how much of the left picture is shown"
    assert value == "0 % mosaic"


def test_other_pictures_can_be_chosen_for_all_faces(browser: Browser, page: Path) -> None:
    browser.open(page, width=1100)
    browser.run("""(() => {
        const select = document.querySelector("select[name=right]");
        select.value = "original";
        select.dispatchEvent(new Event("change"));
    })()""")
    shown = browser.run("""[...document.querySelectorAll(".slider")].map(slider =>
        [...slider.querySelectorAll("img")]
            .filter(image => getComputedStyle(image).display != "none")
            .map(image => image.dataset.name))""")
    assert shown == [["mosaic", "original"]] * 5


@pytest.mark.parametrize("width", [390, 1100])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_overflows_and_nothing_complains(
    browser: Browser, page: Path, width: int, dark: bool
) -> None:
    assert browser.faults(page, width=width, dark=dark) == []


def test_a_table_wider_than_a_phone_is_scrolled_in_its_frame_and_its_names_stay(
    browser: Browser, page: Path
) -> None:
    browser.open(page, width=390)
    frame, table, scrolled, name = browser.run("""(() => {
        const frame = document.querySelector(".scroll");
        frame.scrollLeft = 1000;
        const name = frame.querySelector("tbody th").getBoundingClientRect();
        return [frame.clientWidth, frame.scrollWidth, frame.scrollLeft, name.left];
    })()""")
    assert table > frame <= 390
    assert scrolled == table - frame
    assert 0 <= name <= 16


def test_the_page_is_dark_where_that_is_wished(browser: Browser, page: Path) -> None:
    colours = """["backgroundColor", "color"].map(name => {
        const levels = getComputedStyle(document.body)[name].match(/\\d+/g).slice(0, 3);
        return Math.max(...levels.map(Number));
    })"""
    browser.open(page, width=390)
    paper, ink = browser.run(colours)
    assert paper > 240 > 60 > ink
    browser.open(page, width=390, dark=True)
    paper, ink = browser.run(colours)
    assert paper < 60 < 220 < ink


def test_the_picture_of_the_left_name_is_on_the_left(browser: Browser, page: Path) -> None:
    """By its pixels: black left of the edge, white right of it."""
    browser.open(page, width=1100)
    left, height, width = (round(value) for value in middle(browser))
    shot = page.with_name("shot.png")
    offset = browser.run("scrollY")
    browser.screenshot(shot)
    from demosaic.imaging.decoding import read_image

    line = read_image(shot)[round(height + offset)]
    assert line[left + width // 4].tolist() == [0, 0, 0]
    assert line[left + 3 * width // 4].tolist() == [255, 255, 255]
