from __future__ import annotations

import io
import json
from typing import Any

import pytest

from ecs_hooks_cli.openapi.document import DocumentError, read_document
from tests.cli.openapi.reading import OK, read, root
from tests.http.fixtures import Serve
from tests.http.servers import replying


def problems(value: Any) -> tuple[str, ...]:
    with pytest.raises(DocumentError) as error:
        read(value)
    assert all("\n" not in each for each in error.value.problems)
    return error.value.problems


def schemas(**named: Any) -> dict[str, Any]:
    return {"components": {"schemas": named}}


def answering(schema: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {"/a": {"get": {"responses": {"200": {"description": "a", "content": content}}}}}


@pytest.mark.parametrize(("written", "version"), [("3.0.0", "3.0"), ("3.0.4", "3.0"), ("3.1.1", "3.1")])
def test_versions(written: str, version: str) -> None:
    assert read(root(written)).version == version


def test_json_and_yaml() -> None:
    assert read(json.dumps(root(), indent="\t")).root == root()
    assert read('openapi: 3.0.3\ninfo: {title: a, version: "1"}\npaths: {}\n').root == root()
    assert read("{openapi: 3.0.3, info: {title: a, version: '1'}, paths: {}}").root == root()


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("{", "is no JSON: Expecting property name"),
        ("a: b: c", "is no YAML: mapping values are not allowed"),
        ("a: [", "is no YAML: "),
        ("\x00", "is no YAML that JSON could say"),
        ("a: &b [*b]", "is no YAML that JSON could say"),
        ("a: !!binary aGk=", "is no YAML that JSON could say"),
        ("[" * 100_000, "is n"),
        ("", "is no object, so it is no OpenAPI document"),
        ([], "is no object, so it is no OpenAPI document"),
        ({}, "openapi: is missing, so this is no OpenAPI document"),
        ("openapi: 3.0", 'openapi: must be a text such as "3.0.3"'),
        (root("3.2.0"), "openapi: version '3.2.0' is not supported; 3.0 and 3.1 are"),
        ({"swagger": "2.0"}, "swagger: nothing of OpenAPI 2.0 (Swagger) is supported; convert the document to 3.0"),
    ],
)
def test_what_is_no_document(value: Any, problem: str) -> None:
    (told,) = problems(value)
    assert told.startswith(problem)


def test_a_mistake_in_yaml_is_found_by_line_and_column() -> None:
    assert problems("openapi: 3.0.3\ninfo: {title: a\npaths: {}\n")[0].endswith("(line 3, column 6)")


def test_what_is_no_text() -> None:
    with pytest.raises(DocumentError, match="is no text in UTF-8"):
        read_document(io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), encoding="utf-8"))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (root(info={}), "info: 'title' is a required property"),
        (root(paths={"/a": {"get": {"responses": {}}}}), "paths./a.get.responses: "),
        (
            root(paths={"/a": {"get": {"parameters": [{"name": "b"}], "responses": OK}}}),
            "paths./a.get.parameters[0]: 'in' is a required property",
        ),
        (
            root(paths=answering({"type": "strin"})),
            "paths./a.get.responses.200.content.application/json.schema.type: 'strin' is not one of",
        ),
        # In 3.1 schemas are examined by themselves: the place is found all the same.
        (
            root("3.1.0", answering({"properties": {"a": {"type": "strin"}}})),
            "paths./a.get.responses.200.content.application/json.schema.properties.a.type: 'strin' is not valid",
        ),
        (
            root("3.1.0", answering({"items": [1, {"type": 5}]})),
            "paths./a.get.responses.200.content.application/json.schema.items: [1, {'type': 5}] is not of type",
        ),
        (
            root("3.1.0", {"/a": {"parameters": [{"name": "b", "in": "query", "schema": {"type": "strin"}}]}}),
            "paths./a.parameters[0].schema.type: 'strin' is not valid",
        ),
        (root(paths={"/a/{b}": {"get": {"responses": OK}}}), "Path parameter 'b' for 'get' operation in '/a/{b}'"),
        (
            root(paths={f"/{name}": {"get": {"operationId": "x", "responses": OK}} for name in "ab"}),
            "Operation ID 'x' for 'get' in '/b' is not unique",
        ),
    ],
)
def test_mistakes_name_their_place(value: Any, problem: str) -> None:
    told = problems(value)
    assert told[0].startswith(problem)
    assert len(told[0]) < 400


def test_regular_expressions_of_javascript_are_no_mistake() -> None:
    assert read(root("3.1.0", answering({"pattern": r"^\p{L}[^]$", "patternProperties": {r"\u{1F600}": True}})))


def test_schemas_that_are_nested_too_deeply() -> None:
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(300):
        schema = {"type": "object", "properties": {"a": schema}}
    assert problems(root(**schemas(A=schema))) == ("is nested too deeply",)


@pytest.mark.parametrize("scheme", ["http://127.0.0.1:9", "https://127.0.0.1:9", "file:///etc", "ftp://127.0.0.1:9"])
@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_nothing_outside_is_opened(version: str, scheme: str) -> None:
    told = problems(root(version, answering({"$ref": f"{scheme}/pet.json#/Pet"})))
    assert told[0].startswith("paths./a.get.responses.200.content.application/json.schema.$ref: ")
    assert "lies outside of this document" in told[0]


@pytest.mark.parametrize(
    "outside",
    [
        {"properties": {"a": {"$id": "{}/x", "$ref": "#/components/schemas/B"}}},
        {"properties": {"a": {"$dynamicRef": "{}/x"}}},
        {"$schema": "{}/x"},
    ],
)
def test_not_even_by_the_ways_of_json_schema(serve: Serve, outside: dict[str, Any]) -> None:
    server = serve(replying(b"{}"))
    schema = json.loads(json.dumps({"default": {"a": 1}, **outside}).replace("{}", server.url))

    (told,) = problems(root("3.1.0", **schemas(A=schema, B={})))
    assert "within this document" in told or "Unknown JSON Schema dialect" in told
    assert server.connections == 0


def test_a_name_of_its_own_is_no_matter() -> None:
    inner = {"$id": "http://127.0.0.1:9/x", "properties": {"a": {"$ref": "#/components/schemas/B"}}}
    read(root("3.1.0", **schemas(A=inner, B={"type": "string"})))
