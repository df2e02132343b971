"""Batches drawn ahead, in another thread."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Batch = TypeVar("Batch")


@contextmanager
def draw_ahead(draw: Callable[[int], Batch], first: int) -> Iterator[Callable[[int], Batch]]:
    """`draw`, to be called with consecutive steps from `first`: the batch of the next step is drawn
    while the caller works on this one.
    """
    with ThreadPoolExecutor(1) as drawer:
        ahead: dict[int, Future[Batch]] = {first: drawer.submit(draw, first)}

        def take(step: int) -> Batch:
            batch = ahead.pop(step).result()
            ahead[step + 1] = drawer.submit(draw, step + 1)
            return batch

        yield take
