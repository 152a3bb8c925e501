from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.plan.model import Plan
from ecs_hooks_cli.openapi.importing import Choice, Imported, checks_of
from tests.cli.openapi.reading import OK, named, read, root


def imported(name: str, **choice: Any) -> tuple[dict[str, dict[str, Any]], dict[str, str], dict[str, str]]:
    checks, skipped, notes = checks_of(named(name), Choice(**choice))
    Plan.parse({"checks": checks})
    return {each["name"]: each for each in checks}, dict(skipped), dict(notes)


def of(paths: dict[str, Any], **choice: Any) -> Imported:
    return checks_of(read(root(paths=paths)), Choice(**choice))


def test_a_document_as_somebody_writes_it() -> None:
    checks, skipped, notes = imported("shop.yaml")

    assert list(checks) == ["health", "HEAD /health", "listProducts", "getProduct", "categories", "old"]
    assert skipped == {
        "GET /categories/{id}": "the path parameter id is required and has no example, default or enum",
        "GET /orders/{id}": "it needs credentials (bearer); --include-secured imports it without any",
        "GET /uploads": "it is served elsewhere (uploads.example.com)",
        "GET /gone": "no response of success is documented",
    }
    assert notes == {"GET /categories": "its body is not compared, since status 204 has none"}
    assert checks["HEAD /health"] == {
        "type": "http",
        "name": "HEAD /health",
        "method": "HEAD",
        "path": "/v2/health",
        "expect": {"status": 200},
    }
    listed = checks["listProducts"]
    assert listed["path"] == "/v2/products"
    assert listed["query"] == {"status": "available", "since": "2024-02-29"}
    assert listed["headers"] == {"X-Tenant": "acme", "Accept": "application/json; charset=utf-8"}
    assert listed["expect"]["asserts"][0]["json_schema"]["$ref"] == "#/$defs/Page"
    assert checks["getProduct"]["path"] == "/v2/products/AB-12%2F3"
    assert checks["old"]["expect"] == {"status": 301}


def test_a_document_of_3_1() -> None:
    checks, skipped, notes = imported("library.json")

    assert list(checks) == ["listBooks", "getBook", "getShelf", "GET /changes", "GET /tree"]
    assert list(skipped) == ["GET /me"]
    assert set(notes) == {"GET /changes", "GET /tree"}
    shelf = checks["getShelf"]
    assert shelf["path"] == "/api/shelves;floor=2;room=a%20b"
    assert shelf["query"] == {"filter[lent]": "false", "where": '{"a":[1]}'}
    assert shelf["headers"] == {"Cookie": "session=none%3B%20really"}


def test_a_document_as_a_framework_generates_it() -> None:
    checks, skipped, notes = imported("accounts.json")

    assert list(checks) == ["findAll", "GET /actuator/health", "GET /version"]
    assert list(skipped) == ["GET /accounts/{id}"]
    assert notes == {}
    assert checks["findAll"]["headers"] == {"Accept": "application/json"}
    assert checks["findAll"]["query"] == {"sort": ["name,asc"]}
    assert checks["GET /version"]["expect"] == {"status": 200}


def test_those_that_need_credentials() -> None:
    checks, skipped, notes = imported("library.json", secured=True)

    assert "me" in checks
    assert skipped == {}
    assert notes["GET /me"] == "it needs credentials (key or login and key), which the check does not have"


def test_only_some() -> None:
    assert list(imported("shop.yaml", tags=["catalogue"])[0]) == ["listProducts", "getProduct", "categories"]
    assert list(imported("shop.yaml", tags=["orders"])[1]) == ["GET /orders/{id}"]
    assert imported("shop.yaml", tags=["none"]) == ({}, {}, {})


def test_another_base_path_and_no_schemas() -> None:
    checks, _, _ = imported("shop.yaml", base_path="/", schemas=False)

    assert checks["getProduct"]["path"] == "/products/AB-12%2F3"
    assert checks["getProduct"]["expect"]["asserts"] == [{"query": "jsonpath", "path": "$", "exists": True}]
    assert imported("shop.yaml", base_path="/x/")[0]["health"]["path"] == "/x/health"


def test_names_are_short_and_each_is_another() -> None:
    long = {f"/{'a' * 100}{end}": {"get": {"responses": OK}} for end in "bcd"}
    names = [each["name"] for each in of(long).checks]

    assert names == ["GET /" + "a" * 75, "GET /" + "a" * 72 + " #2", "GET /" + "a" * 72 + " #3"]


@pytest.mark.parametrize(
    ("parameter", "why"),
    [
        ({"name": "Content-Length", "in": "header", "example": 5}, "the check.headers: "),
        ({"name": "X-A", "in": "header", "example": "a\r\nb"}, "the check.headers: "),
    ],
)
def test_what_makes_no_valid_check(parameter: Any, why: str) -> None:
    made = of({"/a": {"get": {"parameters": [{"required": True, "schema": {}, **parameter}], "responses": OK}}})

    assert made.checks == []
    assert made.skipped[0][1].startswith(why)
