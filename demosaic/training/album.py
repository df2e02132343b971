"""Training on the people of one's own album: a few people, many photos of each."""

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from torch import Tensor, nn

from demosaic.dataset.reader import Pairs
from demosaic.dataset.records import PhotoName, ShortHash
from demosaic.errors import NOTHING_TO_DO, USAGE, DemosaicError
from demosaic.records import read_all
from demosaic.text import counted

FEWEST = 15
"""Photos of a person: fewer would be learnt by heart."""

_LEARNT = 0.5
"""Share of the new weights in the result; the rest are those that training started from."""

WARNING = (
    "faces that this model restores tend to look like the people of the album, whoever is behind "
    "the mosaic; its file contains how they look: give it to nobody who may not know that"
)


Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class _Line:
    """What of a line of pairs.jsonl is read here."""

    id: ShortHash
    photo: PhotoName


def album_faces(pairs: Pairs, paths: Sequence[Path]) -> tuple[Sequence[Path], str]:
    """Those of the pairs whose person has photos enough, and a sentence for people. A person is the
    folder of a photo.

    Raises DemosaicError for pairs that `build-dataset` did not write, and when nobody has enough.
    """
    lines = pairs.folder / "pairs.jsonl"
    if not lines.is_file():
        raise DemosaicError("--album: only for a folder that build-dataset wrote", USAGE)
    people = {
        line.id: str(PurePosixPath(line.photo).parent)
        for line in read_all(_Line, lines, others=True)
    }
    photos = Counter(people[path.stem] for path in paths if path.stem in people)
    known = {person for person, count in photos.items() if count >= FEWEST}
    if not known:
        most = max(photos.values(), default=0)
        raise DemosaicError(
            f"--album: nobody has {FEWEST} photos to train on, at most {most} in one folder; add "
            "photos, a folder for each person, or train without --album",
            NOTHING_TO_DO,
        )
    chosen = [path for path in paths if people.get(path.stem) in known]
    said = f"an album: {counted(len(known), 'person', 'people')}, {counted(len(chosen), 'face')}"
    few = len(photos) - len(known)
    left = f"; {counted(few, 'folder')} of fewer than {FEWEST} faces left out" if few else ""
    return chosen, said + left


def blended(origin: Network, learnt: Network) -> Network:
    """A network between two of the same shape: what the first knows of everybody, and half of what
    the second learnt of a few.
    """
    made = copy.deepcopy(learnt)
    begun = origin.state_dict()
    weights: dict[str, Tensor] = {
        name: begun[name].lerp(value, _LEARNT) for name, value in learnt.state_dict().items()
    }
    made.load_state_dict(weights)
    return made
