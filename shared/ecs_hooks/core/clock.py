"""The time of day, in one place, so that a simulator can replace it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Source = Callable[[], float]

_source: Source = time.time


def now() -> float:
    """Return the time in seconds since the epoch."""
    return _source()


@contextmanager
def use(source: Source) -> Iterator[None]:
    """Take the time from `source` inside the block, in every thread.

    Waits between two invocations of a hook use this clock. Deadlines within one invocation use the monotonic clock, since
    Lambda's time never stops.

    Parameters
    ----------
    source
        A function that returns seconds since the epoch, such as a simulator's virtual clock.
    """
    global _source  # noqa: PLW0603 - one clock for the process is the point: checks read it from their own threads
    before = _source
    _source = source
    try:
        yield
    finally:
        _source = before
