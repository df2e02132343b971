"""Pictures are found below a folder, and what is junk is counted."""

import inspect
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from demosaic.errors import DemosaicError
from demosaic.imaging.decoding import read_bytes, read_image, read_size
from demosaic.imaging.discovery import find_images
from demosaic.imaging.encoding import write_png
from doubles import texture


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(folder: Path, exclude: Path | None = None) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in find_images(folder, exclude)]


def test_files_are_found_in_the_order_of_their_paths(tmp_path: Path) -> None:
    touch(tmp_path, "b.jpg", "a/2.jpg", "a/10.jpg", "a.jpg", "a/c/1.PNG", "B.jpg", "Zoë [1].jpg")
    names = found(tmp_path)
    assert names == sorted(names)
    assert set(names) == {
        "b.jpg", "a/2.jpg", "a/10.jpg", "a.jpg", "a/c/1.PNG", "B.jpg", "Zoë [1].jpg",
    }  # fmt: skip


def test_dot_files_and_what_systems_litter_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", ".hidden.jpg", "._a.jpg", ".trash/b.jpg", "Thumbs.db", "desktop.ini")
    touch(tmp_path, "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", "__MACOSX/a.jpg", ".DS_Store")
    assert found(tmp_path) == ["a.jpg"]


def test_junk_is_counted(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "._a.jpg", ".thumbnails/1.jpg", ".thumbnails/deep/2.jpg", "Thumbs.db")
    touch(tmp_path, "b/@eaDir/c.jpg/SYNOPHOTO_THUMB_M.jpg", "b/#recycle/d.jpg", "b/e.jpg")
    (tmp_path / ".hidden-link").symlink_to(tmp_path)
    junk: list[Path] = []
    assert len(find_images(tmp_path, passed_over=junk.append)) == 2
    assert {path.relative_to(tmp_path).as_posix() for path in junk} == {
        "._a.jpg", ".thumbnails/1.jpg", ".thumbnails/deep/2.jpg", "Thumbs.db",
        "b/@eaDir/c.jpg/SYNOPHOTO_THUMB_M.jpg", "b/#recycle/d.jpg",
    }  # fmt: skip
    assert len(junk) == 6


def test_a_folder_that_cannot_be_entered_stops_nothing_and_is_missed_when_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "a/1.jpg", "locked/2.jpg", "z.jpg")
    enter = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return enter(path)

    monkeypatch.setattr("os.scandir", refuse)
    assert found(tmp_path) == ["a/1.jpg", "locked", "z.jpg"]
    with pytest.raises(DemosaicError, match=r"cannot read .*locked: Permission denied"):
        read_bytes(tmp_path / "locked")


def test_a_folder_that_links_to_itself_is_walked_once(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.jpg", "a/b/2.jpg")
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "z").symlink_to(tmp_path / "a")
    assert found(tmp_path) == ["a/1.jpg", "a/b/2.jpg"]


def test_a_linked_folder_is_entered_and_a_linked_file_is_a_file(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/1.jpg", "photos/2.jpg")
    (tmp_path / "photos" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos" / "3.jpg").symlink_to(tmp_path / "elsewhere" / "1.jpg")
    assert found(tmp_path / "photos") == ["2.jpg", "3.jpg", "linked/1.jpg"]


def test_links_to_nowhere_and_to_themselves_are_missed_by_whoever_reads_them(
    tmp_path: Path,
) -> None:
    touch(tmp_path, "a.jpg", "z.jpg")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    assert found(tmp_path) == ["a.jpg", "gone.jpg", "loop.jpg", "z.jpg"]
    for name in ("gone.jpg", "loop.jpg"):
        with pytest.raises(DemosaicError, match=rf"cannot read .*{name}: "):
            read_bytes(tmp_path / name)


def test_the_excluded_folder_is_not_entered(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "pairs/train/b.png", "pairs2/c.jpg")
    (tmp_path / "again").symlink_to(tmp_path / "pairs")
    assert found(tmp_path, exclude=tmp_path / "pairs") == ["a.jpg", "pairs2/c.jpg"]


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    for path in (tmp_path / "a.jpg", tmp_path / "gone"):
        with pytest.raises(DemosaicError, match="cannot read the folder"):
            find_images(path)


@pytest.mark.parametrize("name", ["[x].png", "Zoë 写真.png", "a%20b #1?.png", "no suffix"])
def test_odd_names_are_read_like_any_other(name: str, tmp_path: Path) -> None:
    image = texture(5, 4)
    write_png(tmp_path / name, image)
    assert find_images(tmp_path) == [tmp_path / name]
    assert np.array_equal(read_image(tmp_path / name), image)
    assert read_size(tmp_path / name) == (4, 5)


def test_a_link_to_what_may_not_be_looked_at_is_named_and_stops_nothing(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "z.jpg")
    (tmp_path / "long.jpg").symlink_to("a" * 300)
    if Path("/proc/1/cwd").is_symlink():
        (tmp_path / "theirs.jpg").symlink_to("/proc/1/cwd/no such file")
    names = found(tmp_path)
    assert {"a.jpg", "long.jpg", "z.jpg"} <= {*names}
    with pytest.raises(DemosaicError, match=r"cannot read .*long\.jpg: "):
        read_bytes(tmp_path / "long.jpg")


def test_folders_may_lie_deeper_than_functions_can_call_each_other(tmp_path: Path) -> None:
    deep = "/".join("a" * 200)
    touch(tmp_path, f"{deep}/1.jpg", f".junk/{deep}/2.jpg")
    junk: list[Path] = []
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 120)
    try:
        paths = find_images(tmp_path, passed_over=junk.append)
    finally:
        sys.setrecursionlimit(limit)
    assert [path.name for path in paths] == ["1.jpg"]
    assert [path.name for path in junk] == ["2.jpg"]
