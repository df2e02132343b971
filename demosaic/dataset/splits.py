"""Whose a photo is, which split a group goes into, and which photos are a burst."""

import hashlib
import re
from datetime import datetime

from demosaic.dataset.records import Split
from demosaic.files import encoded

_BURST = 10  # seconds


def person_of(photo: str, by: str) -> str:
    """The person that a photo belongs to, as `--group-by` says: its folder (`parent`), the photo
    itself (`photo`), or what the first group of a regular expression finds in its name.

    A photo in the top folder stands for itself. When the expression finds nothing, the folder
    counts.
    """
    if by == "photo":
        return photo
    found = person_found(photo, by) if by != "parent" else None
    return found or photo.rpartition("/")[0] or photo


def person_found(photo: str, expression: str) -> str | None:
    """What the first group of a regular expression finds in the name of a photo, if anything."""
    found = re.search(expression, photo)
    return found[1] if found else None


def split_of(group: str, *, val: float, test: float) -> Split:
    """The split of a group, from the hash of its name alone: it never depends on other groups.

    `val` and `test` are the shares of the groups, 0 to 1, that go into these splits.
    """
    place = int(hashlib.sha256(encoded(group)).hexdigest()[:13], 16) / 16**13
    if place < test:
        return "test"
    return "val" if place < test + val else "train"


def burst(photo: str, taken: datetime | None) -> tuple[str, ...]:
    """Two keys of a photo, of which photos of one folder taken within five seconds share at least
    one, and photos taken ten seconds apart share none; empty when it is not known when the photo
    was taken. The keys do not reveal the time.
    """
    if taken is None:
        return ()
    seconds = int((taken - datetime.min).total_seconds())
    folder = photo.rpartition("/")[0]
    return tuple(
        hashlib.sha256(encoded(f"{folder}/{(seconds + shift) // _BURST}+{shift}")).hexdigest()[:16]
        for shift in (0, _BURST // 2)
    )
