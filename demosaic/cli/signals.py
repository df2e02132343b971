"""SIGTERM and SIGHUP end a command as Ctrl-C does: what was done is kept, and one line says so."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from demosaic.errors import INTERRUPTED, exit_code_of

_ENDING = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
]  # Windows has one


@contextmanager
def ending_signals() -> Iterator[Callable[[int], int]]:
    """Within, these signals raise KeyboardInterrupt, except those that the caller ignores, as nohup
    does. The function turns the exit code of Ctrl-C into that of the signal that came.
    """
    came: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt

    def exit_code(code: int) -> int:
        return exit_code_of(came[-1]) if came and code == INTERRUPTED else code

    if threading.current_thread() is not threading.main_thread():
        yield exit_code
        return
    heeded = [one for one in _ENDING if signal.getsignal(one) != signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in heeded}
    try:
        yield exit_code
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
