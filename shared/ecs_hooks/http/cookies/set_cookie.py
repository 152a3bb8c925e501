"""The `Set-Cookie` header, read as browsers read it (RFC 6265bis, section 5.6)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

MAX_LENGTH = 4_096
"""Characters of name and value together."""
_MAX_ATTRIBUTE = 1_024
_WHITE_SPACE = " \t"
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_MAX_AGE = re.compile(r"-?[0-9]+")
_MAX_AGE_DIGITS = 12
_DELIMITERS = re.compile(r"[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[^0-9].*)?", re.DOTALL)
_DAY = re.compile(r"([0-9]{1,2})(?:[^0-9].*)?", re.DOTALL)
_YEAR = re.compile(r"([0-9]{2,4})(?:[^0-9].*)?", re.DOTALL)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FIRST_YEAR = 1601
_CENTURY = 70
"""Two digits of a year from which on it is one of the 20th century."""


class SetCookie(NamedTuple):
    """A cookie that a response sets.

    Parameters
    ----------
    name
        Its name; browsers accept an empty one.
    value
        Its value, with quotes if it has them.
    domain
        The attribute `Domain` in lower case and without a leading dot; empty without one.
    path
        The attribute `Path`; empty without one that begins with `/`.
    expires
        When it expires, in seconds since the epoch; None at the end of the session.
    is_secure
        Whether it has the attribute `Secure`.
    """

    name: str
    value: str
    domain: str = ""
    path: str = ""
    expires: float | None = None
    is_secure: bool = False


def parse_set_cookie(header: str, now: float) -> SetCookie | None:
    """Return the cookie in a header; None for one that browsers ignore.

    Parameters
    ----------
    header
        The value of `Set-Cookie`.
    now
        The time, in seconds since the epoch.
    """
    if _CONTROL.search(header):
        return None
    pair, *attributes = header.split(";")
    name, equals, value = (each.strip(_WHITE_SPACE) for each in pair.partition("="))
    if not equals:
        name, value = "", name
    if not (name or value) or len(name) + len(value) > MAX_LENGTH:
        return None
    cookie = SetCookie(name, value)
    max_age: float | None = None
    for attribute in attributes:
        key, _, text = (each.strip(_WHITE_SPACE) for each in attribute.partition("="))
        if len(text) > _MAX_ATTRIBUTE:
            continue
        if key.lower() == "max-age" and _MAX_AGE.fullmatch(text):
            seconds = int(text[:_MAX_AGE_DIGITS])
            max_age = now + seconds if seconds > 0 else float("-inf")
        cookie = _with_attribute(cookie, key.lower(), text)
    # Max-Age has precedence, whatever the order.
    return cookie if max_age is None else cookie._replace(expires=max_age)


def _with_attribute(cookie: SetCookie, key: str, text: str) -> SetCookie:
    match key:
        case "domain":
            return cookie._replace(domain=text.removeprefix(".").lower())
        case "path":
            return cookie._replace(path=text if text.startswith("/") else "")
        case "secure":
            return cookie._replace(is_secure=True)
        case "expires":
            expires = cookie_date(text)
            return cookie if expires is None else cookie._replace(expires=expires)
        case _:
            return cookie


def cookie_date(text: str) -> float | None:
    """Return the time of a date, in seconds since the epoch; None if it is none (RFC 6265bis, section 5.1.1)."""
    clock: list[int] = []
    day = month = year = None
    for token in _DELIMITERS.split(text):
        if not clock and (found := _TIME.fullmatch(token)):
            clock = [int(each) for each in found.groups()]
        elif day is None and (found := _DAY.fullmatch(token)):
            day = int(found[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year is None and (found := _YEAR.fullmatch(token)):
            year = int(found[1])
            if year < 100:  # noqa: PLR2004 - two digits
                year += 1900 if year >= _CENTURY else 2000
    if not clock or day is None or month is None or year is None or year < _FIRST_YEAR:
        return None
    try:
        return datetime(year, month, day, clock[0], clock[1], clock[2], tzinfo=UTC).timestamp()
    except ValueError:
        return None
