"""Files with hostile names go through the commands, which touch nothing outside their folders."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import people
from dataset_doubles import lines
from demosaic.imaging.encoding import write_png
from demosaic.models.checkpoint import save_model
from demosaic.mosaic.grid import Grid
from doubles import CARD, generator, mosaicked

NAMES = [
    "-rf",
    "two\nlines",
    "red \x1b[31m",
    "title \x9d0;x\x07",
    "\u202egpj.exe",
    "[bold]b",
    ":smile:",
    "{task.description}",
    "%s%n",
    "$(touch x)",
    "a;b|c&d",
    "'\"`",
    "<script>alert(1)",
    "con",
    "two  gaps ",
    "~",
    "back\\slash",
    "x" * 240,
    os.fsdecode(b"caf\xe9"),
]

WATCH = """
import os, socket, sys

ALLOWED = os.environ["ALLOWED"]
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.symlink"}
CHANGES |= {"os.chmod", "os.chown", "shutil.rmtree", "shutil.move", "shutil.copyfile"}


def is_inside(path):
    if not isinstance(path, (str, bytes)):
        return True  # a file that is open already, or -1 in place of none
    real = os.path.realpath(os.fsdecode(path))
    return real.startswith(ALLOWED + os.sep) or real == os.devnull


def watch(event, values):
    if event == "open":
        path, mode, flags = values
        bad = [path] if flags & WRITING and not is_inside(path) else []
    elif event in CHANGES:
        bad = [path for path in values if not is_inside(path)]
    elif event in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
        bad = [values]
    else:
        return
    if bad:
        sys.stderr.write(f"OUTSIDE {event} {bad}\\n")


sys.addaudithook(watch)
"""

SCRIPT = """
import contextlib, json, os, sys
from demosaic.cli.main import main

with contextlib.suppress(OSError):
    os.rmdir("/nowhere/at/all")  # the watch sees it
print("EXIT 0", flush=True)

for words in json.loads(sys.stdin.read()):
    sys.argv = ["demosaic", *words]
    try:
        main()
    except SystemExit as end:
        print(f"EXIT {end.code}", flush=True)
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a photo of a person, and files of no content, by all these names."""
    for number, name in enumerate(NAMES):
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        (folder / f"{name}.jpg").write_bytes(b"\xff\xd8\xff %d" % number)
        if number < 4:
            write_png(folder / f"{name}.png", people.photo(number, 0, 0).image)
    (tmp_path / "in").mkdir()
    for name in NAMES[:4]:
        write_png(tmp_path / "in" / f"{name}.png", mosaicked(32, 32, Grid.square(4)))
    save_model(tmp_path / "model.safetensors", generator(), CARD)
    return tmp_path


def outputs(here: Path, *commands: list[str]) -> Iterator[tuple[int, str]]:
    """The exit code and the output of each command; stderr is among the output."""
    site = here.parent / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(WATCH)
    home = {name: str(here) for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "TMPDIR")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=here,
        env={
            **os.environ,
            **home,
            "ALLOWED": str(here),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join([str(site), *sys.path]),
        },
        input=json.dumps(commands),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    *parts, rest = re.split(r"^EXIT (\d+)\n", done.stdout, flags=re.MULTILINE)
    assert rest == ""
    return zip(map(int, parts[1::2]), parts[::2], strict=True)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_hostile_names_are_shown_harmless_and_nothing_outside_is_touched(here: Path) -> None:
    build = ["build-dataset", "photos", "pairs", "--workers", "1", "--size", "64", "--block", "8"]
    model = ["--model", "model.safetensors", "--block", "4", "--region", "whole"]
    commands = (
        [*build, "--val", "0.4", "--min-sharpness", "0"],
        [*build, "--val", "0.4", "--min-sharpness", "0", "--json"],
        ["build-dataset", "photos", "pairs", "--check"],
        ["forget", "pairs", "two\nlines"],
        ["restore", "in", "--out", "out", *model],
        ["restore", "in", "--out", "again", "--json", *model],
        ["pixelate", "--region", "0,0,8,8", "--out", "hidden", "in"],
    )
    (_, seen), *ended = outputs(here, *commands)
    assert seen == "OUTSIDE os.rmdir ['/nowhere/at/all']\n"
    assert [code for code, _ in ended] == [0] * 7, ended
    for _, said in ended:
        assert "OUTSIDE" not in said
        assert re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", said) is None
    for code in (1, 5):
        for line in ended[code][1].splitlines():
            if line.startswith("{"):
                json.loads(line)
    found = {line["photo"] for line in lines(here / "pairs" / "skipped.jsonl")}
    assert found >= {f"{name}/{name}.jpg" for name in NAMES if name != "two\nlines"}
    assert len([*(here / "out").iterdir()]) == len([*(here / "hidden").iterdir()]) == 4
