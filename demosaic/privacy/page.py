"""The page of an audit: findings in words, plots and tables, and a few faces to look at."""

from collections.abc import Sequence
from pathlib import Path

from demosaic.evaluation.events import Estimate
from demosaic.files import without_user
from demosaic.privacy.attack import (
    ALIKE,
    CLEAR,
    FEW,
    MOSAIC,
    RESTORED,
    SHOWN_BLOCK,
    Audit,
    Shown,
    best_of,
)
from demosaic.privacy.events import Attack, AuditReport
from demosaic.privacy.gallery import BUILD
from demosaic.reporting.page import Cell, Face, Gallery, Section, Table, Text
from demosaic.reporting.plots import Plot, Point, Series
from demosaic.text import counted

TITLE = "What a mosaic gives away"
_WAYS = {
    MOSAIC: "mosaic beside clear photos",
    ALIKE: "mosaic beside photos pixelated alike",
    RESTORED: "restored beside clear photos",
}

_SHORT = {MOSAIC: "mosaic", ALIKE: "both pixelated", RESTORED: "restored"}
_NO_PROOF = (
    "These recognisers learned from this album alone and know little about faces. One that was "
    "trained on millions finds more, above all in restored faces. And people who know each other "
    "recognise hair, clothes and places, which was not tested here. That nobody was found is no "
    "proof of safety. To hide someone, paint them over: demosaic pixelate --style solid."
)

_HOW = (
    "Half of each person's faces, at most three, are known; at most two of the others are hidden, "
    "and each is searched for among all people with a known face. Faces are compared by their "
    "colours, by their edges and by both: whitened principal components, learned from the known "
    "faces. Each number is that of the recogniser that found the most, with its 95 % confidence "
    "interval (Wilson). Cells have the means of their pixels, on a grid that begins in the corner "
    f"of the cropped face of {BUILD.size} px, {BUILD.margin:g} times as wide as the face itself. A "
    "recogniser knows the grid, and sees the smooth image with the same cell means. A result is "
    "above chance if chance alone gives it in less than 5 of 100 such audits, over all ways and "
    "recognisers. Photos of one occasion, with the same clothes and light, count like any others; "
    "of copies, near copies and photos taken within seconds only one is used."
)


def sections(audit: Audit) -> list[Section]:
    """The sections of the page, below its title and lead."""
    report = audit.report
    ranks = [1, FEW] if report.chance_few < 1 else [1]  # of five people five are the first five
    found = Section(
        "How often the right person is found",
        [
            *(_plot(report, rank) for rank in ranks),
            Text(
                f"{' '.join(_compared(report, rank) for rank in ranks)} With "
                f"{counted(report.hidden, 'face')}, a share of less than "
                f"{_percent(report.least_told)} coming first cannot be distinguished from chance."
            ),
            *(_table(report, rank) for rank in ranks),
        ],
    )
    faces = Section(
        f"Some of the faces, cells of {SHOWN_BLOCK} px",
        [
            Text(
                "What is behind the mosaic. Below each face is the rank of the right person among "
                f"{report.people} people, by way to search: 1 is found at once."
            ),
            Gallery([_face(shown) for shown in audit.shown]),
        ],
    )
    return [
        found,
        Section("What this does not say", [Text(_NO_PROOF)]),
        *([faces] if audit.shown else []),
        Section("Who was looked for, and how", [Text(_who(report)), Text(_HOW)]),
    ]


def lead(report: AuditReport) -> str:
    """The findings in two sentences."""
    clear = report.best(CLEAR, None)
    raw = best_of([report.best(way, SHOWN_BLOCK) for way in (MOSAIC, ALIKE)])
    restored = ""
    if RESTORED in report.ways:
        found = report.best(RESTORED, SHOWN_BLOCK).first.mean
        restored = f", and for {_percent(found)} once these are restored"
    finding = report.finding[0].upper() + report.finding[1:]
    return (
        f"Of {counted(report.hidden, 'face')}, the right one of {report.people} people is named "
        f"first for {_percent(clear.first.mean)} when nothing hides them, for "
        f"{_percent(raw.first.mean)} behind cells of {SHOWN_BLOCK} px, {raw.cells:g} across the "
        f"face{restored}; by chance it would be {_percent(report.chance_first)}. {finding}."
    )


def _title(named: int) -> str:
    return "comes first" if named == 1 else f"is among the first {FEW}"


def _chance(report: AuditReport, named: int) -> float:
    return report.chance_first if named == 1 else report.chance_few


def _compared(report: AuditReport, named: int) -> str:
    """How often a face that nothing hides is found, and how often by chance, in words."""
    clear = _share(report.best(CLEAR, None), named).mean
    return (
        f"Of faces that nothing hides, the right person {_title(named)} for {_percent(clear)}; by "
        f"chance it would be {_percent(_chance(report, named))}."
    )


def _plot(report: AuditReport, named: int) -> Plot:
    blocks = report.blocks
    drawn = [
        Series(_WAYS[way], [_point(report.best(way, block), named) for block in blocks])
        for way in report.ways
    ]
    clear = _share(report.best(CLEAR, None), named).mean
    flat = [
        Series(name, [Point(block, 100 * level) for block in (blocks[0], blocks[-1])], muted=True)
        for name, level in (("clear", clear), ("chance", _chance(report, named)))
    ]
    return Plot(
        f"The right person {_title(named)}",
        f"cell, px of a face cut at {BUILD.size} px",
        "% of the hidden faces",
        [*drawn, *flat],
        ticks=blocks,
        doubling=True,
    )


def _point(attack: Attack, named: int) -> Point:
    found, block = _share(attack, named), attack.block or 0
    return Point(block, 100 * found.mean, low=100 * found.low, high=100 * found.high)


def _table(report: AuditReport, named: int) -> Table:
    rows = [
        _row([report.best(way, block) for way in report.ways], named) for block in report.blocks
    ]
    caption = f"The right one of {report.people} people {_title(named)}"
    return Table(caption, ["cell", *(_WAYS[way] for way in report.ways)], rows)


def _row(attacks: Sequence[Attack], named: int) -> list[str | Cell]:
    """A row of what was found behind mosaics of one cell size, by each way."""
    most = max(_share(attack, named).mean for attack in attacks)
    name = Cell(f"{attacks[0].block} px", f"{attacks[0].cells:g} across the face")
    return [name, *(_number(attack, named, most) for attack in attacks)]


def _number(attack: Attack, named: int, most: float) -> Cell:
    found = _share(attack, named)
    note = f"{100 * found.low:.0f} to {100 * found.high:.0f}, {attack.recogniser}"
    if not attack.above_chance:
        note += ", as by chance"
    return Cell(_percent(found.mean), note, best=attack.above_chance and found.mean == most)


def _share(attack: Attack, named: int) -> Estimate:
    return attack.first if named == 1 else attack.few


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"


def _face(shown: Shown) -> Face:
    places = "; ".join(f"{_SHORT[way]} {place}" for way, place in shown.places.items())
    return Face(places, shown.pictures)


def _who(report: AuditReport) -> str:
    left_out = ", ".join(f"{count} {reason}" for reason, count in report.left_out.items())
    model = f" Restored by {without_user(Path(report.model))}." if report.model else ""
    photos = without_user(Path(report.photos))
    return (
        f"{counted(report.hidden, 'face')} of "
        f"{counted(report.hidden_people, 'person', 'people')} are hidden, in {photos}; "
        f"{report.gallery} faces of {report.people} people are known. People without a hidden "
        f"face: {left_out or 'none'}.{model} The audit took {report.seconds:.0f} s."
    )
