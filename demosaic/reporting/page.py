"""Results as one self-contained HTML page: texts, tables, plots, and pictures to compare.

A page is a list of sections, a section a list of parts. It needs nothing but a browser, and its
own first lines forbid it any connection:

    write_report(
        Path("report.html"),
        title="How good is my model",
        lead="On 200 held-out faces: 24.1 dB at cells of 16 px, 1.1 dB above the smooth image.",
        sections=[
            Section("Scores", [
                Text("Means over the faces; below them the interval that holds 95 of 100."),
                Table(
                    "PSNR, dB, by cell size",
                    ["", "8 px", "16 px"],
                    [["base", "26.1", Cell("23.0", "22.8 to 23.2")],
                     ["restored", "27.2", Cell("24.1", "23.9 to 24.3", best=True)]],
                ),
                Plot("Nearness to the truth", "cell, px", "PSNR, dB",
                     [Series("base", [Point(8, 26.1), Point(16, 23.0)], muted=True),
                      Series("restored", [Point(8, 27.2), Point(16, 24.1, low=23.9, high=24.3)])],
                     ticks=[8, 16]),
            ]),
            Section("Faces", [
                Gallery([
                    Face("the worst, 19.8 dB", {"mosaic": a, "restored": b, "original": c}),
                ]),
            ]),
        ],
    )

Plots that follow each other stand beside each other where there is room. The pictures of a face
are uint8 (H, W, 3) of one size; the first two are shown first, on the left and on the right of an
edge that mouse, finger and arrow keys move, and others can be chosen above the gallery.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from xml.etree.ElementTree import Element

from demosaic import __version__
from demosaic.files import encoded, write_bytes
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.encoding import encode_webp
from demosaic.reporting.html import as_html, element
from demosaic.reporting.plots import Plot, draw

_HERE = Path(__file__).parent

# Pictures and the page's own lines, and nothing from anywhere
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

_HONESTY = (
    "A restored face is a plausible one that agrees with the blocks, not the person's true face. "
    "It is not for identifying anyone; and pixelation is not anonymity. This page holds pictures "
    "of the people in your photos: treat it as you treat those."
)


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Cell:
    """A number in a table, with something small below it."""

    text: str
    note: str = ""
    best: bool = False
    """Of its column; set off."""


@dataclass(frozen=True)
class Table:
    """Rows under a head; the first cell of a row names it, the others are right-aligned."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]


@dataclass(frozen=True)
class Face:
    """Pictures (H, W, 3) of one face by what they show, and a title with what is to be said of
    it.
    """

    title: str
    pictures: Mapping[str, Pixels]


@dataclass(frozen=True)
class Gallery:
    """Faces to compare, each with pictures of the same names."""

    faces: Sequence[Face]


Part = Text | Table | Plot | Gallery


@dataclass(frozen=True)
class Section:
    """Parts under a heading."""

    title: str
    parts: Sequence[Part]
    folded: bool = False
    """Only the heading is shown until somebody asks for more."""


def write_report(path: Path, *, title: str, lead: str, sections: Sequence[Section]) -> None:
    """Write the page, whole or not at all."""
    write_bytes(path, encoded(render(title=title, lead=lead, sections=sections)))


def render(*, title: str, lead: str, sections: Sequence[Section]) -> str:
    """The page as HTML; `lead` is its first paragraph, the findings in one breath."""
    main = element(
        "main",
        element("header", element("h1", title), element("p", lead, class_="lead")),
        *map(_section, sections),
        element("footer", element("p", _HONESTY), element("p", f"demosaic {__version__}")),
    )
    page = element("html", _head(title), element("body", main, _script()), lang="en")
    return f"<!doctype html>\n{as_html(page)}\n"


def _head(title: str) -> Element:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", (_HERE / "report.css").read_text(encoding="utf-8")),
    )


def _script() -> Element:
    return element("script", (_HERE / "report.js").read_text(encoding="utf-8"))


def _section(section: Section) -> Element:
    heading = element("h2", section.title)
    if section.folded:
        return element("details", element("summary", heading), *_parts(section.parts))
    return element("section", heading, *_parts(section.parts))


def _parts(parts: Sequence[Part]) -> Iterator[Element]:
    for together, group in groupby(parts, lambda part: isinstance(part, Plot)):
        drawn = map(_part, group)
        if together:
            yield element("div", *drawn, class_="plots")
        else:
            yield from drawn


def _part(part: Part) -> Element:
    match part:
        case Text(text):
            return element("p", text)
        case Table():
            return _table(part)
        case Plot():
            return draw(part)
        case Gallery(faces):
            return _gallery(faces)


def _table(table: Table) -> Element:
    head = [element("th", title, scope="col") for title in table.head]
    rows = [
        element("tr", element("th", _cell(row[0]), scope="row"), *map(_td, row[1:]))
        for row in table.rows
    ]
    made = element(
        "table",
        element("caption", table.caption),
        element("thead", element("tr", *head)),
        element("tbody", *rows),
    )
    # What is wider than a phone is scrolled within its frame, with the keys too
    return element(
        "div", made, class_="scroll", tabindex=0, role="region", aria_label=table.caption
    )


def _td(cell: str | Cell) -> Element:
    best = isinstance(cell, Cell) and cell.best
    return element("td", _cell(cell), class_="best" if best else None)


def _cell(cell: str | Cell) -> Element | str:
    if isinstance(cell, str):
        return cell
    notes = [element("small", cell.note)] if cell.note else []
    return element("span", cell.text, *notes)


def _gallery(faces: Sequence[Face]) -> Element:
    names = [*faces[0].pictures]
    left, right = names[0], names[min(1, len(names) - 1)]
    choices = [
        element("label", f"{side} ", _choice(side, names, chosen))
        for side, chosen in (("left", left), ("right", right))
    ]
    return element(
        "div",
        element("p", *choices, class_="choices"),
        element("div", *(_face(face, left, right) for face in faces), class_="faces"),
        class_="gallery",
    )


def _choice(side: str, names: Sequence[str], chosen: str) -> Element:
    options = [element("option", name, selected=name == chosen or None) for name in names]
    return element("select", *options, name=side, autocomplete="off")


def _face(face: Face, left: str, right: str) -> Element:
    """The pictures on top of each other, and over them an edge that an input of range 0 to 100
    moves.
    """
    pictures = [
        element(
            "img",
            src=_inline(picture),
            alt=name,
            data_name=name,
            class_=" ".join(
                side for side, shown in (("left", left), ("right", right)) if shown == name
            )
            or None,
        )
        for name, picture in face.pictures.items()
    ]
    height, width = next(iter(face.pictures.values())).shape[:2]
    edge = element(
        "input",
        type="range",
        min=0,
        max=100,
        value=50,
        autocomplete="off",
        aria_label=f"{face.title}: how much of the left picture is shown",
    )
    slider = element(
        "div",
        *pictures,
        edge,
        element("span", class_="edge"),
        class_="slider",
        data_left=left,
        data_right=right,
        style=f"aspect-ratio: {width} / {height}",
    )
    return element("figure", slider, element("figcaption", face.title), class_="face")


def _inline(picture: Pixels) -> str:
    """The picture as a URL that holds it."""
    return f"data:image/webp;base64,{base64.b64encode(encode_webp(picture)).decode('ascii')}"
