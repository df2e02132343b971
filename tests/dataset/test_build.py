"""Photos in, pairs out; fed with bad files, and with folders that are none."""

import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

import people
from dataset_doubles import CONFIG, SMALL, Line, build, contents, finding, lines, pictures
from demosaic.dataset.events import PhotoDone, PhotoSkipped
from demosaic.dataset.reader import open_pairs
from demosaic.dataset.writer import lies_in_any
from demosaic.errors import INTERRUPTED, NOTHING_TO_DO, USAGE, DemosaicError, Interrupted
from demosaic.events import Event
from demosaic.imaging.decoding import decode, read_image
from demosaic.imaging.encoding import write_png
from demosaic.imaging.geometry import Box


def test_a_line_says_where_a_pair_comes_from_and_how_it_was_made(
    photos: Path, dataset: Path
) -> None:
    records = lines(dataset / "pairs.jsonl")
    assert len(records) >= 24
    assert [(line["photo"], line["id"]) for line in records] == sorted(
        (line["photo"], line["id"]) for line in records
    )
    for line in records:
        assert list(line) == [
            "id", "split", "group", "photo", "sha256", "box", "keypoints", "score", "angle",
            "crop", "block", "offset", "sampler", "enlarged", "sharpness", "likeness", "burst",
        ]  # fmt: skip
        assert hashlib.sha256((photos / line["photo"]).read_bytes()).hexdigest() == line["sha256"]
        assert line["photo"].startswith(line["group"] + "/")
        assert (line["block"], line["offset"], line["sampler"]) == ([16, 16], [0, 0], "mean")
        assert len(line["keypoints"]) == 6
        assert 0.5 <= line["score"] <= 1
        assert line["crop"] == round(1.7 * max(line["box"][2:]))
        assert (dataset / line["split"] / f"{line['id']}.png").is_file()
    assert len(pictures(dataset)) == len(records) == len({line["id"] for line in records})


def test_the_left_half_is_exactly_the_rounded_cell_means_of_the_right(dataset: Path) -> None:
    for path in dataset.glob("*/*.png"):
        with Image.open(path) as opened:
            picture = np.asarray(opened)
        assert picture.shape == (256, 512, 3)
        means = picture[:, 256:].reshape(16, 16, 16, 16, 3).mean(axis=(1, 3), dtype=np.float64)
        expected = np.rint(means).repeat(16, 0).repeat(16, 1)
        assert np.array_equal(picture[:, :256], expected)


def test_the_right_half_is_the_square_round_the_face_of_the_upright_photo(
    photos: Path, dataset: Path
) -> None:
    turned = 0
    for line in lines(dataset / "pairs.jsonl"):
        with Image.open(photos / line["photo"]) as stored:
            turned += stored.getexif().get(0x0112, 1) != 1
            upright = np.asarray(ImageOps.exif_transpose(stored).convert("RGB"))
        (x, y, width, height), side = line["box"], line["crop"]
        left = min(max(round(x + (width - side) / 2), 0), upright.shape[1] - side)
        top = min(max(round(y + (height - side) / 2), 0), upright.shape[0] - side)
        square = upright[top : top + side, left : left + side]
        method = cv2.INTER_AREA if side > 256 else cv2.INTER_CUBIC
        expected = cv2.resize(square, (256, 256), interpolation=method)
        picture = read_image(dataset / line["split"] / f"{line['id']}.png")
        apart = np.abs(picture[:, 256:].astype(int) - expected)
        if side < 512:
            assert apart.max() <= 1
        else:  # decoded at half the size
            assert apart.mean() < 2
    assert turned >= 2


def test_two_faces_of_one_photo_share_a_split(dataset: Path) -> None:
    by_photo: dict[str, list[Line]] = {}
    for line in lines(dataset / "pairs.jsonl"):
        by_photo.setdefault(line["photo"], []).append(line)
    twos = [found for found in by_photo.values() if len(found) > 1]
    assert len(twos) >= 3
    for first, second in twos:
        assert (first["split"], first["group"]) == (second["split"], second["group"])
        assert first["id"] != second["id"]


