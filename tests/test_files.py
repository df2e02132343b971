"""Files are whole or absent, and lines survive a kill."""

import errno
import os
from pathlib import Path

import pytest

from demosaic.errors import PROBLEM, DemosaicError
from demosaic.files import (
    append_lines,
    drop_torn_line,
    make_folder,
    read_json,
    read_lines,
    refuse_links_out,
    write_bytes,
    write_json,
    write_lines,
    write_with,
)


def refused(code: int) -> OSError:
    return OSError(code, os.strerror(code))


def test_a_file_written_replaces_the_old_one_and_leaves_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"old")
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [refused(errno.ENOSPC), KeyboardInterrupt(), ValueError("bug")])
def test_a_write_that_fails_halfway_leaves_the_old_file_and_no_litter(
    error: BaseException, tmp_path: Path
) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"old")

    def fail(part: Path) -> None:
        part.write_bytes(b"half of the new")
        raise error

    with pytest.raises((DemosaicError, KeyboardInterrupt, ValueError)):
        write_with(path, fail)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_kill_left_half_written_is_overwritten_not_collected(tmp_path: Path) -> None:
    parts: list[Path] = []

    def write(part: Path) -> None:
        parts.append(part)
        part.touch()

    write_with(tmp_path / "a", write)
    parts[0].write_bytes(b"left by a kill")
    write_bytes(tmp_path / "a", b"2")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize(
    ("code", "way_out"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.EACCES, "choose another place"),
        (errno.EROFS, "choose another place"),
        (errno.EISDIR, "a folder has that name; choose another"),
        (errno.ENAMETOOLONG, "the name is too long; choose another"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
def test_a_disk_that_refuses_gives_one_line_with_the_file_and_a_way_out(
    code: int, way_out: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.bin"

    def refuse(part: Path) -> None:
        raise refused(code)

    with pytest.raises(DemosaicError) as caught:
        write_with(path, refuse)
    message = str(caught.value)
    assert message.startswith(f"cannot write {path}: ")
    assert way_out in message
    assert "\n" not in message
    assert caught.value.exit_code == PROBLEM


def test_writing_into_a_folder_that_is_gone_is_explained(tmp_path: Path) -> None:
    with pytest.raises(DemosaicError, match="the folder has vanished"):
        write_bytes(tmp_path / "gone" / "a", b"")
    with pytest.raises(DemosaicError, match="the folder has vanished"):
        append_lines(tmp_path / "gone" / "a.jsonl", [1])


def test_a_file_where_a_folder_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a letter")
    for path in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(DemosaicError) as caught:
            make_folder(path)
        assert str(caught.value) == f"{path} is not a folder: choose another name"
    assert (tmp_path / "taken").read_text() == "a letter"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc on this system")
def test_where_no_folder_can_be_made_none_is_said_to_have_vanished() -> None:
    with pytest.raises(DemosaicError) as caught:
        make_folder(Path("/proc/pairs"))
    assert str(caught.value) == (
        "cannot make the folder /proc/pairs: nothing can be written there; choose another place"
    )


def test_a_folder_is_made_with_its_parents_and_may_exist(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    assert make_folder(path) == path
    assert make_folder(path).is_dir()


def test_json_comes_back_as_it_was_written(tmp_path: Path) -> None:
    value = {"name": "Zoë [1]", "list": [1, 2.5, None], "inner": {"a": True}}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "\xff\xfe"])
def test_a_damaged_json_file_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DemosaicError) as caught:
        read_json(path)
    assert str(caught.value).startswith(f"{path} is damaged: ")
    assert "\n" not in str(caught.value)


def test_a_missing_json_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DemosaicError, match=r"cannot read .*a\.json"):
        read_json(tmp_path / "a.json")


def test_lines_come_back_in_the_order_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_lines(path, [{"n": 0}, {"n": "a\nb"}])
    append_lines(path, [{"n": "Zoë"}])
    append_lines(path, [])
    assert read_lines(path) == [{"n": 0}, {"n": "a\nb"}, {"n": "Zoë"}]


