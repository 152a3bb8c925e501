"""Deadlines within one invocation."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ecs_hooks.core.outcome import ExplainedError, Outcome


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