def test_nothing_of_exif_or_place_enters_a_dataset(photos: Path, tmp_path: Path) -> None:
    source = next(photos.rglob("*.jpg"))
    exif = Image.Exif()
    exif[0x010F], exif[0x010E] = "SECRET-MAKER", "SECRET-CAPTION"
    exif.get_ifd(0x8825)[1], exif.get_ifd(0x8825)[2] = "N", (48.0, 51.0, 29.0)
    (tmp_path / "photos").mkdir()
    with Image.open(source) as opened:
        opened.save(tmp_path / "photos" / "a.jpg", exif=exif, comment=b"SECRET-COMMENT")
        opened.save(tmp_path / "photos" / "copy.jpg", exif=exif, quality=50)
    assert b"SECRET-MAKER" in (tmp_path / "photos" / "a.jpg").read_bytes()
    build(tmp_path / "photos", tmp_path / "out")
    kept = contents(tmp_path / "out")
    assert not [name for name, data in kept.items() if b"SECRET" in data or b"Exif" in data]
    for name in pictures(tmp_path / "out"):
        (path,) = (tmp_path / "out").glob(f"*/{name}")
        with Image.open(path) as opened:
            assert (dict(opened.getexif()), opened.info) == ({}, {})


def test_ctrl_c_says_what_was_kept_and_how_to_continue(album: Path, tmp_path: Path) -> None:
    def press(event: Event) -> None:
        if isinstance(event, PhotoDone):
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        build(album, tmp_path / "out", listen=press)
    assert caught.value.exit_code == INTERRUPTED == 130
    assert str(caught.value) == (
        f"stopped with 1 pair in {tmp_path / 'out'}: run the same command again to continue"
    )


def test_an_expression_that_finds_nothing_is_refused_before_anything_is_written(
    album: Path, tmp_path: Path
) -> None:
    with pytest.raises(DemosaicError, match="finds nothing in any photo's name") as caught:
        build(album, tmp_path / "out", replace(SMALL, group_by=r"id(\d+)"))
    assert caught.value.exit_code == USAGE
    assert not (tmp_path / "out").exists()


def test_bad_files_and_photos_without_faces_are_counted_named_and_reasoned(
    album: Path, tmp_path: Path
) -> None:
    photo = next((album / "person-000").rglob("*.jpg"))
    (album / "bad").mkdir()
    (album / "bad" / "cut.jpg").write_bytes(photo.read_bytes()[:4000])
    (album / "bad" / "empty.jpg").touch()
    (album / "bad" / "notes.txt").write_text("Dear diary")
    write_png(album / "bad" / "wall.png", np.full((300, 300, 3), 128, np.uint8))
    with Image.open(photo) as opened:
        opened.convert("RGB").resize((90, 90)).save(album / "bad" / "tiny [1].png")
    events: list[Event] = []
    report = build(album, tmp_path / "out", listen=events.append)
    skipped = lines(tmp_path / "out" / "skipped.jsonl")
    reasons = {line["photo"]: line["reason"] for line in skipped}
    assert reasons == {
        "bad/cut.jpg": "damaged picture",
        "bad/empty.jpg": "empty file",
        "bad/notes.txt": "not a picture",
        "bad/tiny [1].png": "face too small",
        "bad/wall.png": "no face",
    }
    assert report.skipped == dict.fromkeys(sorted(reasons.values()), 1)
    said = {event.photo: event.reason for event in events if isinstance(event, PhotoSkipped)}
    assert said == reasons
    details = {line["photo"]: line["detail"] for line in skipped}
    assert "truncated" in details["bad/cut.jpg"]
    assert details["bad/tiny [1].png"].endswith(" px")
    assert json.loads((tmp_path / "out" / "dataset.json").read_text())["skipped"] == report.skipped


def test_a_photo_whose_name_is_no_utf8_is_a_photo_like_any_other(
    album: Path, tmp_path: Path
) -> None:
    photo = next((album / "person-000").rglob("*.jpg"))
    name = os.fsencode(album) + b"/caf\xe9.jpg"  # unpacked from an old Windows archive
    try:
        Path(os.fsdecode(name)).write_bytes(photo.read_bytes() + b"\0")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    report = build(album, tmp_path / "out")
    assert report.pairs + sum(report.skipped.values()) >= report.photos


@pytest.mark.parametrize("names", [(), (".hidden.jpg",)])
def test_a_folder_without_photos_is_nothing_to_do(names: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "photos" / "deep").mkdir(parents=True)
    for name in names:
        (tmp_path / "photos" / name).touch()
    with pytest.raises(DemosaicError, match="no photos in") as caught:
        build(tmp_path / "photos", tmp_path / "out")
    assert caught.value.exit_code == NOTHING_TO_DO == 3
    assert not (tmp_path / "out").exists()


