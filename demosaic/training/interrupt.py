"""Ctrl-C between two steps."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """A function that says whether SIGINT or SIGTERM has come: the step is finished first. A second
    signal of the same kind raises KeyboardInterrupt at once.

    Outside the main thread, where signals cannot be handled, the function always says no.
    """
    requests: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if number in requests:  # torchrun sends one of each kind
            raise KeyboardInterrupt
        requests.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(requests)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
