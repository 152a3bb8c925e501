from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.assertions.jsonpath import MAX_VALUES, check_path, find, locations
from ecs_hooks.core.deadline import Deadline, DeadlinePassedError, limited_by

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
def test_invalid_paths_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is not a valid JSONPath; "):
        check_path(path)


@pytest.mark.parametrize(
    ("path", "construct"),
    [("$[?@.a =~ /x/]", "=~"), ("$[?match(@.a, 'x')]", "match"), ("$[?search(@.a, 'x')]", "search")],
)
def test_regular_expressions_are_refused_with_an_alternative(path: str, construct: str) -> None:
    with pytest.raises(
        ValueError, match=f"{construct} is not supported: select the values, and write `matches` for them"
    ):
        check_path(path)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("5", "it must begin with $"),
        ("", "it must begin with $"),
        ("$[", "it is incomplete"),
        ("$.a[1,]", "error at character 7"),
        ("$.a[true]", "error at character 5"),
        ("$[?nope(@)]", "error at character 4"),
        ("$[?" + "(" * 1500 + "@.a" + ")" * 1500 + "]", "it is nested too deeply"),
    ],
)
def test_the_reason_names_no_token_of_the_parser(path: str, reason: str) -> None:
    with pytest.raises(ValueError, match="is not a valid JSONPath") as caught:
        check_path(path)
    assert str(caught.value) == f"is not a valid JSONPath; {reason}"


@pytest.mark.parametrize("path", ["$..*..nope", "$[*,*][*,*].nope", "$[?@..*..nope]", "$.a"])
def test_an_evaluation_ends_at_the_deadline(path: str) -> None:
    for evaluate in (find, locations):
        with limited_by(Deadline.after(-1)), pytest.raises(DeadlinePassedError):
            evaluate(path, DOCUMENT)


def test_an_evaluation_ends_at_a_deadline_that_passes_meanwhile() -> None:
    document: Any = 1
    for _ in range(40):
        document = [document]
    # Each selection of both children doubles the nodes: 2 ** 40 in the end.
    with limited_by(Deadline.after(0.05)), pytest.raises(DeadlinePassedError):
        find("$" + "[*,*]" * 40 + ".nope", document)


def test_a_document_that_is_nested_too_deeply_is_refused() -> None:
    document: Any = 1
    for _ in range(500):
        document = [document]
    with pytest.raises(ValueError, match="nested too deeply"):
        find("$..*", document)


def test_the_number_of_values_is_limited() -> None:
    with pytest.raises(ValueError, match=f"more than {MAX_VALUES} values"):
        find("$..*..*", [[0] * 300] * 300)
