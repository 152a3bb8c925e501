from __future__ import annotations

import re
from typing import Any

import pytest

from ecs_hooks.plan.model import Plan
from ecs_hooks_cli.openapi.checks import Choice, Expected, Imported, NoSuccessError, checks_of, expected
from tests.cli.openapi.reading import OK, named, only_operation, read, root


def imported(name: str, **choice: Any) -> tuple[dict[str, dict[str, Any]], dict[str, str], dict[str, str]]:
    checks, skipped, notes = checks_of(named(name), Choice(**choice))
    Plan.parse({"checks": checks})
    return {each["name"]: each for each in checks}, dict(skipped), dict(notes)


def of(paths: dict[str, Any], **choice: Any) -> Imported:
    return checks_of(read(root(paths=paths)), Choice(**choice))


def test_a_document_written_by_hand() -> None:
    checks, skipped, notes = imported("shop.yaml")

    assert list(checks) == ["health", "HEAD /health", "listProducts", "getProduct", "categories", "old"]
    assert skipped == {
        "GET /categories/{id}": "the path parameter id is required and has no example, default or enum",
        "GET /orders/{id}": "requires credentials (bearer); --include-secured imports it without any",
        "GET /uploads": "another server serves it (uploads.example.com)",
        "GET /gone": "no successful response is documented",
    }
    assert notes == {"GET /categories": "the body is not compared, since status 204 has none"}
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


def test_a_document_generated_by_a_framework() -> None:
    checks, skipped, notes = imported("accounts.json")

    assert list(checks) == ["findAll", "GET /actuator/health", "GET /version"]
    assert list(skipped) == ["GET /accounts/{id}"]
    assert notes == {}
    assert checks["findAll"]["headers"] == {"Accept": "application/json"}
    assert checks["findAll"]["query"] == {"sort": ["name,asc"]}
    assert checks["GET /version"]["expect"] == {"status": 200}


def test_operations_that_require_credentials() -> None:
    checks, skipped, notes = imported("library.json", secured=True)

    assert "me" in checks
    assert skipped == {}
    assert notes["GET /me"] == "requires credentials (key or login and key), which the check does not send"


def test_only_operations_with_a_tag() -> None:
    assert list(imported("shop.yaml", tags=["catalogue"])[0]) == ["listProducts", "getProduct", "categories"]
    assert list(imported("shop.yaml", tags=["orders"])[1]) == ["GET /orders/{id}"]
    assert imported("shop.yaml", tags=["none"]) == ({}, {}, {})


def test_another_base_path_and_no_schemas() -> None:
    checks, _, _ = imported("shop.yaml", base_path="/", schemas=False)

    assert checks["getProduct"]["path"] == "/products/AB-12%2F3"
    assert checks["getProduct"]["expect"]["asserts"] == [{"query": "jsonpath", "path": "$", "exists": True}]
    assert imported("shop.yaml", base_path="/x/")[0]["health"]["path"] == "/x/health"


def test_names_are_short_and_unique() -> None:
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
def test_an_invalid_check_is_skipped(parameter: Any, why: str) -> None:
    made = of({"/a": {"get": {"parameters": [{"required": True, "schema": {}, **parameter}], "responses": OK}}})

    assert made.checks == []
    assert made.skipped[0][1].startswith(why)


ANY_JSON = {"query": "jsonpath", "path": "$", "exists": True}
JSON = {"headers": {"Content-Type": {"matches": r"(?i)^(application/json)\s*(;|$)"}}}


def expecting(
    responses: dict[str, Any], method: str = "get", version: str = "3.0.3", *, with_schemas: bool = True
) -> Expected:
    described = {status: {"description": "a", **each} for status, each in responses.items()}
    document = read(root(version, {"/a": {method: {"responses": described}}}))
    return expected(document, only_operation(document), with_schemas=with_schemas)


def content(**media: Any) -> dict[str, Any]:
    return {"content": {name.replace("_", "/"): each for name, each in media.items()}}


def of_json(schema: Any) -> dict[str, Any]:
    return content(application_json={"schema": schema})


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ("200", 200),
        ("200 404 default", 200),
        ("206 200", [206, 200]),
        ("2XX 404", "2xx"),
        ("303 404", 303),
        ("3XX 200", 200),
        ("default 404", "2xx"),
    ],
)
def test_the_documented_statuses_of_success(statuses: str, status: Any) -> None:
    assert expecting({each: {} for each in statuses.split()}) == ({"status": status}, "", ())


