"""A JPEG is edited where it changed: blocks, tables, scans and segments of the rest stay."""

import io
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.JpegImagePlugin import JpegImageFile, get_sampling
from PIL.MpoImagePlugin import MpoImageFile

from demosaic.imaging.arrays import Pixels, blurred
from demosaic.imaging.edited_copy import Edit, losses, write_edited
from demosaic.imaging.jpeg_segments import DamagedJpeg, split, split_pictures
from demosaic.imaging.metadata import MADE_IN_PART, Keeping
from demosaic.imaging.original import read_original
from doubles import texture

RESTORED, HIDDEN = Keeping(MADE_IN_PART), Keeping(None)


def smooth(height: int, width: int, seed: int = 0) -> Pixels:
    """A picture (height, width, 3) as soft as photos are."""
    soft = blurred(texture(height, width, seed), 5).astype(float)
    return np.asarray(np.clip(128 + 6 * (soft - soft.mean()), 0, 255), np.uint8)


def write_copy(path: Path, like: Path, keeping: Keeping = RESTORED) -> Pixels:
    """Write a copy of a file in which a box of the first picture is another; that picture."""
    original = read_original(like)
    shown = original.pages[0].shown.copy()
    shown[40:72, 48:80] = smooth(32, 32, seed=9)
    pages = (original.pages[0].edited(shown), *original.pages[1:])
    write_edited(path, Edit(original, pages, keeping))
    return shown


