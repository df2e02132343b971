"""Many photos, worked on in this process or in several."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import islice

from demosaic.config.dataset import BuildConfig
from demosaic.dataset.crops import PhotoResult, Task, photo_to_pairs
from demosaic.errors import DemosaicError
from demosaic.faces.cache import Examiner
from demosaic.imaging.arrays import use_one_core

Work = Callable[[Task], PhotoResult]
"""What a worker does with a photo."""

_CHUNK = 4  # photos that are sent to a process together

_AHEAD = 3  # chunks that each worker may be ahead of the writer; this bounds the memory


def work_on(
    tasks: Iterable[Task],
    *,
    config: BuildConfig,
    examiner: Examiner,
    forgotten: Collection[str] = (),
    workers: int,
) -> Iterator[PhotoResult]:
    """The results, in the order of the tasks; with `workers` above 1 from so many processes.

    Raises DemosaicError when a worker process is killed.
    """
    work = partial(photo_to_pairs, config=config, examiner=examiner, forgotten=forgotten)
    return map(work, tasks) if workers == 1 else _work_in_processes(tasks, work, workers)


def _work_in_processes(tasks: Iterable[Task], work: Work, workers: int) -> Iterator[PhotoResult]:
    spawn = multiprocessing.get_context("spawn")  # the detectors' threads do not survive a fork
    pool = ProcessPoolExecutor(
        workers, mp_context=spawn, initializer=_start_worker, initargs=(work,)
    )
    waiting: deque[Future[list[PhotoResult]]] = deque()
    try:
        for chunk in _chunks(tasks):
            waiting.append(pool.submit(_work_on, chunk))
            if len(waiting) >= workers * _AHEAD:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool as error:
        raise DemosaicError(
            "a worker process was killed (out of memory?): run the same command again to continue; "
            "fewer --workers take less memory"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_work_here: Work | None = None  # set once, when a worker process starts


def _start_worker(work: Work) -> None:
    global _work_here
    # Ctrl-C and a closed terminal are the main process's to handle
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):  # Windows has one
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    use_one_core()
    _work_here = work


def _end_with_parent() -> None:
    """End this process when its parent has ended, however it did: the pool would wait for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _work_on(tasks: Sequence[Task]) -> list[PhotoResult]:
    assert _work_here is not None
    return [_work_here(task) for task in tasks]


def _chunks(tasks: Iterable[Task]) -> Iterator[list[Task]]:
    remaining = iter(tasks)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk
