"""Faces followed through a clip: who is missed in some frames is hidden there, too."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from demosaic.faces.detector import Face
from demosaic.imaging.arrays import Doubles
from demosaic.imaging.geometry import Box

_SAME = 0.3  # of the smaller of two boxes: one face in two frames
_NEAR = 0.8  # of a face's width that it moves between two frames at most
_LARGER = 1.6  # times as wide in the next frame at most
_BRIDGED = 1.0  # s without a find, between two finds of a face
_BEYOND = 0.5  # s before the first and after the last find in which a face is hidden, too
_SMOOTH = 0.12  # s on both sides over which places are averaged, so that cells keep still


@dataclass
class Track:
    """One face through the frames of a clip."""

    finds: dict[int, Face] = field(default_factory=dict)
    """By the number of the frame."""

    @property
    def last(self) -> int:
        """The number of the last frame in which it was found."""
        return next(reversed(self.finds))


@dataclass(frozen=True)
class Follower:
    """Where a face is in each frame, found or not."""

    first: int
    boxes: tuple[Box, ...]
    """From the frame `first` on."""
    scores: tuple[float | None, ...]
    """The detector's confidence, 0 to 1; None where it missed the face."""

    def at(self, number: int) -> tuple[Box, float | None] | None:
        """The box and the confidence in a frame; None where the face is not in it."""
        place = number - self.first
        return (self.boxes[place], self.scores[place]) if 0 <= place < len(self.boxes) else None


def follow(found: Sequence[Sequence[Face]], rate: float, least: float) -> list[Follower]:
    """The faces of a clip, from those found in each frame at so many frames a second. A face of at
    least the score `least` begins a track; less certain ones continue it.
    """
    tracks: list[Track] = []
    for number, faces in enumerate(found):
        _continue(tracks, number, faces, round(_BRIDGED * rate), least)
    return [_whole(track, len(found), rate) for track in tracks]


def _continue(
    tracks: list[Track], number: int, faces: Sequence[Face], gap: int, least: float
) -> None:
    """Add the faces of a frame to the tracks that go on in it, and begin new ones."""
    going = [track for track in tracks if number - track.last <= gap + 1]
    for face in sorted(faces, key=lambda one: -one.score):
        free = [one for one in going if one.last < number and _may_be(one, number, face)]
        if free:
            nearest = min(free, key=lambda one: _distance(one.finds[one.last].box, face.box))
            nearest.finds[number] = face
        elif face.score >= least:
            tracks.append(Track({number: face}))


def _may_be(track: Track, number: int, face: Face) -> bool:
    """Whether a face may be the one of a track, some frames later."""
    last = track.finds[track.last].box
    sizes = sorted((last.width, face.box.width))
    alike = sizes[1] <= _LARGER * sizes[0]
    overlaps = last.shared(face.box) > _SAME * min(last.area, face.box.area)
    way = _NEAR * last.width * min(3, number - track.last)
    return alike and (overlaps or _distance(last, face.box) <= way)


def _distance(one: Box, other: Box) -> float:
    across = one.x + one.width / 2 - other.x - other.width / 2
    down = one.y + one.height / 2 - other.y - other.height / 2
    return float(np.hypot(across, down))


def _whole(track: Track, frames: int, rate: float) -> Follower:
    """A track without gaps: places between finds lie between theirs, and are steady."""
    numbers = [*track.finds]
    beyond = round(_BEYOND * rate)
    first, last = max(0, numbers[0] - beyond), min(frames - 1, numbers[-1] + beyond)
    every = np.arange(first, last + 1)
    sides = np.array([face.box.corners for face in track.finds.values()], float)
    known = np.stack([np.interp(every, numbers, side) for side in sides.T], axis=1)
    steady = _averaged(known, round(_SMOOTH * rate))
    boxes = tuple(Box(*(int(side) for side in np.rint(row))) for row in steady)
    scores = tuple(track.finds[number].score if number in track.finds else None for number in every)
    return Follower(first, boxes, scores)


def _averaged(values: Doubles, reach: int) -> Doubles:
    """Each row (n, k) as the mean of itself and up to `reach` rows on both sides."""
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    sums = np.cumsum(np.vstack([np.zeros_like(values[:1]), padded]), axis=0)
    count = 2 * reach + 1
    means: Doubles = (sums[count:] - sums[:-count]) / count
    return means
