"""Clips restored: every frame, its time and sound, and steadily."""

import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from demosaic.config.restoration import RestoreConfig
from demosaic.errors import NOTHING_TO_DO, PROBLEM, DemosaicError
from demosaic.events import Event, Notice
from demosaic.imaging.arrays import Pixels
from demosaic.imaging.batch import is_clip, result_name
from demosaic.models.checkpoint import save_model
from demosaic.restoration.batch import restore_files
from demosaic.restoration.events import ClipRestored, FrameRestored, PictureRestored
from doubles import COMPUTE, our_model, save
from drawn_clip import FACE, FRAMES, hidden, place

av = pytest.importorskip("av", reason="PyAV needs Python 3.11")
from demosaic.restoration.clip import restore_clip  # noqa: E402

TIMES = [0, 1, 2, 4, 5, 7, 8, 9, 12, 13, 14, 15, 18, 19]  # twentieths of a second, not even


def write(path: Path, pictures: list[Pixels], *, turn: int = 0) -> Path:
    """A clip with a tone; without loss in .mkv."""
    lossless = path.suffix == ".mkv"
    with av.open(str(path), "w") as target:
        options = {"g": "1"} if lossless else {"crf": "12"}
        video = target.add_stream("ffv1" if lossless else "libx264", rate=20, options=options)
        video.width, video.height = pictures[0].shape[1], pictures[0].shape[0]
        video.pix_fmt = "yuv444p" if lossless else "yuv420p"
        video.codec_context.time_base = Fraction(1, 20)
        if turn:
            video.set_display_rotation(turn)
        sound = target.add_stream("aac", rate=16000)
        for time, picture in zip(TIMES, pictures, strict=False):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 20)
            target.mux(video.encode(frame))
        target.mux(video.encode())
        tone = np.sin(np.arange(16000) / 5).astype(np.float32)[None]
        for start in range(0, 15360, 1024):
            piece = np.ascontiguousarray(tone[:, start : start + 1024])
            played = av.AudioFrame.from_ndarray(piece, "fltp", "mono")
            played.sample_rate, played.pts = 16000, start
            target.mux(sound.encode(played))
        target.mux(sound.encode())
    return path


@dataclass
class Seen:
    """What is in a clip."""

    pictures: list[Pixels]
    times: list[float]
    sound: list[bytes]
    codec: str
    rotation: int
    comment: str


def read(path: Path) -> Seen:
    with av.open(str(path)) as clip:
        found = list(clip.decode(video=0))
        codec = clip.streams.video[0].codec_context.name
        comment = clip.metadata.get("comment") or clip.metadata.get("COMMENT") or ""
    with av.open(str(path)) as clip:
        sound = [bytes(packet) for packet in clip.demux(audio=0) if packet.size]
    return Seen(
        [frame.to_ndarray(format="rgb24") for frame in found],
        [round(frame.time, 3) for frame in found],
        sound,
        codec,
        found[0].rotation,
        comment,
    )


def restored(
    source: Path, out: Path, config: RestoreConfig | None = None
) -> tuple[Seen, list[Event]]:
    events: list[Event] = []
    done = restore_clip(
        source, out, our_model(), config or RestoreConfig(), COMPUTE, listen=events.append
    )
    return read(out), [*events, done]


def there_and_back(frames: list[Pixels], source: Path, out: Path) -> tuple[Seen, Seen, list[Event]]:
    """What is in a clip of hidden faces, what is in it restored, and what was said meanwhile."""
    before = read(write(source, hidden(frames)))
    return before, *restored(source, out)


# A clip


def test_every_frame_is_restored_and_all_else_is_as_it_was(
    frames: list[Pixels], folder: Path
) -> None:
    source, out = folder / "a.mkv", folder / "b.mkv"
    before, after, events = there_and_back(frames, source, out)
    assert (after.times, after.sound) == (before.times, before.sound)
    assert after.times == [time / 20 for time in TIMES]
    assert len(after.sound) > 10
    assert "compositeWithTrainedAlgorithmicMedia" in after.comment
    for number, (was, now) in enumerate(zip(before.pictures, after.pictures, strict=True)):
        box = place(number)
        inside = np.zeros(was.shape[:2], bool)
        inside[box.y : box.y + FACE, box.x : box.x + FACE] = True
        assert np.array_equal(was[~inside], now[~inside])
        assert (was != now)[inside].mean() > 0.5
    done = [event for event in events if isinstance(event, FrameRestored)]
    assert [[region.box for region in event.regions] for event in done] == [
        [place(number).corners] for number in range(FRAMES)
    ]
    assert events[-1] == ClipRestored(
        *(str(source), str(out)),
        frames=FRAMES,
        restored=FRAMES,
        unreadable=0,
        mosaics=FRAMES,
        cell_error=0.0,
        largest_error=0.0,
    )
    assert sorted(path.name for path in folder.iterdir()) == ["a.mkv", "b.mkv"]


def test_a_clip_coded_with_loss_keeps_its_sound_and_times(
    frames: list[Pixels], folder: Path
) -> None:
    before, after, events = there_and_back(frames, folder / "a.mp4", folder / "b.mp4")
    assert (after.times, after.sound, after.codec) == (before.times, before.sound, "h264")
    assert isinstance(events[-1], ClipRestored) and events[-1].restored == FRAMES
    for number, (was, now) in enumerate(zip(before.pictures, after.pictures, strict=True)):
        y = place(number).y
        assert np.abs(was[: y - 8].astype(int) - now[: y - 8]).mean() < 2


