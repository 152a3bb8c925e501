from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ecs_hooks.assertions.predicate import CapturedNumber, Condition, Predicate
from ecs_hooks.core.formatting import json_equal, json_type
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
        ("nan", 'is "nan", expected a number'),
        ("inf", 'is "inf", expected a number'),
        ("1_0", 'is "1_0", expected a number'),
        ("+2", 'is "+2", expected a number'),
        ("02", 'is "02", expected a number'),
        ("0x2", 'is "0x2", expected a number'),
        ("2.", 'is "2.", expected a number'),
        (".5", 'is ".5", expected a number'),
        ("2,5", 'is "2,5", expected a number'),
        ("\u00a02", 'is "\u00a02", expected a number'),
        ("\u0662", 'is "\u0662", expected a number'),
        ("2e0\n", None),
        ("1e99999999999999999999", 'is "1e99999999999999999999", expected a number'),
        ("1e999999999", 'is "1e999999999", expected at most 3'),
        ("9" * 5000, f'is "{"9" * 80}...", expected at most 3'),
    ],
)
def test_numbers_are_read_from_values_that_arrive_as_text(text: str, problem: str | None) -> None:
    assert Predicate(min=1, max=3).problem(text, Redactor(), is_text=True) == problem


TYPES: list[Any] = ["500", 500, 1.5, True, None, [500], {"500": 0}]
FITTING: dict[str, tuple[Any, set[str]]] = {
    "contains": ("5", {"string", "array", "object"}),
    "matches": ("5", {"string"}),
    "min": (1, {"number"}),
    "max": (1, {"number"}),
    "range": ([1, 2], {"number"}),
    "empty": (True, {"string", "array", "object"}),
    "length": (99, {"string", "array", "object"}),
    "is_uuid": (True, {"string"}),
    "is_iso_date": (True, {"string"}),
    "is_ipv4": (True, {"string"}),
    "is_ipv6": (False, {"string"}),
}


@pytest.mark.parametrize("name", FITTING)
@pytest.mark.parametrize("actual", TYPES, ids=json_type)
def test_a_value_of_another_type_fails_a_condition_and_its_negation(name: str, actual: Any) -> None:
    argument, types = FITTING[name]
    condition = {name: argument}
    holds, negated, twice = (
        Predicate.model_validate(each).problem(actual, Redactor()) is None
        for each in (condition, {"not": condition}, {"not": {"not": condition}})
    )
    if json_type(actual) in types:
        assert (holds, negated) in {(True, False), (False, True)}
        assert twice == holds
    else:
        assert not holds
        assert not negated
        assert not twice


@pytest.mark.parametrize(
    ("predicate", "actual", "problem"),
    [
        ({"not": {"matches": "5.."}}, 500, "is 500, expected a string, which the conditions of `not` require"),
        ({"not": {"min": 1}}, "5", 'is "5", expected a number, which the conditions of `not` require'),
        ({"not": {"min": 1}}, float("nan"), "is NaN, expected a number, which the conditions of `not` require"),
        (
            {"not": {"matches": "5", "equals": 3}},
            500,
            "is 500, expected a string, which the conditions of `not` require",
        ),
        ({"not": {"contains": 5}}, "512", 'is "512", expected an array, which the conditions of `not` require'),
        (
            {"not": {"contains": 5}},
            {"5": 1},
            "is an object with 1 key, expected an array, which the conditions of `not` require",
        ),
        (
            {"not": {"length": {"matches": "5"}}},
            "ab",
            'is "ab", expected a string, which the conditions of `not` require',
        ),
        ({"not": {"json_schema": {"multipleOf": 1e-300}}}, 10**400, None),
        ({"not": {"exists": True}}, 1, "is 1, expected not to meet the conditions of `not`"),
        ({"is_uuid": False}, 1, "is 1, expected a string other than a UUID"),
        ({"is_ipv4": False}, "10.0.0.1", 'is "10.0.0.1", expected a string other than an IPv4 address'),
    ],
)
def test_not_requires_a_value_that_fits(predicate: dict[str, Any], actual: Any, problem: str | None) -> None:
    found = Predicate.model_validate(predicate).problem(actual, Redactor())
    if problem is None:
        assert found is not None
    else:
        assert found == problem


