"""Face recognisers that learn from the gallery of an album only.

A face is described by its colours, its edges, or both. The descriptors are projected onto the
gallery's principal components and whitened (eigenfaces, Turk and Pentland 1991), and compared by
their angle. A network that was trained on millions of faces would identify more people.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.imaging.arrays import Pixels, resize, to_grey
from demosaic.privacy.gradients import describe_edges

Vectors = NDArray[np.float32]
Points = Sequence[tuple[float, float]]
"""Pixels (x, y) in a face detector's order: right eye, left eye, nose tip, mouth, ..."""


SIDE = 96
"""Side of a face as recognisers see it, pixels."""

_COLOURS = 24  # px; side of the picture that is the colour descriptor
_INNER = 1.3 / 1.7  # of the crop's side: includes hair and chin, little background
_EYES_AND_MOUTH = np.array([[0.32, 0.36], [0.68, 0.36], [0.5, 0.74]]) * SIDE
_SHARE, _MOST = 4, 400  # one component for so many known faces, and never more than this
_LEAST = 1e-6  # of the strongest component; weaker ones are rounding errors


RECOGNISERS = ("colours", "edges", "both")


def by_box(face: Pixels) -> Pixels:
    """The middle of a crop (S, S, 3), not aligned, as (SIDE, SIDE, 3)."""
    side = face.shape[0]
    edge = round(side * (1 - _INNER) / 2)
    middle: Pixels = resize(face[edge : side - edge, edge : side - edge], SIDE, SIDE)
    return middle


def by_eyes(face: Pixels, points: Points) -> Pixels:
    """A crop (S, S, 3), aligned so that eyes and mouth are at fixed places, as (SIDE, SIDE, 3)."""
    rows, wanted = [], []
    for (x, y), (u, v) in zip((points[0], points[1], points[3]), _EYES_AND_MOUTH, strict=True):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        wanted += [u, v]
    a, b, across, down = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
    motion = np.array([[a, -b, across], [b, a, down]])
    turned = cv2.warpAffine(
        face, motion, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(turned, np.uint8)


@dataclass(frozen=True)
class Described:
    """The descriptors of N faces."""

    colours: Vectors
    """(N, D)."""
    edges: Vectors
    """(N, E)."""


def describe(faces: Iterable[Pixels]) -> Described:
    """The descriptors of faces, each (SIDE, SIDE, 3)."""
    colours, edges = [], []
    for face in faces:
        colours.append(resize(face, _COLOURS, _COLOURS).astype(np.float32).ravel())
        # The root keeps few large steps from dominating
        edges.append(np.sqrt(describe_edges(to_grey(face), SIDE // 12)))
    return Described(np.stack(colours), np.stack(edges))


def similarities(gallery: Described, probes: Described) -> Mapping[str, Vectors]:
    """By recogniser, the similarity of each probe to each face of the gallery, (P, N). Each
    recogniser learns from the gallery.
    """
    colours = _whitened_angles(gallery.colours, probes.colours)
    edges = _whitened_angles(gallery.edges, probes.edges)
    return dict(zip(RECOGNISERS, (colours, edges, colours + edges), strict=True))


def _whitened_angles(known: Vectors, probes: Vectors) -> Vectors:
    """Cosines (P, N) between whitened projections onto the known faces' strongest components.

    Computed from the (N, N) products of the faces: there are fewer faces than values in one.
    """
    mean = known.mean(0)
    known, probes = known - mean, probes - mean
    strengths, directions = np.linalg.eigh((known @ known.T).astype(np.float64))
    count = min(_MOST, max(1, len(known) // _SHARE))
    strengths, directions = strengths[-count:], directions[:, -count:]
    strong = strengths > max(strengths[-1] * _LEAST, _LEAST)
    strengths, directions = strengths[strong], directions[:, strong]
    places = (probes @ known.T).astype(np.float64) @ (directions / np.maximum(strengths, _LEAST))
    angles: Vectors = (_unit(places) @ _unit(directions).T).astype(np.float32)
    return angles


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: NDArray[np.float64] = vectors / np.maximum(lengths, 1e-12)
    return units


def ranks(similarity: Vectors, people: Sequence[str], truth: Sequence[str]) -> NDArray[np.intp]:
    """For each of P probes, the rank of the right person, 1 and up, (P,). `similarity`: of each
    probe to the gallery (P, N); `people`: who its N faces show; `truth`: who each probe shows.

    A person scores as the best of their faces. Among equal scores the right person comes last.
    """
    names = sorted(set(people))
    owner = np.array([names.index(name) for name in people])
    best = np.full((len(similarity), len(names)), -np.inf)
    for person in range(len(names)):
        best[:, person] = similarity[:, owner == person].max(1)
    own = best[np.arange(len(best)), [names.index(name) for name in truth]]
    found: NDArray[np.intp] = (best >= own[:, None]).sum(1)
    return found
