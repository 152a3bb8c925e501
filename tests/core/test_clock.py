from __future__ import annotations

import threading
import time

import pytest

from ecs_hooks.core import clock


def test_the_time_is_the_systems_until_another_is_used() -> None:
    assert abs(clock.now() - time.time()) < 60

    seen = []
    with clock.use(lambda: 42.0):
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
        assert clock.now() == 42.0

    assert seen == [42.0]
    assert clock.now() != 42.0


AWS = 1_800_000_000.0
DATE = "Fri, 15 Jan 2027 08:00:00 GMT"


@pytest.mark.parametrize(
    ("wrong", "correction"),
    [(0.0, 0.0), (4.0, 0.0), (-4.0, 0.0), (300.0, -299.5), (-300.0, 300.5), (80_000.0, -79_999.5), (90_000.0, None)],
)
def test_awss_time_corrects_a_clock_that_is_wrong(wrong: float, correction: float | None) -> None:
    with clock.use(lambda: AWS + wrong):
        clock.learn(DATE)

        assert clock.is_verified() == (correction is not None)
        assert clock.offset() == (correction or 0.0)
        assert clock.now() == AWS + wrong + clock.offset()
        assert clock.uncorrected() == AWS + wrong
    assert clock.offset() == 0


def test_a_correction_stays_until_the_clock_was_set() -> None:
    time_is = [AWS + 300]
    with clock.use(lambda: time_is[0]):
        clock.learn(DATE)
        time_is[0] += 2  # within a second of the header, and some latency
        clock.learn(DATE)
        assert clock.offset() == -299.5
        clock.begin_invocation()
        assert not clock.is_verified()
        assert clock.offset() == -299.5
        time_is[0] = AWS
        clock.learn(DATE)
        assert clock.is_verified()
        assert clock.offset() == 0


@pytest.mark.parametrize("date", [None, "", "yesterday", "Fri, 99 Jan 2027 08:00:00 GMT"])
def test_a_date_that_is_none_corrects_nothing(date: str | None) -> None:
    with clock.use(lambda: AWS + 300):
        clock.learn(date)
        assert (clock.offset(), clock.is_verified()) == (0, False)


def test_an_exact_clock_is_not_corrected() -> None:
    with clock.use(lambda: AWS + 300, is_exact=True):
        clock.begin_invocation()
        clock.learn(DATE)
        assert (clock.offset(), clock.is_verified()) == (0, True)
