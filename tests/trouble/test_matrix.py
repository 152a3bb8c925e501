"""Every operation that the layer calls, in every kind of trouble: what the failure table of the README says comes of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import ecs_hooks
from ecs_hooks.aws import clients
from tests.support.aws import AwsApi, Silence
from tests.trouble.operations import CONTENT, OPERATIONS, answer, event, operation

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
MISSING = {
    "cloudwatch:DescribeAlarms": "ResourceNotFound",
    "cloudwatch:GetMetricData": "ResourceNotFound",
    "ecs:DescribeServiceDeployments": "ServiceDeploymentNotFoundException",
    "ecs:DescribeServiceRevisions": "ServiceNotFoundException",
    "ecs:DescribeTaskDefinition": "ClientException",
    "ecs:DescribeTasks": "ClusterNotFoundException",
    "ecs:ListServiceDeployments": "ServiceNotFoundException",
    "ecs:ListTasks": "ClusterNotFoundException",
    "elasticloadbalancing:DescribeListeners": "ListenerNotFound",
    "elasticloadbalancing:DescribeLoadBalancers": "LoadBalancerNotFound",
    "elasticloadbalancing:DescribeRules": "RuleNotFound",
    "elasticloadbalancing:DescribeTargetHealth": "TargetGroupNotFound",
    "logs:FilterLogEvents": "ResourceNotFoundException",
    "logs:GetQueryResults": "ResourceNotFoundException",
    "logs:StartQuery": "ResourceNotFoundException",
    "s3:GetObject": "NoSuchKey",
    "secretsmanager:GetSecretValue": "ResourceNotFoundException",
    "ssm:GetParameter": "ParameterNotFound",
    "sts:AssumeRole": "RegionDisabledException",
}
NOTHING: dict[str, tuple[dict[str, Any], str]] = {
    "cloudwatch:DescribeAlarms": (
        {"MetricAlarms": [], "CompositeAlarms": []},
        "not found in CloudWatch: alarm api-5xx",
    ),
    "cloudwatch:GetMetricData": ({"MetricDataResults": []}, "0 datapoints"),
    "ecs:DescribeServiceDeployments": (
        {"serviceDeployments": [], "failures": [{"reason": "MISSING"}]},
        "ecs:DescribeServiceDeployments: AWS knows no such service deployment",
    ),
    "ecs:DescribeServiceRevisions": (
        {"serviceRevisions": [], "failures": [{"reason": "MISSING"}]},
        "ecs:DescribeServiceRevisions: AWS knows no such service revision",
    ),
    "ecs:ListServiceDeployments": ({"serviceDeployments": []}, "ECS knows of no successful deployment of blue"),
    "elasticloadbalancing:DescribeListeners": ({"Listeners": []}, "AWS knows no such listener"),
    "elasticloadbalancing:DescribeLoadBalancers": ({"LoadBalancers": []}, "AWS knows no such load balancer"),
    "elasticloadbalancing:DescribeRules": ({"Rules": []}, "AWS knows no such listener rule"),
}
"""Answers that name nothing where there has to be something, and the failure that comes of them."""

NOT_YET: dict[str, dict[str, Any]] = {
    "ecs:DescribeTasks": {"tasks": [], "failures": [{"reason": "MISSING"}]},
    "ecs:ListTasks": {"taskArns": []},
    "elasticloadbalancing:DescribeTargetHealth": {"TargetHealthDescriptions": []},
}
"""Answers that name nothing where there may be something later: waited for."""

ALWAYS_SOMETHING = {
    "ecs:DescribeTaskDefinition",
    "logs:FilterLogEvents",
    "logs:GetQueryResults",
    "logs:StartQuery",
    "s3:GetObject",
    "secretsmanager:GetSecretValue",
    "ssm:GetParameter",
    "sts:AssumeRole",
}
"""Operations whose answers name nothing that could be missing."""

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
    """Make sure that a trouble is waited out, to the limit, and is named."""
    asked = event(OPERATIONS[action])
    first = answer(asked)
    assert first["hookStatus"] == "IN_PROGRESS", first
    assert f"{action}: {named}" in first["reason"]
    assert "(error 1 of 2)" in first["reason"]
    second = answer({**asked, "hookDetails": first["hookDetails"]})
    assert second["hookStatus"] == "FAILED", second
    assert f"{action}: {named}" in second["reason"]
    assert "2 times in a row, which is the error_limit" in second["reason"]


def fails(action: str, named: str) -> None:
    """Make sure that a trouble is a failure at once, and is named."""
    answered = answer(event(OPERATIONS[action]))
    assert answered["hookStatus"] == "FAILED", answered
    assert named in answered["reason"]
    assert "error_limit" not in answered["reason"]


def unreadable(action: str) -> None:
    """Make sure that an answer which is none is waited out, and that a plan which is none is a failure at once."""
    if action in CONTENT:
        fails(action, f"the plan is not valid: {OPERATIONS[action]['plan']}: ")
    else:
        passes(action, "the answer can't be read")


def test_when_all_is_well_every_plan_passes_and_needs_its_operation(aws: AwsApi, action: str) -> None:
    answered = answer(event(OPERATIONS[action]))
    assert answered["hookStatus"] == "SUCCEEDED", answered
    assert aws.calls[operation(action)] >= 1


def test_every_operation_that_the_code_names_is_in_the_matrix() -> None:
    # What is only asked under CodeDeploy has a matrix of its own.
    elsewhere = {"codedeploy", "lambda_function.py"}
    sources = [path for path in LAYER.rglob("*.py") if not elsewhere & set(path.parts)]
    named = re.compile(r'"([a-z0-9]+:[A-Z][a-z]+[A-Z]\w+)"')
    found = {each for path in sources for each in named.findall(path.read_text())}

    assert found == set(OPERATIONS) == set(MISSING)
    assert set(NOTHING) | set(NOT_YET) | ALWAYS_SOMETHING == set(OPERATIONS)


@pytest.mark.parametrize("code", [*THROTTLED, *SERVER_ERRORS, *PASSING_CREDENTIALS])
def test_what_may_pass_is_asked_again(aws: AwsApi, action: str, code: str) -> None:
    aws.error(operation(action), code, 403 if code in PASSING_CREDENTIALS else 400)
    passes(action, code)


@pytest.mark.parametrize("status", [500, 503, 429, 403, 301])
@pytest.mark.parametrize("body", [b"", b"<html>hunter2</html>", b'{"__type": 5}'])
def test_an_error_that_aws_does_not_document_is_asked_again(aws: AwsApi, action: str, status: int, body: bytes) -> None:
    aws.garbage(operation(action), body, status)
    passes(action, "")


def test_an_error_code_that_is_none_is_not_shown(aws: AwsApi, action: str) -> None:
    aws.error(operation(action), "hunter2 and more", 500)
    passes(action, "HTTP 500")


@pytest.mark.parametrize("how", list(Silence))
def test_no_answer_is_asked_again(aws: AwsApi, action: str, how: Silence, monkeypatch: pytest.MonkeyPatch) -> None:
    if how is Silence.HANG:
        monkeypatch.setenv("ECS_HOOKS_AWS_TIMEOUT_SECONDS", "1")
    aws.silence(operation(action), how)
    passes(action, "")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://nowhere.invalid"])
@pytest.mark.parametrize(
    "check", [*{str(each): each for each in OPERATIONS.values()}.values()], ids=lambda each: each.get("type", "plan")
)
def test_without_a_way_to_aws_it_is_asked_again(
    check: dict[str, Any], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    answered = answer(event(check))
    assert answered["hookStatus"] == "IN_PROGRESS"
    assert re.search(r"\w+:\w+: EndpointConnectionError; in a VPC", answered["reason"]), answered


@pytest.mark.parametrize("code", DENIED)
def test_no_permission_is_a_failure_that_names_the_action(aws: AwsApi, action: str, code: str) -> None:
    aws.error(operation(action), code, 403)
    fails(action, f"{action}: {code}; allow the action {action} in the function's role")


@pytest.mark.parametrize("code", REFUSED)
def test_what_aws_refuses_is_a_failure(aws: AwsApi, action: str, code: str) -> None:
    aws.error(operation(action), code)
    fails(action, f"{action}: {code}")


def test_without_credentials_it_is_a_failure(aws: AwsApi, action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    # Clients are kept, and the session that makes them, too: both have found theirs.
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"{aws.url}/without")
    clients._session.cache_clear()
    fails(action, "no AWS credentials")


def test_what_is_not_there_is_a_failure(aws: AwsApi, action: str) -> None:
    aws.error(operation(action), MISSING[action])
    fails(action, f"{action}: {MISSING[action]}")


@pytest.mark.parametrize("action", NOTHING)
def test_what_is_not_named_is_a_failure(aws: AwsApi, action: str) -> None:
    nothing, named = NOTHING[action]
    aws.answer(operation(action), nothing)
    fails(action, named)


@pytest.mark.parametrize("action", NOT_YET)
def test_what_may_come_is_waited_for(aws: AwsApi, action: str) -> None:
    aws.answer(operation(action), NOT_YET[action])
    assert answer(event(OPERATIONS[action]))["hookStatus"] == "IN_PROGRESS"


@pytest.mark.parametrize("action", ["ecs:DescribeTasks", "ecs:ListTasks"])
def test_without_tasks_there_are_no_logs_to_read(aws: AwsApi, action: str) -> None:
    aws.answer(operation(action), NOT_YET[action])
    answered = answer(event(OPERATIONS["logs:FilterLogEvents"]))
    assert answered["hookStatus"] == "IN_PROGRESS", answered


@pytest.mark.parametrize("body", MALFORMED)
def test_an_answer_that_is_none_is_asked_again(aws: AwsApi, action: str, body: bytes) -> None:
    aws.garbage(operation(action), body)
    unreadable(action)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_half_an_answer_is_asked_again(aws: AwsApi, action: str, share: float) -> None:
    def cut(body: bytes) -> bytes:
        return body[: int(len(body) * share)]

    aws.change(operation(action), cut)
    unreadable(action)