@pytest.mark.parametrize(
    ("predicate", "text", "holds"),
    [
        ({"equals": 5}, "5", False),
        ({"not_equals": 5}, "5", False),
        ({"not_equals": 5}, "5.0", False),
        ({"not": {"equals": 5}}, "5", False),
        ({"in": [4, 5]}, "5", False),
        ({"not": {"in": [4, 5]}}, "5", False),
        ({"not_equals": True}, "true", False),
        ({"not_equals": None}, "null", False),
        ({"not_equals": 5}, "6", True),
        ({"not_equals": 5}, "x", True),
        ({"not_equals": "5"}, "6", True),
        ({"not_equals": None}, "x", True),
        ({"not": {"in": [4, 5]}}, "6", True),
        ({"not_equals": [5]}, "5", True),
    ],
)
def test_the_text_of_a_number_is_neither_equal_to_it_nor_different(
    predicate: dict[str, Any], text: str, holds: bool
) -> None:
    problem = Predicate.model_validate(predicate).problem(text, Redactor(), is_text=True)
    assert (problem is None) == holds, problem


def test_the_reason_says_how_to_compare_text() -> None:
    problem = Predicate(not_equals=5).problem("5", Redactor(), is_text=True)
    assert problem == 'is "5", expected anything else; the value is text, so write "5"'


@pytest.mark.parametrize(
    ("predicate", "actual", "problem"),
    [
        ({"min": 9007199254740993}, 9007199254740993, None),
        ({"min": 9007199254740993}, 9007199254740992, "is 9007199254740992, expected at least 9007199254740993"),
        ({"max": 9007199254740992}, 9007199254740993, "is 9007199254740993, expected at most 9007199254740992"),
        ({"range": [0, 9007199254740992]}, 9007199254740993, "is 9007199254740993, expected at most 9007199254740992"),
        ({"min": 9007199254740993}, "9007199254740993.0", None),
        (
            {"min": 9007199254740993},
            "9007199254740992.9",
            'is "9007199254740992.9", expected at least 9007199254740993',
        ),
        ({"min": 0.1, "max": 0.1}, "0.1", None),
        ({"min": 0.1, "max": 0.1}, "0.10", None),
        ({"min": "9007199254740993"}, 9007199254740993, None),
        ({"min": 10**400}, 10**400, None),
        ({"min": 10**5000}, 1, "is 1, expected at least 1.000e+5000"),
        ({"max": 0.25}, 1, "is 1, expected at most 0.25"),
    ],
)
def test_limits_are_exact(predicate: dict[str, Any], actual: Any, problem: str | None) -> None:
    assert Predicate.model_validate(predicate).problem(actual, Redactor(), is_text=True) == problem


