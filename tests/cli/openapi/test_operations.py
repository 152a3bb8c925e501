from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks_cli.openapi.document import DocumentError
from ecs_hooks_cli.openapi.operations import NoValueError, Request, count_others, request_of, safe_operations
from tests.cli.openapi.reading import OK, named, only_operation, read, root

GET: dict[str, Any] = {"responses": OK}


def test_safe_operations_are_in_the_order_of_the_document() -> None:
    shop = named("shop.yaml")

    assert [each.shown for each in safe_operations(shop)] == [
        "GET /health",
        "HEAD /health",
        "GET /products",
        "GET /products/{sku}",
        "GET /categories",
        "GET /categories/{id}",
        "GET /orders/{id}",
        "GET /uploads",
        "GET /old",
        "GET /gone",
    ]
    assert count_others(shop) == 2


def test_paths_that_are_defined_elsewhere_and_webhooks() -> None:
    library = named("library.json")

    assert next(safe_operations(library)).operation_id == "listBooks"
    assert count_others(library) == 1


def test_a_document_without_paths_and_with_extensions() -> None:
    assert list(safe_operations(read({**root("3.1.0"), "paths": {"x-a": {"get": GET}}}))) == []
    assert (
        list(safe_operations(read({"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "components": {}})))
        == []
    )


@pytest.mark.parametrize(
    ("servers", "base_path"),
    [
        ([], ""),
        ([{"url": "/"}], ""),
        ([{"url": "v1"}], "/v1"),
        ([{"url": "/v1/"}, {"url": "/v2"}], "/v1"),
        ([{"url": "https://api.example.com"}], ""),
        ([{"url": "https://api.example.com/a/b?c"}], "/a/b"),
        (
            [
                {
                    "url": "//{host}/{v}",
                    "variables": {"host": {"default": "x:{p}"}, "p": {"default": "1"}, "v": {"default": "2"}},
                }
            ],
            "/2",
        ),
    ],
)
def test_the_path_of_the_first_server(servers: list[Any], base_path: str) -> None:
    assert only_operation(read(root(paths={"/a": {"get": GET}}, servers=servers))).base_path == base_path


@pytest.mark.parametrize("url", ["/{tenant}/a", "http://[::1/a"])
def test_a_server_without_a_url_is_an_error(url: str) -> None:
    with pytest.raises(DocumentError, match=r"^servers: .* is not a URL$"):
        list(safe_operations(read(root(paths={"/a": {"get": GET}}, servers=[{"url": url}]))))


@pytest.mark.parametrize(
    ("usual", "own", "elsewhere"),
    [
        ("https://a.example/v1", "https://b.example/v2", "b.example"),
        ("https://a.example/v1", "https://a.example/v2", ""),
        ("https://a.example/v1", "/v2", ""),
        ("/v1", "https://b.example/v2", ""),
        (None, "https://b.example/v2", ""),
    ],
)
@pytest.mark.parametrize("at_path", [True, False])
def test_a_server_of_its_own(usual: str | None, own: str, elsewhere: str, at_path: bool) -> None:
    servers = {"servers": [{"url": own}]}
    paths = {"/a": {"get": GET, **servers}} if at_path else {"/a": {"get": {**GET, **servers}}}
    fields: dict[str, Any] = {"servers": [{"url": usual}]} if usual else {}
    operation = only_operation(read(root(paths=paths, **fields)))

    assert (operation.base_path, operation.elsewhere) == ("/v2", elsewhere)


@pytest.mark.parametrize(
    ("everywhere", "own", "needed"),
    [
        (None, None, ""),
        ([{"a": []}], None, "a"),
        ([{"a": []}], [], ""),
        ([{"a": []}], [{}, {"a": []}], ""),
        (None, [{"a": []}, {"a": [], "b": []}], "a or a and b"),
    ],
)
def test_required_security_schemes(everywhere: Any, own: Any, needed: str) -> None:
    schemes = {name: {"type": "http", "scheme": "basic"} for name in "ab"}
    operation = GET if own is None else {**GET, "security": own}
    fields = {} if everywhere is None else {"security": everywhere}
    document = read(root(paths={"/a": {"get": operation}}, components={"securitySchemes": schemes}, **fields))

    assert only_operation(document).security == needed


def test_its_own_parameters_replace_those_of_the_path() -> None:
    def parameter(name: str, **fields: Any) -> dict[str, Any]:
        return {"name": name, "in": "query", "schema": {}, **fields}

    item = {
        "parameters": [parameter("a"), parameter("b")],
        "get": {**GET, "parameters": [parameter("b", required=True)]},
    }
    operation = only_operation(read(root(paths={"/a": item})))

    assert [(each["name"], each.get("required")) for each in operation.parameters] == [("a", None), ("b", True)]


COMPONENTS = {
    "schemas": {
        "Colour": {"type": "string", "enum": ["red", "green"]},
        "Node": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
    },
    "examples": {"Some": {"value": "some"}},
}


def request(*parameters: dict[str, Any], path: str = "/a", version: str = "3.0.3") -> Request:
    whole = [{"required": True, "schema": {}, **each} for each in parameters]
    for each in whole:
        if "content" in each:
            del each["schema"]
    document = read(root(version, {path: {"get": {"parameters": whole, "responses": OK}}}, components=COMPONENTS))
    return request_of(document, only_operation(document))


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
def test_values_are_examples_defaults_or_enums(fields: dict[str, Any], value: Any) -> None:
    assert in_query(**fields) == {"q": value}


@pytest.mark.parametrize(("schema", "value"), [({"examples": ["x"]}, "x"), ({"const": 5}, 5)])
def test_values_of_3_1_schemas(schema: Any, value: Any) -> None:
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
def test_a_required_parameter_without_a_value_is_an_error(fields: dict[str, Any]) -> None:
    with pytest.raises(NoValueError, match=r"^the query parameter q is required and has no example, default or enum$"):
        in_query(**fields)


def test_a_path_parameter_is_never_empty() -> None:
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


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer", "minimum": 5, "example": 1, "enum": [3, 7]}, 7),
        ({"type": "integer", "example": "abc", "default": 4}, 4),
        ({"type": "integer", "example": "12"}, "12"),
        ({"type": "array", "items": {"type": "integer"}, "example": ["a"], "enum": [[1]]}, ["1"]),
    ],
)
def test_a_value_that_the_schema_forbids_is_not_sent(schema: dict[str, Any], value: Any) -> None:
    parameter = {"name": "q", "in": "query", "required": True, "schema": schema}
    document = read(root("3.1.0", {"/a": {"get": {"parameters": [parameter], "responses": OK}}}))
    assert request_of(document, only_operation(document)).query == {"q": value}


@pytest.mark.parametrize("example", [".", ".."])
def test_a_segment_that_clients_remove_is_no_value(example: str) -> None:
    parameter = {"name": "q", "in": "path", "required": True, "schema": {"type": "string", "example": example}}
    document = read(root(paths={"/a/{q}": {"get": {"parameters": [parameter], "responses": OK}}}))
    with pytest.raises(NoValueError):
        request_of(document, only_operation(document))


def test_only_values_that_the_schema_forbids_are_no_value() -> None:
    parameter = {
        "name": "q",
        "in": "query",
        "required": True,
        "schema": {"type": "integer", "minimum": 5, "example": 1},
    }
    document = read(root(paths={"/a": {"get": {"parameters": [parameter], "responses": OK}}}))
    with pytest.raises(NoValueError, match="has no example, default or enum that its schema allows"):
        request_of(document, only_operation(document))


def test_an_integer_of_any_length_is_compared_with_its_schema() -> None:
    schema = {"type": "integer", "minimum": 5, "example": "9" * 5000}
    parameter = {"name": "q", "in": "query", "required": True, "schema": schema}
    document = read(root(paths={"/a": {"get": {"parameters": [parameter], "responses": OK}}}))
    assert "9" * 5000 in str(request_of(document, only_operation(document)))
