"""Perceptual hashes of pictures that do not exist."""

import numpy as np

BITS = 256
PLAIN = np.random.default_rng(0).integers(0, 2, BITS).astype(bool)


def likeness(*flipped: int) -> str:
    """One picture's, with some of its bits turned."""
    bits = PLAIN.copy()
    bits[list(flipped)] ^= True
    return np.packbits(bits).tobytes().hex()


def strange(number: int) -> str:
    """One that is like no other."""
    bits = np.random.default_rng(number + 1).integers(0, 2, BITS).astype(bool)
    return np.packbits(bits).tobytes().hex()
