from __future__ import annotations

import base64
import os
import re
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import ecs_hooks
from ecs_hooks.checks import HttpCheck, ScenarioCheck
from ecs_hooks.core.outcome import Outcome, Status
from ecs_hooks.deployment.endpoint import Endpoint, EndpointError
from ecs_hooks.http.guard import VARIABLE
from ecs_hooks.plan.model import Plan, PlanError
from ecs_hooks.plan.schema import plan_schema
from tests.checks.asking import ask, context
from tests.http.fixtures import Serve
from tests.http.servers import Peer, replying
from tests.support.conditions import header, host, methods, query
from tests.support.targets import behind

RULE = [host("shop.example.com"), header("X-Environment", "test"), query(("version", "2"))]


def mirror(peer: Peer) -> None:
    peer.answer(peer.request())


def routed(serve: Serve, base: str = "", headers: dict[str, str] | None = None, **fields: Any) -> str:
    """Return the request that a check sends to an endpoint which needs a header and a parameter."""
    requests: list[bytes] = []

    def script(peer: Peer) -> None:
        requests.append(peer.request())
        peer.answer()

    server = serve(script)
    green = behind(f"{server.url}{base}", *RULE, host="shop.example.com")
    if "url" in fields:
        fields["url"] = server.url + fields["url"]
    assert ask(green, headers=headers or {}, **fields).status is Status.PASS
    return requests[0].decode()


def test_a_response_passes_and_the_evidence_has_the_numbers(serve: Serve) -> None:
    server = serve(replying(b"hello"))
    outcome = ask(server.url, path="/health")
    assert outcome.status is Status.PASS
    assert "latency_ms_limit" not in outcome.evidence
    assert ask(server.url, expect={"max_latency_ms": 9000}).evidence["latency_ms_limit"] == 9000
    assert outcome.reason.startswith(f"GET {server.url}/health status 200 in ")
    assert outcome.evidence["latency_ms"] is not None
    assert {**outcome.evidence, "latency_ms": 0} == {
        "status": 200,
        "latency_ms": 0,
        "body_bytes": 5,
        "attempts": 1,
        "redirects": 0,
    }


def test_a_failure_names_the_request_and_the_status(serve: Serve) -> None:
    server = serve(replying(status="500 Internal Server Error"))
    outcome = ask(server.url, method="POST", path="/process")
    assert outcome.reason == f"POST {server.url}/process status 500, expected 2xx"
    assert outcome.status is Status.FAIL
    assert outcome.evidence["status"] == 500


def sent(serve: Serve, **fields: Any) -> str:
    received: list[bytes] = []

    def script(peer: Peer) -> None:
        received.append(peer.request())
        peer.answer()

    assert ask(f"{serve(script).url}/base/", **fields).status is Status.PASS
    return received[0].decode("latin-1")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "GET /base/ HTTP/1.1\r\n"),
        ({"path": None, "url": None, "form": None}, "GET /base/ HTTP/1.1\r\n"),
        ({"path": "/x", "query": {"a": [1, True], "b": "ü"}}, "GET /base/x?a=1&a=true&b=%C3%BC HTTP/1.1\r\n"),
        ({"method": "DELETE", "headers": {"X-Y": "z"}}, "X-Y: z\r\n"),
        ({"method": "PUT", "body": "ü"}, "Content-Type: text/plain; charset=utf-8\r\n\r\nÃ¼"),
        ({"body_base64": base64.b64encode(b"\x00\xff").decode()}, "\r\n\r\n\x00\xff"),
        ({"json": {"a": [None]}}, 'Content-Type: application/json\r\n\r\n{"a":[null]}'),
        ({"json": None}, "\r\n\r\nnull"),
        ({"body": ""}, "Content-Length: 0\r\n"),
        ({"form": {"a": "b c", "d": [1, 2]}}, "x-www-form-urlencoded\r\n\r\na=b+c&d=1&d=2"),
        ({"body": "<a/>", "headers": {"content-type": "text/xml"}}, "content-type: text/xml\r\n\r\n<a/>"),
        (
            {"multipart": {"f": {"filename": "a", "content_base64": "AP8="}}},
            'filename="a"\r\nContent-Type: application/octet-stream\r\n\r\n\x00\xff\r\n',
        ),
        ({"multipart": {"f": {"content": "text"}}}, 'form-data; name="f"\r\n\r\ntext\r\n'),
    ],
)
def test_the_request_has_the_fields_of_the_plan(serve: Serve, fields: dict[str, Any], expected: str) -> None:
    assert expected in sent(serve, **fields)


