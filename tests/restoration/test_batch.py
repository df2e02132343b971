"""Files restored: what is reported of each, and what is written."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from demosaic.config.restoration import RestoreConfig
from demosaic.errors import NOTHING_TO_DO, PROBLEM, USAGE, DemosaicError
from demosaic.events import Event, Notice, PicturesDone, PicturesFound
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.decoding import read_image
from demosaic.models.checkpoint import save_model
from demosaic.mosaic.grid import Grid
from demosaic.mosaic.pixelate import cell_colours
from demosaic.restoration.batch import restore_files
from demosaic.restoration.events import PictureRestored, RegionRestored
from doubles import ANYTHING, a_model, drawing_model, means, mosaicked, save, texture


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    model = a_model()
    save_model(path, model.generator, model.card)
    return path


def test_one_bad_picture_of_three_is_named_and_the_others_done(
    folder: Path, model_file: Path
) -> None:
    grid = Grid.square(4)
    good = [save(folder / name, mosaicked(32, 32, grid)) for name in ("a.png", "c.png")]
    bad = folder / "b [1].png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    pictures, out = [good[0], bad, good[1]], folder / "out"
    events: list[Event] = []
    report = restore_files(pictures, out, model=model_file, config=ANYTHING, listen=events.append)
    region = RegionRestored((0, 0, 32, 32), (4, 4), (0, 0), "mean", 1.0, 0.0)
    assert report.results == tuple(
        PictureRestored(str(path), str(out / f"{path.stem}.restored.png"), (region,))
        for path in good
    )
    (skipped,) = report.skipped
    assert (skipped.picture, str(bad) in skipped.reason) == (str(bad), True)
    assert events == [
        Notice(f"model {model_file} (--model): 6 steps"),
        PicturesFound(3),
        report.results[0],
        skipped,
        report.results[1],
        PicturesDone("restored", 2, 3),
    ]
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "a.restored.png",
        "c.restored.png",
    ]


def test_when_none_of_several_is_restored_it_is_an_error(folder: Path, model_file: Path) -> None:
    sources = [save(folder / name, texture(32, 32)) for name in ("a.png", "b.png")]
    with pytest.raises(DemosaicError, match="none of 2 pictures was restored") as caught:
        restore_files(sources, model=model_file, config=ANYTHING)
    assert caught.value.exit_code == NOTHING_TO_DO
    assert str(sources[0]) in str(caught.value)


def test_a_single_bad_picture_is_its_own_error(folder: Path, model_file: Path) -> None:
    source = folder / "a.png"
    source.write_bytes(b"")
    with pytest.raises(DemosaicError, match="empty file") as caught:
        restore_files([source], model=model_file, config=ANYTHING)
    assert (str(source) in str(caught.value), caught.value.exit_code) == (True, PROBLEM)


def test_a_mistake_of_ours_is_not_left_out_as_a_damaged_picture(
    folder: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(*arguments: object) -> Pixels:
        raise TypeError("a mistake of ours")

    sources = [
        save(folder / name, mosaicked(32, 32, Grid.square(4))) for name in ("a.png", "b.png")
    ]
    monkeypatch.setattr("demosaic.imaging.stored.shown_colours", mistaken)
    with pytest.raises(TypeError, match=r"^a mistake of ours$"):
        restore_files(sources, model=model_file, config=ANYTHING)


def test_a_model_of_other_pictures_says_that_its_output_is_used_as_it_is(folder: Path) -> None:
    other = a_model(block=None)
    save_model(folder / "model.safetensors", other.generator, other.card)
    source = save(folder / "a.png", texture(20, 30))
    events: list[Event] = []
    model, out = folder / "model.safetensors", folder / "a.restored.png"
    report = restore_files([source], model=model, config=ANYTHING, listen=events.append)
    assert isinstance(events[1], Notice) and "used as it is" in events[1].text
    whole = RegionRestored((0, 0, 30, 20), None, (0, 0), None, 1.0, 0.0)
    assert report.results == (PictureRestored(str(source), str(out), (whole,)),)
    assert read_image(out).shape == (20, 30, 3)


def test_pictures_without_a_mosaic_are_copied_when_asked(folder: Path, model_file: Path) -> None:
    clean = save(folder / "in" / "deep" / "clean.png", texture(32, 32))
    save(folder / "in" / "a.png", mosaicked(32, 32, Grid.square(4)))
    (folder / "in" / "broken.png").write_bytes(b"")
    config = RestoreConfig(copy_untouched=True)
    report = restore_files([folder / "in"], folder / "out", model=model_file, config=config)
    assert (len(report.results), len(report.skipped)) == (1, 2)
    written = {path for path in (folder / "out").rglob("*") if path.is_file()}
    assert written == {folder / "out" / "a.restored.png", folder / "out" / "deep" / "clean.png"}
    assert (folder / "out" / "deep" / "clean.png").read_bytes() == clean.read_bytes()


def test_a_copy_replaces_nothing(folder: Path, model_file: Path) -> None:
    """Neither the picture itself, nor another."""
    clean = save(folder / "clean.png", texture(32, 32))
    other = save(folder / "out" / "clean.png", texture(8, 8))
    before = clean.read_bytes(), other.read_bytes()
    for out in (None, folder / "out"):
        with pytest.raises(DemosaicError, match="no mosaic"):
            restore_files(
                [clean],
                out,
                force=True,
                model=model_file,
                config=RestoreConfig(copy_untouched=True),
            )
    assert (clean.read_bytes(), other.read_bytes()) == before


def test_where_before_and_after_lie_is_reported(folder: Path, model_file: Path) -> None:
    source = save(folder / "a.png", mosaicked(32, 32, Grid.square(4)))
    config = replace(ANYTHING, compare=True)
    (done,) = restore_files(source, model=model_file, config=config).results
    assert done.comparison == str(folder / "a.compare.jpg")
    assert (folder / "a.compare.jpg").exists()


# Draws


@pytest.fixture(scope="module")
def drawing_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("draws") / "model.safetensors"
    model = drawing_model(32)
    save_model(path, model.generator, model.card)
    return path


def test_every_draw_is_another_face_that_pixelates_back_exactly(
    folder: Path, drawing_file: Path
) -> None:
    grid, observed = Grid.square(8), mosaicked(48, 48, Grid.square(8))
    source = save(folder / "a.png", observed)
    config = RestoreConfig(regions="whole", block=(8, 8), sampler="mean", samples=3, seed=5)
    (done,) = restore_files(source, model=drawing_file, config=config).results
    files = [folder / f"a.restored-{number}.png" for number in (1, 2, 3)]
    assert isinstance(done, PictureRestored)
    assert (done.out, done.samples) == (str(files[0]), tuple(map(str, files)))
    assert {path.name for path in folder.iterdir()} == {"a.png", *(path.name for path in files)}
    pictures = [read_image(path) for path in files]
    for picture in pictures:
        assert np.abs(means(picture, grid) - cell_colours(observed, grid)).max() <= 0.5
    assert not np.array_equal(pictures[0], pictures[1])
    alone = replace(config, samples=1, seed=6)
    restore_files(source, folder / "b.png", model=drawing_file, config=alone)
    assert np.array_equal(read_image(folder / "b.png"), pictures[1])


def test_draws_that_are_there_stay_and_those_of_a_stopped_command_are_done_again(
    folder: Path, drawing_file: Path
) -> None:
    source = save(folder / "a.png", mosaicked(32, 32, Grid.square(4)))
    config = replace(ANYTHING, samples=2)
    restore_files(source, model=drawing_file, config=config)
    with pytest.raises(DemosaicError, match=r"a\.restored-1\.png is already there: --force"):
        restore_files(source, model=drawing_file, config=config)
    (folder / "a.restored-1.png").unlink()
    restore_files(source, model=drawing_file, config=config)
    assert (folder / "a.restored-1.png").exists()


def test_the_spread_is_a_heat_map_beside_the_result(folder: Path, drawing_file: Path) -> None:
    source = save(folder / "a.png", mosaicked(32, 32, Grid.square(4)))
    config = replace(ANYTHING, spread=True, realism=0.0)
    (done,) = restore_files(source, model=drawing_file, config=config).results
    assert isinstance(done, PictureRestored)
    assert done.spread == str(folder / "a.spread.png")
    assert read_image(folder / "a.spread.png").shape == (72, 32, 3)


@pytest.mark.parametrize(
    ("config", "asked"),
    [
        (replace(ANYTHING, samples=2), "--samples"),
        (replace(ANYTHING, spread=True), "--spread"),
        (replace(ANYTHING, samples=2, spread=True), "--samples and --spread"),
    ],
)
def test_a_model_that_does_not_draw_says_so_before_anything_is_written(
    config: RestoreConfig, asked: str, folder: Path, model_file: Path
) -> None:
    sources = [
        save(folder / name, mosaicked(32, 32, Grid.square(4))) for name in ("a.png", "b.png")
    ]
    with pytest.raises(
        DemosaicError, match=f"^{asked}: this model always gives the same"
    ) as caught:
        restore_files(sources, folder / "out", model=model_file, config=config)
    assert caught.value.exit_code == USAGE
    assert not (folder / "out").exists()


def test_draws_are_for_pictures_not_for_clips(folder: Path, drawing_file: Path) -> None:
    pytest.importorskip("av")
    (folder / "a.mp4").write_bytes(b"")
    with pytest.raises(DemosaicError, match="--samples and --spread are for pictures"):
        restore_files(folder / "a.mp4", model=drawing_file, config=replace(ANYTHING, samples=2))
