from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_hooks_cli.migrate.document import DocumentError, parse_document


def test_a_value_has_its_line_and_path() -> None:
    hooks = parse_document("version: 0.0\nHooks:\n  - AfterInstall: a\n").fields(example="{}")["Hooks"]
    (item,) = hooks.items(example="[]")
    place = item.fields(example="{}")["AfterInstall"]

    assert (place.path, place.line, place.text()) == ("Hooks[0].AfterInstall", 3, "a")


def test_json_with_tabs_keeps_its_lines() -> None:
    text = '{\n\t"Hooks": [\n\t\t{"AfterInstall":\t"a"}\n\t]\n}'
    (item,) = parse_document(text).fields(example="{}")["Hooks"].items(example="[]")

    assert item.line == 3
    assert item.fields(example="{}")["AfterInstall"].text() == "a"


@given(st.dictionaries(st.text("abcXYZ", min_size=1), st.text("abc é\t:#'\"{}[]!&*-,0", min_size=1), min_size=1))
def test_json_is_read_as_json(value: dict[str, str]) -> None:
    fields = parse_document(json.dumps(value)).fields(example="{}")

    assert {name: place.node.value for name, place in fields.items()} == value


def test_names_of_fields_ignore_case() -> None:
    assert list(parse_document("RESOURCES: []\nhooks: []").fields(("Resources", "Hooks"), example="{}")) == [
        "Resources",
        "Hooks",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("# nothing", "is empty"),
        ("a: [", "line 1: is neither YAML nor JSON: expected the node content, but found '<stream end>'"),
        ("a: \x00", "is neither YAML nor JSON: unacceptable character #x0000: special characters are not allowed"),
        ("[" * 5000, "is nested too deeply"),
    ],
)
def test_an_invalid_document_is_refused(text: str, problem: str) -> None:
    with pytest.raises(DocumentError) as raised:
        parse_document(text)
    assert str(raised.value).startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a", "line 1: must be an object, such as {a: 1}"),
        ("a: 1\nb: 2", "line 2: b: unknown field; known: a"),
        ("alhpa: 1", "line 1: alhpa: unknown field; did you mean 'alpha'?"),
        ("a: 1\nA: 2", "line 2: A: duplicates the field in line 1; remove one of them"),
        ("? [a]\n: 1", "line 1: must be a string"),
    ],
)
def test_an_invalid_object_is_refused(text: str, problem: str) -> None:
    known = ("alpha",) if "alh" in text else ("a",)
    with pytest.raises(DocumentError) as raised:
        parse_document(text).fields(known, example="{a: 1}")
    assert str(raised.value) == problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1]", "line 1: a: must be a string"),
        ("a:", "line 1: a: is empty; set a value, or remove the field"),
        ("a: ' '", "line 1: a: is empty; set a value, or remove the field"),
        ("a: !Ref X", "line 1: a: CloudFormation's !Ref is not resolved; write the value itself"),
    ],
)
def test_an_invalid_string_is_refused(text: str, problem: str) -> None:
    with pytest.raises(DocumentError) as raised:
        parse_document(text).fields(example="{}")["a"].text()
    assert str(raised.value) == problem


@pytest.mark.parametrize("text", ["0", "65536", "-1", "1.5", "x", "٣", "9" * 5000])
def test_an_integer_outside_its_bounds_is_refused(text: str) -> None:
    place = parse_document(f"a: '{text}'").fields(example="{}")["a"]
    with pytest.raises(DocumentError, match="line 1: a: must be an integer from 1 to 65535"):
        place.number(1, 65_535)


def test_numbers_lists_and_choices() -> None:
    found = parse_document("a: '80'\nb:\nc: x\n").fields(example="{}")

    assert found["a"].number(1, 80) == 80
    assert found["b"].items(example="[]") == []
    with pytest.raises(DocumentError, match=r"line 3: c: must be a list, such as \[1\]"):
        found["c"].items(example="[1]")
    assert found["c"].one_of("x", "y") == "x"
    with pytest.raises(DocumentError, match="line 3: c: must be y or z"):
        found["c"].one_of("y", "z")
