"""Time for the simulator: virtual, in which a day takes no time, and real.

The controller is written with asyncio. A `VirtualClock` provides an event loop that does not wait for the next timer, but
sets the time to it. Virtual time stands still while a hook runs (in a thread of its own), unless the hook sleeps on the
clock.

Example
-------
>>> clock = VirtualClock()
>>> before = clock.now()
>>> clock.sleep(86_400)
>>> clock.now() - before
86400.0
"""

from __future__ import annotations

import asyncio
import selectors
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import ContextVar, copy_context
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

EPOCH = 1_767_225_600.0
"""2026-01-01T00:00:00Z: the default start of virtual time."""


class Clock(Protocol):
    """The time of a simulation; implemented by `VirtualClock` and `RealClock`."""

    def now(self) -> float:
        """Return the time in seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Return when that many seconds have passed on this clock."""

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end on this clock."""

    async def call(self, function: Callable[[], T]) -> T:
        """Run a blocking function in a thread of its own and return its result."""


class RealClock:
    """The time of day, for hooks in other processes, which have no other clock."""

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end."""
        return asyncio.run(main)

    async def call(self, function: Callable[[], T]) -> T:
        """Run a blocking function in a thread of its own and return its result."""
        return await _in_thread(function)


class _Call:
    """A call in a thread of its own, during which virtual time stands still unless the thread sleeps on the clock."""

    __slots__ = ("sleeping",)

    def __init__(self) -> None:
        self.sleeping = 0


_call: ContextVar[_Call | None] = ContextVar("ecs_hooks_simulator_call", default=None)


class VirtualClock:
    """A time that passes only while all calls sleep or wait.

    Parameters
    ----------
    start
        Seconds since the epoch at which it begins.
    """

    def __init__(self, start: float = EPOCH) -> None:
        self._start = start
        self._elapsed = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._calls: set[_Call] = set()
        self._sleepers: set[threading.Event] = set()

    def now(self) -> float:
        """Return the virtual time in seconds since the epoch."""
        return self._start + self._elapsed

    def sleep(self, seconds: float) -> None:
        """Return when that many virtual seconds have passed; at once while nothing runs on this clock.

        A hook that sleeps here simulates a slow one: other hooks and timeouts go on meanwhile. Threads that the hook
        starts need its context (`contextvars.copy_context().run`) to count as the hook.
        """
        loop = self._loop
        if loop is None:
            self._elapsed += seconds
            return
        if asyncio._get_running_loop() is loop:  # noqa: SLF001 - get_running_loop() raises where there is none
            raise RuntimeError("a listener cannot sleep on the clock that calls it; sleep in a hook or an action")
        call = _call.get() or _Call()
        woken = threading.Event()
        self._sleepers.add(woken)

        def fall_asleep() -> None:
            call.sleeping += 1
            loop.call_later(seconds, wake)

        def wake() -> None:
            call.sleeping -= 1
            self._sleepers.discard(woken)
            woken.set()

        loop.call_soon_threadsafe(fall_asleep)
        woken.wait()

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end in virtual time."""
        if self._loop is not None:
            main.close()
            raise RuntimeError("this clock is already running a coroutine; use one clock for each simulation")
        try:
            with asyncio.Runner(loop_factory=self._new_loop) as runner:
                return runner.run(main)
        finally:
            self._loop = None
            self._calls.clear()
            for woken in list(self._sleepers):
                woken.set()
            self._sleepers.clear()

    async def call(self, function: Callable[[], T]) -> T:
        """Run a blocking function in a thread of its own, while time stands still, and return its result."""
        call = _Call()
        context = copy_context()
        context.run(_call.set, call)
        self._calls.add(call)
        try:
            return await _in_thread(lambda: context.run(function))
        finally:
            self._calls.discard(call)

    @property
    def _busy(self) -> bool:
        return any(not call.sleeping for call in self._calls)

    def _new_loop(self) -> asyncio.AbstractEventLoop:
        self._loop = _VirtualLoop(self)
        return self._loop


class _VirtualSelector(selectors.DefaultSelector):
    """Waits for other threads as every selector does, and for a timer by advancing the time."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if self._clock._busy:  # noqa: SLF001 - the selector is the clock's own
            return super().select(None)
        events = super().select(0)
        if not events:  # pragma: no branch - else another thread has posted at this very moment
            self._clock._elapsed += timeout  # noqa: SLF001
        return events


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(_VirtualSelector(clock))
        self._virtual = clock

    def time(self) -> float:
        # Seconds since the start, not since the epoch: small numbers keep every step of 30 s exact.
        return self._virtual._elapsed  # noqa: SLF001


async def _in_thread(function: Callable[[], T]) -> T:
    """Run a function in a daemon thread: a hook that never returns must not keep the process alive."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    results: list[T] = []
    errors: list[BaseException] = []

    def settle() -> None:
        if not done.done():
            done.set_result(None)

    def work() -> None:
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is awaited
            errors.append(error)
        # After the simulation the loop is closed, and the result is no longer awaited.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle)

    threading.Thread(target=work, name="ecs-hooks-simulator", daemon=True).start()
    await done
    if errors:
        raise errors[0]
    return results[0]


async def shielded_call(clock: Clock, function: Callable[[], T]) -> T:
    """Call a function to its end even when cancelled: half a traffic shift is worse than a late stop."""
    work = asyncio.ensure_future(clock.call(function))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait({work})
        work.result()
        raise


async def race(work: asyncio.Task[None], *others: asyncio.Task[Any], seconds: float | None = None) -> bool:
    """Wait for work until one of the others ends or time is up; return whether the work was cut short.

    All tasks are over afterwards. An error of the work is raised, even one that occurs while it is cancelled.
    """
    tasks = {work, *others}
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped = not work.done()
        for each in tasks:
            each.cancel()
        await asyncio.wait(tasks)
    if not work.cancelled():
        work.result()
    return stopped
