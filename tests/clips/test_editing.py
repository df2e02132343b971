"""A clip painted into: everything else of it comes back."""

import io
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

av = pytest.importorskip("av", reason="PyAV needs Python 3.11")
from av.stream import Disposition  # noqa: E402

from clip_doubles import (  # noqa: E402
    RATE,
    Painter,
    described,
    edited,
    frames_of,
    moving,
    outside,
    pixels_of,
    sound_of,
    times_of,
    write_clip,
)
from demosaic.clips.editing import How, edit_clip  # noqa: E402
from demosaic.clips.encoders import Wish  # noqa: E402
from demosaic.clips.planes import first_pictures  # noqa: E402
from demosaic.clips.planning import plan_clip, settle_losses  # noqa: E402
from demosaic.clips.preview import preview_clip  # noqa: E402
from demosaic.errors import PROBLEM, DemosaicError  # noqa: E402

FOUR = {"x264-params": "scenecut=0:keyint=4:min-keyint=4", "crf": "20"}
"""Units of four frames."""

# Codecs, formats, sizes


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "options"),
    [
        ("a.mkv", "ffv1", "bgr0", {}),
        ("a.mkv", "ffv1", "gray16le", {}),
        ("a.mkv", "ffv1", "gbrp10le", {}),
        ("a.mkv", "ffv1", "yuv422p12le", {}),
        ("a.avi", "utvideo", "gbrp", {}),
        ("a.avi", "huffyuv", "yuv422p", {}),
        ("a.mov", "png", "rgba", {}),
        ("a.mkv", "libx264", "yuv444p", {"qp": "0"}),
        ("a.webm", "libvpx-vp9", "yuv420p", {"lossless": "1", "cpu-used": "8"}),
    ],
)
def test_a_lossless_clip_comes_back_without_loss(
    tmp_path: Path, name: str, codec: str, pix_fmt: str, options: dict[str, str]
) -> None:
    form = "rgba" if pix_fmt == "rgba" else "rgb24"
    source = write_clip(tmp_path / name, codec, pix_fmt, 3, options, source_format=form)
    out = tmp_path / f"out{source.suffix}"
    done = edited(source, out)
    assert done.tally.mean_error == done.tally.largest == 0
    before, after = frames_of(source), frames_of(out)
    assert [one.format.name for one in after] == [one.format.name for one in before]
    for was, now in zip(pixels_of(source), pixels_of(out), strict=True):
        assert np.array_equal(outside(was), outside(now))
        assert not np.array_equal(was, now)
    if form == "rgba":
        assert [one.to_ndarray()[:, :, 3].min() for one in after] == [90, 90, 90]


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "options"),
    [
        ("a.mp4", "libx264", "yuv420p10le", {"crf": "8"}),
        ("a.mkv", "libx264rgb", "rgb24", {"crf": "8"}),
        ("a.mkv", "libx265", "yuv422p12le", {"x265-params": "log-level=none"}),
        ("a.webm", "libvpx-vp9", "yuva420p", {"cpu-used": "8", "auto-alt-ref": "0"}),
        ("a.avi", "mjpeg", "yuvj422p", {}),
        ("a.mov", "prores_ks", "yuva444p10le", {"profile": "4444"}),
        ("a.mpg", "mpeg2video", "yuv420p", {"bf": "2"}),
    ],
)
def test_a_clip_keeps_its_codec_format_and_odd_size(
    tmp_path: Path, name: str, codec: str, pix_fmt: str, options: dict[str, str]
) -> None:
    size = (65, 49) if codec in ("mjpeg", "libvpx-vp9", "mpeg2video") else (64, 48)
    form = "rgba" if "yuva" in pix_fmt else "rgb24"
    source = write_clip(tmp_path / name, codec, pix_fmt, 3, options, size=size, source_format=form)
    out = tmp_path / f"out{source.suffix}"
    edited(source, out)
    about = []
    for path in (source, out):
        with av.open(str(path)) as clip:
            video = clip.streams.video[0]
            alpha = video.metadata.get("alpha_mode")
            about.append((video.codec_context.name, video.pix_fmt, video.width, alpha))
    assert about[0] == about[1]
    assert times_of(out) == times_of(source)


