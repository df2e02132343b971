"""Ctrl-C, and what else ends a process, between two steps."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]  # Windows has two


@contextmanager
def stop_requests() -> Iterator[Callable[[], int]]:
    """A function that returns the number of the first signal that came to end the process, or 0:
    the step is finished first. A second signal of the same kind raises KeyboardInterrupt at once.

    Signals that the caller ignores, as nohup does with SIGHUP, stay ignored. Outside the main
    thread, where signals cannot be handled, the function always returns 0.
    """
    requests: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if number in requests:  # torchrun sends one of each kind
            raise KeyboardInterrupt
        requests.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: 0
        return
    heeded = [
        one for one in _ENDING if one == signal.SIGINT or signal.getsignal(one) != signal.SIG_IGN
    ]
    before = {number: signal.signal(number, note) for number in heeded}
    try:
        yield lambda: requests[0] if requests else 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
