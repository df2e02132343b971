"""Perceptual hashes of pictures that do not exist."""

import numpy as np

BITS = 256
PLAIN = np.random.default_rng(0).integers(0, 2, BITS).astype(bool)


def plain(*flipped: int) -> str:
    """The hash of one picture, with some of its bits flipped."""
    bits = PLAIN.copy()
    bits[list(flipped)] ^= True
    return np.packbits(bits).tobytes().hex()


def strange(number: int) -> str:
    """A hash that is like no other."""
    bits = np.random.default_rng(number + 1).integers(0, 2, BITS).astype(bool)
    return np.packbits(bits).tobytes().hex()
