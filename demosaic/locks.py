"""One command at a time in a folder that is written to."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from demosaic.errors import DemosaicError
from demosaic.files import make_folder, read_json, write_json, writing
from demosaic.records import read

_LOCK, _WRITER = ".lock", ".writer.json"


@dataclass(frozen=True)
class _Writer:
    """Who writes to a folder."""

    process: int
    """Its id, on its machine."""
    since: str
    """Date and time there."""


@contextmanager
def written_alone(folder: Path, *, private: bool = False) -> Iterator[None]:
    """Within, no other command writes to the folder, which is made; a new one that is `private` is
    for its owner only.

    The operating system drops the lock of a process that is killed. Between machines that share a
    disk it works as far as the disk's own locks do; where it has none, filelock warns and relies on
    a file that a kill may leave behind.

    Raises DemosaicError that names the process that writes already.
    """
    lock = FileLock(make_folder(folder, private=private) / _LOCK, mode=0o600)
    with writing(folder / _LOCK):
        try:
            lock.acquire(blocking=False)
        except Timeout as error:  # an OSError too
            raise DemosaicError(
                f"{_writer(folder)} already writes to {folder}: wait until it ends, or stop it"
            ) from error
    try:
        now = datetime.now().isoformat(" ", "seconds")
        write_json(folder / _WRITER, asdict(_Writer(os.getpid(), now)), private=True)
        yield
    finally:
        (folder / _WRITER).unlink(missing_ok=True)
        lock.release()


def is_written_to(folder: Path) -> bool:
    """Whether another command writes to the folder just now."""
    lock = FileLock(folder / _LOCK)
    if not (folder / _LOCK).is_file():
        return False
    try:
        with lock.acquire(blocking=False):
            return False
    except Timeout:
        return True
    except OSError:  # a folder of another user
        return (folder / _WRITER).exists()


def _writer(folder: Path) -> str:
    """Who writes to the folder, as far as that is known: it may not have said so yet."""
    path = folder / _WRITER
    try:
        found = read(_Writer, read_json(path), str(path))
    except DemosaicError:
        return "another process"
    return f"process {found.process}, which began at {found.since},"
