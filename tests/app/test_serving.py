"""The command from its start to its end: what it says, where it listens, and what it leaves."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from demosaic.imaging.encoding import encode_png
from demosaic.models.checkpoint import save_model
from doubles import drawing_model, error, texture


def start(folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "demosaic",
            "serve",
            "--json",
            "--model",
            str(folder / "m.safetensors"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(folder)},
        text=True,
    )


def address_of(process: "subprocess.Popen[str]") -> str:
    """What the program says to open."""
    assert process.stdout
    for line in process.stdout:
        found = re.fullmatch(r"open (\S+)", json.loads(line)["text"])
        if found:
            return found[1]
    raise AssertionError(process.communicate())


def upload(address: str, data: bytes) -> None:
    """Send a picture as the page does."""
    with urllib.request.urlopen(address) as page:
        cookie = page.headers["Set-Cookie"].partition(";")[0]
    own = address.partition("/?")[0]
    headers = {"Cookie": cookie, "Origin": own}
    urllib.request.urlopen(urllib.request.Request(f"{own}/uploads", data, headers)).close()


@pytest.mark.slow
def test_ctrl_c_is_the_usual_end_and_removes_what_was_uploaded(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="the extra [app] is not installed")
    model = drawing_model()
    save_model(tmp_path / "m.safetensors", model.generator, model.card)
    process = start(tmp_path)
    upload(address_of(process), encode_png(texture(8, 8)))
    (folder,) = tmp_path.glob("demosaic-*")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len([*folder.iterdir()]) == 1
    process.send_signal(signal.SIGINT)
    _, problem = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in problem) == (0, False), problem
    assert [*tmp_path.glob("demosaic-*")] == []


def test_a_port_that_is_taken_is_refused() -> None:
    pytest.importorskip("uvicorn", reason="the extra [app] is not installed")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = error(1, "serve", "--port", str(port))
    assert said == f"--port {port}: Address already in use; choose another, or leave it out"


def test_an_album_that_is_not_there_is_refused() -> None:
    pytest.importorskip("uvicorn", reason="the extra [app] is not installed")
    assert error(1, "serve", "--album", "nowhere") == "--album nowhere: there is no such folder"


def test_without_the_extra_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("demosaic.app.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.setitem(sys.modules, "starlette", None)
    assert error(1, "serve") == "the page needs more packages: pip install 'demosaic-faces[app]'"
