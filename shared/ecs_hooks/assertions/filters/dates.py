"""Filters about dates. A number is a date, too: seconds since the epoch, as of a certificate."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ecs_hooks.assertions.filters.errors import UnfitError, text, wanted

_LONGEST = 100
"""Characters of the longest date."""
_DAY = 86_400
_NO_DATE = "takes a date, and gets a number that is none"


def format_problem(pattern: str) -> str | None:
    """Return why dates can't be written and read in a format, None where they can."""
    now = datetime.now(UTC)
    try:
        datetime.strptime(now.strftime(pattern), pattern)  # noqa: DTZ007 - only whether it can be read
    except (ValueError, re.error, OverflowError):
        return "is no format of dates, such as %Y-%m-%d"
    return None


def to_date(value: Any, pattern: str | None = None) -> datetime:
    """Return the date that a text holds, in a format, or else as ISO 8601 or HTTP write it; in UTC where it names no zone."""
    whole = text(value).strip()
    try:
        found = _read(whole, pattern) if len(whole) <= _LONGEST else None
    except (ValueError, IndexError, OverflowError):
        found = None
    if found is None:
        how = "a date" if pattern is None else "a date of that format"
        message = f"takes {how}, and gets another text"
        raise UnfitError(message)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _read(whole: str, pattern: str | None) -> datetime:
    if pattern is not None:
        return datetime.strptime(whole, pattern)  # noqa: DTZ007 - who names no zone means UTC, see above
    return datetime.fromisoformat(whole) if whole[:1].isdigit() else parsedate_to_datetime(whole)


def date_format(value: Any, pattern: str) -> str:
    """Return a date in a format."""
    seconds = _seconds(value)
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime(pattern)
    except (ValueError, OverflowError, OSError):
        raise UnfitError(_NO_DATE) from None


def days_after_now(value: Any) -> float:
    """Return how many days from now on a date is, with what is more or less than a day behind the point."""
    return (_seconds(value) - time.time()) / _DAY


def days_before_now(value: Any) -> float:
    """Return how many days ago a date was."""
    return -days_after_now(value)


def _seconds(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wanted("a date (see to_date) or seconds since the epoch", value)
    try:
        return float(value)
    except OverflowError:
        raise UnfitError(_NO_DATE) from None
