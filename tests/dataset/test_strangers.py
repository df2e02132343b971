"""A dataset from a stranger: what it says is checked, and nothing outside of it is touched."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dataset_doubles import Line, build, contents, lines, opened
from demosaic.dataset.forget import forget
from demosaic.errors import DemosaicError
from demosaic.files import write_json, write_lines


@pytest.fixture
def theirs(straight: Path, tmp_path: Path) -> Path:
    """A dataset of `photos`, to change."""
    return Path(shutil.copytree(straight, tmp_path / "theirs"))


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder with files that a dataset might be after."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("letter.json", "holiday.png", f"{1:016x}.png"):
        (folder / name).write_text("dear")
    return folder


def header(folder: Path, **changes: Any) -> None:
    record = json.loads((folder / "dataset.json").read_text())
    write_json(folder / "dataset.json", {**record, **changes})


def refusals(photos: Path, theirs: Path, looks: Path) -> list[str]:
    """What building, forgetting and training say of a dataset."""
    said = []
    for use in (
        lambda: build(photos, theirs, looks=looks),
        lambda: forget(theirs, "person-000", looks=looks),
        lambda: opened(theirs),
    ):
        with pytest.raises(DemosaicError) as caught:
            use()
        said.append(str(caught.value))
    return said


# What is deleted


@pytest.mark.parametrize("state", ["finished", "forgetting"])
@pytest.mark.parametrize("absolute", [True, False])
def test_a_hash_that_is_a_path_deletes_nothing(
    absolute: bool, state: str, photos: Path, theirs: Path, mine: Path, tmp_path: Path
) -> None:
    looks = tmp_path / "looks"
    (looks / "a detector").mkdir(parents=True)
    victim = mine / "letter" if absolute else Path("../../../mine/letter")
    write_lines(theirs / "forgotten.jsonl", [{"sha256": str(victim)}])
    header(theirs, state=state)
    before = contents(mine)
    with pytest.raises(DemosaicError, match=r"forgotten\.jsonl, line 1 is damaged, .* hexadecimal"):
        build(photos, theirs, looks=looks)
    with pytest.raises(DemosaicError, match=r"forgotten\.jsonl, line 1 is damaged"):
        forget(theirs, lines(theirs / "pairs.jsonl")[0]["photo"], looks=looks)
    assert contents(mine) == before


@pytest.mark.parametrize("name", ["train", "test", "spare", "pairs.jsonl", "forgotten.jsonl"])
def test_a_link_that_leads_out_of_the_dataset_is_followed_nowhere(
    name: str, photos: Path, theirs: Path, mine: Path, tmp_path: Path
) -> None:
    if (theirs / name).is_dir():
        shutil.rmtree(theirs / name)
    (theirs / name).unlink(missing_ok=True)
    (theirs / name).symlink_to(mine if "." not in name else mine / "letter.json")
    before = contents(mine)
    for said in refusals(photos, theirs, tmp_path / "looks"):
        assert f"{theirs / name} is a link that leads out of {theirs}: " in said
    assert contents(mine) == before


def test_a_picture_that_is_a_link_is_not_read(photos: Path, theirs: Path, mine: Path) -> None:
    picture = next((theirs / "train").iterdir())
    picture.unlink()
    picture.symlink_to(mine / "holiday.png")
    for use in (lambda: opened(theirs), lambda: build(photos, theirs)):
        with pytest.raises(DemosaicError) as caught:
            use()
        assert f"{picture} is a link: " in str(caught.value)
    assert (mine / "holiday.png").read_text() == "dear"


def test_files_with_names_that_a_build_never_gives_stay(photos: Path, theirs: Path) -> None:
    own = [
        theirs / "train" / "holiday.png",
        theirs / ".notes.part",
        theirs / "deep" / ".a.png.part",
    ]
    (theirs / "deep").mkdir()
    for path in own:
        path.write_text("dear")
    litter = [theirs / "train" / f"{1:016x}.png", theirs / "train" / f".{2:016x}.png.part"]
    litter.append(theirs / ".dataset.json.part")
    for path in litter:
        path.write_text("half")
    build(photos, theirs)
    assert [path.exists() for path in own] == [True] * 3
    assert [path.exists() for path in litter] == [False] * 3


def test_a_picture_that_is_no_pair_is_not_trained_on(theirs: Path) -> None:
    (theirs / "train" / "holiday.png").write_bytes(b"")
    assert all(path.stem != "holiday" for path in opened(theirs).train)


# What a line says


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": 7}, "id: 7 is not str"),
        ({"id": "../../mine"}, "id: '../../mine' is not 16 hexadecimal digits"),
        ({"split": "../../evil"}, "split: '../../evil' is none of train, val, test, spare"),
        ({"photo": "/etc/passwd"}, "photo: '/etc/passwd' is not a path inside the photo folder"),
        ({"photo": "a/../../b"}, "photo: 'a/../../b' is not a path inside the photo folder"),
        ({"photo": ""}, "photo: '' is not a path inside the photo folder"),
        ({"photo": "a\0b"}, r"photo: 'a\x00b' is not a path inside the photo folder"),
        ({"photo": "\ud800"}, r"photo: '\ud800' is not a path inside the photo folder"),
        ({"sha256": "A" * 64}, "is not 64 hexadecimal digits"),
        ({"block": [0, 0]}, "block[0]: 0 is not 1 to 4096; block[1]: 0 is not 1 to 4096"),
        ({"block": [-3, 8]}, "block[0]: -3 is not 1 to 4096"),
        ({"block": [10**18, 8]}, "block[0]: 1000000000000000000 is not 1 to 4096"),
        ({"block": None}, "block: "),
        ({"block": [float("nan"), 8]}, "block[0]: nan is not int"),
        ({"block": "ab"}, "block[0]: 'a' is not int"),
        ({"offset": [10**30, 0]}, "offset[0]: 1000000000000000000000000000000 is too large"),
        ({"sampler": "magic"}, "sampler: 'magic' is none of mean, centre, top-left, linear"),
        ({"angle": 45}, "angle: 45 is not 0, 90, 180 or 270"),
        ({"score": float("inf")}, "score: inf is not finite"),
        ({"crop": 0}, "crop: 0 is not 1 to 1e+09"),
        ({"box": [1, 2, "a", 4]}, "box[2]: 'a' is not int"),
        ({"likeness": ["ab", "cd"]}, "likeness[0]: 'ab' is not 64 hexadecimal digits"),
        ({"likeness": None}, "likeness: "),
        ({"burst": None}, "burst: "),
    ],
    ids=str,
)
def test_a_line_that_no_build_writes_is_refused_with_file_and_number(
    change: Line, said: str, photos: Path, theirs: Path
) -> None:
    first, *rest = lines(theirs / "pairs.jsonl")
    write_lines(theirs / "pairs.jsonl", [first, {**rest[0], **change}, *rest[1:]])
    with pytest.raises(DemosaicError) as caught:
        build(photos, theirs)
    assert str(caught.value).startswith(f"{theirs / 'pairs.jsonl'}, line 2 is damaged, or from")
    assert said in str(caught.value)
    if change.keys() & {"id", "block", "offset", "sampler"}:
        with pytest.raises(DemosaicError, match=r"pairs\.jsonl, line 2 is damaged"):
            opened(theirs)


@pytest.mark.parametrize("name", ["pairs.jsonl", "skipped.jsonl", "forgotten.jsonl"])
@pytest.mark.parametrize("line", ["3", "null", "[]", "[" * 5000, '{"a":' * 900 + "1" + "}" * 900])
def test_a_line_that_is_no_record_is_refused_with_file_and_number(
    line: str, name: str, photos: Path, theirs: Path
) -> None:
    (theirs / name).write_text(line + "\n")
    for use in (lambda: build(photos, theirs), lambda: forget(theirs, "x")):
        with pytest.raises(DemosaicError) as caught:
            use()
        assert str(caught.value).startswith(f"{theirs / name}, line 1 is damaged")
        assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "change",
    [
        {"config": []},
        {"config": None},
        {"config": {"size": "abc"}},
        {"config": {"size": 10**12}},
        {"config": {"size": 0}},
        {"config": {"size": float("nan")}},
        {"config": "["},
        {"fingerprint": "../mine"},
    ],
    ids=str,
)
def test_a_header_that_no_build_writes_is_refused(
    change: Line, theirs: Path, photos: Path, tmp_path: Path
) -> None:
    record = json.loads((theirs / "dataset.json").read_text())
    if isinstance(change.get("config"), dict):
        change = {"config": {**record["config"], **change["config"]}}
    header(theirs, **change)
    for said in refusals(photos, theirs, tmp_path / "looks"):
        assert str(theirs) in said
        assert "\n" not in said