@pytest.mark.parametrize(
    ("predicate", "actual", "problem"),
    [
        ({"min": "b"}, "c", None),
        ({"min": "b"}, "a", 'is "a", expected at least "b"'),
        ({"range": ["a", "b"]}, "c", 'is "c", expected at most "b"'),
        ({"min": "b"}, 5, "is 5, expected a string"),
        ({"min": "2026-12-01"}, "2026-12-01T00:00:00+00:00", None),
        ({"max": "2026-12-01T03:00:00Z"}, "2026-12-01T03:30:00+01:00", None),
        ({"max": "2026-12-01T03:00:00Z"}, "Tue, 01 Dec 2026 03:00:00 GMT", None),
        (
            {"min": "2026-12-01T03:00:00Z"},
            "2026-12-01T03:30:00+01:00",
            'is "2026-12-01T03:30:00+01:00", expected at least "2026-12-01T03:00:00Z"',
        ),
        ({"min": "2026-12-01"}, 1.5, "is 1.5, expected a date"),
        ({"min": "2026-12-01"}, "tomorrow", 'is "tomorrow", expected a date'),
        ({"min": "2026-12-01"}, "2026-13-01", 'is "2026-13-01", expected a date'),
        ({"min": "2026-12-01"}, "Tue, 99 Dec 2026 03:00:00 GMT", 'is "Tue, 99 Dec 2026 03:00:00 GMT", expected a date'),
        ({"min": "2026-12-01"}, "2" * 100, f'is "{"2" * 80}...", expected a date'),
        ({"not": {"min": "2026-12-01"}}, 5, "is 5, expected a date, which the conditions of `not` require"),
    ],
)
def test_texts_and_dates_have_an_order(predicate: dict[str, Any], actual: Any, problem: str | None) -> None:
    assert Predicate.model_validate(predicate).problem(actual, Redactor()) == problem


@pytest.mark.parametrize(
    ("name", "valid", "invalid"),
    [
        (
            "is_uuid",
            ["00000000-0000-0000-0000-000000000000", "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"],
            [
                "",
                "f81d4fae7dec11d0a76500a0c91e6bf6",
                "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}",
                "f81d4fae-7dec-11d0-a765-00a0c91e6bf6\n",
            ],
        ),
        (
            "is_iso_date",
            ["2026-12-01T03:00:00Z", "2026-12-01T03:00:00.123456789+01:00", "2024-02-29t00:00:00z"],
            [
                "2026-12-01",
                "2026-12-01T03:00:00",
                "2026-02-29T00:00:00Z",
                "2026-12-01T25:00:00Z",
                "1764558000",
                "2026-W49-2T00:00:00Z",
            ],
        ),
        (
            "is_ipv4",
            ["10.0.0.1", "255.255.255.255"],
            ["", "10.0.0.01", "256.0.0.1", "1.2.3", "::1", "1.2.3.4/8", "\u0661.2.3.4"],
        ),
        (
            "is_ipv6",
            ["::1", "2001:db8::1", "::ffff:10.0.0.1"],
            ["", "[::1]", "fe80::1%eth0", "1::2::3", "10.0.0.1", "::1/64"],
        ),
    ],
)
def test_formats(name: str, valid: list[str], invalid: list[str]) -> None:
    for wanted in (True, False):
        predicate = Predicate.model_validate({name: wanted})
        assert all((predicate.problem(each, Redactor()) is None) == wanted for each in valid)
        assert all((predicate.problem(each, Redactor()) is None) != wanted for each in invalid)


