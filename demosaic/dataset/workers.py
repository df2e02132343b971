"""Many photos, worked on in this process, in several or on a cluster."""

from collections.abc import Collection, Iterable, Iterator
from functools import partial

from demosaic.config.dataset import BuildConfig
from demosaic.dataset.crops import PhotoResult, Task, photo_to_pairs
from demosaic.faces.cache import Examiner
from demosaic.imaging.arrays import use_one_core
from demosaic.workers.processes import Processes, ThisProcess, Workers

_CHUNK = 4  # photos that are sent to a process together


def work_on(
    tasks: Iterable[Task],
    *,
    config: BuildConfig,
    examiner: Examiner,
    forgotten: Collection[str] = (),
    workers: int | Workers,
) -> Iterator[PhotoResult]:
    """The results, in the order of the tasks; with `workers` above 1 from so many processes.

    Raises DemosaicError when a worker process is killed.
    """
    work = partial(photo_to_pairs, config=config, examiner=examiner, forgotten=forgotten)
    return _chosen(workers).map(work, tasks, chunk=_CHUNK)


def _chosen(workers: int | Workers) -> Workers:
    if not isinstance(workers, int):
        return workers
    return ThisProcess() if workers == 1 else Processes(workers, use_one_core)
