"""The time of day, in one place, so that a simulator can replace it, and AWS can correct it.

Each instance of a Lambda function has its own clock, and a hook is continued by any instance. The event of a hook has no
time. So the time of day is corrected by the `Date` of AWS's responses where they differ.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import NamedTuple

Source = Callable[[], float]

_LEAST_CORRECTION = 5.0
"""Seconds of difference below which the clock is right: a `Date` has whole seconds, and a response takes some time."""

_GREATEST_CORRECTION = 86_400.0
"""Seconds of difference above which the clock is another one on purpose, as in a simulation: AWS refuses requests that are
signed by a clock that is wrong by more than 15 minutes."""


class _Reading(NamedTuple):
    source: Source
    offset: float = 0.0
    """Seconds to add to the source."""
    is_verified: bool = False
    is_exact: bool = False


_reading = _Reading(time.time)


def now() -> float:
    """Return the time in seconds since the epoch, corrected by AWS's where that is known."""
    return _reading.source() + _reading.offset


def uncorrected() -> float:
    """Return the time of this instance's clock; the difference of two values is right where its corrections change."""
    return _reading.source()


def offset() -> float:
    """Return the seconds by which `now` differs from this instance's clock."""
    return _reading.offset


def is_verified() -> bool:
    """Return whether AWS's time was read since `begin_invocation`."""
    return _reading.is_verified or _reading.is_exact


def begin_invocation() -> None:
    """Forget that AWS's time was read: the clock may have been set since. The last correction stays, as the best guess."""
    global _reading  # noqa: PLW0603 - see `use`
    _reading = _reading._replace(is_verified=False)


def learn(date: str | None) -> None:
    """Correct the clock by the `Date` of a response of AWS that has just arrived; ignore one that is missing or invalid."""
    global _reading  # noqa: PLW0603 - see `use`
    try:
        # A `Date` is cut to whole seconds.
        aws = parsedate_to_datetime(date or "").timestamp() + 0.5
    except (ValueError, TypeError, OverflowError):
        return
    correction = aws - _reading.source()
    if _reading.is_exact or abs(correction) > _GREATEST_CORRECTION:
        return
    if abs(correction - _reading.offset) < _LEAST_CORRECTION:
        correction = _reading.offset  # it does not change with each response
    elif abs(correction) < _LEAST_CORRECTION:
        correction = 0.0
    _reading = _reading._replace(offset=correction, is_verified=True)


@contextmanager
def use(source: Source, *, is_exact: bool = False) -> Iterator[None]:
    """Take the time from `source` inside the block, in every thread.

    Waits between two invocations of a hook use this clock. Deadlines within one invocation use the monotonic clock, since
    Lambda's time never stops.

    Parameters
    ----------
    source
        A function that returns seconds since the epoch, such as a simulator's virtual clock.
    is_exact
        Whether all instances have this clock, so that AWS's time does not correct it.
    """
    global _reading  # noqa: PLW0603 - one clock for the process is the point: checks read it from their own threads
    before = _reading
    _reading = _Reading(source, is_exact=is_exact)
    try:
        yield
    finally:
        _reading = before
