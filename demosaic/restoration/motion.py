"""How a face moves from one frame to another: shifted, turned and zoomed."""

import cmath
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demosaic.imaging.arrays import Doubles

Points = NDArray[np.complex128]
"""Places in a frame as complex numbers: pixels right + i * pixels down; whole numbers are the
centres of pixels.
"""


@dataclass(frozen=True)
class Motion:
    """A similarity: the point p of one frame is at `turn * p + shift` in the other."""

    turn: complex = 1
    """The zoom times e^(i * angle)."""
    shift: complex = 0

    @classmethod
    def about(cls, centre: complex, steps: Doubles) -> "Motion":
        """The motion with these `steps` (4,): pixels right and down, the logarithm of the zoom, and
        radians clockwise, the last two about a centre.
        """
        right, down, zoom, angle = steps.tolist()
        turn = cmath.exp(complex(zoom, angle))
        return cls(turn, centre + complex(right, down) - turn * centre)

    def of(self, points: Points) -> Points:
        """Where points of the one frame are in the other."""
        return self.turn * points + self.shift

    def after(self, first: "Motion") -> "Motion":
        """`first` and then this one, as one motion."""
        return Motion(self.turn * first.turn, self.turn * first.shift + self.shift)

    def back(self) -> "Motion":
        """The motion from the other frame to the one."""
        return Motion(1 / self.turn, -self.shift / self.turn)

    def matrix(self, origin: complex) -> Doubles:
        """(2, 3), as cv2 takes it, for pixels counted from `origin` in both frames."""
        shift = self.turn * origin + self.shift - origin
        turn = self.turn
        return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
