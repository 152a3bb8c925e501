from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from ecs_hooks.core.timeouts import Call
from ecs_hooks.relay import ABREAST, Relay, waits


class Runners:
    """Calls that go on when a test lets them, each in a thread of its own."""

    def __init__(self, count: int) -> None:
        self.begun: list[int] = []
        self.over = [threading.Event() for _ in range(count)]
        self._steps = [threading.Semaphore(0) for _ in range(count)]
        self._running = [threading.Event() for _ in range(count)]
        self.relay = Relay(self._begin(number) for number in range(count))

    def step(self, number: int) -> None:
        """Let a call wait, the first time; the second time let it end."""
        self._steps[number].release()

    def wait_for(self, count: int) -> list[int]:
        """Return which have begun, once there are so many."""
        for number in range(count):
            assert self._running[number].wait(10)
        return sorted(self.begun)

    def _begin(self, number: int) -> Callable[[], object]:
        def call() -> None:
            self.begun.append(number)
            self._running[number].set()
            self._steps[number].acquire(timeout=10)
            waits()
            self._steps[number].acquire(timeout=10)

        return lambda: Call(lambda: self.relay.run(call), lambda _: self.over[number].set())


@pytest.fixture
def runners() -> Runners:
    return Runners(20)


def finish(runners: Runners, *numbers: int) -> None:
    for number in numbers:
        runners.step(number)
        runners.step(number)
        assert runners.over[number].wait(10)


def test_a_call_begins_when_one_before_first_waits(runners: Runners) -> None:
    runners.relay.start()
    assert runners.wait_for(ABREAST) == [0, 1, 2]

    runners.step(1)
    assert runners.wait_for(4) == [0, 1, 2, 3]
    finish(runners, 1)  # it has passed it on already

    assert sorted(runners.begun) == [0, 1, 2, 3]
    runners.relay.stop()
    finish(runners, 0, 2, 3)


def test_a_call_that_never_waits_passes_it_on_at_its_end() -> None:
    order: list[int] = []
    over = threading.Semaphore(0)

    def begin(number: int) -> Callable[[], object]:
        return lambda: Call(lambda: relay.run(lambda: order.append(number)), lambda _: over.release())

    relay = Relay(begin(number) for number in range(21))
    relay.start()

    for _ in range(21):
        assert over.acquire(timeout=10)
    assert sorted(order) == list(range(21))
    assert not relay


def test_where_nobody_passes_it_on_more_and_more_begin(runners: Runners) -> None:
    runners.relay.start()
    runners.relay.hurry()  # some have begun since the last time
    assert runners.wait_for(3) == [0, 1, 2]

    runners.relay.hurry()
    assert runners.wait_for(9) == list(range(9))
    runners.relay.hurry()
    assert runners.wait_for(20) == list(range(20))
    runners.relay.hurry()

    finish(runners, *range(20))


def test_nothing_begins_after_the_end(runners: Runners) -> None:
    runners.relay.start()
    runners.wait_for(3)

    runners.relay.stop()
    finish(runners, 0, 1, 2)

    assert sorted(runners.begun) == [0, 1, 2]
    assert not runners.relay


def test_whoever_waits_outside_of_a_relay_has_nobody_to_pass_it_on_to() -> None:
    waits()
