"""Why a filter makes nothing of a value; no value is ever in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

MOST = 10_485_760
"""Characters or bytes that a filter may make: as many as the largest body has."""


class UnfitError(ValueError):
    """A filter does not fit the value."""


class NothingFoundError(LookupError):
    """A filter fits the value, and finds nothing in it."""


def wanted(what: str, value: Any) -> UnfitError:
    """Return the error for a value of another kind than a filter takes, such as `takes an array, and gets a number`."""
    return UnfitError(f"takes {what}, and gets {_kind(value)}")


def _kind(value: Any) -> str:  # noqa: PLR0911 - one case for each kind
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case bytes():
            return "bytes"
        case datetime():
            return "a date"
        case Mapping():
            return "an object"
        case _:
            return "an array"


def text(value: Any) -> str:
    """Return a value that is a text.

    Raises
    ------
    UnfitError
        If it is none.
    """
    if not isinstance(value, str):
        raise wanted("a text", value)
    return value


def bounded(size: int) -> None:
    """Refuse to make more than `MOST`.

    Raises
    ------
    UnfitError
        If it is.
    """
    if size > MOST:
        message = f"would make more than {MOST} characters"
        raise UnfitError(message)