def test_without_a_documented_success_there_is_an_error() -> None:
    with pytest.raises(NoSuccessError, match="no successful response is documented"):
        expecting({"404": {}, "5XX": {}})


@pytest.mark.parametrize(
    ("responses", "expect", "accept"),
    [
        (
            {"200": of_json({"type": "object"})},
            {**JSON, "asserts": [{**ANY_JSON, "json_schema": {"type": "object"}}]},
            "",
        ),
        ({"200": content(application_json={})}, {**JSON, "asserts": [ANY_JSON]}, ""),
        ({"200": of_json({})}, {**JSON, "asserts": [ANY_JSON]}, ""),
        ({"200": content(text_html={}, application_json={})}, {**JSON, "asserts": [ANY_JSON]}, "application/json"),
        (
            {"200": {"content": {"text/*": {}, "image/svg+xml": {}}}},
            {"headers": {"Content-Type": {"matches": r"(?i)^(text/[^;\s]+|image/svg\+xml)\s*(;|$)"}}},
            "",
        ),
        ({"200": {"content": {"*/*": {"schema": {"type": "string"}}}}}, {}, ""),
        (
            {"200": {"content": {"*/*": {"schema": {"type": "array", "items": {}}}}}},
            {"asserts": [{**ANY_JSON, "json_schema": {"type": "array", "items": {}}}]},
            "application/json",
        ),
        (
            {"200": {"content": {"application/*": {}}}},
            {"headers": {"Content-Type": {"matches": r"(?i)^(application/[^;\s]+)\s*(;|$)"}}},
            "",
        ),
    ],
)
def test_media_types(responses: dict[str, Any], expect: dict[str, Any], accept: str) -> None:
    for assertion in expect.get("asserts", ()):
        if "json_schema" in assertion:
            assertion.pop("exists", None)
    assert expecting(responses) == ({"status": 200, **expect}, accept, ())


@pytest.mark.parametrize(
    ("content_type", "fits"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("application/json ;charset=utf-8", True),
        ("application/json-patch", False),
        ("text/html; application/json", False),
    ],
)
def test_media_types_are_compared_without_their_parameters(content_type: str, fits: bool) -> None:
    made = expecting({"200": {"content": {"application/json; v=1": {}}}}).expect
    assert (re.search(made["headers"]["Content-Type"]["matches"], content_type) is not None) is fits


def test_several_responses_of_success() -> None:
    text, number = of_json({"type": "string"}), of_json({"type": "number"})
    hal = content(**{"application_hal+json": {"schema": {"type": "number"}}})
    (assertion,) = expecting({"200": text, "203": number, "206": hal}).expect["asserts"]
    assert assertion["json_schema"] == {"anyOf": [{"type": "string"}, {"type": "number"}]}
    assert expecting({"200": text, "204": {}}) == (
        {"status": [200, 204]},
        "",
        ("the body is not compared, since status 204 has none",),
    )


def test_a_head_has_no_body() -> None:
    assert expecting({"200": of_json({})}, "head") == ({"status": 200}, "", ())


def test_without_schemas() -> None:
    made = expecting({"200": of_json({"type": "string"})}, with_schemas=False)
    assert made == ({"status": 200, **JSON, "asserts": [ANY_JSON]}, "", ())


def test_an_unsupported_schema_is_noted() -> None:
    made = expecting({"200": of_json({"$dynamicRef": "#a"})}, version="3.1.0")
    assert made.expect["asserts"] == [ANY_JSON]
    assert made.notes == ("the body is not compared with the schema: $dynamicRef is not supported",)


def test_braces_of_a_document_are_no_variables() -> None:
    parameter = {"name": "q", "in": "query", "required": True, "schema": {"type": "string", "default": "{{user}}"}}
    found = of({"/a": {"get": {"operationId": "{{a}}", "parameters": [parameter], "responses": OK}}})
    (check,) = found.checks
    assert check["query"] == {"q": "\\{{user}}"}
    assert check["name"] == "{{a}}"
    (parsed,) = Plan.parse({"checks": found.checks}).checks
    assert parsed.query == {"q": "{{user}}"}  # type: ignore[attr-defined] # an http check
