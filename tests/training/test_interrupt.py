"""Ctrl-C is noticed, and acted on between two steps."""

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from demosaic.training.interrupt import stop_requests


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_is_noted_and_nothing_is_raised(name: str) -> None:
    number = getattr(signal, name, signal.SIGINT)  # Windows has no SIGHUP
    with stop_requests() as requested:
        assert requested() == 0
        signal.raise_signal(number)
        assert requested() == number


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system hangs nothing up")
def test_a_signal_that_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_requests() as requested:
            signal.raise_signal(signal.SIGHUP)
            assert requested() == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_one_signal_of_each_kind_is_one_request() -> None:
    """As torchrun sends them."""
    with stop_requests() as requested:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert requested()


def test_a_second_signal_of_a_kind_stops_at_once() -> None:
    with stop_requests():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_the_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with stop_requests():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_in_another_thread_no_request_ever_comes() -> None:
    def asked() -> int:
        with stop_requests() as requested:
            return requested()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(asked).result() == 0