def test_a_turned_clip_stays_turned_and_is_restored_upright(
    frames: list[Pixels], folder: Path
) -> None:
    lying = [np.ascontiguousarray(np.rot90(frame)) for frame in hidden(frames)[:3]]
    source = write(folder / "a.mp4", lying, turn=-90)
    rotation = read(source).rotation
    after, events = restored(source, folder / "b.mp4")
    assert (after.rotation, rotation % 180) == (rotation, 90)
    assert after.pictures[0].shape == lying[0].shape
    first = next(event for event in events if isinstance(event, FrameRestored))
    (found,) = first.regions
    assert np.abs(np.subtract(found.box, place(0).corners)).max() <= 2  # coded with loss


def test_a_frame_that_cannot_be_read_is_reported_and_the_others_are_done(
    frames: list[Pixels], folder: Path
) -> None:
    source = write(folder / "a.mkv", hidden(frames))
    with av.open(str(source)) as clip:
        packets = [packet for packet in clip.demux(video=0) if packet.size]
        broken = bytes(packets[5])
    raw = source.read_bytes()
    assert raw.count(broken) == 1
    source.write_bytes(raw.replace(broken, b"\xff" * len(broken)))
    after, events = restored(source, folder / "b.mkv")
    assert after.times == [time / 20 for number, time in enumerate(TIMES) if number != 5]
    done = events[-1]
    assert isinstance(done, ClipRestored)
    assert (done.frames, done.restored, done.unreadable) == (FRAMES - 1, FRAMES - 1, 1)
    assert isinstance(events[-2], Notice)
    assert "a frame could not be read, the first at 0.35 s" in events[-2].text


def test_a_clip_without_a_mosaic_is_nothing_to_do(frames: list[Pixels], folder: Path) -> None:
    source = write(folder / "a.mp4", frames[:3])
    with pytest.raises(DemosaicError, match="no mosaic found in any frame") as caught:
        restored(source, folder / "b.mp4")
    assert caught.value.exit_code == NOTHING_TO_DO
    assert [path.name for path in folder.iterdir()] == ["a.mp4"]


def test_what_is_no_clip_is_named(folder: Path) -> None:
    (folder / "a.mp4").write_bytes(b"nothing of the kind")
    with pytest.raises(DemosaicError, match=r"a\.mp4") as caught:
        restored(folder / "a.mp4", folder / "b.mp4")
    assert caught.value.exit_code == PROBLEM


def refusal(source: Path, out: Path) -> str:
    """What is said when a clip can be read, but not written like this; nothing is left of it."""
    with pytest.raises(DemosaicError) as caught:
        restored(source, out)
    assert caught.value.exit_code == PROBLEM
    assert not list(out.parent.glob(f"*{out.name}*"))
    return str(caught.value)


def test_sound_that_the_format_cannot_hold_is_named_before_work_begins(
    frames: list[Pixels], folder: Path
) -> None:
    source = write(folder / "a.mp4", hidden(frames)[:2])
    assert refusal(source, folder / "b.webm") == (
        f"{source}: not all of it can be kept: the sound 1 (aac, und): webm does not hold it. "
        "Nothing was written: end the name of the result in .mkv with --out, or go ahead without "
        "it with --lossy-ok"
    )


def test_a_clip_is_not_written_as_a_picture(folder: Path) -> None:
    with pytest.raises(DemosaicError, match=r"b\.png: a clip cannot .* \.mp4") as caught:
        restored(folder / "a.mp4", folder / "b.png")
    assert caught.value.exit_code == PROBLEM


def test_a_result_keeps_the_container_of_its_clip() -> None:
    names = {name: result_name(Path(name), "restored") for name in ("a.MP4", "a.webm", "a.avi")}
    assert names == {
        "a.MP4": "a.restored.mp4",
        "a.webm": "a.restored.webm",
        "a.avi": "a.restored.avi",
    }
    assert is_clip(Path("a.MOV")) and not is_clip(Path("a.jpg"))


def test_clips_and_pictures_are_restored_by_one_command(frames: list[Pixels], folder: Path) -> None:
    clip = write(folder / "a.mkv", hidden(frames)[:2])
    picture = save(folder / "b.png", hidden(frames)[0])
    model = our_model()
    save_model(folder / "model.safetensors", model.generator, model.card)
    events: list[Event] = []
    report = restore_files(
        [clip, picture],
        folder / "out",
        model=folder / "model.safetensors",
        config=RestoreConfig(page=True),
        listen=events.append,
    )
    page = Path(report.page).read_text()
    assert page.count('<div class="slider stage"') == 2  # the first frame, and the picture
    assert "2 of 2 frames had a mosaic" in page
    assert [type(result) for result in report.results] == [ClipRestored, PictureRestored]
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "a.restored.mkv",
        "b.restored.png",
        "restored.html",
    ]
    assert any(isinstance(event, Notice) and "computing on" in event.text for event in events)


def test_without_pyav_a_clip_says_what_to_install(
    folder: Path, distribution: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = our_model()
    save_model(folder / "model.safetensors", model.generator, model.card)
    (folder / "a.mp4").touch()
    for name in [*sys.modules]:
        if name.startswith(("demosaic.clips", "demosaic.restoration.clip")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(DemosaicError) as caught:
        restore_files([folder / "a.mp4"], model=folder / "model.safetensors")
    assert str(caught.value) == (
        f"{folder / 'a.mp4'}: a clip needs PyAV (Python 3.11 or later): "
        f"pip install '{distribution}[video]'"
    )
