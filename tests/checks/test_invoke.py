from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from pydantic import ValidationError

from ecs_hooks.checks import InvokeCheck
from ecs_hooks.core.outcome import ExplainedError, Outcome, Status
from ecs_hooks.core.version import __version__
from tests.checks.asking import context
from tests.support.aws import AwsApi

FUNCTION = {"type": "invoke", "function": "smoke-test"}
REPORT = "REPORT RequestId: 1\tDuration: 80.50 ms\tBilled Duration: 81 ms\tMemory Size: 128 MB"


@pytest.fixture(autouse=True)
def _once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


def run(*, seconds: float = 30, **fields: Any) -> Outcome:
    check = InvokeCheck.model_validate({**FUNCTION, **fields})
    try:
        return check.run(context("http://127.0.0.1:9", seconds=seconds))
    except ExplainedError as error:
        return error.outcome


def answers(aws: AwsApi, payload: Any, **fields: Any) -> None:
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    aws.answer("Invoke", {"StatusCode": 200, "Payload": content, **fields})


def log(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_an_expected_response_passes(aws: AwsApi) -> None:
    answers(aws, {"ok": True, "items": [1, 2]}, LogResult=log(f"hunter2\n{REPORT}\n"))
    expect = {"json": {"$.ok": True}, "asserts": [{"query": "jsonpath", "path": "$.items", "length": 2}]}
    outcome = run(expect={**expect, "max_latency_ms": 100}, payload={"a": 1}, qualifier="live")

    assert (outcome.status, outcome.reason) == (Status.PASS, "smoke-test:live responded in 80 ms")
    assert outcome.evidence == {"latency_ms": 80.5, "latency_ms_limit": 100, "payload_bytes": 29}
    (request,) = aws.asked["Invoke"]
    assert (request["Qualifier"], json.loads(request["Payload"]), request["LogType"]) == ("live", {"a": 1}, "Tail")


def test_a_function_can_detect_the_call_of_a_hook(aws: AwsApi) -> None:
    answers(aws, {})
    run()

    (request,) = aws.asked["Invoke"]
    custom = json.loads(base64.b64decode(request["ClientContext"]))["custom"]
    assert custom == {
        "ecs-hooks": __version__,
        "deployment": "arn:aws:ecs:us-west-2:123456789012:service-deployment/my-cluster/my-service/EZe5RNVLH6PPzHXINuP28",
        "stage": "POST_TEST_TRAFFIC_SHIFT",
    }


def test_the_timeout_may_be_that_of_lambda() -> None:
    assert InvokeCheck.model_validate({**FUNCTION, "timeout_seconds": 1800}).timeout_seconds == 1800
    with pytest.raises(ValidationError):
        InvokeCheck.model_validate({**FUNCTION, "timeout_seconds": 1801})
    assert "requires 1800 s, but this invocation has" in run(seconds=890, timeout_seconds=1800).reason


@pytest.mark.parametrize(
    ("expect", "reason"),
    [
        ({"json": {"$.ok": False}}, "smoke-test json $.ok is true, expected false"),
        ({"max_latency_ms": 80}, "smoke-test latency 80 ms, expected at most 80 ms"),
        ({"body": {"contains": "no"}}, 'smoke-test body is 12 bytes, expected to contain "no"'),
        ({"asserts": [{"query": "duration", "max": 1}]}, "smoke-test duration total is"),
    ],
)
def test_an_unexpected_response_fails(aws: AwsApi, expect: dict[str, Any], reason: str) -> None:
    answers(aws, {"ok": True}, LogResult=log(REPORT))
    outcome = run(expect=expect)
    assert outcome.status is Status.FAIL
    assert outcome.reason.startswith(reason), outcome.reason


def test_an_assertion_may_only_warn(aws: AwsApi) -> None:
    answers(aws, {"ok": True})
    outcome = run(expect={"asserts": [{"query": "jsonpath", "path": "$.ok", "equals": False, "warn": True}]})
    assert outcome.status is Status.PASS
    assert "; warning: jsonpath $.ok is true, expected false" in outcome.reason


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        ({"errorType": "KeyError", "errorMessage": "hunter2"}, "KeyError"),
        ({"errorType": "no name: hunter2"}, "Unhandled"),
        ({"errorType": 7}, "Unhandled"),
        (b"garbage", "Unhandled"),
        (b"[" * 100_000, "Unhandled"),
        ([1], "Unhandled"),
    ],
)
def test_an_error_of_the_function_fails_without_its_message(aws: AwsApi, payload: Any, name: str) -> None:
    answers(aws, payload, FunctionError="Unhandled")
    outcome = run()
    assert outcome.status is Status.FAIL
    assert outcome.reason == f"smoke-test failed with {name}; see its log"


