"""The pictures of a drawn person who moves, and the same with the face pixelated."""

import numpy as np

import people
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.geometry import Box

FRAMES, SIDE, BLOCK, FACE = 14, 240, 12, 144


def moving_face() -> list[Pixels]:
    """A drawn person who moves before a camera."""
    photo = people.photo(0, 0, 0)
    x, y, *_ = (round(side) for side in photo.faces[0].box)
    shifts = [(round(3 * np.sin(n)), n) for n in range(FRAMES)]
    corners = [(max(0, x - 30 + right), max(0, y - 40 + down)) for right, down in shifts]
    return [
        np.ascontiguousarray(photo.image[top : top + SIDE, left : left + SIDE])
        for left, top in corners
    ]


def place(number: int) -> Box:
    """Where the face of a frame is pixelated; it goes with the face."""
    return Box(40 - round(3 * np.sin(number)), 50 - number, FACE, FACE)


def pixelated(frame: Pixels, box: Box) -> Pixels:
    """Means of cells that begin in the corner of the box, the plain way."""
    result = frame.copy()
    for top in range(box.y, box.y + box.height, BLOCK):
        for left in range(box.x, box.x + box.width, BLOCK):
            cell = result[top : top + BLOCK, left : left + BLOCK]
            cell[:] = np.rint(cell.reshape(-1, 3).mean(0))
    return result


def hidden(frames: list[Pixels]) -> list[Pixels]:
    return [pixelated(frame, place(number)) for number, frame in enumerate(frames)]
