"""The privacy audit: how often pixelated people of an album are identified by their faces.

The attacker has other photos of everybody, and knows how faces were hidden. They compare a hidden
face with the photos they have, as those are or hidden in the same way (McPherson, Shokri and
Shmatikov 2016), or restore it first.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demosaic.config.compute import DeviceConfig
from demosaic.config.privacy import AuditConfig, Shape
from demosaic.config.training import TrainConfig
from demosaic.dataset.listing import fingerprint_of
from demosaic.dataset.records import Sha256
from demosaic.errors import DemosaicError
from demosaic.evaluation.statistics import binomial_tail, least_significant, share
from demosaic.events import Listener, Notice, WorkDone, WorkStarted, ignore
from demosaic.faces.cache import Examiner
from demosaic.faces.detector import FaceDetector
from demosaic.imaging.arrays import Pixels
from demosaic.models.box import BOX
from demosaic.models.checkpoint import load_model
from demosaic.models.compute import Compute, choose, settle_threads
from demosaic.models.model import Model
from demosaic.mosaic.pixelate import pixelated
from demosaic.privacy.events import Attack, AuditReport, Hiding, best_of
from demosaic.privacy.gallery import BUILD, Album, gather
from demosaic.privacy.hiding import covered, grid_of, hidden, seen, share_of
from demosaic.privacy.published import hiding_in
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
from demosaic.privacy.verdict import ALIKE, DIRECT, RESTORED, judge
from demosaic.records import read_all
from demosaic.restoration.image import restore_face
from demosaic.training.beginning import trial
from demosaic.training.run_folder import pairs_of_run

_SHOWN = 8  # faces on the page
_ERROR = 0.05  # probability of one false alarm or more, over all attacks at one way to hide
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
    """Whether the people of an album are recognised when their faces are hidden as the config
    says, and in other ways for comparison.

    `model` restores faces; without it that way to attack is left out. People in its training
    photos, those of `pairs` or else of its run's dataset, are left out. Raises DemosaicError when
    too few people have both a known and a hidden face, or `like` shows no mosaic.
    """
    start = time.monotonic()
    settle_threads(devices)
    published = hiding_in(Path(config.like), detector, listen) if config.like else None
    compute, restorer = _compute(devices, restoring=model is not None), None
    trained: set[str] = set()
    if model:
        restorer = load_model(model, compute.device)
        trained = trained_photos(model, restorer.card.dataset, pairs, listen)
    album = gather(photos, config, examiner, trained=trained, listen=listen)
    asked = published or asked_for(config, [portrait.width for portrait in album.hidden])
    hidings = [asked, *(one for one in compared(config, asked.shape) if one != asked)]
    attacker = _Attacker(album, detector, restorer, compute, config.realism, listen)
    listen(WorkStarted("faces", attacker.work(hidings)))
    attacks = [attack for hiding in (None, *hidings) for attack in attacker.attacks(hiding)]
    count = len(album.hidden)
    verdict = judge(attacks, asked, count, attacker.chance)
    least = least_significant(count, attacker.chance, attacker.limit)
    report = AuditReport(
        verdict=verdict.text,
        level=verdict.level,
        advice=verdict.advice,
        asked=asked,
        photos=str(photos),
        model=str(model) if model else None,
        people=attacker.people,
        gallery=len(album.gallery),
        hidden=count,
        hidden_people=len({portrait.person for portrait in album.hidden}),
        left_out=album.left_out,
        chance=attacker.chance,
        attacks=tuple(attacks),
        least_significant=round(least * count),
        seconds=time.monotonic() - start,
    )
    return Audit(report, attacker.shown(asked))


def asked_for(config: AuditConfig, widths: Sequence[int]) -> Hiding:
    """The way to hide faces that the config asks about, of faces of these widths, photo pixels."""
    if config.style == "solid":
        return Hiding("solid", None, config.shape)
    block = config.block
    share = block if block < 1 else block / float(np.median(widths))
    return Hiding(config.style, round(share, 4), config.shape)


def compared(config: AuditConfig, shape: Shape) -> list[Hiding]:
    """The ways to hide faces that are measured for comparison."""
    mosaics = [Hiding("mosaic", round(share_of(block), 4), shape) for block in config.blocks]
    blurs = [Hiding("blur", round(share_of(spread), 4), shape) for spread in config.spreads]
    return [*mosaics, *blurs, Hiding("solid", None, shape)]


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
                f"the training photos of {model} are unknown, so some test faces may have been "
                "trained on, and the result may be too high: name the dataset with --pairs"
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
        realism: float,
        listen: Listener,
    ) -> None:
        self._known = [portrait.face for portrait in album.gallery]
        self._hidden = [portrait.face for portrait in album.hidden]
        self._owners = [portrait.person for portrait in album.gallery]
        self._truth = [portrait.person for portrait in album.hidden]
        self._detector = detector
        self._model = model
        self._compute = compute
        self._realism = realism
        self._listen = listen
        self._ranks: dict[Hiding | None, dict[str, NDArray[np.intp]]] = {}
        self.people = len(set(self._owners))
        self.chance = 1 / self.people
        self.limit = _ERROR / ((3 if model else 2) * len(RECOGNISERS))
        self._clear: Described | None = None

    def work(self, hidings: Sequence[Hiding]) -> int:
        """The number of faces to describe in all."""
        known, hidden = len(self._known), len(self._hidden)
        restored = sum(self._restores(hiding) for hiding in hidings)
        return (known + 2 * hidden) * len(hidings) + known + hidden * (1 + restored)

    def attacks(self, hiding: Hiding | None) -> Iterator[Attack]:
        """The attacks on faces hidden in this way; without one, on clear faces."""
        ranks_of: dict[str, NDArray[np.intp]] = {}
        for way, (gallery, probes) in self._ways(hiding).items():
            found = {
                recogniser: ranks(similarity, self._owners, self._truth)
                for recogniser, similarity in similarities(gallery, probes).items()
            }
            made = [self._attack(hiding, way, one, found[one]) for one in RECOGNISERS]
            yield from made
            ranks_of[way] = found[best_of(made).recogniser]
        self._ranks[hiding] = ranks_of

    def _ways(self, hiding: Hiding | None) -> dict[str, tuple[Described, Described]]:
        """By way to compare, the descriptors of the gallery and of the hidden faces."""
        if self._clear is None:
            self._clear = self._by_eyes(self._known)
        if hiding is None:
            return {DIRECT: (self._clear, self._by_eyes(self._hidden))}
        shown = [seen(face, hiding) for face in self._hidden]
        ways = {
            DIRECT: (self._clear, self._by_eyes(shown)),
            ALIKE: (self._by_box(seen(face, hiding) for face in self._known), self._by_box(shown)),
        }
        if self._restores(hiding):
            restored = (self._restored(face, hiding) for face in self._hidden)
            ways[RESTORED] = (self._clear, self._by_eyes(restored))
        return ways

    def _restores(self, hiding: Hiding) -> bool:
        return self._model is not None and hiding.style == "mosaic"

    def _restored(self, face: Pixels, hiding: Hiding) -> Pixels:
        assert self._model is not None
        grid = grid_of(face, hiding)
        restored = restore_face(
            pixelated(face, grid), grid, self._model, compute=self._compute, realism=self._realism
        )
        return np.where(covered(face, hiding)[:, :, None], restored, face)

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
        self, hiding: Hiding | None, way: str, recogniser: str, places: NDArray[np.intp]
    ) -> Attack:
        found, count = int((places <= 1).sum()), len(places)
        above = binomial_tail(found, count, self.chance) < self.limit
        return Attack(hiding, way, recogniser, found, share(found, count), above)

    def shown(self, hiding: Hiding) -> list[Shown]:
        """The first faces, hidden in this way, for the page."""
        places = self._ranks[hiding]
        return [
            Shown(self._pictures(face, hiding), {way: int(places[way][n]) for way in places})
            for n, face in enumerate(self._hidden[:_SHOWN])
        ]

    def _pictures(self, face: Pixels, hiding: Hiding) -> dict[str, Pixels]:
        pictures = {"hidden": hidden(face, hiding)}
        if self._restores(hiding):
            pictures["restored"] = self._restored(face, hiding)
        return {**pictures, "original": face}
