"""Texts of the values of variables, as the places where they stand require them."""

from __future__ import annotations

import json
import re
from typing import Any

from ecs_hooks.assertions.numbers import JSON_NUMBER
from ecs_hooks.core.json_text import JsonError, read_json, write_json

_SPECIAL = re.compile(r"([^A-Za-z0-9_\u0080-\U0010ffff])")
"""Characters that are escaped in a pattern."""


def pattern_text(text: str) -> str:
    """Return a regular expression that matches a text."""
    return _SPECIAL.sub(lambda found: "\\n" if found[0] == "\n" else f"\\{found[0]}", text)


def read_number(text: str) -> float | None:
    """Return the number in a text; None if it is not one of JSON, or if its exponent is too large."""
    try:
        number: float | None = read_json(text) if JSON_NUMBER.fullmatch(text) else None
    except JsonError:
        return None
    return number


def as_text(value: Any) -> str:
    """Return a value as text: JSON, without the quotes of a string."""
    return value if isinstance(value, str) else write_json(value, (", ", ": "))


def jsonpath_text(text: str, sign: str) -> str:
    """Return a text for a string of a JSONPath with these quotes."""
    escaped = json.dumps(text, ensure_ascii=False)[1:-1]
    return escaped if sign == '"' else escaped.replace('\\"', '"').replace("'", "\\'")
