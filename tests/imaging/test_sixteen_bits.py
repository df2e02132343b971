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
from demosaic.imaging.edited_copy import write_restored
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
    write_restored(tmp_path / result, image, like=tmp_path / source, whole=False)
    written = levels_of(tmp_path / result)
    expected = levels.copy() if channels > 1 else np.repeat(levels, 3, 2)
    expected[changed, :3] = image[changed].astype(np.uint16) * 257
    assert np.array_equal(written, expected)
    assert np.array_equal(read_image(tmp_path / result), image)
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
    write_restored(tmp_path / "b.png", image, like=tmp_path / "a.png", whole=False)
    expected = levels[:, :, [0, 0, 0, 1]]
    expected[changed, :3] = image[changed].astype(np.uint16) * 257
    assert np.array_equal(levels_of(tmp_path / "b.png"), expected)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("source", ["a.png", "a.tif"])
def test_sixteen_bits_are_turned_once_and_keep_their_exif(
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
        write_restored(result, image, like=tmp_path / source, whole=False)
        assert np.array_equal(levels_of(result), np.repeat(upright[..., None], 3, 2))
        with Image.open(result) as opened:
            found = opened.getexif()
            assert found.get(Base.Orientation, 1) == 1
            assert found[Base.Make] == "A camera"
            assert found.get_ifd(IFD.Exif) == {Base.ExposureTime: 0.01}


@pytest.mark.parametrize("result", ["b.png", "b.tif"])
def test_sixteen_bits_keep_their_profile(result: str, tmp_path: Path) -> None:
    levels, profile = deep_picture(tmp_path / "plain.png", 3), swapped_profile()
    data = (tmp_path / "plain.png").read_bytes()
    chunk = png_chunk(b"iCCP", b"any name\0\0" + zlib.compress(profile))
    (tmp_path / "a.png").write_bytes(data[:33] + chunk + data[33:])  # after IHDR
    image = read_image(tmp_path / "a.png")
    write_restored(tmp_path / result, image, like=tmp_path / "a.png", whole=False)
    assert np.array_equal(levels_of(tmp_path / result), levels)
    with Image.open(tmp_path / result) as opened:
        assert opened.info["icc_profile"] == profile


def test_grey_dark_enough_for_eight_bits_has_eight(tmp_path: Path) -> None:
    """Such files hold 8 bits in the room of 16, and are seen so."""
    levels = texture(20, 30)[..., 0].astype(np.uint16)
    assert cv2.imwrite(str(tmp_path / "a.png"), levels)
    image, _ = edited(read_image(tmp_path / "a.png"))
    write_restored(tmp_path / "b.png", image, like=tmp_path / "a.png", whole=False)
    found = np.asarray(cv2.imread(str(tmp_path / "b.png"), cv2.IMREAD_UNCHANGED))
    assert np.array_equal(found[..., ::-1], image)
