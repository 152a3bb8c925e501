from __future__ import annotations

import hashlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from urllib3 import HTTPHeaderDict

from ecs_hooks.assertions.query import Assertion, Query
from ecs_hooks.core.outcome import Status
from ecs_hooks.core.redaction import Redactor
from ecs_hooks.core.validation_errors import error_lines
from ecs_hooks.http.response import Response, Timings
from ecs_hooks.http.tls import Certificate, Tls
from ecs_hooks.http.url import Url
from tests.checks.asking import ask
from tests.http.fixtures import Serve
from tests.http.servers import Peer

DOCUMENT = {"version": "1.4.2", "items": [{"id": 1}, {"id": 2}], "none": None, "token": "t0ken-t0ken"}
BODY = json.dumps(DOCUMENT).encode()
CERTIFICATE = Certificate(
    "commonName=shop.example",
    "organizationName=Example CA",
    0.0,
    time.time() + 30.5 * 86_400,
    "0A1B",
    ("shop.example",),
)
COOKIES = [
    "session=s3cret-s3cret; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=60",
    "theme=dark; Domain=shop.example; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
    'bad"cookie',
    "a/b=c",
]


def response(content: bytes = BODY, tls: Tls | None = None, **changes: Any) -> Response:
    headers = HTTPHeaderDict({"Content-Type": "application/json", "Location": "/next?code=s3cret", "X-Count": "5"})
    for cookie in COOKIES:
        headers.add("Set-Cookie", cookie)
    timings = Timings(0.001, 0.002, 0.003, 0.1, 0.02)
    whole = Response(200, headers, content, 0.125, "GET https://shop.example/", Url.parse("https://shop.example/a?b=c"))
    first = whole._replace(status=301, headers=HTTPHeaderDict({"Location": "b?code=1"}))
    there = Url.parse("https://shop.example/b?code=1")
    second = first._replace(status=302, url=there, headers=HTTPHeaderDict({"Location": "//other.example/c"}))
    whole = whole._replace(timings=timings, tls=tls, redirects=2, http_version="1.1", followed=(first, second))
    return whole._replace(**changes)


