"""Filters that look into a value: arrays, objects, JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ecs_hooks.assertions.filters.errors import NothingFoundError, UnfitError, wanted
from ecs_hooks.assertions.jsonpath import find, is_singular


def count(value: Any) -> int:
    """Return how many items an array has, or keys an object, or how many bytes there are."""
    if not isinstance(value, list | tuple | Mapping | bytes):
        raise wanted("an array, an object or bytes", value)
    return len(value)


def first(value: Any) -> Any:
    """Return the first item of an array."""
    return nth(value, 0)


def last(value: Any) -> Any:
    """Return the last item of an array."""
    return nth(value, -1)


def nth(value: Any, index: int) -> Any:
    """Return an item of an array: 0 is the first, -1 the last."""
    if not isinstance(value, list | tuple):
        raise wanted("an array", value)
    if not -len(value) <= index < len(value):
        raise NothingFoundError
    return value[index]


def jsonpath(value: Any, path: str) -> Any:
    """Return what a JSONPath finds in a JSON value, or in a text that is one: an array where it may find several."""
    document = _parsed(value) if isinstance(value, str) else value
    if isinstance(document, bytes):
        raise wanted("JSON, or a text with it", document)
    try:
        found = find(path, document)
    except ValueError as error:
        raise UnfitError(str(error)) from None
    if not is_singular(path):
        return found
    if not found:
        raise NothingFoundError
    return found[0]


def _parsed(whole: str) -> Any:
    try:
        return json.loads(whole)
    except (ValueError, RecursionError):
        message = "takes JSON, and gets another text"
        raise UnfitError(message) from None
