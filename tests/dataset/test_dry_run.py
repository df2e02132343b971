"""A forecast looks at photos as a build does, and writes nothing."""

import shutil
from functools import partial
from pathlib import Path

import pytest

from demosaic.config.dataset import BuildConfig
from demosaic.dataset import dry_run
from demosaic.dataset.build import build_dataset
from demosaic.dataset.events import Forecast, PhotoDone, PhotosFound
from demosaic.errors import DemosaicError
from demosaic.events import Event
from demosaic.faces.cache import Examiner, FaceCache
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import write_png

CONFIG = BuildConfig(size=64, block=8)
DETECTOR = partial(ShortRangeDetector, 0.5)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_forecast_of_all_photos_comes_true(workers: int, photos: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    foreseen = dry_run.forecast(
        photos,
        tmp_path / "out",
        CONFIG,
        examiner=Examiner(DETECTOR, None),
        workers=workers,
        listen=events.append,
    )
    assert list(tmp_path.iterdir()) == []
    report = build_dataset(
        photos, tmp_path / "out", CONFIG, make_detector=DETECTOR, detector_name="mediapipe"
    )
    assert (foreseen.photos, foreseen.sampled, foreseen.ignored) == (24, 24, 0)
    assert (foreseen.pairs, foreseen.skipped) == (report.pairs, report.skipped)
    written = sum(path.stat().st_size for path in (tmp_path / "out").glob("*/*.png"))
    assert foreseen.megabytes == pytest.approx(written / 1e6)
    assert 0 < foreseen.minutes < 5
    assert events[0] == PhotosFound(24, 0)
    assert sum(event.pairs for event in events if isinstance(event, PhotoDone)) == report.pairs


def test_a_forecast_scales_what_a_sample_gives(photos: Path, tmp_path: Path) -> None:
    def foreseen() -> Forecast:
        examiner = Examiner(DETECTOR, None)
        return dry_run.forecast(photos, tmp_path / "out", CONFIG, examiner=examiner, sample=6)

    first, again = foreseen(), foreseen()
    assert (first.photos, first.sampled) == (24, 6)
    assert 24 <= first.pairs <= 48
    assert first.pairs % 4 == 0
    assert (again.pairs, again.megabytes) == (first.pairs, first.megabytes)


def test_what_a_build_would_refuse_is_refused(photos: Path, tmp_path: Path) -> None:
    shutil.copytree(photos / "person-000", tmp_path / "photos")
    with pytest.raises(DemosaicError, match="where nothing is written"):
        dry_run.forecast(
            tmp_path / "photos",
            tmp_path / "photos" / "out",
            CONFIG,
            examiner=Examiner(DETECTOR, None),
        )
    nobody = BuildConfig(group_by="guest-([0-9]+)")
    with pytest.raises(DemosaicError, match="finds nothing in any photo's name"):
        dry_run.forecast(
            tmp_path / "photos", tmp_path / "out", nobody, examiner=Examiner(DETECTOR, None)
        )


def test_a_forecast_tells_what_is_to_be_added_to_an_earlier_build(
    photos: Path, tmp_path: Path
) -> None:
    album, out, cache = tmp_path / "album", tmp_path / "out", tmp_path / "looks"
    shutil.copytree(photos, album)
    build = partial(build_dataset, make_detector=DETECTOR, detector_name="mediapipe", looks=cache)
    build(album, out, CONFIG)
    (album / "person-000").rename(album / "renamed")
    shutil.rmtree(album / "person-001")
    first, second = sorted(path for path in (album / "person-002").rglob("*") if path.is_file())[:2]
    first.write_bytes(second.read_bytes())
    write_png(album / "new.png", read_image(second)[:, ::-1])
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    remembered = sorted(cache.rglob("*"))

    examiner = Examiner(DETECTOR, FaceCache(cache, "mediapipe"), remember=False)
    foreseen = dry_run.forecast(album, out, CONFIG, examiner=examiner, prune=True)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert sorted(cache.rglob("*")) == remembered
    report = build(album, out, CONFIG, prune=True)
    assert (foreseen.known, foreseen.gone, foreseen.pairs) == (16, 4, 1)
    assert (report.gone, report.new_pairs) == (4, 1)
    assert foreseen.pruned == report.pruned


def test_a_forecast_of_a_finished_build_is_that_nothing_is_to_do(
    photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    report = build_dataset(photos, out, CONFIG, make_detector=DETECTOR, detector_name="mediapipe")

    def unused() -> ShortRangeDetector:
        raise AssertionError("no photo is new")

    foreseen = dry_run.forecast(photos, out, CONFIG, examiner=Examiner(unused, None))
    assert (foreseen.known, foreseen.there) == (24, report.pairs)
    assert (foreseen.pairs, foreseen.megabytes, foreseen.gone) == (0, 0, 0)
    with pytest.raises(DemosaicError, match=r"was built with other options \(block 8 -> 16\)"):
        dry_run.forecast(
            photos, out, BuildConfig(size=64, block=16), examiner=Examiner(DETECTOR, None)
        )


def test_the_time_counts_the_start_once_and_each_photo() -> None:
    def seconds(times: list[float], photos: int) -> float:
        return dry_run.seconds([(photos, dry_run.Pace.of(times))])

    assert seconds([10.0, 13.0, 13.5, 14.0], 101) == pytest.approx(3 + 100 * 0.5)
    assert seconds([10.0, 10.5, 13.5, 14.0], 101) == pytest.approx(3 + 100 * 0.5)
    assert seconds([10.0, 13.0], 1) == pytest.approx(3)
    assert seconds([10.0], 0) == 0
