"""The filters of dates; see `functions`."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from ecs_hooks.assertions.filters.registry import FilterError, register_filter, string, wrong_type

_DAY = 86_400


def _check_date_format(pattern: str) -> str:
    now = datetime.now(UTC)
    try:
        datetime.strptime(now.strftime(pattern), pattern)  # noqa: DTZ007 - only whether it can be parsed
    except (ValueError, re.error, OverflowError):
        raise ValueError("is not a date format, such as %Y-%m-%d") from None
    return pattern


_DateFormat = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_check_date_format)]


@register_filter(
    _DateFormat, optional=True, not_last="returns a date; add date_format, days_after_now or days_before_now"
)
def to_date(value: Any, pattern: str | None = None) -> datetime:
    """Return the date in a string of this format (UTC by default); `"to_date"` alone accepts ISO 8601 and HTTP's format."""
    whole = string(value).strip()
    read = datetime.fromisoformat if whole[:1].isdigit() else parsedate_to_datetime
    try:
        # Longer strings are invalid, and could take long to parse.
        date = datetime.strptime(whole[:101], pattern) if pattern else read(whole[:101])  # noqa: DTZ007 - UTC, see below
    except (ValueError, IndexError, OverflowError):
        raise FilterError(f"the string is not a date{' of this format' if pattern else ''}") from None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


@register_filter(_DateFormat)
def date_format(value: Any, pattern: str) -> str:
    """Return a date in this format, such as `%Y-%m-%d`, in UTC."""
    seconds = _seconds(value)
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime(pattern)
    except (ValueError, OverflowError, OSError):
        raise FilterError("the number is not a date") from None


@register_filter(public=True)
def days_after_now(value: Any) -> float:
    """Return the days from now to a date, with their fraction."""
    return (_seconds(value) - time.time()) / _DAY


@register_filter(public=True)
def days_before_now(value: Any) -> float:
    """Return the days from a date to now, with their fraction."""
    return -days_after_now(value)


def _seconds(value: Any) -> float:
    """Return the seconds from the epoch to a date; a number is seconds already, as in a certificate."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong_type("a date (see to_date) or seconds since the epoch", value)
    try:
        return float(value)
    except OverflowError:
        raise FilterError("the number is not a date") from None
