"""Files to arrays and back."""

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms

import people
from demosaic.errors import PROBLEM, DemosaicError
from demosaic.imaging.arrays import Floats, Pixels, resize, to_float, to_levels, to_uint8
from demosaic.imaging.decoding import (
    NotAPicture,
    decode,
    decode_photo,
    photo_size,
    read_bytes,
    read_image,
    read_size,
    taken_at,
)
from demosaic.imaging.discovery import find_images
from demosaic.imaging.encoding import encode_png, encode_webp, write_jpeg, write_png
from demosaic.imaging.geometry import Box, crop, paste
from demosaic.imaging.sheets import contact_sheet
from doubles import INVERSE, swapped_profile, texture

KINDS = ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF", "BMP", "GIF", "PPM"]
"""What an upright picture is turned by to be stored under an EXIF orientation."""


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def found(folder: Path, exclude: Path | None = None) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in find_images(folder, exclude)]


# Walking


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


# Decoding


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_turn_gives_the_same_upright_picture(orientation: int) -> None:
    upright = texture(6, 4)
    stored = Image.fromarray(upright)
    if orientation in INVERSE:
        stored = stored.transpose(INVERSE[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(decode(encoded(stored, "PNG", exif=exif)), upright)


RED = (200, 40, 10)
GREY = Image.linear_gradient("L").resize((16, 16))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: GREY, np.repeat(np.asarray(GREY)[..., None], 3, 2)),
        (lambda: GREY.convert("LA"), np.repeat(np.asarray(GREY)[..., None], 3, 2)),
        (lambda: Image.new("RGBA", (3, 2), (*RED, 90)), np.full((2, 3, 3), RED)),
        (lambda: Image.new("RGB", (3, 2), RED).quantize(4), np.full((2, 3, 3), RED)),
        (lambda: Image.new("1", (3, 2), 1), np.full((2, 3, 3), 255)),
    ],
    ids=["grey", "grey with alpha", "alpha", "palette", "one bit"],
)
def test_every_mode_comes_as_rgb(make: Callable[[], Image.Image], expected: Pixels) -> None:
    image = decode(encoded(make(), "PNG"))
    assert image.dtype == np.uint8
    assert np.array_equal(image, expected)


def test_a_palette_with_transparency_is_read_without_a_warning() -> None:
    palette = Image.new("RGB", (3, 2), RED).quantize(4)
    image = decode(encoded(palette, "PNG", transparency=bytes([90, 0, 0, 0])))
    assert np.array_equal(image, np.full((2, 3, 3), RED))


def test_sixteen_bit_grey_keeps_its_range() -> None:
    levels = np.linspace(0, 65535, 16 * 16).reshape(16, 16).astype(np.uint16)
    image = decode(encoded(Image.fromarray(levels), "PNG"))
    assert image.shape == (16, 16, 3)
    assert np.array_equal(image, np.repeat((levels >> 8)[..., None], 3, 2))


def test_a_cmyk_jpeg_has_its_colours() -> None:
    image = decode(encoded(Image.new("RGB", (16, 16), RED).convert("CMYK"), "JPEG", quality=95))
    assert image.shape == (16, 16, 3)
    assert np.abs(image.astype(int) - RED).max() <= 4


def test_a_picture_is_told_by_its_content_not_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encode_png(texture(3, 3)))
    assert np.array_equal(read_image(tmp_path / "a.jpg"), texture(3, 3))