def test_no_file_has_no_lines(tmp_path: Path) -> None:
    assert read_lines(tmp_path / "a.jsonl") == []
    drop_torn_line(tmp_path / "a.jsonl")
    assert not (tmp_path / "a.jsonl").exists()


def test_a_kill_at_any_byte_loses_only_the_line_it_tore(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    records = [{"n": 0}, {"n": "Zoë"}, {"n": 2}]
    write_lines(path, records)
    whole = path.read_bytes()
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        kept = records[: whole[:length].count(b"\n")]
        assert read_lines(path) == kept
        drop_torn_line(path)
        append_lines(path, [{"next": True}])
        assert read_lines(path) == [*kept, {"next": True}]


def test_a_line_damaged_in_the_middle_is_not_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"n": 0}\n{"n"\n{"n": 2}\n')
    with pytest.raises(DemosaicError, match=r"a\.jsonl, line 2 is damaged: it is not JSON"):
        read_lines(path)


def test_a_name_that_is_no_utf8_survives_a_line(tmp_path: Path) -> None:
    path, name = tmp_path / "a.jsonl", os.fsdecode(b"caf\xe9.jpg")  # an old Windows archive's
    append_lines(path, [{"photo": name}])
    assert read_lines(path) == [{"photo": name}]


# What a stranger may have written


@pytest.mark.parametrize("name", [".a.json.part", "a.json"])
def test_a_link_in_the_place_of_a_file_to_write_is_replaced_not_followed(
    name: str, tmp_path: Path
) -> None:
    letter = tmp_path / "letter"
    letter.write_text("dear")
    (tmp_path / name).symlink_to(letter)
    write_json(tmp_path / "a.json", {"n": 1})
    assert letter.read_text() == "dear"
    assert not (tmp_path / "a.json").is_symlink()
    assert read_json(tmp_path / "a.json") == {"n": 1}


def test_lines_are_not_added_through_a_link(tmp_path: Path) -> None:
    letter, link = tmp_path / "letter", tmp_path / "a.jsonl"
    letter.write_text("dear")
    link.symlink_to(letter)
    with pytest.raises(DemosaicError, match=r"a\.jsonl is a link"):
        append_lines(link, [1])
    with pytest.raises(DemosaicError, match=r"a\.jsonl is a link"):
        drop_torn_line(link)
    assert letter.read_text() == "dear"


def test_a_link_out_of_a_folder_is_refused_and_one_within_is_not(tmp_path: Path) -> None:
    inside = make_folder(tmp_path / "pairs")
    (inside / "val").symlink_to(make_folder(inside / "train"))
    (inside / "test").symlink_to(tmp_path)
    refuse_links_out(inside, ["train", "val", "nothing"])
    with pytest.raises(DemosaicError, match=r"test is a link that leads out of .*pairs"):
        refuse_links_out(inside, ["train", "test"])


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 33 + "1" + "}" * 33])
def test_json_nested_without_end_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(DemosaicError, match=r"a\.json is damaged: its JSON is nested too deep"):
        read_json(path)
    path.write_text(text + "\n")
    with pytest.raises(DemosaicError, match="line 1 is damaged: its JSON is nested too deep"):
        read_lines(path)


def test_many_values_side_by_side_are_not_deep(tmp_path: Path) -> None:
    value = {"a": [[number] for number in range(100)]}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_in_the_place_of_a_file_is_refused_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    for read in (read_json, read_lines):
        with pytest.raises(DemosaicError, match=r"cannot read .*a\.json: it is no regular file"):
            read(tmp_path / "a.json")


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.truncate(2**21)
    with pytest.raises(DemosaicError, match="line 1 is damaged: it has more than 1 MB"):
        read_lines(path)
    with path.open("ab") as file:
        file.truncate(2**27)
    with pytest.raises(DemosaicError, match="it has more than 64 MB"):
        read_json(path)


def test_a_torn_line_longer_than_what_is_read_at_once_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_lines(path, [{"n": 0}])
    with path.open("ab") as file:
        file.write(b"x" * (2**21 + 5))
    drop_torn_line(path)
    assert read_lines(path) == [{"n": 0}]
