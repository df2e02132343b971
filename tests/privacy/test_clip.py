"""Faces of clips hidden: followed, where the detector misses them too, and nothing else changed."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

av = pytest.importorskip("av", reason="PyAV needs Python 3.11")

from clip_doubles import frames_of, moving, pixels_of, sound_of, write_clip  # noqa: E402
from demosaic.config.privacy import PixelateConfig  # noqa: E402
from demosaic.errors import NOTHING_TO_DO, DemosaicError  # noqa: E402
from demosaic.events import Notice  # noqa: E402
from demosaic.faces.detector import Face  # noqa: E402
from demosaic.imaging.arrays import Pixels  # noqa: E402
from demosaic.imaging.batch import Job  # noqa: E402
from demosaic.imaging.decoding import read_image  # noqa: E402
from demosaic.imaging.geometry import Box  # noqa: E402
from demosaic.privacy.clip import pixelate_clip  # noqa: E402
from demosaic.privacy.events import ClipPixelated  # noqa: E402
from demosaic.privacy.following import follow  # noqa: E402

MISSED = (4, 5, 6)


def face_at(number: int, score: float = 0.9) -> Face:
    """A face that moves by 2 px a frame."""
    x = 8 + 2 * number
    points = ((x + 5, 18), (x + 15, 18), (x + 10, 23), (x + 10, 28), (x, 20), (x + 20, 20))
    return Face(Box(x, 12, 20, 20), score, points)


class SeesMoving:
    """A detector that recognises the frames of a clip, and misses the face in some."""

    def __init__(self, clip: Path) -> None:
        self.known = pixels_of(clip)

    def detect(self, image: Pixels) -> Sequence[Face]:
        same = [n for n, one in enumerate(self.known) if np.array_equal(one, image)]
        return [face_at(number) for number in same if number not in MISSED]


class SeesNobody:
    def detect(self, image: Pixels) -> Sequence[Face]:
        return []


def test_a_face_that_is_missed_for_some_frames_is_followed_through_them() -> None:
    found = [[] if number in MISSED else [face_at(number)] for number in range(10)]
    (follower,) = follow(found, rate=10, least=0.5)
    assert (follower.first, len(follower.boxes)) == (0, 10)
    assert [score is None for score in follower.scores] == [n in MISSED for n in range(10)]
    assert [box.x for box in follower.boxes[1:-1]] == [8 + 2 * n for n in range(1, 9)]


def test_a_face_is_hidden_for_half_a_second_before_and_after_it_is_found() -> None:
    found = [[face_at(0)] if number == 10 else [] for number in range(30)]
    (follower,) = follow(found, rate=10, least=0.5)
    assert (follower.first, len(follower.boxes)) == (5, 11)


def test_two_faces_are_followed_apart_and_an_uncertain_one_begins_no_track() -> None:
    far = Face(Box(200, 12, 20, 20), 0.8, ((0.0, 0.0),) * 6)
    doubtful = Face(Box(100, 100, 20, 20), 0.3, ((0.0, 0.0),) * 6)
    followers = follow([[face_at(n), far, doubtful] for n in range(4)], rate=10, least=0.5)
    assert len(followers) == 2


def hidden(tmp_path: Path, config: PixelateConfig, detector: object = None) -> ClipPixelated:
    job = Job(tmp_path / "a.mkv", tmp_path / "b.mkv")
    return pixelate_clip(job, config, detector, listen=lambda event: None)  # type: ignore[arg-type]


def test_a_face_is_solid_in_every_frame_and_all_else_is_kept(tmp_path: Path) -> None:
    options = {"x264-params": "scenecut=0:keyint=8:min-keyint=8", "qp": "0", "bf": "0"}
    source = write_clip(tmp_path / "a.mkv", "libx264", "yuv444p", 16, options, sound="aac")
    config = PixelateConfig(style="solid", margin=1.0)
    done = hidden(tmp_path, config, SeesMoving(source))
    assert (done.faces, done.hidden, done.bridged) == (1, 16, 3)
    assert sound_of(tmp_path / "b.mkv") == sound_of(source)
    pairs = zip(pixels_of(source), pixels_of(tmp_path / "b.mkv"), strict=True)
    for number, (was, now) in enumerate(pairs):
        x = min(8 + 2 * number, 64 - 20)
        if 4 <= number <= 11:
            assert now[14:30, x + 4 : x + 12].max() <= 16
        assert np.array_equal(was[:10], now[:10])
    assert read_image(tmp_path / "b.sheet.jpg").ndim == 3


def test_cells_go_with_the_face(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mkv", "ffv1", "bgr0", 16)
    hidden(tmp_path, PixelateConfig(block=0.25, margin=1.0), SeesMoving(source))
    now = pixels_of(tmp_path / "b.mkv")[8]
    piece = now[12:32, 24:44]
    for top in range(0, 20, 5):
        for left in range(0, 20, 5):
            cell = piece[top : top + 5, left : left + 5].reshape(-1, 3)
            assert np.ptp(cell, axis=0).max() == 0


def test_what_may_show_or_name_people_is_left_out_and_said(tmp_path: Path) -> None:
    source = tmp_path / "a.mkv"
    with av.open(str(source), "w") as target:
        target.metadata.update(title="Ann at home", location="+52.5/")
        videos = [target.add_stream("libx264", rate=25) for _ in range(2)]
        for video in videos:
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        target.add_attachment("cover.png", "image/png", b"no picture")
        for picture in moving(3):
            for video in videos:
                target.mux(video.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        for video in videos:
            target.mux(video.encode())
    said: list[object] = []
    config = PixelateConfig(regions=((8, 8, 16, 16),))
    pixelate_clip(Job(source, tmp_path / "b.mkv"), config, None, listen=said.append)
    with av.open(str(tmp_path / "b.mkv")) as clip:
        assert [one.type for one in clip.streams] == ["video"]
        assert not {"title", "location", "TITLE", "LOCATION"} & {*clip.metadata}
    assert Notice(f"{source}: covers, further pictures, places and names are left out") in said


def test_a_clip_without_a_face_is_nothing_to_do(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mkv", count=3)
    with pytest.raises(DemosaicError, match="no face found") as caught:
        hidden(tmp_path, PixelateConfig(), SeesNobody())
    assert caught.value.exit_code == NOTHING_TO_DO
    assert [path.name for path in tmp_path.iterdir()] == ["a.mkv"]
    assert len(frames_of(tmp_path / "a.mkv")) == 3
