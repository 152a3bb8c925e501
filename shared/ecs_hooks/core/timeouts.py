"""Function calls with a deadline, in threads that are used again."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from ecs_hooks.core.deadline import Deadline

T = TypeVar("T")


class Call(Generic[T]):
    """A function call in a thread of its own.

    Python can't stop a thread, so a call that never returns continues in the background. Its thread is a daemon: it
    delays neither the response nor the end of the process.

    Parameters
    ----------
    function
        The function.
    done
        Called with this object when the function has returned.
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
        """Call the function, and keep its result or exception."""
        try:
            self._value = self._function()
        except BaseException as error:  # noqa: BLE001 - also SystemExit: `result` raises it
            self._error = error

    def notify(self) -> None:
        """Call `done`."""
        self._done(self)

    def result(self) -> T:
        """Return what the function returned, or raise what it raised; only after `done` was called."""
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value] # without an error, it is the result


class _Worker:
    """A thread that runs one call after the other.

    A warm function is invoked many times. Starting a thread for each check of each invocation would take a quarter of
    the time of such a check.
    """

    def __init__(self) -> None:
        self.calls: queue.SimpleQueue[Call[Any]] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="ecs-hooks", daemon=True).start()

    def _work(self) -> None:
        while True:
            call = self.calls.get()
            call.run()
            # Once `done` was called, this thread is free for the next call.
            _idle.append(self)
            call.notify()
            del call  # its result is not kept until the next call


_idle: list[_Worker] = []
"""Workers without a call; the one that worked last is used first."""
os.register_at_fork(after_in_child=_idle.clear)  # a child process has none of the threads


def run_with_deadline(function: Callable[[], T], deadline: Deadline) -> T:
    """Call a function, and wait for its result until the deadline.

    Raises
    ------
    TimeoutError
        If it has not returned by then.
    """
    done: queue.SimpleQueue[Call[T]] = queue.SimpleQueue()
    call = Call(function, done.put)
    try:
        done.get(timeout=deadline.remaining())
    except queue.Empty:
        raise TimeoutError("not finished in time") from None
    return call.result()
