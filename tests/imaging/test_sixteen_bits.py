"""Sixteen bits of a channel stay where a picture was not edited."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from demosaic.imaging.arrays import Levels, Pixels
from demosaic.imaging.decoding import read_image
from demosaic.imaging.edited_copy import Edit, write_edited
from demosaic.imaging.metadata import MADE_IN_PART, Keeping
from demosaic.imaging.original import read_original
from doubles import INVERSE, swapped_profile, texture


def levels_of(path: Path) -> Levels:
    """What is stored in a 16-bit file, by no code of ours: RGB, RGBA, or grey (H, W, 1)."""
    read = np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
    assert read.dtype == np.uint16
    stored = np.asarray(read, np.uint16)
    return stored[..., None] if stored.ndim == 2 else stored[..., [2, 1, 0, 3][: stored.shape[2]]]


def deep_picture(path: Path, channels: int) -> Levels:
    """Write a 16-bit picture of noise (20, 30, `channels`) by no code of ours."""
    levels = np.random.default_rng(7).integers(0, 65536, (20, 30, channels), dtype=np.uint16)
    assert cv2.imwrite(str(path), levels if channels == 1 else levels[..., [2, 1, 0, 3][:channels]])
    return levels


def write_restored(path: Path, image: Pixels, *, like: Path) -> None:
    """Write a copy of a file with another picture in it."""
    original = read_original(like)
    page = original.pages[0].edited(image)
    write_edited(path, Edit(original, (page,), Keeping(MADE_IN_PART)))


def in_grey(image: Pixels) -> Levels:
    """Colours (N, 3) as grey of 16 bits (N, 1)."""
    grey = np.rint(image @ np.array([0.299, 0.587, 0.114])) * 257
    return np.asarray(grey, np.uint16)[:, None]


def edited(image: Pixels) -> tuple[Pixels, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    """Another picture, and where it is another."""
    other = image.copy()
    other[5:15, 8:20] = texture(10, 12, seed=3)
    return other, np.any(other != image, axis=2)


@pytest.mark.parametrize("result", ["b.png", "b.TIF"])
@pytest.mark.parametrize("source", ["a.png", "a.tiff"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_stay_where_nothing_was_made(
    channels: int, source: str, result: str, tmp_path: Path
) -> None:
    levels = deep_picture(tmp_path / source, channels)
    image, changed = edited(read_image(tmp_path / source))
    write_restored(tmp_path / result, image, like=tmp_path / source)
    written = levels_of(tmp_path / result)
    expected = levels.copy()
    colours = image[changed].astype(np.uint16) * 257 if channels > 1 else in_grey(image[changed])
    expected[changed, : min(channels, 3)] = colours
    assert np.array_equal(written, expected)
    with Image.open(tmp_path / result) as opened:
        assert b"/compositeWithTrainedAlgorithmicMedia" in opened.info["xmp"]


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_sixteen_bits_of_grey_and_alpha_stay(tmp_path: Path) -> None:
    """Neither Pillow nor cv2 writes such a file."""
    levels = np.random.default_rng(7).integers(0, 65536, (20, 30, 2), dtype=np.uint16)
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 30, 20, 16, 4, 0, 0, 0))
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in levels)
    chunks = header + png_chunk(b"IDAT", zlib.compress(lines)) + png_chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    image, changed = edited(read_image(tmp_path / "a.png"))
    write_restored(tmp_path / "b.png", image, like=tmp_path / "a.png")
    expected = levels[:, :, [0, 0, 0, 1]]
    expected[changed, :3] = in_grey(image[changed])
    assert np.array_equal(levels_of(tmp_path / "b.png"), expected)
    assert (tmp_path / "b.png").read_bytes()[24:26] == bytes([16, 4])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("source", ["a.png", "a.tif"])
def test_sixteen_bits_stay_turned_as_they_were_with_their_exif(
    source: str, orientation: int, tmp_path: Path
) -> None:
    upright = np.random.default_rng(7).integers(0, 65536, (20, 30), dtype=np.uint16)
    stored = Image.fromarray(upright)
    if orientation in INVERSE:
        stored = stored.transpose(INVERSE[orientation])
    exif = Image.Exif()
    exif.update({Base.Orientation: orientation, Base.Make: "A camera"})
    exif.get_ifd(IFD.Exif)[Base.ExposureTime] = 0.01
    stored.save(tmp_path / source, exif=exif.tobytes())
    image = read_image(tmp_path / source)
    for result in (tmp_path / "b.png", tmp_path / "b.tif"):
        write_restored(result, image, like=tmp_path / source)
        assert np.array_equal(read_original(result).pages[0].shown, image)
        with Image.open(result) as opened:
            turned = source == "a.png" and result.suffix == ".png"  # Pillow turns a TIFF itself
            opened.load()
            assert np.array_equal(np.asarray(opened), np.asarray(stored) if turned else upright)
            found = opened.getexif()
            assert found.get(Base.Orientation, 1) == (orientation if turned else 1)
            assert found[Base.Make] == "A camera"
            assert found.get_ifd(IFD.Exif) == {Base.ExposureTime: 0.01}


@pytest.mark.parametrize("result", ["b.png", "b.tif"])
def test_sixteen_bits_keep_their_profile(result: str, tmp_path: Path) -> None:
    levels, profile = deep_picture(tmp_path / "plain.png", 3), swapped_profile()
    data = (tmp_path / "plain.png").read_bytes()
    chunk = png_chunk(b"iCCP", b"any name\0\0" + zlib.compress(profile))
    (tmp_path / "a.png").write_bytes(data[:33] + chunk + data[33:])  # after IHDR
    image = read_original(tmp_path / "a.png").pages[0].shown
    write_restored(tmp_path / result, image, like=tmp_path / "a.png")
    assert np.array_equal(levels_of(tmp_path / result), levels)
    with Image.open(tmp_path / result) as opened:
        assert opened.info["icc_profile"] == profile


def test_grey_dark_enough_for_eight_bits_stays_as_dark(tmp_path: Path) -> None:
    """Such files have 8 bits in the room of 16, and are seen so."""
    levels = texture(20, 30)[..., 0].astype(np.uint16)
    assert cv2.imwrite(str(tmp_path / "a.png"), levels)
    image, changed = edited(read_image(tmp_path / "a.png"))
    write_restored(tmp_path / "b.png", image, like=tmp_path / "a.png")
    expected = levels.copy()
    expected[changed] = in_grey(image[changed])[:, 0] // 257
    found = np.asarray(cv2.imread(str(tmp_path / "b.png"), cv2.IMREAD_UNCHANGED))
    assert np.array_equal(found, expected)
