"""A picture with its mosaics before and after, as layers that the page's script blends.

    Stage(
        title="face.jpg",
        size=(1200, 800),
        base=inline(small),
        views=[
            View("mosaic 1", Box(300, 100, 240, 240), before=inline(a), mean=inline(b),
                 draws=[inline(c), inline(d)], outline=Box(320, 120, 192, 192), cells=(12, 12)),
        ],
        share=0.5,
    )

Outside the views nothing changes: one `base`, which may be small, serves before and after. A view
is cut from the picture at its own resolution, so that looking closely at it shows all there is.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from demosaic.imaging.arrays import Pixels
from demosaic.imaging.encoding import encode_webp
from demosaic.imaging.geometry import Box

Inline = str
"""A picture as a URL that contains it."""


def inline(picture: Pixels) -> Inline:
    """The picture (H, W, 3) as a URL that contains it."""
    return f"data:image/webp;base64,{base64.b64encode(encode_webp(picture)).decode('ascii')}"


@dataclass(frozen=True)
class View:
    """A part of the picture around one mosaic, before and after. Its pictures show `place`, at any
    resolution.
    """

    name: str
    place: Box
    """Picture pixels."""
    before: Inline
    mean: Inline
    """What is restored at the left end of the slider from mean to draw, or at all."""
    draws: Sequence[Inline] = ()
    spread: Inline | None = None
    """How far draws differ; shows the `outline` only."""
    outline: Box | None = None
    """The mosaic itself, picture pixels."""
    cells: tuple[float, float] | None = None
    """Width and height of its cells, picture pixels."""
    offset: tuple[float, float] = (0, 0)
    """Where in the outline the first whole cell begins."""

    @property
    def lines(self) -> str:
        """The edges of the cells as an SVG path in picture pixels; empty without cells."""
        return " ".join(self._lines()) if self.outline and self.cells else ""

    def _lines(self) -> Iterator[str]:
        box, (width, height) = self.outline, self.cells or (0, 0)
        assert box
        for x in _inside(self.offset[0], width, box.width):
            yield f"M{box.x + x:g} {box.y}v{box.height}"
        for y in _inside(self.offset[1], height, box.height):
            yield f"M{box.x} {box.y + y:g}h{box.width}"


@dataclass(frozen=True)
class Stage:
    """A picture under a slider between before and after."""

    title: str
    """What it is, for those who cannot see it: a file name."""
    size: tuple[int, int]
    """Width and height, pixels; those of `View.place` are counted in it."""
    base: Inline
    views: Sequence[View]
    """One or more, each with as many draws as the others."""
    share: float = 1.0
    """How much of the draw is shown at first, 0 to 1."""
    left: str = "mosaic"
    right: str = "restored"
    spread_scale: str = ""
    """What the colours of the spread mean."""

    @property
    def closeups(self) -> list[tuple[str, Box]]:
        """What can be looked at, with names: each view, and the whole picture."""
        whole = ("whole picture", Box(0, 0, *self.size))
        return [*((view.name, view.place) for view in self.views), whole]


def _inside(start: float, step: float, end: float) -> Iterator[float]:
    """The edges at `start` and every `step` from there, between 0 and `end`."""
    first = start % step or step
    for number in range(max(0, int((end - first) / step) + 1)):
        if (edge := first + number * step) < end:
            yield round(edge, 2)
