"""Who is it: recognisers that learn on the known faces of an album alone.

A face is described by its colours, by its edges, or by both. Descriptors are taken along the
directions in which the known faces differ most, each of which counts the same (eigenfaces, Turk and
Pentland 1991, whitened), and compared by their angle. Whoever has more to learn from, or a network
that was trained on millions of faces, finds more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demosaic.imaging.arrays import Pixels, resize, to_grey

Vectors = NDArray[np.float32]

Points = Sequence[tuple[float, float]]
"""Pixels (x, y), as a face detector finds them: right eye, left eye, nose tip, mouth, ..."""


SIDE = 96
"""Of a face as recognisers see it, pixels."""

_COLOURS = 24  # px: of the colour descriptor

_INNER = 1.3 / 1.7  # of the side of a cut face: hair and chin, little of what is behind

_EYES_AND_MOUTH = np.array([[0.32, 0.36], [0.68, 0.36], [0.5, 0.74]]) * SIDE

_SHARE, _MOST = 4, 400  # of so many known faces one direction, and never more than this

_LEAST = 1e-6  # of the strongest direction; what is weaker is rounding


RECOGNISERS = ("colours", "edges", "both")


def by_box(face: Pixels) -> Pixels:
    """The middle of a cut face (S, S, 3), as it is framed: (SIDE, SIDE, 3)."""
    side = face.shape[0]
    edge = round(side * (1 - _INNER) / 2)
    middle: Pixels = resize(face[edge : side - edge, edge : side - edge], SIDE, SIDE)
    return middle


def by_eyes(face: Pixels, points: Points) -> Pixels:
    """A face turned, scaled and shifted so that eyes and mouth are always at the same place."""
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
    """Some faces, as recognisers compare them."""

    colours: Vectors
    """(N, D)."""
    edges: Vectors
    """(N, E)."""


def describe(faces: Iterable[Pixels]) -> Described:
    """The descriptors of faces (SIDE, SIDE, 3)."""
    window, cell = (SIDE, SIDE), (SIDE // 12, SIDE // 12)
    gradients = cv2.HOGDescriptor(window, (SIDE // 6, SIDE // 6), cell, cell, 9)
    colours, edges = [], []
    for face in faces:
        colours.append(resize(face, _COLOURS, _COLOURS).astype(np.float32).ravel())
        # Dalal and Triggs 2005; under the root, many small steps count beside few large ones
        edges.append(np.sqrt(np.ravel(gradients.compute(to_grey(face)))))
    return Described(np.stack(colours), np.stack(edges))


def similarities(gallery: Described, probes: Described) -> Mapping[str, Vectors]:
    """How much each probe is like each face of the gallery, (P, N), by recogniser; each learns on
    the gallery.
    """
    colours = _whitened_angles(gallery.colours, probes.colours)
    edges = _whitened_angles(gallery.edges, probes.edges)
    return dict(zip(RECOGNISERS, (colours, edges, colours + edges), strict=True))


def _whitened_angles(known: Vectors, probes: Vectors) -> Vectors:
    """Cosines (P, N) in the space of the known faces' strongest principal components, whitened.

    By way of the products of all faces, (N, N): there are fewer faces than values of one.
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


def ranks(alike: Vectors, people: Sequence[str], truth: Sequence[str]) -> NDArray[np.intp]:
    """For each probe, how many people (1 and more) are to be looked at until the right one: the
    place of `truth` among `people`, who own the faces that it is so much `alike`, (P, N).

    A person is as much alike as the best of their faces; of equals the right one comes last.
    """
    names = sorted(set(people))
    owner = np.array([names.index(name) for name in people])
    best = np.full((len(alike), len(names)), -np.inf)
    for person in range(len(names)):
        best[:, person] = alike[:, owner == person].max(1)
    own = best[np.arange(len(best)), [names.index(name) for name in truth]]
    found: NDArray[np.intp] = (best >= own[:, None]).sum(1)
    return found