def far_from_the_box(shape: tuple[int, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """All that no block with a part of the box reaches, nor the smoothing of its colours."""
    far = np.ones(shape[:2], bool)
    far[30:82, 46:82] = False  # units of 16 px, and one pixel more
    return far


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGB", {"quality": 85}),
        ("RGB", {"quality": 75, "progressive": True}),
        ("RGB", {"quality": 60, "subsampling": "4:2:2"}),
        ("RGB", {"quality": 95, "subsampling": "4:4:4"}),
        ("RGB", {"quality": 90, "keep_rgb": True}),
        ("L", {"quality": 80}),
        ("CMYK", {"quality": 90}),
        ("CMYK", {"quality": 90, "subsampling": "4:2:0", "progressive": True}),
    ],
)
def test_blocks_that_nobody_changed_decode_to_the_same(
    mode: str, options: dict[str, Any], tmp_path: Path
) -> None:
    pytest.importorskip("jpeglib", reason="coefficients need jpeglib")
    light = Image.fromarray(smooth(101, 119))
    light.convert(mode).save(tmp_path / "a.jpg", **options)
    wanted = write_copy(tmp_path / "b.jpg", tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as before, Image.open(tmp_path / "b.jpg") as after:
        assert isinstance(before, JpegImageFile) and isinstance(after, JpegImageFile)
        assert after.mode == mode
        assert after.quantization == before.quantization
        assert get_sampling(after) == get_sampling(before)
        assert after.info.get("progressive") == before.info.get("progressive")
        far = far_from_the_box((101, 119))
        assert np.array_equal(np.asarray(before)[far], np.asarray(after)[far])
    shown = read_original(tmp_path / "b.jpg").pages[0].shown.astype(float)
    old = read_original(tmp_path / "a.jpg").pages[0].shown.astype(float)
    if mode == "L":
        wanted = np.repeat(wanted @ np.array([0.299, 0.587, 0.114])[:, None], 3, axis=2)
    inside = np.s_[44:68, 52:76]
    assert np.abs(shown - wanted)[inside].mean() < np.abs(old - wanted)[inside].mean() / 2
    sizes = [(tmp_path / name).stat().st_size for name in ("a.jpg", "b.jpg")]
    assert sizes[1] < 1.25 * sizes[0]


def test_without_the_package_a_jpeg_is_coded_anew_with_its_own_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demosaic.imaging.jpeg_coefficients.find_spec", lambda name: None)
    picture = Image.fromarray(smooth(101, 119))
    picture.save(tmp_path / "a.jpg", quality=77, progressive=True, dpi=(300, 300))
    write_copy(tmp_path / "b.jpg", tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as before, Image.open(tmp_path / "b.jpg") as after:
        assert isinstance(before, JpegImageFile) and isinstance(after, JpegImageFile)
        assert after.quantization == before.quantization
        assert (get_sampling(after), after.info["progressive"]) == (2, 1)
        assert after.info["dpi"] == (300, 300)
        far = far_from_the_box((101, 119))
        apart = np.asarray(before).astype(int) - np.asarray(after)
        assert np.abs(apart[far]).max() <= 8
        assert np.abs(apart[far]).mean() < 0.3
    (said,) = losses(tmp_path / "b.jpg", read_original(tmp_path / "a.jpg"), RESTORED)
    assert "jpeglib" in said and "encoded anew" in said


def test_what_jpeglib_prints_of_a_file_that_fails_is_not_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    jpeglib = pytest.importorskip("jpeglib", reason="coefficients need jpeglib")

    def failing(path: str) -> None:
        sys.stdout.write(path)
        raise OSError("reading failed")

    monkeypatch.setattr(jpeglib, "read_dct", failing)
    Image.fromarray(smooth(101, 119)).save(tmp_path / "a.jpg")
    write_copy(tmp_path / "b.jpg", tmp_path / "a.jpg")
    assert (tmp_path / "b.jpg").exists()
    assert capsys.readouterr().out == ""


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def a_full_jpeg(path: Path) -> None:
    """A JPEG that says many things, among them small pictures of what it shows."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(smooth(101, 119)).save(
        path, quality=90, dpi=(300, 300), comment=b"a comment", icc_profile=profile
    )
    data = path.read_bytes()
    jfif_end = 4 + int.from_bytes(data[4:6], "big")
    photoshop = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\x0aan IPTC...8BIM"
    photoshop = photoshop[:-4] + b"8BIM\x04\x0c\0\0\0\0\0\x0ca small face"
    added = segment(0xE0, b"JFXX\0\x10another small face")
    added += segment(0xED, photoshop) + segment(0xE4, b"of some program")
    added += segment(0xEB, b"JP\0 a signature")
    path.write_bytes(data[:jfif_end] + added + data[jfif_end:] + b"a film of the face")


def test_what_a_jpeg_says_stays_without_small_pictures_and_signatures(tmp_path: Path) -> None:
    a_full_jpeg(tmp_path / "a.jpg")
    write_copy(tmp_path / "b.jpg", tmp_path / "a.jpg")
    before, after = ((tmp_path / name).read_bytes() for name in ("a.jpg", "b.jpg"))
    for text in (b"a comment", b"an IPTC...", b"of some program", b"a film of the face"):
        assert text in before and text in after
    for text in (b"small face", b"a signature"):
        assert text in before and text not in after
    with Image.open(tmp_path / "a.jpg") as one, Image.open(tmp_path / "b.jpg") as other:
        for name in ("dpi", "icc_profile", "jfif_version"):
            assert one.info[name] == other.info[name]
        assert b"/compositeWithTrainedAlgorithmicMedia" in other.info["xmp"]


def test_the_thumbnail_of_a_result_shows_the_result(tmp_path: Path) -> None:
    small, file = Image.new("RGB", (60, 50), (250, 0, 0)), io.BytesIO()
    small.save(file, "JPEG", quality=95)
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    data = exif.tobytes()  # big-endian or little, with one directory after the header
    order = "<" if data[6:8] == b"II" else ">"
    place, link = len(data) - 6, 6 + 8 + 2 + 12
    second = struct.pack(order + "HHHII", 2, 0x0201, 4, 1, place + 30)
    second += struct.pack(order + "HHII", 0x0202, 4, 1, len(file.getvalue())) + bytes(4)
    data = data[:link] + struct.pack(order + "I", place) + data[link + 4 :] + second
    Image.fromarray(smooth(101, 119)).save(tmp_path / "a.jpg", exif=data + file.getvalue())
    wanted = write_copy(tmp_path / "b.jpg", tmp_path / "a.jpg")
    with Image.open(tmp_path / "b.jpg") as image:
        stored = image.info["exif"][6 + place + 30 :]
        assert image.getexif()[0x010F] == "A camera"
    with Image.open(io.BytesIO(stored)) as thumbnail:
        assert thumbnail.size == (59, 50)
        colour = np.asarray(thumbnail.convert("RGB")).mean((0, 1))
    assert np.abs(colour - wanted.mean((0, 1))).max() < 6


def test_of_hidden_people_nothing_stays_that_may_show_or_name_them(tmp_path: Path) -> None:
    a_full_jpeg(tmp_path / "a.jpg")
    write_copy(tmp_path / "b.jpg", tmp_path / "a.jpg", HIDDEN)
    after = (tmp_path / "b.jpg").read_bytes()
    for text in (b"a comment", b"an IPTC...", b"of some program", b"a film", b"small face"):
        assert text not in after
    with Image.open(tmp_path / "a.jpg") as one, Image.open(tmp_path / "b.jpg") as other:
        assert one.info["dpi"] == other.info["dpi"]
        assert one.info["icc_profile"] == other.info["icc_profile"]
        assert "xmp" not in other.info


def test_a_jpeg_whose_black_ink_is_painted_is_said_to_be_coded_anew(tmp_path: Path) -> None:
    Image.fromarray(smooth(101, 119)).convert("CMYK").save(tmp_path / "a.jpg")
    original = read_original(tmp_path / "a.jpg")
    said = [
        sum("encoded anew" in one for one in losses(tmp_path / "b.jpg", original, keeping))
        for keeping in (RESTORED, HIDDEN)
    ]
    assert said[1] == said[0] + 1


def two_pictures(path: Path) -> None:
    first, second = Image.fromarray(smooth(101, 119)), Image.fromarray(smooth(50, 60, seed=2))
    first.save(path, "MPO", save_all=True, append_images=[second], quality=90)


@pytest.mark.parametrize("name", ["a.mpo", "a.jpg"])
def test_the_second_picture_of_an_mpo_stays_where_its_index_says(name: str, tmp_path: Path) -> None:
    two_pictures(tmp_path / name)
    write_copy(tmp_path / f"b{Path(name).suffix}", tmp_path / name)
    result = tmp_path / f"b{Path(name).suffix}"
    with Image.open(tmp_path / name) as before, Image.open(result) as after:
        assert isinstance(after, MpoImageFile)
        assert after.n_frames == 2
        before.seek(1)
        after.seek(1)
        assert np.array_equal(np.asarray(before), np.asarray(after))


def test_a_smaller_copy_in_an_mpo_is_made_anew(tmp_path: Path) -> None:
    two_pictures(tmp_path / "a.jpg")
    data = bytearray((tmp_path / "a.jpg").read_bytes())
    start = data.index(b"MPF\0") + 4 + 10  # after the header of the index
    place = data.index(struct.pack("<I", 0x030000), start)  # the first entry: the main picture
    struct.pack_into("<I", data, place + 16, 0x010001)  # the second: a large thumbnail
    (tmp_path / "a.jpg").write_bytes(data)
    wanted = write_copy(tmp_path / "b.jpg", tmp_path / "a.jpg")
    second = read_original(tmp_path / "b.jpg").pages[1].shown
    small = np.asarray(Image.fromarray(wanted).resize((60, 50), Image.Resampling.BOX))
    assert np.abs(second.astype(int) - small).mean() < 20


@pytest.mark.parametrize("cut", [3, 30, 600])
def test_a_jpeg_without_an_end_is_damaged(cut: int) -> None:
    file = io.BytesIO()
    Image.fromarray(texture(20, 20)).save(file, "JPEG")
    with pytest.raises(DamagedJpeg):
        split(file.getvalue()[:cut])


def test_a_file_without_an_index_is_one_picture() -> None:
    file = io.BytesIO()
    Image.fromarray(texture(20, 20)).save(file, "JPEG")
    assert split_pictures(file.getvalue()) == [file.getvalue()]
    assert split(file.getvalue()).as_bytes() == file.getvalue()
