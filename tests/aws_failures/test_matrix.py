"""Every AWS operation of the layer with every kind of failure: the outcome of the failure table in the README."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import ecs_hooks
from ecs_hooks.aws import clients
from tests.aws_failures.operations import (
    ALWAYS_SOMETHING,
    CONTENT,
    MISSING,
    NOT_YET,
    NOTHING,
    OPERATIONS,
    answer,
    event,
    operation,
)
from tests.support.aws import AwsApi, Silence, hurried

LAYER = Path(ecs_hooks.__file__).parent
THROTTLED = [
    "LimitExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
]
SERVER_ERRORS = ["InternalFailure", "InternalServerError", "ServerException", "ServiceUnavailable"]
PASSING_CREDENTIALS = ["ExpiredToken", "ExpiredTokenException", "InvalidSignatureException", "SignatureDoesNotMatch"]
DENIED = ["AccessDenied", "AccessDeniedException", "AuthorizationError", "NotAuthorized", "UnauthorizedOperation"]
REFUSED = ["InvalidClientTokenId", "UnrecognizedClientException", "OptInRequired", "InvalidParameterException"]
MALFORMED = [
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"5",
    b"true",
    b"{",
    b'{"hunter2": [',
    b"[" * 100_000,
    b"\xff\xfe\x00",
    b"<html><body>hunter2</body></html>",
    b"<!DOCTYPE html><html><body><p>hunter2</html>",
    b'<?xml version="1.0"?>',
    b"<a/>",
]


def passes(action: str, named: str) -> None:
    """Assert that a failure is retried up to the limit, and is named."""
    invocation = event(OPERATIONS[action])
    first = answer(invocation)
    assert first["hookStatus"] == "IN_PROGRESS", first
    assert f"{action}: {named}" in first["reason"]
    assert "(error 1 of 2)" in first["reason"]
    second = answer({**invocation, "hookDetails": first["hookDetails"]})
    assert second["hookStatus"] == "FAILED", second
    assert f"{action}: {named}" in second["reason"]
    assert "2 times in a row, which is the error_limit" in second["reason"]


def fails(action: str, named: str) -> None:
    """Assert that a failure is final at once, and is named."""
    answered = answer(event(OPERATIONS[action]))
    assert answered["hookStatus"] == "FAILED", answered
    assert named in answered["reason"]
    assert "error_limit" not in answered["reason"]


def unreadable(action: str) -> None:
    """Assert that an invalid response is retried, and that an invalid plan is a failure at once."""
    if action in CONTENT:
        fails(action, f"the plan is not valid: {OPERATIONS[action]['plan']}: ")
    else:
        passes(action, "invalid response")


def test_without_failures_every_plan_passes_and_calls_its_operation(aws: AwsApi, action: str) -> None:
    answered = answer(event(OPERATIONS[action]))
    assert answered["hookStatus"] == "SUCCEEDED", answered
    assert aws.calls[operation(action)] >= 1


def test_every_operation_of_the_code_is_in_the_matrix() -> None:
    # The operations for CodeDeploy have a matrix of their own.
    elsewhere = {"codedeploy", "lambda_function.py"}
    sources = [path for path in LAYER.rglob("*.py") if not elsewhere & set(path.parts)]
    named = re.compile(r'"([a-z0-9]+:[A-Z][a-z]+[A-Z]\w+)"')
    found = {each for path in sources for each in named.findall(path.read_text())}

    assert found == set(OPERATIONS) == set(MISSING)
    assert set(NOTHING) | set(NOT_YET) | ALWAYS_SOMETHING == set(OPERATIONS)


@pytest.mark.parametrize("code", [*THROTTLED, *SERVER_ERRORS, *PASSING_CREDENTIALS])
def test_transient_errors_are_retried(aws: AwsApi, action: str, code: str) -> None:
    aws.error(operation(action), code, 403 if code in PASSING_CREDENTIALS else 400)
    passes(action, code)


@pytest.mark.parametrize("status", [500, 503, 429, 403, 301])
@pytest.mark.parametrize("body", [b"", b"<html>hunter2</html>", b'{"__type": 5}'])
def test_undocumented_errors_are_retried(aws: AwsApi, action: str, status: int, body: bytes) -> None:
    aws.garbage(operation(action), body, status)
    passes(action, "")


def test_an_invalid_error_code_is_not_shown(aws: AwsApi, action: str) -> None:
    aws.error(operation(action), "hunter2 and more", 500)
    passes(action, "HTTP 500")


@pytest.mark.parametrize("how", list(Silence))
def test_a_missing_response_is_retried(aws: AwsApi, action: str, how: Silence) -> None:
    aws.silence(operation(action), how)
    with hurried(aws):
        passes(action, "")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://nowhere.invalid"])
@pytest.mark.parametrize(
    "check", [*{str(each): each for each in OPERATIONS.values()}.values()], ids=lambda each: each.get("type", "plan")
)
def test_a_missing_connection_is_retried(check: dict[str, Any], url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    answered = answer(event(check))
    assert answered["hookStatus"] == "IN_PROGRESS"
    assert re.search(r"\w+:\w+: EndpointConnectionError; in a VPC", answered["reason"]), answered


@pytest.mark.parametrize("code", DENIED)
def test_a_missing_permission_is_a_failure_that_names_the_action(aws: AwsApi, action: str, code: str) -> None:
    aws.error(operation(action), code, 403)
    fails(action, f"{action}: {code}; allow the action {action} in the function's role")


@pytest.mark.parametrize("code", REFUSED)
def test_refused_requests_are_failures(aws: AwsApi, action: str, code: str) -> None:
    aws.error(operation(action), code)
    fails(action, f"{action}: {code}")


def test_missing_credentials_are_a_failure(aws: AwsApi, action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    # Clients are kept, and the session that makes them, too: both have found theirs.
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"{aws.url}/without")
    clients._session.cache_clear()
    fails(action, "no AWS credentials")


def test_a_missing_resource_is_a_failure(aws: AwsApi, action: str) -> None:
    aws.error(operation(action), MISSING[action])
    fails(action, f"{action}: {MISSING[action]}")


@pytest.mark.parametrize("action", NOTHING)
def test_an_empty_response_is_a_failure_for_a_required_resource(aws: AwsApi, action: str) -> None:
    nothing, named = NOTHING[action]
    aws.answer(operation(action), nothing)
    fails(action, named)


@pytest.mark.parametrize("action", NOT_YET)
def test_an_empty_response_is_waited_for_if_it_may_be_filled(aws: AwsApi, action: str) -> None:
    aws.answer(operation(action), NOT_YET[action])
    assert answer(event(OPERATIONS[action]))["hookStatus"] == "IN_PROGRESS"


@pytest.mark.parametrize("action", ["ecs:DescribeTasks", "ecs:ListTasks"])
def test_without_tasks_there_are_no_logs_to_read(aws: AwsApi, action: str) -> None:
    aws.answer(operation(action), NOT_YET[action])
    answered = answer(event(OPERATIONS["logs:FilterLogEvents"]))
    assert answered["hookStatus"] == "IN_PROGRESS", answered


@pytest.mark.parametrize("body", MALFORMED)
def test_a_malformed_response_is_retried(aws: AwsApi, action: str, body: bytes) -> None:
    aws.garbage(operation(action), body)
    unreadable(action)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_response_is_retried(aws: AwsApi, action: str, share: float) -> None:
    def cut(body: bytes) -> bytes:
        return body[: int(len(body) * share)]

    aws.change(operation(action), cut)
    unreadable(action)
