"""One stream of events, many listeners."""

import io
import json
from dataclasses import FrozenInstanceError, is_dataclass
from pathlib import Path

import pytest

from demosaic import events
from demosaic.dataset import events as building
from demosaic.dataset.events import PhotoDone, PhotoSkipped
from demosaic.doctor import events as examining
from demosaic.evaluation import events as evaluating
from demosaic.evaluation.events import Scores
from demosaic.events import Event, Notice, ignore, log_to, tee, write_to
from demosaic.files import read_lines
from demosaic.models import events as modelling
from demosaic.privacy import events as hiding
from demosaic.restoration import events as restoring
from demosaic.restoration.events import FrameRestored, PictureRestored, RegionRestored
from demosaic.training import events as training
from demosaic.training.events import Evaluated, StepDone

SCORES = Scores(psnr=24.5, ssim=0.75, l1=0.05, cell_error=0.25)

REGION = RegionRestored((8, 16, 120, 96), (12, 16), (0, 3), "mean", 0.94, 0.25)
REGION_RECORD = {
    "box": [8, 16, 120, 96],
    "block": [12, 16],
    "offset": [0, 3],
    "sampler": "mean",
    "confidence": 0.94,
    "cell_error": 0.25,
    "page": 0,
}


def test_every_listener_hears_every_event_in_order() -> None:
    first: list[Event] = []
    second: list[Event] = []
    listen = tee(first.append, second.append, ignore)
    said: list[Event] = [Notice("one"), PhotoDone("a.jpg", 2), Notice("three")]
    for event in said:
        listen(event)
    assert (first, second) == (said, said)


def test_a_record_names_its_kind_and_holds_every_field() -> None:
    assert PhotoSkipped("a.jpg", "no face").records() == [
        {"event": "PhotoSkipped", "photo": "a.jpg", "reason": "no face", "detail": ""}
    ]


def test_nested_records_survive_json() -> None:
    evaluated = Evaluated(10, {"restored": SCORES}, best=True)
    assert json.loads(json.dumps(evaluated.records())) == [
        {
            "event": "Evaluated",
            "step": 10,
            "scores": {"restored": {"psnr": 24.5, "ssim": 0.75, "l1": 0.05, "cell_error": 0.25}},
            "best": True,
        }
    ]
    frame = FrameRestored("a.mp4", 7, 0.28, (REGION,))
    assert json.loads(json.dumps(frame.records())) == [
        {
            "event": "FrameRestored",
            "clip": "a.mp4",
            "number": 7,
            "time": 0.28,
            "regions": [REGION_RECORD],
        }
    ]


def test_whatever_travels_on_the_stream_is_an_event() -> None:
    """And what is nested in it is none."""
    modules = (events, building, modelling, training, restoring, evaluating, hiding, examining)
    classes = [one for module in modules for one in vars(module).values() if is_dataclass(one)]
    nested = {
        one.__name__ for one in classes if isinstance(one, type) and not issubclass(one, Event)
    }
    assert nested == {
        "AtRealism", "Attack", "Closest", "DrawScores", "Estimate", "FaceHidden", "ModelFound",
        "Hiding", "RunFound", "RegionRestored", "Scores", "Way", "WayScores",
    }  # fmt: skip


def test_an_event_cannot_be_changed_by_a_listener() -> None:
    with pytest.raises(FrozenInstanceError):
        Notice("one").text = "two"  # type: ignore[misc]


def test_a_log_holds_a_line_an_event(tmp_path: Path) -> None:
    listen = log_to(tmp_path / "events.jsonl")
    listen(Notice("Zoë"))
    listen(StepDone(1, 0.5, {"generator": 6.25}, 0.25))
    assert read_lines(tmp_path / "events.jsonl") == [
        {"event": "Notice", "text": "Zoë"},
        {
            "event": "StepDone",
            "step": 1,
            "seconds": 0.5,
            "losses": {"generator": 6.25},
            "progress": 0.25,
        },
    ]


def test_a_log_goes_on_after_a_kill_without_the_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log_to(path)(Notice("kept"))
    with path.open("ab") as file:
        file.write(b'{"event": "Noti')
    log_to(path)(Notice("after"))
    assert [line["text"] for line in read_lines(path)] == ["kept", "after"]


def test_a_picture_restored_is_a_line_a_region_for_another_program() -> None:
    stream = io.StringIO()
    second = RegionRestored((0, 0, 8, 8), (4, 4), (0, 0), "top-left", 1.0, 3.5)
    write_to(stream)(PictureRestored("a.png", "b.png", (REGION, second)))
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    common = {
        "event": "RegionRestored",
        "picture": "a.png",
        "out": "b.png",
        "samples": [],
        "spread": "",
        "comparison": "",
    }
    assert lines[0] == {**common, **REGION_RECORD}
    assert (len(lines), lines[1]["sampler"]) == (2, "top-left")


def test_a_line_for_another_program_has_no_codes_for_a_terminal() -> None:
    stream = io.StringIO()
    write_to(stream)(Notice("\x9b2J\u202egnp\udcff"))
    assert stream.getvalue() == (r'{"event": "Notice", "text": "\u009b2J\u202egnp\udcff"}' + "\n")


def test_a_picture_without_a_region_is_no_line() -> None:
    stream = io.StringIO()
    write_to(stream)(PictureRestored("a.png", "b.png", ()))
    assert stream.getvalue() == ""