@pytest.mark.parametrize("predicate", [{"exists": False}, {"not": {"exists": True}}])
def test_a_predicate_can_require_that_there_is_no_value(predicate: dict[str, Any]) -> None:
    assert Predicate.model_validate(predicate).problem_among([], Redactor()) is None
    assert Predicate.model_validate(predicate).problem_among([1], Redactor()) is not None
    assert Predicate.model_validate({"not": predicate}).problem_among([], Redactor()) is not None


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
        ({"min": True}, "must be a number, a date or another text, not boolean"),
        ({"min": [1]}, "must be a number, a date or another text, not array"),
        ({"max": float("inf")}, "must be a finite number"),
        ({"min": 1, "max": "a"}, "has limits of different types"),
        ({"range": ["2026-12-01", "a"]}, "has limits of different types"),
        # Their negation would hold for every value.
        ({"range": [5, 1]}, "has a smallest value above the largest one"),
        ({"not": {"min": 1.5, "max": 1}}, "has a smallest value above the largest one"),
        ({"min": "2026-12-01", "max": "2026-11-30T23:59:59Z"}, "has a smallest value above the largest one"),
        ({"range": ["b", "a"]}, "has a smallest value above the largest one"),
        (
            {"length": "3"},
            "length is a number, so it cannot be compared with a string; write the number without quotes",
        ),
        ({"length": {"not_equals": {}}}, "length is a number, so it cannot be compared with an object"),
        ({"length": {"not": {"in": [1, None]}}}, "length is a number, so it cannot be compared with null"),
        ({"not": {"length": {"equals": [3]}}}, "length is a number, so it cannot be compared with an array"),
        ({"exists": False, "equals": 1}, "cannot be combined with other conditions"),
        ({"equals": object()}, "JSON"),
        ({"equls": 1}, "Extra inputs"),
    ],
)
def test_invalid_predicates_are_refused(predicate: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Predicate.model_validate(predicate)


@pytest.mark.parametrize(
    "predicate", [{"range": ["{{b}}", "{{a}}"]}, {"range": [1, 1]}, {"length": "{{a}}"}, {"length": {"in": [1, 2.0]}}]
)
def test_valid_predicates_are_accepted(predicate: dict[str, Any]) -> None:
    Predicate.model_validate(predicate)


@pytest.mark.parametrize(
    ("limit", "problem"),
    [
        (True, "must be a number, not boolean"),
        ("a", "must be a number, not string"),
        (float("nan"), "must be a finite number"),
    ],
)
def test_a_limit_of_a_condition_is_a_finite_number(limit: Any, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Condition(above=limit)


def test_a_limit_of_a_condition_is_exact() -> None:
    condition = Condition(above=9007199254740992)
    assert condition.holds(9007199254740993)
    assert not condition.holds(9007199254740992)
    assert str(condition) == "above 9007199254740992"
    assert str(Condition(above=0.5, below=-1)) == "above 0.5 or below -1"


@given(JSON)
def test_every_value_equals_itself(value: Any) -> None:
    assert json_equal(value, value)
    assert Predicate(equals=value).problem(value, Redactor()) is None
    assert Predicate(not_equals=value).problem(value, Redactor()) is not None


CONDITIONS = st.dictionaries(
    st.sampled_from([*FITTING, "equals", "not_equals", "in", "type", "json_schema", "exists", "not"]),
    JSON
    | st.sampled_from(["number", "a", "2026-12-01", 1, [1], [1, 2], ["a", "b"], True, {"min": 1}, {"type": "string"}]),
    min_size=1,
    max_size=3,
)
TEXTS = st.text() | st.sampled_from(["5", "-1e5", "null", "true", "2026-12-01", "::1", "10.0.0.1", "1" * 5000, "nan"])


@settings(max_examples=500, deadline=None)
@given(CONDITIONS, JSON | TEXTS, st.booleans())
def test_a_predicate_and_its_negation_never_both_hold(conditions: dict[str, Any], actual: Any, is_text: bool) -> None:
    try:
        predicate, negation = (Predicate.model_validate(each) for each in (conditions, {"not": conditions}))
    except ValidationError:
        return
    problems = [each.problem(actual, Redactor(), is_text=is_text) for each in (predicate, negation)]
    assert problems != [None, None]
    assert all(problem is None or len(problem) < 2000 for problem in problems)


@pytest.mark.parametrize(
    ("actual", "holds"),
    [("id: 5123", True), ({"5123": 1}, True), ([5123], True), ("512", False), ({"a": 5123}, False), (["5123"], False)],
)
def test_a_captured_number_is_text_in_a_text_and_a_number_in_an_array(actual: Any, holds: bool) -> None:
    contains = Predicate(contains=CapturedNumber(5123, "5123"))
    problem = contains.problem(actual, Redactor())
    assert (problem is None) is holds
    assert holds or str(problem).endswith("expected to contain 5123")
    assert (Predicate.model_validate({"not": contains}).problem(actual, Redactor()) is None) is not holds


def test_a_captured_number_requires_a_value_with_parts() -> None:
    negation = Predicate.model_validate({"not": Predicate(contains=CapturedNumber(5123, "5123"))})
    assert "a string, an array or an object" in str(negation.problem(7, Redactor()))
