from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.core.json_types import json_equal, json_type


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "boolean"),
        ("a", "string"),
        (1, "number"),
        (1.5, "number"),
        ({}, "object"),
        ([], "array"),
        ((), "array"),
        (b"a", "bytes"),
    ],
)
def test_the_type_of_a_value(value: object, name: str) -> None:
    assert json_type(value) == name


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (False, 0, False),
        ([1, {"a": 1}], [1.0, {"a": 1.0}], True),
        ([1], [True], False),
        ([1], [1, 1], False),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"b": 1}, False),
        ("1", 1, False),
        (None, None, True),
    ],
)
def test_equality_of_values(left: Any, right: Any, equal: bool) -> None:
    assert json_equal(left, right) is equal
