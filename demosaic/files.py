"""Files written whole or not at all, and lines that survive a kill."""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from demosaic.errors import DemosaicError, DiskFull
from demosaic.text import in_json

_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "your disk quota is used up; free some space and run the same command again",
    errno.EACCES: "you may not write there; choose another place",
    errno.EROFS: "this disk is read-only; choose another place",
    errno.EISDIR: "a folder has that name; choose another",
    errno.ENAMETOOLONG: "the name is too long; choose another",
    errno.ENOENT: "the folder has vanished; bring it back and run the same command again",
}


_DEEPEST = 32  # levels of lists and objects within each other; ours have five

_LONGEST_FILE = 64 * 2**20  # bytes of JSON that is read at once

_LONGEST_LINE = 2**20  # bytes; ours have some hundred, and those of events some thousand


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an operating system's refusal to write `path` into a DemosaicError with a way out;
    DiskFull where there is no room.
    """
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, error.strerror or str(error))
        kind = DiskFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else DemosaicError
        raise kind(f"cannot write {path}: {advice}") from error


def make_folder(path: Path, *, private: bool = False) -> Path:
    """`path`, which is a folder now; a new one that is `private` is for its owner only. Raises
    DemosaicError when it cannot be made.
    """
    try:
        path.mkdir(0o700 if private else 0o777, parents=True, exist_ok=True)
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
    `Path.resolve` they are one before Python 3.13. A link that may not be followed leads to itself.
    """
    return _followed(path) or Path(os.path.abspath(path))  # noqa: PTH100 - Path's follows links


def _followed(path: Path) -> Path | None:
    try:
        return Path(os.path.realpath(path))
    except OSError:
        return None


def without_user(path: Path) -> str:
    """The path from the working folder, or its last name alone where it leads elsewhere: for pages
    that are shown to others, as a whole path may contain the user's name.
    """
    real, here = real_path(path), real_path(Path())
    return real.relative_to(here).as_posix() if real.is_relative_to(here) else real.name


def refuse_links_out(folder: Path, names: Iterable[str]) -> None:
    """Raise DemosaicError where one of these files or folders in `folder`, which may be a
    stranger's, is a link that leads out of it.
    """
    home = real_path(folder)
    for name in names:
        path = folder / name
        leads = _followed(path)
        if leads is None or not leads.is_relative_to(home):
            raise DemosaicError(
                f"{path} is a link that leads out of {folder}: nothing is read or written there; "
                "put what it leads to in its place"
            )


def write_with(path: Path, write: Callable[[Path], object], *, private: bool = False) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it: a kill leaves the old file
    or the new one. A file that is `private` can be read by its owner only.

    The temporary name is always the same, so that the next call overwrites what a kill left. What
    has that name is replaced, not written to: it may be a link that a stranger made.
    """
    part = path.with_name(f".{path.name}.part")
    with writing(path):
        try:
            _create(part, private)
            write(part)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def _create(path: Path, private: bool) -> None:
    """Make an empty file in the place of whatever has that name."""
    flags, mode = os.O_CREAT | os.O_EXCL | os.O_WRONLY, _mode(private)
    try:
        file = os.open(path, flags, mode)
    except FileExistsError:
        path.unlink()
        file = os.open(path, flags, mode)
    os.close(file)


def _mode(private: bool) -> int:
    """Who may read and write a new file, as far as the process's own mask allows it."""
    return 0o600 if private else 0o666