def test_the_upload_of_the_news_blog_sample(serve: Serve) -> None:
    """The plan in the design, byte by byte."""
    text = sent(
        serve,
        method="POST",
        path="/process",
        multipart={
            "file": {"filename": "test.txt", "content": "hello", "content_type": "text/plain"},
            "description": "validation",
        },
    )
    head, _, body = text.partition("\r\n\r\n")
    boundary = head.split("boundary=")[1].split("\r\n")[0]
    assert body == (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="test.txt"\r\n'
        "Content-Type: text/plain\r\n\r\nhello\r\n"
        f'--{boundary}\r\nContent-Disposition: form-data; name="description"\r\n\r\nvalidation\r\n--{boundary}--\r\n'
    )


def test_an_absolute_url_needs_no_base(serve: Serve) -> None:
    server = serve(mirror)
    assert ask(None, url=f"{server.url}/x").status is Status.PASS


def test_without_an_address_of_green_the_reason_says_so() -> None:
    with pytest.raises(EndpointError, match="nobody knows where green is"):
        ask(None, path="/x")


def test_the_request_has_what_the_listener_rule_requires(serve: Serve) -> None:
    request = routed(serve, "/test", path="/x", query={"a": "b"})

    assert request.startswith("GET /test/x?version=2&a=b HTTP/1.1")
    assert "Host: shop.example.com\r\n" in request
    assert "X-Environment: test\r\n" in request


def test_the_plan_may_repeat_what_the_listener_rule_requires(serve: Serve) -> None:
    request = routed(serve, query={"version": [2, 3]}, headers={"x-environment": "TEST"})

    assert request.startswith("GET /?version=2&version=3 HTTP/1.1")
    assert "x-environment: TEST\r\n" in request
    assert "X-Environment" not in request


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        (
            {"headers": {"x-environment": "production"}},
            "the listener rule requires another value of header X-Environment than the request has",
        ),
        ({"headers": {"host": "www.example.com"}}, "the listener rule requires host-header shop.example.com"),
        (
            {"query": {"version": 1}},
            "the listener rule requires another value of query parameter version than the request has",
        ),
        (
            {"query": {"version": ["1", "3"]}},
            "the listener rule requires another value of query parameter version than the request has",
        ),
    ],
)
def test_a_request_that_does_not_match_the_listener_rule_is_not_sent(
    serve: Serve, fields: dict[str, Any], named: str
) -> None:
    outcome = ask(behind("http://a", *RULE, host="shop.example.com"), **fields)
    assert outcome.status is Status.FAIL
    assert named in outcome.reason


def test_the_default_host_can_be_overridden(serve: Serve) -> None:
    requests: list[bytes] = []

    def script(peer: Peer) -> None:
        requests.append(peer.request())
        peer.answer()

    green = Endpoint(serve(script).url, host="shop.example.com")
    assert ask(green).status is Status.PASS
    green = Endpoint(serve(script).url, host="shop.example.com")
    assert ask(green, headers={"host": "other.example.com"}).status is Status.PASS
    assert [re.findall(rb"(?i)\nhost: (\S+)", each) for each in requests] == [
        [b"shop.example.com"],
        [b"other.example.com"],
    ]


