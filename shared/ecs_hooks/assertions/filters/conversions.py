"""Filters that make a value of another type."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any

from ecs_hooks.assertions.filters.errors import UnfitError, wanted

_DIGITS = re.compile(r"\s*[+-]?[0-9]{1,400}\s*")
_DECIMAL = re.compile(r"\s*[+-]?[0-9]{1,400}(\.[0-9]{0,400})?([eE][+-]?[0-9]{1,4})?\s*")


def to_int(value: Any) -> int:
    """Return the whole number that a text holds, or a number without what stands behind its point."""
    if isinstance(value, str):
        if not _DIGITS.fullmatch(value):
            message = "takes a whole number, and gets another text"
            raise UnfitError(message)
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, float) or not math.isfinite(value):
        raise wanted("a finite number, or a text with a whole one", value)
    return int(value)


def to_float(value: Any) -> float:
    """Return the number that a text holds, or a whole number with a point."""
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        message = "takes a number, and gets another text"
        raise UnfitError(message)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise wanted("a number, or a text with one", value)
    try:
        made = float(value)
    except OverflowError:
        made = math.inf
    if not math.isfinite(made):
        message = "takes a number, and gets one that is too large"
        raise UnfitError(message)
    return made


def to_string(value: Any) -> str:
    """Return a value as text: a number or a boolean as JSON writes it, a date as ISO 8601 does."""
    match value:
        case str():
            return value
        case datetime():
            return value.isoformat()
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            raise wanted("a text, a number, a boolean or a date", value)
