from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.checks.compare.json_diff import (
    ABSENT,
    MAX_VALUES,
    Document,
    IncomparableError,
    PathValues,
    Value,
    format_of,
    size_of,
    value_of,
    values_by_path,
)
from ecs_hooks.core.outcome import Status

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


def seen(blue: Sequence[Any], green: Sequence[Any] = ()) -> dict[str, PathValues]:
    of_blue, of_green = ([Document((each,), str) for each in side] for side in (blue, green))
    return {each.path: each for each in values_by_path(of_blue, of_green)}


def of(*values: Any) -> tuple[Value, ...]:
    return tuple(map(value_of, values))


def test_paths_have_no_indexes() -> None:
    found = seen([{"items": [{"price": 1}, {"price": 2, "tags": ["a"]}]}], [{"items": []}])

    assert {path: each.blue[0] for path, each in found.items()} == {
        "$": of({}),
        "$.items": of([0, 0]),
        "$.items[*].price": of(1, 2),
        "$.items[*].tags": (*of(["a"]), ABSENT),
        "$.items[*].tags[*]": of("a"),
    }
    assert found["$.items"].green == [of([])]
    assert found["$.items[*].price"].green == [()]


def test_a_missing_member_is_absent_and_without_a_parent_there_is_no_value() -> None:
    found = seen([{"a": {"b": None}}, {"a": {}}, {}])

    assert found["$.a.b"].blue == [of(None), (ABSENT,), ()]
    assert found["$.a"].blue == [of({}), of({}), (ABSENT,)]


def test_arrays_may_contain_arrays_and_different_types() -> None:
    found = seen([[[1, 2], [], "x", {"a": 1}]])

    assert found["$[*]"].blue == [of([1, 2], [], "x", {})]
    assert found["$[*][*]"].blue == [of(1, 2)]
    assert found["$[*].a"].blue == [of(1)]


def test_rare_names_share_a_path() -> None:
    users = [{"users": {f"u{number}": {"age": number}, "admin": {"age": 0}}} for number in range(10)]
    found = seen(users)

    assert list(found) == ["$", "$.users", "$.users.admin", "$.users.*", "$.users.admin.age", "$.users.*.age"]
    assert found["$.users.*.age"].blue == [of(number) for number in range(10)]
    assert "$.users.u0" in seen(users[:4])


def test_special_names_are_quoted_and_cut() -> None:
    assert list(seen([{"it's\n": 1, "x" * 100: 2}])) == ["$", "$['it\\'s ']", f"$['{'x' * 40}...']"]


def test_values_below_a_secret_name_are_secret() -> None:
    found = seen([{"session": {"id": "s"}, "open": 1}])

    assert [path for path, each in found.items() if each.is_secret] == ["$.session", "$.session.id"]
    keys = seen([{f"token-{number}": 1} for number in range(10)])
    assert keys["$.*"].is_secret


def test_texts_are_normalized() -> None:
    documents = [Document(({"next": "http://blue/2", "n": 1},), lambda text: text.replace("http://blue", ""))]
    (_, found, _) = values_by_path(documents, [])

    assert found.blue == [of("/2")]


def test_a_response_without_json_has_no_values() -> None:
    found = {each.path: each for each in values_by_path([Document(({"a": 1},), str)], [Document((), str)])}

    assert found["$"].green == [()]
    assert found["$.a"].green == [()]


@pytest.mark.parametrize(
    ("document", "problem"),
    [([0] * MAX_VALUES, f"more than {MAX_VALUES} values"), (None, "more than 100 levels")],
)
def test_too_large_or_too_deep_documents_are_refused_with_a_fix(document: Any, problem: str) -> None:
    if document is None:
        for _ in range(102):
            document = [document]
    with pytest.raises(IncomparableError, match=problem) as caught:
        seen([document])
    assert caught.value.outcome.status is Status.FAIL
    assert "request less of it, or ignore parts of it" in str(caught.value)


@given(JSON)
def test_any_document_equals_itself(document: Any) -> None:
    assert not any(each.varies for each in seen([document, document], [document]).values())


@given(JSON, JSON)
def test_documents_differ_if_values_differ(left: Any, right: Any) -> None:
    def frozen(value: Any) -> Any:
        match value:
            case dict():
                return frozenset((key, frozen(each)) for key, each in value.items())
            case list():
                return tuple(map(frozen, value))
            case _:
                return value_of(value)

    varies = any(each.varies for each in seen([left], [right]).values())
    assert not varies or frozen(left) != frozen(right)


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
