"""Which device and precision are taken, and why."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from demosaic.config.compute import DeviceConfig
from demosaic.errors import USAGE, DemosaicError
from demosaic.models import compute as devices
from demosaic.models.compute import (
    Compute,
    Trial,
    busy_elsewhere,
    choose,
    choose_threads,
    cores_at_rest,
    settle_threads,
    tune_allocator,
)
from demosaic.text import counted

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """Whatever a test asks for, the next one finds the threads as they were."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that computes bf16 in hardware."""
    monkeypatch.setattr(devices, "has_bf16", lambda device: True)


def trial(*, exact: float, short: float, error: float = 0.0) -> Trial:
    """Work that takes so many seconds in fp32 and in bf16, which is off by a relative `error`."""

    def work(compute: Compute) -> Tensor:
        time.sleep(short if compute.bf16 else exact)
        return torch.ones(10) * (1 + error if compute.bf16 else 1)

    return work


def never(compute: Compute) -> Tensor:
    raise AssertionError("there is nothing to try")


@pytest.mark.usefixtures("bf16")
@pytest.mark.parametrize(
    ("work", "chosen", "why_this"),
    [
        (trial(exact=0.03, short=0.001), True, r"\d+\.\d times as fast as in fp32"),
        (trial(exact=0.001, short=0.03), False, r"\d+\.\d times as fast as in bf16"),
        (trial(exact=0.03, short=0.001, error=0.01), True, r"\d+\.\d times as fast as in fp32"),
        (trial(exact=0.03, short=0.001, error=0.5), False, r"in bf16 it differs by 0\.50"),
        (trial(exact=0.03, short=0.001, error=-0.5), False, r"in bf16 it differs by 0\.50"),
        (trial(exact=0.03, short=0.001, error=float("nan")), False, "in bf16 it differs by nan"),
    ],
    ids=["faster", "slower", "nearly agrees", "disagrees", "is too small", "is no number"],
)
def test_auto_takes_bf16_only_where_it_is_faster_and_agrees(
    work: Trial, chosen: bool, why_this: str
) -> None:
    compute, why = choose(DeviceConfig(device="cpu"), work)
    assert compute == Compute(CPU, chosen)
    assert re.fullmatch(rf"computing on {re.escape(str(compute))} \({why_this}\)", why)


def test_auto_tries_nothing_where_bf16_is_emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "amx_bf16": False})
    compute, why = choose(DeviceConfig(device="cpu", threads=1), never)
    assert compute == Compute(CPU, False)
    assert why == f"computing on {compute}"


@pytest.mark.parametrize("capability", ["amx_bf16", "avx512_bf16", "bf16", "sve_bf16"])
def test_auto_tries_bf16_where_the_processor_has_it(
    capability: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {capability: True})
    compute, _ = choose(DeviceConfig(device="cpu"), trial(exact=0.03, short=0.001))
    assert compute.bf16


@pytest.mark.usefixtures("bf16")
def test_without_a_trial_auto_is_fp32() -> None:
    assert choose(DeviceConfig(device="cpu"))[0] == Compute(CPU, False)


@pytest.mark.parametrize(("precision", "bf16"), [("fp32", False), ("bf16", True)])
def test_a_precision_asked_for_is_taken_untried(precision: str, bf16: bool) -> None:
    config = DeviceConfig(device="cpu", precision="bf16" if bf16 else "fp32")
    compute, why = choose(config, never)
    assert compute == Compute(CPU, bf16)
    threads = counted(torch.get_num_threads(), "thread")
    assert why == f"computing on cpu in {precision}, {threads}, as asked"


