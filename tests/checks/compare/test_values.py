from __future__ import annotations

import json
import math

import pytest

from ecs_hooks.checks.compare.values import Value, format_of, size_of, value_of


def test_values_that_are_equal_in_python_may_differ() -> None:
    assert value_of(True) != value_of(1)
    assert value_of("1") != value_of(1)
    assert value_of(None) != value_of("null")
    assert value_of(1) == value_of(1.0)
    assert value_of(json.loads("NaN")) == value_of(json.loads("NaN"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "empty"),
        ("-12", "integer"),
        ("1.5", "decimal"),
        ("0b6e1c1e-3a7b-4b2a-9c39-1f6f8e1f0a11", "uuid"),
        ("2026-11-21", "date-time"),
        ("2026-11-21T12:00:00.123Z", "date-time"),
        ("deadbeef", "hexadecimal"),
        ("https://example.com/a", "address"),
        ("/items/1", "address"),
        ("ada@example.com", "e-mail"),
        ("sold_out", "word"),
        ("two words", "text"),
        (3, "whole number"),
        (3.0, "whole number"),
        (3.5, "number"),
        (math.nan, "number"),
        (None, "null"),
        (True, "boolean"),
        ([], "array"),
        ({}, "object"),
    ],
)
def test_values_have_formats(value: object, expected: str) -> None:
    assert format_of(value_of(value)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("abc", ("length", 3)),
        (2.5, ("number", 2.5)),
        (10**400, ("number", math.inf)),
        (-(10**400), ("number", -math.inf)),
        ([1, 2], ("items", 2)),
        (math.nan, None),
        (True, None),
        ({}, None),
    ],
)
def test_values_have_sizes(value: object, expected: tuple[str, float] | None) -> None:
    assert size_of(value_of(value)) == expected


def test_values_other_than_json_have_no_size() -> None:
    assert size_of(Value("line", "abc")) is None
