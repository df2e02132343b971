"""Many things worked through in this process or in several of this machine."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, TypeVar

from demosaic.errors import DemosaicError

Thing = TypeVar("Thing")

Result = TypeVar("Result")

AHEAD = 3
"""So many chunks each worker may be ahead of whoever takes the results; this bounds the memory."""


class Workers(Protocol):
    """Who does the work. `work` and the things must be possible to pickle."""

    def map(
        self, work: Callable[[Thing], Result], things: Iterable[Thing], *, chunk: int = 1
    ) -> Iterator[Result]:
        """The results, in the order of the things; `chunk` of these are sent to a worker together.

        Raises what `work` raises, and DemosaicError when workers are lost.
        """


class ThisProcess:
    """Works here, one thing after the other."""

    def map(
        self, work: Callable[[Thing], Result], things: Iterable[Thing], *, chunk: int = 1
    ) -> Iterator[Result]:
        """The results, each when it is asked for."""
        return map(work, things)


@dataclass(frozen=True)
class Processes:
    """Works in `count` processes, which end with this one, however it does."""

    count: int
    prepare: Callable[[], object]
    """What each process does first; it must be possible to pickle."""

    def map(
        self, work: Callable[[Thing], Result], things: Iterable[Thing], *, chunk: int = 1
    ) -> Iterator[Result]:
        """The results, in the order of the things."""
        spawn = multiprocessing.get_context("spawn")  # the detectors' threads survive no fork
        pool = ProcessPoolExecutor(
            self.count,
            mp_context=spawn,
            initializer=_start_worker,
            initargs=(self.prepare, work),
        )
        waiting: deque[Future[list[Result]]] = deque()
        try:
            for some in chunks(things, chunk):
                waiting.append(pool.submit(_work_on, some))
                if len(waiting) >= self.count * AHEAD:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        except BrokenProcessPool as error:
            raise DemosaicError(
                "a worker process was killed (out of memory?): run the same command again to "
                "continue; fewer --workers take less memory"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def chunks(things: Iterable[Thing], size: int) -> Iterator[list[Thing]]:
    """The things in their order, so many at a time."""
    remaining = iter(things)
    while some := list(islice(remaining, size)):
        yield some


_work_here: Callable[[Any], Any] | None = None  # set once, when a worker process starts


def _start_worker(prepare: Callable[[], object], work: Callable[[Any], Any]) -> None:
    global _work_here
    # Ctrl-C and a closed terminal are the main process's to handle
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):  # Windows has one
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    prepare()
    _work_here = work


def _end_with_parent() -> None:
    """End this process when its parent has ended, however it did: the pool would wait for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work_on(things: Sequence[Any]) -> list[Any]:
    assert _work_here is not None
    return [_work_here(thing) for thing in things]
