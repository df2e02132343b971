"""Finding the picture files below a folder."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from demosaic.errors import DemosaicError
from demosaic.files import real_path

# Thumbnails, resource forks and recycle bins of network disks, Macs and Windows
_JUNK_FOLDERS = {"@eadir", "__macosx", "#recycle", "$recycle.bin"}
_JUNK_FILES = {"thumbs.db", "desktop.ini"}


def find_images(
    folder: Path,
    exclude: Path | None = None,
    passed_over: Callable[[Path], object] = lambda path: None,
) -> list[Path]:
    """The files below `folder` that may be pictures, sorted by path, without hidden files and junk.

    Each folder is entered once, whatever links lead to it; `exclude` is a folder not to enter.
    Every file left out is passed to `passed_over`. A folder that cannot be entered and a link to
    nothing are listed like files: reading them fails, so that they are reported. Raises
    DemosaicError when `folder` itself cannot be entered.
    """
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise DemosaicError(f"cannot read the folder {folder}: {error.strerror}") from error
    seen = {real_path(exclude)} if exclude else set()
    paths = _walk(folder, seen, passed_over)
    return sorted(paths, key=lambda path: path.relative_to(folder).as_posix())


def _walk(folder: Path, seen: set[Path], passed_over: Callable[[Path], object]) -> Iterator[Path]:
    """The files below a folder, unless its real path is among the `seen`, to which it is added."""
    real = real_path(folder)
    if real in seen:
        return
    seen.add(real)
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder
        return
    for entry in entries:
        name, path = entry.name.lower(), Path(entry.path)
        if _is(entry.is_dir):
            if name.startswith(".") or name in _JUNK_FOLDERS:
                _pass_over(path, passed_over)
            else:
                yield from _walk(path, seen, passed_over)
        elif name.startswith(".") or name in _JUNK_FILES:
            passed_over(path)
        elif _is(entry.is_file) or (_leads_nowhere(path) and real_path(path) not in seen):
            yield path


def _pass_over(folder: Path, passed_over: Callable[[Path], object]) -> None:
    """Pass on every file of a junk folder, unless it is a link, whose files belong elsewhere."""
    for inside, _, names in () if folder.is_symlink() else os.walk(folder):
        for name in names:
            passed_over(Path(inside, name))


def _leads_nowhere(path: Path) -> bool:
    """Whether a path is a link to nothing, or to itself."""
    return path.is_symlink() and not path.exists()


def _is(kind: Callable[[], bool]) -> bool:
    """What `entry.is_dir` or `entry.is_file` says; False for a link to itself, where it raises."""
    try:
        return kind()
    except OSError:
        return False
