"""Batches drawn ahead, and Ctrl-C between two steps."""

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

Batch = TypeVar("Batch")


# Around the loop


@contextmanager
def drawn_ahead(draw: Callable[[int], Batch], first: int) -> Iterator[Callable[[int], Batch]]:
    """`draw`, asked for one step after the other, with the next one's batch drawn meanwhile."""
    with ThreadPoolExecutor(1) as drawer:
        ahead: dict[int, Future[Batch]] = {first: drawer.submit(draw, first)}

        def take(step: int) -> Batch:
            batch = ahead.pop(step).result()
            ahead[step + 1] = drawer.submit(draw, step + 1)
            return batch

        yield take


@contextmanager
def stopping() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C (or a polite kill) came: the step is finished first. A second one stops at
    once.
    """
    requests: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if number in requests:  # torchrun sends one of each kind
            raise KeyboardInterrupt
        requests.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False  # only the main thread may handle signals
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(requests)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
