"""Values of responses, in a form in which they can be compared, counted and classified."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from ecs_hooks.core.outcome import ExplainedError

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
_FORMAT_NAMES = list(_FORMATS)


class IncomparableError(ExplainedError):
    """The responses cannot be compared; the message says what to change."""


class Value(NamedTuple):
    """One value."""

    kind: str
    """Its JSON type, `absent` if an object has no such member, or another word if it is not JSON."""
    content: str | float | bool | None = None
    """The value itself; for an array the number of items; None for an object, whose members are compared one by one."""


ABSENT = Value("absent")


class PathValues(NamedTuple):
    """The values at one path, such as a path of the JSON, by response in the order of time.

    They are several if the path contains arrays, and none if the parent is missing. A secret is known by its name.
    """

    path: str
    blue: Sequence[tuple[Value, ...]]
    green: Sequence[tuple[Value, ...]]
    is_secret: bool = False

    @property
    def varies(self) -> bool:
        """Whether the responses have different values."""
        return any(each != self.blue[0] for each in (*self.blue, *self.green))

    @property
    def varies_in_blue(self) -> bool:
        """Whether the responses of blue have different values."""
        return any(each != self.blue[0] for each in self.blue)


def value_of(value: Any) -> Value:
    """Return a value of JSON. Unlike in Python, true differs from 1, and NaN equals NaN."""
    match value:
        case None:
            return Value("null")
        case bool():
            return Value("boolean", value)
        case str():
            return Value("string", value)
        case int() | float():
            return Value("number", "NaN" if value != value else value)  # noqa: PLR0124 - only NaN differs from itself
        case list():
            return Value("array", len(value))
        case _:
            return Value("object")


def size_of(value: Value) -> tuple[str, float] | None:
    """Return the dimension in which a value is large or small, and its size; None without one."""
    content = value.content
    match value.kind:
        case "string":
            return "length", len(str(content))
        case "number" if not isinstance(content, str | None):
            try:
                return "number", float(content)
            except OverflowError:  # JSON allows integers of any length
                return "number", math.inf if content > 0 else -math.inf
        case "array" if not isinstance(content, str | None):
            return "items", content
        case _:
            return None


def format_of(value: Value) -> str:
    """Return the format of a value, such as `uuid` or `whole number`."""
    match value.kind:
        case "string":
            found = _FORMAT.fullmatch(str(value.content))
            return _FORMAT_NAMES[int(str(found.lastgroup)[1:])] if found else "text"
        case "number":
            whole = isinstance(value.content, int) or (isinstance(value.content, float) and value.content.is_integer())
            return "whole number" if whole else "number"
        case _:
            return value.kind
