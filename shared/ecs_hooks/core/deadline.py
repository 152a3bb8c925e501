"""Deadlines within one invocation."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, NamedTuple, TypeVar

from ecs_hooks.core.outcome import ExplainedError, Outcome
from ecs_hooks.core.own_limits import OwnLimitError, out_of_threads

MAX_LAMBDA_SECONDS = 1800
"""The longest timeout of a Lambda function (Lambda API, `Timeout`)."""

MAX_ECS_SECONDS = 900
"""The longest invocation by ECS: 15 minutes (ECS developer guide), whatever the function's timeout is."""


class Deadline(NamedTuple):
    """A moment on the monotonic clock after which an answer is too late.

    Parameters
    ----------
    at
        The moment, in seconds of `time.monotonic`.
    """

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline that lies `seconds` from now."""
        return cls(time.monotonic() + seconds)

    @property
    def expired(self) -> bool:
        """Whether the moment has passed."""
        return self.remaining() <= 0

    def remaining(self) -> float:
        """Return the seconds left, 0.0 once the moment has passed."""
        return max(0.0, self.at - time.monotonic())

    def sooner(self, seconds: float) -> Deadline:
        """Return the earlier of this deadline and the one that lies `seconds` from now."""
        return Deadline(min(self.at, time.monotonic() + seconds))

    def earlier(self, seconds: float) -> Deadline:
        """Return the deadline that lies `seconds` before this one."""
        return Deadline(self.at - seconds)


def for_answer(seconds: float) -> float:
    """Return the seconds of an invocation that are for its answer; the rest is for the log and the way back."""
    return seconds - min(2.0, max(0.2, seconds * 0.1))


def for_checks(seconds: float) -> float:
    """Return the seconds of the time for an answer that are for checks; the rest is for the verdict after them."""
    return seconds - min(3.0, seconds / 10)


class DeadlinePassedError(ExplainedError):
    """A computation was not finished at the deadline."""

    @property
    def outcome(self) -> Outcome:
        """A `WAIT`, as of every check that is not over at the deadline."""
        return Outcome.wait("not finished when the time of this invocation was over")


class _Current(threading.local):
    deadline: Deadline | None = None


_current = _Current()


@contextmanager
def limited_by(deadline: Deadline) -> Iterator[None]:
    """Set the deadline that `check_deadline` uses in this thread."""
    before, _current.deadline = _current.deadline, deadline
    try:
        yield
    finally:
        _current.deadline = before


def check_deadline() -> None:
    """Raise `DeadlinePassedError` once the deadline of this thread has passed; a long computation calls it between its steps.

    Raises
    ------
    DeadlinePassedError
        If there is one (see `limited_by`), and it has passed.
    """
    deadline = _current.deadline
    if deadline is not None and deadline.expired:
        raise DeadlinePassedError


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

    Raises
    ------
    OwnLimitError
        If the process can start no more threads.
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
        try:
            threading.Thread(target=self._work, name="ecs-hooks", daemon=True).start()
        except RuntimeError as error:
            raise OwnLimitError(out_of_threads()) from error

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
    OwnLimitError
        If the process can start no more threads.
    """
    done: queue.SimpleQueue[Call[T]] = queue.SimpleQueue()
    call = Call(function, done.put)
    try:
        done.get(timeout=deadline.remaining())
    except queue.Empty:
        raise TimeoutError("not finished in time") from None
    return call.result()
