from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks_cli.openapi.document import DocumentError
from ecs_hooks_cli.openapi.operations import count_others, safe_operations
from tests.cli.openapi.reading import OK, named, only_operation, read, root

GET: dict[str, Any] = {"responses": OK}


def test_the_safe_ones_in_the_order_of_the_document() -> None:
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
def test_a_server_without_address(url: str) -> None:
    with pytest.raises(DocumentError, match=r"^servers: .* is no address$"):
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
def test_security(everywhere: Any, own: Any, needed: str) -> None:
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
