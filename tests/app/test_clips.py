"""Clips: restored frame by frame, followed, and cancelled."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from demosaic.config.privacy import PixelateConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.imaging.arrays import Pixels
from demosaic.privacy.pixelate import pixelate_files
from demosaic.restoration.batch import restore_files
from doubles import DEVICES
from drawn_clip import hidden, moving_face

if TYPE_CHECKING:
    from served import Served

av = pytest.importorskip("av", reason="PyAV needs Python 3.11")

FRAMES = 4


def write(path: Path, frames: list[Pixels]) -> Path:
    """A clip without loss."""
    with av.open(str(path), "w") as target:
        video = target.add_stream("ffv1", rate=20)
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuv444p"
        for picture in frames:
            target.mux(video.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        target.mux(video.encode())
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short clip of a pixelated face."""
    frames = hidden(moving_face()[:FRAMES])
    return write(tmp_path_factory.mktemp("clip") / "clip.mkv", frames)


def pictures(source: Path | io.BytesIO) -> list[bytes]:
    with av.open(source if isinstance(source, io.BytesIO) else str(source)) as clip:
        return [frame.to_ndarray(format="rgb24").tobytes() for frame in clip.decode(video=0)]


def test_a_clip_is_restored_as_the_command_does(
    served: "Served", clip: Path, tmp_path: Path
) -> None:
    config = RestoreConfig(realism=0.0)
    out = tmp_path / "out.mkv"
    restore_files(clip, out, model=served.tools.model, config=config, devices=DEVICES)
    upload = served.upload(clip.read_bytes(), ".mkv")
    state = served.done("restore-frames", upload=upload, realism=0.0)
    assert (state["result"]["suffix"], state["done"]) == (".mkv", FRAMES)
    result = pictures(io.BytesIO(served.file(state, "result")))
    assert result == pictures(out)
    assert len(result) == FRAMES
    assert not np.array_equal(result, pictures(clip))


def test_a_clip_is_cancelled_between_frames(served: "Served", clip: Path) -> None:
    upload = served.upload(clip.read_bytes(), ".mkv")
    job = served.start("restore-frames", upload=upload, realism=1.0).json["id"]
    served.send("DELETE", f"/jobs/{job}")
    assert served.ended(job)["state"] == "cancelled"
    assert served.send("GET", f"/jobs/{job}/result").status == 404


def test_a_file_that_is_no_clip_fails_in_words(served: "Served") -> None:
    upload = served.upload(b"Dear Sir or Madam", ".mp4")
    state = served.ended(served.start("restore-frames", upload=upload, realism=0.5).json["id"])
    assert state["state"] == "failed"
    assert str(served.tools.uploads.root) not in state["error"]


def test_faces_of_a_clip_are_hidden_as_the_command_does(served: "Served", tmp_path: Path) -> None:
    source, out = write(tmp_path / "clear.mkv", moving_face()[:2]), tmp_path / "out.mkv"
    asked: dict[str, Any] = {"style": "solid", "shape": "box", "block": 0.1}
    pixelate_files(source, out, config=PixelateConfig(**asked))
    upload = served.upload(source.read_bytes(), ".mkv")
    state = served.done("hide-frames", upload=upload, **asked)
    assert state["done"] == state["total"] > 0
    assert pictures(io.BytesIO(served.file(state, "result"))) == pictures(out)
