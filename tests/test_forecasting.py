"""A forecast looks at photos as a build does, and writes nothing."""

import shutil
from functools import partial
from pathlib import Path

import pytest

from demosaic import forecasting
from demosaic.building import build_dataset
from demosaic.config import BuildConfig
from demosaic.errors import DemosaicError
from demosaic.events import Event, Forecast, PhotoDone, PhotosFound
from demosaic.faces import MediaPipeDetector

CONFIG = BuildConfig(size=64, block=8)
DETECTOR = partial(MediaPipeDetector, 0.5)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_forecast_of_all_photos_comes_true(workers: int, photos: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    foreseen = forecasting.forecast(
        photos,
        tmp_path / "out",
        CONFIG,
        make_detector=DETECTOR,
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


def test_a_forecast_scales_what_a_sample_gives(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecasting, "_SAMPLE", 6)

    def foreseen() -> Forecast:
        return forecasting.forecast(photos, tmp_path / "out", CONFIG, make_detector=DETECTOR)

    first, again = foreseen(), foreseen()
    assert (first.photos, first.sampled) == (24, 6)
    assert 24 <= first.pairs <= 48
    assert first.pairs % 4 == 0
    assert (again.pairs, again.megabytes) == (first.pairs, first.megabytes)


def test_what_a_build_would_refuse_is_refused(photos: Path, tmp_path: Path) -> None:
    shutil.copytree(photos / "person-000", tmp_path / "photos")
    with pytest.raises(DemosaicError, match="where nothing is written"):
        forecasting.forecast(
            tmp_path / "photos", tmp_path / "photos" / "out", CONFIG, make_detector=DETECTOR
        )
    nobody = BuildConfig(group_by="guest-([0-9]+)")
    with pytest.raises(DemosaicError, match="finds nothing in any photo's name"):
        forecasting.forecast(tmp_path / "photos", tmp_path / "out", nobody, make_detector=DETECTOR)


def test_the_time_counts_the_start_once_and_each_photo() -> None:
    assert forecasting._seconds([10.0, 13.0, 13.5, 14.0], 101) == pytest.approx(3 + 100 * 0.5)
    assert forecasting._seconds([10.0, 13.0], 1) == pytest.approx(3)
