from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.assertions.jsonpath import MAX_VALUES, check_path, find

DOCUMENT = {"a": [{"b": 1}, {"b": None}], "with space": True}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("$.a[0].b", [1]),
        ("$.a[*].b", [1, None]),
        ("$..b", [1, None]),
        ("$['with space']", [True]),
        ("$.x", []),
        ("$.a[?@.b == 1].b", [1]),
        ("$", [DOCUMENT]),
        ("$.a[-1].b", [None]),
    ],
)
def test_paths(path: str, values: list[Any]) -> None:
    assert check_path(path) == path
    assert find(path, DOCUMENT) == values


@pytest.mark.parametrize("path", ["", "a", "$.", "$[", "$.a b", "$[?@.a =~ /x/]", "$[?match(@.a, 'x')]", "$[?nope(@)]"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is no valid JSONPath: "):
        check_path(path)


@pytest.mark.parametrize(
    ("path", "construct"),
    [("$[?@.a =~ /x/]", "=~"), ("$[?match(@.a, 'x')]", "match"), ("$[?search(@.a, 'x')]", "search")],
)
def test_regular_expressions_are_refused_with_what_to_write(path: str, construct: str) -> None:
    with pytest.raises(
        ValueError, match=f"{construct} is not supported; select the values, and write `matches` for them"
    ):
        check_path(path)


def test_a_document_that_is_nested_too_deeply_can_not_be_searched() -> None:
    document: Any = 1
    for _ in range(500):
        document = [document]
    with pytest.raises(ValueError, match="nested this deeply"):
        find("$..*", document)


def test_a_path_that_finds_too_much_is_given_up() -> None:
    with pytest.raises(ValueError, match=f"more than {MAX_VALUES} values"):
        find("$..*..*", [[0] * 300] * 300)
