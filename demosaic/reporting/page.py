"""Results as one HTML file: texts, tables, plots, and pictures to compare.

A page is a list of sections, and a section is a list of parts. The file contains all that a browser
needs, and its first lines forbid it to load anything:

    write_report(
        Path("report.html"),
        title="How good is my model",
        lead="On 200 held-out faces: 24.1 dB at cells of 16 px, 1.1 dB above the smooth image.",
        sections=[
            Section("Scores", [
                Text("Means over the faces; below them the 95 % confidence interval."),
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

Consecutive plots stand side by side where there is room. The pictures of a face are uint8 (H, W, 3)
of one size. The first two are shown at first, left and right of an edge that mouse, finger and
arrow keys move; others can be chosen above the gallery.

The markup is in `page.html.j2` and `parts.html.j2`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from demosaic import __version__
from demosaic.files import encoded, write_bytes
from demosaic.imaging.arrays import Pixels
from demosaic.reporting.plots import Plot, draw, legend
from demosaic.reporting.stage import Stage, inline
from demosaic.reporting.svg import as_markup
from demosaic.text import in_lines


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Cell:
    """A number in a table, with a note in small type below it."""

    text: str
    note: str = ""
    best: bool = False
    """Whether it is the best of its column or row, which is set off."""


@dataclass(frozen=True)
class Table:
    """Rows below a head. The first cell of a row is its name; the others are right-aligned."""

    caption: str
    head: Sequence[str]
    """Empty for a table without a head."""
    rows: Sequence[Sequence[str | Cell]]
    words: bool = False
    """Whether its cells are words, which are left-aligned."""


@dataclass(frozen=True)
class Face:
    """Pictures of one face to compare."""

    title: str
    """The caption."""
    pictures: Mapping[str, Pixels]
    """Pictures (H, W, 3) of one size by their names."""


@dataclass(frozen=True)
class Gallery:
    """Faces, each with pictures of the same names; at least one."""

    faces: Sequence[Face]
    beside: str = ""
    """The picture shown at the right at first; by default the second."""


@dataclass(frozen=True)
class Link:
    """A link to a file beside the page."""

    text: str
    url: str
    """Relative to the page, quoted."""


@dataclass(frozen=True)
class Links:
    """Links in one line."""

    links: Sequence[Link]


Part = Text | Table | Plot | Gallery | Stage | Links


@dataclass(frozen=True)
class Section:
    """Parts under a heading."""

    title: str
    parts: Sequence[Part]
    folded: bool = False
    """Whether only the heading shows until it is clicked."""


@dataclass(frozen=True)
class Verdict:
    """The answer of a page, above all else."""

    level: Literal["red", "amber", "green"]
    text: str


def write_report(
    path: Path,
    *,
    title: str,
    lead: str,
    sections: Sequence[Section],
    verdict: Verdict | None = None,
    renews: int = 0,
) -> None:
    """Write the page to `path`, whole or not at all. Raises DemosaicError when it cannot."""
    page = render(title=title, lead=lead, sections=sections, verdict=verdict, renews=renews)
    write_bytes(path, encoded(page))


def render(
    *,
    title: str,
    lead: str,
    sections: Sequence[Section],
    verdict: Verdict | None = None,
    renews: int = 0,
) -> str:
    """The page as HTML. `lead` is its first paragraph: the findings in one or two sentences. A
    browser loads it anew every `renews` seconds, unless these are 0.
    """
    page = _environment().get_template("page.html.j2")
    rendered = page.render(
        title=title,
        lead=lead,
        sections=sections,
        renews=renews,
        verdict=verdict,
        has_pictures=any(
            isinstance(part, Gallery | Stage) for section in sections for part in section.parts
        ),
        version=__version__,
        style=_own_file("report.css"),
        script=_own_file("report.js"),
    )
    return in_lines(rendered)  # a file name that is not UTF-8 shows as \\udc..


@cache
def _environment() -> Environment:
    """The templates beside this module, in which every text is escaped."""
    environment = Environment(
        loader=PackageLoader("demosaic.reporting", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "side_by_side": _side_by_side,
        "drawn": _drawn,
        "legend": _legend,
        "inline": inline,
    }
    environment.tests |= {
        "plot": lambda part: isinstance(part, Plot),
        "table": lambda part: isinstance(part, Table),
        "gallery": lambda part: isinstance(part, Gallery),
        "stage": lambda part: isinstance(part, Stage),
        "links": lambda part: isinstance(part, Links),
    }
    return environment


def _own_file(name: str) -> Markup:
    """A file beside this module, which goes into the page as it is."""
    return Markup((Path(__file__).parent / name).read_text(encoding="utf-8"))


def _side_by_side(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """The parts in their order: consecutive plots as one group, everything else alone."""
    for are_plots, group in groupby(parts, lambda part: isinstance(part, Plot)):
        if are_plots:
            yield [*group]
        else:
            yield from ([part] for part in group)


def _drawn(plot: Plot) -> Markup:
    """The plot as SVG, which is escaped already."""
    return Markup(as_markup(draw(plot)))


def _legend(plot: Plot) -> list[tuple[Markup, str]]:
    """For each series, a piece of its line as SVG, and its name."""
    return [(Markup(as_markup(swatch)), name) for swatch, name in legend(plot)]
