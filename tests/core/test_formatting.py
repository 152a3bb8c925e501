from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.core.formatting import counted, json_equal, json_type, listed


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 tasks"), (1, "1 task"), (2, "2 tasks"), (1.0, "1 task"), (1234567.0, "1234567 tasks")]
)
def test_a_number_and_its_noun(number: float, told: str) -> None:
    assert counted(number, "task") == told


def test_a_list_that_is_cut() -> None:
    assert listed(["a", "b"], 2) == "a; b"
    assert listed(["a", "b", "c", "d"], 2) == "a; b; and 2 more"
    assert listed(["a", "b", "c"], 2, ", ", " and ") == "a, b and 1 more"
    assert listed([], 2) == ""


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


def test_equality_of_values_at_any_depth() -> None:
    one, other, unlike = 1, 1.0, True
    for _ in range(5_000):
        one, other, unlike = [{"a": one}], [{"a": other}], [{"a": unlike}]  # type: ignore[assignment] # deeper and deeper
    assert json_equal(one, other)
    assert not json_equal(one, unlike)
