"""What happens while a dataset is built, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from demosaic.events import Event


@dataclass(frozen=True)
class PhotosFound(Event):
    """All folders were walked: `total` files to look at, and `ignored` thumbnails, hidden files and
    the like.
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
    """A pair is now in another split, because its group merged with another or came apart."""

    id: str
    photo: str
    before: str
    now: str


@dataclass(frozen=True)
class Closest:
    """The training pair and the pair of another split that are the most alike."""

    train: str
    """The photo of the training pair."""
    held_out: str
    """The photo of the other pair."""
    face_bits: int
    """Bits in which the hashes of their faces differ, of 256."""
    scene_bits: int
    """Bits in which the hashes of their scenes differ, of 256."""


@dataclass(frozen=True)
class BuildReport(Event):
    """What a build found and made."""

    folder: str
    photos: int
    ignored: int
    """Files that were not looked at: thumbnails, hidden ones and the like."""
    funnel: Mapping[str, int]
    """How many photos passed each step: found, readable, unique, with faces, kept."""
    pairs: int
    splits: Mapping[str, int]
    sharp: int
    """Pairs in `train` that were not enlarged: they teach a model sharpness."""
    groups: int
    """A group is all pairs that must be in the same split."""
    closest: Closest | None
    """None when there are no pairs for training, or no others."""
    skipped: Mapping[str, int]
    """How many photos or faces were left out, by reason, most frequent first."""
    new_pairs: int
    moved: int
    """Pairs that are now in another split."""
    gone: int
    """Photos of an earlier build that are no longer there."""
    pruned: int
    """Pairs removed with them."""
    seconds: float


@dataclass(frozen=True)
class FaultFound(Event):
    """A file of a dataset, or a photo, is not as the dataset says."""

    path: str
    """Below the dataset, or below the photo folder."""
    problem: str


@dataclass(frozen=True)
class JoinReport(Event):
    """What was joined of two folders of pictures."""

    folder: str
    pairs: int
    left_out: Mapping[str, int]
    """How many pictures were left out, by reason, most frequent first."""


@dataclass(frozen=True)
class CheckReport(Event):
    """What a check of a dataset looked at and found."""

    folder: str
    pairs: int
    photos: int
    faults: int


@dataclass(frozen=True)
class Forecast(Event):
    """What a build is likely to make and to take, from a sample of the photos."""

    photos: int
    ignored: int
    """Files that are not looked at: thumbnails, hidden ones and the like."""
    known: int
    """Photos that an earlier build worked through."""
    sampled: int
    """Photos that were worked through for the forecast."""
    there: int
    """Pairs that an earlier build made."""
    pairs: int
    """New pairs."""
    minutes: float
    """The whole build takes so long."""
    megabytes: float
    """Disk space that the new pairs need."""
    skipped: Mapping[str, int]
    """Why photos or faces of the sample were left out, most frequent first."""
    gone: int
    """Photos of an earlier build that are no longer there."""
    pruned: int
    """Pairs that a build removes with them."""


@dataclass(frozen=True)
class ForgetReport(Event):
    """What was taken out of a dataset."""

    folder: str
    photos: int
    """Different contents; copies of one file count once."""
    pairs: int
    alike: tuple[str, ...]
    """Photos still in the dataset that are near duplicates of one taken out."""
    moved: int
    """Pairs that are now in another split, because the photos that connected groups are gone."""
