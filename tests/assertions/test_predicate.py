from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ecs_hooks.assertions.predicate import Predicate
from ecs_hooks.core.formatting import json_equal
from ecs_hooks.core.redaction import Redactor

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("predicate", "actual", "problem"),
    [
        ({"equals": "a"}, "a", None),
        ({"equals": "a"}, "b", 'is "b", expected "a"'),
        ({"equals": 1}, 1.0, None),
        ({"equals": 1}, True, "is true, expected 1"),
        ({"equals": 0}, False, "is false, expected 0"),
        ({"equals": 1}, "1", 'is "1", expected 1'),
        ({"equals": None}, None, None),
        ({"equals": None}, 0, "is 0, expected null"),
        ({"equals": {"a": [1, {"b": None}]}}, {"a": [1, {"b": None}]}, None),
        ({"equals": {"a": 1}}, {"a": True}, "is an object with 1 key, expected an object with 1 key"),
        ({"equals": [1]}, [1, 2], "is an array with 2 items, expected an array with 1 item"),
        ({"not_equals": "a"}, "b", None),
        ({"not_equals": "a"}, "a", 'is "a", expected anything else'),
        ({"contains": "b"}, "abc", None),
        ({"contains": "x"}, "abc", 'is "abc", expected to contain "x"'),
        ({"contains": 1}, "1", 'is "1", expected to contain 1'),
        ({"contains": 1}, [0, 1], None),
        ({"contains": 1}, [True], "is an array with 1 item, expected to contain 1"),
        ({"contains": "k"}, {"k": 0}, None),
        ({"contains": 1}, {"1": 0}, "is an object with 1 key, expected to contain 1"),
        ({"contains": 1}, 1, "is 1, expected to contain 1"),
        ({"matches": "^a.c$"}, "abc", None),
        ({"matches": "b"}, "abc", None),
        ({"matches": "^b"}, "abc", 'is "abc", expected to match "^b"'),
        ({"matches": "1"}, 1, 'is 1, expected to match "1"'),
        ({"exists": True}, None, None),
        ({"exists": False}, "a", 'is "a", expected none'),
        ({"min": 1, "max": 3}, 2, None),
        ({"min": 1}, 0.5, "is 0.5, expected at least 1"),
        ({"max": 3}, 4, "is 4, expected at most 3"),
        ({"min": 1}, float("nan"), "is NaN, expected at least 1"),
        ({"max": 1}, float("nan"), "is NaN, expected at most 1"),
        ({"min": 1}, "2", 'is "2", expected a number'),
        ({"min": 0}, True, "is true, expected a number"),
        ({"min": 1, "not_equals": 2}, 2, "is 2, expected anything else"),
        ({"equals": 10**400}, 10**400, None),
        ({"in": [1, "a"]}, "a", None),
        ({"in": [1, "a"]}, True, 'is true, expected one of 1, "a"'),
        ({"range": [1, 3]}, 3, None),
        ({"range": [1, 3]}, "a", 'is "a", expected a number'),
        ({"equals": 1, "max": 3}, None, "is null, expected 1"),
        ({"range": [1, 3]}, 3.5, "is 3.5, expected at most 3"),
        ({"type": "integer"}, 1.0, None),
        ({"type": "integer"}, 10**400, None),
        ({"type": "integer"}, 1.5, "is 1.5, expected type integer"),
        ({"type": "integer"}, float("inf"), "is Infinity, expected type integer"),
        ({"type": "number"}, True, "is true, expected type number"),
        ({"type": "number"}, 1, None),
        ({"type": "boolean"}, False, None),
        ({"type": "null"}, None, None),
        ({"type": "string"}, "", None),
        ({"type": "object"}, {}, None),
        ({"type": "array"}, [], None),
        ({"type": "array"}, {}, "is an object with 0 keys, expected type array"),
        ({"empty": True}, "", None),
        ({"empty": True}, [1], "is an array with 1 item, expected to be empty"),
        ({"empty": False}, {}, "is an object with 0 keys, expected not to be empty"),
        ({"empty": False}, 1, "is 1, expected not to be empty"),
        ({"length": 2}, "ab", None),
        ({"length": {"max": 1}}, "ab", 'is "ab", expected another length: it is 2, expected at most 1'),
        ({"length": 2}, 5, "is 5, expected another length: it has no length"),
        ({"not": {"contains": "b"}}, "ac", None),
        ({"not": {"contains": "b"}}, "abc", 'is "abc", expected not to meet the conditions of `not`'),
    ],
)
def test_every_condition(predicate: dict[str, Any], actual: Any, problem: str | None) -> None:
    assert Predicate.model_validate(predicate).problem(actual, Redactor()) == problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2", None),
        (" 2.5 ", None),
        ("9", 'is "9", expected at most 3'),
        ("x", 'is "x", expected a number'),
        ("nan", 'is "nan", expected at least 1'),
    ],
)
def test_numbers_are_read_from_values_that_arrive_as_text(text: str, problem: str | None) -> None:
    assert Predicate(min=1, max=3).problem(text, Redactor(), is_text=True) == problem


def test_a_long_value_is_cut_and_shown_on_one_line() -> None:
    problem = Predicate(equals="a").problem("x\ny" * 1000, Redactor())
    assert problem is not None
    assert len(problem) < 120
    assert "\n" not in problem


def test_regular_expressions_take_linear_time() -> None:
    problem = Predicate(matches=r"(.*a){25}$").problem("a" * 5000 + "!", Redactor(), shown="5001 bytes")
    assert problem == 'is 5001 bytes, expected to match "(.*a){25}$"'


@pytest.mark.parametrize(
    ("predicate", "problem"),
    [
        ({}, "requires at least one of equals, not_equals, contains, matches, exists, min, max"),
        ({"matches": "("}, "is not a valid regular expression"),
        ({"matches": None}, "matches must not be null"),
        ({"min": None}, "min must not be null"),
        ({"exists": False, "equals": 1}, "cannot be combined with other conditions"),
        ({"equals": object()}, "JSON"),
        ({"equls": 1}, "Extra inputs"),
    ],
)
def test_invalid_predicates_are_refused(predicate: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Predicate.model_validate(predicate)


@given(JSON)
def test_every_value_equals_itself(value: Any) -> None:
    assert json_equal(value, value)
    assert Predicate(equals=value).problem(value, Redactor()) is None
    assert Predicate(not_equals=value).problem(value, Redactor()) is not None
