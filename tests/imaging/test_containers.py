"""Files of several pictures: every frame and page, with its time."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

import demosaic
from demosaic.imaging.arrays import Pixels, blurred
from demosaic.imaging.edited_copy import Edit, losses, write_edited, written_suffix
from demosaic.imaging.metadata import MADE_IN_PART, Keeping, source_type_xmp
from demosaic.imaging.original import Original, read_original
from doubles import texture

KEEPING = Keeping(MADE_IN_PART)
TIMES = [100, 200, 300]


def frames(mode: str = "RGB", colours: int = 256) -> list[Image.Image]:
    """Three pictures that are alike outside a box."""
    soft = blurred(texture(48, 64, seed=1), 2)
    images = []
    for number in range(3):
        levels = soft.copy()
        levels[8:24, 8:40] = blurred(texture(16, 32, seed=number), 3)
        image = Image.fromarray(levels).convert("L").quantize(colours).convert(mode)
        images.append(image)
    return images


def save(path: Path, images: list[Image.Image], **options: Any) -> Path:
    images[0].save(path, save_all=True, append_images=images[1:], **options)
    return path


def edited(original: Original) -> tuple[Edit, list[Pixels]]:
    """Every picture with a box of its own colour, and what they show then."""
    wanted = []
    for number, page in enumerate(original.pages):
        shown = page.shown.copy()
        shown[26:40, 20:50] = 40 + 60 * number
        wanted.append(shown)
    pages = [page.edited(shown) for page, shown in zip(original.pages, wanted, strict=True)]
    return Edit(original, tuple(pages), KEEPING), wanted


def shown_in(path: Path) -> list[Pixels]:
    """What each picture of a file shows, read by Pillow alone."""
    with Image.open(path) as image:
        return [np.asarray(one.convert("RGB")) for one in ImageSequence.Iterator(image)]


def times_in(path: Path) -> list[float]:
    times = []
    with Image.open(path) as image:
        for one in ImageSequence.Iterator(image):
            one.load()
            times.append(one.info["duration"])
    return times


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("a.gif", "P", {"loop": 0}),
        ("a.gif", "L", {"loop": 3}),
        ("a.gif", "P", {}),
        ("a.png", "RGB", {"loop": 2}),
        ("a.png", "RGBA", {"loop": 0}),
        ("a.png", "L", {}),
        ("a.webp", "RGB", {"lossless": True, "loop": 5}),
        ("a.webp", "RGBA", {"lossless": True}),
    ],
)
def test_every_frame_of_an_animation_is_edited_and_keeps_its_time(
    name: str, mode: str, options: dict[str, Any], tmp_path: Path
) -> None:
    images = frames("RGB" if mode == "P" else mode, 100)
    source = save(tmp_path / name, images, duration=TIMES, **options)
    edit, wanted = edited(read_original(source))
    out = tmp_path / f"b{source.suffix}"
    write_edited(out, edit)
    assert np.array_equal(shown_in(out), wanted)
    assert times_in(out) == TIMES
    with Image.open(source) as before, Image.open(out) as after:
        assert before.info.get("loop") == after.info.get("loop")
    assert b"/compositeWithTrainedAlgorithmicMedia" in out.read_bytes()


def test_a_gif_with_too_many_colours_keeps_those_that_were_not_edited(tmp_path: Path) -> None:
    source = save(tmp_path / "a.gif", frames("L", 256), duration=100)
    original = read_original(source)
    shown = [page.shown.copy() for page in original.pages]
    for number, picture in enumerate(shown):
        picture[26:40, 20:50] = blurred(texture(14, 30, seed=number), 1)
    pages = tuple(page.edited(one) for page, one in zip(original.pages, shown, strict=True))
    write_edited(tmp_path / "b.gif", Edit(original, pages, KEEPING))
    outside = np.ones((48, 64), bool)
    outside[26:40, 20:50] = False
    for found, page, wanted in zip(
        shown_in(tmp_path / "b.gif"), original.pages, pages, strict=True
    ):
        assert np.array_equal(found[outside], page.shown[outside])
        assert np.abs(found[~outside].astype(int) - wanted.shown[~outside]).mean() < 8


def test_a_gif_keeps_what_is_transparent_and_its_comment(tmp_path: Path) -> None:
    image = frames("RGBA", 60)[0]
    image.putalpha(Image.fromarray(np.array([[0, 255]], np.uint8).repeat(32, 1).repeat(48, 0)))
    image.save(tmp_path / "a.gif", comment=b"a comment")
    edit, _ = edited(read_original(tmp_path / "a.gif"))
    write_edited(tmp_path / "b.gif", edit)
    with Image.open(tmp_path / "a.gif") as before, Image.open(tmp_path / "b.gif") as after:
        assert after.info["comment"] == b"a comment"
        levels = [np.asarray(one.convert("RGBA")) for one in (before, after)]
    assert np.array_equal(levels[0][:, :, 3], levels[1][:, :, 3])
    assert np.array_equal(levels[0][:20, 32:], levels[1][:20, 32:])


def test_a_picture_beside_the_animation_of_a_png_stays_beside_it(tmp_path: Path) -> None:
    source = save(tmp_path / "a.png", frames(), duration=TIMES[1:], default_image=True)
    edit, wanted = edited(read_original(source))
    write_edited(tmp_path / "b.png", edit)
    assert np.array_equal(shown_in(tmp_path / "b.png"), wanted)
    with Image.open(tmp_path / "b.png") as image:
        assert getattr(image, "default_image", False)


def test_pages_of_a_tiff_keep_their_own_size_mode_and_words(tmp_path: Path) -> None:
    pages = [frames("RGB")[0], frames("L")[1].resize((80, 50)), frames("CMYK")[2]]
    for number, page in enumerate(pages):
        page.encoderinfo = {"tiffinfo": {270: f"page {number}"}}
    source = save(tmp_path / "a.tif", pages, dpi=(300, 300), tiffinfo={270: "page 0"})
    edit, _ = edited(read_original(source))
    write_edited(tmp_path / "b.tif", edit)
    with Image.open(source) as before, Image.open(tmp_path / "b.tif") as after:
        for number, written in enumerate(edit.pages):
            before.seek(number)
            after.seek(number)
            assert (after.mode, after.size) == (before.mode, before.size)
            assert after.getexif()[270] == before.getexif()[270]
            assert after.info["dpi"] == before.info["dpi"]
            assert np.array_equal(np.asarray(after).ravel(), written.levels.ravel())


def test_sixteen_bits_stay_on_every_page_of_a_tiff(tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 65_536, (3, 48, 64), dtype=np.uint16)
    images = [Image.fromarray(one) for one in levels]
    edit, _ = edited(read_original(save(tmp_path / "a.tif", images)))
    write_edited(tmp_path / "b.tif", edit)
    with Image.open(tmp_path / "b.tif") as after:
        for number, one in enumerate(ImageSequence.Iterator(after)):
            inside, found = np.s_[26:40, 20:50], np.asarray(one, np.uint16).copy()
            assert np.all(found[inside] >> 8 == 40 + 60 * number)
            found[inside] = levels[number][inside]
            assert np.array_equal(found, levels[number])


def test_a_palette_stays_while_it_has_room(tmp_path: Path) -> None:
    image = Image.fromarray(texture(48, 64)).quantize(200)
    image.save(tmp_path / "a.png", transparency=7)
    edit, wanted = edited(read_original(tmp_path / "a.png"))
    write_edited(tmp_path / "b.png", edit)
    with Image.open(tmp_path / "b.png") as after:
        assert after.mode == "P"
        assert np.array_equal(np.asarray(after.convert("RGBA")), edit.pages[0].levels)
    (shown,) = wanted
    shown[26:40, 20:50] = texture(14, 30, seed=5)
    more = Edit(edit.original, (edit.original.pages[0].edited(shown),), KEEPING)
    write_edited(tmp_path / "c.png", more)
    with Image.open(tmp_path / "c.png") as after:
        assert after.mode == "RGBA"
        assert np.array_equal(np.asarray(after), more.pages[0].levels)


@pytest.mark.parametrize("quality", [50, 80, 95])
@pytest.mark.parametrize("name", ["a.webp", "a.avif"])
def test_a_picture_with_losses_stays_about_as_large(
    name: str, quality: int, tmp_path: Path
) -> None:
    if written_suffix(tmp_path / name) == ".png":
        pytest.skip("this Pillow writes no AVIF")
    source = tmp_path / name
    Image.fromarray(blurred(texture(96, 128), 1)).save(source, quality=quality)
    original = read_original(source)
    pages = (original.pages[0].edited(edited(original)[1][0]),)
    out = tmp_path / f"b{source.suffix}"
    write_edited(out, Edit(original, pages, KEEPING))
    assert 0.7 < out.stat().st_size / source.stat().st_size < 1.35
    assert np.abs(shown_in(out)[0].astype(int) - pages[0].shown).mean() < 12
    said = losses(out, original, KEEPING)
    assert [words for words in said if "encoded anew" in words] == said


def test_what_a_format_cannot_keep_is_said_before(tmp_path: Path) -> None:
    animated = read_original(save(tmp_path / "a.gif", frames("L"), duration=100))
    for name in ("b.gif", "b.png", "b.webp", "b.tif"):
        assert losses(tmp_path / name, animated, KEEPING) == []
    assert losses(tmp_path / "b.jpg", animated, KEEPING) == [
        "only the first of its 3 pictures is kept: JPEG has one"
    ]
    frames("CMYK")[0].save(tmp_path / "c.tif")
    assert losses(tmp_path / "c.png", read_original(tmp_path / "c.tif"), KEEPING) == [
        "its inks (CMYK) become RGB: PNG has no inks"
    ]
    frames("RGBA")[0].save(tmp_path / "d.png")
    assert losses(tmp_path / "d.jpg", read_original(tmp_path / "d.png"), KEEPING) == [
        "its transparency goes: JPEG has none"
    ]
    Image.fromarray(np.full((4, 4), 999, np.uint16)).save(tmp_path / "e.png")
    assert losses(tmp_path / "e.webp", read_original(tmp_path / "e.png"), KEEPING) == [
        "its 16 bits become 8: WEBP has no more"
    ]


def test_only_the_first_picture_goes_where_one_has_room(tmp_path: Path) -> None:
    edit, wanted = edited(read_original(save(tmp_path / "a.gif", frames("L"), duration=100)))
    write_edited(tmp_path / "b.jpg", edit)
    (found,) = shown_in(tmp_path / "b.jpg")
    assert np.abs(found.astype(int) - wanted[0]).mean() < 4


def test_a_heic_becomes_a_png_with_what_it_says(tmp_path: Path) -> None:
    source = Path(demosaic.__file__).parent / "doctor" / "drawn-face.heic"
    edit, wanted = edited(read_original(source))
    write_edited(tmp_path / "b.png", edit)
    assert np.array_equal(shown_in(tmp_path / "b.png"), wanted)
    assert losses(tmp_path / "b.png", edit.original, KEEPING) == [
        "it becomes a PNG of 8 bits a channel"
    ]


def test_grey_of_sixteen_bits_in_a_format_that_is_only_read_keeps_them(tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 65_536, (48, 64), dtype=np.uint16)
    header = b"P5 64 48 65535\n"
    (tmp_path / "a.pgm").write_bytes(header + levels.astype(">u2").tobytes())
    original = read_original(tmp_path / "a.pgm")
    write_edited(tmp_path / "b.png", Edit(original, original.pages, KEEPING))
    with Image.open(tmp_path / "b.png") as image:
        assert np.array_equal(np.asarray(image), levels)


def test_a_png_with_more_frames_than_it_says_keeps_those_it_says(tmp_path: Path) -> None:
    source = save(tmp_path / "a.png", frames(), duration=TIMES)
    data = bytearray(source.read_bytes())
    place = data.index(b"acTL")
    count = struct.pack(">I", 2)
    data[place + 4 : place + 8] = count
    data[place + 12 : place + 16] = struct.pack(">I", zlib.crc32(data[place : place + 12]))
    source.write_bytes(data)
    edit, wanted = edited(read_original(source))
    write_edited(tmp_path / "b.png", edit)
    assert np.array_equal(shown_in(tmp_path / "b.png"), wanted)
    assert times_in(tmp_path / "b.png") == TIMES[:2]


def test_words_too_long_for_a_jpeg_stay_in_a_tiff_and_a_png(tmp_path: Path) -> None:
    words = "a title" + "." * 70_000
    xmp = source_type_xmp("http://camera").replace(
        "<rdf:Description", f"<!--{words}--><rdf:Description"
    )
    tags = {270: words, 700: xmp.encode()}
    frames()[0].save(tmp_path / "a.tif", tiffinfo=tags, dpi=(300, 300))
    edit, _ = edited(read_original(tmp_path / "a.tif"))
    for name in ("b.tif", "b.png", "b.jpg"):
        write_edited(tmp_path / name, edit)
    with Image.open(tmp_path / "b.tif") as image:
        assert image.getexif()[270] == words
        assert words.encode() in image.info["xmp"]
    assert words.encode() in (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "b.jpg") as image:
        assert image.info["dpi"] == (300, 300)
        assert b"/compositeWithTrainedAlgorithmicMedia" in image.info["xmp"]
