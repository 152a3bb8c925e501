from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_hooks.checks.load.open_loop import Load, OpenLoop, Sample, WorkerError
from ecs_hooks.core.deadline import Deadline
from ecs_hooks.core.outcome import Status
from tests.checks.load.loads import starve

T = TypeVar("T")


def run(
    send: Callable[[int, Deadline], T],
    *,
    rate: float,
    count: int,
    timeout: float,
    max_in_flight: int,
    waiting: Callable[[], int] = lambda: 0,
) -> Load[T]:
    return OpenLoop(send, rate=rate, count=count, timeout=timeout, max_in_flight=max_in_flight, waiting=waiting).run()


def at_once(number: int, _deadline: Deadline) -> int:
    return number


def test_each_request_is_sent_once_and_not_before_it_is_due() -> None:
    load = run(at_once, rate=200, count=50, timeout=5, max_in_flight=10)

    assert [sample.due for sample in load.samples] == pytest.approx([number / 200 for number in range(50)])
    assert [sample.result for sample in load.samples] == list(range(50))
    assert all(sample.due <= sample.begun <= sample.ended for sample in load.samples)
    assert all(0 <= share <= 1 for share in load.own_shares)


def test_latency_in_a_stall_counts_from_the_due_time() -> None:
    """A closed loop would have sent one request in the stall, and all others would have been fast."""
    began = threading.Event()
    stall = [0.0, 0.0]

    def send(number: int, _deadline: Deadline) -> None:
        now = time.monotonic()
        if number == 0:
            stall[:] = now + 0.2, now + 0.7
            began.set()
        elif began.is_set() and stall[0] <= now < stall[1]:
            time.sleep(stall[1] - now)

    load = run(send, rate=100, count=100, timeout=5, max_in_flight=100)
    # Half of the requests are due in the stall, each with 10 ms less of it to come than the one before.
    first = load.samples[0]
    met = [sample for sample in load.samples if first.ended + 0.2 <= sample.due < first.begun + 0.7]
    assert len(met) > 40
    assert all(sample.latency >= first.begun + 0.7 - sample.due for sample in met)
    assert not any(sample.queued for sample in load.samples)


def test_max_in_flight_holds_and_the_wait_counts_as_latency() -> None:
    under_way, most = 0, 0
    lock = threading.Lock()

    def send(_number: int, _deadline: Deadline) -> bool:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.1)
        with lock:
            under_way -= 1
        return True

    load = run(send, rate=100, count=40, timeout=20, max_in_flight=2)
    assert most == 2
    assert all(sample.result for sample in load.samples)
    assert not load.samples[0].queued
    assert load.samples[-1].queued
    # Two at a time, 0.1 s each: the last of 40 ends after 2 s, and was due after 0.39 s.
    assert load.samples[-1].latency >= 40 / 2 * 0.1 - 0.39 - 1e-6


def test_a_request_that_timed_out_while_queued_is_not_sent() -> None:
    sent: list[int] = []

    def send(number: int, _deadline: Deadline) -> bool:
        sent.append(number)
        if number == 0:
            time.sleep(0.5)
        return True

    load = run(send, rate=50, count=20, timeout=0.2, max_in_flight=1)
    # The first request keeps the worker busy for 0.5 s; by then those that were due in the first 0.3 s have timed out.
    never = load.samples[1:15]
    assert all(sample.result is None and sample.queued for sample in never)
    assert all(sample.latency >= 0.2 for sample in never)
    assert not set(sent) & set(range(1, 15))


def test_the_load_does_not_wait_for_a_request_beyond_its_timeout() -> None:
    release = threading.Event()

    def send(number: int, _deadline: Deadline) -> bool:
        if number == 1:
            release.wait(20)
        return True

    load = run(send, rate=50, count=3, timeout=1, max_in_flight=5)
    release.set()
    assert [sample.result for sample in load.samples] == [True, None, True]
    assert load.samples[1].latency >= 1


def test_an_exception_ends_the_load() -> None:
    sent: list[int] = []

    def send(number: int, _deadline: Deadline) -> None:
        sent.append(number)
        if number == 3:
            message = "none can be sent"
            raise ZeroDivisionError(message)

    with pytest.raises(ZeroDivisionError, match="none can be sent"):
        run(send, rate=10, count=1000, timeout=5, max_in_flight=5)
    assert 3 in sent
    assert len(sent) < 100


@pytest.mark.parametrize("started", [0, 1])
def test_if_no_thread_can_start_it_is_an_error(monkeypatch: pytest.MonkeyPatch, started: int) -> None:
    start, calls = threading.Thread.start, []

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "ecs-hooks-load":
            calls.append(thread)
            if len(calls) > started:
                message = "can't start new thread"
                raise RuntimeError(message)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(WorkerError, match="can start no more threads") as caught:
        run(at_once, rate=100, count=10, timeout=5, max_in_flight=5)
    assert caught.value.outcome.status is Status.ERROR


@pytest.mark.parametrize(("waiting", "share"), [(0, 1.0), (1, 0.0)])
def test_own_shares_tell_waits_for_the_process_from_waits_for_the_server(waiting: int, share: float) -> None:
    def send(_number: int, _deadline: Deadline) -> None:
        time.sleep(0.2)

    load = run(send, rate=100, count=3, timeout=5, max_in_flight=1, waiting=lambda: waiting)
    # One is under way at almost all times, and it waits for the server or it does not.
    assert load.own_shares.count(share) > 20
    assert waiting or min(load.own_delays()[1:]) > 0.1


def test_a_starved_process_delays_requests_itself() -> None:
    """Although all workers are busy, and wait for the server as soon as they run."""

    def send(number: int, _deadline: Deadline) -> None:
        time.sleep(0.1)
        if number == 0:
            starve(0.3)

    load = run(send, rate=50, count=8, timeout=20, max_in_flight=1, waiting=lambda: 1)
    assert all(sample.queued for sample in load.samples[1:])
    assert all(own >= 0.2 for own in load.own_delays()[1:4])


times = st.integers(0, 5000).map(lambda number: number / 10_000)


@settings(deadline=None)
@given(
    spans=st.lists(st.tuples(times, times, times, st.booleans()), min_size=1, max_size=8),
    shares=st.lists(st.floats(0, 1), max_size=60),
)
def test_the_own_delay_is_part_of_the_latency(
    spans: list[tuple[float, float, float, bool]], shares: list[float]
) -> None:
    samples = [Sample(min(span[:3]), sorted(span[:3])[1], max(span[:3]), span[3], None) for span in spans]
    for own, sample in zip(Load(samples, shares).own_delays(), samples, strict=True):
        assert -1e-9 <= own <= sample.latency + 1e-9
    for own, sample in zip(Load(samples, [1.0] * 60).own_delays(), samples, strict=True):
        assert own == pytest.approx(sample.latency, abs=1e-9)
    for own, sample in zip(Load(samples, []).own_delays(), samples, strict=True):
        assert own == pytest.approx(0 if sample.queued else sample.begun - sample.due, abs=1e-9)


def test_an_own_share_counts_for_its_interval() -> None:
    (own,) = Load([Sample(0.0, 0.005, 0.035, False, True)], [0.5, 1.0, 0.0, 0.2]).own_delays()

    assert own == pytest.approx(0.005 + 0.005 * 0.5 + 0.01 * 1.0 + 0.005 * 0.2)
