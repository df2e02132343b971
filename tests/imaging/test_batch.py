"""Pictures on disk: which are restored, where the results go, and what is said of each."""

from pathlib import Path

import pytest

from demosaic.errors import NOTHING_TO_DO, PROBLEM, USAGE, DemosaicError, DiskFull
from demosaic.events import Event, Listener, Notice
from demosaic.files import make_folder
from demosaic.imaging.batch import Job, do_all, plan
from doubles import save, texture

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
    webp = save(folder / "in" / "d.webp", texture(4, 4))
    jobs = plan([folder / "**" / "*.png"], folder / "out", "restored", force=False)
    assert [job.source for job in jobs] == found
    assert str(refusal([folder / "*.gif"], None)) == f"there is no file {folder / '*.gif'}"
    for pattern, expected in ((Path("**.png"), found[:1]), (Path("in/**"), [*found[1:], webp])):
        jobs = plan([folder / pattern], folder / "out", "restored", force=False)
        assert [job.source for job in jobs] == expected


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


def test_a_full_disk_stops_the_batch_at_once_and_nothing_else_does(tmp_path: Path) -> None:
    jobs = [Job(tmp_path / f"{number}.png", tmp_path / "out") for number in range(4)]
    tried: list[Job] = []

    def do(job: Job, listen: Listener) -> Notice:
        tried.append(job)
        if len(tried) == 2:
            raise DemosaicError("no picture")
        if len(tried) == 3:
            raise DiskFull("cannot write out: the disk is full")
        return Notice("done")

    with pytest.raises(DiskFull, match="the disk is full"):
        do_all(jobs, do, "restored")
    assert tried == jobs[:3]


def test_what_failed_is_counted_and_nothing_to_do_is_no_failure(tmp_path: Path) -> None:
    codes = iter([0, PROBLEM, NOTHING_TO_DO])

    def do(job: Job, listen: Listener) -> Notice:
        code = next(codes)
        if code:
            raise DemosaicError("why", code)
        return Notice("done")

    jobs = [Job(tmp_path / f"{number}.png", tmp_path / "out") for number in range(3)]
    report = do_all(jobs, do, "restored")
    assert (len(report.results), len(report.skipped), report.failed) == (1, 2, 1)
