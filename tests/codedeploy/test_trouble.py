"""Errors of every AWS operation under CodeDeploy: the hook never raises, and always reports."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import ecs_hooks
from ecs_hooks import Stage, stage_hook
from ecs_hooks.codedeploy.report import PATIENCE
from tests.aws_failures.test_matrix import DENIED, MALFORMED, PASSING_CREDENTIALS, SERVER_ERRORS, THROTTLED
from tests.codedeploy.account import BEGAN, Account
from tests.support.aws import Silence, hurried

LAYER = Path(ecs_hooks.__file__).parent
HOOK = stage_hook(Stage.POST_TEST_TRAFFIC_SHIFT)
SECRET = "hunter2"

OPERATIONS = {
    "codedeploy:BatchGetDeploymentTargets": "BatchGetDeploymentTargets",
    "codedeploy:GetDeployment": "GetDeployment",
    "codedeploy:GetDeploymentGroup": "GetDeploymentGroup",
    "codedeploy:ListDeploymentTargets": "ListDeploymentTargets",
    "codedeploy:PutLifecycleEventHookExecutionStatus": "PutLifecycleEventHookExecutionStatus",
    "ecs:DescribeTaskSets": "DescribeTaskSets",
    "lambda:InvokeFunction": "Invoke",
    "scheduler:CreateSchedule": "CreateSchedule",
    "scheduler:DeleteSchedule": "DeleteSchedule",
    "scheduler:UpdateSchedule": "UpdateSchedule",
    "ssm:GetParameters": "GetParameters",
}
"""Each IAM action, and its operation."""
PRECAUTIONS = {"CreateSchedule", "DeleteSchedule", "UpdateSchedule"}
"""Operations that a hook with one invocation does not need."""
REPORT = "PutLifecycleEventHookExecutionStatus"
SECONDS = 3.0
"""Lambda's time-out while reports fail: enough for one attempt."""

CHECKS: list[dict[str, Any]] = [
    {"type": "targets"},
    {"type": "alarm"},
    {"type": "invoke", "function": "smoke-test", "timeout_seconds": 1},
]


@pytest.fixture(params=sorted(OPERATIONS.values()))
def operation(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def planned(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_HOOKS_PLAN_PARAMETERS", "/ecs-hooks")
    monkeypatch.setenv("ECS_HOOKS_PLAN", json.dumps({"checks": CHECKS, "error_limit": 2}))
    account.group["alarmConfiguration"] = {"enabled": True, "alarms": [{"name": "api-5xx"}]}
    alarm = {"AlarmName": "api-5xx", "StateValue": "OK"}
    account.aws.answer("DescribeAlarms", {"MetricAlarms": [alarm], "CompositeAlarms": []})
    account.aws.answer("Invoke", {"StatusCode": 200, "Payload": b"{}"})


def seconds(operation: str) -> float:
    """Return Lambda's time-out while an operation fails."""
    return SECONDS if operation == REPORT else 120


def play(account: Account, operation: str = "") -> dict[str, Any]:
    answer = account.invoke(HOOK, seconds=seconds(operation))
    for _ in range(100):
        if not account.schedules or account.now > BEGAN + PATIENCE:
            break
        answer = account.next(HOOK, seconds=seconds(operation))
    assert SECRET not in str(answer)
    assert "ecs-hooks; see the log" not in answer["reason"]
    return answer


def test_the_matrix_has_every_operation_of_the_code() -> None:
    sources = [*(LAYER / "codedeploy").glob("*.py"), LAYER / "aws" / "lambda_function.py"]
    named = re.compile(r'"([a-z0-9]+:[A-Z][a-z]+[A-Z]\w+)"')
    assert {each for path in sources for each in named.findall(path.read_text())} == set(OPERATIONS)


def test_without_errors_the_hook_passes(account: Account) -> None:
    assert play(account)["hookStatus"] == "SUCCEEDED"
    assert account.reports == ["Succeeded"]
    assert set(OPERATIONS.values()) - set(account.aws.calls) == {"UpdateSchedule"}


@pytest.mark.parametrize("code", [*THROTTLED, *SERVER_ERRORS, *PASSING_CREDENTIALS])
def test_temporary_errors_are_waited_for(account: Account, operation: str, code: str) -> None:
    account.aws.error(operation, code, 403 if code in PASSING_CREDENTIALS else 400)
    answer = account.invoke(HOOK, seconds=seconds(operation))
    if operation in PRECAUTIONS:
        assert account.reports == ["Succeeded"]
        return
    assert account.reports == []
    assert operation == REPORT or code in answer["reason"]
    account.aws.well()
    play(account) if not account.schedules else account.next(HOOK)
    assert account.reports == ["Succeeded"]


@pytest.mark.parametrize("code", DENIED)
def test_a_missing_permission_fails_and_is_named(account: Account, operation: str, code: str) -> None:
    account.aws.error(operation, code, 403)
    answer = account.invoke(HOOK, seconds=seconds(operation))
    if operation in PRECAUTIONS:
        assert account.reports == ["Succeeded"]
    elif operation == REPORT:
        assert account.reports == []
        assert account.schedules
    else:
        action = next(action for action, each in OPERATIONS.items() if each == operation)
        assert account.reports == ["Failed"]
        assert f"{action}: {code}; allow the action {action} in the function's role" in answer["reason"]


@pytest.mark.parametrize("body", MALFORMED)
def test_a_malformed_response_never_passes_a_check(account: Account, operation: str, body: bytes) -> None:
    account.aws.garbage(operation, body)
    if operation == "DeleteSchedule":  # the content of a response with status 200 is not read
        account.invoke(HOOK, seconds=seconds(operation))
        assert account.reports == ["Succeeded"]
        return
    answer = play(account, operation)
    if operation in {*PRECAUTIONS, REPORT}:
        assert answer["hookStatus"] == "SUCCEEDED"
    elif operation == "Invoke":
        assert account.reports  # any payload is a response of the function
    else:
        assert account.reports == ["Failed"], answer


@pytest.mark.parametrize("how", list(Silence))
def test_a_missing_response_ends_at_the_timeout(account: Account, operation: str, how: Silence) -> None:
    account.aws.silence(operation, how)
    with hurried(account.aws):
        answer = play(account, operation)
    if operation in PRECAUTIONS:
        assert set(account.reports) == {"Succeeded"}
        assert len(account.reports) <= 2  # a schedule that could not be deleted repeats the report
    elif operation == REPORT:
        assert answer["hookStatus"] == "SUCCEEDED"
    else:
        assert account.reports == ["Failed"], answer
