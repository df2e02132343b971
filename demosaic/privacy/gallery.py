"""The faces of an album by person: the gallery that an attacker has, and the hidden probes."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from demosaic.config.dataset import BuildConfig
from demosaic.config.privacy import AuditConfig
from demosaic.dataset.crops import PIXELATED, cut
from demosaic.dataset.events import PhotoDone, PhotosFound, PhotoSkipped
from demosaic.dataset.near_duplicates import nearly_the_same
from demosaic.dataset.records import Pair
from demosaic.errors import NOTHING_TO_DO, DemosaicError
from demosaic.events import Listener, ignore
from demosaic.faces.cache import Examiner
from demosaic.files import encoded
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.decoding import decode, read_bytes
from demosaic.imaging.discovery import find_images
from demosaic.text import counted

BUILD = BuildConfig(max_per_photo=1, group_by="photo")
"""How faces are cropped: as for training, the largest of each photo; bursts are marked."""

ONE_PHOTO = "with one photo"
ONE_FACE = "with one usable face"
ALREADY = "with one usable face, as the others are already pixelated"
TRAINED = "that the model was trained on"
_KNOWN, _HIDDEN = 3, 2  # most faces of one person, so that nobody dominates the result


People = Mapping[str, Sequence[Path]]
"""The photos of each person, by the folder they are in."""


@dataclass(frozen=True)
class Portrait:
    """A face of an album."""

    person: str
    face: Pixels
    """RGB levels (S, S, 3), cropped as for training."""
    width: int
    """Width of the face in its photo, pixels."""


@dataclass(frozen=True)
class Album:
    """The faces to compare."""

    gallery: Sequence[Portrait]
    """Known faces of everybody who has a hidden one, and of other people."""
    hidden: Sequence[Portrait]
    left_out: Mapping[str, int]
    """The number of people without a hidden face, by reason."""


def gather(
    photos: Path,
    config: AuditConfig,
    examiner: Examiner,
    *,
    trained: Collection[str] = (),
    listen: Listener = ignore,
) -> Album:
    """The faces of the people below `photos`, one folder each. Half of a person's faces become
    known, the others hidden, until there are enough. People are taken in the order of their names'
    hashes.

    `trained`: SHA-256 of the photos that a model was trained on. People with such a photo are left
    out. Raises DemosaicError when nobody is left.
    """
    people = _by_person(photos)
    listen(PhotosFound(sum(map(len, people.values()))))
    cutter = _Cutter(photos, examiner, listen)
    gallery: list[Portrait] = []
    hidden: list[Portrait] = []
    left_out: Counter[str] = Counter()
    for person, paths in people.items():
        if len(hidden) >= config.faces:
            break
        reason = _why_not(paths, trained)
        faces = [] if reason else list(islice(cutter.faces(person, paths), _KNOWN + _HIDDEN))
        if len(faces) < 2:
            left_out[reason or (ALREADY if cutter.pixelated_of(person) else ONE_FACE)] += 1
            continue
        known = (len(faces) + 1) // 2
        gallery += faces[:known]
        hidden += faces[known:]
    if not hidden:
        raise DemosaicError(_nobody(photos, left_out), NOTHING_TO_DO)
    if len(hidden) < config.enough:
        raise DemosaicError(_too_few(hidden, config), NOTHING_TO_DO)
    strangers = _strangers(people, {portrait.person for portrait in gallery}, cutter)
    gallery += islice(strangers, max(0, config.gallery - len(gallery)))
    return Album(gallery, hidden[: config.faces], dict(left_out))


def _by_person(photos: Path) -> People:
    """The photos of each folder, in the order of the names' hashes; those in the top folder belong
    to nobody.
    """
    if not photos.is_dir():
        raise DemosaicError(f"{photos} is not a folder: give the folder your photos are in")
    people: dict[str, list[Path]] = {}
    for path in find_images(photos):
        people.setdefault(path.parent.relative_to(photos).as_posix(), []).append(path)
    people.pop(".", None)
    return dict(sorted(people.items(), key=lambda one: hashlib.sha256(encoded(one[0])).digest()))


def _why_not(paths: Sequence[Path], trained: Collection[str]) -> str:
    """Why a person has no hidden face, as far as the files show; empty if there may be one."""
    if len(paths) == 1:
        return ONE_PHOTO
    return TRAINED if trained and any(_sha256(path) in trained for path in paths) else ""


def _sha256(path: Path) -> str:
    """The hash of a file; empty when it cannot be read, which is reported later."""
    try:
        return hashlib.sha256(read_bytes(path)).hexdigest()
    except DemosaicError:
        return ""


def _nobody(photos: Path, left_out: Mapping[str, int]) -> str:
    if not left_out:
        return f"no photos in folders below {photos}: an audit needs a folder for each person"
    reasons = ", ".join(
        f"{counted(count, 'person', 'people')} {reason}" for reason, count in left_out.items()
    )
    return f"cannot audit {photos}: {reasons}; {_way_out(left_out)}"


def _way_out(left_out: Mapping[str, int]) -> str:
    if ALREADY in left_out:
        return (
            "give the photos from before they were pixelated, and name what you publish with "
            "--like PICTURE"
        )
    if TRAINED in left_out:
        return "give photos of others, or with --model a model that was not trained on them"
    return "give two photos or more of each person, a folder for each"


def _too_few(hidden: Sequence[Portrait], config: AuditConfig) -> str:
    people = len({portrait.person for portrait in hidden})
    way_out = (
        f"give --faces {config.enough} or more"
        if config.faces < config.enough
        else "give more photos of more people"
    )
    return (
        f"too few people to say: {counted(len(hidden), 'face')} of "
        f"{counted(people, 'person', 'people')} can be tested, and it takes "
        f"{config.enough}; {way_out}"
    )


def _strangers(people: People, known: Collection[str], cutter: "_Cutter") -> Iterator[Portrait]:
    """One face of each person who is not in the gallery yet."""
    for person, paths in people.items():
        if person not in known:
            yield from islice(cutter.faces(person, paths), 1)


class _Cutter:
    """Crops faces from photos, and reports what came of each photo."""

    def __init__(self, photos: Path, examiner: Examiner, listen: Listener) -> None:
        self._photos = photos
        self._examiner = examiner
        self._listen = listen
        self._pixelated: set[str] = set()

    def pixelated_of(self, person: str) -> bool:
        """Whether photos of a person were left out because their faces are pixelated already."""
        return person in self._pixelated

    def faces(self, person: str, paths: Sequence[Path]) -> Iterator[Portrait]:
        """The largest face of each photo. Of copies, near copies and bursts only one is kept:
        otherwise a hidden face could be found by the same picture.
        """
        seen: list[Pair] = []
        for path in paths:
            name = path.relative_to(self._photos).as_posix()
            found = self._face(person, path, name)
            new = found is not None and not any(_one_shot(found[0], pair) for pair in seen)
            self._listen(PhotoDone(name, int(new)))
            if found is not None and new:
                seen.append(found[0])
                yield Portrait(person, found[1], found[0].box[2])

    def _face(self, person: str, path: Path, name: str) -> tuple[Pair, Pixels] | None:
        """The largest face of a photo and its pair record; None without a usable face."""
        try:
            data = read_bytes(path)
        except DemosaicError as error:
            self._listen(PhotoSkipped(name, "cannot be read", str(error)))
            return None
        sha256 = hashlib.sha256(data).hexdigest()
        result = cut(data, self._examiner(data, sha256), name, sha256, BUILD)
        for skipped in result.skipped if not result.kept else ():
            self._listen(PhotoSkipped(name, skipped.reason, skipped.detail))
            if skipped.reason == PIXELATED:
                self._pixelated.add(person)
        for pair, picture in result.kept:
            both = decode(picture)
            return pair, both[:, both.shape[1] // 2 :].copy()  # frees the other half
        return None


def _one_shot(one: Pair, other: Pair) -> bool:
    """Whether two pictures of a person are copies, near copies, or taken within seconds."""
    same = one.sha256 == other.sha256 or not set(one.burst).isdisjoint(other.burst)
    return same or nearly_the_same(one.likeness, other.likeness)
