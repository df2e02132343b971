"""Several processes, started by torchrun itself, that train one model."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from demosaic.errors import PROBLEM
from demosaic.files import read_lines
from demosaic.models.checkpoint import load_state
from demosaic.training.distributed import Team, team
from doubles import a_dataset

TINY = """
from demosaic.cli.main import main
from demosaic.config import networks

tiny = networks.ResUNetConfig((4, 4, 4, 8), (1, 1, 1, 1), (1, 1, 1), attention=2, head=4)
networks.NETWORKS["S"] = tiny
main()
"""
OPTIONS = ("--batch", "4", "--validations", "1", "--validation-pairs", "2", "--save-every", "2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pairs, and a program that is demosaic with a tiny network."""
    place = tmp_path_factory.mktemp("team")
    a_dataset(place)
    (place / "tiny.py").write_text(TINY)
    return place


def command(folder: Path, processes: int, name: str, *options: str) -> list[str]:
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    words = ["train", "pairs", "--name", name, "--precision", "fp32", *OPTIONS, *options]
    return [sys.executable, *launcher, str(folder / "tiny.py"), *words]


def environment() -> dict[str, str]:
    quiet = {"OMP_NUM_THREADS": "1", "TORCH_CPP_LOG_LEVEL": "ERROR", "PYTHONWARNINGS": "ignore"}
    return {**os.environ, **quiet}


def train(folder: Path, processes: int, name: str, *options: str) -> str:
    done = subprocess.run(
        command(folder, processes, name, *options),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def alone(folder: Path) -> Path:
    """Six steps of one process, three in each stage."""
    train(folder, 1, "alone", "--steps", "6")
    return folder / "runs/alone"


def furthest(run: Path, other: Path) -> float:
    """The largest difference of any two weights."""
    first, second = (load_file(path / "model.safetensors") for path in (run, other))
    assert first.keys() == second.keys()
    return max(float((first[name] - second[name]).abs().max()) for name in first)


def test_two_processes_learn_what_one_does(folder: Path, alone: Path) -> None:
    train(folder, 2, "two", "--steps", "6")
    assert furthest(folder / "runs/two", alone) < 1e-4
    for name in ("faithful", "sharp"):
        assert any(key.startswith(name) for key in load_file(alone / "model.safetensors"))


def test_only_the_first_process_writes_and_speaks(folder: Path) -> None:
    said = train(folder, 2, "quiet", "--steps", "2")
    assert said.count("training pairs") == 1
    lines = read_lines(folder / "runs/quiet/events.jsonl")
    assert sum(line["event"] == "TrainingStarted" for line in lines) == 1


def test_a_run_goes_on_with_another_number_of_processes(folder: Path, alone: Path) -> None:
    run = folder / "runs/changing"
    process = subprocess.Popen(
        command(folder, 2, "changing", "--steps", "6"),
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 90
    while not (run / "resume.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert 2 <= load_state(run / "resume.pt")["step"] <= 6
    train(folder, 1, "changing", "--steps", "6")
    assert furthest(run, alone) < 1e-4


def test_one_killed_process_ends_the_others_with_a_sentence(folder: Path) -> None:
    log = folder / "killed.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            command(folder, 2, "killed", "--steps", "100000"),
            cwd=folder,
            env=environment(),
            stdout=file,
            stderr=file,
        )
    deadline = time.monotonic() + 90
    while not (folder / "runs/killed/resume.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(the_second_worker(process.pid), signal.SIGKILL)
    assert process.wait(timeout=60) == PROBLEM
    assert "error: another process of this training has ended" in log.read_text()
    assert load_state(folder / "runs/killed/resume.pt")["step"] >= 2


def the_second_worker(launcher: int) -> int:
    """The process that torchrun gave rank 1."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            words = path.read_bytes().split(b"\0")
            parent = (path.parent / "stat").read_text().rsplit(")", 1)[1].split()[1]
        except OSError:
            continue
        if b"RANK=1" in words and int(parent) == launcher:
            return int(path.parent.name)
    raise AssertionError("no second worker")


def test_every_face_is_in_one_share_and_the_shares_are_even() -> None:
    for size in range(1, 6):
        shares = [Team(rank, size).share(13) for rank in range(size)]
        assert [number for share in shares for number in share] == list(range(13))
        assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_on_ones_own_nothing_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with team() as mates:
        assert mates == Team(0, 1) and mates.leads
        assert mates.follow(1.5, 2.0) == (1.5, 2.0)
