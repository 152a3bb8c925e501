"""Calls that are given up when their time is over."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from ecs_hooks.deadline import Deadline

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
        Where the call puts itself when it is over; for those who wait for several.
    """

    def __init__(self, function: Callable[[], T], done: queue.SimpleQueue[Call[T]] | None = None) -> None:
        self._function = function
        self._done: queue.SimpleQueue[Call[T]] = queue.SimpleQueue() if done is None else done
        self._value: T | None = None
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="ecs-hooks", daemon=True).start()

    def _run(self) -> None:
        try:
            self._value = self._function()
        except BaseException as error:  # noqa: BLE001 - also SystemExit: the one who waits shall know
            self._error = error
        self._done.put(self)

    def result(self) -> T:
        """Return what the function returned, or raise what it raised; only once the call is over."""
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value] # None is what the function returned, then


def call_within(function: Callable[[], T], deadline: Deadline) -> T:
    """Call a function and wait for it until the deadline.

    Raises
    ------
    TimeoutError
        If it is not over by then.
    """
    done: queue.SimpleQueue[Call[T]] = queue.SimpleQueue()
    call = Call(function, done)
    try:
        done.get(timeout=deadline.remaining())
    except queue.Empty:
        message = "not finished in time"
        raise TimeoutError(message) from None
    return call.result()
