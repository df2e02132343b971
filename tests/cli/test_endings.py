"""How a command ends: by a signal, with an output that takes nothing, with pictures that failed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demosaic.dataset import build as building
from demosaic.errors import DemosaicError, Interrupted
from demosaic.imaging.encoding import write_png
from demosaic.models.checkpoint import save_model
from demosaic.mosaic.grid import Grid
from demosaic.training import loop as training
from doubles import CARD, demosaic, error, generator, mosaicked, stopped, texture

SIGNALS = [
    (name, 128 + getattr(signal, name)) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder of a user who never trained."""
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("name", "code"), SIGNALS)
def test_a_signal_that_ends_the_process_is_one_line_and_its_own_exit_code(
    name: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        signal.raise_signal(getattr(signal, name))

    def kept(*_: object, **__: object) -> None:
        try:
            interrupted()
        except KeyboardInterrupt:
            raise Interrupted("stopped with 3 pairs in pairs") from None

    monkeypatch.setattr(training, "train", interrupted)
    monkeypatch.setattr(building, "build_dataset", kept)
    before = signal.getsignal(getattr(signal, name))
    assert stopped(code, "train", "pairs") == "Stopped"
    assert stopped(code, "build-dataset", "photos", "pairs") == "Stopped with 3 pairs in pairs"
    code_said, events, _ = demosaic("train", "pairs", "--json")
    assert (code_said, json.loads(events)) == (
        code,
        {"event": "Failed", "message": "stopped", "exit_code": code},
    )
    assert signal.getsignal(getattr(signal, name)) == before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system hangs nothing up")
def test_what_nohup_ignores_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    def hung_up(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGHUP)
        raise DemosaicError("still here")

    monkeypatch.setattr(training, "train", hung_up)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert error(1, "train", "pairs") == "still here"
    finally:
        signal.signal(signal.SIGHUP, before)


def test_of_several_processes_only_the_first_one_says_why_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RANK", "1")
    assert demosaic("train", "nowhere") == (1, "", "")
    monkeypatch.setenv("RANK", "0")
    assert "nowhere is not a folder" in error(1, "train", "nowhere")


def test_a_failure_is_the_last_event_too() -> None:
    code, events, said = demosaic("train", "nowhere", "--json")
    failed = {"event": "Failed", "message": said[len("error: ") : -1], "exit_code": 1}
    assert (code, json.loads(events)) == (1, failed)
    code, events, said = demosaic("train", "nowhere", "--json", "--batch", "x")
    assert (code, json.loads(events)["exit_code"]) == (2, 2)
    assert json.loads(events)["message"] == "--batch x: give a whole number"


def test_a_message_never_fills_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*_: object, **__: object) -> None:
        raise DemosaicError("x" * 10**6)

    monkeypatch.setattr(training, "train", train)
    assert len(error(1, "train", "pairs")) == 2003


def run(*words: str, stdout: int, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "demosaic", *words],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, **environment},
        text=True,
        check=False,
    )


@contextmanager
def open_file(path: str) -> Iterator[int]:
    file = os.open(path, os.O_WRONLY)
    try:
        yield file
    finally:
        os.close(file)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("words", [("--help",), ("--version",)])
def test_an_output_that_takes_nothing_is_one_line(words: tuple[str, ...]) -> None:
    with open_file("/dev/full") as full:
        done = run(*words, stdout=full)
    assert (done.returncode, done.stderr) == (
        1,
        "error: cannot write to stdout: No space left on device; send the output elsewhere\n",
    )


def test_what_a_terminal_cannot_show_is_shown_as_escapes() -> None:
    script = (
        "from demosaic.cli.streams import careful_output\n"
        "with careful_output():\n    print('23.1 \\u00b1 0.2')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=True,
    )
    assert done.stdout.split() == [b"23.1", rb"\xb1", b"0.2"]


def test_pictures_that_failed_are_an_exit_code_of_1_and_their_number(here: Path) -> None:
    save_model(here / "model.safetensors", generator(), CARD)
    (here / "in").mkdir()
    for name in ("a.png", "b.png"):
        write_png(here / "in" / name, mosaicked(32, 32, Grid.square(4)))
    words = ("restore", "in", "--out", "out", "--model", "model.safetensors")
    (here / "in" / "c.png").write_bytes(b"no picture")
    code, said, problem = demosaic(*words)
    assert (code, "2 of 3 pictures restored" in said) == (1, True)
    assert problem == (
        "error: 1 of 3 pictures failed, for the reasons above: the same command tries them again\n"
    )
    (here / "in" / "c.png").unlink()
    write_png(here / "in" / "clear.png", texture(32, 32))
    assert demosaic(*words, "--force")[0] == 0  # without a mosaic there is nothing to do


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_named_as_a_picture_is_refused_not_waited_for(here: Path) -> None:
    os.mkfifo(here / "pipe.png")
    (here / "zero.png").symlink_to("/dev/zero")
    save_model(here / "model.safetensors", generator(), CARD)
    for name in ("pipe.png", "zero.png"):
        for words in (["restore", name, "--model", "model.safetensors"], ["pixelate", name]):
            assert error(1, *words) == (
                f"{name} is neither a file nor a folder, so it is no picture"
            )
    write_png(here / "a.png", texture(32, 32))
    mask = ["restore", "a.png", "--model", "model.safetensors", "--mask", "pipe.png"]
    assert "pipe.png: not a picture (it is no regular file)" in error(1, *mask)
