"""Values of a response, in a form in which they can be compared, counted and sorted into kinds."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

_FORMATS = {
    "empty": r"",
    "integer": r"[+-]?\d+",
    "decimal": r"[+-]?\d*\.\d+",
    "uuid": r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
    "date-time": r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?\s?(?:Z|[+-]\d\d:?\d\d)?)?",
    "hexadecimal": r"[0-9a-fA-F]{8,}",
    "address": r"[a-z]+://\S+|/\S*",
    "e-mail": r"[^@\s]+@[^@\s]+",
    "word": r"[\w.-]+",
}
_FORMAT = re.compile("|".join(f"(?P<f{number}>{pattern})" for number, pattern in enumerate(_FORMATS.values())))
_NAMES = list(_FORMATS)


class Value(NamedTuple):
    """One value.

    Parameters
    ----------
    kind
        What JSON calls its type, `absent` where an object does not have it, or another word for what is no JSON.
    content
        The value itself; of an array, how many items it has; nothing for an object, whose members stand for themselves.
    """

    kind: str
    content: str | float | bool | None = None


ABSENT = Value("absent")


def value_of(value: Any) -> Value:
    """Return the value of what JSON has at a place. For Python `True` is 1, and NaN is not NaN; here it is otherwise."""
    match value:
        case None:
            return Value("null")
        case bool():
            return Value("boolean", value)
        case str():
            return Value("string", value)
        case int() | float():
            return Value("number", "NaN" if value != value else value)  # noqa: PLR0124 - which is what NaN is
        case list():
            return Value("array", len(value))
        case _:
            return Value("object")


def size_of(value: Value) -> tuple[str, float] | None:
    """Return what is large or small about a value, and how large; None where nothing is."""
    content = value.content
    match value.kind:
        case "string":
            return "length", len(str(content))
        case "number" if not isinstance(content, str | None):
            return "number", _float(content)
        case "array" if not isinstance(content, str | None):
            return "items", content
        case _:
            return None


def format_of(value: Value) -> str:
    """Return what a value looks like, apart from which one it is."""
    match value.kind:
        case "string":
            found = _FORMAT.fullmatch(str(value.content))
            return _NAMES[int(str(found.lastgroup)[1:])] if found else "text"
        case "number":
            whole = isinstance(value.content, int) or (isinstance(value.content, float) and value.content.is_integer())
            return "whole number" if whole else "number"
        case _:
            return value.kind


def _float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:  # JSON knows integers of any length
        return math.inf if number > 0 else -math.inf
