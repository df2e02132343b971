"""One picture restored: exact inside the mosaic, untouched outside, honest about what it is."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from PIL.JpegImagePlugin import JpegImageFile

from demosaic.config.restoration import RestoreConfig
from demosaic.detection.region import Region
from demosaic.errors import NOTHING_TO_DO, PROBLEM, DemosaicError
from demosaic.events import Event, Notice
from demosaic.imaging.arrays import to_grey
from demosaic.imaging.decoding import read_image
from demosaic.imaging.geometry import Box
from demosaic.imaging.original import read_original
from demosaic.models.checkpoint import load_model, save_model
from demosaic.models.inputs import Views
from demosaic.models.model import Model, Pix2PixModel, TwoStageModel
from demosaic.models.restorer import Restorer
from demosaic.models.resunet import ResUNet
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.operators import cells
from demosaic.mosaic.pixelate import cell_colours, paint_cells
from demosaic.restoration.image import (
    Restored,
    restore,
    restore_face,
    restore_image,
    restore_region,
)
from demosaic.restoration.picture_file import restore_file
from doubles import (
    ANYTHING,
    CARD,
    COMPUTE,
    CPU,
    Echo,
    a_model,
    drawing_model,
    means,
    mosaicked,
    our_model,
    save,
    swapped_profile,
    texture,
)


def cells_of(restored: Restored) -> Grid:
    """The grid of the only mosaic that was undone."""
    (region,) = restored.regions
    assert region.block is not None
    return Grid(*region.block, *region.offset)


@pytest.fixture(scope="module")
def model() -> Model:
    return a_model()


# A face


@pytest.mark.parametrize(
    ("height", "width", "grid"),
    [
        (32, 32, Grid.square(4)),
        (64, 64, Grid.square(4)),
        (40, 20, Grid.square(4)),
        (33, 50, Grid.square(4)),
        (7, 5, Grid.square(4)),
        (3, 3, Grid.square(4)),
        (64, 64, Grid.square(8)),
        (50, 70, Grid.square(7)),
        (61, 47, Grid.square(12)),
        (30, 30, Grid.square(2)),
        (45, 45, Grid.square(8, 3, 5)),
        (40, 60, Grid(6, 9, 1, 2)),
    ],
)
def test_the_restored_pixelates_exactly_to_what_was_shown(
    model: Model, height: int, width: int, grid: Grid
) -> None:
    observed = mosaicked(height, width, grid)
    before = observed.copy()
    restored = restore_face(observed, grid, model, compute=COMPUTE)
    assert restored.shape == observed.shape
    assert restored.dtype == np.uint8
    assert np.abs(means(restored, grid) - cell_colours(observed, grid)).max() <= 0.5
    assert np.array_equal(observed, before)


def test_the_restored_is_more_than_the_mosaic(model: Model) -> None:
    observed = mosaicked(32, 32, Grid.square(4))
    restored = restore_face(observed, Grid.square(4), model, compute=COMPUTE)
    assert (restored != observed).mean() > 0.5


def test_without_reconciling_the_network_speaks_for_itself(model: Model) -> None:
    observed = mosaicked(32, 32, Grid.square(4))
    grid = Grid.square(4)
    restored = restore_face(observed, grid, model, compute=COMPUTE, consistency=0)
    tensor = torch.from_numpy(observed.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1)[None]
    output = (model.generator(tensor)[0].numpy() + 1) * 127.5
    expected = np.rint(output).clip(0, 255).astype(np.int16).transpose(1, 2, 0)
    assert np.abs(restored.astype(np.int16) - expected).max() <= 1
    assert np.abs(means(restored, grid) - cell_colours(observed, grid)).max() > 10


@pytest.mark.parametrize(
    ("height", "width", "grid"),
    [
        (32, 32, Grid.square(4)),
        (33, 50, Grid.square(4)),
        (33, 50, Grid.square(4, 3, 1)),
        (6, 7, Grid.square(4, 2, 3)),
        (10, 14, Grid.square(2)),
        (11, 13, Grid.square(2, 1, 1)),
    ],
)
def test_every_cell_comes_back_in_its_place(height: int, width: int, grid: Grid) -> None:
    """Through a network that changes nothing."""
    observed = mosaicked(height, width, grid)
    echo = Pix2PixModel(Echo().eval(), replace(CARD, blocks=(int(grid.width), int(grid.width))))
    restored = restore_face(observed, grid, echo, compute=COMPUTE, consistency=0)
    assert np.array_equal(restored, observed)


def test_a_picture_twice_as_large_restores_to_the_same_faces(model: Model) -> None:
    """The network sees cells at its own size, whatever the resolution."""
    small = mosaicked(32, 32, Grid.square(4))
    large = small.repeat(2, axis=0).repeat(2, axis=1)
    first = restore_face(small, Grid.square(4), model, compute=COMPUTE, consistency=0)
    second = restore_face(large, Grid.square(8), model, compute=COMPUTE, consistency=0)
    halved = means(second, Grid.square(2)).transpose(1, 2, 0)
    assert np.abs(halved - first).mean() < 3


@pytest.mark.parametrize("block", [2, 3, 5, 6, 8, 12, 16])
def test_a_model_of_any_block_restores(block: int) -> None:
    """build-dataset takes any block, so a model may have any."""
    grid = Grid.square(block)
    observed = mosaicked(48, 40, grid)
    restored = restore_face(observed, grid, a_model(block), compute=COMPUTE)
    assert np.abs(means(restored, grid) - cell_colours(observed, grid)).max() <= 0.5


# A picture


@pytest.mark.parametrize("region", [(8, 12, 32, 24), (0, 0, 17, 9), (30, 20, 34, 28), (5, 5, 4, 4)])
def test_pixels_outside_the_region_are_bit_identical(
    model: Model, region: tuple[int, int, int, int]
) -> None:
    x, y, width, height = region
    picture = texture(48, 64)
    picture[y : y + height, x : x + width] = mosaicked(height, width, Grid.square(4))
    before = picture.copy()
    restored = restore_image(
        picture, model, RestoreConfig(regions=(region,), block=(4, 4)), COMPUTE
    )
    outside = np.ones(picture.shape[:2], bool)
    outside[y : y + height, x : x + width] = False
    assert np.array_equal(restored.picture[outside], before[outside])
    inside = restored.picture[y : y + height, x : x + width]
    shown = before[y : y + height, x : x + width]
    grid = Grid.square(4)
    assert np.abs(means(inside, grid) - cell_colours(shown, grid)).max() <= 0.5
    assert np.array_equal(picture, before)
    assert cells_of(restored) == grid


def test_a_mosaic_of_the_models_own_block_is_known_at_any_size(model: Model) -> None:
    observed = mosaicked(100, 72, Grid.square(4))
    assert cells_of(restore_image(observed, model, ANYTHING, COMPUTE)) == Grid.square(4)


def test_a_picture_scaled_after_pixelating_has_larger_cells(model: Model) -> None:
    small = mosaicked(32, 32, Grid.square(4))
    large = small.repeat(2, axis=0).repeat(2, axis=1)
    assert cells_of(restore_image(large, model, ANYTHING, COMPUTE)) == Grid.square(8)


def test_a_block_given_is_the_block_taken(model: Model) -> None:
    observed = mosaicked(60, 60, Grid.square(12))
    restored = restore_image(observed, model, RestoreConfig(block=(6, 6)), COMPUTE)
    assert cells_of(restored) == Grid.square(6)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (ANYTHING, "no mosaic found"),
        (RestoreConfig(regions=((8, 8, 40, 40),)), "no mosaic found"),
        (RestoreConfig(block=(8, 8)), "no mosaic with cells of 8 x 8 px"),
    ],
)
def test_a_clean_picture_holds_nothing_to_do(
    model: Model, config: RestoreConfig, said: str
) -> None:
    with pytest.raises(DemosaicError, match=said) as caught:
        restore_image(texture(64, 64), model, config, COMPUTE)
    assert caught.value.exit_code == NOTHING_TO_DO
    assert "--block" in str(caught.value)
    assert "--region" in str(caught.value)


def test_the_cells_found_in_a_region_go_on_to_its_ends(model: Model) -> None:
    """As in a region drawn by hand, a little larger than the mosaic."""
    picture = texture(80, 96)
    picture[21:61, 26:74] = mosaicked(40, 48, Grid.square(4))
    restored = restore_image(picture, model, RestoreConfig(regions=((23, 20, 52, 42),)), COMPUTE)
    assert [region.box for region in restored.regions] == [(23, 20, 52, 42)]
    assert cells_of(restored) == Grid.square(4, 3, 1)


@pytest.mark.parametrize("region", [(40, 0, 32, 32), (0, 40, 8, 32), (100, 100, 4, 4)])
def test_a_region_outside_the_picture_is_refused(
    model: Model, region: tuple[int, int, int, int]
) -> None:
    observed = mosaicked(48, 64, Grid.square(4))
    with pytest.raises(DemosaicError, match="is not inside the picture of 64 x 48 px") as caught:
        restore_image(observed, model, RestoreConfig(regions=(region,)), COMPUTE)
    assert caught.value.exit_code == PROBLEM


def test_a_mosaic_stays_restored_where_the_box_of_the_next_covers_it(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = Grid.square(4)
    picture = mosaicked(64, 64, grid)
    corner = np.ones((32, 32), bool)
    corner[:16, :16] = False
    first = Region(Box(0, 0, 32, 32), grid, np.ones((32, 32), bool), 1.0)
    second = Region(Box(16, 16, 32, 32), grid, corner, 1.0)
    monkeypatch.setattr("demosaic.restoration.targets.find_mosaics", lambda image: [first, second])
    restored = restore_image(picture, model, ANYTHING, COMPUTE).picture
    alone = restore_region(picture, first, model, ANYTHING, COMPUTE)
    assert np.array_equal(restored[:32, :32], alone)
    assert not np.array_equal(restored[16:32, 16:32], picture[16:32, 16:32])


def test_a_model_of_other_pictures_restores_whole_pictures_and_reconciles_nothing() -> None:
    picture = texture(40, 56)
    restored = restore_image(picture, a_model(block=None), ANYTHING, COMPUTE)
    assert restored.picture.shape == picture.shape
    assert [region.block for region in restored.regions] == [None]
    assert not np.array_equal(restored.picture, picture)


# Files


def restored_as(
    folder: Path, model: Model, name: str, source: Path, config: RestoreConfig = ANYTHING
) -> Path:
    restore_file(source, folder / name, model, config, COMPUTE)
    return folder / name


def test_a_restored_file_is_written_with_its_folders(folder: Path, model: Model) -> None:
    observed = mosaicked(32, 48, Grid.square(4))
    source = save(folder / "a.png", observed)
    expected = restore_image(observed, model, ANYTHING, COMPUTE).picture
    out = restored_as(folder, model, "deep/er/b.png", source)
    assert np.array_equal(read_image(out), expected)
    assert np.array_equal(read_image(source), observed)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("b.png", "PNG"),
        ("b.jpg", "JPEG"),
        ("b.JPEG", "JPEG"),
        ("b.webp", "WEBP"),
        ("b.tif", "TIFF"),
    ],
)
@pytest.mark.parametrize(
    ("region", "mark"),
    [
        (None, "/trainedAlgorithmicMedia"),
        ((4, 4, 16, 16), "/compositeWithTrainedAlgorithmicMedia"),
    ],
)
def test_a_result_has_the_format_of_its_name_and_says_what_it_is(
    folder: Path,
    model: Model,
    name: str,
    kind: str,
    region: tuple[int, int, int, int] | None,
    mark: str,
) -> None:
    observed = mosaicked(32, 32, Grid.square(4))
    config = RestoreConfig(regions=(region,) if region else ())
    out = restored_as(folder, model, name, save(folder / "a.png", observed), config)
    with Image.open(out) as image:
        assert (image.format, image.size) == (kind, (32, 32))
        if kind == "JPEG":
            assert image.info.get("progressive") is None
            assert isinstance(image, JpegImageFile)
            layers = image.layer
            assert [layer[1:3] for layer in layers] == [(1, 1)] * 3  # 4:4:4
    raw = out.read_bytes()
    assert b"Iptc4xmpExt:DigitalSourceType=" in raw
    assert mark.encode() in raw
    if kind != "JPEG":
        expected = restore_image(observed, model, config, COMPUTE).picture
        assert np.array_equal(read_image(out), expected)


def test_before_and_after_are_written_side_by_side_when_asked(folder: Path, model: Model) -> None:
    observed = mosaicked(32, 64, Grid.square(4)) // 4 + 96
    source = save(folder / "a.png", observed.astype(np.uint8))
    out = restored_as(folder, model, "b.png", source, RestoreConfig(compare=True))
    both = folder / "b.compare.jpg"
    sheet, after = read_image(both).astype(int), read_image(out)
    assert sheet.shape == (32, 2 * 64 + 2, 3)
    assert np.abs(sheet[:, :64] - observed).mean() < 8
    assert np.abs(sheet[:, -64:] - after).mean() < 8
    assert b"/compositeWithTrainedAlgorithmicMedia" in both.read_bytes()


def test_a_mask_is_read_from_a_file(folder: Path, model: Model) -> None:
    observed = mosaicked(32, 48, Grid.square(4))
    source = save(folder / "a.png", observed)
    white = np.zeros((32, 48, 3), np.uint8)
    white[8:28, 4:44] = 255
    config = RestoreConfig(mask=str(save(folder / "mask.png", white)), block=(4, 4))
    changed = read_image(restored_as(folder, model, "b.png", source, config)) != observed
    assert changed[8:28, 4:44].any()
    assert not changed[white == 0].any()


def test_a_format_that_nobody_knows_is_refused(folder: Path, model: Model) -> None:
    source = save(folder / "a.png", mosaicked(32, 32, Grid.square(4)))
    with pytest.raises(
        DemosaicError, match="unknown picture format; end the name in one of"
    ) as caught:
        restored_as(folder, model, "b.xyz", source)
    assert str(folder / "b.xyz") in str(caught.value)
    assert [path.name for path in folder.iterdir()] == ["a.png"]


@pytest.mark.parametrize("name", ["b.png", "b.jpg", "b.tif", "b.webp"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_exif_stays_with_the_turn_of_the_file(
    folder: Path, model: Model, kind: str, name: str
) -> None:
    observed = mosaicked(32, 48, Grid.square(4))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    exif[0x010F] = "A camera"
    source = folder / f"a.{kind.lower()}"
    options = {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    Image.fromarray(np.rot90(observed)).save(source, kind, exif=exif, **options)
    out = restored_as(folder, model, name, source, RestoreConfig(block=(4, 4)))
    with Image.open(out) as image:
        image.load()  # Pillow turns a TIFF by itself, and drops the turn from its EXIF
        found = image.getexif()
        turned = kind == "TIFF" or name == "b.tif"
        assert (image.size, found.get(0x0112)) == (((48, 32), None) if turned else ((32, 48), 6))
        assert found.get(0x010F) == "A camera"
    assert read_image(out).shape == (32, 48, 3)
    assert b"/trainedAlgorithmicMedia" in out.read_bytes()


def test_the_colour_profile_stays(folder: Path, model: Model) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    observed = mosaicked(32, 32, Grid.square(4))
    Image.fromarray(observed).save(folder / "a.png", icc_profile=profile)
    with Image.open(restored_as(folder, model, "b.png", folder / "a.png")) as image:
        assert image.info["icc_profile"] == profile


def test_transparency_stays(folder: Path, model: Model) -> None:
    observed = mosaicked(32, 32, Grid.square(4))
    alpha = texture(32, 32, seed=5)[:, :, :1]
    Image.fromarray(np.concatenate([observed, alpha], axis=2)).save(folder / "a.png")
    with Image.open(restored_as(folder, model, "b.png", folder / "a.png")) as image:
        assert image.mode == "RGBA"
        assert np.array_equal(np.asarray(image)[:, :, 3:], alpha)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("colours", [1, 3, 4])
def test_a_picture_of_sixteen_bits_comes_back_in_sixteen(
    folder: Path, model: Model, colours: int, suffix: str
) -> None:
    """Untouched round its mosaic, and in it what the same picture of 8 bits becomes."""
    source = folder / f"a{suffix}"
    stored = np.random.default_rng(0).integers(0, 65536, (64, 80, colours), dtype=np.uint16)
    stored[16:48, 20:60] = mosaicked(32, 40, Grid.square(4))[..., [0, 1, 2, 0][:colours]] * 256.0
    cv2.imwrite(str(source), stored)
    config = RestoreConfig(regions=((20, 16, 40, 32),), block=(4, 4))
    out = restored_as(folder, model, f"b{suffix}", source, config)
    found = np.asarray(cv2.imread(str(out), cv2.IMREAD_UNCHANGED))
    expected = restore_image(read_image(source), model, config, COMPUTE).picture
    inside = np.zeros((64, 80), bool)
    inside[16:48, 20:60] = True
    assert found.dtype == np.uint16
    found = found.reshape(64, 80, -1)
    assert found.shape == (64, 80, colours)
    assert np.array_equal(found[~inside], stored[~inside])
    made = expected[inside][:, ::-1] if colours > 1 else to_grey(expected)[inside][:, None]
    assert np.abs((found[inside][:, :3] >> 8).astype(int) - made).max() <= (colours == 1)
    assert np.array_equal(found[:, :, 3:], stored[:, :, 3:])
    assert b"/compositeWithTrainedAlgorithmicMedia" in (folder / f"b{suffix}").read_bytes()


def test_every_page_with_a_mosaic_is_restored_and_the_others_stay(
    folder: Path, model: Model
) -> None:
    mosaics = [mosaicked(32, 48, Grid.square(4)), mosaicked(40, 40, Grid.square(4))]
    pages = [Image.fromarray(one) for one in (texture(32, 48), *mosaics)]
    pages[0].save(folder / "a.tif", save_all=True, append_images=pages[1:])
    events: list[Event] = []
    done = restore_file(folder / "a.tif", folder / "b.tif", model, ANYTHING, COMPUTE, events.append)
    assert [region.page for region in done.regions] == [1, 2]
    said = f"{folder / 'a.tif'}: 2 of 3 pictures had a mosaic and are restored"
    assert events == [Notice(said)]
    expected = [texture(32, 48)]
    expected += [restore_image(one, model, ANYTHING, COMPUTE).picture for one in mosaics]
    with Image.open(folder / "b.tif") as image:
        for page, wanted in zip(ImageSequence.Iterator(image), expected, strict=True):
            assert np.array_equal(np.asarray(page), wanted)


def test_the_network_sees_the_colours_of_the_profile(folder: Path, model: Model) -> None:
    """In a profile whose red is blue, the file of swapped colours shows the same picture."""
    observed = mosaicked(32, 32, Grid.square(4)) // 2 + 64
    profile = swapped_profile()
    Image.fromarray(observed[:, :, ::-1].astype(np.uint8)).save(
        folder / "a.png", icc_profile=profile
    )
    original = read_original(folder / "a.png").pages[0].shown
    config = RestoreConfig(block=(4, 4))
    expected = restore_image(original, model, config, COMPUTE).picture
    out = restored_as(folder, model, "b.png", folder / "a.png", config)
    shown = read_original(out).pages[0].shown
    assert np.abs(shown.astype(int) - expected).mean() < 1.5
    assert np.array_equal(restore(folder / "a.png", model=model, config=config).picture, expected)


def test_what_a_result_cannot_keep_is_said_before(folder: Path, model: Model) -> None:
    observed = mosaicked(32, 32, Grid.square(4))
    alpha = np.full((32, 32, 1), 90, np.uint8)
    Image.fromarray(np.concatenate([observed, alpha], axis=2)).save(folder / "a.png")
    events: list[Event] = []
    restore_file(folder / "a.png", folder / "b.jpg", model, ANYTHING, COMPUTE, events.append)
    assert events == [Notice(f"{folder / 'a.png'}: its transparency goes: JPEG has none")]


def test_a_picture_that_cannot_be_restored_is_named(folder: Path, model: Model) -> None:
    source = save(folder / "a [1].png", texture(32, 32))
    with pytest.raises(DemosaicError, match="no mosaic") as caught:
        restored_as(folder, model, "b.png", source)
    assert str(source) in str(caught.value)
    assert caught.value.exit_code == NOTHING_TO_DO


def test_a_saved_model_restores_as_the_one_in_memory(tmp_path: Path, model: Model) -> None:
    save_model(tmp_path / "model.safetensors", model.generator, model.card)
    observed = mosaicked(32, 32, Grid.square(4))
    first = restore_image(observed, model, ANYTHING, COMPUTE)
    second = restore_image(
        observed, load_model(tmp_path / "model.safetensors", CPU), ANYTHING, COMPUTE
    )
    assert np.array_equal(first.picture, second.picture)


# With a model of our recipe


@pytest.mark.parametrize("realism", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("height", "width", "grid"),
    [
        (64, 64, Grid.square(8)),
        (40, 20, Grid.square(4)),
        (33, 50, Grid.square(5, 3, 1)),
        (7, 5, Grid.square(4)),
        (3, 3, Grid.square(4)),
        (61, 47, Grid.square(40, 7, 9)),
        (90, 70, Grid.square(2)),
        (40, 60, Grid(6, 9, 1, 2)),
        (300, 100, Grid.square(50)),
    ],
)
def test_ours_pixelates_exactly_to_what_was_shown(
    height: int, width: int, grid: Grid, realism: float
) -> None:
    observed = mosaicked(height, width, grid)
    before = observed.copy()
    restored = restore_face(observed, grid, our_model(), compute=COMPUTE, realism=realism)
    assert restored.shape == observed.shape
    assert restored.dtype == np.uint8
    assert np.abs(means(restored, grid) - cell_colours(observed, grid)).max() < 1e-6
    assert (restored != observed).mean() > 0.5
    assert np.array_equal(observed, before)


@pytest.mark.parametrize("block", [2, 3, 4, 7, 12, 16, 25, 32, 40, 64])
def test_one_model_of_ours_restores_every_block(block: int) -> None:
    grid = Grid.square(block)
    observed = mosaicked(5 * block, 4 * block, grid)
    found = restore_image(observed, our_model(), RestoreConfig(block=(block, block)), COMPUTE)
    assert cells_of(found) == grid
    assert np.abs(means(found.picture, grid) - cell_colours(observed, grid)).max() < 1e-6


@pytest.mark.parametrize(
    ("rows", "columns", "expected"),
    [(8, 8, (64, 64)), (4, 8, (32, 64)), (2, 2, (64, 64)), (1, 1, (32, 32)), (40, 30, (160, 128))],
)
def test_cells_are_shown_so_large_that_the_whole_is_as_in_training(
    rows: int, columns: int, expected: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """But no cell larger or smaller than those it was trained on."""
    model, seen = our_model(size=64), []
    real = Restorer.forward

    def note(restorer: Restorer, shown: Views, *how: Any) -> torch.Tensor:
        seen.append(tuple(shown.seen.shape[2:]))
        return real(restorer, shown, *how)

    monkeypatch.setattr(Restorer, "forward", note)
    grid = Grid.square(10)
    restore_face(mosaicked(10 * rows, 10 * columns, grid), grid, model, compute=COMPUTE)
    assert seen == [expected]


@pytest.mark.parametrize(
    ("height", "width", "grid"),
    [
        (64, 64, Grid.square(8)),
        (48, 48, Grid.square(8, 3, 5)),
        (128, 128, Grid.square(16)),
        (60, 60, Grid.square(12)),
        (100, 60, Grid.square(20)),
        (55, 70, Grid(9, 7, 4, 2)),
    ],
)
def test_every_cell_of_ours_comes_back_in_its_place(height: int, width: int, grid: Grid) -> None:
    """A new model gives back `base`, whose cells are those shown."""
    y, x = np.mgrid[:height, :width] / 64
    smooth = np.stack([np.sin(2 * x + y), np.cos(3 * y), np.sin(x) * np.cos(2 * y)])
    colours = np.rint(127 + 100 * cells(smooth, grid)).astype(np.float32)
    observed = paint_cells(colours, grid, (height, width))
    model = our_model(wild=False)
    restored = restore_face(observed, grid, model, compute=COMPUTE, consistency=0)
    assert np.abs(means(restored, grid) - colours)[:, 1:-1, 1:-1].mean() < 2


def test_a_picture_twice_as_large_restores_to_the_same_face_with_ours() -> None:
    small = mosaicked(64, 64, Grid.square(8))
    large = small.repeat(2, axis=0).repeat(2, axis=1)
    model = our_model(wild=False)
    assert isinstance(model.generator, Restorer)
    torch.nn.init.normal_(model.generator.faithful.head.weight, std=0.05)
    first, second = (
        restore_face(picture, grid, model, compute=COMPUTE, realism=0, consistency=0)
        for picture, grid in ((small, Grid.square(8)), (large, Grid.square(16)))
    )
    halved = means(second, Grid.square(2)).transpose(1, 2, 0)
    assert np.abs(first.astype(float) - small).mean() > 20
    assert np.abs(halved - first).mean() < 3


def test_a_region_is_shown_with_a_quarter_more_of_the_picture_on_each_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And what is round it is neither hidden nor pixelated."""
    picture, grid, seen = texture(96, 96), Grid.square(8), []
    picture[32:64, 24:72] = mosaicked(32, 48, grid)
    real = Restorer.forward

    def note(restorer: Restorer, shown: Views, *how: Any) -> torch.Tensor:
        seen.append(shown)
        return real(restorer, shown, *how)

    monkeypatch.setattr(Restorer, "forward", note)
    config = RestoreConfig(regions=((24, 32, 48, 32),), block=(8, 8))
    restore_image(picture, our_model(size=72), config, COMPUTE)
    (shown,) = seen
    hidden = shown.hidden[0, 0].numpy()
    rows, columns = np.nonzero(hidden)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 39, 12, 59)
    assert hidden.sum() == 32 * 48
    around = np.asarray(shown.seen[0, :, :48, :72].numpy() * 127.5 + 127.5).transpose(1, 2, 0)
    visible = hidden[:48, :72] == 0
    assert np.abs(around - picture[24:72, 12:84])[visible].max() < 1e-3