def test_what_cannot_be_kept_is_named_and_nothing_written(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mkv", "ffv1", "gray16le", 2, sound="libopus")
    plan = plan_clip(source, tmp_path / "b.mov", Wish("h264"))
    with pytest.raises(DemosaicError) as caught:
        settle_losses(plan, lossy_ok=False, listen=print)
    assert caught.value.exit_code == PROBLEM
    assert str(caught.value) == (
        f"{source}: not all of it can be kept: 16 bits, which become 10 bits: h264 takes no "
        "gray16le, only gray10le; the sound 1 (opus): mov does not hold it. Nothing was written: "
        "choose another codec with --codec, such as ffv1 in .mkv, or end the name of the result "
        "in .mkv with --out, or go ahead without it with --lossy-ok"
    )
    settle_losses(plan, lossy_ok=True, listen=lambda event: None)
    edit_clip(plan, Painter(), How(), "nothing")
    assert len(frames_of(tmp_path / "b.mov")) == 2


def test_a_container_that_does_not_take_the_codec_gets_another(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.webm", "libvpx-vp9", count=2, options={"cpu-used": "8"})
    edited(source, tmp_path / "b.mov")
    with av.open(str(tmp_path / "b.mov")) as clip:
        assert clip.streams.video[0].codec_context.name == "h264"


# Times


def test_frames_keep_uneven_times(tmp_path: Path) -> None:
    times = [0, 1, 4, 5, 9, 10]
    source = write_clip(tmp_path / "a.mp4", count=6, times=times, options={"bf": "2"})
    edited(source, tmp_path / "b.mp4")
    assert times_of(tmp_path / "b.mp4") == [time / RATE for time in times]


def test_joined_recordings_follow_one_another_with_their_sound(tmp_path: Path) -> None:
    part = write_clip(tmp_path / "part.ts", sound="aac")
    source = tmp_path / "a.ts"
    source.write_bytes(part.read_bytes() * 2)
    edited(source, tmp_path / "b.ts")
    times = times_of(tmp_path / "b.ts")
    assert len(times) == 24
    assert np.diff(times).min() > 0 and np.diff(times).max() < 0.12
    assert len(sound_of(tmp_path / "b.ts")) == 2 * len(sound_of(part))


def test_frames_of_avi_are_shown_in_the_order_in_which_they_are_decoded(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.avi", "mpeg4", options={"bf": "2"})
    edited(source, tmp_path / "b.avi")
    assert times_of(tmp_path / "b.avi") == [round(number / RATE, 3) for number in range(12)]


# Other streams


def test_every_other_stream_is_kept_with_its_words(tmp_path: Path) -> None:
    source = tmp_path / "a.mkv"
    lines = "1\n00:00:00,000 --> 00:00:00,100\nHallo\n\n"
    with av.open(str(source), "w") as target:
        videos = [target.add_stream("libx264", rate=RATE) for _ in range(2)]
        for video in videos:
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        videos[0].metadata.update(title="the picture", language="fra")
        text = av.open(io.BytesIO(lines.encode()), format="srt")
        words = target.add_stream_from_template(text.streams[0])
        words.metadata["language"] = "deu"
        words.disposition = Disposition.forced
        target.add_attachment("a.ttf", "font/ttf", b"no font" * 9)
        target.add_attachment("cover.png", "image/png", _png())
        chapter = {"id": 0, "start": 0, "end": 90, "time_base": Fraction(1, 1000)}
        target.set_chapters([{**chapter, "metadata": {"title": "one"}}])
        for number, picture in enumerate(moving(4)):
            for video in videos:
                frame = av.VideoFrame.from_ndarray(picture, "rgb24")
                frame.pts, frame.time_base = number, Fraction(1, RATE)
                target.mux(video.encode(frame))
        for video in videos:
            target.mux(video.encode())
        for packet in text.demux():
            if packet.dts is not None:
                packet.stream = words
                target.mux(packet)
    edited(source, tmp_path / "b.mkv")
    assert described(tmp_path / "b.mkv") == described(source)
    assert [kind for kind, *_ in described(source)].count("video") == 3
    with av.open(str(tmp_path / "b.mkv")) as clip:
        assert [one["metadata"] for one in clip.chapters()] == [{"title": "one"}]
        assert clip.streams[3].metadata["filename"] == "a.ttf"
        packets = [bytes(one) for one in clip.demux(subtitles=0) if one.size]
    assert packets == [b"Hallo"]


def _png() -> bytes:
    from demosaic.imaging.encoding import encode_png

    return encode_png(moving(1)[0])


def test_text_subtitles_become_those_of_the_container(tmp_path: Path) -> None:
    source = tmp_path / "a.mkv"
    write_clip(tmp_path / "plain.mkv", count=3)
    text = av.open(io.BytesIO(b"1\n00:00:00,000 --> 00:00:00,100\nHallo\n\n"), format="srt")
    with av.open(str(tmp_path / "plain.mkv")) as plain, av.open(str(source), "w") as target:
        video = target.add_stream_from_template(plain.streams.video[0], opaque=True)
        words = target.add_stream_from_template(text.streams[0])
        for packets, stream in ((plain.demux(), video), (text.demux(), words)):
            for packet in packets:
                if packet.size:
                    packet.stream = stream
                    target.mux(packet)
    edited(source, tmp_path / "b.mp4")
    edited(tmp_path / "b.mp4", tmp_path / "c.mkv")
    with av.open(str(tmp_path / "c.mkv")) as clip:
        assert [bytes(one) for one in clip.demux(subtitles=0) if one.size] == [b"Hallo"]


# Copying


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp4", "libx264", {**FOUR, "bf": "1"}),
        ("a.mkv", "libx264", {**FOUR, "bf": "0"}),
        ("a.ts", "libx264", {**FOUR, "bf": "1"}),
        ("a.webm", "libvpx-vp9", {"g": "4", "cpu-used": "8", "lag-in-frames": "0"}),
        ("a.avi", "mjpeg", {}),
        ("a.mkv", "ffv1", {"g": "1", "level": "3"}),
    ],
)
def test_units_without_a_find_are_copied_to_the_bit(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    source = write_clip(
        tmp_path / name, codec, pix_fmt, 12, options, sound="libopus" * (name == "a.webm")
    )
    out = tmp_path / f"out{source.suffix}"
    done = edited(source, out, Painter(range(5, 7)))
    alone = codec in ("mjpeg", "ffv1")
    assert (done.tally.copied, done.tally.changed) == (10 if alone else 8, 2)
    same = [
        np.array_equal(was, now) for was, now in zip(pixels_of(source), pixels_of(out), strict=True)
    ]
    encoded = range(5, 7) if alone else range(4, 8)
    assert all(same[n] for n in range(12) if n not in encoded)
    assert not any(same[n] for n in (5, 6))
    assert times_of(out) == times_of(source)


def test_only_the_range_asked_for_is_examined(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", options={**FOUR, "bf": "0"})
    painter = Painter()
    done = edited(source, tmp_path / "b.mp4", painter, How(start=0.2, end=0.3))
    assert painter.seen == [5, 6, 7]
    assert done.tally.changed == 3


def test_a_preview_shows_both_from_the_first_find_on_and_writes_nothing_else(
    tmp_path: Path,
) -> None:
    source = write_clip(tmp_path / "a.mkv", "ffv1", "bgr0")
    plan = plan_clip(source, tmp_path / "b.mkv")
    tally = preview_clip(plan, Painter(range(5, 9)), 0.0, 0.2)
    assert (tally.frames, tally.changed) == (5, 4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mkv", "b.preview.mp4"]
    pair = pixels_of(tmp_path / "b.preview.mp4")[0].astype(int)
    assert pair.shape == (48, 128, 3)
    apart = np.abs(pair[:, :64] - pair[:, 64:]).mean(axis=2)
    assert apart[8:24, 16:32].mean() > 20
    assert apart[32:].mean() < 5


# A stop


@pytest.mark.parametrize("options", [{**FOUR, "bf": "0"}, {"g": "99", "bf": "0"}])
def test_a_stopped_clip_goes_on_where_it_was(tmp_path: Path, options: dict[str, str]) -> None:
    parts = How(segment=4)
    source = write_clip(tmp_path / "a.mp4", options=options, sound="aac")
    whole = tmp_path / "whole.mp4"
    edited(source, whole, how=parts)
    out = tmp_path / "b.mp4"
    with pytest.raises(KeyboardInterrupt):
        edited(source, out, Painter(stop_at=9), parts)
    assert not out.exists()
    again = Painter()
    done = edited(source, out, again, parts)
    assert done.tally.frames == 12
    if "g" not in options:
        assert again.seen == [8, 9, 10, 11]
    assert times_of(out) == times_of(whole)
    for was, now in zip(pixels_of(whole), pixels_of(out), strict=True):
        assert np.array_equal(was, now)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4", "whole.mp4"]


# Fields


def test_fields_are_painted_each_by_itself_and_stay_fields(tmp_path: Path) -> None:
    options = {"crf": "4", "x264-params": "tff=1", "flags": "+ildct+ilme"}
    source = write_clip(tmp_path / "a.mp4", options=options, count=4)
    done = edited(source, tmp_path / "b.mp4")
    after = frames_of(tmp_path / "b.mp4")
    assert [one.interlaced_frame for one in after] == [True] * 4
    assert done.tally.mean_error is not None and done.tally.mean_error < 0.5


def test_the_first_pictures_of_a_clip_are_some_of_its_first_frames(folder: Path) -> None:
    clip = write_clip(folder / "a.mkv", "ffv1", "bgr0")
    found = list(first_pictures(clip, most=9, every=4))
    assert len(found) == 3
    for picture, expected in zip(found, moving(12)[:9:4], strict=True):
        assert np.array_equal(picture, expected)