def test_photos_without_faces_are_an_error_with_the_top_reason(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for level in (100, 150):
        wall = np.full((300, 300, 3), level, np.uint8)
        write_png(tmp_path / "photos" / f"{level}.png", wall)
    (tmp_path / "photos" / "notes.txt").write_text("Dear diary")
    with pytest.raises(DemosaicError) as caught:
        build(tmp_path / "photos", tmp_path / "out")
    assert caught.value.exit_code == NOTHING_TO_DO
    assert "no pairs from" in str(caught.value)
    assert str(caught.value).index("2 x no face") < str(caught.value).index("1 x not a picture")
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(f"in {tmp_path / 'out' / 'skipped.jsonl'}")
    assert len(lines(tmp_path / "out" / "skipped.jsonl")) == 3
    assert not [path for path in (tmp_path / "out").iterdir() if path.is_dir()]
    with pytest.raises(DemosaicError, match=r"out holds no pairs: skipped\.jsonl in it says why"):
        open_pairs(tmp_path / "out", direction="left-to-right", multiple=1)


@pytest.mark.parametrize("leaves", ["nothing", "an empty folder"])
def test_photos_that_vanish_end_a_build_that_continues_when_they_are_back(
    leaves: str, album: Path, tmp_path: Path
) -> None:
    build(album, tmp_path / "straight")

    def unplug(event: Event) -> None:
        if isinstance(event, PhotoDone) and album.exists():
            album.rename(tmp_path / "elsewhere")
            if leaves == "an empty folder":
                album.mkdir()

    with pytest.raises(DemosaicError, match="album has vanished: bring it back"):
        build(album, tmp_path / "out", listen=unplug)
    assert lines(tmp_path / "out" / "pairs.jsonl") != []
    assert lines(tmp_path / "out" / "skipped.jsonl") == []
    shutil.rmtree(album, ignore_errors=True)
    (tmp_path / "elsewhere").rename(album)
    build(album, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")


def test_photos_that_are_no_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DemosaicError, match="is not a folder"):
        build(tmp_path / "gone", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_pairs_go_neither_into_the_photo_folder_itself_nor_above_it(album: Path) -> None:
    before = contents(album.parent)
    for out in (album, album.parent):
        with pytest.raises(DemosaicError, match="holds the photos themselves"):
            build(album, out)
    assert contents(album.parent) == before


def test_pairs_do_not_go_among_the_photos_either(album: Path) -> None:
    before = contents(album.parent)
    for out in (album / "pairs", album / "person-000" / ".." / "deep" / "pairs"):
        with pytest.raises(DemosaicError, match="where nothing is written: choose another"):
            build(album, out)
    assert contents(album.parent) == before
    assert not (album / "deep").exists()


def test_a_link_to_itself_is_no_place_for_pairs(album: Path, tmp_path: Path) -> None:
    (tmp_path / "self").symlink_to("self")
    with pytest.raises(DemosaicError, match="self is not a folder: choose another name"):
        build(album, tmp_path / "self")


def test_a_link_to_nothing_is_a_photo_that_cannot_be_read(album: Path, tmp_path: Path) -> None:
    (album / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert build(album, tmp_path / "out").skipped["cannot be read"] == 1


def test_a_pairs_folder_linked_among_the_photos_is_not_walked(album: Path, tmp_path: Path) -> None:
    (album / "pairs").symlink_to(tmp_path / "pairs")
    first = build(album, tmp_path / "pairs")
    again = build(album, tmp_path / "pairs")
    assert (again.photos, again.pairs, again.new_pairs) == (first.photos, first.pairs, 0)


def test_photos_are_only_read(album: Path, tmp_path: Path) -> None:
    before = contents(album)
    build(album, tmp_path / "out")
    assert contents(album) == before


def ruled(folder: Path, width: int, height: int) -> Path:
    """A folder with one photo whose every pixel tells where it is."""
    folder.mkdir(exist_ok=True)
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0], image[..., 1] = np.arange(width), np.arange(height)[:, None]
    write_png(folder / "ruled.png", image)
    return folder


@pytest.mark.parametrize(
    ("box", "corner"),
    [
        (Box(60, 50, 80, 80), (36, 26)),
        (Box(0, 50, 80, 80), (0, 26)),
        (Box(170, 50, 80, 80), (122, 26)),
        (Box(60, 0, 80, 80), (36, 0)),
        (Box(60, 120, 80, 80), (36, 72)),
        (Box(170, 120, 80, 80), (122, 72)),
        (Box(60, 60, 80, 60), (36, 26)),
    ],
)
def test_a_square_is_centred_on_the_face_and_shifted_inside(
    box: Box, corner: tuple[int, int], tmp_path: Path
) -> None:
    build(ruled(tmp_path / "photos", 250, 200), tmp_path / "out", CONFIG, detector=finding(box))
    (line,) = lines(tmp_path / "out" / "pairs.jsonl")
    (path,) = (tmp_path / "out").glob("*/*.png")
    target = read_image(path)[:, 128:]
    assert tuple(target[0, 0, :2]) == corner
    assert tuple(target[127, 127, :2]) == (corner[0] + 127, corner[1] + 127)
    assert (line["box"], line["crop"]) == ([box.x, box.y, box.width, box.height], 128)
    assert line["keypoints"] == [[0.0, 1.1]] * 6


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        (Box(60, 60, 47, 60), "face too small"),
        (Box(60, 60, 60, 47), "face too small"),
        (Box(-1, 60, 80, 80), "face cut by the border"),
        (Box(60, -1, 80, 80), "face cut by the border"),
        (Box(171, 60, 80, 80), "face cut by the border"),
        (Box(60, 121, 80, 80), "face cut by the border"),
        (Box(10, 10, 140, 140), "too little round the face"),
    ],
)
def test_a_face_that_cannot_be_cropped_is_left_out_with_its_reason(
    box: Box, reason: str, tmp_path: Path
) -> None:
    folder = ruled(tmp_path / "photos", 250, 200)
    good = Box(60, 60, 80, 80)
    report = build(folder, tmp_path / "out", CONFIG, detector=finding(good, box))
    assert (report.pairs, report.skipped) == (1, {reason: 1})
    (line,) = lines(tmp_path / "out" / "skipped.jsonl")
    assert (line["photo"], line["reason"]) == ("ruled.png", reason)
    assert line["box"] == [box.x, box.y, box.width, box.height]


