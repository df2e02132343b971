"""A face followed through a clip, with the frames before and after at hand."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from demosaic.imaging.arrays import Pixels
from demosaic.restoration.fusion import Moved
from demosaic.restoration.joint_registration import refined
from demosaic.restoration.motion import Motion
from demosaic.restoration.registration import Known, agreeing, register
from demosaic.restoration.sight import Sight

_Frame = TypeVar("_Frame")
_Found = TypeVar("_Found")

See = Callable[[Pixels, _Found], Sight | None]
"""What a frame (H, W, 3) shows of a mosaic found in it; None where that cannot be fused."""

_RECENT = 2  # frames that a new one is registered to
_SAME = 0.3  # overlap, as a share of the smaller box, of two boxes of the same mosaic
_ALIKE = 0.05  # of the side of a cell, by which it may differ from frame to frame
_LONGEST_GAP = 3  # frames in which a mosaic may be missing
_CUT = 30.0  # misfit of another face


@dataclass(frozen=True)
class Face:
    """A mosaic of one frame, with what other frames show of the same face."""

    sight: Sight
    others: Sequence[Moved]


@dataclass
class _Look:
    """A sight of a track, and its motion to the first one."""

    number: int
    sight: Sight
    motion: Motion


@dataclass
class _Track:
    """The latest sights of one face, as far as it was not lost."""

    looks: deque[_Look]

    def joined(self, number: int, new: Sight) -> _Look | None:
        """The new sight as one of this track; None if it shows another face."""
        latest = self.looks[-1]
        recent = list(self.looks)[-_RECENT:-1]
        known = Known(latest.sight, [_moved(look, latest) for look in recent])
        found = register(new, known, list(self._guesses(new)))
        if found is None or found.misfit > _CUT:
            return None
        return _Look(number, new, latest.motion.after(found.motion))

    def settle(self, size: int) -> None:
        """Bring the motions of the latest sights nearer to those likeliest for all together."""
        looks = list(self.looks)[-size:]
        anchor = looks[len(looks) // 2]
        others = [look for look in looks if look is not anchor]
        motions = refined(anchor.sight, [_moved(look, anchor) for look in others])
        for look, motion in zip(others, motions, strict=True):
            look.motion = anchor.motion.after(motion)

    def _guesses(self, new: Sight) -> Iterator[Motion]:
        """How the face may have moved: not at all, with the mosaic, or on as before."""
        latest = self.looks[-1]
        yield Motion()
        if new.centre != latest.sight.centre:
            yield Motion(shift=latest.sight.centre - new.centre)
        if len(self.looks) > 1:
            yield self.looks[-2].motion.back().after(latest.motion)


def _moved(look: _Look, present: _Look) -> Moved:
    motion = present.motion.back().after(look.motion)
    return Moved(look.sight, motion, np.full(len(look.sight.places), look.sight.noise))


def with_faces(
    frames: Iterable[tuple[_Frame, Pixels, list[_Found]]], see: See[_Found], size: int
) -> Iterator[tuple[_Frame, Pixels, list[_Found], list[Face | None]]]:
    """Each frame with its picture, its mosaics, and for each mosaic the face with what the frames
    around it show of it, `size` frames in all; None where `see` gives none. It reads half a window
    ahead.
    """
    after = (size - 1) // 2
    tracks: list[_Track] = []
    waiting: deque[_Waiting[_Frame, _Found]] = deque()
    for number, (frame, picture, mosaics) in enumerate(frames):
        tracks = [track for track in tracks if number - track.looks[-1].number <= _LONGEST_GAP]
        sights = (see(picture, mosaic) for mosaic in mosaics)
        looks = [_followed(tracks, number, one, size) if one else None for one in sights]
        waiting.append(_Waiting(frame, picture, mosaics, looks))
        if len(waiting) > after:
            yield waiting.popleft().with_faces(size)
    for late in waiting:
        yield late.with_faces(size)


@dataclass(frozen=True)
class _Waiting(Generic[_Frame, _Found]):
    """A frame that waits for those after it."""

    frame: _Frame
    picture: Pixels
    mosaics: list[_Found]
    looks: list[tuple[_Track, _Look] | None]

    def with_faces(self, size: int) -> tuple[_Frame, Pixels, list[_Found], list[Face | None]]:
        faces = [_face(*one, size) if one else None for one in self.looks]
        return self.frame, self.picture, self.mosaics, faces


def _followed(tracks: list[_Track], number: int, sight: Sight, size: int) -> tuple[_Track, _Look]:
    """The sight as one of a track: of one that goes on, or of a new one, which is added."""
    for track in reversed(tracks):  # after a cut, the older ones show other faces
        latest = track.looks[-1]
        if latest.number < number and _same_place(latest.sight, sight):
            look = track.joined(number, sight)
            if look:
                track.looks.append(look)
                track.settle(size)
                return track, look
    look = _Look(number, sight, Motion())
    tracks.append(_Track(deque([look], maxlen=size + 1)))
    return tracks[-1], look


def _same_place(one: Sight, other: Sight) -> bool:
    """Whether two mosaics may be the same one, by their boxes and cells."""
    together = one.box.shared(other.box) > _SAME * min(one.box.area, other.box.area)
    return together and abs(one.cell - other.cell) <= _ALIKE * abs(one.cell)


def _face(track: _Track, present: _Look, size: int) -> Face:
    first, last = present.number - size // 2, present.number + (size - 1) // 2
    around = [
        look
        for look in track.looks
        if first <= look.number <= last and look.number != present.number
    ]
    if not around:
        return Face(present.sight, [])
    alone = Known(present.sight, [])
    back = present.motion.back()
    agreed = (agreeing(alone, look.sight, back.after(look.motion)) for look in around)
    return Face(present.sight, [one for one in agreed if one])
