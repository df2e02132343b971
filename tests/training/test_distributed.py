"""Several processes, started by torchrun itself, that train one model."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from safetensors.torch import load_file

from demosaic.config import networks
from demosaic.config.networks import ResUNetConfig
from demosaic.config.training import TrainConfig
from demosaic.errors import PROBLEM, DemosaicError
from demosaic.files import read_lines
from demosaic.locks import written_alone
from demosaic.models.checkpoint import load_state
from demosaic.training.distributed import Processes, processes
from demosaic.training.loop import train
from doubles import DEVICES, a_dataset

NETWORK = ResUNetConfig((4, 8), (1, 1), (1,), attention=1, head=4)
PROGRAM = f"""
from demosaic.cli.main import main
from demosaic.config import networks
from demosaic.config.networks import ResUNetConfig

networks.NETWORKS["S"] = {NETWORK!r}
main()
"""
CONFIG = TrainConfig(steps=4, init="none", batch=4, validations=1, validation_pairs=1, save_every=2)
"""Two steps in each stage."""


@pytest.fixture(scope="module", autouse=True)
def tiny() -> Iterator[None]:
    """The same networks in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(networks.NETWORKS, "S", NETWORK)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pairs, and a program that is demosaic with tiny networks."""
    place = tmp_path_factory.mktemp("distributed")
    a_dataset(place, people=6)
    (place / "tiny.py").write_text(PROGRAM)
    return place


def command(folder: Path, name: str, steps: int) -> list[str]:
    """The command that trains in two processes, with the options of CONFIG."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words = ["train", "pairs", "--name", name, "--steps", str(steps), "--batch", "4"]
    words += ["--init", "none"]
    words += ["--validations", "1", "--validation-pairs", "1", "--save-every", "2"]
    words += ["--device", "cpu", "--precision", "fp32", "--threads", "1"]
    return [sys.executable, *launcher, str(folder / "tiny.py"), *words]


def environment() -> dict[str, str]:
    quiet = {"OMP_NUM_THREADS": "1", "TORCH_CPP_LOG_LEVEL": "ERROR", "PYTHONWARNINGS": "ignore"}
    return {**os.environ, **quiet}


def is_saved(run: Path) -> bool:
    """Whether the run has a state; waits for it."""
    deadline = time.monotonic() + 90
    while not (run / "resume.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return (run / "resume.pt").exists()


def is_left_alone(run: Path) -> bool:
    """Whether no process writes to the run any more; waits for it."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(DemosaicError), written_alone(run):
            return True
        time.sleep(0.1)
    return False


@pytest.fixture(scope="module")
def together(folder: Path) -> tuple[Path, str]:
    """A run of two processes, and what they printed."""
    done = subprocess.run(
        command(folder, "together", 4),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "runs/together", done.stdout


@pytest.fixture(scope="module")
def alone(folder: Path) -> Path:
    """The same run of one process."""
    train(folder / "pairs", folder / "runs/alone", CONFIG, devices=DEVICES)
    return folder / "runs/alone"


def furthest(run: Path, other: Path) -> float:
    """The largest difference of any two weights."""
    first, second = (load_file(path / "model.safetensors") for path in (run, other))
    assert first.keys() == second.keys()
    return max(float((first[name] - second[name]).abs().max()) for name in first)


@pytest.mark.slow
def test_two_processes_learn_what_one_does(together: tuple[Path, str], alone: Path) -> None:
    assert furthest(together[0], alone) < 1e-4
    for name in ("faithful", "sharp"):
        assert any(key.startswith(name) for key in load_file(alone / "model.safetensors"))


@pytest.mark.slow
def test_only_the_first_process_writes_and_speaks(together: tuple[Path, str]) -> None:
    run, said = together
    assert said.count("training pairs") == 1
    lines = read_lines(run / "events.jsonl")
    assert sum(line["event"] == "TrainingStarted" for line in lines) == 1


@pytest.mark.slow
def test_a_run_continues_with_another_number_of_processes(folder: Path, alone: Path) -> None:
    run = folder / "runs/changing"
    process = subprocess.Popen(
        command(folder, "changing", 4),
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert is_saved(run)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert is_left_alone(run)  # torchrun's processes end too, though nobody killed them
    assert 2 <= load_state(run / "resume.pt")["step"] <= 4
    train(folder / "pairs", run, CONFIG, devices=DEVICES)
    assert furthest(run, alone) < 1e-4


@pytest.mark.slow
def test_one_killed_process_ends_the_others_with_a_sentence(folder: Path) -> None:
    run, log = folder / "runs/killed", folder / "killed.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            command(folder, "killed", 100_000),
            cwd=folder,
            env=environment(),
            stdout=file,
            stderr=file,
        )
    assert is_saved(run)
    os.kill(the_second_worker(process.pid), signal.SIGKILL)
    assert process.wait(timeout=60) == PROBLEM
    assert "error: another process of this training has ended" in log.read_text()
    assert load_state(run / "resume.pt")["step"] >= 2


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
        shares = [Processes(rank, size).share(13) for rank in range(size)]
        assert [number for share in shares for number in share] == list(range(13))
        assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_single_process_shares_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with processes() as group:
        assert group == Processes(0, 1) and group.is_first
        assert group.broadcast(1.5) == 1.5
        assert [group.broadcast_flag(flag) for flag in (True, False)] == [True, False]
