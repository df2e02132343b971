"""A cluster gives what one process gives, whatever happens to its workers."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import astuple, replace
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="needs dask: the extra [cluster]")

import dask
from distributed import Client, LocalCluster

from dataset_doubles import SMALL, build, contents
from demosaic.cli.main import app
from demosaic.config.evaluation import EvaluateConfig
from demosaic.dataset.build import build_dataset
from demosaic.dataset.events import PhotoDone
from demosaic.errors import DemosaicError
from demosaic.evaluation.benchmark import evaluate
from demosaic.events import Event, Notice
from demosaic.faces.short_range import ShortRangeDetector
from demosaic.models.checkpoint import save_model
from demosaic.mosaic.grid import Grid
from demosaic.privacy.pixelate import pixelate_files
from demosaic.restoration.batch import restore_files
from demosaic.workers.cluster import Cluster, cluster
from doubles import ANYTHING, DEVICES, a_model, mosaicked, our_model, save

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:::distributed"),  # its own, about sockets and ports
]


@pytest.fixture(scope="module")
def local() -> Iterator[Client]:
    """A scheduler and two workers, each a process."""
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "5s"}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
        ) as started,
        Client(started) as client,
    ):
        yield client


def build_on(workers: Cluster, photos: Path, out: Path, listen: Callable[[Event], None]) -> None:
    build_dataset(
        photos,
        out,
        SMALL,
        make_detector=partial(ShortRangeDetector, 0.5),
        detector_name="mediapipe",
        workers=workers,
        listen=listen,
    )


@pytest.fixture(scope="module")
def album(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The photos of two people: three chunks of work."""
    folder = tmp_path_factory.mktemp("album")
    for person in ("person-000", "person-001"):
        shutil.copytree(photos / person, folder / person)
    return folder


@pytest.fixture(scope="module")
def straight(album: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process makes of the photos."""
    folder = tmp_path_factory.mktemp("straight") / "pairs"
    build(album, folder)
    return folder


@pytest.mark.parametrize("sent", [None, signal.SIGKILL, signal.SIGSTOP], ids=str)
def test_a_dataset_is_the_same_though_a_worker_is_killed_or_never_answers(
    sent: signal.Signals | None, local: Client, album: Path, straight: Path, tmp_path: Path
) -> None:
    local.wait_for_workers(2)
    process = sorted(local.run(os.getpid).items())[0][1]
    done: list[Event] = []

    def listen(event: Event) -> None:
        done.append(event)
        if sent and sum(isinstance(one, PhotoDone) for one in done) == 2:
            os.kill(process, sent)

    build_on(Cluster(local, patience=4), album, tmp_path / "out", listen)
    if sent == signal.SIGSTOP:
        os.kill(process, signal.SIGKILL)  # another takes its place
    assert contents(tmp_path / "out") == contents(straight)


def test_a_worker_that_cannot_see_the_photos_is_named_before_the_work(local: Client) -> None:
    local.wait_for_workers(2)
    with pytest.raises(DemosaicError, match=r"the worker tcp://.* cannot see /nowhere/photos: let"):
        Cluster(local, ["/nowhere/photos"]).refuse_unfit()


def test_a_worker_that_came_later_and_cannot_see_the_photos_is_named(
    local: Client, album: Path, tmp_path: Path
) -> None:
    local.wait_for_workers(2)
    with pytest.raises(DemosaicError, match=r"the worker tcp://.* cannot see /nowhere"):
        build_on(Cluster(local, ["/nowhere"]), album, tmp_path / "out", lambda event: None)


def test_pictures_are_restored_pixelated_and_scored_as_in_one_process(
    local: Client, photos: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.wait_for_workers(2)
    workers = Cluster(local)
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "c.png"):
        save(Path("mosaics", name), mosaicked(32, 32, Grid.square(4)))
    Path("mosaics/b.png").write_bytes(b"no picture")
    model = a_model()
    save_model(Path("model.safetensors"), model.generator, model.card)
    reports = []
    for place, who in (("here", None), ("there", workers)):
        heard: list[Event] = []
        report = restore_files(
            "mosaics", place, model="model.safetensors", config=ANYTHING,
            devices=DEVICES, workers=who, listen=heard.append,
        )  # fmt: skip
        hidden = pixelate_files(photos / "person-000", f"{place}-hidden", workers=who)
        reports.append(repr((report, heard, hidden)).replace(place, "place"))
    assert reports[0] == reports[1]
    assert contents(Path("here")) == contents(Path("there"))
    assert contents(Path("here-hidden")) == contents(Path("there-hidden"))

    ours = our_model()
    save_model(Path("ours.safetensors"), ours.generator, ours.card)
    config = EvaluateConfig(quick=True, faces=2)
    here, there = (
        evaluate(dataset, "ours.safetensors", config, devices=DEVICES, workers=who).report
        for who in (None, workers)
    )
    assert replace(there, computed=here.computed, seconds=here.seconds, scores=here.scores) == here
    for one, other in zip(here.scores, there.scores, strict=True):
        assert (one.way, one.block) == (other.way, other.block)
        for name, estimate in one.estimates.items():
            found = astuple(other.estimates[name])
            assert found == pytest.approx(
                astuple(estimate), abs=1e-3
            )  # other threads round otherwise
    assert there.computed.endswith("a cluster")


def started(*words: str) -> subprocess.Popen[bytes]:
    """A process of dask's."""
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{words[0]}", *words[1:]],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_a_build_whose_scheduler_vanishes_is_finished_by_the_same_call(
    album: Path, straight: Path, tmp_path: Path
) -> None:
    port = 20_000 + os.getpid() % 20_000
    address = f"tcp://127.0.0.1:{port}"
    scheduler = started("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    worker = started("worker", address, "--no-dashboard", "--no-nanny", "--nthreads", "1")
    heard: list[Event] = []

    def listen(event: Event) -> None:
        heard.append(event)
        if isinstance(event, PhotoDone):
            scheduler.kill()

    try:
        with (
            dask.config.set({"distributed.comm.timeouts.connect": "10s"}),
            pytest.raises(DemosaicError, match="the scheduler of the cluster has gone: start it"),
            cluster(address, [album], heard.append, workers=2) as workers,
        ):
            dask.config.set({"distributed.comm.timeouts.connect": "1s"})
            build_on(workers, album, tmp_path / "out", listen)
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()
    assert heard[0] == Notice(f"cluster {address}, dashboard {dashboard(heard[0])}")
    build(album, tmp_path / "out")
    assert contents(tmp_path / "out") == contents(straight)


def dashboard(event: Event) -> str:
    """The address that was said."""
    assert isinstance(event, Notice)
    return event.text.rpartition(" ")[2]


def test_an_address_without_a_scheduler_is_named() -> None:
    start = time.monotonic()
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(DemosaicError, match=r"no dask scheduler answers at tcp://127.0.0.1:9: "),
        cluster("tcp://127.0.0.1:9", [], lambda event: None, workers=1),
    ):
        pass
    assert time.monotonic() - start < 30


def test_the_command_builds_on_a_cluster_of_its_own(album: Path, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    words = ["build-dataset", str(album), str(tmp_path / "out"), "--cluster", "local"]
    done = CliRunner().invoke(app, [*words, "--workers", "1", "--size", "64"])
    assert done.exit_code == 0, done.output
    assert "dashboard http://127.0.0.1:" in " ".join(done.output.split())
