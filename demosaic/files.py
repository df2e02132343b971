"""Files written whole or not at all, and lines that survive a kill."""

import errno
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from demosaic.errors import DemosaicError

_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "your disk quota is used up; free some space and run the same command again",
    errno.EACCES: "you may not write there; choose another place",
    errno.EROFS: "this disk is read-only; choose another place",
    errno.EISDIR: "a folder has that name; choose another",
    errno.ENAMETOOLONG: "the name is too long; choose another",
    errno.ENOENT: "the folder has vanished; bring it back and run the same command again",
}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an operating system's refusal to write `path` into a DemosaicError with a way out."""
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, error.strerror or str(error))
        raise DemosaicError(f"cannot write {path}: {advice}") from error


def make_folder(path: Path) -> Path:
    """`path`, which is a folder now. Raises DemosaicError when it cannot be made."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise DemosaicError(f"{path} is not a folder: choose another name") from error
    except FileNotFoundError as error:  # its parents would have been made
        raise DemosaicError(
            f"cannot make the folder {path}: nothing can be written there; choose another place"
        ) from error
    except OSError as error:
        with writing(path):
            raise error
    return path


def real_path(path: Path) -> Path:
    """Where a path leads when its links are followed. Links in a circle are no error; in
    `Path.resolve` they are one before Python 3.13.
    """
    return Path(os.path.realpath(path))


def write_with(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it: a kill leaves the old file
    or the new one.

    The temporary name is always the same, so that the next call overwrites what a kill left.
    """
    part = path.with_name(f".{path.name}.part")
    with writing(path):
        try:
            write(part)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all."""
    write_with(path, lambda part: part.write_bytes(data))


def write_json(path: Path, value: object) -> None:
    """Write `value` to `path` as indented JSON, whole or not at all."""
    write_bytes(path, encoded(json.dumps(value, indent=2, ensure_ascii=False) + "\n"))


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`. Raises DemosaicError when it is missing or something else."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DemosaicError(f"cannot read {path}: {error.strerror}") from error
    value = _parsed(data, str(path))
    if not isinstance(value, dict):
        raise DemosaicError(f"{path} is damaged: it does not hold a JSON object")
    return value


def as_line(record: object) -> str:
    """`record` as one line of JSON, newline included."""
    return json.dumps(record, ensure_ascii=False) + "\n"


def encoded(text: str) -> bytes:
    """UTF-8; bytes of a file name that are no UTF-8 become JSON's own `\\udc..` escapes."""
    return text.encode("utf-8", "backslashreplace")


def write_lines(path: Path, records: Iterable[object]) -> None:
    """Write a file of JSON lines, whole or not at all."""
    write_bytes(path, encoded("".join(map(as_line, records))))


def append_lines(path: Path, records: Iterable[object]) -> None:
    """Add JSON lines to `path`. A kill can tear only the last one, which `read_lines` drops."""
    with writing(path), path.open("ab") as file:
        file.write(encoded("".join(map(as_line, records))))


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The records of a JSON lines file, without a torn last line; none when there is no file.

    Raises DemosaicError with the path and the number of a line that is not JSON.
    """
    return [value for _, value in numbered_lines(path)]


def numbered_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """The same records, each with the number of its line, from 1."""
    if not path.exists():
        return
    lines = path.read_bytes().split(b"\n")[:-1]  # what follows the last newline was torn by a kill
    for number, line in enumerate(lines, start=1):
        if line:
            yield number, _parsed(line, f"{path}, line {number}")


def _parsed(data: bytes, where: str) -> Any:
    try:
        return json.loads(data)
    except ValueError as error:
        raise DemosaicError(f"{where} is damaged: it is not JSON ({error})") from error


def drop_torn_line(path: Path) -> None:
    """Remove what a kill left after the last newline, so that the next line begins a new one."""
    if path.exists():
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.truncate(path, whole)
