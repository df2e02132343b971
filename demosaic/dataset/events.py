"""What is said while a dataset is built."""

from collections.abc import Mapping
from dataclasses import dataclass

from demosaic.events import Event


@dataclass(frozen=True)
class PhotosFound(Event):
    """The walk is over: `total` files to look at, and so many `ignored` as thumbnails and the
    like.
    """

    total: int
    ignored: int = 0


@dataclass(frozen=True)
class PhotoDone(Event):
    """One photo was looked at and gave `pairs` pairs."""

    photo: str
    pairs: int


@dataclass(frozen=True)
class PhotoSkipped(Event):
    """A photo, or one face of it, was left out for `reason`."""

    photo: str
    reason: str
    detail: str = ""


@dataclass(frozen=True)
class PairMoved(Event):
    """A pair is now in another split, as photos that joined or parted groups came or went."""

    id: str
    photo: str
    before: str
    now: str


@dataclass(frozen=True)
class Closest:
    """The training pair and the held-out pair that are the most alike."""

    train: str
    """Their photos."""
    held_out: str
    face_bits: int
    """In so many of 256 bits their faces differ, and their scenes."""
    scene_bits: int


@dataclass(frozen=True)
class BuildReport(Event):
    """What a build found and made."""

    folder: str
    photos: int
    ignored: int
    """Files that were not looked at: thumbnails, hidden ones and the like."""
    funnel: Mapping[str, int]
    """How many photos came so far: found, readable, unique, with faces, kept."""
    pairs: int
    splits: Mapping[str, int]
    groups: int
    """Of pairs that nothing parts."""
    closest: Closest | None
    """What is trained on, and what of the rest is the most like it."""
    skipped: Mapping[str, int]
    """How many photos or faces were left out, by reason, most frequent first."""
    new_pairs: int
    moved: int
    """Pairs that are now in another split."""
    gone: int
    """Photos that were there in an earlier build and are no more."""
    pruned: int
    """Pairs removed with them."""
    seconds: float


@dataclass(frozen=True)
class Forecast(Event):
    """What a build is likely to make and to take, from a sample of the photos."""

    photos: int
    ignored: int
    """Files that are not looked at: thumbnails, hidden ones and the like."""
    known: int
    """Photos that an earlier build has worked through."""
    sampled: int
    """Photos that the rest of it was measured on."""
    there: int
    """Pairs that an earlier build made."""
    pairs: int
    """Pairs that come to them."""
    minutes: float
    megabytes: float
    """Of disk that the new pairs need."""
    skipped: Mapping[str, int]
    """Why photos or faces of the sample were left out, most frequent first."""
    gone: int
    """Photos that were there in an earlier build and are no more."""
    pruned: int
    """Pairs that are removed with them."""


@dataclass(frozen=True)
class ForgetReport(Event):
    """What was taken out of a dataset."""

    folder: str
    photos: int
    """Their different contents."""
    pairs: int
    alike: tuple[str, ...]
    """The photos left that are near duplicates of one of them."""
    moved: int
    """Pairs now in another split, as what joined their groups is gone."""
