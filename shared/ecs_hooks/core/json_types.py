"""The types of JSON values, and their equality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def json_type(value: object) -> str:  # noqa: PLR0911 - a table
    """Return the name of the JSON type of a value, for messages that must not show the value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case int() | float():
            return "number"
        case Mapping():
            return "object"
        case list() | tuple():
            return "array"
        case _:
            return type(value).__name__


def json_equal(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal: 1 and 1.0 are; 1 and true, equal in Python, are not."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(json_equal(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(json_equal, left, right))
    return bool(left == right)
