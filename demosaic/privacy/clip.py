"""The faces of one clip hidden: followed through its frames, with all else of it kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from demosaic.clips.editing import How, Painted, Seen, SeenWith, edit_clip, upright_pictures
from demosaic.clips.encoders import Wish
from demosaic.clips.planes import Patch
from demosaic.clips.planning import Plan, plan_clip, settle_losses
from demosaic.config.clips import ClipConfig
from demosaic.config.privacy import PixelateConfig
from demosaic.events import Listener, Notice, WorkDone, WorkStarted, ignore
from demosaic.faces.analysis import faces_in_picture
from demosaic.faces.detector import FaceDetector
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.batch import Job
from demosaic.imaging.encoding import write_jpeg
from demosaic.imaging.geometry import Box, crop
from demosaic.imaging.sheets import contact_sheet, thumbnail, titled
from demosaic.mosaic.grid import Grid
from demosaic.privacy.events import ClipPixelated
from demosaic.privacy.following import Follower, follow
from demosaic.privacy.places import (
    SMALLEST_CELL,
    Place,
    around,
    hidden_mask,
    pixelate_image,
    regions_of,
)

_TILES, _TILE, _COLUMNS = 24, 240, 4  # pictures of a sheet, their side in px, and how many in a row


def pixelate_clip(
    job: Job,
    config: PixelateConfig,
    detector: FaceDetector | None,
    clips: ClipConfig = ClipConfig(),
    listen: Listener = ignore,
) -> ClipPixelated:
    """Hide the faces of one clip, found by the detector and followed, or without one the regions
    given, and write the result and a sheet of what was hidden. All else is kept, except what may
    show or name people: covers, further pictures, data of places, words.

    Raises DemosaicError that names the file.
    """
    plan = plan_clip(job.source, job.out, Wish(clips.codec, clips.crf), hides=True)
    settle_losses(plan, lossy_ok=clips.lossy_ok, listen=listen)
    listen(Notice(f"{job.source}: covers, further pictures, places and names are left out"))
    plan = replace(plan, fields=(None,))
    followers = _followed(plan, config, detector, listen) if detector else []
    hiding = _Hiding(plan, config, followers)
    listen(WorkStarted("frames", plan.index.count))
    how = How(
        likeness=repr((config, len(followers))),
        progress=lambda moment, patches: listen(WorkDone(1)),
    )
    done = edit_clip(plan, hiding, how, "no face found: mark what to hide with --region X,Y,W,H")
    sheet = job.out.with_name(f"{job.out.stem}.sheet.jpg")
    hiding.write_sheet(sheet)
    bridged = sum(score is None for one in followers for score in one.scores)
    return ClipPixelated(
        str(job.source),
        str(job.out),
        done.tally.frames,
        done.tally.changed,
        len(followers) or len(config.regions),
        bridged,
        done.tally.copied,
        str(sheet),
    )


def _followed(
    plan: Plan, config: PixelateConfig, detector: FaceDetector, listen: Listener
) -> list[Follower]:
    """The faces of a clip, from a look through all frames."""
    listen(WorkStarted("frames looked through", plan.index.count))
    found = []
    for _, picture in upright_pictures(plan):
        found.append(faces_in_picture(picture, detector))
        listen(WorkDone(1))
    return follow(found, float(plan.encoding.rate), config.min_score)


@dataclass
class _Hiding:
    """Hides the faces in the frames of one clip."""

    plan: Plan
    config: PixelateConfig
    followers: Sequence[Follower]
    _tiles: dict[int, list[tuple[float, int, Pixels]]] = field(default_factory=dict)
    """By face, pictures of the result: how sure the detector was, the frame, and the picture."""

    def examine(self, frames: Iterator[Seen]) -> Iterator[SeenWith[tuple[int, Place]]]:
        """Each frame with the number of each face and its place."""
        for shown, picture in frames:
            yield shown, picture, list(self._places(shown.moment.number, picture))

    def _places(self, number: int, picture: Pixels) -> Iterator[tuple[int, Place]]:
        if self.config.regions:
            yield from enumerate(regions_of(picture, self.config))
            return
        whole = Box.whole(picture)
        for face, follower in enumerate(self.followers):
            seen = follower.at(number)
            if seen and around(seen[0], self.config.margin).shared(whole):
                box, score = seen
                place = around(box, self.config.margin)
                seen_part = place.clipped(whole)
                grid = _cells(place, seen_part, self.config)
                yield face, Place(seen_part, box.width, score, grid)

    def edit(self, frames: Iterator[SeenWith[tuple[int, Place]]]) -> Iterator[Painted]:
        """Each frame with its faces hidden, as patches."""
        for shown, picture, found in frames:
            result = pixelate_image(picture, [place for _, place in found], self.config).picture
            for face, place in found:
                self._keep(face, shown.moment.number, place, result)
            yield shown, [_patch(place, result, self.config) for _, place in found]

    def _keep(self, face: int, number: int, place: Place, result: Pixels) -> None:
        """Keep a picture of the result for the sheet, if it is among the least certain."""
        score = place.score if place.score is not None else 0.0
        kept = self._tiles.setdefault(face, [])
        if len(kept) < 2 or score < kept[-1][0]:
            label = f"{number / float(self.plan.encoding.rate):.1f} s"
            sure = "missed" if place.score is None else f"score {place.score:.2f}"
            picture = titled(thumbnail(result, _TILE, place.box), f"{label}, {sure}")
            kept.append((score, number, picture))
            kept.sort(key=lambda one: one[0])
            del kept[2:]

    def write_sheet(self, path: Path) -> None:
        """Write pictures of what was hidden, each face where the detector was least sure; the least
        certain first.
        """
        tiles = sorted((tile for kept in self._tiles.values() for tile in kept), key=_certainty)
        if tiles:
            pictures = [picture for _, _, picture in tiles[:_TILES]]
            write_jpeg(path, contact_sheet(pictures, _COLUMNS, _TILE))


def _cells(place: Box, seen: Box, config: PixelateConfig) -> Grid:
    """Cells that go with a face: as many in every frame, from the corner of its place, of which a
    part may be beyond the edge of the picture.
    """
    width = height = max(config.block, SMALLEST_CELL)
    if config.block < 1:
        side = max(config.block * place.width / config.margin, SMALLEST_CELL)
        width = place.width / max(1, round(place.width / side))
        height = place.height / max(1, round(place.height / side))
    return Grid(width, height, place.x - seen.x, place.y - seen.y)


def _certainty(tile: tuple[float, int, Pixels]) -> tuple[float, int]:
    return tile[0], tile[1]


def _patch(place: Place, result: Pixels, config: PixelateConfig) -> Patch:
    labels = np.where(hidden_mask(place.box, config), 0, -1).astype(np.int32)
    return Patch(place.box, np.ascontiguousarray(crop(result, place.box)), labels)
