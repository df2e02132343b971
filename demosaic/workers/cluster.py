"""Many things worked through on a cluster of dask, which exists already or is made here."""

import logging
import os
import pickle
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distributed import Client, KilledWorker, LocalCluster, as_completed, get_worker
from distributed import Future as Promise
from distributed import TimeoutError as TookTooLong

from demosaic import __version__
from demosaic.errors import DemosaicError
from demosaic.events import Listener, Notice
from demosaic.workers.processes import AHEAD, Result, Thing, chunks

LOCAL = "local"
"""In place of an address: a cluster of processes on this machine."""

_PATIENCE = 300.0  # seconds without the next result until others are asked for it

_GREETING = 10.0  # seconds for every worker to say whether it sees what is needed

_TRIES = 3

_AGAIN = "run the same command again to continue"


@contextmanager
def cluster(
    address: str, needed: Sequence[Path], listen: Listener, *, workers: int
) -> Iterator["Cluster"]:
    """The workers of the dask scheduler at `address`, or with `local` so many processes here.

    `needed` are the files and folders that each worker must see. Connects to the address, and says
    so. Raises DemosaicError when nobody answers there, or a worker cannot be used.
    """
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what is lost is reported here
    with _client(address, workers) as client:
        listen(Notice(f"cluster {client.scheduler.address}, dashboard {client.dashboard_link}"))
        if not client.scheduler_info(n_workers=-1)["workers"]:
            listen(Notice("waiting for the first worker of the cluster"))
            client.wait_for_workers(1)
        found = Cluster(client, tuple(str(path.absolute()) for path in needed))
        found.refuse_unfit()
        yield found


@contextmanager
def _client(address: str, workers: int) -> Iterator[Client]:
    if address == LOCAL:
        with (
            LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0"
            ) as local,
            Client(local) as client,
        ):
            yield client
        return
    try:
        client = Client(address)
    except (OSError, TookTooLong, ValueError) as error:
        raise DemosaicError(
            f"no dask scheduler answers at {address}: start one with `dask scheduler`, and workers "
            f"with `dask worker {address}`"
        ) from error
    with client:
        yield client


@dataclass
class Cluster:
    """Works on the workers of a dask cluster."""

    client: Client
    needed: Sequence[str] = ()
    """What each worker must see."""
    patience: float = _PATIENCE
    """Seconds without the next result until other workers are asked for it."""

    def refuse_unfit(self) -> None:
        """Raise DemosaicError that names a worker which cannot see what is needed, or has another
        version of demosaic.
        """
        promises = {
            self.client.submit(
                _unfit, list(self.needed), __version__, pure=False, workers=[worker]
            ): worker
            for worker in self.client.scheduler_info(n_workers=-1)["workers"]
        }
        with suppress(TookTooLong):  # those that are busy or never answer are asked again later
            for promise in as_completed([*promises], timeout=_GREETING):
                worker = promises[promise]
                if promise.status == "error":
                    raise DemosaicError(
                        f"the worker {worker} cannot run demosaic {__version__}: install it there "
                        f"({promise.exception()})"
                    )
                problem = promise.result()
                if problem:
                    raise DemosaicError(f"the worker {worker} {problem}")

    def map(
        self, work: Callable[[Thing], Result], things: Iterable[Thing], *, chunk: int = 1
    ) -> Iterator[Result]:
        """The results, in the order of the things. Those of a worker that is killed or silent are
        asked of others.
        """
        sent = _Sent(self.client, pickle.dumps(work), list(self.needed), self.patience)
        try:
            sent.spread()
            for some in chunks(things, chunk):
                sent.ask(some)
                if len(sent.waiting) >= AHEAD * self._threads():
                    yield from sent.answer()
            while sent.waiting:
                yield from sent.answer()
        except (CancelledError, OSError) as error:
            if isinstance(error, OSError) and self.client.status == "running":
                raise  # of the work itself
            raise DemosaicError(
                f"the scheduler of the cluster has gone: start it again, and {_AGAIN}"
            ) from error
        except KilledWorker as error:
            raise DemosaicError(
                "workers of the cluster were killed several times over one task (out of memory?): "
                f"{_AGAIN}"
            ) from error
        finally:
            if self.client.status == "running":
                self.client.cancel([promise for promise, _ in sent.waiting])

    def _threads(self) -> int:
        threads: int = sum(self.client.nthreads().values())
        return max(1, threads)


