from __future__ import annotations

import json
from typing import Any

import pytest
from urllib3 import HTTPHeaderDict

from ecs_hooks.assertions.expect import Expect, describe
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.http.response import Response
from ecs_hooks.http.url import Url

DOCUMENT = {
    "status": "ok",
    "n": 3,
    "items": [{"id": 1}, {"id": 2}],
    "empty": [],
    "nothing": None,
    "token": "t0ken-t0ken",
}


def answer(content: bytes | None = None, status: int = 200, latency: float = 0.01, **headers: str) -> Response:
    body = json.dumps(DOCUMENT).encode() if content is None else content
    named = HTTPHeaderDict({name.replace("_", "-"): value for name, value in headers.items()})
    return Response(status, named, body, latency, "GET http://a/", Url.parse("http://a/"))


def problem(response: Response, **expect: Any) -> str | None:
    unmet = Expect.model_validate(expect).unmet(response, Redactor())
    return describe(unmet) if unmet else None


@pytest.mark.parametrize(
    ("expect", "expected"),
    [
        ({}, None),
        ({"status": [200, 404]}, None),
        ({"status": "3xx"}, "status 200, expected 3xx"),
        ({"headers": {"content-type": "application/json", "X-Count": {"min": 2, "max": 9}}}, None),
        ({"headers": {"Content-Type": "text/html"}}, 'header Content-Type is "application/json", expected "text/html"'),
        ({"headers": {"x-none": "a"}}, "header x-none is missing"),
        ({"headers": {"x-none": {"exists": False}, "x-count": {"exists": True}}}, None),
        ({"headers": {"x-count": {"exists": False}}}, 'header x-count is "5", expected none'),
        ({"headers": {"set-cookie": "a=b"}}, 'header set-cookie is ***, expected "a=b"'),
        ({"body": {"contains": '"ok"'}}, None),
        ({"body": [{"contains": "ok"}, {"matches": "sta.us"}, {"exists": True}]}, None),
        ({"body": {"contains": "nope"}}, 'body is 111 bytes, expected to contain "nope"'),
        ({"body": {"exists": False}}, "body is 111 bytes, expected none"),
        (
            {"json": {"$.status": "ok", "$.n": {"min": 3, "max": 3}, "$.nothing": None, "$.items[*].id": {"min": 1}}},
            None,
        ),
        ({"json": {"$.status": "ko"}}, 'json $.status is "ok", expected "ko"'),
        ({"json": {"$.items": {"equals": [{"id": 1}, {"id": 2}]}, "$.empty": []}}, None),
        (
            {"json": {"$.items": {"equals": {}}}},
            "json $.items is an array with 2 items, expected an object with 0 keys",
        ),
        ({"json": {"$.items[*].id": 1}}, "json $.items[*].id is 2, expected 1 (value 2 of 2)"),
        ({"json": {"$.none": 1}}, "json $.none is missing"),
        ({"json": {"$.none": {"exists": False}, "$.nothing": {"exists": True}}}, None),
        ({"json": {"$.none": {"exists": True}}}, "json $.none is missing"),
        ({"json": {"$.token": "a"}}, 'json $.token is ***, expected "a"'),
        ({"json": {"$.status": {"not_equals": "ok"}}}, 'json $.status is "ok", expected anything else'),
        ({"max_latency_ms": 10.5}, None),
        ({"max_latency_ms": 9}, "latency 10 ms, expected at most 9 ms"),
        (
            {
                "status": 201,
                "json": {"$.n": 1, "$.none": 1},
                "body": [{"contains": "x"}, {"contains": "y"}],
                "max_latency_ms": 1,
            },
            "status 200, expected 201; also body, json $.n, json $.none, latency",
        ),
    ],
)
def test_every_expectation(expect: dict[str, Any], expected: str | None) -> None:
    response = answer(content_type="application/json", x_count="5", set_cookie="session=s3cret")
    assert problem(response, **expect) == expected


def test_an_empty_body_does_not_exist() -> None:
    assert problem(answer(b""), body={"exists": True}) == "body is missing"
    assert problem(answer(b""), body={"exists": False}) is None
    assert problem(answer(b""), body={"equals": ""}) is None


def test_a_body_that_is_not_json() -> None:
    assert problem(answer(b"<html>"), json={"$.a": 1}) == (
        "json expected, but response body (6 bytes) is not valid JSON"
    )


def test_json_that_is_nested_too_deeply() -> None:
    assert problem(answer(b"[" * 500 + b"]" * 500), json={"$..*": 1}) == (
        "json $..* cannot be evaluated: the document is nested too deeply"
    )


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("/x?token=t#f", "/x"),
        ("https://u:p@a/x?y", "https://a/x"),
        ("//a/x", "//a/x"),
        ("x@y", "x@y"),
        ("/" + "x" * 100, "/" + "x" * 79 + "..."),
    ],
)
def test_a_redirect_is_shown_without_secrets(location: str, shown: str) -> None:
    assert problem(answer(status=302, location=location)) == f"status 302 (redirects to {shown}), expected 2xx"
    assert problem(answer(status=302)) == "status 302, expected 2xx"