def test_realism_goes_from_the_faithful_to_the_sharp() -> None:
    grid, model = Grid.square(8), our_model()
    observed = mosaicked(64, 64, grid)
    assert isinstance(model.generator, Restorer)
    assert isinstance(model.generator.sharp, ResUNet)
    alone = [
        TwoStageModel(Restorer(network, None), replace(model.card, sharp=False))
        for network in (model.generator.faithful, model.generator.sharp)
    ]
    ends = [restore_face(observed, grid, one, compute=COMPUTE) for one in alone]
    found = [
        restore_face(observed, grid, model, compute=COMPUTE, realism=realism)
        for realism in (0.0, 1.0)
    ]
    assert not np.array_equal(ends[0], ends[1])
    assert all(np.array_equal(a, b) for a, b in zip(found, ends, strict=True))
    between = restore_face(observed, grid, model, compute=COMPUTE, realism=0.5).astype(float)
    for end in ends:
        distance = np.abs(between - end).mean()
        assert 0 < distance < np.abs(ends[0].astype(float) - ends[1]).mean()


def test_the_realism_asked_for_arrives_and_is_a_half_when_none_is() -> None:
    grid, model = Grid.square(8), our_model()
    observed = mosaicked(64, 64, grid)
    for config, realism in ((ANYTHING, 0.5), (RestoreConfig(realism=0.9), 0.9)):
        expected = restore_face(observed, grid, model, compute=COMPUTE, realism=realism)
        config = replace(config, block=(8, 8))
        assert np.array_equal(restore_image(observed, model, config, COMPUTE).picture, expected)