def test_without_a_connection_the_reason_has_the_advice(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    green = Endpoint(f"http://127.0.0.1:{port}", advice="mend it so")
    assert ask(green, connect_retries=0).reason.endswith("; mend it so")
    server = serve(replying(b"", status="500 No"))
    assert "mend it so" not in ask(Endpoint(server.url, advice="mend it so")).reason


def test_a_url_needs_no_listener() -> None:
    with pytest.raises(ValidationError, match="has both url and listener; remove one of them"):
        ask(None, url="http://a", listener="production")


def test_a_url_gets_nothing_of_the_listener_rule(serve: Serve) -> None:
    request = routed(serve, url="/x")

    assert request.startswith("GET /x HTTP/1.1")
    assert "X-Environment" not in request


def test_a_secret_header_of_the_listener_rule_is_masked(serve: Serve) -> None:
    green = behind(serve(mirror).url, header("X-Api-Key", "hunter2hunter2"))
    outcome = ask(green, expect={"headers": {"X-Api-Key": "x"}, "status": 200, "body": {"equals": "hunter2hunter2"}})

    assert outcome.status is Status.FAIL
    assert "hunter2" not in outcome.reason


def test_a_method_that_the_listener_rule_excludes_is_a_failure(serve: Serve) -> None:
    outcome = ask(behind("http://a", methods("GET", "HEAD")), method="POST")

    assert outcome == Outcome.failed(
        "the listener rule accepts only GET, HEAD, not POST; change the method of the check, or the rule"
    )


def test_credentials_of_the_address_are_sent_and_not_shown(serve: Serve) -> None:
    server = serve(mirror)
    outcome = ask(server.url.replace("//", "//user:passw0rd@"), expect={"status": 201, "body": {"contains": "Basic "}})
    assert outcome.reason == f"GET {server.url}/ status 200, expected 201"


@pytest.mark.parametrize(
    ("fields", "where", "problem"),
    [
        ({"path": "x"}, "path", "must begin with /; for an absolute URL, use url"),
        ({"path": "http://a/"}, "path", "must begin with /"),
        ({"path": "/a\r\nb"}, "path", "control characters"),
        ({"url": "/x"}, "url", "must begin with http:// or https://"),
        ({"url": "http://a\n/"}, "url", "control characters"),
        ({"path": "/", "url": "http://a"}, "", "has both path and url"),
        ({"method": "get"}, "method", "'GET'"),
        ({"headers": {"a": "b\nc"}}, "headers", "line breaks"),
        ({"headers": {"a": 1}}, "headers.a", "must be a string, or a reference such as"),
        ({"query": {"a": {"b": 1}}}, "query", "'a' must be text, a number"),
        ({"query": {"a": [None]}}, "query", "'a' must be text, a number"),
        ({"form": 1}, "form", "valid dictionary"),
        ({"body": "a", "json": None}, "", "at most one of body, body_base64, json, form, multipart"),
        ({"body_base64": "a"}, "body_base64", "not valid Base64"),
        ({"body_base64": "ü"}, "body_base64", "not valid Base64"),
        ({"multipart": {"a": {}}}, "multipart.a", "exactly one of content and content_base64"),
        ({"multipart": {"a": {"content": "a", "content_base64": "YQ=="}}}, "multipart.a", "exactly one of content"),
        ({"multipart": {"a": {"content_base64": "YQ=="}}}, "multipart.a", "requires a filename"),
        ({"multipart": {"a": {"content": "a", "content_type": "b"}}}, "multipart.a", "requires a filename"),
        (
            {"multipart": {"a": {"filename": "a", "content": "a", "content_type": "b\r\nc"}}},
            "multipart.a.content_type",
            "pattern",
        ),
        ({"multipart": {"a": 1}}, "multipart.a", "valid dictionary"),
        ({"timeout_seconds": 0}, "timeout_seconds", "greater than 0"),
        ({"timeout_seconds": 901}, "timeout_seconds", "less than or equal to 900"),
        ({"max_body_bytes": 10_485_761}, "max_body_bytes", "less than or equal"),
        ({"connect_retries": -1}, "connect_retries", "greater than or equal to 0"),
        ({"until": {}}, "until.timeout_seconds", "required"),
        ({"until": {"timeout_seconds": 1, "interval_seconds": 0}}, "until.interval_seconds", "greater than or equal"),
        ({"expect": {"stats": 200}}, "expect.stats", "not permitted"),
        ({"expect": {"headers": {"a": {"matches": "("}}}}, "expect.headers.a.matches", "regular expression"),
        ({"expect": {"json": {"$.a": {"equls": 1}}}}, "expect.json.$.a.equls", "not permitted"),
        ({"expect": {"json": {"a": 1}}}, "expect.json", "'a' is not a valid JSONPath"),
        ({"expect": {"body": "text"}}, "expect.body", "valid tuple"),
        ({"expect": {"max_latency_ms": 0}}, "expect.max_latency_ms", "greater than 0"),
    ],
)
def test_an_invalid_value_is_refused_at_its_field(fields: dict[str, Any], where: str, problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        HttpCheck.model_validate(fields)
    (error,) = caught.value.errors()
    assert ".".join(map(str, error["loc"])) == where
    assert problem in error["msg"]


def test_a_plan_names_the_nearest_field() -> None:
    with pytest.raises(PlanError) as caught:
        Plan.parse({"checks": [{"type": "http", "expect": {"json": {"$.a": {"equls": 1}}}, "pth": "/"}]})
    assert set(caught.value.problems) == {
        "hookDetails.checks[0].expect.json.$.a.equls: unknown field; did you mean 'equals'?",
        "hookDetails.checks[0].pth: unknown field; did you mean 'path'?",
    }


def test_the_schema_knows_literals_and_predicates() -> None:
    schema = plan_schema()["$defs"]
    assert {"$ref": "#/$defs/Predicate"} in schema["Expect"]["properties"]["json"]["additionalProperties"]["anyOf"]
    assert "json" in schema["HttpCheck"]["properties"]


def test_fields_can_be_given_by_their_names_in_a_plan() -> None:
    check = HttpCheck(path="/x", json={"a": 1}, expect={"json": {"$.a": 1}})
    assert HttpCheck.model_validate(check.model_dump(by_alias=True, exclude_unset=True)) == check


# Failures without a response


def refused() -> str:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_failed_connection_is_an_error_after_all_attempts() -> None:
    outcome = ask(refused(), connect_retries=1)
    assert outcome.status is Status.ERROR
    assert outcome.reason.endswith("(after 2 attempts)")


def test_a_name_that_cannot_be_resolved_is_an_error() -> None:
    # A label of 64 characters is refused without asking any DNS server.
    assert ask(f"http://{'a' * 64}.invalid", connect_retries=0).status is Status.ERROR


def test_a_read_timeout_is_a_failure(serve: Serve) -> None:
    outcome = ask(serve(Peer.hang).url, timeout_seconds=0.2)
    assert outcome.status is Status.FAIL
    assert outcome.reason.endswith("no complete response header within 0.2 s (timeout_seconds)")


def test_the_end_of_the_invocation_is_a_wait(serve: Serve) -> None:
    outcome = ask(serve(Peer.hang).url, seconds=0.2)
    assert outcome.status is Status.WAIT
    assert outcome.reason.endswith("no complete response header when the time of this invocation was over")


def test_a_forbidden_address_names_the_variable_that_allows_it(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE)
    outcome = ask(serve(mirror).url, until={"timeout_seconds": 60})
    assert outcome.status is Status.FAIL
    assert "is a loopback address; if that is meant, add 127.0.0.1 to ECS_HOOKS_ALLOWED_HOSTS" in outcome.reason


def test_a_body_that_is_too_large_names_the_field(serve: Serve) -> None:
    outcome = ask(serve(replying(b"xx")).url, max_body_bytes=1)
    assert outcome.status is Status.FAIL
    assert outcome.reason.endswith("response body is larger than max_body_bytes (1)")


def test_redirects_are_followed_only_if_the_plan_says_so(serve: Serve) -> None:
    def script(peer: Peer) -> None:
        if peer.request().startswith(b"GET /b"):
            peer.answer()
        else:
            peer.answer(b"", "Location: http://u:p@127.0.0.1/b?token=t", status="301 Moved Permanently")

    server = serve(script)
    unfollowed = ask(server.url, path="/a")
    assert unfollowed.reason.endswith("status 301 (redirects to http://127.0.0.1/b), expected 2xx")
    assert ask(server.url, path="/a", expect={"status": 301}).status is Status.PASS

    def relative(peer: Peer) -> None:
        server.script = script
        peer.request()
        peer.answer(b"", "Location: /b", status="301 Moved Permanently")

    server.script = relative
    followed = ask(server.url, path="/a", follow_redirects=True)
    assert followed.status is Status.PASS
    assert followed.evidence["redirects"] == 1


# Polling


UNTIL = {"timeout_seconds": 60, "interval_seconds": 10}


@pytest.mark.parametrize(
    ("elapsed", "status", "retry_after"),
    [
        (0, Status.WAIT, 10),
        (45, Status.WAIT, 10),
        (55, Status.WAIT, 5),
        (59.9, Status.WAIT, 1),
        (60, Status.FAIL, None),
    ],
)
def test_a_check_that_polls_waits_until_its_time_is_over(
    serve: Serve, elapsed: float, status: Status, retry_after: float | None
) -> None:
    outcome = ask(serve(replying(status="503 X")).url, elapsed=elapsed, until=UNTIL)
    assert outcome.status is status
    assert outcome.retry_after == (None if retry_after is None else pytest.approx(retry_after))
    assert outcome.reason.endswith("expected 2xx" + (" (still so after 60 s)" if status is Status.FAIL else ""))


@pytest.mark.parametrize(("elapsed", "status"), [(0, Status.WAIT), (60, Status.FAIL)])
def test_a_failed_connection_is_polled_too(elapsed: float, status: Status) -> None:
    assert ask(refused(), elapsed=elapsed, until=UNTIL, connect_retries=0).status is status


def test_a_check_that_polls_passes_at_once(serve: Serve) -> None:
    assert ask(serve(replying()).url, until=UNTIL).status is Status.PASS


def test_the_end_of_the_invocation_does_not_end_polling(serve: Serve) -> None:
    assert ask(serve(Peer.hang).url, seconds=0.2, elapsed=100, until=UNTIL).status is Status.WAIT


def test_an_http_only_hook_loads_nothing_else() -> None:
    program = (
        "import sys, ecs_hooks.checks.http as http;"
        "http.HttpCheck(path='/x', expect={'status': 200});"
        "print([m for m in sys.modules if m.split('.')[0] in {'boto3', 'jsonpath', 'jsonschema', 're2', 'regex'}])"
    )
    source = str(Path(ecs_hooks.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": source}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"


def test_a_check_needs_only_its_context(serve: Serve) -> None:
    assert HttpCheck(path="/").run(context(serve(replying()).url)).status is Status.PASS


def test_an_assertion_may_only_warn(serve: Serve) -> None:
    asserts = [{"query": "status", "equals": 404, "warn": True}, {"query": "status", "max": 299}]
    outcome = ask(serve(replying(b"hello")).url, expect={"asserts": asserts})

    assert outcome.status is Status.PASS
    assert outcome.reason.endswith("; warning: status is 200, expected 404")
    assert outcome.evidence["warnings"] == 1


@pytest.mark.parametrize("base", ["http://127.0.0.1:9/base", "http://127.0.0.1/base"])
def test_a_request_can_go_to_another_port_of_the_address(serve: Serve, base: str) -> None:
    server = serve(mirror)
    outcome = ask(
        base, path="/x", port=server.port, expect={"asserts": [{"query": "body", "contains": "GET /base/x "}]}
    )
    assert outcome.status is Status.PASS, outcome.reason


def test_another_port_of_an_ipv6_address_and_of_one_with_a_user(serve: Serve) -> None:
    server = serve(mirror, host="::1")
    assert ask("http://u:p@[::1]/", path="/x", port=server.port).status is Status.PASS


def test_another_port_of_a_load_balancer_may_be_blue() -> None:
    green = Endpoint("http://lb.example:8080", protocol="HTTP")
    check = HttpCheck(port=9)

    outcome = check.run(context(green))

    assert outcome.status is Status.FAIL
    assert (
        outcome.reason == "port 9 belongs to another listener of the load balancer, which may forward to blue: set url"
    )
    assert check.requirements().port == 9
    assert check.requirements().address_problem(green) == outcome.reason
    assert HttpCheck(port=8080).requirements().address_problem(green) == ""
    with pytest.raises(ValidationError, match="has both url and port"):
        HttpCheck(url="http://x/", port=9)


@pytest.mark.parametrize("method", ["PROPFIND", "purge", "TRACE"])
def test_a_request_has_any_method(serve: Serve, method: str) -> None:
    assert sent(serve, method=method).startswith(f"{method} /base/ HTTP/1.1")


@pytest.mark.parametrize("method", ["get", "CONNECT", "A B"])
def test_a_method_that_is_none_is_refused(method: str) -> None:
    with pytest.raises(ValidationError, match="Value error, must be one of GET, HEAD"):
        HttpCheck(method=method)


def test_a_multipart_body_repeats_names(serve: Serve) -> None:
    file = {"filename": "a.txt", "content": "one"}
    body = routed(serve, method="POST", multipart={"files": [file, {**file, "content": "two"}, "three"], "x": "y"})
    assert re.findall(r'name="(\w+)"', body) == ["files", "files", "files", "x"]
    assert re.findall(r"\r\n\r\n(\w+)\r\n--", body) == ["one", "two", "three", "y"]


@pytest.mark.parametrize(
    ("multipart", "problems"),
    [
        ({"a": 5}, ["multipart.a: must be an object, not number"]),
        ({"a": ["x", 5, {"filename": "b"}]}, ["multipart.a[1]: must be an object, not number", "multipart.a[2]: requires"]),
    ],
)  # fmt: skip
def test_a_wrong_part_is_refused_with_its_place(multipart: Any, problems: list[str]) -> None:
    with pytest.raises(PlanError) as error:
        Plan.parse({"checks": [{"type": "http", "multipart": multipart}]})
    assert len(error.value.problems) == len(problems)
    for found, expected in zip(error.value.problems, problems, strict=True):
        assert found.startswith(f"hookDetails.checks[0].{expected}")


@pytest.mark.parametrize(
    ("raw", "read"), [("grün".encode(), "grün"), ("grün".encode("latin-1"), "grün"), ("€ 5".encode(), "€ 5")]
)
def test_header_values_in_utf8_are_read_as_utf8(serve: Serve, raw: bytes, read: str) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Name: " + raw + b"\r\n\r\n")

    outcome = ask(serve(script).url, expect={"headers": {"X-Name": read}})
    assert outcome.status is Status.PASS, outcome.reason


@pytest.mark.parametrize(
    ("expect", "named"),
    [
        ({"status": ["2xx", "3xx"]}, True),
        ({"status": "200-399"}, True),
        ({"status": 302}, False),
        ({"status": [301, 302]}, False),
        ({"status": "3xx"}, False),
        ({"asserts": [{"query": "status", "equals": 302}]}, False),
        ({"status": "200-399", "asserts": [{"query": "location", "matches": "/login$"}]}, False),
        ({"status": "200-399", "asserts": [{"query": "header", "name": "location", "exists": True}]}, False),
        ({"status": "200-399", "headers": {"LOCATION": "/login"}}, False),
    ],
)
def test_a_redirect_that_is_neither_followed_nor_expected_is_named(
    serve: Serve, expect: dict[str, Any], named: bool
) -> None:
    server = serve(replying(b"", "Location: /login", status="302 Found"))
    found = ask(server.url, expect=expect)
    assert found.status is Status.PASS
    text = " status 302 to /login, not followed, in " if named else " status 302 in "
    assert text in found.reason
    scenario = ScenarioCheck.model_validate({"requests": [{"expect": expect}], "budget_seconds": 5})
    reason = scenario.run(context(server.url)).reason
    assert reason.endswith("; not followed: request 1 status 302 to /login") is named


def test_redirects_of_samples_are_named(serve: Serve) -> None:
    server = serve(replying(b"", "Location: /login?token=abcdef", status="302 Found"))
    found = ask(server.url, expect={"status": "200-399"}, samples={"count": 5})
    assert found.status is Status.PASS
    assert "; status 302 to /login (5 of 5), not followed" in found.reason
