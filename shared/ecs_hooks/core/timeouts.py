"""Calls that are given up when their time is over."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ecs_hooks import relay

if TYPE_CHECKING:
    from ecs_hooks.core.deadline import Deadline

T = TypeVar("T")


class Call(Generic[T]):
    """A function that runs beside the others, in a thread of its own.

    Python can't stop a thread, so a call that never ends goes on without anybody waiting for it. Its thread is a
    daemon: it neither holds up the answer nor the end of the process.

    Parameters
    ----------
    function
        What to call.
    done
        Takes the call when it is over.
    """

    def __init__(self, function: Callable[[], T], done: Callable[[Call[T]], object]) -> None:
        self._function = function
        self._done = done
        self._value: T | None = None
        self._error: BaseException | None = None
        try:
            worker = _idle.pop()
        except IndexError:
            worker = _Worker()
        worker.calls.put(self)

    def run(self) -> None:
        """Call the function, and keep what comes of it."""
        try:
            self._value = self._function()
        except BaseException as error:  # noqa: BLE001 - also SystemExit: the one who waits shall know
            self._error = error

    def tell(self) -> None:
        """Tell whoever waits that the call is over."""
        self._done(self)

    def result(self) -> T:
        """Return what the function returned, or raise what it raised; only once the call is over."""
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value] # None is what the function returned, then


class _Worker:
    """A thread that runs one call after the other.

    A function that is kept warm is invoked again and again. To start a thread for each check of each invocation takes
    as long as a quarter of such a check.
    """

    def __init__(self) -> None:
        self.calls: queue.SimpleQueue[Call[Any]] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="ecs-hooks", daemon=True).start()

    def _work(self) -> None:
        while True:
            call = self.calls.get()
            call.run()
            # Who is told that it is over finds this thread free for the next one.
            _idle.append(self)
            call.tell()
            del call  # what it returned is not kept until the next one comes


_idle: list[_Worker] = []
"""Workers that wait for a call; the one that worked last is taken first."""
os.register_at_fork(after_in_child=_idle.clear)  # a child process has none of the threads


def call_within(function: Callable[[], T], deadline: Deadline) -> T:
    """Call a function and wait for it until the deadline.

    Raises
    ------
    TimeoutError
        If it is not over by then.
    """
    done: queue.SimpleQueue[Call[T]] = queue.SimpleQueue()
    call = Call(function, done.put)
    relay.waits()
    try:
        done.get(timeout=deadline.remaining())
    except queue.Empty:
        message = "not finished in time"
        raise TimeoutError(message) from None
    return call.result()