@dataclass
class _Sent:
    """Work that was sent to a cluster, and the things that it is to be done to."""

    client: Client
    packed: bytes
    """The work, packed so that every thread of a worker unpacks its own: detectors are not shared.
    """
    needed: Sequence[str]
    patience: float
    waiting: deque[tuple[Promise, Sequence[Any]]] = field(default_factory=deque)
    """What was promised and not taken yet, in order, with the things."""
    _work: Promise = None
    _silent: set[str] = field(default_factory=set)  # workers that never answered

    def spread(self) -> None:
        """Send the work to every worker that answers."""
        self._work = self.client.scatter(
            self.packed, workers=self._answering(), hash=False, broadcast=True
        )

    def ask(self, things: Sequence[Any]) -> None:
        """Ask for the results of some things."""
        self.waiting.append((self._asked(things), things))

    def answer(self) -> list[Any]:
        """The results of the first things that are waited for, which are waited for no longer."""
        for _ in range(_TRIES):
            try:
                answered: list[Any] = self.waiting[0][0].result(timeout=self.patience)
            except TookTooLong:
                self._ask_others()
            except CancelledError:
                if self.client.status != "running":
                    raise
                self.spread()  # all workers that had it were killed
                self._ask_again(lambda promise: True)
            else:
                self.waiting.popleft()
                return answered
        raise DemosaicError(
            f"no worker of the cluster answered within {_TRIES * self.patience:.0f} s: {_AGAIN}"
        )

    def _asked(self, things: Sequence[Any]) -> Promise:
        workers = self._answering() if self._silent else None
        return self.client.submit(
            _work_on, self._work, things, self.needed, pure=False, workers=workers
        )

    def _answering(self) -> list[str]:
        workers = self.client.scheduler_info(n_workers=-1)["workers"]
        return [one for one in workers if one not in self._silent] or [*workers]

    def _ask_others(self) -> None:
        """Ask others for everything that the worker of the first has, done or not."""
        keys = {
            worker: {*at_work, *self.client.has_what().get(worker, ())}
            for worker, at_work in self.client.processing().items()
        }
        first = self.waiting[0][0].key
        silent = {worker for worker, those in keys.items() if first in those}
        self._silent |= silent
        if silent:
            self.spread()
            lost = set[Any]().union(*(keys[worker] for worker in silent))
            self._ask_again(lambda promise: promise.key in lost)

    def _ask_again(self, lost: Callable[[Promise], bool]) -> None:
        for place, (promise, things) in enumerate(self.waiting):
            if lost(promise):
                self.waiting[place] = self._asked(things), things


def _unfit(needed: Sequence[str], version: str) -> str:
    """Why this worker cannot be used, if it cannot."""
    if __version__ != version:
        return f"has demosaic {__version__} instead of {version}: install the same one"
    for path in needed:
        if not os.path.exists(path):  # noqa: PTH110 - Path's may raise
            return f"cannot see {path}: let all machines see it under that path"
    return ""


_last = threading.local()  # what this thread was sent last, packed and unpacked


def _work_on(packed: bytes, things: Sequence[Any], needed: Sequence[str]) -> list[Any]:
    """What a worker does. It looks again, as it may have come after the work began."""
    problem = _unfit(needed, __version__)
    if problem:
        raise DemosaicError(f"the worker {get_worker().address} {problem}")
    if getattr(_last, "packed", None) is not packed:
        _last.packed, _last.work = packed, pickle.loads(packed)
    return [_last.work(thing) for thing in things]
