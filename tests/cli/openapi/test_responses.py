from __future__ import annotations

import re
from typing import Any

import pytest

from ecs_hooks_cli.openapi.responses import Expected, NoSuccessError, expected
from tests.cli.openapi.reading import only_operation, read, root

ANY_JSON = {"query": "jsonpath", "path": "$", "exists": True}
JSON = {"headers": {"Content-Type": {"matches": r"(?i)^(application/json)\s*(;|$)"}}}


def asking(
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
    assert asking({each: {} for each in statuses.split()}) == ({"status": status}, "", ())


def test_no_success_at_all() -> None:
    with pytest.raises(NoSuccessError, match="no response of success is documented"):
        asking({"404": {}, "5XX": {}})


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
    assert asking(responses) == ({"status": 200, **expect}, accept, ())


@pytest.mark.parametrize(
    ("told", "fits"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("application/json ;charset=utf-8", True),
        ("application/json-patch", False),
        ("text/html; application/json", False),
    ],
)
def test_media_types_are_compared_without_their_parameters(told: str, fits: bool) -> None:
    made = asking({"200": {"content": {"application/json; v=1": {}}}}).expect
    assert (re.search(made["headers"]["Content-Type"]["matches"], told) is not None) is fits


def test_several_responses_of_success() -> None:
    text, number = of_json({"type": "string"}), of_json({"type": "number"})
    hal = content(**{"application_hal+json": {"schema": {"type": "number"}}})
    (assertion,) = asking({"200": text, "203": number, "206": hal}).expect["asserts"]
    assert assertion["json_schema"] == {"anyOf": [{"type": "string"}, {"type": "number"}]}
    assert asking({"200": text, "204": {}}) == (
        {"status": [200, 204]},
        "",
        ("its body is not compared, since status 204 has none",),
    )


def test_a_head_has_no_body() -> None:
    assert asking({"200": of_json({})}, "head") == ({"status": 200}, "", ())


def test_without_schemas() -> None:
    made = asking({"200": of_json({"type": "string"})}, with_schemas=False)
    assert made == ({"status": 200, **JSON, "asserts": [ANY_JSON]}, "", ())


def test_what_a_plan_can_not_say() -> None:
    made = asking({"200": of_json({"$dynamicRef": "#a"})}, version="3.1.0")
    assert made.expect["asserts"] == [ANY_JSON]
    assert made.notes == ("its body is not compared with the schema: $dynamicRef is not supported",)
