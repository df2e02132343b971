"""Pictures on disk: which are restored, where the results go, and what is said of each."""

from pathlib import Path

import pytest
from PIL import Image

from demosaic.config.restoration import RestoreConfig
from demosaic.errors import NOTHING_TO_DO, PROBLEM, USAGE, DemosaicError
from demosaic.events import Event, Notice, PicturesDone, PicturesFound
from demosaic.files import make_folder
from demosaic.imaging.batch import Job, plan
from demosaic.imaging.decoding import read_image
from demosaic.models.checkpoint import save_model
from demosaic.mosaic.grid import Grid
from demosaic.restoration.batch import restore_files
from demosaic.restoration.events import PictureRestored, RegionRestored
from doubles import ANYTHING, a_model, mosaicked, save, texture


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    model = a_model()
    save_model(path, model.generator, model.card)
    return path


# Where to


def refusal(sources: list[Path], out: Path | None, *, force: bool = False) -> DemosaicError:
    with pytest.raises(DemosaicError) as caught:
        plan(sources, out, "restored", force=force)
    return caught.value


def test_a_result_goes_beside_its_picture(folder: Path) -> None:
    source = save(folder / "a [1].face.png", texture(4, 4))
    job = Job(source, folder / "a [1].face.restored.png")
    assert plan([source], None, "restored", force=False) == [job]


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("a.jpg", "a.restored.jpg"),
        ("a.JPEG", "a.restored.JPEG"),
        ("a.tiff", "a.restored.tiff"),
        ("a.webp", "a.restored.webp"),
        ("a.heic", "a.restored.png"),
        ("a", "a.restored.png"),
    ],
)
def test_a_result_has_the_format_of_its_picture_where_that_can_be_written(
    folder: Path, name: str, result: str
) -> None:
    source = save(folder / name, texture(4, 4))
    assert plan([source], None, "restored", force=False) == [Job(source, folder / result)]


def test_a_pattern_means_the_files_that_match_it(folder: Path) -> None:
    """As a shell that does not resolve it hands it over."""
    found = [save(folder / name, texture(4, 4)) for name in ("a.png", "in/b.png", "in/c.png")]
    save(folder / "in" / "d.webp", texture(4, 4))
    jobs = plan([folder / "**" / "*.png"], folder / "out", "restored", force=False)
    assert [job.source for job in jobs] == found
    assert str(refusal([folder / "*.gif"], None)) == f"there is no file {folder / '*.gif'}"
    assert str(refusal([folder / "**.png"], None)) == f"there is no file {folder / '**.png'}"


def test_a_result_goes_where_it_is_told(folder: Path) -> None:
    source = save(folder / "a.png", texture(4, 4))
    second = save(folder / "b.png", texture(4, 4))
    out = folder / "out"
    assert plan([source], out / "x.jpg", "restored", force=False) == [Job(source, out / "x.jpg")]
    assert plan([source], out, "restored", force=False) == [Job(source, out / "a.restored.png")]
    assert plan([source, second], out, "restored", force=False) == [
        Job(source, out / "a.restored.png"),
        Job(second, out / "b.restored.png"),
    ]


def test_several_pictures_need_a_folder_and_not_a_file(folder: Path) -> None:
    source = save(folder / "in" / "a.png", texture(4, 4))
    second = save(folder / "b.png", texture(4, 4))
    for sources in ([source, second], [folder / "in"]):
        for name in ("x.png", "x.JPG", "x.mp4"):
            error = refusal(sources, folder / name)
            named = f"--out {folder / name}: name a folder for several pictures"
            assert (str(error), error.exit_code) == (named, USAGE)
    (folder / "y.png").mkdir()
    assert len(plan([source, second], folder / "y.png", "restored", force=False)) == 2


def test_a_picture_named_twice_is_one_picture(folder: Path) -> None:
    source = save(folder / "a.png", texture(4, 4))
    assert len(plan([source, folder / "*.png"], None, "restored", force=False)) == 1


def test_a_link_to_itself_is_no_place_for_results(folder: Path) -> None:
    source = save(folder / "a.png", texture(4, 4))
    (folder / "self").symlink_to("self")
    assert [job.source for job in plan([source], folder / "self", "restored", force=False)]
    with pytest.raises(DemosaicError, match="self is not a folder: choose another name"):
        make_folder(folder / "self")


def test_a_folder_is_mirrored_under_out(folder: Path) -> None:
    source = folder / "in"
    for name in ("a.png", "deep/er/a.png", "deep/b [2].png"):
        save(source / name, texture(4, 4))
    found = plan([source], folder / "out", "restored", force=False)
    assert sorted(job.out.relative_to(folder).as_posix() for job in found) == [
        "out/a.restored.png",
        "out/deep/b [2].restored.png",
        "out/deep/er/a.restored.png",
    ]
    assert not (folder / "out").exists()