def test_an_expected_error_passes(aws: AwsApi) -> None:
    answers(aws, {"errorType": "ValueError"}, FunctionError="Unhandled")
    assert run(error="ValueError").reason == "smoke-test failed with ValueError, as expected"
    assert run(error={"matches": "Key"}).reason.startswith('smoke-test error is "ValueError", expected to match')
    answers(aws, {"errorType": "ValueError"})
    assert run(error="ValueError").status is Status.FAIL


def test_an_http_response_has_status_headers_and_body(aws: AwsApi) -> None:
    answer = {
        "statusCode": 201,
        "headers": {"Content-Type": "application/json", "X-A": 1},
        "multiValueHeaders": {"Set-Cookie": ["a=b", "c=d"]},
        "body": '{"id": 7}',
    }
    expect = {
        "status": 201,
        "headers": {"x-a": "1"},
        "json": {"$.id": 7},
        "asserts": [{"query": "cookie", "name": "c", "equals": "d"}],
    }
    answers(aws, answer)
    assert run(response="http", expect=expect).status is Status.PASS
    answers(aws, {**answer, "statusCode": 500})
    assert run(response="http", expect=expect).reason == "smoke-test status 500, expected 201"
    encoded = base64.b64encode(b'{"id": 7}').decode()
    answers(aws, {**answer, "body": encoded, "isBase64Encoded": True})
    assert run(response="http", expect=expect).status is Status.PASS
    answers(aws, {**answer, "body": "%", "isBase64Encoded": True})
    assert "body is not valid Base64" in run(response="http", expect=expect).reason
    answers(aws, {"statusCode": 204})
    assert run(response="http", expect={"status": 204}).status is Status.PASS


@pytest.mark.parametrize("payload", [{"ok": True}, {"statusCode": "200"}, [1], b"garbage", b"[" * 100_000])
def test_a_payload_without_a_status_is_not_an_http_response(aws: AwsApi, payload: Any) -> None:
    answers(aws, payload)
    outcome = run(response="http")
    assert outcome.status is Status.FAIL
    assert "response has no integer statusCode" in outcome.reason


@pytest.mark.parametrize("tail", ["", "abc", log("START\nEND\n")])
def test_without_a_report_the_latency_is_that_of_the_call(aws: AwsApi, tail: str) -> None:
    answers(aws, {}, LogResult=tail)
    aws.delay = 0.05
    assert float(str(run().evidence["latency_ms"])) >= 50


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("TooManyRequestsException", 429, Status.ERROR),
        ("ServiceException", 500, Status.ERROR),
        ("ResourceNotFoundException", 404, Status.FAIL),
        ("AccessDeniedException", 403, Status.FAIL),
    ],
)
def test_an_aws_error_has_an_outcome(aws: AwsApi, code: str, status: int, expected: Status) -> None:
    aws.error("Invoke", code, status)
    outcome = run()
    assert outcome.status is expected
    assert outcome.reason.startswith(f"lambda:InvokeFunction: {code}")
    assert aws.calls["Invoke"] == 1


def test_a_timed_out_call_is_not_repeated(aws: AwsApi) -> None:
    answers(aws, {})
    aws.delay = 1.0
    outcome = run(timeout_seconds=0.2)
    assert (outcome.status, outcome.reason) == (Status.FAIL, "smoke-test no response within 0.2 s")
    assert aws.calls["Invoke"] == 1


def test_a_call_requires_its_timeout(aws: AwsApi) -> None:
    outcome = run(seconds=5)
    assert outcome.status is Status.ERROR
    assert outcome.reason == "timeout_seconds requires 10 s, but this invocation has 5 s left"
    assert not aws.calls
    assert InvokeCheck(timeout_seconds=7).requirements().seconds == 7


def test_the_check_does_not_apply_to_a_service_without_function() -> None:
    with pytest.raises(ExplainedError) as caught:
        InvokeCheck().run(context("http://127.0.0.1:9"))
    assert caught.value.outcome.status is Status.SKIP
    assert not caught.value.outcome.applicable
    assert InvokeCheck().requirements().actions == frozenset()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"qualifier": "7"}, "qualifier: requires function"),
        ({"expect": {"status": 200}}, 'require "response": "http"'),
        ({"expect": {"headers": {"a": "b"}}}, 'require "response": "http"'),
        ({"timeout_seconds": 0}, "greater than 0"),
        ({"response": "xml"}, "payload"),
    ],
)
def test_a_mistake_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        InvokeCheck.model_validate({"type": "invoke", **fields})
