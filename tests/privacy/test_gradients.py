"""Edges are described by their directions, as OpenCV 4 did it."""

import cv2
import numpy as np
import pytest

from demosaic.privacy.gradients import describe_edges


@pytest.mark.parametrize(("side", "cell"), [(96, 8), (48, 12)])
def test_edges_are_described_as_opencv_4_did_it(side: int, cell: int) -> None:
    if not hasattr(cv2, "HOGDescriptor"):
        pytest.skip("this OpenCV has no HOGDescriptor")
    steps = (side, side), (2 * cell, 2 * cell), (cell, cell), (cell, cell)
    grey = np.random.default_rng(0).integers(0, 256, (side, side), np.uint8)
    grey[: side // 2] = cv2.GaussianBlur(grey, (0, 0), 3)[: side // 2]
    expected = cv2.HOGDescriptor(*steps, 9).compute(grey)
    # OpenCV's arcus tangent is a polynomial, up to .01 degrees off
    np.testing.assert_allclose(describe_edges(grey, cell), np.ravel(expected), atol=2e-4)


@pytest.mark.parametrize(("turns", "direction"), [(0, {0, 8}), (1, {4}), (2, {0, 8}), (3, {4})])
def test_an_edge_counts_in_its_direction_from_either_side(turns: int, direction: set[int]) -> None:
    grey = np.rot90(
        np.where(np.arange(96) < 40, 50, 200).astype(np.uint8) * np.ones((96, 1), np.uint8), turns
    )
    histograms = describe_edges(np.ascontiguousarray(grey), 8).reshape(-1, 9)
    assert set(np.flatnonzero(histograms.sum(0))) == direction


def test_a_plain_picture_has_no_edges() -> None:
    assert not describe_edges(np.full((96, 96), 128, np.uint8), 8).any()