def test_the_largest_face_that_fits_is_kept(tmp_path: Path) -> None:
    folder = ruled(tmp_path / "photos", 250, 200)
    report = build(folder, tmp_path / "out", CONFIG, detector=finding(Box(60, 30, 125, 125)))
    assert report.pairs == 1
    assert lines(tmp_path / "out" / "pairs.jsonl")[0]["crop"] == 200


def test_a_photo_stored_turned_gives_the_same_pair_as_upright(tmp_path: Path) -> None:
    drawn = people.photo(0, 0, 2)
    for orientation in (1, 6):
        folder = tmp_path / f"{orientation}"
        people.save(people.Photo(drawn.image, drawn.faces, orientation, "a.png"), folder)
        build(folder, tmp_path / f"out-{orientation}")
    first, second = (
        [decode(path.read_bytes()) for path in (tmp_path / f"out-{n}").glob("*/*.png")]
        for n in (1, 6)
    )
    assert len(first) == 1
    assert np.array_equal(first, second)


def test_links_that_lead_nowhere_are_named_without_a_look_at_the_whole_folder_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photos").mkdir()
    for number in range(300):
        (tmp_path / "photos" / f"{number}.jpg").symlink_to("nowhere")
    listed = 0
    real = os.listdir

    def listdir(path: str | Path = ".") -> list[str]:
        nonlocal listed
        listed += 1
        return real(path)

    monkeypatch.setattr(os, "listdir", listdir)
    with pytest.raises(DemosaicError, match=r"no pairs from .*: 300 x cannot be read"):
        build(tmp_path / "photos", tmp_path / "out")
    assert listed < 50
    assert len(lines(tmp_path / "out" / "skipped.jsonl")) == 300


def test_a_photo_lies_in_the_folders_above_it() -> None:
    assert lies_in_any("a/b/c.jpg", {"a/b"}) and lies_in_any("a/b/c.jpg", {"x", "a"})
    assert not lies_in_any("a/b/c.jpg", {"a/bc", "a/b/c.jpg", "b"})