def huge_png() -> bytes:
    """A tiny file that says it is 100,000 pixels wide and high."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    body = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + body + b"\0\0\0\0IDAT\x35\xaf\x06\x1e"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"Dear diary,\n" * 20, "not a picture"),
        (
            encoded(Image.fromarray(texture(64, 64)), "JPEG")[:1500],
            "damaged picture (image file is",
        ),
        (encode_png(texture(64, 64))[:5000], "damaged picture (image file is truncated"),
        (huge_png(), "too large: 100000 x 100000 pixels"),
    ],
    ids=["empty", "text", "truncated jpeg", "truncated png", "huge"],
)
def test_what_is_no_picture_is_refused_with_the_reason(
    data: bytes, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(NotAPicture) as caught:
        decode(data)
    assert str(caught.value).startswith(reason)
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(DemosaicError) as caught_with_name:
        read_image(tmp_path / "a.jpg")
    assert str(caught_with_name.value).startswith(f"{tmp_path / 'a.jpg'}: {reason}")
    assert caught_with_name.value.exit_code == PROBLEM


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(DemosaicError, match=r"cannot read .*gone\.jpg"):
        read_image(tmp_path / "gone.jpg")


def test_the_size_of_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("Dear diary")
    with pytest.raises(DemosaicError, match=r"a\.jpg: not a picture"):
        read_size(tmp_path / "a.jpg")


TURNED = (0x0112, 3, struct.pack("<HH", 6, 0))


@pytest.mark.parametrize(
    "entry",
    [
        (0x0100, 2, b"ab\0\0"),
        (0x0128, 1, b"ab\0\0"),
        (0x011A, 2, b"ab\0\0"),
        (0x011A, 11, struct.pack("<f", float("nan"))),
        (0x8825, 2, b"ab\0\0"),
    ],
    ids=["width as text", "unit as bytes", "resolution as text", "resolution nan", "gps as text"],
)
def test_a_good_picture_with_bad_exif_is_a_picture_or_refused(
    entry: tuple[int, int, bytes],
) -> None:
    entries = [struct.pack("<HHI4s", tag, kind, 1, value) for tag, kind, value in (TURNED, entry)]
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2) + b"".join(entries) + bytes(4)
    data = encoded(Image.fromarray(texture(8, 6)), "JPEG", exif=exif)
    try:
        assert decode(data).shape in ((8, 6, 3), (6, 8, 3))
    except NotAPicture as error:
        assert str(error).startswith("damaged picture (")


@given(st.integers(0, 10_000))
def test_no_damaged_byte_makes_any_other_exception(seed: int) -> None:
    rng = np.random.default_rng(seed)
    exif = Image.Exif()
    exif[0x0112] = 6
    kind = str(rng.choice(["JPEG", "PNG", "WEBP", "GIF"]))
    options = {} if kind == "GIF" else {"exif": exif}
    data = bytearray(encoded(Image.fromarray(texture(9, 7)), kind, **options))
    for place in rng.integers(0, len(data), rng.integers(1, 4)):
        data[place] = rng.integers(0, 256)
    try:
        assert decode(bytes(data)).shape[2] == 3
    except NotAPicture as error:
        assert str(error)


@pytest.mark.parametrize("read", [decode, decode_photo])
def test_a_mistake_in_our_conversion_does_not_pass_for_a_damaged_picture(
    read: Callable[[bytes], Pixels], monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(image: Image.Image) -> Image.Image:
        raise TypeError("a mistake of ours")

    monkeypatch.setattr("demosaic.imaging.decoding.to_rgb", mistaken)
    with pytest.raises(TypeError, match=r"^a mistake of ours$"):
        read(encoded(Image.fromarray(texture(4, 4)), "PNG"))


def test_a_date_that_is_none_is_no_date() -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "yesterday"
    assert taken_at(encoded(Image.fromarray(texture(4, 4)), "JPEG", exif=exif)) is None


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_ends_too_early_is_refused_not_half_used(kind: str, share: float) -> None:
    data = encoded(Image.fromarray(people.photo(0, 0, 0).image).resize((200, 300)), kind)
    for read in (decode, decode_photo, lambda data: decode_photo(data, 4)):
        with pytest.raises(NotAPicture) as caught:
            read(data[: int(len(data) * share)])
        assert str(caught.value).startswith("damaged picture (")


# Decoding a photo as it is to be seen


@pytest.mark.parametrize("kind", KINDS)
def test_a_photo_in_every_format_is_the_same_picture(kind: str) -> None:
    image = np.asarray(Image.fromarray(people.photo(0, 0, 0).image).resize((200, 300)))
    data = encoded(Image.fromarray(image), kind)
    assert photo_size(data) == (200, 300)
    assert np.abs(decode_photo(data).astype(int) - image).mean() < 6  # a GIF has 256 colours


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_every_turn_is_undone_once_in_every_format_that_has_one(
    kind: str, orientation: int
) -> None:
    """A TIFF is turned by Pillow, a HEIC by libheif."""
    upright = np.kron(texture(5, 3), np.ones((16, 16, 1), np.uint8))
    stored = Image.fromarray(upright)
    if orientation in INVERSE:
        stored = stored.transpose(INVERSE[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(stored, kind, exif=exif.tobytes(), quality=95)
    assert photo_size(data) == (48, 80)
    assert np.abs(decode_photo(data).astype(int) - upright).mean() < 8
    assert decode_photo(data, 4).shape == (20, 12, 3)


def test_the_first_picture_of_several_is_the_photo() -> None:
    for kind in ("MPO", "TIFF", "PNG"):
        first, second = (Image.fromarray(texture(16, 16, seed)) for seed in (1, 2))
        data = encoded(first.copy(), kind, save_all=True, append_images=[second])
        assert np.array_equal(decode_photo(data), decode_photo(encoded(first, kind)))


@pytest.mark.parametrize("reduce", [2, 4, 8])
@pytest.mark.parametrize("kind", ["JPEG", "MPO", "PNG", "TIFF"])
@pytest.mark.parametrize(("width", "height"), [(203, 301), (160, 64), (9, 9)])
def test_a_reduced_photo_has_the_means_of_its_pixels(
    width: int, height: int, kind: str, reduce: int
) -> None:
    image = people.photo(0, 0, 0).image[100 : 100 + height, 100 : 100 + width]
    data = encoded(Image.fromarray(image), kind)
    small = decode_photo(data, reduce)
    assert small.shape == (-(-height // reduce), -(-width // reduce), 3)
    rows, columns = height // reduce, width // reduce
    whole = image[: rows * reduce, : columns * reduce]
    means = whole.reshape(rows, reduce, columns, reduce, 3).mean(axis=(1, 3))
    assert np.abs(small[:rows, :columns] - means).mean() < 2
    assert np.array_equal(small, decode_photo(data, reduce))


def test_what_is_transparent_is_seen_over_white_and_kept_as_it_is_stored() -> None:
    data = encoded(Image.new("RGBA", (3, 2), (*RED, 51)), "PNG")
    assert np.array_equal(decode(data), np.full((2, 3, 3), RED))
    over_white = [round(0.2 * level + 0.8 * 255) for level in RED]
    assert np.array_equal(decode_photo(data), np.full((2, 3, 3), over_white))
    palette = Image.new("RGB", (3, 2), RED).quantize(4)
    clear = encoded(palette, "PNG", transparency=bytes(4))
    assert np.array_equal(decode_photo(clear), np.full((2, 3, 3), 255))


def test_the_colours_of_a_profile_are_seen_in_srgb_and_kept_as_they_are_stored() -> None:
    data = encoded(Image.new("RGB", (3, 2), RED), "PNG", icc_profile=swapped_profile())
    assert np.array_equal(decode(data), np.full((2, 3, 3), RED))
    assert np.abs(decode_photo(data).astype(int) - RED[::-1]).max() <= 3


@pytest.mark.parametrize(
    "profile",
    [
        b"no profile at all",
        swapped_profile()[:200],
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ],
    ids=["foreign", "truncated", "of another kind of picture", "sRGB itself"],
)
def test_a_profile_that_says_nothing_changes_nothing(profile: bytes) -> None:
    data = encoded(Image.new("RGB", (3, 2), RED), "PNG", icc_profile=profile)
    assert np.array_equal(decode_photo(data), np.full((2, 3, 3), RED))


def test_a_jpeg_with_sixteen_bit_tables_and_a_progressive_one_are_jpegs() -> None:
    image = people.photo(0, 0, 0).image[:200, :200]
    for options in ({"qtables": [[300] * 64, [300] * 64]}, {"progressive": True}):
        data = encoded(Image.fromarray(image), "JPEG", **options)
        assert np.abs(decode_photo(data, 2).astype(int) - image[::2, ::2]).mean() < 30
    assert b"\xff\xc2" in data


# Encoding


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 99))
def test_a_png_read_by_pillow_has_the_same_pixels(height: int, width: int, seed: int) -> None:
    image = texture(height, width, seed)
    with Image.open(io.BytesIO(encode_png(image))) as opened:
        assert (opened.format, opened.mode) == ("PNG", "RGB")
        assert np.array_equal(np.asarray(opened), image)


def test_a_png_of_a_view_has_the_view_s_pixels() -> None:
    view = texture(20, 20)[3:14:2, ::-1]
    assert np.array_equal(decode(encode_png(view)), view)


def test_a_png_holds_nothing_but_pixels() -> None:
    data, kinds, place = encode_png(texture(4, 4)), [], 8
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        kinds.append(data[place + 4 : place + 8])
        place += 12 + length
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]


def test_a_webp_of_a_mosaic_is_exact_and_small() -> None:
    mosaic = np.kron(texture(16, 16), np.ones((16, 16, 1), np.uint8))
    data = encode_webp(mosaic)
    assert np.array_equal(decode(data), mosaic)
    assert len(data) < 2000


def test_a_webp_of_a_photo_is_near_and_smaller_than_a_png() -> None:
    photo = people.photo(0, 0, 0).image
    data = encode_webp(photo)
    assert len(data) < len(encode_png(photo)) / 4
    assert np.abs(decode(data).astype(int) - photo).mean() < 3


def test_a_jpeg_written_is_near_and_leaves_no_litter(tmp_path: Path) -> None:
    smooth = np.full((32, 48, 3), RED, np.uint8)
    write_jpeg(tmp_path / "a.jpg", smooth)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - RED).max() <= 4
    assert os.listdir(tmp_path) == ["a.jpg"]  # noqa: PTH208


# Arrays


def test_floats_and_back_keeps_every_level() -> None:
    image = np.arange(256 * 3, dtype=np.uint8).reshape(16, 16, 3)
    floats = to_float(image)
    assert floats.dtype == np.float32
    assert floats.shape == (3, 16, 16)
    assert (floats.min(), floats.max()) == (-1.0, 1.0)
    assert np.array_equal(to_uint8(floats), image)
    assert np.allclose(to_levels(floats), image.transpose(2, 0, 1), atol=1e-4)


def test_floats_out_of_range_are_clipped() -> None:
    floats: Floats = np.array([-9.0, -1.0, 0.0, 1.0, 9.0], np.float32).reshape(1, 1, 5)
    assert to_uint8(np.repeat(floats, 3, 0))[0, :, 0].tolist() == [0, 0, 128, 255, 255]


def test_a_crop_pasted_back_changes_nothing_and_pasting_copies() -> None:
    image, box = texture(20, 30), Box(4, 5, 10, 7)
    piece = crop(image, box)
    assert piece.shape == (7, 10, 3)
    assert np.array_equal(piece[0, 0], image[5, 4])
    assert np.array_equal(paste(image, piece, box), image)
    pasted = paste(image, np.zeros_like(piece), box)
    changed = np.any(pasted != image, axis=2)
    assert not changed[:5].any() and not changed[12:].any()
    assert not changed[:, :4].any() and not changed[:, 14:].any()
    assert not pasted[5:12, 4:14].any()
    assert np.array_equal(image, texture(20, 30))


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        (Box(0, 0, 30, 20), True),
        (Box(-1, 0, 5, 5), False),
        (Box(0, -1, 5, 5), False),
        (Box(26, 0, 5, 5), False),
        (Box(0, 16, 5, 5), False),
        (Box(25, 15, 5, 5), True),
    ],
)
def test_a_box_knows_whether_it_is_inside(box: Box, inside: bool) -> None:
    assert box.inside(texture(20, 30)) is inside
    assert Box.whole(texture(20, 30)) == Box(0, 0, 30, 20)


def test_resizing_down_takes_means_and_to_the_same_size_takes_nothing() -> None:
    image = texture(16, 24)
    means = image.reshape(4, 4, 6, 4, 3).mean(axis=(1, 3))
    assert np.abs(resize(image, 6, 4) - means).max() <= 0.51
    assert np.array_equal(resize(image, 24, 16), image)
    assert resize(image, 50, 40).shape == (40, 50, 3)
    assert resize(image.astype(np.float32), 7, 5).dtype == np.float32


def test_resizing_up_is_smooth() -> None:
    edge = np.zeros((8, 8, 3), np.uint8)
    edge[:, 4:] = 200
    assert len(np.unique(resize(edge, 64, 64)[32, :, 0])) > 5


def test_a_contact_sheet_has_every_picture_in_rows() -> None:
    colours = [np.full((32, 64, 3), 10 * n, np.uint8) for n in range(1, 6)]
    sheet = contact_sheet(colours, 2, 16)
    assert sheet.shape == (3 * (16 + 2) + 2, 2 * (32 + 2) + 2, 3)
    centres = [sheet[2 + 18 * (n // 2) + 8, 2 + 34 * (n % 2) + 16, 0] for n in range(5)]
    assert centres == [10, 20, 30, 40, 50]
    assert np.all(sheet[2 + 36 + 8, 2 + 34 + 16] == 255)
    assert np.all(sheet[:2] == 255) and np.all(sheet[:, :2] == 255)
