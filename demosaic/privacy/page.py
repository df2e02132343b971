"""The page of an audit: the answer, what to do, a few faces to look at, and the figures."""

from collections.abc import Sequence
from pathlib import Path

from demosaic.files import encoded, without_user, write_bytes
from demosaic.models.box import BOX
from demosaic.privacy.attack import Audit, Shown
from demosaic.privacy.events import Attack, AuditReport, Hiding
from demosaic.privacy.gallery import BUILD
from demosaic.privacy.verdict import ALIKE, DIRECT, RESTORED
from demosaic.reporting.page import Cell, Face, Gallery, Section, Table, Text, Verdict, render
from demosaic.reporting.plots import Plot, Point, Series
from demosaic.text import counted

TITLE = "Privacy audit: are faces that are hidden this way recognised?"
_WAYS = {
    DIRECT: "compared with clear photos",
    ALIKE: "compared with photos hidden alike",
    RESTORED: "restored first",
}
_RANKS = {
    DIRECT: "against clear photos",
    ALIKE: "against photos hidden alike",
    RESTORED: "once restored",
}
_NO_PROOF = (
    "The software is simple: it learned from this album alone. One that was trained on millions of "
    "faces finds more, above all in restored faces, and people who know each other recognise hair, "
    "clothes and places, which was not tested."
)
_HOW = (
    "Half of each person's faces, at most three, are known; at most two of the others are hidden, "
    "and each is searched for among all people with a known face. Faces are compared by their "
    "colours, by their edges and by both: whitened principal components, learned from the known "
    "faces. Each number is that of the comparison that found the most, with its 95 % confidence "
    "interval (Wilson). Cells have the means of their pixels, on a grid that begins in the corner "
    f"of the cropped face of {BUILD.size} px, {BUILD.margin:g} times as wide as the face; the "
    "software knows the grid. We call a number more than guessing if luck would reach it in fewer "
    "than 5 of 100 audits. Photos of one occasion count like any others; of copies, near copies "
    "and photos taken within seconds only one is used."
)


def write_audit(path: Path, audit: Audit, *, faces: bool = True) -> None:
    """Write the page of an audit to `path`, whole or not at all; without `faces`, it shows nobody
    and can be mailed. Raises DemosaicError.
    """
    write_bytes(path, encoded(render_audit(audit, faces=faces)))


def render_audit(audit: Audit, *, faces: bool = True) -> str:
    """The page of an audit as HTML."""
    report = audit.report
    return render(
        title=TITLE,
        verdict=Verdict(report.level, report.verdict),
        lead=report.advice,
        sections=sections(audit, faces=faces),
    )


def sections(audit: Audit, *, faces: bool) -> list[Section]:
    """The sections of the page, below its answer."""
    report = audit.report
    return [
        *([_faces(report, audit.shown)] if faces and audit.shown else []),
        Section(
            "How many are found again", [_plot(report), Text(_compared(report)), _table(report)]
        ),
        Section("Who was looked for, and how", [Text(_NO_PROOF), Text(_who(report)), Text(_HOW)]),
    ]


def _faces(report: AuditReport, shown: Sequence[Shown]) -> Section:
    explanation = Text(
        f"Below each face is the rank at which the right one of {report.people} people came; 1 "
        "means recognised at once. Drag the edge, or reach it with the tab key and use the arrow "
        "keys."
    )
    faces = [_face(number, one) for number, one in enumerate(shown, 1)]
    return Section("Some of the faces", [explanation, Gallery(faces, beside="original")])


def _face(number: int, shown: Shown) -> Face:
    places = "; ".join(f"rank {place} {_RANKS[way]}" for way, place in shown.places.items())
    return Face(f"face {number}: {places}", shown.pictures)


