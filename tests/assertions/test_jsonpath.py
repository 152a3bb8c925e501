from __future__ import annotations

import re
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


@pytest.mark.parametrize("text", ["5", "true", "null", "[1]", '{"a": 1}', "{", ""])
def test_a_document_that_is_a_string_is_not_read_as_json(text: str) -> None:
    assert find("$", text) == [text]
    assert locations("$", text) == [()]
    assert [find(path, text) for path in ("$.a", "$..*", "$[0]", "$[?@ == 1]")] == [[], [], [], []]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a",
        "$.",
        "$[",
        "$.a b",
        "$[?@.a =~ /x/]",
        "$[?match(@.a, 'x(')]",
        "$[?match(@.a)]",
        "$[?match(@.*, 'a')]",
        "$[?nope(@)]",
    ],
)
def test_invalid_paths_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is not a valid JSONPath; "):
        check_path(path)


def test_another_syntax_of_regular_expressions_is_refused_with_an_alternative() -> None:
    with pytest.raises(ValueError, match=r"=~ is not supported: write search\(@.a, 'pattern'\)"):
        check_path("$[?@.a =~ /x/]")


@pytest.mark.parametrize(
    ("path", "document", "values"),
    [
        # Numbers are exact.
        ("$[?@.a == 9007199254740993].a", [{"a": 9007199254740992}, {"a": 9007199254740993}], [9007199254740993]),
        ("$[?@ == 1e2]", [100], [100]),
        ("$[?@ < 1e400]", [1e308, "a"], [1e308]),
        ("$[?@ == -0.5e0]", [-0.5], [-0.5]),
        # Booleans have no order, and are not numbers.
        ("$[?@ < 2]", [True, 1, "1", None], [1]),
        ("$[?@ >= true]", [True, False, 1, 2], [True]),
        ("$[?@.a == @.b].c", [{"a": [True], "b": [1], "c": 1}, {"a": {"x": 1}, "b": {"x": 1.0}, "c": 2}], [2]),
        # A string has no children.
        ("$[0][0:2]", ["xyz"], []),
        ("$..[0:2]", {"a": "xyz"}, []),
        ("$[?@[0:1]]", ["xyz", [1]], [[1]]),
    ],
)
def test_values_are_compared_and_selected_as_in_rfc_9535(path: str, document: Any, values: list[Any]) -> None:
    check_path(path)
    assert find(path, document) == values


@pytest.mark.parametrize("number", ["-01", "1.", ".5", f"1e{'9' * 30}"])
def test_other_numbers_are_refused(number: str) -> None:
    with pytest.raises(ValueError, match="is not a valid JSONPath; "):
        check_path(f"$[?@.a == {number}]")


FUNCTIONS = {
    "names": ["ab", "abc", "a\nc", "a\u2028c", 5, None],
    "lists": [[], [1, 2], {"a": 1}, "four", 5],
    "pairs": [{"v": "abc", "p": "a.*"}, {"v": "abc", "p": "("}, {"v": "abc", "p": 5}, {"v": "abc", "p": "a" * 1001}],
}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("$.names[?match(@, 'ab')]", ["ab"]),
        ("$.names[?match(@, 'ab|b')]", ["ab"]),
        ("$.names[?match(@, '^ab.*')]", ["ab", "abc"]),
        ("$.names[?match(@, '.*bc$')]", ["abc"]),
        ("$.names[?search(@, 'b')]", ["ab", "abc"]),
        ("$.names[?match(@, 'a.c')]", ["abc", "a\u2028c"]),
        ("$.names[?match(@, 'a[.b]c')]", ["abc"]),
        ("$.names[?match(@, 'a[^b]c')]", ["a\nc", "a\u2028c"]),
        (r"$.names[?match(@, 'a\\.c')]", []),
        (r"$.names[?match(@, '\\p{Ll}{3}')]", ["abc"]),
        ("$.names[?!search(@, 'a')]", [5, None]),
        ("$.pairs[?match(@.v, @.p)].p", ["a.*"]),
        ("$.pairs[?search(@.v, @.none)]", []),
        ("$.lists[?length(@) == 2]", [[1, 2]]),
        ("$.lists[?length(@) == 4]", ["four"]),
        ("$.lists[?count(@.*) == 1]", [{"a": 1}]),
        ("$.lists[?value(@..a) == 1]", [{"a": 1}]),
    ],
)
def test_functions(path: str, values: list[Any]) -> None:
    assert check_path(path) == path
    assert find(path, FUNCTIONS) == values


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("$[?match(@.a, 'x(')]", "match() has a regular expression that is not valid (RE2): a ( has no )"),
        ("$[?search(@.a, '(?=x)')]", "search() has a regular expression that is not valid (RE2): look-ahead"),
    ],
)
def test_an_invalid_pattern_in_a_path_is_refused(path: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        check_path(path)


def test_patterns_in_paths_take_linear_time() -> None:
    assert find("$[?match(@, '(.*a){25}')]", ["a" * 5000 + "!"]) == []


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


def test_two_members_are_compared_in_a_filter() -> None:
    document = [{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 1}, {}]
    assert find("$[?@.a == @.b]", document) == [{"a": 1, "b": 1}, {}]
