"""Faces hidden: every one, nothing else, and nothing in the file that still shows them."""

import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageSequence, PngImagePlugin

import people
from demosaic.config.privacy import PixelateConfig
from demosaic.detection.detector import find_mosaics
from demosaic.errors import NOTHING_TO_DO, PROBLEM, DemosaicError
from demosaic.events import Event, Notice, PicturesDone, PicturesFound
from demosaic.faces.detector import Face, FaceDetector
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.batch import Job
from demosaic.imaging.decoding import read_image
from demosaic.imaging.geometry import Box
from demosaic.mosaic.grid import Grid
from demosaic.privacy.events import FaceHidden, PicturePixelated
from demosaic.privacy.pixelate import pixelate_file, pixelate_files
from demosaic.privacy.places import Place, pixelate_image
from doubles import save, texture

ANY_FACE = PixelateConfig()


class Sees:
    """A detector that finds faces in these boxes, whatever it is shown."""

    def __init__(self, *boxes: tuple[int, int, int, int], score: float = 0.9) -> None:
        self.faces = [Face(Box(*box), score, ((0.0, 0.0),) * 6) for box in boxes]

    def detect(self, image: Pixels) -> Sequence[Face]:
        return self.faces


@pytest.fixture(scope="module")
def detector() -> ShortRangeDetector:
    return ShortRangeDetector(0.3)


def hidden_in(
    folder: Path, photo: Pixels, detector: FaceDetector | None, config: PixelateConfig = ANY_FACE
) -> tuple[Pixels, tuple[FaceHidden, ...]]:
    """What pixelating a file of this photo gives."""
    job = Job(save(folder / "a.png", photo), folder / "b.png")
    done = pixelate_file(job, config, detector)
    assert (done.picture, done.out) == (str(job.source), str(job.out))
    return read_image(job.out), done.faces


def averaged(piece: Pixels, block: int) -> Pixels:
    """Each cell's mean, the plain way."""
    result = piece.copy()
    for top in range(0, piece.shape[0], block):
        for left in range(0, piece.shape[1], block):
            cell = piece[top : top + block, left : left + block]
            mean = cell.reshape(-1, 3).mean(0)
            result[top : top + block, left : left + block] = np.rint(mean)
    return result


# Which pixels


def test_every_face_becomes_a_mosaic_and_no_other_pixel_changes(
    folder: Path, detector: ShortRangeDetector
) -> None:
    drawn = people.photo(0, 2, 0)
    photo = drawn.image
    result, faces = hidden_in(folder, photo, detector)
    assert len(faces) == len(drawn.faces) == 2
    expected = photo.copy()
    for hidden in faces:
        assert hidden.block is not None
        x, y, width, height = hidden.box
        inside = (slice(y, y + height), slice(x, x + width))
        expected[inside] = averaged(photo[inside], hidden.block)
    assert np.abs(result.astype(int) - expected).max() <= 1  # a half rounds either way
    assert np.array_equal(result == photo, expected == photo)
    for face in drawn.faces:  # from brow to chin
        x, y, width, height = (round(side) for side in face.box)
        assert any(Box(x, y, width, height).within(Box(*hidden.box)) for hidden in faces)


def test_what_is_pixelated_is_found_by_what_restores_it(
    folder: Path, detector: ShortRangeDetector
) -> None:
    result, faces = hidden_in(folder, people.photo(0, 2, 0).image, detector)
    found = {region.box.corners: region.grid for region in find_mosaics(result)}
    assert found == {hidden.box: Grid.square(hidden.block or 0) for hidden in faces}


def test_a_face_on_the_border_is_hidden_as_far_as_the_photo_goes(folder: Path) -> None:
    result, faces = hidden_in(folder, texture(60, 80), Sees((-10, 30, 40, 40)))
    assert [hidden.box for hidden in faces] == [(0, 24, 36, 36)]
    assert np.array_equal(result[:, 36:], texture(60, 80)[:, 36:])
    assert np.array_equal(result[:24], texture(60, 80)[:24])


def test_an_ellipse_leaves_the_corners_of_its_box(folder: Path) -> None:
    photo = texture(100, 120)
    config = replace(ANY_FACE, shape="ellipse", regions=((20, 10, 80, 60),), style="solid")
    result, _ = hidden_in(folder, photo, None, config)
    black = (result == 0).all(2)
    assert black.sum() == pytest.approx(np.pi * 40 * 30, rel=0.01)
    assert black[10, 60] and black[69, 60] and black[40, 20] and black[40, 99]
    assert np.array_equal(result[~black], photo[~black])


