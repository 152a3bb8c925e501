"""Bodies that are JSON, nearly JSON, or JSON that Python's own reader cannot read, from servers on loopback."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_hooks.checks import HttpCheck, ScenarioCheck
from ecs_hooks.core.outcome import Outcome, Status
from tests.checks.asking import context
from tests.http.fixtures import Serve, _loopback_allowed, serve
from tests.http.servers import Peer, replying

__all__ = ["_loopback_allowed", "serve"]

LONG = "9" * 5000
JSON = "application/json"
OK = {"json": {"$.a": 1}}


def ask(serve: Serve, body: bytes, expect: dict[str, Any], content_type: str = JSON) -> Outcome:
    server = serve(replying(body, f"Content-Type: {content_type}"))
    return HttpCheck.model_validate({"expect": expect}).run(context(server.url))


def nested(begin: bytes, depth: int, end: bytes) -> bytes:
    return b'{"a": 1, "b": ' + begin * depth + b"0" + end * depth + b"}"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"a": 1}', JSON),
        (b'{"a": 1}', "text/plain"),
        (b'{"a": 1.0}', JSON),
        (b'{"a": 1E0, "a": 10e-1}', JSON),
        (b'{"a": 2, "a": 1}', JSON),
        (f'{{"a": 1, "b": {LONG}}}'.encode(), JSON),
        (f'{{"b": [-{LONG}, 1e400, -1e9999], "a": 1}}'.encode(), JSON),
        (b'{"a": 1, "b": "\\ud800"}', JSON),
        (b'{"a": 1, "\\udc00": "\\ud800\\ud800"}', JSON),
        (nested(b"[", 498, b"]"), JSON),
        (nested(b'{"c":', 498, b"}"), JSON),
        ('{"a": 1, "b": "\xe9"}'.encode("latin-1"), "application/json; charset=iso-8859-1"),
        ('{"a": 1, "b": "\xe9"}'.encode("latin-1"), 'application/json; charset="ISO-8859-1"'),
        ('{"a": 1}'.encode("utf-16"), "application/json; charset=utf-16"),
        ('{"a": 1}'.encode("utf-16-le"), "application/json; charset=UTF-16LE"),
        ('{"a": 1, "b": "\xe9"}'.encode(), "application/json; charset=unknown"),
    ],
)  # fmt: skip
def test_json_is_read(serve: Serve, body: bytes, content_type: str) -> None:
    outcome = ask(serve, body, OK, content_type)
    assert outcome.status is Status.PASS, outcome
    assert "warning" not in outcome.reason


@pytest.mark.parametrize(
    ("body", "content_type", "problem"),
    [
        (b'{"a": 1, "b": NaN}', JSON, "is not valid JSON: NaN is not a number of JSON"),
        (b'{"a": 1, "b": -Infinity}', JSON, "is not valid JSON: -Infinity is not a number of JSON"),
        (
            '{"a": 1}'.encode("utf-16"),
            JSON,
            "is not valid JSON: it is UTF-16 or UTF-32, without a charset that says so",
        ),
        ('{"a": 1}'.encode("utf-16-be"), JSON, "is not valid JSON: it is UTF-16 or UTF-32"),
        ('{"a": 1, "b": "\xe9"}'.encode("latin-1"), JSON, "is not valid JSON: its text is not UTF-8"),
        (b'{"a": 1}', "application/json; charset=utf-16le", "is not valid JSON"),
        (nested(b"[", 100_000, b"]"), JSON, "is nested too deeply"),
        (nested(b'{"c":', 501, b"}"), JSON, "is nested too deeply"),
        (b'{"a": 1, "b": 1e99999999999999999999}', JSON, "has a number whose exponent is too large"),
        (b'{"a": 1', JSON, "is not valid JSON"),
        (b'{"a": 1}{"a": 1}', JSON, "is not valid JSON"),
        (b"", JSON, "is not valid JSON"),
    ],
)
def test_what_cannot_be_read_is_a_failure_that_names_the_response(
    serve: Serve, body: bytes, content_type: str, problem: str
) -> None:
    queried: dict[str, Any] = {"asserts": [{"query": "jsonpath", "path": "$.a", "exists": False}]}
    for expect, says in ((OK, "json expected, but "), (queried, "expected JSON, but ")):
        outcome = ask(serve, body, expect, content_type)
        assert outcome.status is Status.FAIL
        assert outcome.reason.startswith("GET http://127.0.0.1:")
        assert f"{says}response body ({len(body)} bytes) {problem}" in outcome.reason


def test_a_byte_order_mark_is_accepted_and_noted(serve: Serve) -> None:
    noted = "; warning: body begins with a byte order mark, which RFC 8259 forbids in JSON"
    queried: dict[str, Any] = {"asserts": [{"query": "jsonpath", "path": "$.a", "equals": 1}]}
    body = '\ufeff{"a": 1}'.encode()
    for expect in (OK, queried):
        outcome = ask(serve, body, expect)
        assert outcome.status is Status.PASS
        assert outcome.reason.endswith(noted)
    failed = ask(serve, body, {"json": {"$.a": 2}})
    assert (failed.status, failed.reason.endswith(noted)) == (Status.FAIL, True)
    assert "warning" not in ask(serve, body, {"status": 200}).reason


HUGE = f'{{"a": {LONG}, "text": "{LONG}"}}'.encode()


@pytest.mark.parametrize(
    "predicate",
    [
        {"type": "integer"},
        {"type": "number"},
        {"min": 0},
        {"min": 1e308},
        {"not_equals": 1},
        {"not_equals": int("9" * 4000)},
        {"json_schema": {"type": "integer", "minimum": 5}},
        {"json_schema": {"multipleOf": 9}},
        {"exists": True},
    ],
)
def test_an_integer_of_any_length_can_be_asserted(serve: Serve, predicate: dict[str, Any]) -> None:
    outcome = ask(serve, HUGE, {"json": {"$.a": predicate}})
    assert outcome.status is Status.PASS, outcome


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        ({"equals": 1}, "1"),
        ({"max": 1e308}, "at most 1.000e+308"),
        ({"type": "string"}, "type string"),
        ({"json_schema": {"multipleOf": 7}}, "to be valid against the schema, but $ violates multipleOf: 7"),
        ({"json_schema": {"type": "string"}}, 'to be valid against the schema, but $ violates type: "string"'),
    ],
)
def test_an_integer_of_any_length_is_shown_in_part(serve: Serve, predicate: dict[str, Any], expected: str) -> None:
    outcome = ask(serve, HUGE, {"json": {"$.a": predicate}})
    assert outcome.status is Status.FAIL
    assert outcome.reason.endswith(f"json $.a is {'9' * 80}..., expected {expected}")


def test_a_number_beyond_a_double_is_compared_by_its_digits(serve: Serve) -> None:
    body = b'{"a": 1e400, "b": [10e399, 1e401]}'
    assert (
        ask(serve, body, {"json": {"$.b[0]": {"equals": 10**400}, "$.a": {"not_equals": 10**401}}}).status
        is Status.PASS
    )
    assert ask(serve, body, {"json": {"$.b[1]": 10**400}}).reason.endswith(
        f"json $.b[1] is 1e401, expected 1{'0' * 79}..."
    )


@pytest.mark.parametrize(
    ("schema", "number"),
    [
        ({"multipleOf": 0.01}, "19.99"),
        ({"multipleOf": 0.1}, "0.3"),
        ({"multipleOf": 1e-9}, "1e300"),
        ({"multipleOf": 10**300}, "1e400"),
    ],
)
def test_multiples_are_decimal(serve: Serve, schema: dict[str, Any], number: str) -> None:
    body = f'{{"a": {number}}}'.encode()
    assert ask(serve, body, {"json": {"$.a": {"json_schema": schema}}}).status is Status.PASS


@pytest.mark.parametrize(
    ("schema", "number", "problem"),
    [
        ({"multipleOf": 0.01}, "19.995", "$ violates multipleOf: 0.01"),
        ({"multipleOf": 10**400}, "3", "$ violates multipleOf: 1000"),
        ({"multipleOf": 10**400}, "1.5", "$ violates multipleOf: 1000"),
        ({"multipleOf": 1e300}, "5e-324", "$ violates multipleOf: 1e+300"),
        ({"multipleOf": 3}, "1e400", "$ violates multipleOf: 3"),
        ({"multipleOf": 2}, "1" * 400 + ".5", "$: a number is too large for multipleOf"),
    ],
)
def test_what_is_no_multiple(serve: Serve, schema: dict[str, Any], number: str, problem: str) -> None:
    outcome = ask(serve, f'{{"a": {number}}}'.encode(), {"json": {"$.a": {"json_schema": schema}}})
    assert outcome.status is Status.FAIL
    assert problem in outcome.reason


def test_items_that_are_equal_in_another_notation_are_equal(serve: Serve) -> None:
    unique = {"json": {"$.a": {"json_schema": {"uniqueItems": True}}}}
    assert ask(serve, b'{"a": [1e400, 1e401, -1e400, 1]}', unique).status is Status.PASS
    assert "$ violates uniqueItems: true" in ask(serve, b'{"a": [1e400, 10.0e399]}', unique).reason


@pytest.mark.parametrize(
    "predicate",
    [
        {"matches": "b"},
        {"contains": "b"},
        {"type": "string"},
        {"length": 3},
        {"equals": "a\ud800b"},
        {"json_schema": {"pattern": "b$"}},
    ],
)
def test_half_of_a_surrogate_pair_is_a_character(serve: Serve, predicate: dict[str, Any]) -> None:
    outcome = ask(serve, b'{"a": "a\\ud800b"}', {"json": {"$.a": predicate}})
    assert outcome.status is Status.PASS, outcome


def test_half_of_a_surrogate_pair_breaks_no_reason(serve: Serve) -> None:
    outcome = ask(serve, b'{"a": "a\\ud800b"}', {"json": {"$.a": "x"}})
    assert outcome.status is Status.FAIL
    outcome.reason.encode()
    assert 'json $.a is "a b", expected "x"' in outcome.reason


# Captured values in later requests


def captured(serve: Serve, value: str, **later: Any) -> tuple[Outcome, list[bytes]]:
    requests: list[bytes] = []

    def script(peer: Peer) -> None:
        while request := peer.request():
            requests.append(request)
            peer.answer(f'{{"v": {value}}}'.encode())

    first = {"path": "/first", "captures": {"v": {"query": "jsonpath", "path": "$.v"}}}
    check = ScenarioCheck.model_validate({"requests": [first, later], "budget_seconds": 10})
    return check.run(context(serve(script).url)), requests


def test_a_captured_number_is_sent_as_it_was_read(serve: Serve) -> None:
    outcome, requests = captured(serve, LONG, path="/{{v}}", method="POST", json={"a": ["{{v}}"], "b": "x{{v}}"})
    assert outcome.status is Status.PASS, outcome
    assert requests[1].startswith(f"POST /{LONG} HTTP/1.1".encode())
    assert requests[1].endswith(f'{{"a":[{LONG}],"b":"x{LONG}"}}'.encode())


@pytest.mark.parametrize(
    ("later", "problem"),
    [
        ({"path": "/{{v}}"}, "path: address must not contain half of a surrogate pair"),
        ({"path": "/", "query": {"a": "{{v}}"}}, "query: must not contain half of a surrogate pair"),
        ({"path": "/", "query": {"{{v}}": "a"}}, "query: must not contain half of a surrogate pair"),
        ({"path": "/", "method": "POST", "body": "x{{v}}"}, "body: must not contain half of a surrogate pair"),
        ({"path": "/", "method": "POST", "form": {"a": ["{{v}}"]}}, "form: must not contain half of a surrogate pair"),
        ({"path": "/", "method": "POST", "multipart": {"a": "{{v}}"}}, "content: must not contain half of a surrogate pair"),
        ({"path": "/", "method": "POST", "multipart": {"{{v}}": "a"}}, "multipart must not contain half of a surrogate pair"),
        ({"path": "/", "headers": {"X-A": "{{v}}"}}, "header 'X-A' has a value with"),
        ({"path": "/", "auth": {"basic": {"username": "{{v}}", "password": "b"}}}, "auth.basic must not contain half of a surrogate pair"),
        ({"path": "/", "auth": {"bearer": {"token": "{{v}}"}}}, "header 'Authorization' has a value with"),
    ],
)  # fmt: skip
def test_a_captured_half_of_a_surrogate_pair_is_a_failure_of_the_request(
    serve: Serve, later: dict[str, Any], problem: str
) -> None:
    outcome, requests = captured(serve, '"a\\ud800"', **later)
    assert outcome.status is Status.FAIL
    assert outcome.reason.startswith("request 2 ")
    assert problem in outcome.reason
    assert len(requests) == 1


def test_half_of_a_surrogate_pair_can_be_sent_in_json(serve: Serve) -> None:
    outcome, requests = captured(serve, '"a\\ud800"', path="/", method="POST", json="{{v}}")
    assert outcome.status is Status.PASS, outcome
    assert requests[1].endswith(b'"a\\ud800"')
