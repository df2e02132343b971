"""A process that is killed in the middle of a write leaves the file of before, and no other is
read as whole.

The operating system kills a process that makes a file longer than it may (SIGXFSZ): in the middle
of a write, at the same byte each time, whoever writes.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SCRIPT = """
import os, resource, signal, sys
from pathlib import Path

import torch

from demosaic.files import write_lines
from demosaic.imaging.encoding import write_png
from demosaic.models.checkpoint import load_model, load_state, save_model, save_state
from demosaic.reporting.page import Section, Text, write_report
from doubles import CARD, generator, texture

folder = Path(sys.argv[1])


def state(path, new):
    save_state(path, {"step": new, "values": torch.full((20_000,), float(new))})


def model(path, new):
    save_model(path, generator(), CARD)


def page(path, new):
    write_report(path, title=f"{new}", lead="x" * 20_000, sections=[Section("a", [Text("b")])])


def lines(path, new):
    write_lines(path, [{"n": n, "new": new} for n in range(2000)])


def picture(path, new):
    write_png(path, texture(64, 64, seed=new))


class Painting:
    def examine(self, frames):
        return ((shown, picture, ["a corner"]) for shown, picture in frames)

    def edit(self, frames):
        corner = Box(0, 0, 8, 8), np.full((8, 8, 3), 9, np.uint8), np.zeros((8, 8), np.int32)
        return ((shown, [Patch(*corner)]) for shown, picture, found in frames)


def clip(path, new):
    plan = plan_clip(folder / "source.mp4", path)
    edit_clip(plan, Painting(), How(comment=f"{new}"), "nothing")


def a_clip(path):
    import av

    with av.open(str(path), "w") as target:
        video = target.add_stream("libx264", rate=20)
        video.width = video.height = 64
        for _ in range(8):
            target.mux(video.encode(av.VideoFrame.from_ndarray(texture(64, 64), "rgb24")))
        target.mux(video.encode())


def killed_after(size, write, path):
    child = os.fork()
    if not child:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        write(path, 1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXFSZ


def killed_at_many_bytes(write, name, times):
    path = folder / name
    write(path, 0)
    before = path.read_bytes()
    others = sorted(folder.iterdir())
    for number in range(times):
        size = 1 + number * (len(before) - 2) // times
        assert killed_after(size, write, path), (name, size)
        assert path.read_bytes() == before, (name, size)
    litter = [one.name for one in folder.iterdir() if one not in others]
    assert f".{name}.part" in litter and {*litter} <= {f".{name}.part", f".{name}.work"}, litter
    if write is state:
        assert load_state(path)["step"] == 0
    if write is model:
        load_model(path)
    write(path, 1)  # the same write goes on from there
    assert sorted(folder.iterdir()) == others
    assert write is model or path.read_bytes() != before


killed_at_many_bytes(state, "resume.pt", 50)
killed_at_many_bytes(model, "model.safetensors", 50)
killed_at_many_bytes(page, "report.html", 50)
killed_at_many_bytes(lines, "pairs.jsonl", 50)
killed_at_many_bytes(picture, "a.png", 50)
if "clip" in sys.argv:
    import numpy as np
    from demosaic.clips.editing import How, edit_clip
    from demosaic.clips.planes import Patch
    from demosaic.clips.planning import plan_clip
    from demosaic.imaging.geometry import Box

    a_clip(folder / "source.mp4")
    killed_at_many_bytes(clip, "a.mp4", 10)
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(os, "fork") or find_spec("resource") is None,
    reason="this system does not kill who writes too much",
)
def test_a_kill_in_the_middle_of_a_write_leaves_the_file_of_before(tmp_path: Path) -> None:
    """A run's state, a model, a page, lines, a picture, and a clip where PyAV is installed."""
    clip = ["clip"] if find_spec("av") else []
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), *clip],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