def test_a_model_without_a_second_stage_knows_the_mean_only() -> None:
    grid, model = Grid.square(8), our_model(sharp=False)
    observed = mosaicked(64, 64, grid)
    found = [
        restore_face(observed, grid, model, compute=COMPUTE, realism=realism)
        for realism in (0.0, 1.0)
    ]
    assert np.array_equal(found[0], found[1])


def test_without_reconciling_ours_speaks_for_itself_too() -> None:
    """For mosaics whose cells are no means: they are then not to be agreed with."""
    grid, model = Grid.square(8), our_model(wild=False)
    observed = (mosaicked(64, 64, grid) // 4 + 96).astype(np.uint8)
    assert isinstance(model.generator, Restorer)
    assert model.generator.faithful.head.bias is not None
    model.generator.faithful.head.bias.fill_(0.2)
    restored = restore_face(observed, grid, model, compute=COMPUTE, consistency=0, realism=0)
    brighter = means(restored, grid) - cell_colours(observed, grid)
    assert brighter.mean() == pytest.approx(0.2 * 127.5, abs=1)


@pytest.mark.parametrize("block", [4, 5, 8, 11, 16, 23, 32])
def test_a_mosaic_of_any_block_that_ours_knows_is_found(block: int) -> None:
    observed = mosaicked(6 * block + 3, 5 * block + 1, Grid.square(block))
    assert cells_of(restore_image(observed, our_model(), ANYTHING, COMPUTE)) == Grid.square(block)


def test_larger_cells_are_found_in_a_larger_picture() -> None:
    observed = mosaicked(480, 480, Grid.square(60))
    assert cells_of(restore_image(observed, our_model(size=64), ANYTHING, COMPUTE)) == Grid.square(
        60
    )


def test_a_clean_picture_holds_nothing_to_do_for_ours() -> None:
    with pytest.raises(DemosaicError, match="no mosaic found") as caught:
        restore_image(texture(64, 64), our_model(), ANYTHING, COMPUTE)
    assert caught.value.exit_code == NOTHING_TO_DO


@pytest.mark.parametrize("region", [(8, 12, 40, 24), (0, 0, 17, 9), (30, 20, 34, 28)])
def test_pixels_outside_the_region_are_bit_identical_with_ours(
    region: tuple[int, int, int, int],
) -> None:
    x, y, width, height = region
    picture = texture(48, 64)
    picture[y : y + height, x : x + width] = mosaicked(height, width, Grid.square(8))
    before = picture.copy()
    config = RestoreConfig(regions=(region,), block=(8, 8))
    restored = restore_image(picture, our_model(), config, COMPUTE)
    outside = np.ones(picture.shape[:2], bool)
    outside[y : y + height, x : x + width] = False
    assert np.array_equal(restored.picture[outside], before[outside])
    assert not np.array_equal(restored.picture, before)
    assert np.array_equal(picture, before)


@pytest.mark.parametrize("sharp", [True, False])
def test_a_saved_model_of_ours_restores_as_the_one_in_memory(tmp_path: Path, sharp: bool) -> None:
    observed, model = mosaicked(64, 64, Grid.square(8)), our_model(sharp=sharp)
    save_model(tmp_path / "model.safetensors", model.generator, model.card)
    loaded = load_model(tmp_path / "model.safetensors", CPU)
    for realism in (0.0, 0.5, 1.0):
        config = RestoreConfig(block=(8, 8), realism=realism)
        first = restore_image(observed, model, config, COMPUTE).picture
        second = restore_image(observed, loaded, config, COMPUTE).picture
        assert np.abs(first.astype(int) - second).max() <= 1


# Draws


def test_the_spread_is_the_standard_deviation_of_draws_inside_the_mosaic() -> None:
    grid, model = Grid.square(8), drawing_model(64)
    image = texture(64, 80)
    image[8:56, 16:64] = mosaicked(48, 48, grid)
    config = RestoreConfig(regions=((16, 8, 48, 48),), block=(8, 8), sampler="mean", spread=True)
    spread = restore_image(image, model, config, COMPUTE).spread
    assert spread is not None
    draws = [
        restore_image(image, model, replace(config, realism=1.0, seed=seed), COMPUTE).picture
        for seed in range(8)
    ]
    expected = np.std(np.stack(draws).astype(float), axis=0, ddof=1).mean(axis=2)
    assert np.allclose(spread, expected, rtol=0, atol=1e-3)
    outside = np.ones((64, 80), bool)
    outside[8:56, 16:64] = False
    assert (spread[outside] == 0).all() and (spread[~outside] > 0).mean() > 0.9


def test_draws_at_realism_0_would_be_the_same_and_are_refused() -> None:
    with pytest.raises(DemosaicError, match="--samples: with --realism 0 all would be the same"):
        RestoreConfig(samples=2, realism=0)