def test_what_one_shape_hides_the_box_of_the_next_does_not_show_again() -> None:
    photo = texture(60, 60)
    places = [Place(Box(0, 0, 40, 40), 40), Place(Box(20, 20, 40, 40), 40)]
    config = replace(ANY_FACE, style="solid", shape="ellipse")
    both = pixelate_image(photo, places, config).picture
    each = [pixelate_image(photo, [place], config).picture for place in places]
    assert np.array_equal(both, np.minimum(*each))


# How


def test_cells_are_a_share_of_the_face_or_so_many_pixels(folder: Path) -> None:
    sees = Sees((20, 20, 60, 60), (100, 20, 20, 20))
    for block, expected in ((0.1, (6, 3)), (0.2, (12, 4)), (7, (7, 7))):
        _, faces = hidden_in(folder, texture(120, 160), sees, replace(ANY_FACE, block=block))
        assert tuple(hidden.block for hidden in faces) == expected


def test_the_margin_says_how_much_round_a_face_is_hidden(folder: Path) -> None:
    for margin, box in ((1, (40, 40, 20, 20)), (2, (30, 30, 40, 40))):
        config = replace(ANY_FACE, margin=margin)
        _, (face,) = hidden_in(folder, texture(100, 100), Sees((40, 40, 20, 20)), config)
        assert face == FaceHidden(box, "mosaic", 3, 0.9)


@pytest.mark.parametrize(("sampler", "place"), [("top-left", 0), ("centre", 4)])
def test_a_sampler_takes_one_pixel_of_each_cell(folder: Path, sampler: str, place: int) -> None:
    photo = texture(48, 64)
    config = PixelateConfig(regions=((8, 8, 48, 32),), block=8, sampler=sampler)  # type: ignore[arg-type]
    result, _ = hidden_in(folder, photo, None, config)
    taken = photo[8 + place : 40 : 8, 8 + place : 56 : 8]
    assert np.array_equal(result[8:40, 8:56], taken.repeat(8, 0).repeat(8, 1))


def test_blur_leaves_the_light_and_nothing_fine(folder: Path) -> None:
    photo = texture(96, 96)
    config = PixelateConfig(regions=((16, 16, 64, 64),), style="blur", block=8)
    result, _ = hidden_in(folder, photo, None, config)
    inside, before = result[16:80, 16:80].astype(float), photo[16:80, 16:80]
    assert inside.mean() == pytest.approx(before.mean(), abs=2)
    assert np.abs(np.diff(inside, axis=1)).max() <= 2
    assert inside.std() < before.std() / 15


def test_what_is_less_surely_a_face_is_hidden_only_when_asked(folder: Path) -> None:
    sees = Sees((20, 20, 40, 40), score=0.45)
    assert len(hidden_in(folder, texture(80, 80), sees)[1]) == 1
    with pytest.raises(DemosaicError, match="no face"):
        hidden_in(folder, texture(80, 80), sees, replace(ANY_FACE, min_score=0.5))


@pytest.mark.parametrize("region", [(60, 0, 21, 20), (0, 50, 20, 20), (90, 90, 1, 1)])
def test_a_region_outside_the_photo_is_refused(
    folder: Path, region: tuple[int, int, int, int]
) -> None:
    with pytest.raises(DemosaicError, match="is not inside the picture of 80 x 60 px") as caught:
        hidden_in(folder, texture(60, 80), None, PixelateConfig(regions=(region,)))
    assert (str(folder / "a.png") in str(caught.value), caught.value.exit_code) == (True, PROBLEM)


# What the file keeps

SECRETS = {
    "the thumbnail": b"\xff\xd8 a small picture of the face \xff\xd9",
    "a name": b"Ada Lovelace",
    "the maker's note": b"a preview of the face, too",
    "a serial number": b"SN-1815",
    "the XMP": b"mwg-rs:Name=Ada",
    "a comment": b"Ada at the sea",
}
ORIENTATION, MODEL, ARTIST, DATE = 0x0112, 0x0110, 0x013B, 0x0132
DETAILS, GPS, MAKER_NOTE, SERIAL, EXPOSURE = 0x8769, 0x8825, 0x927C, 0xA431, 0x829A