TLS = Tls("TLSv1.3", CERTIFICATE)


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ({"query": "status"}, [200]),
        ({"query": "header", "name": "x-count"}, ["5"]),
        ({"query": "header", "name": "x-none"}, []),
        ({"query": "cookie", "name": "session"}, ["s3cret-s3cret"]),
        ({"query": "cookie", "name": "session", "attribute": "httponly"}, [True]),
        ({"query": "cookie", "name": "session", "attribute": "samesite"}, ["Lax"]),
        ({"query": "cookie", "name": "session", "attribute": "max-age"}, ["60"]),
        ({"query": "cookie", "name": "theme", "attribute": "secure"}, []),
        ({"query": "cookie", "name": "theme", "attribute": "expires"}, ["Wed, 21 Oct 2026 07:28:00 GMT"]),
        ({"query": "cookie", "name": "none"}, []),
        ({"query": "body"}, [BODY.decode()]),
        ({"query": "bytes"}, [len(BODY)]),
        ({"query": "jsonpath", "path": "$.items[*].id"}, [1, 2]),
        ({"query": "jsonpath", "path": "$.x"}, []),
        ({"query": "regex", "pattern": r'"version": "(\d+)\.'}, ["1"]),
        ({"query": "regex", "pattern": r"\d+\.\d+"}, ["1.4"]),
        ({"query": "regex", "pattern": r"(x)|version"}, []),
        ({"query": "regex", "pattern": "nowhere"}, []),
        ({"query": "sha256"}, [hashlib.sha256(BODY).hexdigest()]),
        ({"query": "duration"}, [126]),
        ({"query": "duration", "phase": "tls"}, [3]),
        ({"query": "duration", "phase": "first_byte"}, [100]),
        ({"query": "tls_version"}, ["TLSv1.3"]),
        ({"query": "certificate", "field": "subject"}, ["commonName=shop.example"]),
        ({"query": "certificate", "field": "issuer"}, ["organizationName=Example CA"]),
        ({"query": "certificate", "field": "alternative_names"}, [["shop.example"]]),
        ({"query": "redirects"}, [2]),
        ({"query": "redirect", "index": 0}, ["https://shop.example/b?code=1"]),
        ({"query": "redirect", "index": -1}, ["https://other.example/c"]),
        ({"query": "redirect", "index": 1, "part": "status"}, [302]),
        ({"query": "redirect", "index": 1, "part": "url"}, ["https://shop.example/b?code=***"]),
        ({"query": "redirect", "index": 2}, []),
        ({"query": "redirect", "index": -3}, []),
        ({"query": "http_version"}, ["1.1"]),
        ({"query": "md5"}, [hashlib.md5(BODY).hexdigest()]),
        ({"query": "hex"}, [BODY.hex()]),
        ({"query": "hex", "filters": [{"regex": "^(..)"}]}, ["7b"]),
        ({"query": "body", "filters": ["to_hex"]}, [BODY.hex()]),
        ({"query": "body", "filters": ["count"]}, [len(BODY)]),
        ({"query": "bytes", "filters": ["to_hex"]}, [BODY.hex()]),
        ({"query": "bytes", "filters": ["count"]}, [len(BODY)]),
        ({"query": "bytes", "filters": ["to_string"]}, [str(len(BODY))]),
        ({"query": "header", "name": "set-cookie", "filters": ["count"]}, [len(COOKIES)]),
        ({"query": "header", "name": "Set-Cookie", "filters": [{"nth": 1}, {"regex": "^[a-z]+"}]}, ["theme"]),
        ({"query": "header", "name": "Set-Cookie", "filters": ["last"]}, ["a/b=c"]),
        ({"query": "header", "name": "X-Count", "filters": ["first", "to_int"]}, [5]),
        ({"query": "header", "name": "X-None", "filters": ["count"]}, []),
        ({"query": "header", "name": "X-Count", "filters": [{"nth": 1}]}, []),
        ({"query": "location"}, ["https://shop.example/next?code=s3cret"]),
        ({"query": "url"}, ["https://shop.example/a?b=***"]),
    ],
)
def test_the_values_of_each_query(query: dict[str, Any], values: list[Any]) -> None:
    found = Query.model_validate(query).find(response(tls=TLS))

    assert not found.problem
    assert list(found.values) == values


@pytest.mark.parametrize(
    ("assertion", "problem"),
    [
        ({"query": "status", "in": [200, 201]}, None),
        ({"query": "status", "range": [300, 399]}, "is 200, expected at least 300"),
        ({"query": "header", "name": "X-Count", "min": 5}, None),
        ({"query": "header", "name": "X-None", "exists": False}, None),
        ({"query": "header", "name": "X-None", "equals": "a"}, "is missing"),
        ({"query": "header", "name": "X-None", "empty": True}, "is missing"),
        ({"query": "cookie", "name": "session", "equals": "x"}, 'is ***, expected "x"'),
        ({"query": "cookie", "name": "session", "attribute": "secure", "equals": True}, None),
        ({"query": "body", "contains": "nothing"}, f'is {len(BODY)} bytes, expected to contain "nothing"'),
        ({"query": "body", "exists": True}, None),
        ({"query": "bytes", "max": 10}, f"is {len(BODY)}, expected at most 10"),
        ({"query": "jsonpath", "path": "$.items", "length": 2}, None),
        (
            {"query": "jsonpath", "path": "$.items", "length": {"min": 3}},
            "is an array with 2 items, expected another length: it is 2, expected at least 3",
        ),
        ({"query": "jsonpath", "path": "$.token", "equals": "a"}, 'is ***, expected "a"'),
        ({"query": "jsonpath", "path": "$.items[*].id", "max": 1}, "is 2, expected at most 1 (value 2 of 2)"),
        ({"query": "duration", "phase": "connect", "max": 1}, "is 2.0, expected at most 1"),
        ({"query": "tls_version", "equals": "TLSv1.3"}, None),
        ({"query": "certificate", "min": 14}, None),
        ({"query": "certificate", "field": "issuer", "contains": "Other"}, "to contain"),
        ({"query": "location", "contains": "login"}, 'is https://shop.example/next, expected to contain "login"'),
        ({"query": "jsonpath", "path": "$", "json_schema": {"type": "object", "required": ["version"]}}, None),
        (
            {"query": "jsonpath", "path": "$", "json_schema": {"properties": {"version": {"type": "number"}}}},
            'expected to be valid against the schema, but $.version violates type: "number"',
        ),
    ],
)
def test_a_failed_assertion_shows_the_value_beside_the_condition(
    assertion: dict[str, Any], problem: str | None
) -> None:
    found = Assertion.model_validate(assertion).problem_in(response(tls=TLS), Redactor())

    if problem is None:
        assert found is None
    else:
        assert found is not None
        assert found.endswith(problem) if "is " in problem[:3] or "expected" in problem[:8] else problem in found


