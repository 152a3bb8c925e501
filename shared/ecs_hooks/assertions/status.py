"""Which status codes are as expected: `200`, `"2xx"`, `"200-299"`, or a list of these."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import PlainValidator

_CLASS = re.compile(r"([1-5])xx", re.IGNORECASE)
_RANGE = re.compile(r"(\d{3})\s*-\s*(\d{3})")
_LOWEST, _HIGHEST = 100, 599


def status_range(rule: object) -> tuple[int, int]:
    """Return the first and the last code that a rule means.

    Raises
    ------
    ValueError
        If it is no rule.
    """
    low = high = 0
    if isinstance(rule, int) and not isinstance(rule, bool):
        low = high = rule
    elif isinstance(rule, str):
        if found := _CLASS.fullmatch(rule):
            low = int(found.group(1)) * 100
            high = low + 99
        elif found := _RANGE.fullmatch(rule):
            low, high = int(found.group(1)), int(found.group(2))
        elif re.fullmatch(r"[0-9]{3}", rule):
            low = high = int(rule)
    if not _LOWEST <= low <= high <= _HIGHEST:
        message = (
            'must be a status code such as 200, a class such as "2xx", a range such as "200-299", or a list of these'
        )
        raise ValueError(message)
    return low, high


def status_matches(expected: Any, status: int) -> bool:
    """Return whether a status code is as expected."""
    rules = expected if isinstance(expected, list) else [expected]
    return any(low <= status <= high for low, high in map(status_range, rules))


def show_status(expected: Any) -> str:
    """Return the expectation for people, such as `200 or 3xx`."""
    return " or ".join(map(str, expected if isinstance(expected, list) else [expected]))


def _check(value: Any) -> Any:
    rules = value if isinstance(value, list) else [value]
    if not rules:
        message = "must name at least one status"
        raise ValueError(message)
    for rule in rules:
        status_range(rule)
    return value


ExpectedStatus = Annotated[
    int | str | list[int | str], PlainValidator(_check, json_schema_input_type=int | str | list[int | str])
]