@pytest.mark.parametrize(("two_threads", "chosen"), [(0.001, 2), (0.03, 1)])
def test_half_of_the_threads_are_taken_only_where_they_are_faster(
    two_threads: float, chosen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(compute: Compute) -> Tensor:
        time.sleep(two_threads if torch.get_num_threads() == 2 else 0.01)
        return torch.ones(1)

    monkeypatch.setattr(devices, "has_bf16", lambda device: False)
    torch.set_num_threads(2)
    _, why = choose(DeviceConfig(device="cpu"), work)
    assert torch.get_num_threads() == chosen
    assert why == f"computing on cpu in fp32, {counted(chosen, 'thread')}"


@pytest.mark.usefixtures("bf16")
def test_threads_asked_for_are_not_tried_against_fewer() -> None:
    torch.set_num_threads(2)
    choose(DeviceConfig(device="cpu", threads=2), trial(exact=0.03, short=0.001))
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("name", ["gpu", "", "cuda:99", "cpu:x", "tpu"])
def test_a_device_that_is_not_there_is_wrong_usage(name: str) -> None:
    with pytest.raises(DemosaicError, match="there is no such device here") as caught:
        choose(DeviceConfig(device=name))
    assert f"--device {name}" in str(caught.value)
    assert caught.value.exit_code == USAGE


def test_auto_finds_a_device_to_compute_on() -> None:
    compute, _ = choose(DeviceConfig())
    assert float(torch.ones(2, device=compute.device).sum()) == 2


def test_the_threads_asked_for_are_taken() -> None:
    settle_threads(DeviceConfig(threads=3), before=2)
    assert torch.get_num_threads() == 3


def test_a_run_goes_on_with_the_threads_it_began_with() -> None:
    settle_threads(DeviceConfig(), before=2)
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("allowed", "busy", "taken"), [(2, 0, 2), (2, 5.4, 2), (4, 6, 2), (4, 7, 1), (4, 50, 1)]
)
def test_no_more_threads_are_taken_than_cores_are_allowed_and_at_rest(
    allowed: int, busy: float, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr(devices, "allowed_cores", lambda: allowed)
    monkeypatch.setattr(devices, "busy_elsewhere", lambda: busy)
    assert cores_at_rest() == taken


def test_threads_are_chosen_again_as_cores_come_to_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "cores_at_rest", lambda: 64)
    settle_threads(DeviceConfig())
    most = torch.get_num_threads()  # of this machine; tests before may have chosen fewer
    monkeypatch.setattr(devices, "cores_at_rest", lambda: 1)
    settle_threads(DeviceConfig())
    assert torch.get_num_threads() == 1
    monkeypatch.setattr(devices, "cores_at_rest", lambda: 64)
    settle_threads(DeviceConfig())
    assert torch.get_num_threads() == most
    monkeypatch.setattr(devices, "cores_at_rest", lambda: 1)
    choose_threads(Compute(CPU, False), trial(exact=0.0, short=0.0))
    assert torch.get_num_threads() == 1


@pytest.mark.skipif(not Path("/proc/loadavg").exists(), reason="this system does not say")
def test_processes_beside_this_one_are_seen() -> None:
    spin = "while True: pass"
    others = [subprocess.Popen([sys.executable, "-c", spin]) for _ in range(3)]
    try:
        time.sleep(0.5)
        assert busy_elsewhere() >= 3
    finally:
        for other in others:
            other.kill()
            other.wait()


def test_the_precision_holds_within_and_not_after() -> None:
    image = torch.ones(4, 4)
    with Compute(CPU, True).precision():
        assert (image @ image).dtype == torch.bfloat16
    with Compute(CPU, False).precision():
        assert (image @ image).dtype == torch.float32
    assert (image @ image).dtype == torch.float32


def test_images_are_taken_channels_last_and_unchanged() -> None:
    images = torch.rand(2, 3, 4, 5)
    taken = Compute(CPU, True).take(images)
    assert taken.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(taken, images)


def test_tuning_the_allocator_changes_no_result() -> None:
    images = torch.rand(2, 3, 64, 64)
    before = torch.nn.functional.avg_pool2d(images, 4)
    tune_allocator()
    tune_allocator()
    assert torch.equal(torch.nn.functional.avg_pool2d(images.clone(), 4), before)


def test_tuning_the_allocator_is_harmless_where_there_is_no_glibc(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setattr("ctypes.CDLL", never)
    tune_allocator()


@pytest.mark.usefixtures("bf16")
@pytest.mark.parametrize("before", [True, False])
def test_a_run_goes_on_in_the_precision_it_began_in(before: bool) -> None:
    compute, why = choose(DeviceConfig(device="cpu"), never, before)
    assert compute.bf16 is before
    assert why.endswith("as before")


def test_a_run_begun_in_bf16_goes_on_in_fp32_where_bf16_would_be_emulated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(devices, "has_bf16", lambda device: False)
    compute, _ = choose(DeviceConfig(device="cpu"), never, True)
    assert not compute.bf16
