"""Lines and points over two axes, as SVG for a page.

They are drawn here and not by matplotlib: its SVG weighs 50 kB and more for a plot, has no dark
mode, and shrinks its text with the screen. These plots take their colours from the page.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from demosaic.reporting.svg import element

_WIDTH, _HEIGHT = 400, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 14, 26, 40  # margins
_COLOURS = 6  # in the page's style sheet; then they repeat

_GREYS = 3  # for muted series, likewise

_ROOM = 60  # px; a label that begins nearer to the right end stands left of its point

_DOTS = 40  # a series of more points is drawn as a line only


@dataclass(frozen=True)
class Point:
    """A value, with the ends of its interval if they are known."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    label: str = ""
    """Text beside the point."""


@dataclass(frozen=True)
class Series:
    """Points joined by a line, in the given order."""

    name: str
    points: Sequence[Point]
    muted: bool = False
    """Whether it is drawn grey and dashed, as something to compare with."""


@dataclass(frozen=True)
class Plot:
    """Some series over two axes."""

    title: str
    x: str
    """The quantity on the x axis, with its unit."""
    y: str
    """The quantity on the y axis, with its unit."""
    series: Sequence[Series]
    ticks: Sequence[float] | None = None
    """The values marked on the x axis; by default round ones."""
    span: tuple[float, float] | None = None
    """Lowest and highest value of the y axis, beyond which nothing is drawn; by default all points
    fit.
    """
    doubling: bool = False
    """Whether the x axis is logarithmic; all its values are then above 0."""


@dataclass(frozen=True)
class _Scale:
    """Maps the values of an axis, from `low` to `high`, to coordinates in the SVG."""

    low: float
    high: float
    start: float
    end: float
    doubling: bool = False

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self.doubling:
            low, value, high = map(math.log2, (low, value, high))
        share = min(max((value - low) / (high - low), 0), 1)
        return round(self.start + share * (self.end - self.start), 1)


def draw(plot: Plot) -> Element:
    """The plot as an SVG element: axes with their names, and a group for each series."""
    across, down = _scales(plot)
    styles = _styles(plot.series)
    drawn = [
        _series(series, style, across, down)
        for series, style in zip(plot.series, styles, strict=True)
    ]
    return element(
        "svg",
        *_axes(plot, across, down),
        *drawn,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label=f"{plot.title}: {plot.y} by {plot.x}",
    )


def legend(plot: Plot) -> list[tuple[Element, str]]:
    """For each series, a piece of its line as an SVG element, and its name."""
    styles = _styles(plot.series)
    return [
        (_swatch(style), series.name) for series, style in zip(plot.series, styles, strict=True)
    ]


def round_values(low: float, high: float, about: int = 5) -> list[float]:
    """About so many multiples of 1, 2 or 5 times a power of ten between `low` and `high`."""
    step = 10 ** math.floor(math.log10((high - low) / about))
    step *= next((by for by in (1, 2, 5) if (high - low) / (step * by) <= about), 10)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


def _scales(plot: Plot) -> tuple[_Scale, _Scale]:
    points = [point for series in plot.series for point in series.points]
    xs = [*(point.x for point in points), *(plot.ticks or ())]
    ys = [end for point in points for end in (point.low, point.y, point.high) if end is not None]
    left, right = _range(xs)
    bottom, top = plot.span or _with_margin(*_range(ys))
    across = _Scale(left, right, _LEFT + 8, _WIDTH - _RIGHT - 8, plot.doubling)
    return across, _Scale(bottom, top, _HEIGHT - _BOTTOM, _TOP)


def _range(values: Sequence[float]) -> tuple[float, float]:
    """The lowest and highest value, a little apart when they are equal; 0 and 1 for no values."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _with_margin(low: float, high: float) -> tuple[float, float]:
    return low - 0.05 * (high - low), high + 0.05 * (high - low)


def _axes(plot: Plot, across: _Scale, down: _Scale) -> Iterator[Element]:
    for value in round_values(down.low, down.high):
        y = down(value)
        yield element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="grid")
        yield _text(f"{value:g}", _LEFT - 6, y + 4, "end")
    foot = _HEIGHT - _BOTTOM
    yield element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=foot, y2=foot, class_="axis")
    for value in plot.ticks or round_values(across.low, across.high):
        x = across(value)
        yield element("line", x1=x, x2=x, y1=foot, y2=foot + 4, class_="axis")
        yield _text(f"{value:g}", x, foot + 17, "middle")
    yield _text(plot.y, 2, 13, "start", "name")
    yield _text(plot.x, (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 5, "middle", "name")


def _series(series: Series, style: str, across: _Scale, down: _Scale) -> Element:
    places = [(across(point.x), down(point.y)) for point in series.points]
    line = element("polyline", points=_joined(places), class_="line")
    parts = [*_band(series, across, down), line]
    if len(places) <= _DOTS:
        for point, (x, y) in zip(series.points, places, strict=True):
            tooltip = element("title", f"{series.name}: {_described(point)}")
            parts.append(element("circle", tooltip, cx=x, cy=y, r=3))
            if point.label:
                late = x > _WIDTH - _ROOM
                anchor, aside = ("end", -6) if late else ("start", 6)
                parts.append(_text(point.label, x + aside, y - 6, anchor, "label"))
    return element("g", *parts, class_=style)


def _band(series: Series, across: _Scale, down: _Scale) -> Iterator[Element]:
    """The intervals, as an area along their lower ends and back along the upper ones."""
    lower = [(across(p.x), down(p.low)) for p in series.points if p.low is not None]
    upper = [(across(p.x), down(p.high)) for p in series.points if p.high is not None]
    if lower and upper:
        yield element("polygon", points=_joined([*lower, *reversed(upper)]), class_="band")


def _described(point: Point) -> str:
    interval = "" if point.low is None else f" ({point.low:.4g} to {point.high:.4g})"
    return f"{point.y:.4g}{interval} at {point.label or format(point.x, '.4g')}"


def _joined(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in places)


def _text(text: str, x: float, y: float, anchor: str, style: str = "tick") -> Element:
    return element("text", text, x=round(x, 1), y=round(y, 1), text_anchor=anchor, class_=style)


def _styles(series: Sequence[Series]) -> list[str]:
    """For each series, classes of the page's style sheet: colours in turn, or greys when muted."""
    counts = {True: 0, False: 0}
    styles = []
    for one in series:
        kind = "muted" if one.muted else "colour"
        styles.append(f"{kind} {kind}-{counts[one.muted] % (_GREYS if one.muted else _COLOURS)}")
        counts[one.muted] += 1
    return styles


def _swatch(style: str) -> Element:
    line = element("line", x1=0, x2=22, y1=5, y2=5, class_="line")
    return element("svg", element("g", line, class_=style), viewBox="0 0 22 10", aria_hidden="true")


Points = list[tuple[float, float]]
"""A curve of training: steps and values."""
