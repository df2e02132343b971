"""A page of results: what is in it, and how it behaves in a real browser."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from browser import Browser, browsing
from demosaic.imaging.arrays import Pixels
from demosaic.reporting.html import as_html, element
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
from demosaic.reporting.plots import Plot, Point, Series, draw, round_values

STRANGE = "<script>alert('1')</script> & \"2\" \udcff"
ESCAPED = "&lt;script&gt;alert('1')&lt;/script&gt; &amp; \"2\" \\udcff"


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


# Markup


def test_text_and_attributes_are_never_markup() -> None:
    made = as_html(element("p", STRANGE, element("b", "x"), STRANGE, title='"> & <b>'))
    assert made == f'<p title="&quot;&gt; &amp; <b&gt;">{ESCAPED}<b>x</b>{ESCAPED}</p>'


def test_attributes_are_named_as_python_can() -> None:
    made = element("a", class_="c", aria_label="l", hidden=True, href=None, tabindex=0)
    assert made.attrib == {"class": "c", "aria-label": "l", "hidden": "", "tabindex": "0"}


# Plots


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (19.3, 31.2, [20, 25, 30]),
        (0.68, 0.93, [0.7, 0.75, 0.8, 0.85, 0.9]),
        (-3, 3, [-2, 0, 2]),
        (0, 7000, [0, 2000, 4000, 6000]),
    ],
)
def test_axes_are_marked_at_round_values(low: float, high: float, expected: list[float]) -> None:
    assert round_values(low, high) == expected


def places(text: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in text.split())]


def test_a_higher_value_is_drawn_higher_and_a_later_one_further_right() -> None:
    drawn = draw(PLOT)
    base, ours = (places(line.get("points", "")) for line in drawn.iter("polyline"))
    assert [x for x, _ in base] == [x for x, _ in ours]
    assert base[0][0] < base[1][0]
    assert ours[0][1] < ours[1][1] < base[1][1]  # of SVG's y, which grows downwards
    step = base[1][1] - base[0][1]  # two dB
    assert ours[0][1] == pytest.approx(base[0][1] - step, abs=0.2)


def test_an_interval_is_an_area_round_its_line() -> None:
    (band,) = draw(PLOT).iter("polygon")
    _, ours = (places(line.get("points", "")) for line in draw(PLOT).iter("polyline"))
    (x0, low0), (x1, low1), (x2, high1), (x3, high0) = places(band.get("points", ""))
    assert [x0, x1, x2, x3] == [ours[0][0], ours[1][0], ours[1][0], ours[0][0]]
    assert high0 < ours[0][1] < low0
    assert high1 < ours[1][1] < low1


def test_every_point_tells_its_value_and_a_long_line_has_none() -> None:
    told = [title.text for title in draw(PLOT).iter("title")]
    assert told == [
        "base: 26 at 4",
        "base: 24 at 8",
        "ours: 28 (27 to 29) at 4",
        "ours: 25 (24.5 to 25.5) at here",
    ]
    long = Plot("", "", "", [Series("", [Point(x, x) for x in range(100)])])
    assert [*draw(long).iter("circle")] == []


def test_what_is_muted_is_grey_and_what_is_not_has_a_colour_of_its_own() -> None:
    series = [Series(str(n), [Point(0, 0)], muted=n % 2 == 0) for n in range(4)]
    drawn = draw(Plot("", "", "", series))
    assert [group.get("class") for group in drawn.findall("svg/g")] == [
        "muted muted-0",
        "colour colour-0",
        "muted muted-1",
        "colour colour-1",
    ]
    assert [item.findtext("svg") is not None for item in drawn.iter("li")] == [True] * 4


@pytest.mark.parametrize("points", [[], [Point(3, 5)], [Point(3, 5), Point(3, 5)]])
def test_a_plot_of_nothing_or_of_one_value_is_drawn(points: list[Point]) -> None:
    drawn = draw(Plot("", "", "", [Series("", points)]))
    for circle in drawn.iter("circle"):
        assert (circle.get("cx"), circle.get("cy")) == ("215.0", "118.0")  # in the middle


def test_doublings_are_equally_far_apart() -> None:
    points = [Point(side, 0) for side in (4, 8, 16, 64)]
    drawn = draw(Plot("", "", "", [Series("", points)], doubling=True))
    a, b, c, d = (float(circle.get("cx", "")) for circle in drawn.iter("circle"))
    assert c - b == pytest.approx(b - a, abs=0.2)
    assert d - c == pytest.approx(2 * (b - a), abs=0.2)


def test_a_given_span_is_kept() -> None:
    plot = Plot("", "", "", [Series("", [Point(0, 0.5), Point(1, 0.6)])], span=(0, 1))
    (line,) = draw(plot).iter("polyline")
    assert places(line.get("points", ""))[0][1] == 118  # half of the height


# Pages


def test_a_page_asks_nothing_of_any_network() -> None:
    page = render(title="t", lead="l", sections=SECTIONS)
    assert re.findall(r"https?://[^\s\"']+", page) == []
    assert "default-src 'none'" in page
    assert set(re.findall(r'(?:src|href)="([^;]+);', page)) == {"data:image/webp"}


def test_names_on_a_page_are_never_markup() -> None:
    pictures = {STRANGE: grey(1), "b": grey(2)}
    parts: list[Part] = [
        Text(STRANGE),
        Table(STRANGE, [STRANGE], [[STRANGE], [Cell(STRANGE, STRANGE)]]),
        Plot(STRANGE, STRANGE, STRANGE, [Series(STRANGE, [Point(0, 0, label=STRANGE)])]),
        Gallery([Face(STRANGE, pictures)]),
    ]
    page = render(title=STRANGE, lead=STRANGE, sections=[Section(STRANGE, parts)])
    found: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.append(tag)  # type: ignore[method-assign]
    parser.feed(page)
    assert found.count("script") == 1
    assert found.count("img") == 2
    assert page.count(ESCAPED) >= 14


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
        browser.tell("""(() => {
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
    left, top, width, height = browser.tell("""(() => {
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
    browser.tell("document.querySelector('.slider input').focus()")
    for _ in range(3):
        browser.press("ArrowRight", 39)
    assert edge(browser) == (53, "53%", "inset(0px 47% 0px 0px)")
    browser.press("Home", 36)
    assert edge(browser)[0] == 0
    name, told = browser.tell("""(() => {
        const input = document.activeElement;
        return [input.getAttribute("aria-label"), input.getAttribute("aria-valuetext")];
    })()""")
    assert name == "face 0: how much of the left picture is shown"
    assert told == "0 % mosaic"


def test_other_pictures_can_be_chosen_for_all_faces(browser: Browser, page: Path) -> None:
    browser.open(page, width=1100)
    browser.tell("""(() => {
        const select = document.querySelector("select[name=right]");
        select.value = "original";
        select.dispatchEvent(new Event("change"));
    })()""")
    shown = browser.tell("""[...document.querySelectorAll(".slider")].map(slider =>
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
    frame, table, scrolled, name = browser.tell("""(() => {
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
    paper, ink = browser.tell(colours)
    assert paper > 240 > 60 > ink
    browser.open(page, width=390, dark=True)
    paper, ink = browser.tell(colours)
    assert paper < 60 < 220 < ink


def test_the_picture_of_the_left_name_is_on_the_left(browser: Browser, page: Path) -> None:
    """By its pixels: black left of the edge, white right of it."""
    browser.open(page, width=1100)
    left, height, width = (round(value) for value in middle(browser))
    shot = page.with_name("shot.png")
    offset = browser.tell("scrollY")
    browser.screenshot(shot)
    from demosaic.imaging.decoding import read_image

    line = read_image(shot)[round(height + offset)]
    assert line[left + width // 4].tolist() == [0, 0, 0]
    assert line[left + 3 * width // 4].tolist() == [255, 255, 255]
