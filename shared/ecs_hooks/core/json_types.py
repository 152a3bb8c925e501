"""The types of JSON, by their names."""

from __future__ import annotations

from collections.abc import Mapping


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
