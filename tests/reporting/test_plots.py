"""Plots: where their lines are, and what is written beside them."""

import pytest

from demosaic.reporting.plots import Plot, Point, Series, draw, legend, round_values

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
    tooltips = [title.text for title in draw(PLOT).iter("title")]
    assert tooltips == [
        "base: 26 at 4",
        "base: 24 at 8",
        "ours: 28 (27 to 29) at 4",
        "ours: 25 (24.5 to 25.5) at here",
    ]
    long = Plot("", "", "", [Series("", [Point(x, x) for x in range(100)])])
    assert [*draw(long).iter("circle")] == []


def test_what_is_muted_is_grey_and_what_is_not_has_a_colour_of_its_own() -> None:
    series = [Series(str(n), [Point(0, 0)], muted=n % 2 == 0) for n in range(4)]
    plot = Plot("", "", "", series)
    styles = ["muted muted-0", "colour colour-0", "muted muted-1", "colour colour-1"]
    assert [group.get("class") for group in draw(plot).findall("g")] == styles
    swatches = [(swatch.find("g"), name) for swatch, name in legend(plot)]
    assert [group.get("class") for group, _ in swatches if group is not None] == styles
    assert [name for _, name in swatches] == ["0", "1", "2", "3"]


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
