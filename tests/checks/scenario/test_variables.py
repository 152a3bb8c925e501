from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks.checks.request.template import variables_in
from ecs_hooks.checks.scenario.rendering import substitute

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"json": "{{n}}"}, {"json": 3}),
        ({"json": "{{ n }} of {{list}}"}, {"json": "3 of [1, 2]"}),
        ({"json": {"a": ["{{list}}", {"{{t}}": "x{{t}}"}]}}, {"json": {"a": [[1, 2], {"a/b c": "xa/b c"}]}}),
        ({"path": "/{{t}}?n={{n}}"}, {"path": "/a%2Fb%20c?n=3"}),
        ({"path": "{{t}}"}, {"path": "a/b c"}),
        ({"query": {"q": "{{t}}"}}, {"query": {"q": "a/b c"}}),
        ({"headers": {"{{t}}": "{{list}}"}}, {"headers": {"a/b c": "[1, 2]"}}),
        ({"auth": {"bearer": {"token": "{{n}}"}}}, {"auth": {"bearer": {"token": "3"}}}),
        ({"body": "{{{n}}} {n} {{1n}}"}, {"body": "{3} {n} {{1n}}"}),
    ],
)
def test_variables_are_replaced_by_values(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert substitute(fields, {"n": 3, "t": "a/b c", "list": [1, 2]}) == expected


@given(JSON)
def test_a_value_is_text_in_fields_with_secrets(value: Any) -> None:
    ready = substitute({"headers": {"A": "{{x}}"}, "auth": {"basic": ["{{x}}"]}}, {"x": value})

    assert isinstance(ready["headers"]["A"], str)
    assert isinstance(ready["auth"]["basic"][0], str)


def test_a_variable_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="x"):
        substitute({"body": "{{x}}"}, {})
    assert list(variables_in({"a": ["{{x}} {{y}}", {"{{z}}": 1}]})) == ["x", "y", "z"]


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_fields_without_variables_stay_unchanged(fields: dict[str, Any]) -> None:
    if not any(variables_in(fields)):
        assert substitute(fields, {}) == fields


@given(st.text())
def test_a_value_stays_in_its_path_segment(value: str) -> None:
    path = substitute({"path": "/a/{{x}}/b"}, {"x": value.encode("utf-8", "ignore").decode()})["path"]

    assert path.count("/") == 3
    assert not set("?#") & set(path)
