"""Time for the simulator: virtual, in which a day takes no time, and real.

The controller is written with asyncio; a `VirtualClock` lends it an event loop that, instead of waiting for the next
timer, sets the time to it. While a hook is being invoked (in a thread of its own), virtual time stands still, unless
the hook itself sleeps on the clock.

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
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

EPOCH = 1_767_225_600.0
"""2026-01-01T00:00:00Z: where virtual time begins unless told otherwise."""


class SimulationClock(Protocol):
    """What the controller needs from a clock; `VirtualClock` and `RealClock` are the two."""

    def now(self) -> float:
        """Return the time in seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Return when that many seconds have passed on this clock."""

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end on this clock."""

    async def call(self, function: Callable[[], T]) -> T:
        """Run a blocking function in a thread of its own and return its result."""


class RealClock:
    """The time of day, for hooks that live in other processes and know no other."""

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


class _Lease:
    """One thread for which virtual time stands still; asleep as often as it sleeps on the clock."""

    __slots__ = ("asleep",)

    def __init__(self) -> None:
        self.asleep = 0


_lease: ContextVar[_Lease | None] = ContextVar("ecs_hooks_simulator_lease", default=None)


class VirtualClock:
    """A time that passes only when nobody has anything to do.

    Parameters
    ----------
    start
        Seconds since the epoch at which it begins.
    """

    def __init__(self, start: float = EPOCH) -> None:
        self._start = start
        self._elapsed = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leases: set[_Lease] = set()
        self._sleepers: set[threading.Event] = set()

    def now(self) -> float:
        """Return the virtual time in seconds since the epoch."""
        return self._start + self._elapsed

    def sleep(self, seconds: float) -> None:
        """Return when that many virtual seconds have passed, at once where nothing else lives on this clock.

        In a hook this is how to simulate one that takes long: other hooks and time-outs go on meanwhile. Threads that
        the hook starts must carry its context (`contextvars.copy_context().run`) to be counted as the hook.
        """
        loop = self._loop
        if loop is None:
            self._elapsed += seconds
            return
        if asyncio._get_running_loop() is loop:  # noqa: SLF001 - get_running_loop() raises where there is none
            raise RuntimeError("a listener cannot sleep on the clock that it is called from")
        lease = _lease.get() or _Lease()
        woken = threading.Event()
        self._sleepers.add(woken)

        def fall_asleep() -> None:
            lease.asleep += 1
            loop.call_later(seconds, wake)

        def wake() -> None:
            lease.asleep -= 1
            self._sleepers.discard(woken)
            woken.set()

        loop.call_soon_threadsafe(fall_asleep)
        woken.wait()

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end in virtual time."""
        if self._loop is not None:
            main.close()
            raise RuntimeError("something is already running on this clock")
        try:
            with asyncio.Runner(loop_factory=self._new_loop) as runner:
                return runner.run(main)
        finally:
            self._loop = None
            self._leases.clear()
            for woken in list(self._sleepers):
                woken.set()
            self._sleepers.clear()

    async def call(self, function: Callable[[], T]) -> T:
        """Run a blocking function in a thread of its own, while time stands still, and return its result."""
        with self._lend() as lease:
            context = copy_context()
            context.run(_lease.set, lease)
            return await _in_thread(lambda: context.run(function))

    @property
    def _busy(self) -> bool:
        return any(not lease.asleep for lease in self._leases)

    @contextmanager
    def _lend(self) -> Iterator[_Lease]:
        lease = _Lease()
        self._leases.add(lease)
        try:
            yield lease
        finally:
            self._leases.discard(lease)

    def _new_loop(self) -> asyncio.AbstractEventLoop:
        self._loop = _VirtualLoop(self)
        return self._loop


class _VirtualSelector(selectors.DefaultSelector):
    """Waits for other threads as every selector does, and for time by letting it pass."""

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
        # The loop is closed when the simulation is over; then nobody waits for this thread any more.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle)

    threading.Thread(target=work, name="ecs-hooks-simulator", daemon=True).start()
    await done
    if errors:
        raise errors[0]
    return results[0]
