from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime

import pytest

from ecs_hooks.core import clock as library_clock
from ecs_hooks_simulator import RealClock, VirtualClock
from ecs_hooks_simulator.core.timeline import StatusChanged
from tests.simulator.plays import IN_PROGRESS, SUCCEEDED, Gate, controller


def test_virtual_time_begins_at_the_epoch_or_the_given_start() -> None:
    assert datetime.fromtimestamp(VirtualClock().now(), UTC) == datetime(2026, 1, 1, tzinfo=UTC)
    assert VirtualClock(5.0).now() == 5.0


def test_a_sleep_on_an_idle_clock_takes_no_time() -> None:
    clock = VirtualClock(0)
    clock.sleep(30 * 86_400)
    assert clock.now() == 30 * 86_400


def test_time_stands_still_while_a_function_runs_and_passes_while_it_sleeps() -> None:
    clock = VirtualClock(0)
    seen: list[float] = []

    def work() -> str:
        seen.append(clock.now())
        time.sleep(0.02)
        seen.append(clock.now())
        clock.sleep(50)
        seen.append(clock.now())
        return "done"

    async def main() -> str:
        waiting = asyncio.create_task(asyncio.sleep(20))
        result = await clock.call(work)
        assert waiting.done()
        return result

    assert clock.run(main()) == "done"
    assert seen == [0, 0, 50]


def test_a_thread_that_is_not_a_call_may_sleep_on_the_clock() -> None:
    clock = VirtualClock(0)
    woken: list[float] = []

    def work() -> None:
        clock.sleep(100)
        woken.append(clock.now())

    async def main() -> None:
        thread = threading.Thread(target=work)
        thread.start()
        # The thread is no function of the clock's own, so time does not wait for it to fall asleep.
        while not woken:  # noqa: ASYNC110 - passing time is what is tested
            await asyncio.sleep(10)
        thread.join()

    clock.run(main())
    assert len(woken) == 1
    assert woken[0] >= 100


def test_sleepers_wake_when_the_simulation_ends_before_them() -> None:
    clock = VirtualClock(0)
    over = threading.Event()

    def work() -> None:
        clock.sleep(1000)
        over.set()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await clock.call(work)

    clock.run(main())
    assert clock.now() == 10
    assert over.wait(10)


def test_a_result_that_comes_after_the_end_is_dropped() -> None:
    clock = VirtualClock(0)
    gate, done = threading.Event(), threading.Event()

    def work() -> None:
        gate.wait(10)
        done.set()

    async def main() -> None:
        task = asyncio.create_task(clock.call(work))
        await asyncio.sleep(0)
        task.cancel()

    clock.run(main())
    gate.set()
    assert done.wait(10)


def test_a_result_that_comes_after_the_cancellation_is_dropped() -> None:
    clock = VirtualClock(0)
    gate = threading.Event()

    async def main() -> str:
        task = asyncio.create_task(clock.call(lambda: gate.wait(10)))
        await asyncio.sleep(0)
        task.cancel()
        gate.set()
        await clock.call(lambda: time.sleep(0.05))
        return "alive"

    assert clock.run(main()) == "alive"


@pytest.mark.parametrize("error", [ValueError("no"), KeyError(1), SystemExit(3)])
def test_an_exception_of_a_function_is_raised(error: BaseException) -> None:
    def work() -> None:
        raise error

    async def main() -> None:
        with pytest.raises(type(error)) as caught:
            await clock.call(work)
        assert caught.value is error

    clock = VirtualClock(0)
    clock.run(main())


def test_a_function_that_raises_stop_iteration_does_not_look_finished() -> None:
    async def main() -> None:
        await clock.call(lambda: next(iter([])))

    clock = VirtualClock(0)
    with pytest.raises(RuntimeError, match="StopIteration"):
        clock.run(main())


def test_a_clock_runs_one_coroutine_at_a_time() -> None:
    clock = VirtualClock()

    async def nothing() -> None: ...

    async def main() -> None:
        with pytest.raises(RuntimeError, match="already running"):
            await clock.call(lambda: clock.run(nothing()))
        with pytest.raises(RuntimeError, match="cannot sleep"):
            clock.sleep(1)

    clock.run(main())


def test_the_library_reads_the_virtual_time_only_while_a_deployment_runs() -> None:
    seen: list[float] = []
    player = controller()
    player.timeline.subscribe(lambda record: seen.append(library_clock.now() - record.time))
    player.deploy()
    assert set(seen) == {0}
    assert abs(library_clock.now() - time.time()) < 5


def test_real_time_is_the_time_of_day() -> None:
    clock = RealClock()
    gate = Gate({**IN_PROGRESS, "callBackDelay": 1}, SUCCEEDED)
    player = controller(gate.at(), bake_time_minutes=0, clock=clock)
    before = clock.now()
    clock.sleep(0.01)
    deployment = player.deploy()
    assert deployment.status == "SUCCESSFUL"
    assert len(gate.events) == 2
    assert deployment.finished_at is not None
    assert before + 1 <= deployment.finished_at <= clock.now()
    assert [record.status for record in player.timeline.of(StatusChanged)][-1] == "SUCCESSFUL"
