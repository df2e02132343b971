"""Who does the work of a command: `--cluster`."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from demosaic.cli.options import own_option
from demosaic.errors import DemosaicError, how_to_install

if TYPE_CHECKING:
    from demosaic.events import Listener
    from demosaic.workers.processes import Workers

ClusterOption = Annotated[
    str | None,
    own_option(
        "Work on a dask cluster: the address of its scheduler, to which a connection is opened, or "
        "local for one on this machine.",
        metavar="local|ADDRESS",
        default="this machine, without dask",
    ),
]


@contextmanager
def workers_of(
    address: str | None,
    needed: Sequence[Path],
    listen: "Listener",
    *,
    out: Path | None = None,
    processes: int | None = None,
) -> Iterator["Workers | None"]:
    """The workers at an address, all of which see the files and folders `needed` and the folder
    `out`, which is made; None without an address. A `local` cluster has so many `processes`, by
    default one for each core.
    """
    if address is None:
        yield None
        return
    try:
        from demosaic.workers.cluster import cluster
    except ModuleNotFoundError as error:  # dask is an extra
        raise DemosaicError(f"--cluster needs dask: {how_to_install('cluster')}") from error
    count = processes or os.cpu_count() or 1
    with (
        _seen_in(out) as mark,
        cluster(address, [*needed, *mark], listen, workers=count) as found,
    ):
        yield found


@contextmanager
def _seen_in(folder: Path | None) -> Iterator[list[Path]]:
    """A file in a folder, which whoever sees the same folder sees too; removed at the end."""
    if folder is None:
        yield []
        return
    from demosaic.files import make_folder

    with tempfile.NamedTemporaryFile(
        prefix=".demosaic-", suffix=".part", dir=make_folder(folder)
    ) as mark:
        yield [Path(mark.name)]
