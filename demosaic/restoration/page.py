"""The page of what was restored: every picture before and after, and how it was made."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from demosaic.config.restoration import RestoreConfig
from demosaic.events import PictureSkipped
from demosaic.imaging.arrays import Floats, Pixels, resize
from demosaic.imaging.geometry import Box, crop
from demosaic.imaging.heat import heat_over, heat_scale
from demosaic.models.compute import Compute
from demosaic.models.flow import course
from demosaic.models.lookup import about
from demosaic.models.model import Model
from demosaic.reporting.page import Link, Links, Part, Section, Table, Text, write_report
from demosaic.reporting.stage import Inline, Stage, View, inline
from demosaic.restoration.events import ClipRestored, PictureRestored, RegionRestored
from demosaic.restoration.image import Restored, restore_regions
from demosaic.text import counted

_DRAWS = 4
"""Draws that the page shows of a picture, if the config does not ask for more."""

_MOST_DRAWS = 12
_AROUND = 0.35  # of a mosaic's sides; what a view shows beside it
_BASE, _VIEW = 1280, 768  # px; longest side of a picture and of a view in the page
_HONEST = (
    "What stands in for a mosaic is a plausible face that agrees with its cells, not the person's "
    "true face."
)
_HOW_TO = (
    "Drag the edge, or reach it with the tab key and use the arrow keys: mosaic on the left, "
    "restored on the right."
)
_DRAWN = (
    " The slider beside the picture goes from the mean of all faces that fit the cells to one draw "
    "from them; where draws differ, the cells do not say what was there."
)


@dataclass
class RestorePage:
    """Collects what was restored, and writes it as one page to `path`."""

    path: Path
    model: Model
    config: RestoreConfig
    compute: Compute
    sections: list[Section] = field(default_factory=list)
    frame: tuple[Pixels, Restored] | None = None

    def add_picture(self, done: PictureRestored, before: Pixels, restored: Restored) -> None:
        """Add a picture (H, W, 3) as it was, what became of it, and the files written."""
        name = Path(done.picture).name
        first = [region for region in done.regions if region.page == done.regions[0].page]
        parts: list[Part] = [self._stage(name, before, restored)]
        if self.model.undoes_mosaics:
            parts.append(_facts(first))
        if len(first) < len(done.regions):
            parts.append(Text("The file has more pictures with mosaics; this is the first."))
        parts.append(self._links([*(done.samples or [done.out]), done.spread, done.comparison]))
        self.sections.append(Section(name, parts))

    def add_frame(self, before: Pixels, restored: Restored) -> None:
        """Show this frame (H, W, 3) of the clip that is added next."""
        self.frame = (before, restored)

    def add_clip(self, done: ClipRestored) -> None:
        """Add a clip: how many of its frames had a mosaic, the first of them, and its file."""
        text = f"{done.restored} of {counted(done.frames, 'frame')} had a mosaic and are restored."
        name = Path(done.clip).name
        parts: list[Part] = [Text(text)]
        if self.frame:
            parts += [self._stage(name, *self.frame), Text("This is the first of them.")]
            self.frame = None
        parts.append(self._links([done.out, done.comparison]))
        self.sections.append(Section(name, parts))

    def write(self, skipped: Sequence[PictureSkipped]) -> None:
        """Write the page, with the pictures that were left out and why. Raises DemosaicError."""
        many = len(self.sections) > 1
        what = f"{len(self.sections)} files" if many else self.sections[0].title
        closing = [Section("Model and settings", [self._settings()])]
        if skipped:
            rows = [
                [Path(one.picture).name, one.reason.removeprefix(f"{one.picture}: ")]
                for one in skipped
            ]
            closing.insert(
                0, Section("Left out", [Table("Not restored, and why", [], rows, words=True)])
            )
        write_report(
            self.path,
            title=f"Restored: {what}",
            lead=f"{_HONEST} {_HOW_TO}{_DRAWN if self.model.card.sharp else ''}",
            sections=[*self.sections, *closing],
        )

    # One picture

    def ends(self, before: Pixels, restored: Restored) -> tuple[Pixels, list[Pixels], float]:
        """The mean, draws, and how much of the first draw there is in what was written."""
        if not (self.model.undoes_mosaics and self.model.card.sharp):
            return restored.picture, [], 1.0
        realism = self.config.realism
        share = course(realism)[1] if self.model.draws else realism
        mean = restored.picture if realism == 0 else self._again(before, restored, 0.0, 0)
        # What is written at a lower realism is a blend of the mean and the draw of this one
        whole = realism / share if share else (RestoreConfig.realism if self.model.draws else 1.0)
        written = restored.samples if whole == realism else ()
        asked = min(self.config.samples, _MOST_DRAWS) if self.config.samples > 1 else _DRAWS
        count = asked if self.model.draws else 1
        more = (self._again(before, restored, whole, seed) for seed in range(len(written), count))
        return mean, [*written[:count], *more], share

    def _stage(self, name: str, before: Pixels, restored: Restored) -> Stage:
        spread = restored.spread
        most = heat_scale(spread) if spread is not None else 0.0
        mean, draws, share = self.ends(before, restored)
        views = []
        for number, region in enumerate(restored.regions, 1):
            outline = Box(*region.box)
            around = (round(_AROUND * outline.width), round(_AROUND * outline.height))
            place = outline.grown(*around, before)
            views.append(
                View(
                    f"mosaic {number}" if region.block else f"place {number}",
                    place,
                    before=_cut(before, place),
                    mean=_cut(mean, place),
                    draws=[_cut(draw, place) for draw in draws],
                    spread=None if spread is None else _heat(before, spread, most, outline),
                    outline=outline if region.block else None,
                    cells=region.block,
                    offset=region.offset,
                )
            )
        return Stage(
            title=name,
            size=(before.shape[1], before.shape[0]),
            base=inline(_at_most(before, _BASE)),
            views=views,
            share=share,
            left="mosaic" if self.model.undoes_mosaics else "before",
            right="restored" if self.model.undoes_mosaics else "after",
            spread_scale=f"black: not at all; white: by {most:.0f} grey levels or more",
        )

    def _again(self, before: Pixels, restored: Restored, realism: float, number: int) -> Pixels:
        """The picture (H, W, 3) restored with another realism and the seed of a later draw."""
        seed = self.config.seed + number
        config = replace(self.config, realism=realism, seed=seed, samples=1, spread=False)
        return restore_regions(before, restored.found, self.model, config, self.compute).picture

    def _links(self, files: Sequence[str]) -> Links:
        return Links(
            [Link(Path(file).name, _url(Path(file), self.path.parent)) for file in files if file]
        )

    def _settings(self) -> Table:
        card, config = self.model.card, self.config
        rows = [
            ["model", f"preset {card.preset}: {about(card)}"],
            ["trained on", counted(card.train_pairs, "pair")],
            *([["realism", f"{config.realism:g}"]] if card.sharp else []),
            *([["seed", str(config.seed)]] if self.model.draws else []),
            ["quality", config.quality],
            ["computed on", str(self.compute.device)],
        ]
        return Table("What restored these files", [], rows, words=True)


def _facts(regions: Sequence[RegionRestored]) -> Table:
    """Where each mosaic is, its cells, and how certain that is."""
    head = ["", "place, px", "cells, px", "first cell at", "colours", "confidence"]
    rows = [
        [
            f"mosaic {number}",
            "{2} x {3} at {0},{1}".format(*region.box),
            "{:.4g} x {:.4g}".format(*(region.block or (0, 0))),
            "{:.3g},{:.3g}".format(*region.offset),
            str(region.sampler),
            f"{region.confidence:.2f}",
        ]
        for number, region in enumerate(regions, 1)
    ]
    return Table("The mosaics found", head, rows)


def _cut(picture: Pixels, place: Box) -> Inline:
    return inline(_at_most(crop(picture, place), _VIEW))


def _heat(picture: Pixels, spread: Floats, most: float, place: Box) -> Inline:
    return inline(_at_most(heat_over(crop(picture, place), crop(spread, place), most), _VIEW))


def _at_most(picture: Pixels, side: int) -> Pixels:
    """The picture (H, W, 3), smaller if a side is longer than `side`."""
    height, width = picture.shape[:2]
    scale = min(1.0, side / max(height, width))
    if scale == 1:
        return picture
    smaller: Pixels = resize(picture, max(1, round(width * scale)), max(1, round(height * scale)))
    return smaller


def _url(path: Path, folder: Path) -> str:
    """A link from a page in a folder to a file. A colon is quoted: no name becomes a scheme."""
    return f"./{quote(os.fsencode(Path(os.path.relpath(path, folder)).as_posix()))}"