def write_bytes(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write `data` to `path` as `write_with` does, whole or not at all."""
    write_with(path, lambda part: part.write_bytes(data), private=private)


def write_json(path: Path, value: object, *, private: bool = False) -> None:
    """Write `value` to `path` as indented JSON, whole or not at all."""
    text = in_json(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    write_bytes(path, encoded(text), private=private)


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`. Raises DemosaicError when it is missing or something else."""
    with _regular(path) as file:
        data = file.read(_LONGEST_FILE + 1)
    if len(data) > _LONGEST_FILE:
        raise DemosaicError(f"{path} is damaged: it has more than {_LONGEST_FILE >> 20} MB")
    value = parsed(data, str(path))
    if not isinstance(value, dict):
        raise DemosaicError(f"{path} is damaged: it does not hold a JSON object")
    return value


def read_packaged(path: Path) -> bytes:
    """The bytes of a file that comes with the package, compared with the SHA-256 in the file of the
    same name and `.sha256` beside it. Raises DemosaicError when they differ or cannot be read.
    """
    try:
        data, checksum = path.read_bytes(), path.with_suffix(".sha256").read_text()
    except OSError as error:
        raise DemosaicError(f"cannot read {path} ({error}): install demosaic again") from error
    if checksum.split()[0] != hashlib.sha256(data).hexdigest():
        raise DemosaicError(f"{path} is damaged: install demosaic again")
    return data


@contextmanager
def _regular(path: Path) -> Iterator[BinaryIO]:
    """The file, open to be read. Raises DemosaicError for a pipe, which would never end, too."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DemosaicError(f"cannot read {path}: it is no regular file")
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise DemosaicError(f"cannot read {path}: {error.strerror}") from error


def as_line(record: object) -> str:
    """`record` as one line of JSON, newline included, with escapes for what a terminal obeys."""
    return in_json(json.dumps(record, ensure_ascii=False) + "\n")


def encoded(text: str) -> bytes:
    """UTF-8; bytes of a file name that are no UTF-8 become JSON's own `\\udc..` escapes."""
    return text.encode("utf-8", "backslashreplace")


def write_lines(path: Path, records: Iterable[object], *, private: bool = False) -> None:
    """Write a file of JSON lines, whole or not at all."""

    def write(part: Path) -> None:
        with part.open("wb") as file:
            file.writelines(encoded(as_line(record)) for record in records)

    write_with(path, write, private=private)


def hashed(path: Path) -> bytes:
    """The SHA-256 of a file, 32 bytes. Raises DemosaicError when it cannot be read."""
    digest = hashlib.sha256()
    with _regular(path) as file:
        while some := file.read(_LONGEST_LINE):
            digest.update(some)
    return digest.digest()


def append_lines(path: Path, records: Iterable[object], *, private: bool = False) -> None:
    """Add JSON lines to `path`. A kill can tear only the last one, which `read_lines` drops.

    Raises DemosaicError when it cannot be written, or is a link.
    """
    _refuse_link(path)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    with writing(path), os.fdopen(os.open(path, flags, _mode(private)), "ab") as file:
        file.write(encoded("".join(map(as_line, records))))


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise DemosaicError(f"{path} is a link: put the file that it leads to in its place")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The records of a JSON lines file, without a torn last line; none when there is no file.

    Raises DemosaicError with the path and the number of a line that is not JSON.
    """
    return [value for _, value in numbered_lines(path)]


def numbered_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """The same records, each with the number of its line, from 1."""
    if not os.path.lexists(path):
        return
    with _regular(path) as file:
        for number in count(1):
            line = file.readline(_LONGEST_LINE + 1)
            if len(line) > _LONGEST_LINE:
                raise DemosaicError(f"{path}, line {number} is damaged: it has more than 1 MB")
            if not line.endswith(b"\n"):
                return  # the file ends here, maybe with a line that a kill tore
            if line != b"\n":
                yield number, parsed(line, f"{path}, line {number}")


def parsed(data: bytes, where: str) -> Any:
    """The value in a piece of JSON. Raises DemosaicError, which begins with `where`, when it is
    something else, or lists and objects lie too deep within each other.
    """
    try:
        value = json.loads(data)
    except RecursionError as error:
        raise _too_deep(where) from error
    except ValueError as error:
        raise DemosaicError(f"{where} is damaged: it is not JSON ({error})") from error
    # Most have fewer brackets than that: counting them is twenty times as fast as looking
    if data.count(b"[") + data.count(b"{") > _DEEPEST and _is_too_deep(value):
        raise _too_deep(where)
    return value


def _too_deep(where: str) -> DemosaicError:
    return DemosaicError(f"{where} is damaged: its JSON is nested too deep")


def _is_too_deep(value: Any) -> bool:
    """Whether lists and objects lie deeper within each other than ours ever do."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [inner for one in level if isinstance(one, list | dict) for inner in _inside(one)]
        if not level:
            return False
    return True


def _inside(value: list[Any] | dict[str, Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def drop_torn_line(path: Path) -> None:
    """Remove what a kill left after the last newline, so that the next line begins a new one.

    Raises DemosaicError when that cannot be done, or the file is a link.
    """
    _refuse_link(path)
    if not path.exists():
        return
    with writing(path), path.open("r+b") as file:
        file.truncate(_end_of_lines(file))


def _end_of_lines(file: BinaryIO) -> int:
    """Where the last newline of a file ends; 0 without one."""
    place = file.seek(0, os.SEEK_END)
    while place > 0:
        start = max(0, place - _LONGEST_LINE)
        file.seek(start)
        newline = file.read(place - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        place = start
    return 0