def test_a_query_that_cannot_be_evaluated_does_not_pass() -> None:
    def problem(whole: Response, **assertion: Any) -> str | None:
        return Assertion.model_validate(assertion).problem_in(whole, Redactor())

    json_wanted = {"query": "jsonpath", "path": "$.a", "exists": False}
    assert problem(response(b"<html>"), **json_wanted) == (
        "expected JSON, but response body (6 bytes) is not valid JSON"
    )
    assert problem(response(b"[" * 90_000 + b"]" * 90_000), **json_wanted) is not None
    nested = b'{"a":' * 400 + b"1" + b"}" * 400
    assert "nested too deeply" in (problem(response(nested), query="jsonpath", path="$..b", exists=False) or "")
    assert problem(response(), query="tls_version", equals="TLSv1.3") == "is missing"
    assert problem(response(), query="certificate", min=1) == "is missing"
    unexamined = response(tls=Tls("TLSv1.3"))
    assert problem(unexamined, query="certificate", exists=False) == "is unknown, since verify_tls is false"
    # A pattern for which other engines need longer than the universe is old.
    slow = problem(response(b"a" * 5000 + b"!"), query="regex", pattern="(.*a){25}$", exists=False)
    assert slow is None
    assert problem(response(b""), query="body", exists=False) is None
    assert problem(response(b""), query="body", empty=True) is None


