"""Pictures that show nearly the same have nearly the same hash."""

from demosaic.dataset.near_duplicates import Likenesses, bits_apart, near_any, nearest
from hashes import likeness, strange


def test_the_nearest_of_two_splits_and_those_near_any_are_found() -> None:
    far = [(strange(2 * number), strange(2 * number + 1)) for number in range(1000)]
    some = Likenesses.of([*far[:600], (likeness(*range(70)), strange(9000))])
    others = Likenesses.of([*far[600:], (likeness(), likeness())])
    assert nearest(some, others) == (600, 400)
    assert nearest(some, Likenesses.of([])) is nearest(Likenesses.of([]), some) is None
    close = Likenesses.of([(strange(5000), likeness(1, 2, 3)), (strange(5001), strange(5002))])
    assert near_any(close, others) == [0]
    assert near_any(Likenesses.of([]), others) == []


def test_bits_are_counted() -> None:
    assert bits_apart(likeness(), likeness()) == 0
    assert bits_apart(likeness(3, 7), likeness(7, 200, 255)) == 3