def _plot(report: AuditReport) -> Plot:
    """What is found by the number of cells across the face."""
    mosaics, blurs = (_of_style(report, style) for style in ("mosaic", "blur"))
    ways = dict.fromkeys(
        attack.way for attack in report.attacks if attack.hiding and attack.hiding.style == "mosaic"
    )
    lines = [
        Series(f"mosaic, {_WAYS[way]}", [_point(report.best(one, way)) for one in mosaics])
        for way in ways
    ]
    if blurs:
        lines.append(Series("blur", [_point(report.best(one)) for one in blurs]))
    if report.asked.cells:
        yours = _point(report.best(report.asked), "yours")
        lines.append(Series(f"yours: {report.asked}", [yours]))
    ends = [cells for one in report.hidings if (cells := one.cells)]
    flat = {
        "black": report.best(_of_style(report, "solid")[0]).first.mean,
        "nothing hidden": report.best(None).first.mean,
        "guessing": report.chance,
    }
    levels = [
        Series(name, [Point(end, 100 * level) for end in (min(ends), max(ends))], name != "black")
        for name, level in flat.items()
    ]
    return Plot(
        "Found again, by the size of the cells or the spread of the blur",
        "cells, or spreads of the blur, across the face",
        "% of the hidden faces",
        [*lines, *levels],
        ticks=[tick for tick in (1, 2, 5, 10, 20, 40) if min(ends) <= tick <= max(ends)],
        doubling=True,
    )


def _point(attack: Attack, label: str = "") -> Point:
    # Without its interval, which is in the table: so many would hide each other
    cells = (attack.hiding.cells if attack.hiding else None) or 1
    return Point(cells, 100 * attack.first.mean, label=label)


def _of_style(report: AuditReport, style: str) -> list[Hiding]:
    """The ways to hide faces in this style, that with the most cells first."""
    found = (hiding for hiding in report.hidings if hiding.style == style)
    return sorted(found, key=lambda one: -(one.cells or 0))


def _compared(report: AuditReport) -> str:
    """The figures in words."""
    clear = report.best(None)
    return (
        f"Of {report.hidden} faces that nothing hides, {clear.found} are found; guessing finds "
        f"{report.chance * report.hidden:.1f}. From {report.least_significant} of {report.hidden} "
        f"on, a number is more than guessing: such numbers are bold. {smallest_missed(report)}"
    )


def smallest_missed(report: AuditReport) -> str:
    """From which size of cells on nobody is found beyond luck, in one sentence."""
    missed = None
    for hiding in reversed(_of_style(report, "mosaic")):  # that with the fewest cells first
        if any(one.above_chance for one in report.attacks if one.hiding == hiding):
            break
        missed = hiding
    if missed is None:
        return "Even behind the largest cells tried, people are found more often than by guessing."
    return (
        f"With {missed.cells:.3g} cells across the face or fewer, this test found nobody beyond "
        "luck; that proves nothing about better software."
    )


def _table(report: AuditReport) -> Table:
    """A row for each way to hide faces, a column for each way to compare."""
    ways = [*dict.fromkeys(attack.way for attack in report.attacks)]
    order = [
        report.asked,
        *(
            hiding
            for style in ("solid", "blur", "mosaic")
            for hiding in reversed(_of_style(report, style))
            if hiding != report.asked
        ),
    ]
    rows = [[_name(report, one), *(_number(report, one, way) for way in ways)] for one in order]
    caption = f"Faces found again, of {report.hidden}"
    return Table(caption, ["hidden behind", *(_WAYS[way] for way in ways)], rows)


def _name(report: AuditReport, hiding: Hiding) -> Cell:
    return Cell(str(hiding), "yours" if hiding == report.asked else "")


def _number(report: AuditReport, hiding: Hiding, way: str) -> str | Cell:
    """How many were found behind this hiding in this way; empty where it was not tried."""
    tried = [one for one in report.attacks if (one.hiding, one.way) == (hiding, way)]
    if not tried:
        return ""
    best = report.best(hiding, way)
    first = best.first
    note = f"{first.mean:.0%} ({100 * first.low:.0f}\u2013{100 * first.high:.0f})"
    return Cell(str(best.found), note, best.above_chance)


def _who(report: AuditReport) -> str:
    left_out = ", ".join(
        f"{counted(count, 'person', 'people')} {reason}"
        for reason, count in report.left_out.items()
    )
    model = f" Restored by {_named(Path(report.model))}." if report.model else ""
    photos = without_user(Path(report.photos))
    return (
        f"{counted(report.hidden, 'face')} of "
        f"{counted(report.hidden_people, 'person', 'people')} are hidden, in {photos}; "
        f"{report.gallery} faces of {report.people} people are known. Left out: "
        f"{left_out or 'nobody'}.{model} The audit took {report.seconds:.0f} s."
    )


def _named(model: Path) -> str:
    return "the model in the box" if model == BOX else without_user(model)