@pytest.mark.parametrize(
    ("assertion", "message"),
    [
        ({"query": "state", "equals": 1}, "a.query: is not one of the allowed values (status, header"),
        ({"query": 1, "equals": 1}, "a.query: must be one of the allowed values (status, header"),
        ({"equals": 1}, "a.query: is required"),
        (5, "a: must be an object, not number"),
        ({"query": "header", "nmae": "a", "equals": 1}, "a.nmae: unknown field; did you mean 'name'?"),
        (
            {"query": "status"},
            "requires at least one of equals, not_equals, contains, matches, exists, min, max, in, range",
        ),
        ({"query": "header", "equals": "a"}, 'a.name: is required by query "header"'),
        ({"query": "jsonpath", "exists": True}, 'a.path: is required by query "jsonpath"'),
        ({"query": "regex", "exists": True}, 'a.pattern: is required by query "regex"'),
        ({"query": "regex", "pattern": "(", "exists": True}, "is not a valid regular expression"),
        ({"query": "jsonpath", "path": "$[", "exists": True}, "is not a valid JSONPath"),
        ({"query": "status", "phase": "tls", "equals": 1}, 'a.phase: not supported by query "status"'),
        ({"query": "duration", "name": "a", "max": 1}, 'a.name: not supported by query "duration"'),
        ({"query": "status", "in": []}, "at least 1 item"),
        ({"query": "body", "json_schema": {"type": "nonsense"}}, "is not a valid JSON Schema"),
        ({"query": "body", "json_schema": {"$ref": "http://x/y"}}, "only references within the schema"),
        ({"query": "body", "not": {}}, "requires at least one of"),
        ({"query": "body", "in": None}, "in must not be null"),
    ],
)
def test_mistakes(assertion: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Assertion.model_validate(assertion)
    assert message in "".join(error_lines(caught.value, "a", Assertion))


@pytest.mark.parametrize(
    ("lines", "query", "values"),
    [
        (['a[b]={"x": 1}; Path=/'], {"name": "a[b]"}, ['{"x": 1}']),
        (["sid=a b; httponly ; SECURE; Partitioned"], {"name": "sid"}, ["a b"]),
        (["sid=a; httponly ; SECURE; Partitioned"], {"name": "sid", "attribute": "httponly"}, [True]),
        (["sid=a; httponly ; SECURE; Partitioned"], {"name": "sid", "attribute": "partitioned"}, [True]),
        (['sid="a=b"'], {"name": "sid"}, ["a=b"]),
        (["sid="], {"name": "sid"}, [""]),
        (["sid"], {"name": "sid"}, []),
        (["SID=a"], {"name": "sid"}, []),
        (["sid=a; Path=/", "sid=b; Path=/"], {"name": "sid"}, ["b"]),
        (["sid=a; Path=/", "sid=b; Path=/x"], {"name": "sid"}, ["a", "b"]),
        (["sid=a; Max-Age=1; max-age=2"], {"name": "sid", "attribute": "max-age"}, ["2"]),
        (["sid=a; Path="], {"name": "sid", "attribute": "path"}, []),
    ],
)
def test_cookies_are_read_as_browsers_do(lines: list[str], query: dict[str, Any], values: list[Any]) -> None:
    headers = HTTPHeaderDict()
    for line in lines:
        headers.add("Set-Cookie", line)
    assert list(Query.model_validate({"query": "cookie", **query}).find(response(headers=headers)).values) == values


@pytest.mark.parametrize(
    ("location", "resolved"),
    [
        ("https://x.example/", "https://x.example/"),
        ("//x.example:8080/y", "https://x.example:8080/y"),
        ("/new#top", "https://shop.example/new#top"),
        ("next", "https://shop.example/next"),
        ("?page=2", "https://shop.example/a?page=2"),
        ("../x y", "https://shop.example/x%20y"),
        ("/\u00e9", "https://shop.example/%C3%A9"),
    ],
)
def test_a_location_is_resolved_against_the_request(location: str, resolved: str) -> None:
    whole = response(headers=HTTPHeaderDict({"Location": location}))
    assert Query.model_validate({"query": "location"}).find(whole).values == [resolved]


@pytest.mark.parametrize("condition", [{"exists": False}, {"not": {"contains": "x"}}])
def test_a_location_that_is_no_url_does_not_pass(condition: dict[str, Any]) -> None:
    whole = response(headers=HTTPHeaderDict({"Location": "mailto:a@b"}))
    assertion = Assertion.model_validate({"query": "location", **condition})
    assert assertion.problem_in(whole, Redactor()) == "is not a valid URL"
    without = Assertion.model_validate({"query": "location", "exists": False})
    assert without.problem_in(response(headers=HTTPHeaderDict()), Redactor()) is None


def test_bytes_of_a_body_are_those_that_arrived_and_are_not_shown() -> None:
    content = b"\xff\xfe\x00"
    for query in (
        {"query": "body", "filters": ["to_hex"]},
        {"query": "bytes", "filters": ["to_hex"]},
        {"query": "hex"},
    ):
        assert Query.model_validate(query).find(response(content)).values == ["fffe00"]
        problem = Assertion.model_validate({**query, "equals": "00"}).problem_in(response(content), Redactor())
        assert problem in {'is ***, expected "00"', 'is 3 bytes, expected "00"'}
    decoded = {"query": "body", "filters": [{"charset_decode": "latin-1"}]}
    assert Query.model_validate(decoded).find(response(content)).values == ["\u00ff\u00fe\x00"]


def test_a_response_that_is_not_of_http_has_no_version() -> None:
    assert Query.model_validate({"query": "http_version"}).find(response(http_version="")).values == []


def test_redirects_and_the_version_are_those_of_the_server(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        path = peer.request().split()[1]
        if path == b"/c":
            peer.send(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
        else:
            peer.send(
                b"HTTP/1.1 302 Found\r\nLocation: "
                + {b"/a": b"b", b"/b": b"/c"}[path]
                + b"\r\nContent-Length: 0\r\n\r\n"
            )

    server = serve(script)
    asserts = [
        {"query": "redirects", "equals": 2},
        {"query": "redirect", "index": 0, "equals": f"{server.url}/b"},
        {"query": "redirect", "index": 1, "equals": f"{server.url}/c"},
        {"query": "redirect", "index": 1, "part": "status", "equals": 302},
        {"query": "redirect", "index": 2, "exists": False},
        {"query": "url", "equals": f"{server.url}/c"},
        {"query": "http_version", "equals": "1.0"},
        {"query": "status", "not": {"equals": 500}},
    ]
    followed = ask(server.url, path="/a", follow_redirects=True, expect={"asserts": asserts})
    assert followed.status is Status.PASS, followed.reason
    location = {"query": "location", "equals": f"{server.url}/b"}
    assert ask(server.url, path="/a", expect={"status": 302, "asserts": [location]}).status is Status.PASS
    misfit = ask(server.url, path="/c", expect={"asserts": [{"query": "status", "not": {"matches": "5.."}}]})
    assert misfit.reason.endswith("status is 200, expected a string, which the conditions of `not` require")


@pytest.mark.parametrize(
    ("query", "label"),
    [
        ({"query": "status"}, "status"),
        ({"query": "header", "name": "A"}, "header A"),
        ({"query": "cookie", "name": "A", "attribute": "path"}, "cookie A path"),
        ({"query": "cookie", "name": "A"}, "cookie A"),
        ({"query": "duration", "phase": "tls"}, "duration tls"),
        ({"query": "redirect", "index": -1}, "redirect -1 location"),
        ({"query": "certificate"}, "certificate expires_in_days"),
    ],
)
def test_labels(query: dict[str, Any], label: str) -> None:
    assert Query.model_validate(query).label == label


@given(st.binary(max_size=60), st.sampled_from(["body", "bytes", "sha256", "jsonpath", "regex"]))
def test_every_body_can_be_queried(content: bytes, query: str) -> None:
    needed = {"jsonpath": {"path": "$.a"}, "regex": {"pattern": "a"}}.get(query, {})
    assertion = Assertion.model_validate({"query": query, **needed, "exists": True})

    assert isinstance(assertion.problem_in(response(content), Redactor()), str | None)


def test_an_assertion_is_constructed_like_any_model() -> None:
    made = Assertion(query="jsonpath", path="$.items", filters=("count",), min=1)

    assert made == Assertion.model_validate({"query": "jsonpath", "path": "$.items", "filters": ["count"], "min": 1})
    with pytest.raises(ValidationError, match="not supported by query"):
        Assertion(query="status", path="$")


@pytest.mark.parametrize(
    "fields",
    [
        {"query": "status", "not_equals": "500"},
        {"query": "status", "not": {"in": [404, "5xx"]}},
        {"query": "bytes", "not": {"equals": None}},
        {"query": "duration", "not_equals": "5"},
        {"query": "redirects", "not_equals": "0"},
        {"query": "redirect", "index": 0, "part": "status", "not_equals": "302"},
        {"query": "certificate", "not_equals": "0"},
        {"query": "jsonpath", "path": "$.items[*]", "filters": ["count"], "not_equals": "0"},
        {"query": "jsonpath", "path": "$.a", "filters": ["to_int"], "not_equals": "0"},
        {"query": "header", "name": "Expires", "filters": ["to_date", "days_after_now"], "not_equals": "0"},
    ],
)
def test_a_number_is_compared_with_numbers(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="is a number, so it cannot be compared with "):
        Assertion(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"query": "status", "equals": "{{status}}"},
        {"query": "status", "equals": 200.0},
        {"query": "status", "filters": ["to_string"], "not_equals": "500"},
        {"query": "redirect", "index": 0, "not_equals": "/"},
        {"query": "certificate", "field": "subject", "not_equals": "a"},
    ],
)
def test_other_values_are_compared_with_any(fields: dict[str, Any]) -> None:
    assert Assertion(**fields).query == fields["query"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"path": "count(//p)", "not_equals": "2"}, "is 2, expected anything else; the value is a number, so write 2"),
        ({"path": "count(//p)", "not": {"in": ["1", "2"]}}, "expected another type of value"),
        ({"path": "boolean(//p)", "not": {"equals": "true"}}, "expected another type of value"),
        ({"path": "count(//p)", "not_equals": "3"}, None),
        ({"path": "string(//p)", "not_equals": "2"}, None),
    ],
)
def test_a_value_that_a_function_returns_is_not_different_from_its_text(
    fields: dict[str, Any], problem: str | None
) -> None:
    found = Assertion(query="xpath", **fields).problem_in(response(b"<p>a<p>b"), Redactor())
    assert found == problem or (problem is not None and problem in (found or ""))
