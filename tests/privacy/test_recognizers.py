"""Recognisers rank the people of a gallery."""

import numpy as np

from demosaic.privacy import recognizers


def noise(count: int, seed: int = 0) -> recognizers.Described:
    rng = np.random.default_rng(seed)
    return recognizers.describe(rng.integers(0, 256, (count, 96, 96, 3), np.uint8))


def test_the_same_faces_are_found_first_by_every_recogniser() -> None:
    known = noise(8)
    people = list("abcdefgh")
    for alike in recognizers.similarities(known, known).values():
        assert recognizers.ranks(alike, people, people).tolist() == [1] * 8


def test_a_person_as_similar_as_everybody_comes_last() -> None:
    alike = np.zeros((1, 3), np.float32)
    assert recognizers.ranks(alike, ["a", "b", "c"], ["a"]).tolist() == [3]


def test_a_person_scores_as_the_best_of_their_faces() -> None:
    alike = np.array([[0.1, 0.9, 0.5]], np.float32)
    assert recognizers.ranks(alike, ["a", "a", "b"], ["a"]).tolist() == [1]
    assert recognizers.ranks(alike, ["a", "a", "b"], ["b"]).tolist() == [2]