def telling_exif() -> bytes:
    """EXIF that says how a photo was taken, and who is on it, where, with a thumbnail."""
    exif = Image.Exif()
    exif.update({ORIENTATION: 6, MODEL: "A camera", ARTIST: "Ada Lovelace", DATE: "1843:01:02"})
    exif.get_ifd(DETAILS).update(
        {MAKER_NOTE: SECRETS["the maker's note"], SERIAL: "SN-1815", EXPOSURE: 0.25}
    )
    exif.get_ifd(GPS).update({1: "N", 2: (51.0, 30.0, 12.5)})
    data = exif.tobytes()
    # After the first directory, whose place and length the header tells, a second: the thumbnail's
    (entries,) = struct.unpack_from("<H" if data[6:8] == b"II" else ">H", data, 14)
    order = "<" if data[6:8] == b"II" else ">"
    end = len(data) - 6
    place = end + 2 + 2 * 12 + 4
    thumbnail = SECRETS["the thumbnail"]
    second = struct.pack(order + "H", 2)
    second += struct.pack(order + "HHII", 0x0201, 4, 1, place)
    second += struct.pack(order + "HHII", 0x0202, 4, 1, len(thumbnail)) + bytes(4)
    link = 14 + 2 + 12 * entries
    return data[:link] + struct.pack(order + "I", end) + data[link + 4 :] + second + thumbnail


def a_telling_photo(path: Path, photo: Pixels) -> Path:
    """A file in which all of SECRETS are found."""
    image, xmp = Image.fromarray(photo), SECRETS["the XMP"]
    if path.suffix == ".jpg":
        image.save(path, exif=telling_exif(), xmp=xmp, comment=SECRETS["a comment"])
    else:
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", SECRETS["a comment"].decode())
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        image.save(path, exif=telling_exif(), pnginfo=info)
    raw = path.read_bytes()
    assert [name for name, secret in SECRETS.items() if secret not in raw] == []
    return path


@pytest.mark.parametrize("kind", ["jpg", "png"])
@pytest.mark.parametrize("name", ["b.png", "b.jpg", "b.tif", "b.webp"])
def test_a_result_says_how_it_was_taken_and_neither_of_whom_nor_where(
    folder: Path, kind: str, name: str
) -> None:
    source = a_telling_photo(folder / f"a.{kind}", texture(40, 64))
    config = PixelateConfig(regions=((0, 0, 8, 8),))
    pixelate_file(Job(source, folder / name), config, None)
    raw = (folder / name).read_bytes()
    assert [secret for secret, text in SECRETS.items() if text in raw] == []
    with Image.open(folder / name) as image:
        image.load()  # Pillow turns a TIFF by itself
        exif = image.getexif()
        details = exif.get_ifd(DETAILS)
        as_stored = ((40, 64), None) if name == "b.tif" else ((64, 40), 6)
        assert (image.size, exif.get(ORIENTATION)) == as_stored
        assert (exif[MODEL], exif[DATE]) == ("A camera", "1843:01:02")
        assert details.get(EXPOSURE) == 0.25
        assert (MAKER_NOTE in details, SERIAL in details, ARTIST in exif) == (False,) * 3
        assert dict(exif.get_ifd(GPS)) == {}


