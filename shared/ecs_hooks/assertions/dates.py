"""Dates in text: RFC 3339, which is ISO 8601 as protocols use it, and HTTP's format."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,20})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_HTTP_DATE = re.compile(r"[A-Za-z]{3,9},? [0-9A-Za-z :+-]{10,40}")


def is_iso_date(text: str) -> bool:
    """Return whether a text is a date with time and offset as in RFC 3339, such as `2026-12-01T03:00:00Z`."""
    return _DATE_TIME.fullmatch(text) is not None and read_date(text) is not None


def read_date(text: str) -> datetime | None:
    """Return the date in a text: of RFC 3339, with time and offset or a day alone (midnight in UTC), or of HTTP; else None."""
    if len(text) > 60:  # noqa: PLR2004 - longer than every date
        return None
    try:
        if _DATE_TIME.fullmatch(text) or _DATE.fullmatch(text):
            date = datetime.fromisoformat(text.upper())
        elif _HTTP_DATE.fullmatch(text):
            date = parsedate_to_datetime(text)
        else:
            return None
    except (ValueError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
