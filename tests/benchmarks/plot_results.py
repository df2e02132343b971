"""Draw the plot of the README from the first table of figures in docs/benchmarks.md.

    python tests/benchmarks/plot_results.py [--out docs/results.svg]

SVG by hand: it follows the reader's light or dark mode, and comes out the same on every machine.
"""

import argparse
import math
import re
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
WIDTH, HEIGHT = 540, 350
LEFT, RIGHT, TOP, BOTTOM = 48, 20, 52, 50  # margins
LEGEND = 224  # its left end
LOWEST, HIGHEST, STEP = 16, 40, 4  # dB
STYLES = {  # rows of the table: what the plot calls them, and their class
    "the mosaic": ("the mosaic", "s0"),
    "bicubic interpolation": ("bicubic interpolation", "s1"),
    "smooth image with the same cells": ("smooth image with the same cells", "s2"),
    "demosaic, 30 minutes (12,234 steps) on 2,839 pairs": ("demosaic, 30 minutes", "ours"),
}
STYLE = """
  svg { font: 14px system-ui, sans-serif; }
  .card { fill: #ffffff; stroke: #d0d7de; }
  .blank { fill: #ffffff; }
  .grid { stroke: #d8dee4; }
  text { fill: #1f2328; }
  .title { font-weight: 600; }
  polyline, .key { fill: none; stroke: #656d76; stroke-width: 1.5; }
  .s0 { stroke-dasharray: 2 3; }
  .s1 { stroke-dasharray: 7 4; }
  .s2 { stroke-dasharray: 11 3 2 3; }
  .ours { stroke: #0969da; stroke-width: 3; }
  circle { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    .card { fill: #0d1117; stroke: #30363d; }
    .blank { fill: #0d1117; }
    .grid { stroke: #21262d; }
    text { fill: #e6edf3; }
    polyline, .key { stroke: #9198a1; }
    .ours { stroke: #4493f8; }
    circle { fill: #4493f8; }
  }
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DOCS / "results.svg")
    out: Path = parser.parse_args().out
    blocks, rows = read_table((DOCS / "benchmarks.md").read_text(encoding="utf-8"))
    out.write_text(draw(blocks, rows), encoding="utf-8", newline="\n")


def read_table(page: str) -> tuple[list[int], dict[str, list[float]]]:
    """Cell sizes in px, and the PSNR in dB at each of them by row, of the table that has them."""
    blocks: list[int] = []
    rows = {}
    for line in page.splitlines():
        name, *values = (part.strip() for part in line.strip("|").split("|"))
        if values and all(re.fullmatch(r"\d+ px", value) for value in values):
            blocks = [int(value.removesuffix(" px")) for value in values]
        elif blocks and len(values) == len(blocks) and not set(line) <= set("|-"):
            rows[name] = list(map(float, values))
    return blocks, rows


def draw(blocks: list[int], rows: dict[str, list[float]]) -> str:
    """The plot as a file of SVG."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>PSNR of restored faces by cell size</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="8"/>',
        text(LEFT, 30, "How near to the original: PSNR in dB, higher is better", "start", "title"),
        *axes(blocks),
        *lines(blocks, rows),
        *legend(),
        "</svg>",
    ]
    return "\n".join([*parts, ""])


def axes(blocks: list[int]) -> Iterator[str]:
    """Grid lines with their values, and the cell sizes below."""
    for value in range(LOWEST, HIGHEST + 1, STEP):
        y = down(value)
        yield f'<path class="grid" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>'
        yield text(LEFT - 8, y + 5, str(value), "end")
    for block in blocks:
        yield text(across(block, blocks), HEIGHT - BOTTOM + 20, str(block), "middle")
    yield text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "side of a cell, px", "middle")


def lines(blocks: list[int], rows: dict[str, list[float]]) -> Iterator[str]:
    """A line for each row; ours has its points marked."""
    for row, (_, style) in STYLES.items():
        points = zip(blocks, rows[row], strict=True)
        places = [(across(block, blocks), down(value)) for block, value in points]
        joined = " ".join(f"{x},{y}" for x, y in places)
        yield f'<polyline class="{style}" points="{joined}"/>'
        if style == "ours":
            yield from (f'<circle cx="{x}" cy="{y}" r="4"/>' for x, y in places)


def legend() -> Iterator[str]:
    """What the lines are, the uppermost first."""
    width = WIDTH - LEGEND - 4
    yield f'<rect class="blank" x="{LEGEND}" y="{TOP - 2}" width="{width}" height="90"/>'
    for number, (label, style) in enumerate(reversed(STYLES.values())):
        y = TOP + 10 + 22 * number
        yield f'<path class="key {style}" d="M{LEGEND + 8} {y}h36"/>'
        yield text(LEGEND + 54, y + 5, label, "start")


def across(block: int, blocks: list[int]) -> float:
    """The x of a cell size: each doubling is as far from the last."""
    share = math.log2(block / blocks[0]) / math.log2(blocks[-1] / blocks[0])
    return round(LEFT + 16 + share * (WIDTH - RIGHT - LEFT - 32), 1)


def down(value: float) -> float:
    """The y of a PSNR in dB."""
    share = (value - LOWEST) / (HIGHEST - LOWEST)
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def text(x: float, y: float, words: str, anchor: str, style: str = "") -> str:
    """A line of text at a place."""
    named = f' class="{style}"' if style else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{named}>{words}</text>'


if __name__ == "__main__":
    main()