def test_the_colour_profile_and_transparency_stay(folder: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    alpha = texture(32, 32, seed=5)[:, :, :1]
    pixels = np.concatenate([texture(32, 32), alpha], axis=2)
    Image.fromarray(pixels).save(folder / "a.png", icc_profile=profile)
    config = PixelateConfig(regions=((0, 0, 8, 8),))
    pixelate_file(Job(folder / "a.png", folder / "b.png"), config, None)
    with Image.open(folder / "b.png") as image:
        assert (image.mode, image.info["icc_profile"]) == ("RGBA", profile)
        assert np.array_equal(np.asarray(image)[:, :, 3:], alpha)


def test_no_other_picture_of_a_file_shows_what_is_hidden(folder: Path) -> None:
    """Stereo pictures and maps of light go; smaller copies would be looked at first."""
    pictures = [Image.fromarray(texture(40, 64, seed=seed)) for seed in range(2)]
    pictures[0].save(folder / "a.jpg", "MPO", save_all=True, append_images=pictures[1:])
    config = PixelateConfig(regions=((0, 0, 16, 16),), block=16)
    events: list[Event] = []
    pixelate_file(Job(folder / "a.jpg", folder / "b.jpg"), config, None, events.append)
    with Image.open(folder / "b.jpg") as image:
        assert image.format == "JPEG"
        assert np.asarray(image)[:15, :15].std((0, 1)).max() < 1  # colours are smoothed beyond
    assert (folder / "b.jpg").read_bytes().count(b"\xff\xd8\xff") == 1
    assert Notice(f"{folder / 'a.jpg'}: only the first of its 2 pictures is kept") in events


def test_a_face_is_hidden_in_every_frame_of_an_animation(folder: Path) -> None:
    """Where it is found in one, as a face that turns is not found in all."""
    frames = [texture(60, 60, seed=seed) // 2 for seed in range(3)]
    frames[1] += 128
    images = [Image.fromarray(frame) for frame in frames]
    images[0].save(folder / "a.png", save_all=True, append_images=images[1:], duration=100)

    class SeesInTheLight(Sees):
        def detect(self, image: Pixels) -> Sequence[Face]:
            return self.faces if image.mean() > 128 else []

    config = PixelateConfig(block=60, margin=1)
    sees = SeesInTheLight((20, 20, 20, 20))
    made = pixelate_file(Job(folder / "a.png", folder / "b.png"), config, sees)
    assert [face.box for face in made.faces] == [(20, 20, 20, 20)] * 3
    with Image.open(folder / "b.png") as image:
        for number, frame in enumerate(ImageSequence.Iterator(image)):
            levels = np.asarray(frame.convert("RGB"))
            assert len(np.unique(levels[20:40, 20:40].reshape(-1, 3), axis=0)) == 1
            assert np.array_equal(levels[:20], frames[number][:20])


def test_sixteen_bits_stay_without_the_lower_ones_of_what_is_hidden(folder: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 65_536, (32, 32), dtype=np.uint16)
    Image.fromarray(levels).save(folder / "a.png")
    config = PixelateConfig(regions=((0, 0, 8, 8),), block=8)
    pixelate_file(Job(folder / "a.png", folder / "b.png"), config, None)
    with Image.open(folder / "b.png") as image:
        found = np.asarray(image, np.uint16)
    assert len(np.unique(found[:8, :8])) == 1
    assert abs(float(found[0, 0]) - levels[:8, :8].mean()) < 260
    assert np.array_equal(found[8:], levels[8:]) and np.array_equal(found[:, 8:], levels[:, 8:])


def test_a_thumbnail_does_not_show_what_is_hidden(folder: Path) -> None:
    exif = telling_exif()
    Image.fromarray(texture(40, 64)).save(folder / "a.jpg", exif=exif)
    assert SECRETS["the thumbnail"] in (folder / "a.jpg").read_bytes()
    config = PixelateConfig(regions=((0, 0, 8, 8),))
    pixelate_file(Job(folder / "a.jpg", folder / "b.jpg"), config, None)
    with Image.open(folder / "b.jpg") as image:
        assert image.getexif().get_ifd(1) == {}
    assert (folder / "b.jpg").read_bytes().count(b"\xff\xd8\xff") == 1


# Many


def test_a_folder_of_photos_is_mirrored_and_one_without_a_face_is_reported(
    folder: Path, detector: ShortRangeDetector
) -> None:
    source = folder / "in"
    save(source / "ada" / "a.png", people.photo(0, 0, 0).image)
    save(source / "empty.png", np.full((200, 200, 3), 90, np.uint8))
    (source / "broken [1].jpg").write_bytes(b"\xff\xd8\xff no more")
    events: list[Event] = []
    report = pixelate_files(
        [source], folder / "out", make_detector=lambda: detector, listen=events.append
    )
    assert (events[0], events[-1]) == (PicturesFound(3), PicturesDone("pixelated", 1, 3))
    assert sorted(map(repr, events[1:-1])) == sorted(map(repr, report.results + report.skipped))
    made = report.results
    assert [event.out for event in made] == [str(folder / "out" / "ada" / "a.pixelated.png")]
    skipped = {event.picture: event.reason for event in report.skipped}
    assert set(skipped) == {str(source / "empty.png"), str(source / "broken [1].jpg")}
    assert "no face found: mark what to hide with --region" in skipped[str(source / "empty.png")]
    written = sorted(path.name for path in (folder / "out").rglob("*") if path.is_file())
    assert written == ["a.pixelated.png"]


def test_no_face_in_any_photo_is_nothing_to_do(folder: Path) -> None:
    for name in ("a.png", "b.png"):
        save(folder / "in" / name, texture(40, 40))
    for sources in ([folder / "in"], [folder / "in" / "a.png"]):
        with pytest.raises(DemosaicError, match="no face found") as caught:
            pixelate_files(sources, folder / "out", make_detector=Sees)
        assert caught.value.exit_code == NOTHING_TO_DO
    assert not (folder / "out").exists()


def test_a_region_given_needs_no_detector(folder: Path) -> None:
    def none() -> FaceDetector:
        raise AssertionError("nobody looks for faces")

    save(folder / "a.png", texture(40, 40))
    config = PixelateConfig(regions=((0, 0, 20, 20), (20, 20, 10, 10)))
    source, out = folder / "a.png", folder / "a.pixelated.png"
    report = pixelate_files([source], config=config, make_detector=none)
    faces = (
        FaceHidden((0, 0, 20, 20), "mosaic", 3, None),
        FaceHidden((20, 20, 10, 10), "mosaic", 3, None),
    )
    assert report.results == (PicturePixelated(str(source), str(out), faces),)
