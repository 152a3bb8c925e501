"""Expected status codes: `200`, `"2xx"`, `"200-299"`, or a list of these."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import PlainValidator


def status_range(rule: object) -> tuple[int, int]:
    """Return the lowest and the highest code that match a rule; raise ValueError if the rule is not valid."""
    low = high = 0
    rule = _whole(rule)
    if isinstance(rule, int) and not isinstance(rule, bool):
        low = high = rule
    elif isinstance(rule, str):
        if re.fullmatch(r"[1-5]xx", rule, re.IGNORECASE):
            low = int(rule[0]) * 100
            high = low + 99
        elif found := re.fullmatch(r"([0-9]{3})(?:\s*-\s*([0-9]{3}))?", rule):
            low, high = int(found[1]), int(found[2] or found[1])
    if not 100 <= low <= high <= 599:  # noqa: PLR2004 - status codes, as HTTP defines them
        raise ValueError(
            'must be a status code such as 200, a class such as "2xx", a range such as "200-299", or a list of these'
        )
    return low, high


def _whole(rule: Any) -> Any:
    """Return a number such as 200.0 as a whole number, and any other value unchanged."""
    return int(rule) if isinstance(rule, float) and rule.is_integer() else rule


def _rules(expected: Any) -> list[Any]:
    return expected if isinstance(expected, list) else [expected]


def status_ranges(expected: Any) -> list[tuple[int, int]]:
    """Return the lowest and the highest code of each rule."""
    return [status_range(rule) for rule in _rules(expected)]


def status_matches(expected: Any, status: int) -> bool:
    """Return whether a status code is as expected."""
    return any(low <= status <= high for low, high in status_ranges(expected))


def show_status(expected: Any) -> str:
    """Return the expected status codes as reasons show them, such as `200 or 3xx`."""
    return " or ".join(f"{rule:g}" if isinstance(rule, float) else str(rule) for rule in _rules(expected))


def _check(value: Any) -> Any:
    if not _rules(value):
        raise ValueError("requires at least one status code")
    for rule in _rules(value):
        status_range(rule)
    return [*map(_whole, value)] if isinstance(value, list) else _whole(value)


ExpectedStatus = Annotated[
    int | str | list[int | str], PlainValidator(_check, json_schema_input_type=int | str | list[int | str])
]
