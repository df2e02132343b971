"""What a mosaic gives away about an album: how often hidden people are found by their faces.

Whoever looks for them has other photos of everybody, and knows the cells. They look at a mosaic
smoothed, as blocks are edges that no face has, or restored; and hold beside it the photos they have
as they are, or pixelated alike (McPherson, Shokri and Shmatikov 2016).
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demosaic.config.compute import DeviceConfig
from demosaic.config.privacy import AuditConfig
from demosaic.config.training import TrainConfig
from demosaic.errors import DemosaicError
from demosaic.evaluation.statistics import binomial_tail, least_significant, share
from demosaic.events import Listener, Notice, WorkDone, WorkStarted, ignore
from demosaic.faces.cache import Look
from demosaic.faces.detector import FaceDetector
from demosaic.files import read_json, read_lines
from demosaic.imaging.arrays import Pixels, to_uint8
from demosaic.models.checkpoint import load_model
from demosaic.models.compute import Compute, choose, settle_threads
from demosaic.models.model import Model
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.operators import base
from demosaic.mosaic.pixelate import cell_colours, pixelated
from demosaic.privacy.events import Attack, AuditReport
from demosaic.privacy.gallery import BUILD, Album, gather
from demosaic.privacy.recognizers import (
    RECOGNISERS,
    Described,
    Points,
    by_box,
    by_eyes,
    describe,
    ranks,
    similarities,
)
from demosaic.restoration.image import restore_face
from demosaic.training.blind import trial

CLEAR, MOSAIC, ALIKE, RESTORED = "clear", "mosaic", "mosaic, alike", "restored"
"""Ways to look: at clear faces, to compare with; at mosaics, beside clear photos or beside photos
pixelated alike; at restored faces, beside clear photos.
"""

FEW = 5
"""People named, among whom the right one may be."""

SHOWN_BLOCK, _SHOWN = 16, 8  # px; faces

_ERROR = 0.05  # of taking chance for more, over all that is tried at one block

_MIDDLE: Points = ((0.36, 0.4), (0.64, 0.4), (0.5, 0.52), (0.5, 0.63))
"""Eyes, nose and mouth as shares of a cut face, for where no detector finds them."""


@dataclass(frozen=True)
class Shown:
    """One hidden face to look at."""

    pictures: Mapping[str, Pixels]
    places: Mapping[str, int]
    """By way to look, how many people are named until the right one."""


@dataclass(frozen=True)
class Audit:
    """What an audit found, and a few faces to look at."""

    report: AuditReport
    shown: Sequence[Shown]


def audit(
    photos: Path,
    config: AuditConfig,
    *,
    look: Look,
    detector: FaceDetector,
    model: Path | None = None,
    pairs: Path | None = None,
    devices: DeviceConfig | None = None,
    listen: Listener = ignore,
) -> Audit:
    """How often the hidden people of an album are found, by block and way to look.

    `model` restores; who is in the photos of `pairs` that it was trained on (those of its run, when
    none are given) is left out. Raises DemosaicError when nobody can be both known and hidden.
    """
    start = time.monotonic()
    settle_threads(devices or DeviceConfig())
    compute, restorer = _compute(devices or DeviceConfig(), restoring=model is not None), None
    trained: set[str] = set()
    if model:
        restorer = load_model(model, compute.device)
        trained = trained_photos(model, restorer.card.dataset, pairs, listen)
    album = gather(photos, config, look, trained=trained, listen=listen)
    attacker = _Attacker(album, detector, restorer, compute, config, listen)
    attacks = [attack for block in (None, *config.blocks) for attack in attacker.attacks(block)]
    safe = safe_block(attacks, config.blocks)
    report = AuditReport(
        photos=str(photos),
        model=str(model) if model else None,
        people=attacker.people,
        gallery=len(album.gallery),
        hidden=len(album.hidden),
        hidden_people=len({portrait.person for portrait in album.hidden}),
        left_out=album.left_out,
        chance_first=attacker.chance_first,
        chance_few=attacker.chance_few,
        attacks=tuple(attacks),
        least_told=least_significant(len(album.hidden), attacker.chance_first, attacker.limit),
        safe_block=safe,
        finding=finding(attacks, safe),
        seconds=time.monotonic() - start,
    )
    return Audit(report, attacker.shown)


def _compute(devices: DeviceConfig, *, restoring: bool) -> Compute:
    """What to compute with; the fastest way is worth a trial where thousands are to be restored."""
    work = trial(TrainConfig(batch=2), BUILD.size) if restoring else None
    return choose(devices, work)[0]


# Who is left out


def trained_photos(
    model: Path, fingerprint: str, pairs: Path | None, listen: Listener = ignore
) -> set[str]:
    """The SHA-256 of the photos that a model was trained on: those of the dataset `pairs` or, when
    none is given, of the one that its run names; none, and said, when that is not known.

    Raises DemosaicError when `pairs` is another dataset.
    """
    folder = pairs or _pairs_of_run(model)
    if folder is None or _fingerprint(folder) != fingerprint:
        if pairs:
            raise DemosaicError(f"--pairs {pairs} is not the dataset that {model} was trained on")
        listen(
            Notice(
                f"it is not known which photos {model} was trained on: name the dataset with "
                "--pairs, or restored faces may be found more often than strangers' would be"
            )
        )
        return set()
    lines = read_lines(folder / "pairs.jsonl")
    return {line["sha256"] for line in lines if line["split"] == "train"}


def _pairs_of_run(model: Path) -> Path | None:
    """The dataset that the run a model lies in was started with."""
    described = model.parent / "config.json"
    pairs = read_json(described).get("pairs") if described.is_file() else None
    return Path(pairs) if pairs else None


def _fingerprint(pairs: Path) -> str | None:
    described = pairs / "dataset.json"
    return read_json(described).get("fingerprint") if described.is_file() else None


# Looking for people


class _Attacker:
    """Somebody who has photos of everybody, and looks for the hidden faces among them."""

    def __init__(
        self,
        album: Album,
        detector: FaceDetector,
        model: Model | None,
        compute: Compute,
        config: AuditConfig,
        listen: Listener,
    ) -> None:
        self._known = [portrait.face for portrait in album.gallery]
        self._hidden = [portrait.face for portrait in album.hidden]
        self._owners = [portrait.person for portrait in album.gallery]
        self._truth = [portrait.person for portrait in album.hidden]
        self._detector = detector
        self._model = model
        self._compute = compute
        self._realism = config.realism
        self._listen = listen
        self.people = len(set(self._owners))
        self.chance_first, self.chance_few = 1 / self.people, min(1.0, FEW / self.people)
        tried = (3 if model else 2) * len(RECOGNISERS) * 2  # ways, recognisers, first or among few
        self.limit = _ERROR / tried
        self.shown: list[Shown] = []
        listen(WorkStarted("faces", self._work(len(config.blocks))))
        self._clear = self._by_eyes(self._known)

    def _work(self, blocks: int) -> int:
        """How many faces are to be described in all."""
        known, hidden = len(self._known), len(self._hidden)
        return known + hidden + blocks * (known + hidden * (3 if self._model else 2))

    def attacks(self, block: int | None) -> Iterator[Attack]:
        """How often people are found behind mosaics of this block, or when nothing hides them."""
        grid = Grid.square(block) if block else None
        ways = self._ways(grid)
        places = {}
        for way, (gallery, probes) in ways.items():
            found = {
                recogniser: ranks(alike, self._owners, self._truth)
                for recogniser, alike in similarities(gallery, probes).items()
            }
            made = [self._attack(way, grid, one, found[one]) for one in RECOGNISERS]
            yield from made
            places[way] = found[best_of(made).recogniser]
        if grid and block == SHOWN_BLOCK:
            self.shown = [
                self._shown(n, grid, places) for n in range(min(_SHOWN, len(self._hidden)))
            ]

    def _ways(self, grid: Grid | None) -> dict[str, tuple[Described, Described]]:
        """By way to look, the faces that are known and those looked at."""
        if grid is None:
            return {CLEAR: (self._clear, self._by_eyes(self._hidden))}
        smooth = [smoothed(face, grid) for face in self._hidden]
        ways = {
            MOSAIC: (self._clear, self._by_eyes(smooth)),
            ALIKE: (
                self._by_box(smoothed(face, grid) for face in self._known),
                self._by_box(smooth),
            ),
        }
        if self._model:
            restored = (self._restored(face, grid) for face in self._hidden)
            ways[RESTORED] = (self._clear, self._by_eyes(restored))
        return ways

    def _restored(self, face: Pixels, grid: Grid) -> Pixels:
        assert self._model is not None
        return restore_face(
            pixelated(face, grid),
            grid,
            self._model,
            compute=self._compute,
            realism=self._realism,
        )

    def _by_eyes(self, faces: Iterable[Pixels]) -> Described:
        return describe(self._counted(by_eyes(face, self._points(face)) for face in faces))

    def _by_box(self, faces: Iterable[Pixels]) -> Described:
        return describe(self._counted(map(by_box, faces)))

    def _counted(self, faces: Iterable[Pixels]) -> Iterator[Pixels]:
        for face in faces:
            yield face
            self._listen(WorkDone(1))

    def _points(self, face: Pixels) -> Points:
        """Eyes, nose and mouth, found in what there is to see, or where they mostly are."""
        found = self._detector.detect(face)
        side = face.shape[0]
        return found[0].keypoints if found else [(x * side, y * side) for x, y in _MIDDLE]

    def _attack(
        self, way: str, grid: Grid | None, recogniser: str, places: NDArray[np.intp]
    ) -> Attack:
        first, few = int((places <= 1).sum()), int((places <= FEW).sum())
        count = len(places)
        above = (
            binomial_tail(first, count, self.chance_first) < self.limit
            or binomial_tail(few, count, self.chance_few) < self.limit
        )
        return Attack(
            way=way,
            block=round(grid.width) if grid else None,
            cells=round(cells_across_face(grid.width), 1) if grid else None,
            recogniser=recogniser,
            first=share(first, count),
            few=share(few, count),
            above_chance=above,
        )

    def _shown(self, number: int, grid: Grid, places: Mapping[str, NDArray[np.intp]]) -> Shown:
        face = self._hidden[number]
        pictures = {"mosaic": pixelated(face, grid)}
        if self._model:
            pictures["restored"] = self._restored(face, grid)
        return Shown(
            {**pictures, "original": face},
            {way: int(found[number]) for way, found in places.items()},
        )


def smoothed(face: Pixels, grid: Grid) -> Pixels:
    """The smooth picture (S, S, 3) with the same cells as a face."""
    colours = cell_colours(face, grid) / np.float32(127.5) - np.float32(1)
    return to_uint8(base(colours, grid, (face.shape[0], face.shape[1])))


def cells_across_face(block: float) -> float:
    """How many cells of `block` px, of a cut face, lie across the face itself."""
    return BUILD.size / BUILD.margin / block


# What came of it


def best_of(attacks: Sequence[Attack]) -> Attack:
    """The one that found the most."""
    return max(attacks, key=lambda attack: (attack.first.mean, attack.few.mean))


def safe_block(attacks: Sequence[Attack], blocks: Sequence[int]) -> int | None:
    """The smallest of the blocks at which, and at all larger ones, nobody found more than by
    chance; None when the largest is no such one, or when not even clear faces were found, so that
    the audit can tell nothing of any block.
    """
    seen = {attack.block for attack in attacks if attack.above_chance}
    safe = None
    if not seen:
        return safe
    for block in sorted(blocks, reverse=True):
        if block in seen:
            break
        safe = block
    return safe


def finding(attacks: Sequence[Attack], safe: int | None) -> str:
    """What the attacks and the safe block among them mean, in a sentence."""
    if not any(attack.above_chance for attack in attacks):
        return (
            "even faces that nothing hides are found no more often than by chance, so this audit "
            "tells nothing about any mosaic: give it more photos of more people"
        )
    if safe is None:
        return "behind every mosaic tried, people are found more often than by chance"
    return (
        f"the smallest block from which on these recognisers find no more than chance is {safe} "
        f"px, {cells_across_face(safe):.2g} cells across the face; that is no proof of safety"
    )
