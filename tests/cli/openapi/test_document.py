from __future__ import annotations

import io
import json
from typing import Any

import pytest

from ecs_hooks_cli.openapi.document import DocumentError, read_document, reference_problems, target
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
        ("{", "is not JSON: Expecting property name"),
        ("\ufeff{", "is not JSON: Expecting property name"),
        ('{"a": 1e400}', "has a number that is too large (5 characters)"),
        ("a: b: c", "is not YAML: mapping values are not allowed"),
        ("a: [", "is not YAML: "),
        ("\x00", "is not YAML with JSON's types"),
        ("a: &b [*b]", "is not YAML with JSON's types"),
        ("a: !!binary aGk=", "is not YAML with JSON's types"),
        ("[" * 100_000, "is n"),
        ("", "must be an object; this is not an OpenAPI document"),
        ([], "must be an object; this is not an OpenAPI document"),
        ({}, "openapi: is missing; this is not an OpenAPI document"),
        ("openapi: 3.0", 'openapi: must be a string such as "3.0.3"'),
        (root("3.2.0"), "openapi: version '3.2.0' is not supported; supported: 3.0, 3.1"),
        ({"swagger": "2.0"}, "swagger: OpenAPI 2.0 (Swagger) is not supported; convert the document to 3.0"),
    ],
)
def test_an_invalid_document_is_an_error(value: Any, problem: str) -> None:
    (found,) = problems(value)
    assert found.startswith(problem)


def test_a_mistake_in_yaml_has_line_and_column() -> None:
    assert problems("openapi: 3.0.3\ninfo: {title: a\npaths: {}\n")[0].endswith("(line 3, column 6)")


def test_bytes_that_are_not_text_are_an_error() -> None:
    with pytest.raises(DocumentError, match="is not UTF-8 text"):
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
        # In 3.1 schemas are validated separately, with the same place.
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
        (
            root(paths={f"/{name}": {"get": {"operationId": "x", "responses": OK}} for name in "ab"}),
            "Operation ID 'x' for 'get' in '/b' is not unique",
        ),
    ],
)
def test_problems_name_their_place(value: Any, problem: str) -> None:
    found = problems(value)
    assert found[0].startswith(problem)
    assert len(found[0]) < 400


def test_patterns_of_javascript_are_valid() -> None:
    assert read(root("3.1.0", answering({"pattern": r"^\p{L}[^]$", "patternProperties": {r"\u{1F600}": True}})))


def test_schemas_that_are_nested_too_deeply_are_an_error() -> None:
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(300):
        schema = {"type": "object", "properties": {"a": schema}}
    assert problems(root(**schemas(A=schema))) == ("is nested too deeply",)


@pytest.mark.parametrize("scheme", ["http://127.0.0.1:9", "https://127.0.0.1:9", "file:///etc", "ftp://127.0.0.1:9"])
@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_other_documents_are_not_opened(version: str, scheme: str) -> None:
    found = problems(root(version, answering({"$ref": f"{scheme}/pet.json#/Pet"})))
    assert found[0].startswith("paths./a.get.responses.200.content.application/json.schema.$ref: ")
    assert "is outside of this document" in found[0]


@pytest.mark.parametrize(
    "outside",
    [
        {"properties": {"a": {"$id": "{}/x", "$ref": "#/components/schemas/B"}}},
        {"properties": {"a": {"$dynamicRef": "{}/x"}}},
        {"$schema": "{}/x"},
    ],
)
def test_other_documents_of_json_schema_keywords_are_not_opened(serve: Serve, outside: dict[str, Any]) -> None:
    server = serve(replying(b"{}"))
    schema = json.loads(json.dumps({"default": {"a": 1}, **outside}).replace("{}", server.url))

    (found,) = problems(root("3.1.0", **schemas(A=schema, B={})))
    assert "within this document" in found or "Unknown JSON Schema dialect" in found
    assert server.connections == 0


def test_a_schema_may_have_an_id() -> None:
    inner = {"$id": "http://127.0.0.1:9/x", "properties": {"a": {"$ref": "#/components/schemas/B"}}}
    read(root("3.1.0", **schemas(A=inner, B={"type": "string"})))


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("#/a~1b/1", 2),
        ("#/~0", 3),
        ("#/%7Bx%7D", 4),
        ("#/a~1b/x", None),
        ("#/a~1b/7", None),
        ("#/x", None),
        ("#/~0/x", None),
    ],
)
def test_the_target_of_a_reference(reference: str, found: int | None) -> None:
    root = {"a/b": [1, 2], "~": 3, "{x}": 4}
    if found is None:
        with pytest.raises(LookupError):
            target(root, reference)
    else:
        assert target(root, reference) == found


@pytest.mark.parametrize(
    ("root", "problems"),
    [
        (
            schemas(A={"allOf": [{"$ref": "#/components/schemas/None"}]}),
            ["components.schemas.A.allOf[0].$ref: '#/components/schemas/None' has no target"],
        ),
        (
            {"a": [{"$ref": "pets.yaml#/Pet"}], "b": {"$ref": "#/c"}},
            [
                (
                    "a[0].$ref: 'pets.yaml#/Pet' is outside of this document; bundle it into one document, for example "
                    "with `redocly bundle`"
                ),
                "b.$ref: '#/c' has no target",
            ],
        ),
        (
            schemas(A={"$ref": "#/components/schemas/B"}, B={"anyOf": [{"not": {"$ref": "#/components/schemas/A"}}]}),
            [
                "components.schemas.A.$ref: '#/components/schemas/B' refers to itself",
                "components.schemas.B.anyOf[0].not.$ref: '#/components/schemas/A' refers to itself",
            ],
        ),
        # A schema may contain itself, or be referred to twice; a property may have any name; anchors are not checked.
        (schemas(A={"properties": {"a": {"$ref": "#/components/schemas/A"}}, "items": {"$ref": "#node"}}), []),
        (schemas(A={"properties": {"$ref": {"type": "string"}}, "allOf": True}), []),
        (
            {
                **schemas(A={"allOf": [{"$ref": f"#/components/schemas/{each}"} for each in "BB"]}, B={}),
                "x": {"$ref": "#/components/schemas/A"},
            },
            [],
        ),
    ],
)
def test_each_reference_has_another_schema_as_its_target(root: Any, problems: list[str]) -> None:
    assert reference_problems(root) == problems
