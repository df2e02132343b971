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
    """The files below a folder, of each folder whose real path is not among the `seen`, to which it
    is added.
    """
    waiting = [folder]  # folders may lie deeper than functions can call each other
    while waiting:
        inside = waiting.pop()
        real = real_path(inside)
        if real in seen:
            continue
        seen.add(real)
        try:
            entries = sorted(os.scandir(inside), key=lambda entry: entry.name)
        except OSError:
            yield inside
            continue
        folders = []
        for entry in entries:
            name, path = entry.name.lower(), Path(entry.path)
            if _is(entry.is_dir):
                if name.startswith(".") or name in _JUNK_FOLDERS:
                    _pass_over(path, passed_over)
                else:
                    folders.append(path)
            elif name.startswith(".") or name in _JUNK_FILES:
                passed_over(path)
            elif _is(entry.is_file) or (_leads_nowhere(entry) and real_path(path) not in seen):
                yield path
        waiting += reversed(folders)


def _pass_over(folder: Path, passed_over: Callable[[Path], object]) -> None:
    """Pass on every file of a junk folder, unless it is a link, whose files belong elsewhere."""
    waiting = [] if folder.is_symlink() else [folder]
    while waiting:
        try:
            entries = [*os.scandir(waiting.pop())]
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))
            elif not _is(entry.is_dir):
                passed_over(Path(entry.path))


def _leads_nowhere(entry: "os.DirEntry[str]") -> bool:
    """Whether an entry is a link to nothing, to itself, or to what may not be looked at."""
    return entry.is_symlink() and not os.path.exists(entry.path)  # noqa: PTH110 - Path's may raise


def _is(kind: Callable[[], bool]) -> bool:
    """What `entry.is_dir` or `entry.is_file` says; False for a link to itself, where it raises."""
    try:
        return kind()
    except OSError:
        return False
