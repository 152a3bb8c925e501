"""How values of a response are compared with those of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Type = str
"""What JSON calls the type of a value; an integer is a number, too."""


def same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal. For Python `True` is 1, for JSON it is not."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def contains(actual: Any, part: Any) -> bool:
    """Return whether a text has a part, an array an item, or an object a key."""
    match actual:
        case str():
            return isinstance(part, str) and part in actual
        case list():
            return any(same(item, part) for item in actual)
        case Mapping():
            return isinstance(part, str) and part in actual
        case _:
            return False


def number(actual: Any, *, is_text: bool) -> float | int | None:
    """Return the number that a value is, or that a text holds where it may be one in disguise; None where it is none."""
    if isinstance(actual, bool):
        return None
    if isinstance(actual, int | float):
        return actual
    if is_text and isinstance(actual, str):
        try:
            return float(actual)
        except ValueError:
            return None
    return None


def is_of_type(actual: Any, name: Type) -> bool:
    """Return whether a value is of a type of JSON; `1.0` is an integer, as JSON Schema has it."""
    match actual:
        case None:
            return name == "null"
        case bool():
            return name == "boolean"
        case str():
            return name == "string"
        case int() | float():
            return name == "number" or (name == "integer" and (isinstance(actual, int) or actual.is_integer()))
        case Mapping():
            return name == "object"
        case _:
            return name == "array"
