"""The privacy audit: how often pixelated people of an album are identified by their faces.

The attacker has other photos of everybody, and knows the grid. They smooth a mosaic, because the
edges of its cells are no part of a face, or restore it. Then they compare it with the photos they
have, as those are or pixelated alike (McPherson, Shokri and Shmatikov 2016).
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
from demosaic.dataset.listing import fingerprint_of
from demosaic.dataset.records import Sha256
from demosaic.errors import DemosaicError
from demosaic.evaluation.statistics import binomial_tail, least_significant, share
from demosaic.events import Listener, Notice, WorkDone, WorkStarted, ignore
from demosaic.faces.cache import Examiner
from demosaic.faces.detector import FaceDetector
from demosaic.imaging.arrays import Pixels, to_uint8
from demosaic.models.box import BOX
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
from demosaic.records import read_all
from demosaic.restoration.image import restore_face
from demosaic.training.beginning import trial
from demosaic.training.run_folder import pairs_of_run

CLEAR, MOSAIC, ALIKE, RESTORED = "clear", "mosaic", "mosaic, alike", "restored"
"""Ways to compare: clear faces with clear photos, as a reference; mosaics with clear photos, or
with photos pixelated alike; restored faces with clear photos.
"""

FEW = 5
"""Number of people named; the attack is right if the person is among them."""

SHOWN_BLOCK, _SHOWN = 16, 8  # px; faces
_ERROR = 0.05  # probability of one false alarm or more, over all attacks at one block
_MIDDLE: Points = ((0.36, 0.4), (0.64, 0.4), (0.5, 0.52), (0.5, 0.63))
"""Usual places of eyes, nose and mouth in a crop, as shares of its side."""


@dataclass(frozen=True)
class Shown:
    """One hidden face on the page."""

    pictures: Mapping[str, Pixels]
    places: Mapping[str, int]
    """By way, the rank of the right person."""


@dataclass(frozen=True)
class Audit:
    """The report of an audit, and the faces that its page shows."""

    report: AuditReport
    shown: Sequence[Shown]


def audit(
    photos: Path,
    config: AuditConfig,
    *,
    examiner: Examiner,
    detector: FaceDetector,
    model: Path | None = None,
    pairs: Path | None = None,
    devices: DeviceConfig = DeviceConfig(),
    listen: Listener = ignore,
) -> Audit:
    """How often the hidden people of an album are identified, by block and way to compare.

    `model` restores faces; without it that way is left out. People in its training photos, those
    of `pairs` or else of its run's dataset, are left out. Raises DemosaicError when no person has
    both a known and a hidden face.
    """
    start = time.monotonic()
    settle_threads(devices)
    compute, restorer = _compute(devices, restoring=model is not None), None
    trained: set[str] = set()
    if model:
        restorer = load_model(model, compute.device)
        trained = trained_photos(model, restorer.card.dataset, pairs, listen)
    album = gather(photos, config, examiner, trained=trained, listen=listen)
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
    """What to compute with; timed first where faces are restored, as there are thousands."""
    work = trial(TrainConfig(batch=2), BUILD.size) if restoring else None
    return choose(devices, work)[0]


# People left out


@dataclass(frozen=True)
class _Line:
    """What is read here of a line of pairs.jsonl."""

    sha256: Sha256
    split: str


def trained_photos(
    model: Path, fingerprint: str, pairs: Path | None, listen: Listener = ignore
) -> set[str]:
    """The SHA-256 of the photos that a model was trained on: those of the dataset `pairs`, or of
    the dataset that its run names. When that is not known, there are none, and a notice says so.

    Raises DemosaicError when `pairs` is another dataset.
    """
    if model == BOX:  # learnt from portraits that are nobody's album
        return set()
    folder = pairs or pairs_of_run(model.parent)
    if folder is None or fingerprint_of(folder) != fingerprint:
        if pairs:
            raise DemosaicError(f"--pairs {pairs} is not the dataset that {model} was trained on")
        listen(
            Notice(
                f"it is not known which photos {model} was trained on: name the dataset with "
                "--pairs; people in it may be identified more often than strangers"
            )
        )
        return set()
    lines = read_all(_Line, folder / "pairs.jsonl", others=True)
    return {line.sha256 for line in lines if line.split == "train"}


# The attack


class _Attacker:
    """An attacker who has photos of everybody and identifies the hidden faces among them."""

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
        """The number of faces to describe in all."""
        known, hidden = len(self._known), len(self._hidden)
        return known + hidden + blocks * (known + hidden * (3 if self._model else 2))

    def attacks(self, block: int | None) -> Iterator[Attack]:
        """The attacks on mosaics of this block; without a block, on clear faces."""
        grid = Grid.square(block) if block else None
        ways = self._ways(grid)
        places = {}
        for way, (gallery, probes) in ways.items():
            found = {
                recogniser: ranks(similarity, self._owners, self._truth)
                for recogniser, similarity in similarities(gallery, probes).items()
            }
            made = [self._attack(way, grid, one, found[one]) for one in RECOGNISERS]
            yield from made
            places[way] = found[best_of(made).recogniser]
        if grid and block == SHOWN_BLOCK:
            self.shown = [
                self._shown(n, grid, places) for n in range(min(_SHOWN, len(self._hidden)))
            ]

    def _ways(self, grid: Grid | None) -> dict[str, tuple[Described, Described]]:
        """By way to compare, the descriptors of the gallery and of the hidden faces."""
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
        """Eyes, nose and mouth as detected, or at their usual places."""
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
    """The smooth picture (S, S, 3) whose cell means are those of the face (S, S, 3)."""
    colours = cell_colours(face, grid) / np.float32(127.5) - np.float32(1)
    return to_uint8(base(colours, grid, (face.shape[0], face.shape[1])))


def cells_across_face(block: float) -> float:
    """How many cells of `block` px lie across the face itself, which fills a part of its crop."""
    return BUILD.size / BUILD.margin / block


# The result


def best_of(attacks: Sequence[Attack]) -> Attack:
    """The attack with the highest rate."""
    return max(attacks, key=lambda attack: (attack.first.mean, attack.few.mean))


def safe_block(attacks: Sequence[Attack], blocks: Sequence[int]) -> int | None:
    """The smallest block from which on no attack was better than chance. None when there was one at
    the largest block, or when not even clear faces were identified: then the audit shows nothing.
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
    """The result of the attacks in one sentence."""
    if not any(attack.above_chance for attack in attacks):
        return (
            "even clear faces are identified no more often than by chance, so this audit "
            "shows nothing about mosaics: give it more photos of more people"
        )
    if safe is None:
        return "people are identified more often than by chance behind every mosaic tried"
    return (
        f"from a block of {safe} px on, {cells_across_face(safe):.2g} cells across the face, these "
        "recognisers are no better than chance; that is no proof of safety"
    )
