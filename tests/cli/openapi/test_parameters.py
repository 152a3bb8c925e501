from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks_cli.openapi.parameters import Filled, NoValueError, filled
from tests.cli.openapi.reading import OK, only_operation, read, root

COMPONENTS = {
    "schemas": {
        "Colour": {"type": "string", "enum": ["red", "green"]},
        "Node": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
    },
    "examples": {"Some": {"value": "some"}},
}


def request(*parameters: dict[str, Any], path: str = "/a", version: str = "3.0.3") -> Filled:
    whole = [{"required": True, "schema": {}, **each} for each in parameters]
    for each in whole:
        if "content" in each:
            del each["schema"]
    document = read(root(version, {path: {"get": {"parameters": whole, "responses": OK}}}, components=COMPONENTS))
    return filled(document, only_operation(document))


def in_query(**fields: Any) -> Any:
    return request({"name": "q", "in": "query", **fields}).query


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({"example": "a", "schema": {"example": "b", "default": "c"}}, "a"),
        ({"examples": {"first": {"$ref": "#/components/examples/Some"}}, "schema": {"example": "b"}}, "some"),
        ({"examples": {"first": {"externalValue": "http://a"}, "second": {"value": 0}}}, 0),
        ({"schema": {"example": "b", "default": "c", "enum": ["c", "d"]}}, "b"),
        ({"schema": {"default": "c", "enum": ["d", "c"]}}, "c"),
        ({"schema": {"enum": [None, "d"], "nullable": True}}, "d"),
        ({"schema": {"$ref": "#/components/schemas/Colour"}}, "red"),
        ({"schema": {"allOf": [{"$ref": "#/components/schemas/Colour"}]}}, "red"),
        ({"schema": {"anyOf": [{"type": "string"}, {"type": "integer", "example": 7}]}}, 7),
        ({"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Colour"}}}, ["red"]),
        ({"content": {"application/json": {"schema": {"example": {"a": 1}}}}}, '{"a":1}'),
        ({"content": {"application/json": {"example": "a"}}}, '"a"'),
        ({"schema": {"type": "boolean", "default": False}}, False),
        ({"example": ""}, ""),
    ],
)
def test_where_values_come_from(fields: dict[str, Any], value: Any) -> None:
    assert in_query(**fields) == {"q": value}


@pytest.mark.parametrize(("schema", "value"), [({"examples": ["x"]}, "x"), ({"const": 5}, 5)])
def test_what_schemas_of_3_1_have(schema: Any, value: Any) -> None:
    assert request({"name": "q", "in": "query", "schema": schema}, version="3.1.0").query == {"q": value}


@pytest.mark.parametrize(
    "fields",
    [
        {"schema": {"type": "integer", "minimum": 1}},
        {"schema": {"$ref": "#/components/schemas/Node"}},
        {"schema": {"type": "array", "items": {"type": "string"}}},
        {"example": None},
        {"content": {"application/json": {}}},
    ],
)
def test_no_value(fields: dict[str, Any]) -> None:
    with pytest.raises(NoValueError, match=r"^the query parameter q is required and has no example, default or enum$"):
        in_query(**fields)


def test_no_empty_segment_of_a_path() -> None:
    with pytest.raises(NoValueError, match="the path parameter id"):
        request({"name": "id", "in": "path", "example": ""}, path="/a/{id}")


def test_optional_parameters_are_left_out() -> None:
    assert in_query(required=False, example="a") == {}


@pytest.mark.parametrize(
    ("style", "explode", "value", "path"),
    [
        # The table of the specification: "Style Examples".
        ("simple", False, "blue", "/blue"),
        ("simple", False, ["blue", "black"], "/blue,black"),
        ("simple", False, {"R": 100, "G": 200}, "/R,100,G,200"),
        ("simple", True, {"R": 100, "G": 200}, "/R=100,G=200"),
        ("label", False, "blue", "/.blue"),
        ("label", False, ["blue", "black"], "/.blue,black"),
        ("label", True, ["blue", "black"], "/.blue.black"),
        ("label", True, {"R": 100, "G": 200}, "/.R=100.G=200"),
        ("matrix", False, "blue", "/;c=blue"),
        ("matrix", False, ["blue", "black"], "/;c=blue,black"),
        ("matrix", True, ["blue", "black"], "/;c=blue;c=black"),
        ("matrix", False, {"R": 100, "G": 200}, "/;c=R,100,G,200"),
        ("matrix", True, {"R": 100, "G": 200}, "/;c=R=100;c=G=200".replace("c=R", "R").replace("c=G", "G")),
        (None, None, "a/b c?ü", "/a%2Fb%20c%3F%C3%BC"),
        (None, None, True, "/true"),
    ],
)
def test_values_in_a_path(style: str | None, explode: bool | None, value: Any, path: str) -> None:
    given = {key: each for key, each in (("style", style), ("explode", explode)) if each is not None}

    assert request({"name": "c", "in": "path", "example": value, **given}, path="/{c}").path == path


@pytest.mark.parametrize(
    ("style", "explode", "value", "query"),
    [
        ("form", True, ["blue", "black"], {"c": ["blue", "black"]}),
        ("form", False, ["blue", "black"], {"c": "blue,black"}),
        ("form", True, {"R": 100, "G": None}, {"R": "100", "G": "null"}),
        ("form", False, {"R": 100}, {"c": "R,100"}),
        ("spaceDelimited", False, ["blue", "black"], {"c": "blue black"}),
        ("pipeDelimited", False, ["blue", "black"], {"c": "blue|black"}),
        ("deepObject", True, {"R": 100, "G": "x"}, {"c[R]": "100", "c[G]": "x"}),
    ],
)
def test_values_in_a_query(style: str, explode: bool, value: Any, query: Any) -> None:
    parameter = {"name": "c", "in": "query", "example": value, "style": style, "explode": explode}

    assert request(parameter).query == query


def test_headers_and_cookies() -> None:
    made = request(
        {"name": "X-A", "in": "header", "example": [1, "b"]},
        {"name": "X-B", "in": "header", "example": {"a": 1}, "explode": True},
        {"name": "authorization", "in": "header"},
        {"name": "one", "in": "cookie", "example": "a b"},
        {"name": "two", "in": "cookie", "example": [1, 2]},
    )
    assert made.headers == {"X-A": "1,b", "X-B": "a=1", "Cookie": "one=a%20b; two=1; two=2"}
