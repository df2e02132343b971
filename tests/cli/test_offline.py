"""No command opens a connection to another machine, whichever engine finds the faces."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from demosaic.cli.main import app
from demosaic.imaging.encoding import write_png
from demosaic.mosaic.grid import Grid
from doubles import mosaicked

SITE = """
import sys

FORBIDDEN = "connect sendto sendmsg bind getaddrinfo gethostbyname gethostbyaddr".split()

def refuse(event, arguments):
    if event.startswith("socket.") and event[7:] in FORBIDDEN:
        sys.stderr.write(f"CONNECTED {event} {arguments[1:]}\\n")
        raise OSError("no network in this test")

sys.addaudithook(refuse)
"""
SCRIPT = """
import json, sys
from demosaic.cli.main import main
from demosaic.config import networks
from demosaic.config.privacy import AuditConfig
from doubles import OURS

networks.NETWORKS["S"] = OURS
for words in json.loads(sys.argv[1]):
    AuditConfig.enough = 1
    sys.argv = ["demosaic", *words]
    try:
        main()
    except SystemExit as end:
        print("EXIT", words[0], end.code, flush=True)
"""
MODEL = "runs/pairs-default/best.safetensors"


def commands(engine: str) -> list[list[str]]:
    """Every command that looks for faces, in an order in which each has what it needs; with our own
    engine the other commands too.
    """
    short = ["--validation-pairs", "1", "--precision", "fp32", "--threads", "1"]
    build = ["build-dataset", "photos", "pairs", "--val", "0.4", "--size", "64"]
    looking = [
        [*build, "--detector", engine],
        ["pixelate", "photos", "--out", "hidden", "--detector", engine],
        ["audit", "photos", "--faces", "4", "--detector", engine],
    ]
    others = [
        ["train", "pairs", "--steps", "2", "--batch", "2", *short],
        ["restore", "face.png"],
        ["evaluate", "pairs", "--quick"],
        ["compare", "runs/pairs-default", "--quick"],
        ["export", MODEL, "--onnx"],
        ["models"],
        ["runs"],
        ["config"],
        ["doctor"],
        ["forget", "pairs", "person-000"],
    ]
    return looking + others if engine == "opencv" else looking


@pytest.fixture
def place(photos: Path, tmp_path: Path) -> Path:
    """A folder with photos and a pixelated face."""
    shutil.copytree(photos, tmp_path / "photos")
    write_png(tmp_path / "face.png", mosaicked(96, 80, Grid.square(16)))
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(SITE)
    return tmp_path


def run(place: Path, engine: str, *tracer: str) -> subprocess.CompletedProcess[str]:
    """Run every command as a user without any file of demosaic's."""
    home = {"HOME": str(place), "XDG_DATA_HOME": str(place), "XDG_CACHE_HOME": str(place)}
    path = os.pathsep.join([str(place / "site"), *sys.path])
    return subprocess.run(
        [*tracer, sys.executable, "-c", SCRIPT, json.dumps(commands(engine))],
        env={**os.environ, **home, "PYTHONPATH": path},
        cwd=place,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "engine",
    [
        "opencv",
        pytest.param(
            "mediapipe",
            marks=pytest.mark.skipif(not find_spec("mediapipe"), reason="needs mediapipe"),
        ),
    ],
)
def test_no_command_opens_a_connection(engine: str, place: Path) -> None:
    """Python's own sockets are refused. What native code opens is seen by strace, where it is."""
    strace = shutil.which("strace")
    trace = place / "trace"
    tracer = (
        [strace, "-f", "--seccomp-bpf", "-qq", "-e", "trace=network", "-o", str(trace)]
        if strace
        else []
    )
    done = run(place, engine, *tracer)
    names = [words[0] for words in commands(engine)]
    ended = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("EXIT")]
    assert ended == [[name, "0"] for name in names], done.stderr
    assert "CONNECTED" not in done.stderr
    opened = trace.read_text() if strace else ""
    assert re.findall(r"AF_INET6?|NETLINK", opened) == []


def test_every_command_is_tried() -> None:
    told = CliRunner().invoke(app, ["--help"]).output
    listed = set(re.findall(r"^  ([a-z][a-z-]+)  +[A-Z]", told, re.MULTILINE))
    # `serve` listens: tests/app see that it does so on this machine only, and asks nobody
    assert listed == {"serve", *(words[0] for words in commands("opencv"))}