def test_a_folder_needs_somewhere_to_go(folder: Path) -> None:
    save(folder / "in" / "a.png", texture(4, 4))
    said = str(refusal([folder / "in"], None))
    assert str(folder / "in") in said
    assert "--out" in said


def test_an_empty_folder_is_nothing_to_do(folder: Path) -> None:
    error = refusal([folder], folder.parent / "out")
    assert error.exit_code == NOTHING_TO_DO
    assert str(folder) in str(error)


def test_a_missing_picture_is_named(folder: Path) -> None:
    missing = folder / "no [1].png"
    assert str(refusal([missing], None)) == f"there is no file {missing}"


def test_a_result_already_there_needs_force(folder: Path) -> None:
    source = save(folder / "a.png", texture(4, 4))
    result = save(folder / "a.restored.png", texture(4, 4))
    error = refusal([source], None)
    assert (str(error), error.exit_code) == (
        f"{result} is already there: --force replaces it",
        PROBLEM,
    )
    assert plan([source], None, "restored", force=True) == [Job(source, result)]


def test_several_pictures_go_on_with_those_that_have_no_result_yet(folder: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        save(folder / "in" / name, texture(4, 4))
    out = folder / "out"
    save(out / "b.restored.png", texture(4, 4))
    events: list[Event] = []
    jobs = plan([folder / "in"], out, "restored", force=False, listen=events.append)
    assert [job.source.name for job in jobs] == ["a.png", "c.png"]
    assert events == [Notice("1 results are already there: --force redoes them")]
    for name in ("a", "c"):
        save(out / f"{name}.restored.png", texture(4, 4))
    error = refusal([folder / "in"], out)
    assert (str(error), error.exit_code) == (
        "all 3 results are already there: --force replaces them",
        NOTHING_TO_DO,
    )


def test_two_pictures_of_one_stem_have_results_of_their_own(folder: Path) -> None:
    for name in ("a.png", "a.heic", "b.png"):
        save(folder / "in" / name, texture(4, 4))
    jobs = plan([folder / "in"], folder / "out", "restored", force=False)
    assert [job.out.name for job in jobs] == [
        "a.heic.restored.png",
        "a.png.restored.png",
        "b.restored.png",
    ]


def test_results_are_not_written_into_a_folder_of_pictures(folder: Path) -> None:
    save(folder / "in" / "a.png", texture(4, 4))
    assert "where nothing is written" in str(refusal([folder / "in"], folder / "in" / "out"))


def test_the_picture_itself_is_never_replaced(folder: Path) -> None:
    source = save(folder / "a.png", texture(4, 4))
    (folder / "link.png").symlink_to(source)
    assert "is one of the pictures" in str(refusal([source], source, force=True))
    assert "is one of the pictures" in str(refusal([source], folder / "link.png", force=True))


def test_another_of_the_pictures_is_never_replaced(folder: Path) -> None:
    """`--force` is for results: a picture to be restored is not one."""
    save(folder / "in" / "a.png", texture(4, 4))
    second = save(folder / "in" / "a.restored.png", texture(4, 4))
    with pytest.raises(DemosaicError):
        plan([folder / "in" / "a.png", second], folder / "in", "restored", force=True)


def test_two_pictures_never_share_a_result(folder: Path) -> None:
    sources = [save(folder / name / "a.png", texture(4, 4)) for name in ("one", "two")]
    assert "two pictures would get the same result" in str(refusal(sources, folder / "out"))


# Files


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
        Notice(f"model {model_file} (--model)"),
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
    def mistaken(image: Image.Image) -> Image.Image:
        raise TypeError("a mistake of ours")

    sources = [
        save(folder / name, mosaicked(32, 32, Grid.square(4))) for name in ("a.png", "b.png")
    ]
    monkeypatch.setattr("demosaic.imaging.conversion.to_rgb", mistaken)
    with pytest.raises(TypeError, match=r"^a mistake of ours$"):
        restore_files(sources, model=model_file, config=ANYTHING)


def test_a_model_of_other_pictures_says_that_nothing_is_reconciled(folder: Path) -> None:
    other = a_model(block=None)
    save_model(folder / "model.safetensors", other.generator, other.card)
    source = save(folder / "a.png", texture(20, 30))
    events: list[Event] = []
    model, out = folder / "model.safetensors", folder / "a.restored.png"
    report = restore_files([source], model=model, config=ANYTHING, listen=events.append)
    assert isinstance(events[1], Notice) and "not reconciled" in events[1].text
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
